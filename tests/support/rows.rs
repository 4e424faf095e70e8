//! The file in which the rows of one run of the tests are collected.

use std::fs;
use std::path::{Path, PathBuf};

/// Passes the file on to another process of the same run.
pub(crate) const ROWS: &str = "CAPLINK_ROWS";

/// The file of this run, named after the parent process and its start time.
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
