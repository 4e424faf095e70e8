//! Where a new link is made before it is published, and where a displaced entry is looked at.
//!
//! In a directory that only the caller can write both happen beside the link. Where somebody else can write, a staged
//! link could be replaced or given a second name, and a displaced entry could be exchanged between the look at it and
//! its unlinking: there both happen in the private state directory, which is on the same mount and which nobody else
//! can enter. The lock is taken on the directory that is used.
//!
//! Where the state directory cannot be made (the caller may not write the root) or is on another mount, a private
//! directory is made in the link's own, under its lock. Others can give it another name, or remove it while it is
//! empty; what is in it they cannot touch.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::leftover::{Leftover, remove_named};
use super::shared::{is_shared, may_be_held, stat_parent};
use super::staging::random_name;
use super::{Attempt, lock, verify};
use crate::entry::Entry;
use crate::error::{Error, Kind, Result};
use crate::model::{ObjectId, Staging};
use crate::state::{OpenState, StateWanted, TRIES, is_private};
use crate::sys::{self, Access, Fault, Handle, Stat};

/// A locked directory in which links are staged.
pub(super) struct Area<'a> {
    pub(super) entry: &'a Entry,
    place: Place,
    /// None where it is the link's own directory, opened so that it can be locked.
    opened: Option<Handle>,
    /// The link's own directory, where that is locked and another is staged in.
    locked: Option<Handle>,
    id: ObjectId,
    made: Cell<bool>,
    /// The lock is taken.
    taken: Cell<bool>,
    /// It is taken on a directory that still has its name.
    held: Cell<bool>,
}

/// Which directory it is.
enum Place {
    /// The link's own.
    Own,
    /// The link's own, until a private one is made in it.
    OwnShared,
    /// A private one of this name in the link's own.
    Within(OsString),
    State,
}

impl<'a> Area<'a> {
    /// Chooses the directory by who can write the link's own, and takes its lock.
    pub(super) fn lock(entry: &'a Entry) -> Result<Area<'a>> {
        for _ in 0..TRIES {
            let area = Area::choose(entry)?;
            match area.acquire() {
                Ok(true) => return area.move_in(),
                Ok(false) => {}
                Err(error) => return Err(area.close_alone().on(error)),
            }
        }
        Err(state_contended())
    }

    /// Takes the lock of the link's own directory, where that is the one to use and it was opened for this.
    pub(super) fn lock_own(entry: &'a Entry) -> Result<Option<Area<'a>>> {
        let parent = stat_parent(entry)?;
        if is_shared(entry, &parent) || may_be_held(entry, &parent) {
            return Ok(None);
        }
        let area = Area::own(entry, Place::Own, &parent, None);
        Ok(area.acquire()?.then_some(area))
    }

    fn own(entry: &'a Entry, place: Place, parent: &Stat, opened: Option<Handle>) -> Area<'a> {
        Area::of(entry, place, opened, parent.id, false)
    }

    fn of(entry: &'a Entry, place: Place, opened: Option<Handle>, id: ObjectId, made: bool) -> Area<'a> {
        let (made, taken, held) = (Cell::new(made), Cell::new(false), Cell::new(false));
        Area { entry, place, opened, locked: None, id, made, taken, held }
    }

    /// Takes the locks for two entries, in an order that every holder keeps; the second is none where one lock does.
    pub(super) fn lock_both(a: &'a Entry, b: &'a Entry) -> Result<(Area<'a>, Option<Area<'a>>)> {
        for _ in 0..TRIES {
            let a = Area::choose(a)?;
            let b = match Area::choose(b) {
                Ok(b) => b,
                Err(error) => return Err(a.close_alone().on(error)),
            };
            let key = |area: &Area<'_>| (area.id.device, area.id.inode);
            if a.id == b.id {
                // The one that made the directory is the one to remove it.
                let (area, other) = if b.made.get() { (b, a) } else { (a, b) };
                drop(other);
                match area.acquire() {
                    Ok(true) => return Ok((area, None)),
                    Ok(false) => continue,
                    Err(error) => return Err(area.close_alone().on(error)),
                }
            }
            let (first, second) = if key(&a) < key(&b) { (a, b) } else { (b, a) };
            match first.acquire().and_then(|held| Ok(held && second.acquire()?)) {
                Ok(true) => return Ok((first, Some(second))),
                Ok(false) => {}
                Err(error) => return Err(second.close_alone().and(first.close_alone()).on(error)),
            }
        }
        Err(state_contended())
    }

    /// Opens the directory; its lock is not taken yet.
    fn choose(entry: &'a Entry) -> Result<Area<'a>> {
        let calls = entry.root.calls();
        let parent = stat_parent(entry)?;
        let shared = is_shared(entry, &parent);
        if (shared || may_be_held(entry, &parent))
            && let Some(area) = Area::state(entry, &parent)?
        {
            return Ok(area);
        }
        let place = if shared { Place::OwnShared } else { Place::Own };
        if entry.lockable {
            return Ok(Area::own(entry, place, &parent, None));
        }
        match calls.open_dir(&entry.parent, "".as_ref(), true, Access::Read) {
            Ok(dir) => Ok(Area::own(entry, place, &parent, Some(dir))),
            // A directory without read permission cannot be locked; the state directory can.
            Err(source) if sys::fault(&source) == Fault::Denied => {
                Area::state(entry, &parent)?.ok_or_else(|| Error::from_io(source))
            }
            Err(source) => Err(Error::from_io(source)),
        }
    }

    /// Takes the lock of the link's directory, whoever can write it.
    pub(super) fn lock_beside(entry: &'a Entry) -> Result<Area<'a>> {
        let parent = stat_parent(entry)?;
        let dir = entry.root.calls().open_dir(&entry.parent, "".as_ref(), true, Access::Read);
        let area = Area::own(entry, Place::Own, &parent, Some(dir.map_err(Error::from_io)?));
        area.acquire()?;
        Ok(area)
    }

    /// The state directory; none where it cannot be made or is not on the mount of the link's directory.
    fn state(entry: &'a Entry, parent: &Stat) -> Result<Option<Area<'a>>> {
        let Some(OpenState { dir, id, made }) = entry.root.open_state()? else { return Ok(None) };
        let area = Area::of(entry, Place::State, Some(dir), id, made);
        match id.device == parent.id.device && area.is_on_mount()? {
            true => Ok(Some(area)),
            false if entry.root.is_on_thread() => Err(StateWanted::Beside.into_error()),
            false => Ok(None),
        }
    }

    /// Whether entries can be renamed between the state directory and the link's, which are on one file system.
    fn is_on_mount(&self) -> Result<bool> {
        let root = &self.entry.root;
        // Below the root one mount is crossed to neither of them.
        if root.state().below.is_some() && !root.policy().cross_mounts {
            return Ok(true);
        }
        root.calls().is_same_mount(self.dir(), &self.entry.parent).map_err(Error::from_io)
    }

    /// Takes the lock. False where the last holder of the state directory removed it while this one waited.
    fn acquire(&self) -> Result<bool> {
        lock::take(&self.entry.root, self.dir())?;
        self.taken.set(true);
        let held = !matches!(self.place, Place::State) || self.is_named().map_err(Error::from_io)?;
        self.held.set(held);
        Ok(held)
    }

    /// Makes a private directory in a shared one that is locked.
    fn move_in(mut self) -> Result<Area<'a>> {
        if !matches!(self.place, Place::OwnShared) {
            return Ok(self);
        }
        let (calls, parent) = (self.entry.root.calls(), &self.entry.parent);
        let name = random_name(&self.entry.root).map_err(Error::from_io)?;
        let made = calls.make_dir(parent, &name, 0o700);
        // A call can fail that was carried out. Nobody else makes one of this name.
        if let Err(source) = made
            && !calls.stat_at(parent, &name).is_ok_and(|stat| is_private(calls, &stat))
        {
            return Err(verify::refused(self.entry, source));
        }
        let opened = calls.open_dir(parent, Path::new(&name), false, Access::Search);
        let opened = opened.and_then(|dir| Ok((calls.stat(&dir)?, dir)));
        self.place = Place::Within(name);
        self.made.set(true);
        match opened {
            Ok((stat, dir)) if is_private(calls, &stat) => {
                self.id = stat.id;
                self.locked = self.opened.replace(dir);
                Ok(self)
            }
            // Somebody put something else in its place; they have it, empty as it is.
            Ok(_) => Err(verify::taken()),
            Err(source) => match sys::fault(&source) {
                Fault::Missing | Fault::NotDirectory | Fault::Link | Fault::Crossing => Err(verify::taken()),
                _ => Err(self.remove_unopened().on(verify::refused(self.entry, source))),
            },
        }
    }

    /// Removes the directory that was made just now and could not be opened. Its number is not known: what has its name
    /// is removed if it is one of the caller's that nobody else can enter.
    fn remove_unopened(&self) -> Leftover {
        let calls = self.entry.root.calls();
        self.made.set(false);
        let Some((base, name)) = self.named() else { return Leftover::default() };
        let removed = match calls.stat_at(base, name) {
            Ok(stat) if is_private(calls, &stat) => calls.remove_dir(base, name),
            // Somebody put something else in its place.
            Ok(_) => Ok(()),
            Err(source) => Err(source),
        };
        match removed {
            Err(_) => Leftover::left(self.path()),
            Ok(()) => Leftover::default(),
        }
    }

    /// Where the directory is named, if it is another than the link's own.
    fn named(&self) -> Option<(&Handle, &OsStr)> {
        match &self.place {
            Place::Own | Place::OwnShared => None,
            Place::Within(name) => Some((&self.entry.parent, name)),
            Place::State => {
                let place = self.entry.root.state();
                Some((&place.base, &place.name))
            }
        }
    }

    /// Whether the name of the directory still leads to this one.
    fn is_named(&self) -> io::Result<bool> {
        let Some((base, name)) = self.named() else { return Ok(false) };
        match self.entry.root.calls().stat_at(base, name) {
            Ok(stat) => Ok(stat.id == self.id),
            Err(source) if sys::fault(&source) == Fault::Missing => Ok(false),
            Err(source) => Err(source),
        }
    }

    pub(super) fn dir(&self) -> &Handle {
        self.opened.as_ref().unwrap_or(&self.entry.parent)
    }

    /// Where links are staged.
    pub(super) fn kind(&self) -> Staging {
        match self.place {
            Place::Own | Place::OwnShared => Staging::Beside,
            Place::Within(_) | Place::State => Staging::Private,
        }
    }
}

impl Area<'_> {
    /// Does one change under the lock that is held, or under one that is taken for it.
    pub(super) fn with(
        entry: &Entry,
        held: Option<&Area<'_>>,
        act: impl FnOnce(&Area<'_>) -> Result<Attempt>,
    ) -> Result<Attempt> {
        if let Some(area) = held {
            return act(area);
        }
        let area = Area::lock(entry)?;
        let result = act(&area);
        area.close(result, |changed, shortfall| changed.shortfalls.push(shortfall))
    }

    /// Gives the lock up, and removes the directory if this operation made it. What cannot be removed is reported.
    pub(super) fn close<T>(self, result: Result<Attempt<T>>, add: impl FnOnce(&mut T, Error)) -> Result<Attempt<T>> {
        let leftover = self.remove_made();
        drop(self);
        if leftover.is_empty() {
            return result;
        }
        match result {
            Ok(Attempt::Done(mut done)) => {
                if let Some(shortfall) = leftover.into_shortfall() {
                    add(&mut done, shortfall);
                }
                Ok(Attempt::Done(done))
            }
            Ok(Attempt::Again) => Err(leftover.on(verify::taken())),
            Ok(Attempt::Refused(error)) | Err(error) => Err(leftover.on(error)),
        }
    }

    /// The same where nothing but what cannot be removed is to be told.
    pub(super) fn close_alone(self) -> Leftover {
        self.remove_made()
    }

    /// A directory that this operation made goes with it, under its lock: others may stage in it by now.
    fn remove_made(&self) -> Leftover {
        let calls = self.entry.root.calls();
        let Some((base, name)) = self.named().filter(|_| self.made.replace(false)) else {
            return Leftover::default();
        };
        let locked = if self.held.get() { Ok(true) } else { calls.try_lock(self.dir()) };
        match locked {
            Ok(true) => self.taken.set(true),
            // Whoever has the lock uses it.
            Ok(false) => return Leftover::default(),
            Err(_) => return Leftover::left(self.path()),
        }
        match remove_named(calls, (base, name), self.id) {
            true => Leftover::default(),
            false => Leftover::left(self.path()),
        }
    }

    /// Where it is below the root, as far as that is known.
    fn path(&self) -> PathBuf {
        match &self.place {
            Place::Own | Place::OwnShared => self.entry.dir().to_path_buf(),
            Place::Within(within) => self.entry.dir().join(within),
            Place::State => {
                let place = self.entry.root.state();
                place.below.clone().unwrap_or_else(|| PathBuf::from(&place.name))
            }
        }
    }

    /// Where an entry is below the root, for a report.
    pub(super) fn path_of(&self, dir: &Handle, name: &OsStr) -> PathBuf {
        if std::ptr::eq(dir, self.dir()) { self.path().join(name) } else { self.entry.dir().join(name) }
    }
}

impl Drop for Area<'_> {
    fn drop(&mut self) {
        // Only where an error came before anything was staged, or after a panic.
        let _unreported = self.remove_made();
        if self.taken.get() {
            lock::give_back(&self.entry.root, self.locked.as_ref().unwrap_or(self.dir()));
        }
    }
}

pub(super) fn state_contended() -> Error {
    Error::new(Kind::Contended).because("the state directory keeps changing")
}
