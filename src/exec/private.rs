//! A directory that only the caller can enter, and that is removed by the edit that made it.
//!
//! It is the state directory, made and removed for an edit where it does not last, or one of a random name in a link's
//! own directory. Whoever may write the directory above can rename it, or remove it while it is empty; what is in it they
//! cannot touch.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::halt::Halt;
use super::lock::Lock;
use super::read_back;
use super::residue::Residue;
use super::slot::random_name;
use crate::entry::Opened;
use crate::error::{Error, Kind};
use crate::model::ObjectId;
use crate::root::Root;
use crate::state::{OpenState, is_private};
use crate::sys::{self, Access, Fault, Handle};

/// An opened private directory. Dropping it removes it if it was made for this.
pub(super) struct PrivateDir<'a> {
    root: &'a Root,
    base: Arc<Handle>,
    name: OsString,
    /// Where it is below the root, as far as that is known.
    pub(super) path: PathBuf,
    pub(super) dir: Arc<Handle>,
    pub(super) id: ObjectId,
    made: bool,
    /// None for one in a link's own directory: whoever uses that holds the lock of the directory above.
    lock: Option<Lock<'a>>,
}

/// What is done about another holder of the lock when the directory is to be removed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// It uses the directory, and finds it as it is.
    Left,
    /// It is waited for.
    Awaited,
}

impl<'a> PrivateDir<'a> {
    /// The state directory, opened for an edit.
    pub(super) fn state(root: &'a Root, OpenState { dir, id, made, name }: OpenState) -> PrivateDir<'a> {
        let place = root.state();
        let path = match &place.below {
            Some(below) => below.with_file_name(&name),
            None => PathBuf::from(&name),
        };
        PrivateDir { root, base: Arc::clone(&place.base), name, path, dir: Arc::new(dir), id, made, lock: None }
    }

    /// Makes one of a random name in the directory of a link, of which the lock is held.
    pub(super) fn within(entry: &'a Opened<'a>) -> Result<PrivateDir<'a>, Halt> {
        let (root, calls) = (&entry.root, entry.root.calls());
        let name = random_name(root).map_err(Error::from_io)?;
        // The call may have taken effect despite the error. Nobody else makes one of this name.
        if let Err(source) = calls.make_dir(&entry.parent, &name, 0o700)
            && !calls.stat_at(&entry.parent, &name).is_ok_and(|stat| is_private(calls, &stat))
        {
            return Err(read_back::refused(entry, source).into());
        }
        let opened = calls.open_dir(&entry.parent, Path::new(&name), false, Access::Search);
        match opened.and_then(|dir| Ok((calls.stat(&dir)?, dir))) {
            Ok((stat, dir)) if is_private(calls, &stat) => {
                let (base, path) = (Arc::clone(&entry.parent), entry.dir().join(&name));
                Ok(PrivateDir { root, base, name, path, dir: Arc::new(dir), id: stat.id, made: true, lock: None })
            }
            // Somebody put something else in its place; they have it, empty as it is.
            Ok(_) => Err(read_back::taken().into()),
            Err(source) => match sys::fault(&source) {
                Fault::Missing | Fault::NotDirectory | Fault::Link | Fault::Crossing => Err(read_back::taken().into()),
                _ => Err(remove_unopened(entry, &name).on(read_back::refused(entry, source)).into()),
            },
        }
    }

    /// Takes its lock, under which whoever made it removes it.
    pub(super) fn lock(&mut self) -> Result<(), Error> {
        self.lock = Some(Lock::take(self.root, Arc::clone(&self.dir))?);
        Ok(())
    }

    /// Whether its name still leads to it.
    pub(super) fn is_named(&self) -> io::Result<bool> {
        match self.root.calls().stat_at(&self.base, &self.name) {
            Ok(stat) => Ok(stat.id == self.id),
            Err(source) if sys::fault(&source) == Fault::Missing => Ok(false),
            Err(source) => Err(source),
        }
    }

    /// Removes it if it was made for this, under its lock: others may stage in it by now.
    ///
    /// Where it is not empty something is kept in it, and was reported. Where another program renamed it, it is residue:
    /// under which name is not known.
    pub(super) fn remove(&mut self, above_is_locked: bool, holder: Holder) -> Residue {
        if !std::mem::take(&mut self.made) {
            return Residue::default();
        }
        if self.lock.is_none() && !above_is_locked {
            self.lock = match holder {
                Holder::Left => match Lock::try_take(self.root, Arc::clone(&self.dir)) {
                    Ok(Some(lock)) => Some(lock),
                    Ok(None) => return Residue::default(),
                    Err(_) => return Residue::left(self.path.clone()),
                },
                Holder::Awaited => match Lock::take(self.root, Arc::clone(&self.dir)) {
                    Ok(lock) => Some(lock),
                    // Whoever holds it that long works in it.
                    Err(error) if error.kind() == Kind::Busy => return Residue::default(),
                    Err(_) => return Residue::left(self.path.clone()),
                },
            };
        }
        if self.is_removed() { Residue::default() } else { Residue::left(self.path.clone()) }
    }

    /// Whether it was removed, by whomever.
    pub(super) fn is_gone(&self) -> bool {
        self.root.calls().stat(&self.dir).is_ok_and(|stat| stat.links == 0)
    }

    fn is_removed(&self) -> bool {
        let calls = self.root.calls();
        let removed = match calls.stat_at(&self.base, &self.name) {
            Ok(stat) if stat.id == self.id => calls.remove_dir(&self.base, &self.name),
            Ok(_) => return self.is_gone(),
            Err(source) => Err(source),
        };
        match removed {
            Ok(()) => true,
            Err(source) => match source.kind() {
                io::ErrorKind::DirectoryNotEmpty => true,
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => self.is_gone(),
                _ => false,
            },
        }
    }
}

impl Drop for PrivateDir<'_> {
    fn drop(&mut self) {
        // Only where another error comes first, or after a panic.
        let _unreported = self.remove(false, Holder::Left);
    }
}

/// Removes a directory that was made just now and could not be opened. Its number is not known: what has its name is
/// removed if it is one of the caller's that nobody else can enter.
fn remove_unopened(entry: &Opened<'_>, name: &OsString) -> Residue {
    let calls = entry.root.calls();
    let removed = match calls.stat_at(&entry.parent, name) {
        Ok(stat) if is_private(calls, &stat) => calls.remove_dir(&entry.parent, name),
        // Somebody put something else in its place.
        Ok(_) => Ok(()),
        Err(source) => Err(source),
    };
    match removed {
        Err(_) => Residue::left(entry.dir().join(name)),
        Ok(()) => Residue::default(),
    }
}
