//! Who is informed of what is done, while it is done.

use super::check_report::CheckReport;
use super::report::{Pruned, Settled};
use crate::model::Outcome;

/// What is being done.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Step<'a> {
    /// What an interrupted program left was settled.
    Recovered(&'a Settled),
    /// A release was entered.
    Entered {
        /// The release.
        release: &'a str,
    },
    /// A link was made in a release, or the app's link was switched.
    Linked(&'a Outcome),
    /// A check or hook is started.
    Checking {
        /// The program with its arguments.
        argv: &'a [String],
        /// When it is run.
        phase: &'a str,
    },
    /// It ended.
    Checked(&'a CheckReport),
    /// The release stays.
    Confirmed {
        /// The release.
        release: &'a str,
    },
    /// The switch was taken back.
    SwitchedBack(&'a Outcome),
    /// A release is taken down; so many entries of it are gone.
    Removing {
        /// The release.
        release: &'a str,
        /// How many.
        entries: u64,
    },
    /// A release was removed, or was not.
    Pruned(&'a Pruned),
}

/// Is informed of what is done, and says whether to stop.
pub trait Progress: Send + Sync {
    /// Takes what is being done.
    fn step(&self, step: &Step<'_>) {
        let _ = step;
    }

    /// Takes output of a check or hook, as it comes.
    fn output(&self, bytes: &[u8]) {
        let _ = bytes;
    }

    /// Returns whether to stop: the running check or hook is ended and counts as failed, and what is not confirmed is
    /// taken back.
    fn is_stopped(&self) -> bool {
        false
    }
}

/// Nobody is informed.
impl Progress for () {}
