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
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;

use super::lock;
use crate::entry::Entry;
use crate::error::{Error, FileKind, Kind, Result};
use crate::model::{ObjectId, Staging};
use crate::root::Root;
use crate::state::{StateCheck, TRIES};
use crate::sys::{self, Access, Fault, Handle, Stat};

/// Other users may write: a group, everybody.
const WRITABLE_BY_OTHERS: u32 = 0o022;

const STICKY: u32 = 0o1000;

/// A locked directory in which links are staged.
pub(super) struct Area<'a> {
    entry: &'a Entry,
    kind: Staging,
    /// None where it is the link's own directory, opened so that it can be locked.
    opened: Option<Handle>,
    id: ObjectId,
    made: bool,
    held: Cell<bool>,
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
        let parent = entry.root.calls().stat(&entry.parent).map_err(Error::from_io)?;
        if is_shared(entry, &parent) {
            return Ok(None);
        }
        let area = Area::beside(entry, &parent, None);
        Ok(area.acquire()?.then_some(area))
    }

    fn beside(entry: &'a Entry, parent: &Stat, opened: Option<Handle>) -> Area<'a> {
        Area { entry, kind: Staging::Beside, opened, id: parent.id, made: false, held: Cell::new(false) }
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
        let parent = calls.stat(&entry.parent).map_err(Error::from_io)?;
        if is_shared(entry, &parent)
            && let Some(area) = Area::private(entry, &parent)?
        {
            return Ok(area);
        }
        if entry.lockable {
            return Ok(Area::beside(entry, &parent, None));
        }
        match calls.open_dir(&entry.parent, "".as_ref(), true, Access::Read) {
            Ok(dir) => Ok(Area::beside(entry, &parent, Some(dir))),
            // A directory without read permission cannot be locked; the state directory can.
            Err(source) if sys::fault(&source) == Fault::Denied => {
                Area::private(entry, &parent)?.ok_or_else(|| Error::from_io(source))
            }
            Err(source) => Err(Error::from_io(source)),
        }
    }

    /// The state directory; none where it cannot be made or is not on the mount of the link's directory.
    fn private(entry: &'a Entry, parent: &Stat) -> Result<Option<Area<'a>>> {
        let calls = entry.root.calls();
        let Some((dir, made)) = entry.root.state().open(calls)? else { return Ok(None) };
        let id = calls.stat(&dir).map_err(Error::from_io)?.id;
        let held = Cell::new(false);
        let area = Area { entry, kind: Staging::Private, opened: Some(dir), id, made, held };
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

    fn dir(&self) -> &Handle {
        self.opened.as_ref().unwrap_or(&self.entry.parent)
    }

    /// Where links are staged.
    pub(super) fn kind(&self) -> Staging {
        self.kind
    }

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
        calls.symlink(text, dir, &name, directory).map_err(|source| super::verify::refused(self.entry, source))?;
        let pinned = calls.pin(dir, &name).and_then(|pin| Ok((calls.stat(&pin)?.id, pin)));
        let staged = |id, pin| Staged { area: self, dir, name, id, _pin: pin };
        match pinned {
            Ok((id, pin)) => Ok(staged(Some(id), Some(pin))),
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
        let own = std::ptr::eq(dir, self.dir()) || self.kind == Staging::Beside;
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
            Err(_) => return Leftover::left(self.path_of(dir, name)),
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

    /// Below the root where that is known, for a report.
    fn path_of(&self, dir: &Handle, name: &OsStr) -> PathBuf {
        if std::ptr::eq(dir, self.dir()) && self.kind == Staging::Private {
            let place = self.entry.root.state();
            return place.below.clone().unwrap_or_else(|| PathBuf::from(&place.name)).join(name);
        }
        self.entry.dir().join(name)
    }
}

/// How a link is known to be this program's own.
#[derive(Clone, Copy)]
pub(super) enum Ours<'a> {
    /// It is this object, which is pinned.
    Object(ObjectId),
    /// It has this text, one name, and belongs to the caller.
    Text(&'a OsStr),
}

impl Drop for Area<'_> {
    /// A state directory that this operation made goes with it, under its lock: others may stage in it by now.
    fn drop(&mut self) {
        let calls = self.entry.root.calls();
        let free = || calls.try_lock(self.dir()).unwrap_or(false) && self.is_named();
        if self.made && (self.held.get() || free()) {
            let place = self.entry.root.state();
            // Where it is not empty something is kept in it, and was reported.
            let _kept = calls.remove_dir(&place.base, &place.name);
        }
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

/// What could not be cleaned up or put back.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Leftover {
    left: Vec<PathBuf>,
    preserved: Vec<PathBuf>,
}

impl Leftover {
    pub(super) fn left(path: PathBuf) -> Leftover {
        Leftover { left: vec![path], preserved: Vec::new() }
    }

    pub(super) fn preserved(path: PathBuf) -> Leftover {
        Leftover { left: Vec::new(), preserved: vec![path] }
    }

    pub(super) fn and(mut self, other: Leftover) -> Leftover {
        self.left.extend(other.left);
        self.preserved.extend(other.preserved);
        self
    }

    /// The error with what was left over.
    pub(super) fn on(self, error: Error) -> Error {
        error.leaving(self.left, self.preserved)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty() && self.preserved.is_empty()
    }

    /// The error that is reported beside a change that stands.
    pub(super) fn into_shortfall(self) -> Option<Error> {
        if self.is_empty() {
            return None;
        }
        Some(self.on(Error::new(Kind::Residue).because("the change stands, but something could not be cleaned up")))
    }
}

/// Moves an entry back to a name that nothing has; says whether it is there.
pub(super) fn put_back(entry: &Entry, from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> bool {
    let calls = entry.root.calls();
    match calls.rename_new(from, to) {
        Ok(()) => true,
        // A second name fails where the name is taken, as the renaming would; directories have no second names.
        Err(source) if sys::fault(&source) == Fault::Unsupported => match calls.stat_at(from.0, from.1) {
            Ok(stat) if stat.kind == FileKind::Dir => {
                calls.stat_at(to.0, to.1).is_err_and(|source| sys::fault(&source) == Fault::Missing)
                    && calls.rename_over(from, to).is_ok()
            }
            Ok(_) => calls.hard_link(from, to).is_ok() && calls.unlink(from.0, from.1).is_ok(),
            Err(_) => false,
        },
        Err(_) => false,
    }
}

/// Whether somebody else could touch what is staged or displaced in this directory.
///
/// In a sticky directory of a trusted owner nobody can rename or unlink what belongs to the caller.
fn is_shared(entry: &Entry, parent: &Stat) -> bool {
    let user = entry.root.calls().user();
    let trusted = parent.uid == user || parent.uid == 0;
    if parent.mode & WRITABLE_BY_OTHERS == 0 {
        return !trusted;
    }
    if parent.mode & STICKY == 0 || !trusted {
        return true;
    }
    match entry.root.calls().stat_at(&entry.parent, entry.name()) {
        Ok(present) => present.uid != user,
        Err(_) => false,
    }
}

/// Where a link would be staged, as far as can be told without making the state directory.
pub(super) fn predict(entry: &Entry) -> Result<Staging> {
    let calls = entry.root.calls();
    let parent = calls.stat(&entry.parent).map_err(Error::from_io)?;
    if !is_shared(entry, &parent) {
        return Ok(Staging::Beside);
    }
    match entry.root.state().check(calls) {
        StateCheck::Unsafe => Err(entry.root.state().not_private()),
        StateCheck::Absent | StateCheck::Private => Ok(Staging::Private),
    }
}

fn state_contended() -> Error {
    Error::new(Kind::Contended).because("the state directory keeps changing")
}

/// How the names of staged links begin. They are random and of fixed length, so that a 255-byte name can be replaced.
pub(crate) const STAGED_PREFIX: &str = ".caplink-";

fn random_name(root: &Root) -> io::Result<OsString> {
    let mut name = String::with_capacity(STAGED_PREFIX.len() + 32);
    name.push_str(STAGED_PREFIX);
    let random = root.calls().random()?;
    name.extend((0..32).map(|digit| char::from(b"0123456789abcdef"[(random >> (4 * digit) & 0xf) as usize])));
    Ok(name.into())
}
