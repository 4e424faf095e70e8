//! Windows, on cap-std alone.
//!
//! What is weaker than on Linux:
//!
//! - There is no exchange and no renaming without replacing: every replacement and removal is `cooperative`, and what
//!   cannot be put back is kept and named.
//! - A link is of one of two kinds, for a file or for a directory. What it will lead to is looked at, or the caller
//!   says it; a target that is missing counts as a file.
//! - cap-std stores no absolute text: that is `unsupported`.
//! - The lock is a file in the directory, which the system removes with its holder. After a power cut it can stay
//!   behind, and has to be removed by hand.
//! - Who else may write a directory is not looked at: links are staged beside the link.
//! - Directories cannot be synced: a durability other than `none` is reported as not reached.
//!
//! It is checked by the compiler; no test has run on Windows.

use std::ffi::{OsStr, OsString};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use cap_fs_ext::{DirExt as _, FollowSymlinks, OpenOptionsExt as _, OpenOptionsFollowExt as _};
use cap_std::fs::{Dir, OpenOptions};

use super::windows_handle::{hold, is_absolute, link_fault, look, open_dir};
use super::{Abilities, Access, Calls, LinkRules, Listed, Stat, privilege, random};
use crate::error::FileKind;

pub(crate) use super::windows_handle::Handle;
pub(super) use super::windows_handle::is_link_fault;

/// The name of the lock file; it is there while the lock is held.
const LOCK_NAME: &str = ".caplink-lock";

/// `DELETE | GENERIC_WRITE`, `FILE_FLAG_DELETE_ON_CLOSE` (winnt.h, winbase.h).
const DELETE_AND_WRITE: u32 = 0x0001_0000 | 0x4000_0000;
const DELETE_ON_CLOSE: u32 = 0x0400_0000;

/// `ERROR_SHARING_VIOLATION` (winerror.h): another has the file open.
const SHARING_VIOLATION: i32 = 32;

/// A handle to the directory of a capability.
pub(crate) fn root_handle(dir: Dir) -> Handle {
    dir.into()
}

/// Users have no number here.
pub(crate) fn current_user() -> u32 {
    0
}

#[expect(clippy::unnecessary_wraps, reason = "on Linux the calls are probed here")]
pub(super) fn calls(_dir: &Handle) -> io::Result<Arc<dyn Calls>> {
    Ok(Arc::new(Windows))
}

#[derive(Debug)]
pub(super) struct Windows;

/// Splits off the last name; the directory before it is opened.
fn open_parent<'p>(base: &Handle, path: &'p Path, cross: bool) -> io::Result<(Dir, Option<&'p OsStr>)> {
    let parent = path.parent().unwrap_or(path);
    Ok((open_dir(base.dir()?, parent, cross)?, path.file_name()))
}

/// Takes hold of what `path` ends in, a link included.
fn reach(base: &Handle, path: &Path, cross: bool) -> io::Result<(Handle, Stat)> {
    let (dir, name) = open_parent(base, path, cross)?;
    let Some(name) = name else {
        let handle = Handle::from(dir);
        let stat = handle.look()?.stat;
        return Ok((handle, stat));
    };
    let (handle, stat) = hold(&dir, name)?;
    let here = Handle::from(dir).look()?.stat.id.device;
    if !cross && (handle.dir().is_err() && stat.kind == FileKind::Dir || stat.id.device != here) {
        return Err(io::ErrorKind::CrossesDevices.into());
    }
    Ok((handle, stat))
}

impl Calls for Windows {
    fn abilities(&self, _dir: &Handle) -> Abilities {
        Abilities { confined_open: false, exchange: false, no_replace: false }
    }

    fn narrowed(&self, _to: Abilities) -> Arc<dyn Calls> {
        Arc::new(Windows)
    }

    fn open_dir(&self, base: &Handle, path: &Path, cross: bool, _access: Access) -> io::Result<Handle> {
        Ok(open_dir(base.dir()?, path, cross)?.into())
    }

    fn reach(&self, base: &Handle, path: &Path, directory: bool, cross: bool) -> io::Result<Handle> {
        let (handle, stat) = reach(base, path, cross)?;
        match stat.kind {
            FileKind::Symlink => Err(link_fault()),
            kind if directory && kind != FileKind::Dir => Err(io::ErrorKind::NotADirectory.into()),
            _ => Ok(handle),
        }
    }

    fn reach_entry(&self, base: &Handle, path: &Path, cross: bool) -> io::Result<Handle> {
        Ok(reach(base, path, cross)?.0)
    }

    fn pin(&self, parent: &Handle, name: &OsStr) -> io::Result<Handle> {
        Ok(hold(parent.dir()?, name)?.0)
    }

    fn stat(&self, handle: &Handle) -> io::Result<Stat> {
        Ok(handle.look()?.stat)
    }

    fn stat_at(&self, parent: &Handle, name: &OsStr) -> io::Result<Stat> {
        Ok(look(parent.dir()?, name)?.stat)
    }

    fn read_pinned(&self, link: &Handle) -> io::Result<OsString> {
        link.look()?.text.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn read_link(&self, parent: &Handle, name: &OsStr) -> io::Result<Option<OsString>> {
        Ok(look(parent.dir()?, name)?.text)
    }

    fn link_rules(&self, _link: &Handle) -> io::Result<LinkRules> {
        Ok(LinkRules::default())
    }

    fn try_follow(&self, _parent: &Handle, _name: &OsStr) -> io::Result<()> {
        Ok(())
    }

    fn leads_somewhere(&self, _parent: &Handle, _text: &OsStr) -> io::Result<bool> {
        unsupported("what is outside the root is not looked at here")
    }

    fn list(&self, dir: &Handle, visit: &mut dyn FnMut(Listed<'_>) -> ControlFlow<()>) -> io::Result<()> {
        for entry in dir.dir()?.entries()? {
            let entry = entry?;
            let of = entry.file_type()?;
            // What stands for something else is looked at before it is called a link.
            let kind = (!of.is_symlink()).then(|| if of.is_dir() { FileKind::Dir } else { FileKind::File });
            if visit(Listed { name: &entry.file_name(), kind }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn symlink(&self, text: &OsStr, parent: &Handle, name: &OsStr, directory: bool) -> io::Result<()> {
        let dir = parent.dir()?;
        if is_absolute(Path::new(text)) {
            return unsupported("an absolute text cannot be stored on Windows");
        }
        let made = if directory { dir.symlink_dir(text, name) } else { dir.symlink_file(text, name) };
        made.map_err(privilege::explain)
    }

    fn make_dir(&self, parent: &Handle, name: &OsStr, _mode: u32) -> io::Result<()> {
        parent.dir()?.create_dir(name)
    }

    fn remove_dir(&self, parent: &Handle, name: &OsStr) -> io::Result<()> {
        let dir = parent.dir()?;
        // Removing a directory by its name would take a link for a directory as well.
        dir.open_dir_nofollow(name).map(drop)?;
        dir.remove_dir(name)
    }

    fn exchange(&self, _a: (&Handle, &OsStr), _b: (&Handle, &OsStr)) -> io::Result<()> {
        unsupported("Windows cannot exchange two names")
    }

    fn rename_new(&self, _from: (&Handle, &OsStr), _to: (&Handle, &OsStr)) -> io::Result<()> {
        unsupported("Windows cannot rename without replacing by safe means")
    }

    fn rename_over(&self, from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> io::Result<()> {
        from.0.dir()?.rename(from.1, to.0.dir()?, to.1)
    }

    /// The system would give a second name to what a link leads to.
    fn hard_link(&self, _from: (&Handle, &OsStr), _to: (&Handle, &OsStr)) -> io::Result<()> {
        unsupported("a link cannot have a second name on Windows")
    }

    fn unlink(&self, parent: &Handle, name: &OsStr) -> io::Result<()> {
        let dir = parent.dir()?;
        match look(dir, name)?.stat.kind {
            FileKind::Dir => Err(io::ErrorKind::IsADirectory.into()),
            // A link for a directory goes by another call than one for a file.
            _ => dir.remove_file_or_symlink(name),
        }
    }

    /// Makes the lock file, which nobody else can while it is there.
    fn try_lock(&self, dir: &Handle) -> io::Result<bool> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).follow(FollowSymlinks::No);
        options.access_mode(DELETE_AND_WRITE).share_mode(0).custom_flags(DELETE_ON_CLOSE);
        let at = dir.dir()?;
        match at.open_with(LOCK_NAME, &options) {
            Ok(file) => Ok(dir.lock.set(file).is_ok()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) if error.raw_os_error() == Some(SHARING_VIOLATION) => Ok(false),
            // A lock file that is going away is refused like one that may not be made.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => match at.symlink_metadata(LOCK_NAME) {
                Err(gone) if gone.kind() == io::ErrorKind::NotFound => Err(error),
                _ => Ok(false),
            },
            Err(error) => Err(error),
        }
    }

    fn sync_dir(&self, _dir: &Handle) -> io::Result<()> {
        unsupported("a directory cannot be synced on Windows")
    }

    fn sync_file_system(&self, _dir: &Handle) -> io::Result<()> {
        unsupported("a file system cannot be synced on Windows")
    }

    fn random(&self) -> io::Result<u128> {
        Ok(random::random())
    }
}

fn unsupported<T>(reason: &'static str) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, reason))
}
