//! Lookup without a kernel call that confines it: one component at a time, each opened without being followed.
//!
//! A single name that is not followed leads nowhere but into its directory, so that no sandboxing resolver is needed
//! below it, and a directory that is exchanged for a link is refused by the very call that would have gone through it.
//! The walk holds two descriptors, however deep it goes. The answers are those of `openat2`: a link is `ELOOP`, a
//! mount point `EXDEV`, anything else on the way `ENOTDIR`.
//!
//! Mount points are found by comparing what the platform tells of the mount of each component. Where it tells no more
//! than the device, a bind mount of the same file system is not noticed.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::io::Errno;

use crate::error::FileKind;

/// What tells one mount from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mount {
    /// The kernel's number of the mount.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux numbers its mounts"))]
    Id(u64),
    /// The device of the file system.
    Device(u64),
}

/// An opened component.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) fd: OwnedFd,
    pub(super) kind: FileKind,
    pub(super) mount: Mount,
}

/// Opens one name without following it. A platform that can open directories only answers for anything else as the
/// walk would.
pub(super) type Take = fn(BorrowedFd<'_>, &OsStr) -> io::Result<Step>;

/// Opens the directory that `path` ends in; returns it with the last name, `.` for `base` itself.
pub(super) fn open_parent<'p>(
    base: BorrowedFd<'_>,
    path: &'p Path,
    cross: bool,
    take: Take,
) -> io::Result<(Step, &'p OsStr)> {
    let (parent, name) = match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => (parent, name),
        _ => (path, OsStr::new(".")),
    };
    let mut at = take(base, OsStr::new("."))?;
    for component in parent.components() {
        at = step(&at, component.as_os_str(), cross, take)?;
        if at.kind != FileKind::Dir {
            return Err(not_a_directory(at.kind));
        }
    }
    Ok((at, name))
}

/// Opens one name in an opened directory, a link itself included.
pub(super) fn step(dir: &Step, name: &OsStr, cross: bool, take: Take) -> io::Result<Step> {
    let step = take(dir.fd.as_fd(), name)?;
    if cross || step.mount == dir.mount { Ok(step) } else { Err(Errno::XDEV.into()) }
}

/// The error for a step that does not end in a directory.
pub(super) fn not_a_directory(kind: FileKind) -> io::Error {
    if kind == FileKind::Symlink { Errno::LOOP.into() } else { Errno::NOTDIR.into() }
}
