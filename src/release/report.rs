//! What the mutations of an app come to.

use std::fmt;

use super::check_report::CheckReport;
use super::view::ReleaseView;
use crate::error::Error;
use crate::model::Outcome;
use crate::records::Recovered;

/// A release that was to be entered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Added {
    /// The release as it is now.
    pub view: ReleaseView,
    /// Whether it was entered; else it was before.
    pub entered: bool,
    /// The links that it got.
    pub links: Vec<Outcome>,
}

/// A release whose mark or pin was set.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Set {
    /// The release as it is now.
    pub view: ReleaseView,
    /// Whether it was otherwise before.
    pub changed: bool,
}

/// What a switch, a deploy or a rollback came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Switched {
    /// The app.
    pub app: String,
    /// The release that the link leads to now.
    pub release: String,
    /// The release that it led to before.
    pub previous_release: Option<String>,
    /// What became of the link.
    pub outcome: Outcome,
    /// Whether the ledger was changed.
    pub changed: bool,
    /// What was checked and run.
    pub checks: Vec<CheckReport>,
    /// The links that the release got when it was entered.
    pub links: Vec<Outcome>,
    /// What was settled of interrupted programs before.
    pub recovered: Vec<Settled>,
    /// Changes of links that were settled on the way.
    pub links_settled: Vec<Recovered>,
    /// What was removed after it, and what was kept and why.
    pub pruned: Vec<Pruned>,
    /// What went wrong although the switch stands.
    pub shortfalls: Vec<Error>,
}

/// A switch, deploy or rollback that failed.
#[derive(Clone)]
#[non_exhaustive]
pub struct Failed {
    error: Error,
    /// What it came to until then.
    pub until: Unfinished,
}

/// What a failed switch, deploy or rollback came to.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Unfinished {
    /// The release.
    pub release: Option<String>,
    /// The release that the link led to before.
    pub previous_release: Option<String>,
    /// What was checked and run.
    pub checks: Vec<CheckReport>,
    /// The check or hook that failed.
    pub check: Option<CheckReport>,
    /// What was settled of interrupted programs before.
    pub recovered: Vec<Settled>,
    /// Changes of links that were settled on the way.
    pub links_settled: Vec<Recovered>,
    /// The links that the release got when it was entered.
    pub links: Vec<Outcome>,
    /// The switch, where it stands.
    pub stands: Option<Outcome>,
    /// What took the switch back, where it was.
    pub back: Option<Outcome>,
    /// Whether any link or the ledger differs.
    pub changed: bool,
}

impl Failed {
    pub(super) fn new(error: Error, until: Unfinished) -> Failed {
        Failed { error, until }
    }

    /// Returns why it failed.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed { error, until: Unfinished::default() }
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Error {
        failed.error
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// What became of something that an interrupted program left.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settled {
    /// The app.
    pub app: String,
    /// The release.
    pub release: String,
    /// What was done.
    pub how: Settlement,
    /// What became of the link, where it was changed.
    pub outcome: Option<Outcome>,
}

/// What was done about something that an interrupted program left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settlement {
    /// The link led to a release that nothing had confirmed: it was switched back.
    SwitchedBack,
    /// The link led to a release that needed no check: it stays.
    Confirmed,
    /// The link does not lead to it: it was left as it is.
    Left,
    /// The removal was ended.
    Removed,
    /// The removal had not begun: the release stays.
    Kept,
}

impl Settlement {
    /// Returns the stable name that the command line prints.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Settlement::SwitchedBack => "switched_back",
            Settlement::Confirmed => "confirmed",
            Settlement::Left => "left",
            Settlement::Removed => "removed",
            Settlement::Kept => "kept",
        }
    }
}

/// A release that was removed, or is kept and why.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pruned {
    /// The release as it is now; its `reason` says why it is kept.
    pub view: ReleaseView,
    /// Whether it was removed.
    pub removed: bool,
    /// Whether not every process could be looked into, so that the grace time decided.
    pub unsure: bool,
    /// What went wrong: it could not be moved away, or not all of it could be taken down.
    pub residue: Option<Error>,
}
