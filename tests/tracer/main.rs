//! The attacker against the compiled program on the real kernel.
//!
//! The program is stopped at each call that concerns the file system, on all of its threads. There the attacker acts, the
//! call is made to fail, or the program is killed. The result is judged from outside, by the tree, the exit code and the
//! JSON document: by the laws of `tests/support`, which also hold in memory. `CAPLINK_SCHEDULES=all` plays all schedules,
//! `CAPLINK_SEED` another sample of them (`draw` any), `CAPLINK_ONE_OF` a sample of another size, and `CAPLINK_ONLY` the
//! scenarios whose name contains it.

#![cfg(all(target_os = "linux", feature = "cli"))]

mod answer;
mod attacker;
mod attacks;
mod calls;
mod crashes;
mod draw;
mod findings;
mod groups;
mod groups_full;
mod groups_refused;
mod index;
mod manifests;
mod naive;
mod play;
mod refusals;
mod registers;
mod renewals;
mod scene;
mod tracee;
mod traces;
mod verdict;
mod view;

#[path = "../support"]
mod support {
    pub(crate) mod action;
    pub(crate) mod attacker;
    pub(crate) mod draw;
    pub(crate) mod environment;
    pub(crate) mod ground;
    pub(crate) mod judgement;
    pub(crate) mod laws;
    pub(crate) mod ledger;
    pub(crate) mod moves;
    pub(crate) mod report;
    #[expect(dead_code, reason = "the program and its attacker have one user here")]
    pub(crate) mod scenario;
    #[expect(dead_code, reason = "the attacks compare more than this")]
    pub(crate) mod snapshot;
    #[expect(dead_code, reason = "the program and its attacker have one user here")]
    pub(crate) mod trees;
    pub(crate) mod umask;
    pub(crate) mod view;
}

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use calls::Named;
use play::{Schedule, play};
use scene::Scenario;

/// Whether nothing can be traced here, which is said aloud.
fn skipped(what: &str) -> bool {
    static DENIED: OnceLock<Option<String>> = OnceLock::new();
    let denied = DENIED.get_or_init(tracee::denied);
    if let Some(reason) = denied {
        let _ = writeln!(std::io::stderr(), "SKIPPED: tracer: {what}: {reason}");
    }
    denied.is_some()
}

/// The calls of an undisturbed run, which must break no law; found once for all tests.
fn points(scenario: Scenario) -> Arc<[Named]> {
    static KNOWN: Mutex<BTreeMap<String, Arc<[Named]>>> = Mutex::new(BTreeMap::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let found = known().get(&scenario.name()).cloned();
    found.unwrap_or_else(|| {
        let mut played = play(scenario, &Schedule::default());
        played.judge();
        assert!(played.ledger.violations.is_empty(), "{}: {:?}", scenario.name(), played.ledger.violations);
        let points: Arc<[Named]> = played.points.into();
        known().insert(scenario.name(), Arc::clone(&points));
        points
    })
}
