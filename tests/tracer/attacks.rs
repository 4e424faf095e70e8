//! One action before any call, and everything put back before a later one.

use caplink::Effect;

use crate::calls::Sort;
use crate::draw::{Draw, is_asked_for};
use crate::findings::Findings;
use crate::play::{Schedule, play};
use crate::scene::{HOSTS, LAYOUTS, Layout, Scenario, Verb};
use crate::support::action::{ACTIONS, Action};
use crate::{points, skipped};

/// Of how many schedules one is played, where nothing else is asked for.
const ONE_OF: u64 = 1500;

/// What can be put back.
const PASSING: &[Action] = &[
    Action::NameStolen,
    Action::NameExchangedWithFile,
    Action::SecondRemoved,
    Action::ParentExchangedWithLinkOutside,
    Action::ParentMovedInside,
    Action::ParentMovedOutside,
    Action::GrandMovedOutside,
    Action::RootMoved,
    Action::RootReplaced,
    Action::TargetOutside,
    Action::TargetStolen,
];

#[test]
fn one_action_before_any_call_breaks_no_law() {
    if skipped("one action before any call") {
        return;
    }
    let mut draw = Draw::new("one action", ONE_OF);
    let (mut findings, mut effective) = (Findings::default(), 0);
    for scenario in Scenario::all().into_iter().filter(|scenario| is_asked_for(&scenario.name())) {
        let points = points(scenario).len();
        for point in 0..points {
            for action in ACTIONS.iter().filter(|action| **action != Action::PutBack) {
                if draw.one() {
                    let schedule = Schedule { actions: vec![(point, *action)], ..Schedule::default() };
                    let mut played = play(scenario, &schedule);
                    played.judge();
                    effective += usize::from(played.effects.contains(&true));
                    findings.note(scenario, &schedule, &played);
                }
            }
        }
    }
    findings.print("one action");
    findings.assert_none();
    assert!(effective > 0 && findings.succeeded > 0 && findings.refused > 0 && findings.undone > 0);
}

#[test]
fn an_action_that_is_put_back_before_a_later_call_breaks_no_law() {
    if skipped("an action that is put back") {
        return;
    }
    let mut draw = Draw::new("put back", ONE_OF * 8);
    let mut findings = Findings::default();
    for scenario in Scenario::all().into_iter().filter(|scenario| is_asked_for(&scenario.name())) {
        let points = points(scenario).len();
        for point in 0..points {
            for action in PASSING {
                for later in point + 1..=points {
                    if draw.one() {
                        let actions = vec![(point, *action), (later, Action::PutBack)];
                        let schedule = Schedule { actions, ..Schedule::default() };
                        let mut played = play(scenario, &schedule);
                        played.judge();
                        findings.note(scenario, &schedule, &played);
                    }
                }
            }
        }
    }
    findings.print("put back");
    findings.assert_none();
    assert!(findings.disturbed > 0 && findings.succeeded > 0 && findings.refused > 0);
}

/// Plays these actions, each in a run of its own before the first call of this name after another, and judges them.
fn before(scenario: Scenario, after: &str, call: &str, actions: &[Action]) -> Findings {
    let calls = points(scenario);
    let begin = calls.iter().position(|made| made.name == after).expect("the one is made");
    let at = calls.iter().skip(begin).position(|made| made.name == call).expect("the other is made") + begin;
    let mut findings = Findings::default();
    for action in actions {
        let schedule = Schedule { actions: vec![(at, *action)], ..Schedule::default() };
        let mut played = play(scenario, &schedule);
        played.judge();
        assert_eq!(played.effects, [true], "{action:?}");
        findings.note(scenario, &schedule, &played);
    }
    findings
}

#[test]
fn under_landlock_no_file_or_directory_is_ever_moved() {
    if skipped("nothing but links is moved") {
        return;
    }
    let actions = [Action::NameFile, Action::NameExchangedWithFile, Action::NameDir, Action::NameExchangedWithDir];
    for layout in LAYOUTS {
        for verb in [Verb::EnsureOld, Verb::Swap, Verb::Remove, Verb::Retarget, Verb::Exchange] {
            let [confined, native] = [HOSTS[0], HOSTS[1]]
                .map(|host| before(Scenario { verb, host, layout: *layout }, "flock", "renameat2", &actions));
            confined.assert_none();
            native.assert_none();
            // Without it they are moved for a moment, and moved back.
            assert!(native.changes > confined.changes, "{verb:?}: {} {}", native.changes, confined.changes);
        }
    }
}

#[test]
fn what_others_put_at_a_name_is_not_replaced_by_what_goes_back() {
    if skipped("what goes back") {
        return;
    }
    let scenario = Scenario { verb: Verb::Remove, host: HOSTS[1], layout: Layout::Private };
    let calls = points(scenario);
    let out = calls.iter().position(|call| call.name == "renameat2").expect("it is moved out of the way");
    // What is moved is no link, so it goes back.
    let swapped = (out, Action::NameExchangedWithFile);
    let undone = play(scenario, &Schedule { actions: vec![swapped], ..Schedule::default() });
    let back = undone.points.iter().skip(out + 1).position(|call| call.name == "renameat2").expect("it goes back");
    for taken in [Action::NameLinkOther, Action::NameFile, Action::NameDir] {
        // Its name is taken between the look that found it free and the call that moves it back.
        let actions = vec![swapped, (out + 1 + back, taken)];
        let schedule = Schedule { actions, ..Schedule::default() };
        let mut played = play(scenario, &schedule);
        played.judge();
        let mut findings = Findings::default();
        findings.note(scenario, &schedule, &played);
        findings.assert_none();
        assert_eq!(played.effects, [true, true]);
        assert_eq!(played.answer.expect("it answers").report.preserved.len(), 1, "{taken:?}");
    }
}

#[test]
fn a_repair_leaves_alone_what_changed_since_it_was_looked_at() {
    if skipped("what changed since it was looked at") {
        return;
    }
    for host in &HOSTS[..2] {
        let scenario = Scenario { verb: Verb::Retarget, host: *host, layout: Layout::Private };
        let actions = [Action::NameLinkOther, Action::NameFile, Action::NameRemoved, Action::NameLinkNew];
        let findings = before(scenario, "getdents64", "flock", &actions);
        findings.assert_none();
        assert_eq!(findings.succeeded, 0, "each is a conflict, or nothing is there");
    }
}

/// A directory that is gone from its path when it is to be synced: the one that was changed is synced, wherever it is.
#[test]
fn a_repair_syncs_the_directory_that_it_changed_wherever_it_is_by_then() {
    if skipped("a directory that is gone when it is synced") {
        return;
    }
    for host in &HOSTS[..2] {
        let scenario = Scenario { verb: Verb::Retarget, host: *host, layout: Layout::Private };
        let calls = points(scenario);
        let synced = calls.iter().position(|call| call.sort == Sort::Sync).expect("a repair is synced");
        for action in [Action::ParentMovedOutside, Action::GrandExchangedWithLink, Action::ParentFile] {
            // Before the directory is opened for it.
            let schedule = Schedule { actions: vec![(synced - 1, action)], ..Schedule::default() };
            let mut played = play(scenario, &schedule);
            played.judge();
            let mut findings = Findings::default();
            findings.note(scenario, &schedule, &played);
            findings.assert_none();
            let answer = played.answer.expect("it answers");
            assert_eq!((answer.code, answer.report.kinds), (0, vec![]), "{action:?}");
            assert_eq!(answer.report.items[0].effect, Effect::Replaced);
        }
    }
}
