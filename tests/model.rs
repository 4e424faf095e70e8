//! Random sequences of verbs on random small trees, held to a pure model after each step, on every backend.
//!
//! `CAPLINK_ROUNDS=full` tries ten times as many.

#![cfg(target_os = "linux")]

use std::fmt;
use std::io::Write as _;
use std::sync::Mutex;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

#[path = "model/mod.rs"]
mod model;
#[path = "support"]
mod support {
    pub(crate) mod environment;
    pub(crate) mod rounds;
    pub(crate) mod umask;
}

use support::rounds::Rounds;

/// How many sequences are tried.
fn cases() -> u32 {
    match Rounds::asked_for() {
        Rounds::Full => 15_000,
        Rounds::Usual => 1_500,
        Rounds::Few => 300,
    }
}

/// Shown in one line.
#[derive(Clone)]
struct Seed(Vec<u8>);

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[test]
fn the_library_does_and_says_what_the_model_owes() {
    support::umask::set_umask();
    let config = ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() };
    let seeds = prop::collection::vec(any::<u8>(), 20..600).prop_map(Seed);
    let total = Mutex::new(model::Tally::new());
    let held = TestRunner::new(config).run(&seeds, |seed| {
        let ground = tempfile::tempdir_in(model::ground()).expect("the ground is writable");
        let tally = model::follow(&ground.path().canonicalize().expect("the ground is there"), &seed.0);
        let mut total = total.lock().unwrap();
        tally.into_iter().for_each(|(said, times)| *total.entry(said).or_default() += times);
        Ok(())
    });
    held.unwrap_or_else(|error| panic!("{error}"));
    let total = total.into_inner().unwrap();
    let _ = writeln!(std::io::stderr(), "model: {total:?}");
    for said in ["created", "replaced", "removed", "exchanged", "unchanged", "backup", "resolved", "policy"] {
        assert!(total.get(said).is_some_and(|times| *times > 5), "{said} hardly occurs: {total:?}");
    }
}
