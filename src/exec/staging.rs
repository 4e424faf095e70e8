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
use crate::entry::Entry;
use crate::error::{Error, FileKind, Kind, Result};
use crate::model::{ObjectId, STAGED_PREFIX, Staging};
use crate::root::Root;
use crate::sys::{self, Calls, Fault, Handle};

/// How a link is known to be this program's own.
#[derive(Clone, Copy)]
pub(super) enum Ours<'a> {
    /// It is this object, which is pinned.
    Object(ObjectId),
    /// It has this text and belongs to the caller.
    Text(&'a OsStr),
}

impl Area<'_> {
    /// Makes a link under a random name, and pins it.
    pub(super) fn stage(&self, text: &OsStr, directory: bool) -> Result<Staged<'_>> {
        let (calls, dir) = (self.entry.root.calls(), self.dir());
        let name = random_name(&self.entry.root).map_err(Error::from_io)?;
        let made = calls.symlink(text, dir, &name, directory);
        let staged = Staged { area: self, dir, name, id: None, _pin: None };
        if let Err(source) = made {
            return Err(match (sys::fault(&source), self.kind()) {
                // Who may write its parent can remove it while it is empty.
                (Fault::Missing, Staging::Private) => state_contended(),
                _ if verify::may_be_done(&source) => staged.take_back(text, verify::refused(self.entry, source)),
                _ => verify::refused(self.entry, source),
            });
        }
        match calls.pin(dir, &staged.name).and_then(|pin| Ok((calls.stat(&pin)?.id, pin))) {
            Ok((id, pin)) => Ok(Staged { id: Some(id), _pin: Some(pin), ..staged }),
            Err(source) => Err(staged.take_back(text, Error::from_io(source))),
        }
    }

    /// Whether two names trade places here, tried with two links that are staged and taken back.
    ///
    /// One refusal does not tell it: a directory that would come to be below itself is refused with the number of a flag
    /// that is not known, and others can give it the name of a link for a moment.
    pub(super) fn can_trade(&self, text: &OsStr) -> Result<bool> {
        if !self.entry.root.abilities().exchange {
            return Ok(false);
        }
        let one = self.stage(text, false)?;
        let other = self.stage(text, false).map_err(|error| one.take_back(text, error))?;
        let traded = one.trades_with(&other);
        let leftover = one.discard(text).and(other.discard(text));
        match traded {
            Ok(traded) if leftover.is_empty() => Ok(traded),
            Ok(_) => Err(leftover.on(Error::new(Kind::Residue))),
            Err(error) => Err(leftover.on(error)),
        }
    }

    /// Makes a link under a name beside the entry, for what is to be moved there; none where the name is taken.
    ///
    /// It comes from where nobody else could touch it: it is known to be this one, whatever is done to it there.
    pub(super) fn stage_beside(&self, name: OsString, text: &OsStr, directory: bool) -> Result<Option<Staged<'_>>> {
        let staged = self.stage(text, directory)?;
        let calls = self.entry.root.calls();
        let beside = (&*self.entry.parent, name.as_os_str());
        let moved = match calls.rename_new(staged.at(), beside) {
            // A second name is exclusive, too.
            Err(source) if sys::fault(&source) == Fault::Unsupported => {
                calls.hard_link(staged.at(), beside).map(|()| staged.drop_displaced())
            }
            moved => moved.map(|()| Leftover::default()),
        };
        match moved {
            Ok(leftover) if leftover.is_empty() => Ok(Some(Staged { dir: &self.entry.parent, name, ..staged })),
            Ok(leftover) => {
                let beside = Staged { dir: &self.entry.parent, name, ..staged };
                Err(leftover.on(beside.take_back(text, Error::new(Kind::Residue))))
            }
            Err(source) if sys::fault(&source) == Fault::Exists => match staged.discard(text) {
                leftover if leftover.is_empty() => Ok(None),
                leftover => Err(leftover.on(Error::from_io(source))),
            },
            Err(source) => {
                let leftover = staged.discard(text);
                let beside = Staged { dir: &self.entry.parent, name, ..staged };
                Err(leftover.on(beside.take_back(text, verify::refused(self.entry, source))))
            }
        }
    }

    /// A random name in this directory, for an entry that is moved out of the way.
    pub(super) fn spare(&self) -> io::Result<Spare<'_>> {
        Ok(Spare { area: self, name: random_name(&self.entry.root)? })
    }

    /// Removes a name if it is the link that it should be; what is something else stays where it is.
    ///
    /// Where others know the name the entry is moved to a random one first, in the private directory if there is one,
    /// so that what is looked at is what is unlinked. Returns the names that could not be cleaned up.
    pub(super) fn discard(&self, dir: &Handle, name: &OsStr, ours: Ours<'_>) -> Leftover {
        let calls = self.entry.root.calls();
        let there = |at| match ours.is_at(calls, at) {
            Err(source) if sys::fault(&source) == Fault::Missing => Ok(false),
            there => there,
        };
        if std::ptr::eq(dir, self.dir()) && name.as_encoded_bytes().starts_with(STAGED_PREFIX.as_bytes()) {
            return match there((dir, name)) {
                Ok(true) => self.drop_displaced(dir, name),
                Ok(false) => Leftover::default(),
                Err(_) => Leftover::left(self.path_of(dir, name)),
            };
        }
        let moved = self.spare().and_then(|spare| spare.take((dir, name)).map(|()| spare));
        let spare = match moved {
            Ok(spare) => spare,
            Err(_) if matches!(there((dir, name)), Ok(false)) => return Leftover::default(),
            Err(_) => return Leftover::left(self.path_of(dir, name)),
        };
        match there(spare.at()) {
            Ok(true) => match calls.unlink(self.dir(), &spare.name) {
                Ok(()) => Leftover::default(),
                Err(_) => Leftover::left(spare.path()),
            },
            told => match (put_back(self.entry, spare.at(), (dir, name)), told) {
                (true, Ok(_)) => Leftover::default(),
                (false, Ok(_)) => Leftover::preserved(spare.path()),
                // It cannot be told whose it is.
                (true, Err(_)) => Leftover::left(self.path_of(dir, name)),
                (false, Err(_)) => Leftover::left(spare.path()).and(Leftover::preserved(spare.path())),
            },
        }
    }

    fn drop_displaced(&self, dir: &Handle, name: &OsStr) -> Leftover {
        match self.entry.root.calls().unlink(dir, name) {
            Err(source) if sys::fault(&source) != Fault::Missing => Leftover::left(self.path_of(dir, name)),
            _ => Leftover::default(),
        }
    }
}

impl Ours<'_> {
    /// Whether what has the name is the link.
    pub(super) fn is_at(self, calls: &dyn Calls, (dir, name): (&Handle, &OsStr)) -> io::Result<bool> {
        let stat = calls.stat_at(dir, name)?;
        Ok(stat.kind == FileKind::Symlink
            && match self {
                Ours::Object(id) => stat.id == id,
                Ours::Text(text) => {
                    stat.uid == calls.user() && calls.read_link(dir, name)?.is_some_and(|found| found == text)
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

    /// Trades places with another staged link, and back; false where that is not to be had here.
    pub(super) fn trades_with(&self, other: &Staged<'_>) -> Result<bool> {
        let calls = self.area.entry.root.calls();
        match calls.exchange(self.at(), other.at()) {
            Ok(()) => {}
            Err(source) if sys::fault(&source) == Fault::Unsupported => return Ok(false),
            Err(source) => return Err(Error::from_io(source)),
        }
        let kept = |source| Error::from_io(source).leaving(vec![self.path(), other.path()], Vec::new());
        calls.exchange(self.at(), other.at()).map(|()| true).map_err(kept)
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

    /// Whether it has the name of the entry: a call that publishes it can fail and be carried out.
    pub(super) fn is_published(&self, entry: &Entry) -> bool {
        Ours::Object(self.id()).is_at(entry.root.calls(), entry.at()).unwrap_or(false)
    }

    /// Reports the link under the name that it was published under; what cannot be looked at is told as being there.
    pub(super) fn if_published(&self, entry: &Entry) -> Leftover {
        match Ours::Object(self.id()).is_at(entry.root.calls(), entry.at()) {
            Ok(false) => Leftover::default(),
            Err(source) if sys::fault(&source) == Fault::Missing => Leftover::default(),
            _ => Leftover::left(entry.physical().to_path_buf()),
        }
    }

    /// Whether others can reach what is under the staged name.
    pub(super) fn is_exposed(&self) -> bool {
        self.area.kind() == Staging::Private && !std::ptr::eq(self.dir, self.area.dir())
    }

    /// Removes the link from the name that it was published under, if it has it.
    pub(super) fn discard_published(&self, entry: &Entry) -> Leftover {
        self.area.discard(&entry.parent, entry.name(), Ours::Object(self.id()))
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

    /// Moves an entry here. A call that fails and was carried out is none that failed.
    fn take(&self, from: (&Handle, &OsStr)) -> io::Result<()> {
        let calls = self.area.entry.root.calls();
        let moved = match calls.rename_new(from, self.at()) {
            // Nothing has a random name that could be replaced.
            Err(source) if sys::fault(&source) == Fault::Unsupported => calls.rename_over(from, self.at()),
            moved => moved,
        };
        moved.or_else(|source| if self.is_used() { Ok(()) } else { Err(source) })
    }

    /// Whether something was moved here.
    pub(super) fn is_used(&self) -> bool {
        self.area.entry.root.calls().stat_at(self.at().0, self.at().1).is_ok()
    }

    /// Unlinks the link that was moved here and looked at here.
    pub(super) fn drop_displaced(&self) -> Leftover {
        self.area.drop_displaced(self.area.dir(), &self.name)
    }
}

pub(super) fn random_name(root: &Root) -> io::Result<OsString> {
    Ok(format!("{STAGED_PREFIX}{:032x}", root.calls().random()?).into())
}
