//! Where an edit works: the locks under which it decides, and the directory in which it stages links.
//!
//! Whoever replaces or removes a link holds the lock of the link's own directory, whatever state directory it uses: so
//! all who share a link exclude each other. A directory that the caller cannot open for reading cannot be locked; then
//! the state directory's lock excludes those who use the same one.
//!
//! In a directory that only the caller can write links are staged beside the link. Where somebody else can write, a
//! staged link could be replaced or given a second name, and a displaced entry could be exchanged between the look at it
//! and its unlinking: there both happen in the private state directory, which is on the same mount and which nobody else
//! can enter. Where that cannot be made (the caller may not write the root) or is on another mount, a private directory
//! is made in the link's own. It is chosen when the first link is staged; its lock is taken after that of the link's
//! directory, by all in this order.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use super::halt::{Halt, Lack, OrHalt, state_contended};
use super::lock::Lock;
use super::private::{Holder, PrivateDir};
use super::residue::Residue;
use super::shared::{is_shared, stat_parent};
use super::slot::Slot;
use super::{Attempt, read_back};
use crate::entry::Opened;
use crate::error::{Error, Result};
use crate::model::{ObjectId, STAGED_PREFIX, Staging};
use crate::state::{StateAccess, TRIES};
use crate::sys::{self, Access, Fault, Handle, Stat};

/// The locks of an edit, and where it stages.
pub(super) struct Site<'a> {
    pub(super) entry: &'a Opened<'a>,
    parent: Stat,
    /// Chosen when something is staged first.
    staging: OnceCell<Place<'a>>,
    /// The locks of the links' own directories; none that cannot be taken.
    own: Vec<Lock<'a>>,
    /// Whoever keeps the directory holds its lock.
    kept: bool,
    /// The state directory was removed by its maker before it was locked: the site is of no more use.
    lost: Cell<bool>,
}

enum Place<'a> {
    Beside,
    Private(PrivateDir<'a>),
}

impl<'a> Site<'a> {
    /// Takes the lock of the link's directory.
    pub(super) fn lock(entry: &'a Opened<'a>) -> OrHalt<Site<'a>> {
        Site::lock_each(&[entry])
    }

    /// Takes the locks of the directories of several links, in an order that every holder keeps.
    pub(super) fn lock_each(entries: &[&'a Opened<'a>]) -> OrHalt<Site<'a>> {
        let mut dirs: Vec<(ObjectId, &'a Opened<'a>)> = Vec::new();
        let mut first = None;
        for entry in entries {
            let parent = stat_parent(entry)?;
            first.get_or_insert(parent);
            if dirs.iter().all(|(id, _)| *id != parent.id) {
                dirs.push((parent.id, entry));
            }
        }
        let parent = first.expect("BUG: an edit has a link");
        dirs.sort_by_key(|(id, _)| (id.device, id.inode));
        let kept = entries[0].kept.is_some_and(|kept| kept.is_locked);
        let mut site =
            Site { entry: entries[0], parent, staging: OnceCell::new(), own: Vec::new(), kept, lost: Cell::new(false) };
        if kept {
            return Ok(site);
        }
        let mut all = true;
        for (_, entry) in dirs {
            match readable(entry) {
                Ok(dir) => site.own.push(Lock::take(&entry.root, dir)?),
                Err(source) if sys::fault(&source) == Fault::Denied => all = false,
                Err(source) => return Err(Error::from_io(source).into()),
            }
        }
        if !all {
            site.exclude_by_state()?;
        }
        Ok(site)
    }

    /// Takes the lock of the state directory in place of one that cannot be taken.
    fn exclude_by_state(&self) -> OrHalt<()> {
        for _ in 0..TRIES {
            let Some(mut dir) = self.state()? else {
                return Err(Error::from_io(std::io::ErrorKind::PermissionDenied.into()).into());
            };
            let locked = dir.lock().and_then(|()| dir.is_named().map_err(Error::from_io));
            match locked {
                Ok(true) => {
                    let _first = self.staging.set(Place::Private(dir));
                    return Ok(());
                }
                // Its last holder removed it while this one waited, or others moved it.
                Ok(false) => {
                    let residue = dir.remove(true, Holder::Left);
                    if !residue.is_empty() {
                        return Err(residue.on(state_contended()).into());
                    }
                }
                Err(error) => return Err(dir.remove(false, Holder::Left).on(error).into()),
            }
        }
        Err(state_contended().into())
    }

    /// Whether nobody else who keeps to the locks can be at work on the link: asked right before something is renamed.
    pub(super) fn still_excludes(&self) -> Result<bool> {
        match self.staging.get() {
            Some(Place::Private(dir)) if !self.is_locked() => dir.is_named().map_err(Error::from_io),
            _ => Ok(true),
        }
    }

    /// The directory in which links are staged.
    fn place(&self) -> OrHalt<&Place<'a>> {
        if let Some(place) = self.staging.get() {
            return Ok(place);
        }
        let place = self.choose()?;
        Ok(self.staging.get_or_init(|| place))
    }

    fn choose(&self) -> OrHalt<Place<'a>> {
        if !is_shared(self.entry, &self.parent) {
            return Ok(Place::Beside);
        }
        match self.state()? {
            Some(mut dir) => match dir.lock() {
                Ok(()) => Ok(Place::Private(dir)),
                Err(error) => Err(dir.remove(false, Holder::Left).on(error).into()),
            },
            None => Ok(Place::Private(PrivateDir::within(self.entry)?)),
        }
    }

    /// The state directory; `None` where it cannot be made or is not on the mount of the link's directory.
    fn state(&self) -> OrHalt<Option<PrivateDir<'a>>> {
        let root = &self.entry.root;
        let dir = match root.open_state()? {
            StateAccess::Open(state) => PrivateDir::state(root, state),
            StateAccess::Unavailable => return Ok(None),
            StateAccess::Wanted => return Err(Halt::wanted(Lack::State)),
        };
        match dir.id.device == self.parent.id.device && self.is_on_mount(&dir)? {
            true => Ok(Some(dir)),
            false if root.is_on_thread() => Err(Halt::wanted(Lack::Beside)),
            false => Ok(None),
        }
    }

    /// Whether entries can be renamed between the state directory and the link's, which are on one file system.
    fn is_on_mount(&self, dir: &PrivateDir<'a>) -> Result<bool> {
        let root = &self.entry.root;
        // Below the root one mount is crossed to neither of them.
        if root.state().below.is_some() && !root.policy().cross_mounts {
            return Ok(true);
        }
        root.calls().is_same_mount(&dir.dir, &self.entry.parent).map_err(Error::from_io)
    }
}

impl<'a> Site<'a> {
    /// The site of an edit whose displaced link waits in a directory that is kept. Nothing of it is to be closed.
    pub(super) fn kept(entry: &'a Opened<'a>) -> Site<'a> {
        let kept = entry.kept.expect("BUG: displaced links wait where the directory is kept");
        let staging = OnceCell::from(Place::Beside);
        Site { entry, parent: kept.stat, staging, own: Vec::new(), kept: true, lost: Cell::new(false) }
    }
}

impl Site<'_> {
    /// Whether the lock of the links' own directories is held.
    fn is_locked(&self) -> bool {
        self.kept || !self.own.is_empty()
    }

    /// Whether the link's directory is the one that was opened for it.
    pub(super) fn parent_in_place(&self) -> Result<bool> {
        read_back::leads_to(self.entry, self.parent.id)
    }

    /// Whether what is displaced stays beside the link until the directory is proven to be in its place: it is kept, with its
    /// lock, and nobody but the caller's own user can touch what is there.
    pub(super) fn keeps_displaced(&self) -> bool {
        self.kept && matches!(self.staging.get(), Some(Place::Beside))
    }

    /// A name in the directory in which links are staged.
    pub(super) fn slot<'s>(&'s self, name: &'s std::ffi::OsStr) -> OrHalt<Slot<'s>> {
        Ok(match self.place()? {
            Place::Beside => Slot { dir: &self.entry.parent, name, above: self.entry.dir() },
            Place::Private(dir) => Slot { dir: &dir.dir, name, above: &dir.path },
        })
    }

    pub(super) fn dir(&self) -> OrHalt<&Handle> {
        Ok(match self.place()? {
            Place::Beside => &self.entry.parent,
            Place::Private(dir) => &dir.dir,
        })
    }

    /// Whether nobody but the caller can touch what is at a slot. Nothing is unlinked anywhere else.
    pub(super) fn is_out_of_reach(&self, slot: Slot<'_>) -> bool {
        match self.staging.get() {
            Some(Place::Private(dir)) => std::ptr::eq(slot.dir, &*dir.dir),
            Some(Place::Beside) => {
                let is_staged = slot.name.as_encoded_bytes().starts_with(STAGED_PREFIX.as_bytes());
                std::ptr::eq(slot.dir, &*self.entry.parent) && is_staged
            }
            None => false,
        }
    }

    /// Where links are staged.
    pub(super) fn kind(&self) -> Staging {
        match self.staging.get() {
            Some(Place::Private(_)) => Staging::Private,
            Some(Place::Beside) | None => Staging::Beside,
        }
    }

    /// Notes that the directory in which links are staged is gone.
    pub(super) fn lose(&self) {
        self.lost.set(true);
    }

    /// The same where it is: a name was missing, and that can be the reason.
    pub(super) fn notice_loss(&self) {
        if let Some(Place::Private(dir)) = self.staging.get()
            && dir.is_gone()
        {
            self.lose();
        }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.get()
    }

    /// Releases the locks, and removes the directory that was made for staging. What cannot be removed is residue.
    pub(super) fn close(mut self) -> Residue {
        let above_is_locked = self.is_locked();
        match self.staging.get_mut() {
            Some(Place::Private(dir)) => dir.remove(above_is_locked, Holder::Left),
            _ => Residue::default(),
        }
    }

    /// The same after an attempt, with the residue where the attempt reports it.
    pub(super) fn close_after<T>(
        self,
        result: OrHalt<Attempt<T>>,
        add: impl FnOnce(&mut T, Error),
    ) -> OrHalt<Attempt<T>> {
        let residue = self.close();
        if residue.is_empty() {
            return result;
        }
        match result {
            Ok(Attempt::Done(mut done)) => {
                if let Some(shortfall) = residue.into_shortfall() {
                    add(&mut done, shortfall);
                }
                Ok(Attempt::Done(done))
            }
            Ok(Attempt::Again) => Err(residue.on(read_back::taken()).into()),
            Ok(Attempt::Refused(error)) => Err(residue.on(error).into()),
            Err(halt) => Err(halt.map(|error| residue.on(error))),
        }
    }
}

/// The directory of a link, opened so that it can be locked.
fn readable(entry: &Opened<'_>) -> std::io::Result<Arc<Handle>> {
    if entry.lockable {
        return Ok(Arc::clone(&entry.parent));
    }
    entry.root.calls().open_dir(&entry.parent, "".as_ref(), true, Access::Read).map(Arc::new)
}
