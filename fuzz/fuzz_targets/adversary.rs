//! Schedules: which actions of an attacker come before which calls of which verb, and which call fails, held to the laws
//! in memory.
//!
//! Four bytes choose the scenario, and each further three an action with its call, or the call that fails and its error.

#![no_main]

use std::sync::LazyLock;

use caplink::adversary::Errno;
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/adversary/answers.rs"]
#[expect(dead_code, reason = "this target takes a part of the suite")]
mod answers;
#[path = "../../tests/adversary/ask.rs"]
#[expect(dead_code, reason = "this target takes a part of the suite")]
mod ask;
#[path = "../../tests/adversary/attacker.rs"]
#[expect(dead_code, reason = "this target takes a part of the suite")]
mod attacker;
#[path = "../../tests/adversary/built.rs"]
mod built;
#[path = "../../tests/adversary/judge.rs"]
mod judge;
#[path = "../../tests/adversary/run.rs"]
#[expect(dead_code, reason = "this target takes a part of the suite")]
mod run;
#[path = "../../tests/adversary/scene.rs"]
#[expect(dead_code, reason = "this target takes a part of the suite")]
mod scene;
#[path = "../../tests/adversary/state.rs"]
#[expect(dead_code, reason = "this target takes a part of the suite")]
mod state;

#[path = "../../tests/support"]
mod support {
    pub(crate) mod action;
    pub(crate) mod attacker;
    pub(crate) mod judgement;
    pub(crate) mod laws;
    pub(crate) mod ledger;
    pub(crate) mod moves;
    pub(crate) mod report;
    #[expect(dead_code, reason = "this target prints no table")]
    pub(crate) mod scenario;
    pub(crate) mod space;
    pub(crate) mod trees;
    pub(crate) mod view;
}

use run::{Fault, Keep, Schedule, play};
use support::action::ACTIONS;

/// What a call can fail with so that it says nothing of the tree.
const ERRORS: [Errno; 8] =
    [Errno::ACCESS, Errno::IO, Errno::MFILE, Errno::NOSPC, Errno::ROFS, Errno::INTR, Errno::NOMEM, Errno::STALE];

static SCENARIOS: LazyLock<Vec<scene::Scenario>> =
    LazyLock::new(|| [scene::Scenario::all(), built::scenarios()].concat());

fuzz_target!(|bytes: &[u8]| {
    let Some(([high, low, synced, with_fault], rest)) = bytes.split_first_chunk() else { return };
    let scenario = SCENARIOS[usize::from(u16::from_be_bytes([*high, *low])) % SCENARIOS.len()];
    let scene = scene::Scene::new(scenario);
    let scene = if *synced % 2 == 1 { scene.synced() } else { scene };
    let mut steps = rest.chunks_exact(3).map(|step| (usize::from(step[0]), step[1], step[2]));
    let fault = if *with_fault % 2 == 1 { steps.next() } else { None };
    let fault = fault.map(|(at, error, from_here)| {
        let error = ERRORS[usize::from(error) % ERRORS.len()];
        Fault { at, error, from_here: from_here % 2 == 1 }
    });
    // The laws are judged for two things that come in between.
    let actions = steps.take(if fault.is_some() { 1 } else { 2 });
    let mut actions: Vec<_> =
        actions.map(|(at, action, _)| (at, ACTIONS[usize::from(action) % ACTIONS.len()])).collect();
    actions.sort_unstable();
    let schedule = Schedule { actions, fault };
    let played = play(&scene, &schedule, Keep::default());
    assert!(played.judge.violations.is_empty(), "{} {schedule:?}: {:?}", scenario.name(), played.judge.violations);
});
