//! Every scenario, on all processors: what is asked for by the environment, the seed, and the table of what was played.
//!
//! What is played in full is the same in every run. What is sampled is chosen by a seed that is printed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::explore::Findings;
use crate::scene::{Scenario, Scene};
pub(crate) use crate::support::draw::Draw;
use crate::support::draw::{is_asked_for, one_of, schedules, seed};

/// What comes between the calls of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    Actions,
    Pairs,
    Faults,
    FaultAndAction,
    Crashes,
    Confined,
    /// All of these by themselves, against edits of the whole space.
    Drawn,
}

impl Group {
    const ALL: [Group; 7] = [
        Group::Actions,
        Group::Pairs,
        Group::Faults,
        Group::FaultAndAction,
        Group::Crashes,
        Group::Confined,
        Group::Drawn,
    ];

    fn name(self) -> &'static str {
        match self {
            Group::Actions => "actions",
            Group::Pairs => "pairs",
            Group::Faults => "faults",
            Group::FaultAndAction => "fault and action",
            Group::Crashes => "crashes",
            Group::Confined => "confined",
            Group::Drawn => "drawn",
        }
    }
}

/// Of how many single actions, faults or crashes in several edits one is played, where nothing else is asked for.
const OF_PLANS: u64 = 40;

/// Of how many first actions one is followed by others, at most.
const FIRSTS: u64 = 40;

/// Of how many single actions one is played with confinement, where nothing else is asked for.
const OF_CONFINED: u64 = 40;

/// How many schedules of a verb were played, by group, and how many more come to the same as one of these.
static TABLE: Mutex<BTreeMap<(String, Group), Count>> = Mutex::new(BTreeMap::new());

#[derive(Clone, Copy, Default)]
struct Count {
    played: u64,
    equal: u64,
}

/// The groups that were played to their end.
static PLAYED: Mutex<BTreeSet<Group>> = Mutex::new(BTreeSet::new());

/// A part of what can come in two steps: one of so many first ones, of the calls after it, and of the actions there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) firsts: u64,
    pub(crate) points: u64,
    pub(crate) actions: u64,
}

impl Part {
    /// One of `usually`, where nothing else is asked for; of several edits much less.
    pub(crate) fn of(scene: &Scene, usually: u64) -> Part {
        let one_of = match one_of(usually) {
            some @ 2.. if scene.scenario.is_plan() => some * OF_PLANS,
            some => some,
        };
        // What can come after a first one takes time to find out.
        let firsts = one_of.min(FIRSTS);
        let points = (one_of / firsts).min(FIRSTS);
        Part { firsts, points, actions: one_of / firsts / points }
    }
}

/// Whether every pair of actions is asked for: of one edit, or of several, too.
pub(crate) fn every_pair(scene: &Scene) -> bool {
    match schedules() {
        Some("all") => true,
        Some("pairs") => !scene.scenario.is_plan(),
        _ => false,
    }
}

/// Of how many single actions, faults or crashes one is played: of one verb all, of several edits a part.
pub(crate) fn of_singles(scene: &Scene) -> u64 {
    if scene.scenario.is_plan() { one_of(OF_PLANS).min(OF_PLANS) } else { 1 }
}

/// Of how many single actions one is played with confinement: each run has a thread of its own.
pub(crate) fn of_confined(scene: &Scene) -> u64 {
    let usually = if scene.scenario.is_plan() { OF_CONFINED * OF_PLANS } else { OF_CONFINED };
    one_of(usually).min(usually)
}

/// Plays a group in every scenario, counts it, and holds that nothing went wrong.
pub(crate) fn sweep(group: Group, play: impl Fn(&Scene, &mut Draw, &mut Findings) + Sync) {
    sweep_of(&Scenario::all(), group, play);
}

/// The same in these scenarios.
pub(crate) fn sweep_of(of: &[Scenario], group: Group, play: impl Fn(&Scene, &mut Draw, &mut Findings) + Sync) {
    // A request that is not understood is refused here, and not on each of the threads.
    let (seed, _asked_for) = (seed(), (schedules(), one_of(1)));
    println!("CAPLINK_SEED={seed}");
    let scenarios: Vec<&Scenario> = of.iter().filter(|scenario| is_asked_for(&scenario.name())).collect();
    let (next, findings) = (AtomicUsize::new(0), Mutex::new(Findings::default()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let name = scenario.name();
                    let mut draw = Draw::new(&name);
                    let mut found = Findings::default();
                    play(&Scene::new(**scenario), &mut draw, &mut found);
                    let verb = scenario.verb.row();
                    let mut table = TABLE.lock().unwrap();
                    let count = table.entry((verb, group)).or_default();
                    count.played += found.schedules;
                    count.equal += found.equal;
                    drop(table);
                    findings.lock().unwrap().add(found);
                }
            });
        }
    });
    let findings = findings.into_inner().unwrap();
    let equal =
        if findings.equal > 0 { format!(", {} more are equal to one of them", findings.equal) } else { String::new() };
    println!("{} schedules of {}{equal}", findings.schedules, group.name());
    findings.assert_none();
    PLAYED.lock().unwrap().insert(group);
    show_table();
}

/// Shows the table once every group was played. It is for the reader of a run that passed, whose output is not shown.
fn show_table() {
    let (table, played) = (TABLE.lock().unwrap(), PLAYED.lock().unwrap());
    if Group::ALL.iter().any(|group| !played.contains(group)) {
        return;
    }
    let mut verbs: Vec<&str> = table.keys().map(|(verb, _)| verb.as_str()).collect();
    verbs.dedup();
    verbs.push("all");
    let mut lines = format!("\nschedules, CAPLINK_SEED={}\n{:16}", seed(), "");
    for group in Group::ALL {
        write!(lines, "{:>16}", group.name()).unwrap();
        if group == Group::Pairs {
            write!(lines, "{:>16}", "equal to these").unwrap();
        }
    }
    for verb in verbs {
        write!(lines, "\n{verb:16}").unwrap();
        for group in Group::ALL {
            let of_group =
                |((of, played), _): &(&(String, Group), _)| (verb == "all" || of == verb) && *played == group;
            let counted = || table.iter().filter(of_group).map(|(_, count)| count);
            write!(lines, "{:>16}", counted().map(|count| count.played).sum::<u64>()).unwrap();
            if group == Group::Pairs {
                write!(lines, "{:>16}", counted().map(|count| count.equal).sum::<u64>()).unwrap();
            }
        }
    }
    let _ = writeln!(std::io::stderr(), "{lines}");
}
