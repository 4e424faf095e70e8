//! Every call that changes something done, and then failing: its answer got lost on the way from a server, or a signal came.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use caplink::adversary::{Call, Errno, Tree, Watch, World};

use crate::judge::Judge;
use crate::run::{Fault, Keep, Schedule, play};
use crate::scene::{Scenario, Scene};

struct Late {
    judge: Judge,
    calls: usize,
    fault: Fault,
}

struct Shared(Arc<Mutex<Late>>);

impl Watch for Shared {
    fn before(&mut self, tree: &mut Tree, _: Call) -> Option<Errno> {
        self.0.lock().unwrap().judge.before(tree);
        None
    }

    fn late(&mut self, _: Call) -> Option<Errno> {
        let late = self.0.lock().unwrap();
        (late.calls == late.fault.at).then_some(late.fault.error)
    }

    fn after(&mut self, tree: &mut Tree, call: Call, result: Result<(), Errno>) {
        let mut late = self.0.lock().unwrap();
        late.calls += 1;
        late.judge.after(tree, call, result.is_err());
    }
}

/// What went wrong where a call of this number is made and fails.
fn wrongs(scene: &Scene, fault: Fault) -> Vec<String> {
    let world = World::new(Tree::clone(&scene.tree));
    let root = scene.scenario.root(&world);
    let late = Arc::new(Mutex::new(Late { judge: Judge::of(scene, &scene.tree), calls: 0, fault }));
    world.watch(Box::new(Shared(Arc::clone(&late))));
    let answers = catch_unwind(AssertUnwindSafe(|| scene.scenario.run(&root)));
    drop(world.unwatch());
    let judge = &mut late.lock().unwrap().judge;
    match answers {
        Ok(answers) => judge.verdict(&world.with(|tree| tree.clone()), &answers, Some(fault)),
        Err(_) => judge.violation("no_panic", "it panicked"),
    }
    judge.violations.clone()
}

#[test]
fn a_call_that_is_made_and_fails_breaks_no_law() {
    use Call as C;
    let changes =
        [C::Symlink, C::MakeDir, C::RemoveDir, C::Exchange, C::RenameNew, C::RenameOver, C::HardLink, C::Unlink];
    let (mut played, mut broken) = (0, Vec::new());
    for scenario in Scenario::all() {
        let scene = Scene::new(scenario);
        let quiet = play(&scene, &Schedule::default(), Keep::default());
        for (at, call) in quiet.calls.iter().enumerate().filter(|(_, call)| changes.contains(call)) {
            let wrongs = wrongs(&scene, Fault { at, error: Errno::IO, from_here: false });
            broken.extend(wrongs.iter().map(|wrong| format!("{}, {call:?} ({at}): {wrong}", scenario.name())));
            played += 1;
        }
    }
    assert!(played > 1000, "{played}");
    assert!(broken.is_empty(), "{} of {played}:\n{}", broken.len(), broken.join("\n"));
}
