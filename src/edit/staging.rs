//! Links before they are published, and names for what is moved out of the way.
//!
//! A staged link is pinned: while it is, it can be told from any other. What is removed here is removed only if it is
//! known to be this program's own, or was looked at in a directory that nobody else can touch.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;

use super::area::{Area, state_contended};
use super::leftover::{Leftover, put_back};
use super::{Attempt, verify};
use crate::error::{Error, FileKind, Result};
use crate::model::{ObjectId, STAGED_PREFIX, Staging};
use crate::root::Root;
use crate::sys::{self, Fault, Handle};

/// How a link is known to be this program's own.
#[derive(Clone, Copy)]
pub(super) enum Ours<'a> {
    /// It is this object, which is pinned.
    Object(ObjectId),
    /// It has this text, one name, and belongs to the caller.
    Text(&'a OsStr),
}

impl Area<'_> {
    /// Makes a link under a random name, and pins it.
    pub(super) fn stage(&self, text: &OsStr, directory: bool) -> Result<Staged<'_>> {
        let name = random_name(&self.entry.root).map_err(Error::from_io)?;
        self.stage_as(self.dir(), name, text, directory)
    }

    /// Makes a link under this name beside the entry, and pins it.
    pub(super) fn stage_beside(&self, name: OsString, text: &OsStr, directory: bool) -> Result<Staged<'_>> {
        self.stage_as(&self.entry.parent, name, text, directory)
    }

    fn stage_as<'s>(&'s self, dir: &'s Handle, name: OsString, text: &OsStr, directory: bool) -> Result<Staged<'s>> {
        let calls = self.entry.root.calls();
        let state = self.kind() == Staging::Private && std::ptr::eq(dir, self.dir());
        calls.symlink(text, dir, &name, directory).map_err(|source| match sys::fault(&source) {
            // Who may write its parent can remove it while it is empty.
            Fault::Missing if state => state_contended(),
            _ => verify::refused(self.entry, source),
        })?;
        let exposed = self.exposed || !std::ptr::eq(dir, self.dir());
        let pinned = calls.pin(dir, &name).and_then(|pin| {
            // Where somebody else can write it might be another link by now.
            let ours = !exposed || calls.read_pinned(&pin).is_ok_and(|found| found == text);
            Ok((ours, calls.stat(&pin)?.id, pin))
        });
        let staged = |id, pin| Staged { area: self, dir, name, id, _pin: pin };
        match pinned {
            Ok((true, id, pin)) => Ok(staged(Some(id), Some(pin))),
            Ok((false, ..)) => Err(verify::taken()),
            Err(source) => Err(staged(None, None).take_back(text, Error::from_io(source))),
        }
    }

    /// A random name in this directory, for an entry that is moved out of the way.
    pub(super) fn spare(&self) -> Result<Spare<'_>> {
        let name = random_name(&self.entry.root).map_err(Error::from_io)?;
        Ok(Spare { area: self, name })
    }

    /// Removes a name if it is the link that it should be; what is something else stays where it is.
    ///
    /// In a directory that others can write the entry is moved into the private one first, so that what is looked at
    /// is what is unlinked. Returns the names that could not be cleaned up.
    pub(super) fn discard(&self, dir: &Handle, name: &OsStr, ours: Ours<'_>) -> Leftover {
        let calls = self.entry.root.calls();
        let own = std::ptr::eq(dir, self.dir()) || self.kind() == Staging::Beside;
        if own {
            return match self.is_ours(dir, name, ours) {
                Ok(true) => self.drop_displaced(dir, name),
                Err(source) if sys::fault(&source) != Fault::Missing => Leftover::left(self.path_of(dir, name)),
                _ => Leftover::default(),
            };
        }
        let Ok(spare) = self.spare() else { return Leftover::left(self.path_of(dir, name)) };
        match calls.rename_new((dir, name), spare.at()) {
            Ok(()) => {}
            Err(source) if sys::fault(&source) == Fault::Missing => return Leftover::default(),
            // A confined thread cannot move what is no link, and that is not ours.
            Err(_) => match self.is_ours(dir, name, ours) {
                Ok(false) => return Leftover::default(),
                _ => return Leftover::left(self.path_of(dir, name)),
            },
        }
        match self.is_ours(self.dir(), &spare.name, ours) {
            Ok(true) => match calls.unlink(self.dir(), &spare.name) {
                Ok(()) => Leftover::default(),
                Err(_) => Leftover::left(spare.path()),
            },
            _ if put_back(self.entry, spare.at(), (dir, name)) => Leftover::default(),
            _ => Leftover::preserved(spare.path()),
        }
    }

    fn drop_displaced(&self, dir: &Handle, name: &OsStr) -> Leftover {
        match self.entry.root.calls().unlink(dir, name) {
            Err(source) if sys::fault(&source) != Fault::Missing => Leftover::left(self.path_of(dir, name)),
            _ => Leftover::default(),
        }
    }

    fn is_ours(&self, dir: &Handle, name: &OsStr, ours: Ours<'_>) -> io::Result<bool> {
        let calls = self.entry.root.calls();
        let stat = calls.stat_at(dir, name)?;
        Ok(stat.kind == FileKind::Symlink
            && match ours {
                Ours::Object(id) => stat.id == id,
                Ours::Text(text) => {
                    stat.uid == calls.user()
                        && stat.links == 1
                        && calls.read_link(dir, name)?.is_some_and(|found| found == text)
                }
            })
    }
}

/// A link that is not published yet.
pub(super) struct Staged<'a> {
    area: &'a Area<'a>,
    dir: &'a Handle,
    name: OsString,
    id: Option<ObjectId>,
    /// While it is open the inode number is not given to another.
    _pin: Option<Handle>,
}

impl Staged<'_> {
    pub(super) fn at(&self) -> (&Handle, &OsStr) {
        (self.dir, &self.name)
    }

    pub(super) fn id(&self) -> ObjectId {
        self.id.expect("BUG: a link that was staged is pinned")
    }

    pub(super) fn path(&self) -> PathBuf {
        self.area.path_of(self.dir, &self.name)
    }

    /// Removes the staged link after an attempt that came to nothing.
    pub(super) fn give_up(&self, text: &OsStr, attempt: Result<Attempt>) -> Result<Attempt> {
        match (attempt, self.discard(text)) {
            (Ok(attempt), leftover) if leftover.is_empty() => Ok(attempt),
            (Ok(Attempt::Refused(error)) | Err(error), leftover) => Err(leftover.on(error)),
            (Ok(_), leftover) => Err(leftover.on(super::verify::taken())),
        }
    }

    /// Removes the staged link; `error` says what could not be removed.
    pub(super) fn take_back(&self, text: &OsStr, error: Error) -> Error {
        self.discard(text).on(error)
    }

    /// Unlinks the link that a trade put under the staged name, which was looked at there.
    pub(super) fn drop_displaced(&self) -> Leftover {
        self.area.drop_displaced(self.dir, &self.name)
    }

    pub(super) fn discard(&self, text: &OsStr) -> Leftover {
        self.area.discard(self.dir, &self.name, self.id.map_or(Ours::Text(text), Ours::Object))
    }
}

/// A name for an entry that is moved out of the way.
pub(super) struct Spare<'a> {
    area: &'a Area<'a>,
    name: OsString,
}

impl Spare<'_> {
    pub(super) fn at(&self) -> (&Handle, &OsStr) {
        (self.area.dir(), &self.name)
    }

    pub(super) fn path(&self) -> PathBuf {
        self.area.path_of(self.area.dir(), &self.name)
    }

    /// Unlinks the link that was moved here and looked at here.
    pub(super) fn drop_displaced(&self) -> Leftover {
        self.area.drop_displaced(self.area.dir(), &self.name)
    }
}

pub(super) fn random_name(root: &Root) -> io::Result<OsString> {
    let mut name = String::with_capacity(STAGED_PREFIX.len() + 32);
    name.push_str(STAGED_PREFIX);
    let random = root.calls().random()?;
    name.extend((0..32).map(|digit| char::from(b"0123456789abcdef"[(random >> (4 * digit) & 0xf) as usize])));
    Ok(name.into())
}
