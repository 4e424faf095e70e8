//! Verbs: random sequences on random trees, held to the model after each step, on every backend.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/model/mod.rs"]
mod model;

fuzz_target!(|bytes: &[u8]| {
    let ground = tempfile::tempdir_in(model::ground()).expect("there is room");
    let _tally = model::follow(&ground.path().canonicalize().expect("the ground is there"), bytes);
});
