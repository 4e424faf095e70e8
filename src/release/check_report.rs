//! What a check or hook came to.

use serde::{Deserialize, Serialize};

/// What a check or hook came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CheckReport {
    /// The program with its arguments, or the name of the function.
    pub argv: Vec<String>,
    /// When it was run: `check_before`, `after_switch`, `check_after`.
    pub phase: String,
    /// The exit code; none where it was ended by a signal, or not started.
    pub exit: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether it took longer than it may.
    pub timed_out: bool,
    /// How long it took.
    pub seconds: f64,
    /// The end of its output.
    pub tail: String,
}

impl CheckReport {
    /// Returns whether it passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.exit == Some(0) && !self.timed_out
    }

    /// Returns how it ended, in a few words: `passed`, `exited with 3`, `was ended by signal 9`.
    #[must_use]
    pub fn ending(&self) -> String {
        match (self.passed(), self.timed_out, self.exit, self.signal) {
            (true, ..) => "passed".to_owned(),
            (_, true, ..) => format!("took longer than it may ({:.1} s)", self.seconds),
            (_, _, Some(code), _) => format!("exited with {code}"),
            (_, _, _, Some(signal)) => format!("was ended by signal {signal}"),
            // Its output says why: it was not started, or it panicked.
            _ => crate::error::printable(self.tail.lines().next().unwrap_or("did not end")).to_string(),
        }
    }
}
