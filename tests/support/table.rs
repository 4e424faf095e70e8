//! One row a case: its id, backend, file system and outcome, or why it was skipped.
//!
//! `tests/verdict.rs` prints them as one table when all tests are done.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use super::file_systems::file_system;
use super::rows::rows;

/// Why the running case is incomplete, if it said so.
pub(crate) static SKIPPED: Mutex<Option<String>> = Mutex::new(None);

fn record(id: &str, backend: &str, outcome: &str) {
    let outcome = outcome.replace(['\n', '\t'], " ");
    // The races run once more against confined roots.
    let confined = if std::env::var_os("CAPLINK_CONFINED").is_some() { "confined, " } else { "" };
    let line = format!("{id}\t{confined}{backend}\t{}\t{}\n", file_system(), outcome.trim());
    let mut file = OpenOptions::new().create(true).append(true).open(rows()).expect("the rows are writable");
    file.write_all(line.as_bytes()).expect("a row is written");
}

/// The row of a running case: it failed, unless it completes.
pub(crate) struct Row<'a> {
    id: &'a str,
    backend: &'a str,
    held: Option<String>,
}

impl<'a> Row<'a> {
    pub(crate) fn begin(id: &'a str, backend: &'a str) -> Row<'a> {
        Row { id, backend, held: None }
    }

    /// The case held, with its counts, or it said why it is incomplete.
    pub(crate) fn held(mut self, counted: &str) {
        let skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner).take();
        let colon = if counted.is_empty() { "" } else { ": " };
        self.held = Some(skipped.unwrap_or_else(|| format!("held{colon}{counted}")));
    }
}

impl Drop for Row<'_> {
    fn drop(&mut self) {
        record(self.id, self.backend, self.held.as_deref().unwrap_or("FAILED"));
    }
}

/// Prints that a case is skipped, and why.
pub(crate) fn left_out(id: &str, reason: &str) {
    aloud(id, reason);
    record(id, "-", &format!("skipped: {reason}"));
}

/// Prints past the capture of the test harness, so that it is always seen.
pub(crate) fn aloud(id: &str, reason: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {id} {}", reason.trim().replace('\n', " "));
}
