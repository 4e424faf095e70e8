//! A directory on the way down, and the work that can be given away of it.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;

use super::above::Above;
use crate::model::ObjectId;
use crate::sys::{Handle, Stat};

/// A directory on the way down.
pub(super) struct Frame {
    /// `None` once it was closed.
    pub(super) dir: Option<Arc<Handle>>,
    pub(super) id: ObjectId,
    pub(super) above: Above,
    /// Whether anybody may make links in it that nobody else can remove.
    pub(super) sticky: bool,
    /// What was listed in it and waits, the next one last.
    pub(super) waiting: Vec<Waiting>,
    pub(super) listing: Listing,
}

/// How far a directory was listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    Start,
    /// It goes on here.
    At(u64),
    End,
}

/// What waits in a directory.
pub(super) enum Waiting {
    /// A directory that is to be entered.
    Dir(Box<OsStr>),
    /// A link whose turn has not come, in a scan that is sorted.
    Link(Box<OsStr>),
}

/// A directory with what waits in it, for whoever takes it.
pub(super) struct Job {
    pub(super) path: PathBuf,
    /// How deep it is below the scanned directory.
    pub(super) depth: usize,
    pub(super) frame: Frame,
}

impl Waiting {
    fn name(&self) -> &OsStr {
        match self {
            Waiting::Dir(name) | Waiting::Link(name) => name,
        }
    }
}

impl Frame {
    pub(super) fn new(dir: Arc<Handle>, stat: &Stat, above: Above) -> Frame {
        let sticky = stat.is_sticky_for_all();
        Frame { dir: Some(dir), id: stat.id, above, sticky, waiting: Vec::new(), listing: Listing::Start }
    }

    /// Whether this is the directory, or one of those above it.
    pub(super) fn is_in(&self, id: ObjectId) -> bool {
        self.id == id || self.above.contains(id)
    }

    /// Puts what waits in order, once the directory or a part of it was listed.
    pub(super) fn order(&mut self, sorted: bool) {
        if sorted {
            self.waiting.sort_unstable_by(|a, b| b.name().cmp(a.name()));
        } else {
            self.waiting.reverse();
        }
    }

    /// Splits off half of what waits; the rest, and what is still to be listed, stays.
    pub(super) fn split(&mut self) -> Frame {
        let half = self.waiting.len().div_ceil(2);
        let kept = self.waiting.split_off(half);
        let given = std::mem::replace(&mut self.waiting, kept);
        let above = self.above.clone();
        Frame { dir: self.dir.clone(), above, waiting: given, listing: Listing::End, id: self.id, sticky: self.sticky }
    }
}
