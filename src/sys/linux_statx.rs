//! Linux: what `statx` says beyond `fstat`, which attributes a file has. It came with Linux 4.11, and filters that are older
//! refuse it.

use std::ffi::OsStr;
use std::io;
use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, FileType, Statx, StatxAttributes, StatxFlags, statx};
use rustix::io::Errno;

use super::{Stat, posix};
use crate::error::FileKind;
use crate::model::ObjectId;

/// A directory, and whether it is append-only.
pub(super) fn stat_dir(dir: BorrowedFd<'_>) -> io::Result<(Stat, bool)> {
    match statx(dir, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS) {
        Ok(told) => Ok((stat_of(&told), told.stx_attributes.contains(StatxAttributes::APPEND))),
        Err(Errno::NOSYS | Errno::PERM) => Ok((posix::stat(dir)?, false)),
        Err(error) => Err(error.into()),
    }
}

/// What is under a name, if it is no link and, unless `cross`, nothing is mounted there. Linux 5.8 tells what is a mount point.
pub(super) fn stat_end(parent: BorrowedFd<'_>, name: &OsStr, cross: bool) -> io::Result<Option<Stat>> {
    // As an `O_PATH` lookup mounts nothing.
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    let told = statx(parent, name, flags, StatxFlags::BASIC_STATS)?;
    if !cross && !told.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let is_crossing = !cross && told.stx_attributes.contains(StatxAttributes::MOUNT_ROOT);
    let stat = stat_of(&told);
    Ok((!is_crossing && stat.kind != FileKind::Symlink).then_some(stat))
}

/// Whether it is immutable, as far as can be asked.
pub(super) fn is_immutable(dir: BorrowedFd<'_>) -> bool {
    statx(dir, "", AtFlags::EMPTY_PATH, StatxFlags::empty())
        .is_ok_and(|told| told.stx_attributes.contains(StatxAttributes::IMMUTABLE))
}

/// Whether an entry is neither immutable nor append-only, as far as can be asked. What something is mounted on is busy.
pub(super) fn may_be_moved(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<bool> {
    let fixed = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
    match statx(parent, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty()) {
        Ok(told) if told.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) => Err(Errno::BUSY.into()),
        Ok(told) => Ok(!told.stx_attributes.intersects(fixed)),
        Err(Errno::NOENT | Errno::NOSYS | Errno::PERM) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn stat_of(told: &Statx) -> Stat {
    let device = rustix::fs::makedev(told.stx_dev_major, told.stx_dev_minor);
    let kind = posix::kind(FileType::from_raw_mode(u32::from(told.stx_mode)));
    Stat {
        id: ObjectId { device, inode: told.stx_ino },
        kind: kind.unwrap_or(FileKind::File),
        mode: u32::from(told.stx_mode) & posix::PERMISSIONS,
        uid: told.stx_uid,
        gid: told.stx_gid,
        links: u64::from(told.stx_nlink),
        size: told.stx_size,
        changed: told.stx_ctime.tv_sec,
    }
}
