//! Histories of manifests and people: each manifest is read, expanded, planned and carried out on a model, and then nothing is
//! left to do and nothing of others was taken.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/manifest/history.rs"]
mod history;
#[path = "../../tests/manifest/model.rs"]
#[expect(dead_code, reason = "this target takes a part of the model")]
mod model;

fuzz_target!(|bytes: &[u8]| {
    let _met = history::follow(bytes);
});
