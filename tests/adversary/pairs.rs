//! Pairs of actions: the second before any call from the first one on.
//!
//! There are 65 million of one edit, and about three times as many of several. A usual run plays a part of them. Where all
//! are asked for, a pair is not played if its first action led to the same state as another one's did before the second
//! comes: from there on both come to the same. Of one edit that leaves 21 million to be played, and 44 million that are
//! equal to one of these, which are counted apart. How a state is known is told in `state.rs`; that nothing is missed is
//! tested where there are few pairs, by playing all of them as well.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use crate::explore::{Findings, Seen, every_second, firsts, seconds};
use crate::run::{Keep, Schedule, play};
use crate::scene::{Layout, Scenario, Scene, Verb};
use crate::sweep::{Group, Part, every_pair, sweep};

/// Of how many pairs one is played, where nothing else is asked for.
const ONE_OF: u64 = 800;

#[test]
fn two_actions_before_any_calls_break_no_law() {
    sweep(Group::Pairs, |scene, draw, findings| {
        if every_pair(scene) {
            return all(scene, findings);
        }
        let part = Part::of(scene, ONE_OF);
        for first in firsts(scene) {
            if draw.one_of(part.firsts) {
                seconds(scene, findings, &Schedule { actions: vec![first], fault: None }, draw, part);
            }
        }
    });
}

fn all(scene: &Scene, findings: &mut Findings) {
    let mut seen = Seen::default();
    for first in firsts(scene) {
        let note = |schedule: &Schedule| findings.note(scene, schedule, &play(scene, schedule, Keep::default()));
        let equal = every_second(scene, first, &mut seen, note);
        findings.equal += equal;
    }
    let (name, laws) = (scene.scenario.name(), findings.wrongs.len());
    println!(
        "{name}: {} pairs, {} more are equal to one of them; {laws} laws broken",
        findings.schedules, findings.equal
    );
}

/// Where the first actions come to different ends, and few schedules do: by what is read, who may, and who holds a lock.
const SMALL: [(Verb, Layout); 5] = [
    (Verb::EnsureSame, Layout::Private),
    (Verb::SwapStale, Layout::StickyOther),
    (Verb::RemoveExpected, Layout::Sticky),
    (Verb::Swap, Layout::Sticky),
    (Verb::Create, Layout::NoState),
];

/// The ends of the pairs of a scenario, and how many pairs that took.
#[derive(Default)]
struct Ends {
    /// What was asked of the system and answered to the caller, the tree with its log, and what readers saw.
    seen: HashSet<u64>,
    played: u64,
    equal: u64,
}

/// With `all`, every pair is played.
fn ends(scene: &Scene, all: bool) -> Ends {
    let (mut ends, mut seen) = (Ends::default(), Seen::default());
    for first in firsts(scene) {
        if all {
            seen = Seen::default();
        }
        ends.equal += every_second(scene, first, &mut seen, |schedule| {
            let played = play(scene, schedule, Keep::default());
            assert_eq!(played.judge.violations, [""; 0], "{} {schedule:?}", scene.scenario.name());
            let answers = format!("{:?}", played.answers);
            let end = (&played.calls, answers, &played.end, &played.judge.moments);
            ends.seen.insert(BuildHasherDefault::<DefaultHasher>::default().hash_one(end));
            ends.played += 1;
        });
    }
    ends
}

#[test]
fn a_pair_that_is_not_played_comes_to_an_end_that_one_that_is_played_comes_to() {
    for (verb, layout) in SMALL {
        let scene = Scene::new(Scenario::new(verb, layout));
        let (part, all) = (ends(&scene, false), ends(&scene, true));
        let name = scene.scenario.name();
        println!("{name}: {} pairs, {} played, {} ends", all.played, part.played, all.seen.len());
        assert_eq!((all.played, all.equal), (part.played + part.equal, 0), "{name}: every pair is counted once");
        assert!(part.equal > all.played / 10, "{name}: few are left out");
        assert!(part.seen == all.seen, "{name}: {} ends are missed", all.seen.difference(&part.seen).count());
    }
}

/// The same action before a call and after it: the tree is the same then, and the executor may have learned another thing.
#[test]
fn states_differ_where_the_executor_was_told_another_thing_of_the_same_tree() {
    let scene = Scene::new(Scenario::new(Verb::Swap, Layout::Private));
    let (mut equal, mut differ) = (0, 0);
    for (point, action) in firsts(&scene) {
        let [before, after] = [point, point + 1].map(|at| {
            let schedule = Schedule { actions: vec![(at, action)], fault: None };
            play(&scene, &schedule, Keep { trees_from: Some(point + 2), states: true })
        });
        let trees = [&before, &after].map(|played| played.trees.first().map(|tree| format!("{tree:?}")));
        if trees[0].is_some() && trees[0] == trees[1] && before.points.get(..point + 3) == after.points.get(..point + 3)
        {
            let same = before.states[0].hashes == after.states[0].hashes;
            *(if same { &mut equal } else { &mut differ }) += 1;
        }
    }
    assert!(equal > 0 && differ > 0, "{equal} are equal, {differ} differ");
}
