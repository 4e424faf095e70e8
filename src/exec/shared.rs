//! Who can reach what is in a link's directory, and so whether links can be staged there.

use std::io;
use std::time::Duration;

use super::permission::may_add_in;
use crate::entry::{Kept, Opened};
use crate::error::{Error, Kind, Result};
use crate::model::Staging;
use crate::state::StateCheck;
use crate::sys::{self, Access, Fault, Stat};

/// Other users may write: a group, everybody.
const WRITABLE_BY_OTHERS: u32 = 0o022;

const STICKY: u32 = 0o1000;

/// How many edits of one directory share a lock and a proof.
pub(super) const TOGETHER_MAX: usize = 64;

/// How long after their directory was opened another of them is begun.
pub(super) const TIME_MAX: Duration = Duration::from_millis(10);

/// Looks at the link's directory. Where nothing can be taken back nothing is begun.
pub(super) fn stat_parent(entry: &Opened<'_>) -> Result<Stat> {
    let seen = match entry.kept {
        Some(kept) => (kept.stat, kept.is_append_only),
        None => entry.root.calls().stat_dir(&entry.parent).map_err(Error::from_io)?,
    };
    match seen {
        (_, true) => {
            let reason = "its directory is append-only: a link in it can be made, but not replaced or removed";
            Err(Error::new(Kind::Permission).because(reason))
        }
        (stat, false) => Ok(stat),
    }
}

/// Whether somebody else could touch what is staged or displaced in this directory.
///
/// In a sticky directory of a trusted owner nobody else can rename or unlink what belongs to the caller; a link of
/// somebody else's, which may also come before the lock is taken, stays theirs when it is displaced.
pub(super) fn is_shared(entry: &Opened<'_>, parent: &Stat) -> bool {
    if entry.kept.is_some_and(|kept| kept.is_private) {
        return false;
    }
    let user = || entry.root.calls().user();
    let trusted = parent.uid == 0 || parent.uid == user();
    if parent.mode & WRITABLE_BY_OTHERS == 0 {
        return !trusted;
    }
    let own = || entry.root.calls().stat_at(&entry.parent, entry.name()).is_ok_and(|stat| stat.uid == user());
    !(parent.mode & STICKY != 0 && trusted && own())
}

/// The look at a directory that several edits share.
pub(super) fn keep(entry: &Opened<'_>) -> Result<Kept> {
    let calls = entry.root.calls();
    let (stat, is_append_only) = calls.stat_dir(&entry.parent).map_err(Error::from_io)?;
    let is_private = stat.mode & WRITABLE_BY_OTHERS == 0 && (stat.uid == 0 || stat.uid == calls.user());
    Ok(Kept { stat, is_append_only, is_private, is_locked: false })
}

/// Where a link would be staged, as far as can be told without making the state directory.
pub(super) fn predict(entry: &Opened<'_>) -> Result<Staging> {
    let parent = stat_parent(entry)?;
    if !is_readable(entry)? {
        locked_by_state(entry, &parent)?;
        return Ok(Staging::Private);
    }
    if !is_shared(entry, &parent) {
        return Ok(Staging::Beside);
    }
    let state = entry.root.state();
    match state.check(entry.root.calls()) {
        StateCheck::Unsafe => Err(state.not_private()),
        StateCheck::Absent | StateCheck::Private => Ok(Staging::Private),
    }
}

/// Whether others can be excluded while an entry of the directory is exchanged, as far as can be told without doing it.
pub(super) fn may_lock(entry: &Opened<'_>) -> Result<()> {
    if is_readable(entry)? { Ok(()) } else { locked_by_state(entry, &stat_parent(entry)?) }
}

/// Whether the state directory can be locked in place of the link's: it is private, or can be made, and on the same mount.
fn locked_by_state(entry: &Opened<'_>, parent: &Stat) -> Result<()> {
    let (root, calls, state) = (&entry.root, entry.root.calls(), entry.root.state());
    match state.check(calls) {
        StateCheck::Unsafe => return Err(state.not_private()),
        // Where it cannot be made there is nothing to lock.
        StateCheck::Absent => may_add_in(root, &state.base).map_err(Error::from_io)?,
        StateCheck::Private => {}
    }
    let is_near = calls.stat(&state.base).map_err(Error::from_io)?.id.device == parent.id.device
        && calls.is_same_mount(&state.base, &entry.parent).map_err(Error::from_io)?;
    if is_near { Ok(()) } else { Err(Error::from_io(io::ErrorKind::PermissionDenied.into())) }
}

/// Whether the directory can be opened so that it can be locked; where not, the state directory is locked and staged in.
fn is_readable(entry: &Opened<'_>) -> Result<bool> {
    if entry.lockable {
        return Ok(true);
    }
    match entry.root.calls().open_dir(&entry.parent, "".as_ref(), true, Access::Read) {
        Ok(_) => Ok(true),
        Err(source) if sys::fault(&source) == Fault::Denied => Ok(false),
        Err(source) => Err(Error::from_io(source)),
    }
}
