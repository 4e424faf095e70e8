//! What is said of a part: whether it stands, what was seen in its place, and why it could not be published.

use std::io;

use super::exchange::look;
use super::part::{Part, Seen};
use crate::entry::Opened;
use crate::error::{Error, Found, Kind, Result};
use crate::exec::read_back;
use crate::exec::slot::Slot;
use crate::root::Root;
use crate::sys::{self, Fault};

/// Walks to a part anew that was published.
pub(super) fn stands(root: &Root, part: &Part, entry: &Opened<'_>) -> Result<()> {
    if root.policy().unverified {
        return Ok(());
    }
    match part.after {
        Some(_) => match look(root.calls(), Slot::of(entry))?.id() {
            Some(id) => read_back::published(entry, id),
            None => Err(read_back::taken()),
        },
        None if read_back::parent_in_place(entry)? => Ok(()),
        None => Err(read_back::parent_moved()),
    }
}

/// Whether a directory on the way is missing, or is none any more.
pub(super) fn is_gone(error: &Error) -> bool {
    matches!(error.kind(), Kind::NotFound | Kind::SymlinkInPath | Kind::ParentMoved)
}

pub(super) fn not_free(source: io::Error, there: Slot<'_>) -> Error {
    match sys::fault(&source) {
        Fault::Exists => read_back::taken().at(there.name, 0),
        _ => Error::from_io(source),
    }
}

/// What was seen, as errors tell it.
pub(super) fn seen_as(seen: &Seen) -> Found {
    match seen {
        Seen::Nothing => Found::Missing,
        Seen::Link(text, _) => Found::Link(text.clone()),
        Seen::Object(kind, _) => Found::Other(*kind),
    }
}

/// The error for a name that is not as it was judged.
pub(super) fn mismatch(seen: &Seen) -> Error {
    let found = seen_as(seen);
    Error::new(Kind::Mismatch).because(format!("others changed it meanwhile: found {found}")).found_instead(found)
}
