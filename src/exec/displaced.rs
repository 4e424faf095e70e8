//! A link that was removed from its name and is not unlinked yet.
//!
//! In a directory that is kept for a series of edits it waits beside its old name for the proof that the directory is in its
//! place. Whoever keeps the directory holds its lock, which is how other holders know that this is no leftover. Nobody but
//! the caller can touch it there.

use std::ffi::OsString;

use super::residue::Residue;
use super::slot::Slot;
use super::stage::Spare;
use super::transfer::Transfer;
use crate::entry::Opened;
use crate::error::Error;
use crate::sys::{self, Fault};

/// A link that was removed from its name, under another one beside it.
pub(super) struct Displaced {
    name: OsString,
}

impl Displaced {
    /// What was moved to this name, and looked at there.
    pub(super) fn at(spare: Spare<'_, '_>) -> Displaced {
        Displaced { name: spare.into_name() }
    }

    /// The directory is in its place: it is unlinked.
    pub(super) fn unlink(self, entry: &Opened<'_>) -> Residue {
        let slot = self.slot(entry);
        match entry.root.calls().unlink(slot.dir, slot.name) {
            Err(source) if sys::fault(&source) != Fault::Missing => Residue::left(slot.path()),
            _ => Residue::default(),
        }
    }

    /// The directory is not in its place: it is put back. Returns the cause, with what is not where it was.
    pub(super) fn put_back(self, entry: &Opened<'_>, cause: Error) -> Error {
        moved_back(entry, self.slot(entry)).on(cause)
    }

    fn slot<'a>(&'a self, entry: &'a Opened<'a>) -> Slot<'a> {
        Slot { dir: &entry.parent, name: &self.name, above: entry.dir() }
    }
}

/// Moves to its name what was moved from it; where others took the name meanwhile it is kept and reported.
pub(super) fn moved_back(entry: &Opened<'_>, there: Slot<'_>) -> Residue {
    let (calls, here) = (entry.root.calls(), Slot::of(entry));
    let transfer = Transfer { calls, here, there, new: None, exposed: false, can_exchange: false };
    transfer.residue(transfer.take_back())
}
