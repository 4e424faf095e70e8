//! One run of the program: a schedule of actions, of a call that fails and of a kill, played while it works.

use std::ffi::OsString;

use nix::errno::Errno;

use crate::answer::Answer;
use crate::attacker::{Memory as Attacks, acts};
use crate::calls::{Named, Sort, name_of, named};
use crate::scene::{Host, Scenario, Scene, is_about};
use crate::support::action::Action;
use crate::support::ledger::Ledger;
use crate::support::view::{Actor, Change, Changed, Step, View as _};
use crate::tracee::{Call, End, Memory, Verdict, Watch, trace};
use crate::view::{Id, KernelTree};

/// Actions, each before the call of this number, a call that fails, and one before which the program is killed. Calls
/// count from the one that opens the root, if they concern the file system.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    pub(crate) actions: Vec<(usize, Action)>,
    pub(crate) fault: Option<(usize, Errno)>,
    pub(crate) kill: Option<usize>,
}

/// What came of a run.
pub(crate) struct Played {
    pub(crate) scene: Scene,
    pub(crate) live: KernelTree,
    pub(crate) ledger: Ledger<Id>,
    pub(crate) points: Vec<Named>,
    pub(crate) end: End,
    /// `None` if it was killed, or its answer cannot be understood.
    pub(crate) answer: Option<Answer>,
    /// Whether each action had an effect, and the call was made to fail.
    pub(crate) effects: Vec<bool>,
    pub(crate) failed: bool,
}

struct Player {
    scene: Scene,
    schedule: Schedule,
    live: KernelTree,
    ledger: Ledger<Id>,
    attacks: Attacks,
    points: Vec<Named>,
    effects: Vec<bool>,
    failed: bool,
    begun: bool,
}

impl Player {
    /// Plays the actions that come before this call.
    fn act(&mut self, point: usize) -> Vec<Change<Id>> {
        let mut all = Vec::new();
        let of_point = |(at, action): &(usize, Action)| (*at == point).then_some(*action);
        for action in self.schedule.actions.iter().filter_map(of_point).collect::<Vec<_>>() {
            // Which root is meant is settled when it is opened, and not before.
            if point == 0 && action == Action::RootReplaced {
                self.effects.push(false);
                continue;
            }
            let (done, changes) = acts(&mut self.scene, &mut self.live, &mut self.attacks, action);
            self.effects.push(done);
            if done {
                self.ledger.disturbed = true;
                self.ledger.actions += 1;
            }
            self.ledger.locked |= action == Action::LockTaken;
            let now = self.scene.view();
            if !self.live.differences(&now).is_empty() {
                self.ledger.violation("traced", format!("{action:?} did something else than it says"));
            }
            self.live.become_now(now, Actor::Others);
            all.extend(changes);
        }
        all
    }
}

/// The change that a call of the program made.
fn change(call: &str, live: &KernelTree, mut names: Vec<Changed<Id>>) -> Change<Id> {
    // The name that a rename comes from stands first.
    names.sort_by_key(|changed| changed.after.is_some());
    let before = names.first().and_then(|changed| changed.before);
    let is_dir = before.is_some_and(|object| live.kind(object) == caplink::FileKind::Dir);
    let over = names.iter().any(|changed| changed.before.is_some() && changed.after.is_some());
    let step = match call {
        "unlinkat" | "unlink" | "rmdir" if is_dir => Step::RemoveDir,
        "unlinkat" | "unlink" | "rmdir" => Step::Unlink,
        "linkat" | "link" => Step::Link,
        "renameat2" if names.iter().all(|changed| changed.before.is_some() && changed.after.is_some()) => {
            Step::Exchange
        }
        "renameat2" if !over => Step::RenameNew,
        "renameat2" | "renameat" | "rename" => Step::RenameOver,
        _ => Step::Make,
    };
    Change { actor: Actor::Executor, step, names }
}

/// What this host does not have.
fn is_missing(host: Host, name: &str) -> bool {
    name == "openat2" && !host.openat2 || name == "renameat2" && !host.renameat2
}

impl Watch for Player {
    fn before(&mut self, call: &Call, memory: &Memory) -> Verdict {
        let Some(named) = named(call, memory) else { return Verdict::Go };
        let base = self.scene.base();
        self.begun = self.begun || named.texts.iter().any(|text| is_about(text, &base));
        if !self.begun {
            return Verdict::Go;
        }
        let point = self.points.len();
        let missing = is_missing(self.scene.scenario.host, named.name);
        self.points.push(named);
        let changes = self.act(point);
        self.ledger.before_call(&self.live, changes);
        if self.schedule.kill == Some(point) {
            return Verdict::Kill;
        }
        match self.schedule.fault {
            Some((at, errno)) if at == point => {
                self.failed = true;
                Verdict::Fail(errno)
            }
            _ if missing => Verdict::Fail(Errno::ENOSYS),
            _ => Verdict::Go,
        }
    }

    fn after(&mut self, call: &Call, result: i64) {
        let Some((name, sort)) = name_of(call.number).filter(|_| self.begun) else { return };
        self.ledger.no_second_names |= result < 0 && name == "linkat";
        let mut changes = None;
        if result >= 0 && sort == Sort::Change {
            let now = self.scene.view();
            self.scene.hold(&now);
            let names = self.live.differences(&now);
            self.live.become_now(now, Actor::Executor);
            changes = (!names.is_empty()).then(|| change(name, &self.live, names));
        }
        self.ledger.after_call(&self.live, changes);
    }
}

/// Plays a schedule on fresh ground.
pub(crate) fn play(scenario: Scenario, schedule: &Schedule) -> Played {
    let scene = Scene::new(scenario);
    let command = scene.command();
    play_command(scene, &command, schedule)
}

pub(crate) fn play_command(scene: Scene, command: &[OsString], schedule: &Schedule) -> Played {
    let links = scene.scenario.verb.links();
    let mut player = Player {
        schedule: schedule.clone(),
        live: scene.first.clone(),
        ledger: scene.ledger(),
        scene,
        attacks: Attacks::default(),
        points: Vec::new(),
        effects: Vec::new(),
        failed: false,
        begun: false,
    };
    let end = trace(command, &mut player).expect("what can be traced once can be traced again");
    let Player { scene, live, ledger, points, effects, failed, .. } = player;
    let answer = Answer::of(&end, links);
    let mut played = Played { scene, live, ledger, points, end, answer: None, effects, failed };
    match answer {
        Ok(answer) => played.answer = Some(answer),
        Err(wrong) if schedule.kill.is_none() => played.ledger.violation("no_panic", wrong),
        Err(_) => {}
    }
    played
}

impl Played {
    /// How often the program changed a name.
    pub(crate) fn changes(&self) -> usize {
        self.points.iter().filter(|point| point.sort == Sort::Change).count()
    }
}
