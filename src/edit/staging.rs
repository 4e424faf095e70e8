//! Where a new link is made before it is published, and where a displaced entry is looked at.
//!
//! In a directory that only the caller can write both happen beside the link. Where somebody else can write, a staged
//! link could be replaced or given a second name, and a displaced entry could be exchanged between the look at it and
//! its unlinking: there both happen in the private state directory, which is on the same mount and which nobody else
//! can enter. The lock is taken on the directory that is used.
//!
//! Where the state directory cannot be made (the caller may not write the root) or is on another mount, staging
//! falls back to the link's directory, and the outcome says so.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;

use super::lock;
use crate::entry::Entry;
use crate::error::{Error, FileKind, Kind, Result};
use crate::model::{ObjectId, Staging};
use crate::root::Root;
use crate::state::TRIES;
use crate::sys::{self, Access, Fault, Handle, Stat};

/// Other users may write: a group, everybody.
const WRITABLE_BY_OTHERS: u32 = 0o022;

const STICKY: u32 = 0o1000;

/// A locked directory in which links are staged.
pub(super) struct Area<'a> {
    entry: &'a Entry,
    kind: Staging,
    dir: Handle,
    made: bool,
}

impl<'a> Area<'a> {
    /// Chooses the directory by who can write the link's own, and takes its lock.
    ///
    /// `displaced` is the link that will be taken out of the way, if there is one.
    pub(super) fn lock(entry: &'a Entry, displaced: Option<&Stat>) -> Result<Area<'a>> {
        let calls = entry.root.calls();
        let parent = calls.stat(&entry.parent).map_err(Error::from_io)?;
        if is_shared(&parent, displaced) {
            if let Some(area) = Area::lock_private(entry, &parent)? {
                return Ok(area);
            }
        }
        match calls.open_dir(&entry.parent, "".as_ref(), true, Access::Read) {
            Ok(dir) => {
                lock::take(&entry.root, &dir)?;
                Ok(Area { entry, kind: Staging::Beside, dir, made: false })
            }
            // A directory without read permission cannot be locked; the state directory can.
            Err(source) if sys::fault(&source) == Fault::Denied => {
                Area::lock_private(entry, &parent)?.ok_or_else(|| Error::from_io(source))
            }
            Err(source) => Err(Error::from_io(source)),
        }
    }

    /// The same directory where a link is staged beside another on purpose.
    pub(super) fn kind(&self) -> Staging {
        self.kind
    }

    fn lock_private(entry: &'a Entry, parent: &Stat) -> Result<Option<Area<'a>>> {
        let root = &entry.root;
        let calls = root.calls();
        for _ in 0..TRIES {
            let Some((dir, made)) = root.state().open(calls)? else { return Ok(None) };
            let area = Area { entry, kind: Staging::Private, dir, made };
            let stat = calls.stat(&area.dir).map_err(Error::from_io)?;
            if stat.id.device != parent.id.device {
                return Ok(None);
            }
            lock::take(root, &area.dir)?;
            // Its last holder may have removed it while this one waited.
            let place = root.state();
            match calls.stat_at(&place.base, &place.name) {
                Ok(named) if named.id == stat.id => return Ok(Some(area)),
                _ => {}
            }
        }
        Err(Error::new(Kind::Contended).because("the state directory keeps changing"))
    }

    /// Makes a link under a random name, and pins it.
    pub(super) fn stage(&self, text: &OsStr, directory: bool) -> Result<Staged<'_>> {
        let name = random_name(&self.entry.root).map_err(Error::from_io)?;
        self.stage_as(&self.dir, name, text, directory)
    }

    /// Makes a link under this name beside the entry, and pins it.
    pub(super) fn stage_beside(&self, name: OsString, text: &OsStr, directory: bool) -> Result<Staged<'_>> {
        self.stage_as(&self.entry.parent, name, text, directory)
    }

    fn stage_as<'s>(&'s self, dir: &'s Handle, name: OsString, text: &OsStr, directory: bool) -> Result<Staged<'s>> {
        let calls = self.entry.root.calls();
        calls.symlink(text, dir, &name, directory).map_err(|source| super::verify::refused(self.entry, source))?;
        let pinned = calls.pin(dir, &name).and_then(|pin| {
            let id = calls.stat(&pin)?.id;
            Ok((id, calls.read_pinned(&pin)?, pin))
        });
        let staged = |id, pin| Staged { area: self, dir, name: name.clone(), id, _pin: pin };
        match pinned {
            Ok((id, found, pin)) if found == text => Ok(staged(Some(id), Some(pin))),
            Ok(_) => Err(super::verify::taken()),
            Err(source) => {
                let error = Error::from_io(source);
                Err(staged(None, None).take_back(text, error))
            }
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
    pub(super) fn discard(&self, dir: &Handle, name: &OsStr, is_ours: &dyn Fn(&Stat, &OsStr) -> bool) -> Leftover {
        let calls = self.entry.root.calls();
        let own = std::ptr::eq(dir, &raw const self.dir) || self.kind == Staging::Beside;
        if own {
            return match self.look(dir, name) {
                Ok(Some((stat, text))) if is_ours(&stat, &text) => match calls.unlink(dir, name) {
                    Ok(()) => Leftover::default(),
                    Err(source) if sys::fault(&source) == Fault::Missing => Leftover::default(),
                    Err(_) => Leftover::left(self.path_of(dir, name)),
                },
                Ok(_) => Leftover::default(),
                Err(source) if sys::fault(&source) == Fault::Missing => Leftover::default(),
                Err(_) => Leftover::left(self.path_of(dir, name)),
            };
        }
        let Ok(spare) = self.spare() else { return Leftover::left(self.path_of(dir, name)) };
        match calls.rename_new((dir, name), spare.at()) {
            Ok(()) => {}
            Err(source) if sys::fault(&source) == Fault::Missing => return Leftover::default(),
            Err(_) => return Leftover::left(self.path_of(dir, name)),
        }
        match self.look(&self.dir, &spare.name) {
            Ok(Some((stat, text))) if is_ours(&stat, &text) => match calls.unlink(&self.dir, &spare.name) {
                Ok(()) => Leftover::default(),
                Err(_) => Leftover::left(spare.path()),
            },
            _ => match put_back(self.entry, spare.at(), (dir, name)) {
                true => Leftover::default(),
                false => Leftover::preserved(spare.path()),
            },
        }
    }

    /// Stat and text of a link; none for anything else.
    fn look(&self, dir: &Handle, name: &OsStr) -> io::Result<Option<(Stat, OsString)>> {
        let calls = self.entry.root.calls();
        let stat = calls.stat_at(dir, name)?;
        if stat.kind != FileKind::Symlink {
            return Ok(None);
        }
        Ok(calls.read_link(dir, name)?.map(|text| (stat, text)))
    }

    /// Below the root where that is known, for a report.
    fn path_of(&self, dir: &Handle, name: &OsStr) -> PathBuf {
        if std::ptr::eq(dir, &raw const self.dir) && self.kind == Staging::Private {
            let place = self.entry.root.state();
            return place.below.clone().unwrap_or_else(|| PathBuf::from(&place.name)).join(name);
        }
        self.entry.dir().join(name)
    }
}

impl Drop for Area<'_> {
    /// A state directory that this operation made goes with it, while its lock is still held.
    fn drop(&mut self) {
        if self.made {
            let place = self.entry.root.state();
            // Not empty: something is kept there and was reported, or another holder uses it.
            let _kept = self.entry.root.calls().remove_dir(&place.base, &place.name);
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

    pub(super) fn discard(&self, text: &OsStr) -> Leftover {
        self.area.discard(self.dir, &self.name, &|stat, found| match self.id {
            Some(id) => stat.id == id,
            None => found == text && stat.uid == sys::current_user(),
        })
    }
}

/// A name for an entry that is moved out of the way.
pub(super) struct Spare<'a> {
    area: &'a Area<'a>,
    name: OsString,
}

impl Spare<'_> {
    pub(super) fn at(&self) -> (&Handle, &OsStr) {
        (&self.area.dir, &self.name)
    }

    pub(super) fn path(&self) -> PathBuf {
        self.area.path_of(&self.area.dir, &self.name)
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
fn is_shared(parent: &Stat, displaced: Option<&Stat>) -> bool {
    let user = sys::current_user();
    let trusted = parent.uid == user || parent.uid == 0;
    if parent.mode & WRITABLE_BY_OTHERS == 0 {
        return !trusted;
    }
    let sticky = parent.mode & STICKY != 0;
    !(sticky && trusted && displaced.is_none_or(|link| link.uid == user))
}

/// How the names of staged links begin. They are random and of fixed length, so that a 255-byte name can be replaced.
pub(crate) const STAGED_PREFIX: &str = ".caplink-";

fn random_name(root: &Root) -> io::Result<OsString> {
    Ok(format!("{STAGED_PREFIX}{:032x}", root.calls().random()?).into())
}
