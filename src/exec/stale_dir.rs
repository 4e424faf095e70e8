//! Removes a staging directory that an interrupted run left beside a link.
//!
//! Its owner and its permissions must be those of one, and it must hold nothing but staged links of the caller's. Whoever
//! makes such a directory holds the lock of the one above as long as it is used, so under that lock nobody is at work in
//! it. Only an empty directory is removed: the staged links in it go first, each by an edit of its own.
//!
//! Whoever may write the directory above can put another empty directory in its place between the look and the removal.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::lock::Lock;
use super::{Attempt, Changed, read_back};
use crate::entry::{Opened, open_dir};
use crate::error::{Error, FileKind, Kind, Result};
use crate::model::{Effect, is_checked_name, is_staged_name};
use crate::state::is_private;
use crate::sys::{self, Access, Fault};

/// The lock of the directory above is held.
pub(super) fn remove(entry: &Opened<'_>) -> Result<Attempt> {
    examine(entry)?;
    match entry.root.calls().remove_dir(&entry.parent, entry.name()) {
        Ok(()) => {}
        Err(source) if source.kind() == io::ErrorKind::DirectoryNotEmpty => return Err(foreign("it is not empty")),
        Err(source) if matches!(sys::fault(&source), Fault::Missing | Fault::NotDirectory) => {
            return Ok(Attempt::Again);
        }
        Err(source) => return Err(read_back::refused(entry, source)),
    }
    let verified = !entry.root.policy().unverified && read_back::parent_in_place(entry)?;
    Ok(Attempt::Done(Changed { verified, ..Changed::new(Effect::Removed) }))
}

/// Takes the lock that whoever is at work in a staging directory holds; `None` where the entry is in another.
pub(super) fn lock_above<'a>(entry: &'a Opened<'_>) -> Result<Option<Lock<'a>>> {
    let Some(above) = entry.dir().parent().filter(|_| entry.dir().file_name().is_some_and(is_staged_name)) else {
        return Ok(None);
    };
    let (dir, _) = open_dir(&entry.root, above, Access::Read)?;
    Lock::take(&entry.root, Arc::new(dir)).map(Some)
}

/// Whether it is a private directory of the caller's in which nothing is but what the caller staged.
pub(super) fn examine(entry: &Opened<'_>) -> Result<()> {
    let calls = entry.root.calls();
    let dir = calls.open_dir(&entry.parent, Path::new(entry.name()), false, Access::Read).map_err(Error::from_io)?;
    if !is_private(calls, &calls.stat(&dir).map_err(Error::from_io)?) {
        return Err(foreign("it belongs to somebody else, or others may enter it"));
    }
    let mut only_staged = true;
    let mut look = |listed: sys::Listed<'_>| {
        let own = |stat: sys::Stat| stat.kind == FileKind::Symlink && stat.uid == calls.user();
        only_staged &= is_checked_name(listed.name) && calls.stat_at(&dir, listed.name).is_ok_and(own);
        if only_staged { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    calls.list(&dir, &mut look).map_err(Error::from_io)?;
    if only_staged { Ok(()) } else { Err(foreign("there is something in it that was not staged")) }
}

fn foreign(reason: &str) -> Error {
    Error::new(Kind::Mismatch).because(reason)
}
