//! What the executor reports of a run, whether as values or as a document.

use std::ffi::OsString;
use std::path::PathBuf;

use caplink::{Effect, Kind};

/// What one edit came to.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Which link of the scenario it is about; `None` for one that a repair came by.
    pub(crate) index: Option<usize>,
    pub(crate) link: PathBuf,
    pub(crate) effect: Effect,
    pub(crate) target: Option<OsString>,
    pub(crate) previous: Option<OsString>,
    pub(crate) verified: bool,
    pub(crate) confined: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(crate) items: Vec<Item>,
    /// The kinds of the errors.
    pub(crate) kinds: Vec<Kind>,
    /// What of the executor's own is left, and what of others is kept under another name.
    pub(crate) left: Vec<PathBuf>,
    pub(crate) preserved: Vec<PathBuf>,
    pub(crate) made: Vec<PathBuf>,
    pub(crate) backups: Vec<PathBuf>,
}

impl Report {
    /// The change of a link, if one is reported.
    pub(crate) fn changed(&self, index: usize) -> Option<&Item> {
        self.items.iter().find(|item| item.index == Some(index) && item.effect.is_change())
    }

    pub(crate) fn is_changed(&self) -> bool {
        self.items.iter().any(|item| item.effect.is_change())
    }
}
