//! The calls for what outlasts an edit: files of the state directory, and what tells things apart for longer than they
//! are open. Where they are unavailable there are no records.

use std::ffi::OsStr;
use std::io;
#[cfg(unix)]
use std::os::fd::AsFd as _;

#[cfg(unix)]
mod caller;
#[cfg(unix)]
mod file;
#[cfg(windows)]
#[path = "file_windows.rs"]
mod file;
#[cfg(unix)]
mod lasting;

use super::{Handle, Stat};

#[cfg(unix)]
pub(crate) use caller::caller;
pub(crate) use file::OpenFile;
#[cfg(all(unix, feature = "manage"))]
pub(crate) use lasting::this_process;
#[cfg(unix)]
pub(crate) use lasting::{lock_holder, process_start};

/// What a file of the state directory is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileUse {
    /// It is read.
    Read,
    /// It is read, and written at its end only.
    Append,
    /// It is read, and written anywhere.
    Write,
    /// It is made, readable by the caller alone, and must not be there.
    WriteNew,
}

/// What tells a directory from others for longer than it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lasting {
    /// The id of its file system, where that has one that is not the number of a device.
    pub(crate) file_system: Option<u64>,
    pub(crate) inode: u64,
    /// When the inode was made, in seconds and nanoseconds, where the file system keeps that.
    pub(crate) birth: Option<(i64, u32)>,
}

/// Who runs this process, as far as the system tells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    pub(crate) uid: u32,
    pub(crate) user: Option<String>,
    pub(crate) login_uid: Option<u32>,
    pub(crate) login_user: Option<String>,
    pub(crate) parent: u32,
    pub(crate) program: Option<String>,
    pub(crate) host: Option<String>,
}

/// The calls. A world in memory has none of them.
pub(crate) trait Keep {
    /// Opens a regular file of this directory, without going through a link.
    fn open_file(&self, _dir: &Handle, _name: &OsStr, _how: FileUse) -> io::Result<OpenFile> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// What tells this directory from others for longer than it is open.
    fn lasting(&self, _dir: &Handle) -> io::Result<Lasting> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Shows each directory above this one, up to the top.
    fn above(&self, _dir: &Handle, _look: &mut dyn FnMut(&Stat)) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
type Native = super::linux::Linux;
#[cfg(all(unix, not(target_os = "linux")))]
type Native = super::unix::Unix;
#[cfg(windows)]
type Native = super::windows::Windows;

#[cfg(unix)]
impl Keep for Native {
    fn open_file(&self, dir: &Handle, name: &OsStr, how: FileUse) -> io::Result<OpenFile> {
        file::open(dir.as_fd(), name, how)
    }

    fn lasting(&self, dir: &Handle) -> io::Result<Lasting> {
        lasting::lasting(dir.as_fd())
    }

    fn above(&self, dir: &Handle, look: &mut dyn FnMut(&Stat)) -> io::Result<()> {
        lasting::above(dir.as_fd(), look)
    }
}

#[cfg(windows)]
impl Keep for Native {}

#[cfg(all(unix, feature = "adversary"))]
impl Keep for super::memory::Memory {}

#[cfg(windows)]
pub(crate) fn process_start(_process: u32) -> Option<u64> {
    None
}

#[cfg(windows)]
pub(crate) fn lock_holder(_of: &Stat) -> Option<(u32, Option<String>)> {
    None
}

#[cfg(windows)]
pub(crate) fn caller() -> Caller {
    Caller::default()
}

#[cfg(all(windows, feature = "manage"))]
pub(crate) fn this_process() -> (u32, Option<String>) {
    (std::process::id(), None)
}
