//! Chosen schedules with one right answer, where the laws alone would let a worse one pass.

mod backing_up;
mod confined;
mod creating;
mod exchanging;
mod making_parents;
mod mapped_owners;
mod opened;
mod previewing;
mod removing;
mod repairing;
mod replacing;
mod state;
mod trying_out;
mod undoing;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use caplink::adversary::{Call, Errno, Tree, Watch, World};
use caplink::{
    Abilities, Durability, Edit, Effect, Error, FileKind, Found, Kind, LinkPath, Outcome, Policy, Repair, Root,
    ScanOptions, Target, Trial,
};

use crate::attacker::acts;
use crate::scene::{Layout, NEW, OLD, ROOT, Scenario, Scene, Verb};
use crate::support::action::Action;

/// A moment, with what happens then: after these calls in this order and before the last one of them, these actions are
/// done, and that call fails with this error. `[Exchange, ReadLink]` is after the exchange, before the look.
struct Moment(&'static [Call], &'static [Action], Option<Errno>);

struct Moments {
    scene: Scene,
    /// Each with how many of its calls were made.
    moments: Vec<(&'static Moment, usize)>,
    calls: Arc<Mutex<Vec<Call>>>,
    came: Arc<Mutex<usize>>,
}

impl Watch for Moments {
    fn before(&mut self, tree: &mut Tree, call: Call) -> Option<Errno> {
        self.calls.lock().unwrap().push(call);
        let mut fails = None;
        for (Moment(calls, actions, error), made) in &mut self.moments {
            if calls.get(*made) != Some(&call) {
                continue;
            }
            *made += 1;
            if *made == calls.len() {
                *self.came.lock().unwrap() += 1;
                for action in *actions {
                    assert!(acts(&self.scene, tree, *action), "{action:?} has no effect");
                }
                fails = fails.or(*error);
            }
        }
        fails
    }

    fn after(&mut self, _: &mut Tree, _: Call, _: Result<(), Errno>) {}
}

/// What came of it.
struct Came<T> {
    answer: Result<T, Error>,
    scene: Scene,
    tree: Tree,
    calls: Vec<Call>,
}

impl<T: std::fmt::Debug> Came<T> {
    fn of(scenario: Scenario, moments: &'static [Moment], act: impl FnOnce(&Root) -> Result<T, Error>) -> Came<T> {
        let scene = Scene::new(scenario);
        let world = World::new(Tree::clone(&scene.tree));
        let root = scenario.root(&world);
        let calls = Arc::new(Mutex::new(Vec::new()));
        let came = Arc::new(Mutex::new(0));
        let each = moments.iter().map(|moment| (moment, 0)).collect();
        world.watch(Box::new(Moments {
            scene: scene.clone(),
            moments: each,
            calls: calls.clone(),
            came: came.clone(),
        }));
        let answer = act(&root);
        drop(world.unwatch());
        drop(root);
        let calls = calls.lock().unwrap().clone();
        assert_eq!(*came.lock().unwrap(), moments.len(), "a moment did not come: {calls:?}");
        Came { answer, scene, tree: world.with(|tree| tree.clone()), calls }
    }

    fn count(&self, call: Call) -> usize {
        self.calls.iter().filter(|made| **made == call).count()
    }

    /// The text of a link in the link's directory, wherever that is, or what else is under the name.
    fn at(&self, name: &str) -> String {
        match self.tree.get(self.scene.places.p, OsStr::new(name)) {
            None => "nothing".to_owned(),
            Some(found) => match self.tree.text(found) {
                Some(text) => text.display().to_string(),
                None => Found::Other(self.tree.node(found).kind).to_string(),
            },
        }
    }

    fn error(self) -> Error {
        self.answer.unwrap_err()
    }
}

fn link() -> LinkPath {
    LinkPath::new("q/p/l").unwrap()
}
