//! Where groups stage: in the state directory, or in the root's own where the state directory is on another mount.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Kind, Result};
use crate::model::ObjectId;
use crate::resolve::Planned;
use crate::root::Root;
use crate::state::{StateAccess, TRIES, is_private};
use crate::sys::{self, Access, Fault, Handle};

/// What the name of a staging directory begins with in the state directory, and in a root; the id of the group follows.
/// It has the second name from when the group is taken back, so that whoever goes on knows: to rename it needs nothing new.
const IN_STATE: [&str; 2] = ["group-", "undo-"];
const IN_ROOT: [&str; 2] = [".caplink-group-", ".caplink-undo-"];

/// The directory in which the groups of a root stage, each in one of its own.
pub(super) struct Home {
    dir: Handle,
    /// The state directory.
    pub(super) state: ObjectId,
    /// Its path, for reports.
    path: PathBuf,
    prefixes: [&'static str; 2],
}

/// The lock of a staging directory, held until this is dropped.
pub(super) struct Held {
    root: Root,
    pub(super) dir: Arc<Handle>,
    /// The group is being taken back.
    pub(super) falls: bool,
}

impl Home {
    /// The home of the groups that are in the records of this root.
    pub(super) fn of(root: &Root) -> Result<Home> {
        let state = match root.open_state()? {
            StateAccess::Open(state) => state,
            StateAccess::Unavailable | StateAccess::Wanted => {
                let denied = Error::from_io(std::io::ErrorKind::PermissionDenied.into());
                return Err(denied.because("the state directory cannot be opened"));
            }
        };
        let calls = root.calls();
        let below = root.state().below.as_ref();
        // Below the root it can be on another mount only where mounts are crossed.
        let is_near = below.is_some() && !root.policy().cross_mounts
            || calls.is_same_mount(&state.dir, root.handle()).map_err(Error::from_io)?;
        if is_near {
            let path = below.cloned().unwrap_or_else(|| PathBuf::from(&root.state().name));
            return Ok(Home { dir: state.dir, state: state.id, path, prefixes: IN_STATE });
        }
        let dir = calls.open_dir(root.handle(), Path::new(""), true, Access::Read).map_err(Error::from_io)?;
        Ok(Home { dir, state: state.id, path: PathBuf::new(), prefixes: IN_ROOT })
    }

    fn name(&self, id: &str, falls: bool) -> OsString {
        format!("{}{id}", self.prefixes[usize::from(falls)]).into()
    }

    /// The path of a group's staging directory, for reports.
    pub(super) fn path(&self, id: &str, falls: bool) -> PathBuf {
        self.path.join(self.name(id, falls))
    }

    /// Says by the name of a staging directory that its group is taken back.
    pub(super) fn let_fall(&self, root: &Root, id: &str) -> Result<()> {
        let [from, to] = [false, true].map(|falls| self.name(id, falls));
        let renamed = root.calls().rename_over((&self.dir, &from), (&self.dir, &to));
        renamed.map_err(|source| Error::from_io(source).because("it cannot be noted that the group is taken back"))
    }

    /// Makes the staging directory of a group, and takes its lock.
    pub(super) fn make(&self, root: &Root, id: &str) -> Result<Held> {
        for _ in 0..TRIES {
            let made = root.calls().make_dir(&self.dir, &self.name(id, false), 0o700);
            made.or_else(|source| if sys::fault(&source) == Fault::Exists { Ok(()) } else { Err(source) })
                .map_err(Error::from_io)?;
            match self.hold(root, id) {
                Ok(Some(Some(held))) => return Ok(held),
                // Somebody took it for a leftover, and removes it.
                Ok(_) => {}
                Err(error) => {
                    let _gone = root.calls().remove_dir(&self.dir, &self.name(id, false));
                    return Err(error);
                }
            }
        }
        Err(crate::exec::halt::state_contended())
    }

    /// Opens a staging directory and takes its lock. The outer `None` where it is missing, the inner one where somebody else
    /// has the lock.
    pub(super) fn hold(&self, root: &Root, id: &str) -> Result<Option<Option<Held>>> {
        for falls in [false, true] {
            if let Some(held) = self.hold_as(root, id, falls)? {
                return Ok(Some(held));
            }
        }
        Ok(None)
    }

    fn hold_as(&self, root: &Root, id: &str, falls: bool) -> Result<Option<Option<Held>>> {
        let (calls, name) = (root.calls(), self.name(id, falls));
        let dir = match calls.open_dir(&self.dir, Path::new(&name), false, Access::Read) {
            Ok(dir) => dir,
            Err(source) if sys::fault(&source) == Fault::Missing => return Ok(None),
            Err(source) => return Err(Error::from_io(source)),
        };
        let stat = calls.stat(&dir).map_err(Error::from_io)?;
        if !is_private(calls, &stat) {
            let reason = "the directory in which a group staged is not one that only the caller can enter";
            return Err(Error::new(Kind::UnsafeState).because(reason));
        }
        if !calls.try_lock(&dir).map_err(Error::from_io)? {
            return Ok(Some(None));
        }
        let held = Held { root: root.clone(), dir: Arc::new(dir), falls };
        match calls.stat_at(&self.dir, &name) {
            Ok(named) if named.id == stat.id => Ok(Some(Some(held))),
            Err(source) if sys::fault(&source) != Fault::Missing => Err(Error::from_io(source)),
            // Whoever had the lock removed it.
            _ => Ok(None),
        }
    }

    /// Removes the staging directory of a group, if it is empty.
    pub(super) fn remove(&self, root: &Root, id: &str, falls: bool) -> std::io::Result<()> {
        match root.calls().remove_dir(&self.dir, &self.name(id, falls)) {
            Err(source) if sys::fault(&source) == Fault::Missing => Ok(()),
            removed => removed,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.root.calls().unlock(&self.dir);
    }
}

/// The ids of the groups that have a staging directory.
pub(crate) fn leftover(root: &Root) -> Result<Vec<String>> {
    let home = Home::of(root)?;
    let mut ids = Vec::new();
    let mut look = |listed: sys::Listed<'_>| {
        let id = |prefix| listed.name.to_str().and_then(|name| name.strip_prefix(prefix));
        ids.extend(home.prefixes.into_iter().find_map(id).map(str::to_owned));
        ControlFlow::Continue(())
    };
    root.calls().list(&home.dir, &mut look).map_err(Error::from_io)?;
    Ok(ids)
}

/// Refuses a name that nothing could be moved to from there: the home is on the mount of the root.
pub(super) fn near_home(root: &Root, name: &Path, planned: &Planned) -> Result<()> {
    let (calls, dir) = (root.calls(), name.parent().unwrap_or(name));
    if !root.policy().cross_mounts || planned.is_made(dir) {
        return Ok(());
    }
    let opened = calls.open_dir(root.handle(), dir, true, Access::Search).map_err(Error::from_io)?;
    match calls.is_same_mount(&opened, root.handle()).map_err(Error::from_io)? {
        true => Ok(()),
        false => {
            Err(Error::new(Kind::CrossMount).because("it is on another mount than the root, where a group stages"))
        }
    }
}
