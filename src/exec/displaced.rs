//! What was displaced from its name: unlinked once the edit stands, or put back.
//!
//! In a directory that is kept for a series of edits a link that was replaced or removed waits beside its old name for the
//! proof that the directory is in its place. Whoever keeps the directory holds its lock, which is how other holders know
//! that this is no leftover. Nobody but the caller can touch it there.

use std::ffi::{OsStr, OsString};

use super::residue::Residue;
use super::reverse::At;
use super::site::Site;
use super::slot::Slot;
use super::stage::{Spare, Staged};
use super::transfer::Transfer;
use crate::entry::Opened;
use crate::error::{Error, Kind};
use crate::model::ObjectId;

/// A link that was displaced from its name, under another one beside it.
pub(super) struct Displaced {
    name: OsString,
    /// The link that replaced it; `None` where it was removed.
    new: Option<ObjectId>,
}

impl Displaced {
    /// What was moved to this name, and looked at there.
    pub(super) fn removed(spare: Spare<'_, '_>) -> Displaced {
        Displaced { name: spare.into_name(), new: None }
    }

    /// What was exchanged with a staged link, and looked at under the name of that one.
    pub(super) fn replaced(staged: Staged<'_, '_>) -> Displaced {
        let (name, new) = staged.into_name_and_id();
        Displaced { name, new: Some(new) }
    }

    /// The directory is in its place: it is unlinked.
    pub(super) fn unlink(self, entry: &Opened<'_>) -> Residue {
        Site::kept(entry).unlink(Slot { name: &self.name, ..Slot::of(entry) })
    }

    /// The directory is not in its place: it is put back. Returns the cause, with what is not where it was.
    ///
    /// `text` is the one of the link that replaced it.
    pub(super) fn put_back(self, entry: &Opened<'_>, text: &OsStr, cause: Error) -> Error {
        let site = Site::kept(entry);
        let residue = match self.new {
            Some(new) => exchanged_back(entry, &site.staged(self.name, new), text, Some(&cause)),
            None => moved_back(entry, Slot { name: &self.name, ..Slot::of(entry) }),
        };
        residue.on(cause)
    }
}

/// Moves to its name what was moved from it; where others took the name meanwhile it is kept and reported.
pub(super) fn moved_back(entry: &Opened<'_>, there: Slot<'_>) -> Residue {
    let (calls, here) = (entry.root.calls(), Slot::of(entry));
    let transfer = Transfer { calls, here, there, new: None, exposed: false, can_exchange: false };
    transfer.residue(transfer.take_back())
}

/// Takes the exchange with a staged link back, and removes that one.
pub(super) fn exchanged_back(
    entry: &Opened<'_>,
    staged: &Staged<'_, '_>,
    text: &OsStr,
    cause: Option<&Error>,
) -> Residue {
    let (calls, here, there) = (entry.root.calls(), Slot::of(entry), staged.slot());
    // Whose it is cannot be told where it cannot be read.
    let Ok(is_another) = staged.gave_its_number_away(here, text) else {
        return Residue::left(here.path()).and(Residue::preserved(there.path())).changed();
    };
    let new = (!is_another).then(|| staged.id());
    let transfer = Transfer { calls, here, there, new, exposed: staged.is_exposed(), can_exchange: true };
    let ended = transfer.take_back();
    let is_moved = || cause.is_some_and(|cause| cause.kind() == Kind::ParentMoved);
    match (ended.here, ended.there) {
        (_, At::Home) => transfer.residue(ended).and(staged.discard(text)),
        // Others took what was displaced from where they can reach it, or the directory was moved: the new link goes.
        // Anywhere else it stays, or the name would be absent.
        (At::Brought, At::Nothing) if staged.is_exposed() || is_moved() => staged.discard_published(entry),
        _ => transfer.residue(ended),
    }
}
