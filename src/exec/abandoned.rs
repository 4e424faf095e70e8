//! Removes a private directory that an interrupted operation left beside a link.
//!
//! Its owner and its permissions must be those of one, and it must hold nothing but staged links of the caller's. Whoever
//! makes such a directory holds the lock of the one above as long as it is used, so under that lock nobody is at work in
//! it. Only an empty directory is removed: the staged links in it go first, each by an edit of its own.
//!
//! Whoever may write the directory above can put another empty directory in its place between the look and the removal.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use super::area::Area;
use super::{Attempt, Changed, lock, verify};
use crate::entry::{Entry, open_dir};
use crate::error::{Error, FileKind, Kind, Result};
use crate::model::{Effect, is_staged_name};
use crate::state::is_private;
use crate::sys::{self, Access, Fault, Handle};

/// `held` is the lock of the directory above, if it is held.
pub(super) fn remove(entry: &Entry, held: Option<&Area<'_>>) -> Result<Attempt> {
    let _lock = if held.is_some() { None } else { Some(Area::lock_beside(entry)?) };
    examine(entry)?;
    match entry.root.calls().remove_dir(&entry.parent, entry.name()) {
        Ok(()) => {}
        Err(source) if source.kind() == io::ErrorKind::DirectoryNotEmpty => return Err(foreign("it is not empty")),
        Err(source) if matches!(sys::fault(&source), Fault::Missing | Fault::NotDirectory) => {
            return Ok(Attempt::Again);
        }
        Err(source) => return Err(verify::refused(entry, source)),
    }
    let verified = !entry.root.policy().unverified && verify::parent_in_place(entry)?;
    Ok(Attempt::Done(Changed { verified, ..Changed::new(Effect::Removed) }))
}

/// The lock of the directory above a private one.
pub(super) struct Above<'a> {
    entry: &'a Entry,
    dir: Handle,
}

impl Drop for Above<'_> {
    fn drop(&mut self) {
        lock::give_back(&self.entry.root, &self.dir);
    }
}

/// Takes the lock that whoever is at work in a private directory holds; none where the entry is in another.
pub(super) fn lock_above(entry: &Entry) -> Result<Option<Above<'_>>> {
    let Some(above) = entry.dir().parent().filter(|_| entry.dir().file_name().is_some_and(is_staged_name)) else {
        return Ok(None);
    };
    let (dir, _) = open_dir(&entry.root, above, Access::Read)?;
    lock::take(&entry.root, &dir)?;
    Ok(Some(Above { entry, dir }))
}

/// Whether it is a private directory of the caller's in which nothing is but what the caller staged.
pub(super) fn examine(entry: &Entry) -> Result<()> {
    let calls = entry.root.calls();
    let dir = calls.open_dir(&entry.parent, Path::new(entry.name()), false, Access::Read).map_err(Error::from_io)?;
    if !is_private(calls, &calls.stat(&dir).map_err(Error::from_io)?) {
        return Err(foreign("it belongs to somebody else, or others may enter it"));
    }
    let mut only_staged = true;
    let mut look = |listed: sys::Listed<'_>| {
        let own = |stat: sys::Stat| stat.kind == FileKind::Symlink && stat.uid == calls.user();
        only_staged &= is_staged_name(listed.name) && calls.stat_at(&dir, listed.name).is_ok_and(own);
        if only_staged { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    calls.list(&dir, &mut look).map_err(Error::from_io)?;
    if only_staged { Ok(()) } else { Err(foreign("there is something in it that was not staged")) }
}

fn foreign(reason: &str) -> Error {
    Error::new(Kind::Mismatch).because(reason)
}
