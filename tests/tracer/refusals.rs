//! One call that fails, for each error that it can give.

use caplink::Kind;

use crate::calls::Sort;
use crate::draw::{Draw, is_asked_for};
use crate::findings::Findings;
use crate::play::{Schedule, play};
use crate::scene::{HOSTS, Layout, Scenario, Verb};
use crate::{points, skipped};

/// Of how many schedules one is played, where nothing else is asked for.
const ONE_OF: u64 = 100;

/// Where the state directory is made by one thread and used by another, none of them may lose sight of it.
#[test]
fn a_state_directory_that_cannot_be_removed_is_named() {
    if skipped("a state directory that cannot be removed") {
        return;
    }
    let (mut findings, mut named) = (Findings::default(), 0);
    for host in &HOSTS[..2] {
        let scenario = Scenario { verb: Verb::EnsureOld, host: *host, layout: Layout::Open };
        for (point, call) in points(scenario).iter().enumerate() {
            let about_it = call.texts.iter().any(|text| text == ".caplink");
            let errors = if about_it || call.sort == Sort::Lock { call.errors() } else { &[] };
            for error in errors {
                let schedule = Schedule { fault: Some((point, *error)), ..Schedule::default() };
                let mut played = play(scenario, &schedule);
                played.judge();
                named += usize::from(played.answer.as_ref().is_some_and(|a| a.report.kinds.contains(&Kind::Residue)));
                findings.note(scenario, &schedule, &played);
            }
        }
    }
    findings.print("state directory");
    findings.assert_none();
    assert!(named > 0);
}

#[test]
fn a_call_that_fails_breaks_no_law() {
    if skipped("a call that fails") {
        return;
    }
    let mut draw = Draw::new("one call fails", ONE_OF);
    let mut findings = Findings::default();
    for scenario in Scenario::all().into_iter().filter(|scenario| is_asked_for(&scenario.name())) {
        for (point, call) in points(scenario).iter().enumerate() {
            for error in call.errors() {
                if draw.one() {
                    let schedule = Schedule { fault: Some((point, *error)), ..Schedule::default() };
                    let mut played = play(scenario, &schedule);
                    played.judge();
                    findings.note(scenario, &schedule, &played);
                }
            }
        }
    }
    findings.print("one call fails");
    findings.assert_none();
    assert!(findings.disturbed > 0 && findings.succeeded > 0 && findings.refused > 0);
}
