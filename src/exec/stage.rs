//! Links before they are published, and names for what is moved out of the way.
//!
//! A staged link is pinned: while it is, it can be told from any other. Where nobody but the caller's own user can touch it
//! before the proof that a series of edits shares, its number is noted instead, and its text tells whether it still has
//! that. What is removed here is removed only if it is known to be this edit's own, or was looked at in a directory that
//! nobody else can touch.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::halt::OrHalt;
use super::residue::Residue;
use super::site::Site;
use super::slot::{Ours, Slot, random_name};
use super::transfer::move_new;
use super::{Attempt, read_back};
use crate::entry::Opened;
use crate::error::{Error, Kind, Result};
use crate::model::{ObjectId, Staging};
use crate::sys::{self, Fault, Handle};

/// A link that is not published yet.
pub(super) struct Staged<'s, 'a> {
    site: &'s Site<'a>,
    dir: &'s Handle,
    above: &'s Path,
    name: OsString,
    /// `None` for one that could not be looked at.
    id: Option<ObjectId>,
    /// While it is open the inode number is not given to another.
    pin: Option<Handle>,
}

impl<'a> Site<'a> {
    /// Makes a link under a random name, and pins it; `None` where the directory for it was removed meanwhile, or the name is
    /// taken: a forked process can draw the same one.
    pub(super) fn stage<'s>(&'s self, text: &OsStr, directory: bool) -> OrHalt<Option<Staged<'s, 'a>>> {
        let root = &self.entry.root;
        let calls = root.calls();
        let dir = self.dir()?;
        let name = random_name(root).map_err(Error::from_io)?;
        let above = self.slot(OsStr::new(""))?.above;
        let made = calls.symlink(text, dir, &name, directory);
        let staged = Staged { site: self, dir, above, name, id: None, pin: None };
        if let Err(source) = made {
            return match (sys::fault(&source), self.kind()) {
                // Who may write its parent can remove it while it is empty.
                (Fault::Missing, Staging::Private) => {
                    self.lose();
                    Ok(None)
                }
                (Fault::Exists, _) => Ok(None),
                _ if read_back::may_be_done(&source) => {
                    Err(staged.give_up(text, read_back::refused(self.entry, source)).into())
                }
                _ => Err(read_back::refused(self.entry, source).into()),
            };
        }
        match self.identify(staged.slot()) {
            Ok((id, pin)) => Ok(Some(Staged { id: Some(id), pin, ..staged })),
            Err(source) => Err(staged.give_up(text, Error::from_io(source)).into()),
        }
    }

    /// The number of a new link, which is pinned. Where displaced links wait for a proof nobody else can remove it: there it is
    /// not.
    fn identify(&self, new: Slot<'_>) -> io::Result<(ObjectId, Option<Handle>)> {
        let calls = self.entry.root.calls();
        if self.keeps_displaced() && self.entry.root.abilities().exchange {
            return Ok((calls.stat_at(new.dir, new.name)?.id, None));
        }
        let pin = calls.pin(new.dir, new.name)?;
        Ok((calls.stat(&pin)?.id, Some(pin)))
    }

    /// A link that was staged before, and whose displaced one waits.
    pub(super) fn staged<'s>(&'s self, name: OsString, id: ObjectId) -> Staged<'s, 'a> {
        let Slot { dir, above, .. } = Slot::of(self.entry);
        Staged { site: self, dir, above, name, id: Some(id), pin: None }
    }

    /// Whether two names can be exchanged here, tried with two links that are staged and taken back.
    ///
    /// One refusal does not tell it: a directory that would come to be below itself is refused with the number of a flag
    /// that is not known, and others can give it the name of a link for a moment.
    pub(super) fn can_exchange(&self, text: &OsStr) -> OrHalt<bool> {
        if !self.entry.root.abilities().exchange {
            return Ok(false);
        }
        let lost = super::halt::state_contended;
        let one = self.stage(text, false)?.ok_or_else(lost)?;
        let other = match self.stage(text, false) {
            Ok(Some(other)) => other,
            Ok(None) => return Err(one.give_up(text, lost()).into()),
            Err(halt) => return Err(halt.map(|error| one.give_up(text, error))),
        };
        let exchanged = one.exchanges_with(&other);
        let residue = one.discard(text).and(other.discard(text));
        match exchanged {
            Ok(exchanged) if residue.is_empty() => Ok(exchanged),
            Ok(_) => Err(residue.on(Error::new(Kind::Residue)).into()),
            Err(error) => Err(residue.on(error).into()),
        }
    }

    /// Makes a link under a name beside the entry, for what is to be moved there; `None` where the name is taken, or the
    /// directory for it was removed meanwhile.
    ///
    /// It comes from where nobody else could touch it: it is known to be this one, whatever is done to it there.
    pub(super) fn stage_beside<'s>(
        &'s self,
        name: OsString,
        text: &OsStr,
        directory: bool,
    ) -> OrHalt<Option<Staged<'s, 'a>>> {
        let Some(staged) = self.stage(text, directory)? else { return Ok(None) };
        let calls = self.entry.root.calls();
        let beside = (&*self.entry.parent, name.as_os_str());
        let moved = match calls.rename_new(staged.slot().at(), beside) {
            // A second name is exclusive, too.
            Err(source) if sys::fault(&source) == Fault::Unsupported => {
                calls.hard_link(staged.slot().at(), beside).map(|()| staged.unlink())
            }
            moved => moved.map(|()| Residue::default()),
        };
        let (dir, above) = (&*self.entry.parent, self.entry.dir());
        match moved {
            Ok(residue) if residue.is_empty() => Ok(Some(Staged { dir, above, name, ..staged })),
            Ok(residue) => {
                let beside = Staged { dir, above, name, ..staged };
                Err(residue.on(beside.give_up(text, Error::new(Kind::Residue))).into())
            }
            Err(source) if sys::fault(&source) == Fault::Exists => match staged.discard(text) {
                residue if residue.is_empty() => Ok(None),
                residue => Err(residue.on(Error::from_io(source)).into()),
            },
            Err(source) => {
                let residue = staged.discard(text);
                let beside = Staged { dir, above, name, ..staged };
                Err(residue.on(beside.give_up(text, read_back::refused(self.entry, source))).into())
            }
        }
    }

    /// A random name where links are staged, for an entry that is moved out of the way.
    pub(super) fn spare<'s>(&'s self) -> OrHalt<Spare<'s, 'a>> {
        let name = random_name(&self.entry.root).map_err(Error::from_io)?;
        let Slot { dir, above, .. } = self.slot(OsStr::new(""))?;
        Ok(Spare { site: self, dir, above, name })
    }

    /// Removes the link of this edit from a slot; what is something else stays where it is.
    ///
    /// Where others know the name the entry is moved to a random one first, out of their reach, so that what is looked at
    /// is what is unlinked.
    pub(super) fn discard(&self, slot: Slot<'_>, ours: Ours<'_>) -> Residue {
        let calls = self.entry.root.calls();
        if self.is_out_of_reach(slot) {
            return match slot.has_ours(calls, ours) {
                Ok(true) => self.unlink(slot),
                told => left(slot, told),
            };
        }
        let moved = self.spare().ok().and_then(|spare| spare.take(slot).ok().map(|()| spare));
        let Some(spare) = moved else { return left(slot, slot.has_ours(calls, ours)) };
        let told = spare.slot().has_ours(calls, ours);
        if matches!(told, Ok(true)) {
            return self.unlink(spare.slot());
        }
        match (move_new(calls, spare.slot(), slot).is_ok(), told) {
            (true, Ok(_)) => Residue::default(),
            (false, Ok(_)) => Residue::preserved(spare.slot().path()),
            // It cannot be told whose it is.
            (true, Err(_)) => Residue::left(slot.path()),
            (false, Err(_)) => {
                let kept = Residue::left(spare.slot().path()).and(Residue::preserved(spare.slot().path()));
                // A move back in two calls that ends after the first one leaves it under both names.
                kept.and(left(slot, slot.has_ours(calls, ours)))
            }
        }
    }

    /// Unlinks a link that was looked at where nobody else can touch it: the one place where an edit removes anything.
    pub(super) fn unlink(&self, slot: Slot<'_>) -> Residue {
        if !self.is_out_of_reach(slot) {
            return Residue::left(slot.path());
        }
        match self.entry.root.calls().unlink(slot.dir, slot.name) {
            Err(source) if sys::fault(&source) != Fault::Missing => Residue::left(slot.path()),
            _ => Residue::default(),
        }
    }
}

/// What is left at a slot where it is told whether the link of this edit is there: one that cannot be looked at may be it.
fn left(slot: Slot<'_>, told: io::Result<bool>) -> Residue {
    if matches!(told, Ok(false)) { Residue::default() } else { Residue::left(slot.path()) }
}

impl Staged<'_, '_> {
    pub(super) fn slot(&self) -> Slot<'_> {
        Slot { dir: self.dir, name: &self.name, above: self.above }
    }

    pub(super) fn id(&self) -> ObjectId {
        self.id.expect("BUG: a link that was staged has a number")
    }

    pub(super) fn path(&self) -> PathBuf {
        self.slot().path()
    }

    /// Its name and its number, for longer than the edit takes.
    pub(super) fn into_name_and_id(self) -> (OsString, ObjectId) {
        let id = self.id();
        (self.name, id)
    }

    /// Whether another link has its number by now, at the name that it was published under.
    ///
    /// Other programs of the same user may replace it there while it is not pinned, and a file system may give its number to
    /// the next link: that one has another text.
    pub(super) fn gave_its_number_away(&self, here: Slot<'_>, text: &OsStr) -> io::Result<bool> {
        let calls = self.site.entry.root.calls();
        if self.pin.is_some() || !here.has(calls, self.id()) {
            return Ok(false);
        }
        let is_own = || here.has_ours(calls, Ours::Text(text));
        // A look can fail for a moment; the second answer counts.
        Ok(!is_own().or_else(|_| is_own())?)
    }

    /// Exchanges it with another staged link, and back; false where the host cannot.
    pub(super) fn exchanges_with(&self, other: &Staged<'_, '_>) -> Result<bool> {
        let calls = self.site.entry.root.calls();
        match calls.exchange(self.slot().at(), other.slot().at()) {
            Ok(()) => {}
            Err(source) if sys::fault(&source) == Fault::Unsupported => return Ok(false),
            Err(source) => return Err(Error::from_io(source)),
        }
        let kept = |source| Error::from_io(source).leaving(vec![self.path(), other.path()], Vec::new());
        calls.exchange(self.slot().at(), other.slot().at()).map(|()| true).map_err(kept)
    }

    /// Removes the staged link after an attempt that came to nothing.
    pub(super) fn after(&self, text: &OsStr, attempt: Result<Attempt>) -> Result<Attempt> {
        match (attempt, self.discard(text)) {
            (Ok(attempt), residue) if residue.is_empty() => Ok(attempt),
            (Ok(Attempt::Refused(error)) | Err(error), residue) => Err(residue.on(error)),
            (Ok(_), residue) => Err(residue.on(read_back::taken())),
        }
    }

    /// Removes the staged link; the error says what could not be removed.
    pub(super) fn give_up(&self, text: &OsStr, error: Error) -> Error {
        self.discard(text).on(error)
    }

    /// Unlinks what an exchange put under the staged name, which was looked at there.
    pub(super) fn unlink(&self) -> Residue {
        self.site.unlink(self.slot())
    }

    /// Whether it is under the name of the entry: a call that publishes it may have taken effect despite an error.
    pub(super) fn is_published(&self, entry: &Opened<'_>) -> bool {
        Slot::of(entry).has_ours(entry.root.calls(), Ours::Object(self.id())).unwrap_or(false)
    }

    /// Removes the link from the name that it was published under, if it has it.
    pub(super) fn discard_published(&self, entry: &Opened<'_>) -> Residue {
        self.site.discard(Slot::of(entry), Ours::Object(self.id()))
    }

    /// Whether others can reach what is under the staged name.
    pub(super) fn is_exposed(&self) -> bool {
        self.site.kind() == Staging::Private && !self.site.is_out_of_reach(self.slot())
    }

    pub(super) fn discard(&self, text: &OsStr) -> Residue {
        self.site.discard(self.slot(), self.id.map_or(Ours::Text(text), Ours::Object))
    }
}

/// A name for an entry that is moved out of the way.
pub(super) struct Spare<'s, 'a> {
    site: &'s Site<'a>,
    dir: &'s Handle,
    above: &'s Path,
    name: OsString,
}

impl Spare<'_, '_> {
    pub(super) fn slot(&self) -> Slot<'_> {
        Slot { dir: self.dir, name: &self.name, above: self.above }
    }

    /// Moves an entry here.
    pub(super) fn take(&self, from: Slot<'_>) -> io::Result<()> {
        let calls = self.site.entry.root.calls();
        let moved = match calls.rename_new(from.at(), self.slot().at()) {
            // Nothing has a random name that could be replaced.
            Err(source) if sys::fault(&source) == Fault::Unsupported => calls.rename_over(from.at(), self.slot().at()),
            moved => moved,
        };
        moved.or_else(|source| if self.is_used() { Ok(()) } else { Err(source) })
    }

    /// Whether something was moved here: the call may have taken effect despite an error.
    pub(super) fn is_used(&self) -> bool {
        matches!(self.slot().now(self.site.entry.root.calls()), Ok(Some(_)))
    }

    /// The name, for longer than the edit takes.
    pub(super) fn into_name(self) -> OsString {
        self.name
    }

    /// Unlinks what was moved here and looked at here.
    pub(super) fn unlink(&self) -> Residue {
        self.site.unlink(self.slot())
    }
}
