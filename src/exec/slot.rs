//! A name in an opened directory, and the one question that is asked of it: what is there now?

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use crate::entry::Opened;
use crate::error::FileKind;
use crate::model::{ObjectId, staged_name};
use crate::root::Root;
use crate::sys::{self, Calls, Fault, Handle, Stat};

/// A name in an opened directory, with the directory's path below the root for reports.
#[derive(Clone, Copy)]
pub(super) struct Slot<'a> {
    pub(super) dir: &'a Handle,
    pub(super) name: &'a OsStr,
    pub(super) above: &'a Path,
}

/// How a link is known to be the one that this edit made.
#[derive(Clone, Copy)]
pub(super) enum Ours<'a> {
    /// It is this object, which is pinned.
    Object(ObjectId),
    /// It has this text and belongs to the caller.
    Text(&'a OsStr),
}

impl<'a> Slot<'a> {
    pub(super) fn of(entry: &'a Opened<'a>) -> Slot<'a> {
        Slot { dir: &entry.parent, name: entry.name(), above: entry.dir() }
    }

    pub(super) fn at(self) -> (&'a Handle, &'a OsStr) {
        (self.dir, self.name)
    }

    /// The path below the root, for a report.
    pub(super) fn path(self) -> PathBuf {
        self.above.join(self.name)
    }

    /// What is there now; `None` if nothing is.
    pub(super) fn now(self, calls: &dyn Calls) -> io::Result<Option<Stat>> {
        match calls.stat_at(self.dir, self.name) {
            Ok(stat) => Ok(Some(stat)),
            Err(source) if sys::fault(&source) == Fault::Missing => Ok(None),
            Err(source) => Err(source),
        }
    }

    /// Whether this very object is there. One that cannot be looked at does not count.
    pub(super) fn has(self, calls: &dyn Calls, id: ObjectId) -> bool {
        matches!(self.now(calls), Ok(Some(now)) if now.id == id)
    }

    /// Whether a link that this edit made is there.
    pub(super) fn has_ours(self, calls: &dyn Calls, ours: Ours<'_>) -> io::Result<bool> {
        let Some(now) = self.now(calls)? else { return Ok(false) };
        Ok(now.kind == FileKind::Symlink
            && match ours {
                Ours::Object(id) => now.id == id,
                Ours::Text(text) => {
                    now.uid == calls.user() && calls.read_link(self.dir, self.name)?.is_some_and(|found| found == text)
                }
            })
    }
}

/// A name that nothing is likely to have.
pub(super) fn random_name(root: &Root) -> io::Result<OsString> {
    Ok(staged_name(root.calls().random()?))
}
