//! One run: a schedule of actions and faults, played while the executor works.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use caplink::adversary::{Call, Errno, Tree, Watch, World};

use crate::answers::Answers;
use crate::attacker::acts;
use crate::judge::Judge;
use crate::scene::Scene;
use crate::state::{Learned, State};
use crate::support::action::Action;

/// The most trees of a run that are kept. A longer run waits for something, or tries the same over and over.
pub(crate) const TREES_MAX: usize = 400;

/// Actions, each before the call of this number, and a call that fails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schedule {
    pub(crate) actions: Vec<(usize, Action)>,
    pub(crate) fault: Option<Fault>,
}

/// A call that fails, or this and all later ones of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Counted with the calls that no action can come before.
    pub(crate) at: usize,
    pub(crate) error: Errno,
    pub(crate) from_here: bool,
}

/// What came of a run.
pub(crate) struct Played {
    /// None where it panicked.
    pub(crate) answers: Option<Answers>,
    pub(crate) judge: Judge,
    /// The calls before which something can be done.
    pub(crate) points: Vec<Call>,
    /// All calls.
    pub(crate) calls: Vec<Call>,
    /// The tree before each point, where that was asked for.
    pub(crate) trees: Vec<Tree>,
    /// The state before each of these points and its actions, where that was asked for.
    pub(crate) states: Vec<State>,
    /// The tree at the end.
    pub(crate) end: Tree,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keep {
    /// The tree before the calls from this number on.
    pub(crate) trees_from: Option<usize>,
    /// The state before each of them.
    pub(crate) states: bool,
}

impl Keep {
    pub(crate) fn trees_from(point: usize) -> Keep {
        Keep { trees_from: Some(point), states: false }
    }
}

struct Player {
    scene: Scene,
    schedule: Schedule,
    keep: Keep,
    judge: Judge,
    points: Vec<Call>,
    calls: Vec<Call>,
    trees: Vec<Tree>,
    learned: Option<Learned>,
    states: Vec<State>,
    failing: Option<(Call, Errno)>,
    locked_tries: usize,
}

impl Fault {
    /// Whether the error says something of the tree, which then need not be so.
    pub(crate) fn is_false(self) -> bool {
        use Errno as E;
        let claims = [E::NOENT, E::NOTDIR, E::LOOP, E::XDEV, E::EXIST, E::ISDIR, E::NOTEMPTY];
        claims.contains(&self.error)
    }
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
        let at = self.calls.len();
        self.calls.push(call);
        if let Some(learned) = &mut self.learned {
            learned.calls(call);
        }
        if self.is_point(call) {
            self.play_actions(tree, call);
        }
        self.judge.before(tree);
        if let Some(fault) = self.schedule.fault.filter(|fault| fault.at == at) {
            self.judge.misinformed |= fault.is_false();
            if fault.from_here {
                self.failing = Some((call, fault.error));
            }
            return Some(fault.error);
        }
        self.failing.filter(|(failing, _)| *failing == call).map(|(_, error)| error)
    }

    fn play_actions(&mut self, tree: &mut Tree, call: Call) {
        let point = self.points.len();
        self.points.push(call);
        let kept = self.keep.trees_from.is_some_and(|from| point >= from) && self.trees.len() < TREES_MAX;
        if let Some(learned) = self.learned.as_ref().filter(|_| kept) {
            self.states.push(learned.state(tree, &self.judge));
        }
        for (_, action) in self.schedule.actions.iter().filter(|(at, _)| *at == point) {
            if acts(&self.scene, tree, *action) {
                self.judge.disturbed = true;
                self.judge.actions += 1;
            }
            self.judge.locked |= *action == Action::LockTaken;
        }
        if kept {
            self.trees.push(tree.clone());
        }
    }
}

struct Shared(Arc<Mutex<Player>>);

impl Watch for Shared {
    fn before(&mut self, tree: &mut Tree, call: Call) -> Option<Errno> {
        self.0.lock().unwrap().before(tree, call)
    }

    fn after(&mut self, tree: &mut Tree, call: Call, result: Result<(), Errno>) {
        let mut player = self.0.lock().unwrap();
        player.judge.after(tree, call, result.is_err());
    }

    fn told(&mut self, answer: &dyn fmt::Debug) {
        if let Some(learned) = &mut self.0.lock().unwrap().learned {
            learned.answers(answer);
        }
    }
}

/// Plays a schedule on the scene's own tree.
pub(crate) fn play(scene: &Scene, schedule: &Schedule, keep: Keep) -> Played {
    play_on(scene, Tree::clone(&scene.tree), schedule, keep)
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
        calls: Vec::new(),
        trees: Vec::new(),
        learned: keep.states.then(Learned::new),
        states: Vec::new(),
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
    let answers = match result {
        Ok(answers) => {
            judge.verdict(&tree, &answers, schedule.fault);
            Some(answers)
        }
        Err(_) => {
            judge.violations.push("no_panic: it panicked".into());
            None
        }
    };
    Played {
        answers,
        judge,
        points: player.points,
        calls: player.calls,
        trees: player.trees,
        states: player.states,
        end: tree,
    }
}
