//! Edits that are drawn from all that can be built, and what is drawn of all that can come between their calls.
//!
//! Each edit is played on everything that it can meet, in a layout and with abilities that the seed draws; then single
//! actions, failing calls and crashes, so many of each. `CAPLINK_SCHEDULES=all` plays every scenario.

use crate::built;
use crate::crashes::crashes;
use crate::explore::{Findings, firsts};
use crate::faults::faults;
use crate::run::{Keep, Schedule, play};
use crate::scene::{LAYOUTS, Scenario, Scene};
use crate::sweep::{Draw, Group, sweep_of};

/// Of how many scenarios of one edit one is played, where nothing else is asked for: each layout, and each ability.
const SCENARIOS: u64 = 4 * LAYOUTS.len() as u64;

/// Of how many single actions, faults and crashes one is played.
const ONE_OF: u64 = 10;

fn drawn() -> Vec<Scenario> {
    let mut draw = Draw::new("built");
    let one_of = crate::support::draw::one_of(SCENARIOS).min(SCENARIOS);
    built::scenarios().into_iter().filter(|_| draw.one_of(one_of)).collect()
}

fn one(scene: &Scene, findings: &mut Findings, draw: &mut Draw) {
    let none = Schedule::default();
    findings.note(scene, &none, &play(scene, &none, Keep::default()));
    let actions = firsts(scene).into_iter().map(|first| Schedule { actions: vec![first], fault: None });
    let faults = faults(scene).into_iter().map(|fault| Schedule { actions: Vec::new(), fault: Some(fault) });
    for schedule in actions.chain(faults) {
        if draw.one_of(ONE_OF) {
            findings.note(scene, &schedule, &play(scene, &schedule, Keep::default()));
        }
    }
    crashes(scene, findings, || draw.one_of(ONE_OF));
}

#[test]
fn no_edit_that_can_be_built_breaks_a_law_whatever_comes_between_its_calls() {
    sweep_of(&drawn(), Group::Drawn, |scene, draw, findings| one(scene, findings, draw));
}
