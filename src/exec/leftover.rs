//! What could not be cleaned up or put back, and putting back.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use super::{Attempt, verify};
use crate::entry::Entry;
use crate::error::{Error, FileKind, Kind, Result};
use crate::model::ObjectId;
use crate::sys::{self, Calls, Fault, Handle};

/// What could not be cleaned up or put back.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Leftover {
    left: Vec<PathBuf>,
    preserved: Vec<PathBuf>,
}

impl Leftover {
    pub(super) fn left(path: PathBuf) -> Leftover {
        Leftover { left: vec![path], preserved: Vec::new() }
    }

    pub(super) fn preserved(path: PathBuf) -> Leftover {
        Leftover { left: Vec::new(), preserved: vec![path] }
    }

    /// What an error says that is left over.
    pub(super) fn named_by(error: &Error) -> Leftover {
        Leftover { left: error.left().to_vec(), preserved: error.preserved().to_vec() }
    }

    pub(super) fn and(mut self, other: Leftover) -> Leftover {
        self.left.extend(other.left);
        self.preserved.extend(other.preserved);
        self
    }

    /// The error with what was left over.
    pub(super) fn on(self, error: Error) -> Error {
        error.leaving(self.left, self.preserved)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty() && self.preserved.is_empty()
    }

    /// The attempt came to nothing because others changed the name: it is decided anew, unless something is left over.
    pub(super) fn again<T>(self) -> Result<Attempt<T>> {
        if self.is_empty() { Ok(Attempt::Again) } else { Err(self.on(verify::taken())) }
    }

    /// The error that is reported beside a change that stands.
    pub(super) fn into_shortfall(self) -> Option<Error> {
        if self.is_empty() {
            return None;
        }
        Some(self.on(Error::new(Kind::Residue).because("the change stands, but something could not be cleaned up")))
    }
}

/// Removes a directory that this program made, if its name still leads to it and nothing is in it.
///
/// False where it is still there, or that cannot be told. Where it is not empty something is kept in it, and was
/// reported; where its name leads to nothing or to something else somebody moved it away.
pub(super) fn remove_named(calls: &dyn Calls, (base, name): (&Handle, &OsStr), id: ObjectId) -> bool {
    let removed = match calls.stat_at(base, name) {
        Ok(stat) if stat.id == id => calls.remove_dir(base, name),
        Ok(_) => Ok(()),
        Err(source) => Err(source),
    };
    removed.map_or_else(
        |source| {
            let kind = source.kind();
            matches!(kind, io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        },
        |()| true,
    )
}

/// Moves an entry back to a name that nothing has; says whether it is there. Nobody else may reach it where it is.
pub(super) fn put_back(entry: &Entry, from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> bool {
    let calls = entry.root.calls();
    match calls.rename_new(from, to) {
        Ok(()) => true,
        // A second name fails where the name is taken, as the renaming would; directories have no second names.
        Err(source) if sys::fault(&source) == Fault::Unsupported => match calls.stat_at(from.0, from.1) {
            Ok(stat) if stat.kind == FileKind::Dir => {
                calls.stat_at(to.0, to.1).is_err_and(|source| sys::fault(&source) == Fault::Missing)
                    && calls.rename_over(from, to).is_ok()
            }
            Ok(_) => calls.hard_link(from, to).is_ok() && calls.unlink(from.0, from.1).is_ok(),
            Err(_) => false,
        },
        Err(_) => false,
    }
}
