//! One row for each case that was run: its id, backend, file system and outcome, or why it was left out.
//!
//! The rows of one run of the tests are collected in a file, which `tests/verdict` prints as a table when all tests
//! are done. The run is that of the process which started the tests.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::site::file_system;

/// Hands the file on to another process of the same run.
pub(crate) const ROWS: &str = "CAPLINK_ROWS";

/// Why the case under way is not run as a whole, if it said so.
pub(crate) static SKIPPED: Mutex<Option<String>> = Mutex::new(None);

/// The file of this run, which is told from others by who started it, and when.
pub(crate) fn rows() -> PathBuf {
    if let Some(rows) = std::env::var_os(ROWS) {
        return rows.into();
    }
    let parent = std::os::unix::process::parent_id();
    let stat = fs::read_to_string(format!("/proc/{parent}/stat")).expect("proc is mounted");
    // The name of the program, in brackets, can hold blanks; the start is the twentieth field behind it.
    let start = stat.rsplit(')').next().and_then(|fields| fields.split_whitespace().nth(19)).expect("a start");
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rows-{parent}-{start}"))
}

fn record(id: &str, backend: &str, outcome: &str) {
    let outcome = outcome.replace(['\n', '\t'], " ");
    let line = format!("{id}\t{backend}\t{}\t{}\n", file_system(), outcome.trim());
    let mut file = OpenOptions::new().create(true).append(true).open(rows()).expect("the rows are writable");
    file.write_all(line.as_bytes()).expect("a row is written");
}

/// The row of a case that is under way; that it failed unless it ends.
pub(crate) struct Row<'a> {
    id: &'a str,
    backend: &'a str,
    held: Option<String>,
}

impl<'a> Row<'a> {
    pub(crate) fn begin(id: &'a str, backend: &'a str) -> Row<'a> {
        Row { id, backend, held: None }
    }

    /// The case held what it must, with what was counted, or said why it does not run.
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

/// Says aloud that a case is not begun, and why.
pub(crate) fn left_out(id: &str, reason: &str) {
    aloud(id, reason);
    record(id, "-", &format!("skipped: {reason}"));
}

/// Past the capture of the test harness, so that it is always seen.
pub(crate) fn aloud(id: &str, reason: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {id} {}", reason.trim().replace('\n', " "));
}
