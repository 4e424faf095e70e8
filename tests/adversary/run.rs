//! One run: a schedule of deeds and faults, played while the executor works.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use caplink::adversary::{Call, Errno, Tree, Watch, World};
use caplink::{Error, Outcome};

use crate::deeds::{Deed, does};
use crate::judge::Judge;
use crate::scene::Scene;

/// Deeds and faults, each before the call of this number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schedule {
    pub(crate) deeds: Vec<(usize, Deed)>,
    pub(crate) fault: Option<Fault>,
}

/// A call that fails, or this and all later ones of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) error: Errno,
    pub(crate) from_here: bool,
}

/// What came of a run.
pub(crate) struct Played {
    pub(crate) result: Option<Result<Vec<Outcome>, Error>>,
    pub(crate) judge: Judge,
    /// The calls before which something can be done.
    pub(crate) points: Vec<Call>,
    /// The tree before each of them, where that was asked for.
    pub(crate) trees: Vec<Tree>,
    /// The tree at the end.
    pub(crate) end: Tree,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keep {
    /// The tree before the calls from this number on.
    pub(crate) trees_from: Option<usize>,
}

struct Player {
    scene: Scene,
    schedule: Schedule,
    keep: Keep,
    judge: Judge,
    points: Vec<Call>,
    trees: Vec<Tree>,
    failing: Option<(Call, Errno)>,
    locked_tries: usize,
}

impl Player {
    /// Whether something can come between this call and the last one.
    fn is_point(&mut self, call: Call) -> bool {
        match call {
            Call::Random | Call::LinkRules => false,
            // Tries of a lock that is held are all the same.
            Call::TryLock if self.points.last() == Some(&Call::TryLock) => {
                self.locked_tries += 1;
                self.locked_tries <= 2
            }
            _ => true,
        }
    }

    fn before(&mut self, tree: &mut Tree, call: Call) -> Option<Errno> {
        if !self.is_point(call) {
            self.judge.before(tree);
            return self.failing.filter(|(failing, _)| *failing == call).map(|(_, error)| error);
        }
        let point = self.points.len();
        self.points.push(call);
        for (_, deed) in self.schedule.deeds.iter().filter(|(at, _)| *at == point) {
            if does(&self.scene, tree, *deed) {
                self.judge.disturbed = true;
                self.judge.deeds += 1;
            }
            self.judge.locked |= *deed == Deed::LockTaken;
        }
        self.judge.before(tree);
        if self.keep.trees_from.is_some_and(|from| point >= from) {
            self.trees.push(tree.clone());
        }
        if let Some(fault) = self.schedule.fault.filter(|fault| fault.at == point) {
            if fault.from_here {
                self.failing = Some((call, fault.error));
            }
            return Some(fault.error);
        }
        self.failing.filter(|(failing, _)| *failing == call).map(|(_, error)| error)
    }
}

struct Shared(Arc<Mutex<Player>>);

impl Watch for Shared {
    fn before(&mut self, tree: &mut Tree, call: Call) -> Option<Errno> {
        self.0.lock().unwrap().before(tree, call)
    }

    fn after(&mut self, tree: &mut Tree, call: Call, _result: Result<(), Errno>) {
        let mut player = self.0.lock().unwrap();
        player.judge.after(tree, call);
    }
}

/// Plays a schedule on the scene's own tree.
pub(crate) fn play(scene: &Scene, schedule: &Schedule, keep: Keep) -> Played {
    play_on(scene, scene.tree.clone(), schedule, keep)
}

/// Plays a schedule on another tree than the scene's.
pub(crate) fn play_on(scene: &Scene, tree: Tree, schedule: &Schedule, keep: Keep) -> Played {
    let judge = Judge::of(scene, &tree);
    let world = World::new(tree);
    let root = scene.scenario.root(&world);
    let player = Arc::new(Mutex::new(Player {
        scene: scene.clone(),
        schedule: schedule.clone(),
        keep,
        judge,
        points: Vec::new(),
        trees: Vec::new(),
        failing: None,
        locked_tries: 0,
    }));
    world.watch(Box::new(Shared(player.clone())));
    let result = catch_unwind(AssertUnwindSafe(|| scene.scenario.run(&root)));
    drop(world.unwatch());
    let Ok(player) = Arc::try_unwrap(player) else { unreachable!("the watch is gone") };
    let player = player.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut judge = player.judge;
    let tree = world.with(|tree| tree.clone());
    let result = match result {
        Ok(result) => {
            judge.verdict(&tree, &result, schedule.fault.is_some());
            Some(result)
        }
        Err(_) => {
            judge.wrongs.push("no_panic: it panicked".into());
            None
        }
    };
    Played { result, judge, points: player.points, trees: player.trees, end: tree }
}
