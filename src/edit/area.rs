//! Where a new link is made before it is published, and where a displaced entry is looked at.
//!
//! In a directory that only the caller can write both happen beside the link. Where somebody else can write, a staged
//! link could be replaced or given a second name, and a displaced entry could be exchanged between the look at it and
//! its unlinking: there both happen in the private state directory, which is on the same mount and which nobody else
//! can enter. The lock is taken on the directory that is used.
//!
//! Where the state directory cannot be made (the caller may not write the root) or is on another mount, staging
//! falls back to the link's directory, and the outcome says so.

use std::cell::Cell;
use std::ffi::OsStr;
use std::path::PathBuf;

use super::lock;
use crate::entry::Entry;
use crate::error::{Error, Kind, Result};
use crate::model::{ObjectId, Staging};
use crate::state::{StateCheck, TRIES};
use crate::sys::{self, Access, Fault, Handle, Stat};

/// Other users may write: a group, everybody.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Other users may open the directory for reading.
const OPEN_TO_OTHERS: u32 = 0o044;

const STICKY: u32 = 0o1000;

/// A locked directory in which links are staged.
pub(super) struct Area<'a> {
    pub(super) entry: &'a Entry,
    kind: Staging,
    /// None where it is the link's own directory, opened so that it can be locked.
    opened: Option<Handle>,
    id: ObjectId,
    made: bool,
    held: Cell<bool>,
    /// Others can write it, and the state directory is not to be had.
    pub(super) exposed: bool,
}

impl<'a> Area<'a> {
    /// Chooses the directory by who can write the link's own, and takes its lock.
    pub(super) fn lock(entry: &'a Entry) -> Result<Area<'a>> {
        for _ in 0..TRIES {
            let area = Area::choose(entry)?;
            if area.acquire()? {
                return Ok(area);
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
        let area = Area::beside(entry, &parent, None, false);
        Ok(area.acquire()?.then_some(area))
    }

    fn beside(entry: &'a Entry, parent: &Stat, opened: Option<Handle>, exposed: bool) -> Area<'a> {
        Area { entry, kind: Staging::Beside, opened, id: parent.id, made: false, held: Cell::new(false), exposed }
    }

    /// Takes the locks for two entries, in an order that every holder keeps; the second is none where one lock does.
    pub(super) fn lock_both(a: &'a Entry, b: &'a Entry) -> Result<(Area<'a>, Option<Area<'a>>)> {
        for _ in 0..TRIES {
            let (a, b) = (Area::choose(a)?, Area::choose(b)?);
            let key = |area: &Area<'_>| (area.id.device, area.id.inode);
            if a.id == b.id {
                // The one that made the directory is the one to remove it.
                let (area, other) = if b.made { (b, a) } else { (a, b) };
                drop(other);
                if area.acquire()? {
                    return Ok((area, None));
                }
                continue;
            }
            let (first, second) = if key(&a) < key(&b) { (a, b) } else { (b, a) };
            if first.acquire()? && second.acquire()? {
                return Ok((first, Some(second)));
            }
        }
        Err(state_contended())
    }

    /// Opens the directory; its lock is not taken yet.
    fn choose(entry: &'a Entry) -> Result<Area<'a>> {
        let calls = entry.root.calls();
        let parent = stat_parent(entry)?;
        let exposed = is_shared(entry, &parent);
        if (exposed || may_be_held(entry, &parent))
            && let Some(area) = Area::private(entry, &parent)?
        {
            return Ok(area);
        }
        if entry.lockable {
            return Ok(Area::beside(entry, &parent, None, exposed));
        }
        match calls.open_dir(&entry.parent, "".as_ref(), true, Access::Read) {
            Ok(dir) => Ok(Area::beside(entry, &parent, Some(dir), exposed)),
            // A directory without read permission cannot be locked; the state directory can.
            Err(source) if sys::fault(&source) == Fault::Denied => {
                Area::private(entry, &parent)?.ok_or_else(|| Error::from_io(source))
            }
            Err(source) => Err(Error::from_io(source)),
        }
    }

    /// Takes the lock of the link's directory, whoever can write it.
    pub(super) fn lock_beside(entry: &'a Entry) -> Result<Area<'a>> {
        let parent = stat_parent(entry)?;
        let dir = entry.root.calls().open_dir(&entry.parent, "".as_ref(), true, Access::Read);
        let area = Area::beside(entry, &parent, Some(dir.map_err(Error::from_io)?), is_shared(entry, &parent));
        area.acquire()?;
        Ok(area)
    }

    /// The state directory; none where it cannot be made or is not on the mount of the link's directory.
    fn private(entry: &'a Entry, parent: &Stat) -> Result<Option<Area<'a>>> {
        let calls = entry.root.calls();
        let Some((dir, made)) = entry.root.open_state()? else { return Ok(None) };
        let id = calls.stat(&dir).map_err(Error::from_io)?.id;
        let held = Cell::new(false);
        let area = Area { entry, kind: Staging::Private, opened: Some(dir), id, made, held, exposed: false };
        Ok((id.device == parent.id.device).then_some(area))
    }

    /// Takes the lock. False where the last holder of the state directory removed it while this one waited.
    fn acquire(&self) -> Result<bool> {
        let root = &self.entry.root;
        lock::take(root, self.dir())?;
        self.held.set(self.kind != Staging::Private || self.is_named());
        Ok(self.held.get())
    }

    /// Whether the name of the state directory still leads to this one.
    fn is_named(&self) -> bool {
        let place = self.entry.root.state();
        self.entry.root.calls().stat_at(&place.base, &place.name).is_ok_and(|named| named.id == self.id)
    }

    pub(super) fn dir(&self) -> &Handle {
        self.opened.as_ref().unwrap_or(&self.entry.parent)
    }

    /// Where links are staged.
    pub(super) fn kind(&self) -> Staging {
        self.kind
    }

    /// Below the root where that is known, for a report.
    pub(super) fn path_of(&self, dir: &Handle, name: &OsStr) -> PathBuf {
        if std::ptr::eq(dir, self.dir()) && self.kind == Staging::Private {
            let place = self.entry.root.state();
            return place.below.clone().unwrap_or_else(|| PathBuf::from(&place.name)).join(name);
        }
        self.entry.dir().join(name)
    }
}

impl Drop for Area<'_> {
    /// A state directory that this operation made goes with it, under its lock: others may stage in it by now.
    fn drop(&mut self) {
        let calls = self.entry.root.calls();
        let locked = || self.held.get() || calls.try_lock(self.dir()).unwrap_or(false);
        if self.made && locked() && self.is_named() {
            let place = self.entry.root.state();
            // Where it is not empty something is kept in it, and was reported.
            let _kept = calls.remove_dir(&place.base, &place.name);
        }
    }
}

/// Looks at the link's directory. Where nothing can be taken back nothing is begun.
fn stat_parent(entry: &Entry) -> Result<Stat> {
    match entry.root.calls().stat_dir(&entry.parent).map_err(Error::from_io)? {
        (_, true) => {
            let reason = "its directory is append-only: a link in it can be made, but not replaced or removed";
            Err(Error::new(Kind::Permission).because(reason))
        }
        (stat, false) => Ok(stat),
    }
}

/// Whether somebody else could touch what is staged or displaced in this directory.
///
/// In a sticky directory of a trusted owner nobody can rename or unlink what belongs to the caller.
fn is_shared(entry: &Entry, parent: &Stat) -> bool {
    let user = || entry.root.calls().user();
    let trusted = parent.uid == 0 || parent.uid == user();
    if parent.mode & WRITABLE_BY_OTHERS == 0 {
        return !trusted;
    }
    if parent.mode & STICKY == 0 || !trusted {
        return true;
    }
    match entry.root.calls().stat_at(&entry.parent, entry.name()) {
        Ok(present) => present.uid != user(),
        Err(_) => false,
    }
}

/// Whether a stranger could hold the lock of this directory: whoever can open it for reading can.
///
/// Then the lock is taken in the state directory, if the caller named one. Without that the stranger makes edits `busy`.
fn may_be_held(entry: &Entry, parent: &Stat) -> bool {
    entry.root.state().chosen && parent.mode & OPEN_TO_OTHERS != 0
}

/// Where a link would be staged, as far as can be told without making the state directory.
pub(super) fn predict(entry: &Entry) -> Result<Staging> {
    let calls = entry.root.calls();
    let parent = stat_parent(entry)?;
    if !is_shared(entry, &parent) && !may_be_held(entry, &parent) {
        return Ok(Staging::Beside);
    }
    match entry.root.state().check(calls) {
        StateCheck::Unsafe => Err(entry.root.state().not_private()),
        StateCheck::Absent | StateCheck::Private => Ok(Staging::Private),
    }
}

pub(super) fn state_contended() -> Error {
    Error::new(Kind::Contended).because("the state directory keeps changing")
}
