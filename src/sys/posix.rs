//! The calls that Linux, macOS and the BSDs share, on descriptors.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStringExt as _;

use rustix::fs::{Access, AtFlags, FileType, FlockOperation, Mode};
use rustix::io::Errno;

use super::Stat;
use crate::error::FileKind;
use crate::model::ObjectId;

/// Major and minor number of a device.
#[allow(clippy::allow_attributes, reason = "which casts are needless depends on the platform")]
#[allow(clippy::unnecessary_cast, clippy::cast_possible_truncation, trivial_numeric_casts, reason = "as above")]
pub(super) fn device_numbers(device: u64) -> (u32, u32) {
    let device = device as rustix::fs::Dev;
    (rustix::fs::major(device) as u32, rustix::fs::minor(device) as u32)
}

/// The permission, set-id and sticky bits of a mode.
pub(super) const PERMISSIONS: u32 = 0o7777;

/// Texts shorter than this, in bytes, are read in one call.
const SHORT_TEXT: usize = 256;

pub(super) fn stat(fd: BorrowedFd<'_>) -> io::Result<Stat> {
    Ok(told(&rustix::fs::fstat(fd)?))
}

pub(super) fn stat_at(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<Stat> {
    Ok(told(&rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?))
}

// The fields of `stat` have other widths on other platforms.
#[allow(clippy::allow_attributes, reason = "which casts are needless depends on the platform")]
#[allow(clippy::unnecessary_cast, clippy::cast_sign_loss, trivial_numeric_casts, reason = "as above")]
fn told(stat: &rustix::fs::Stat) -> Stat {
    Stat {
        id: ObjectId { device: stat.st_dev as u64, inode: stat.st_ino as u64 },
        kind: kind(FileType::from_raw_mode(stat.st_mode)).unwrap_or(FileKind::File),
        mode: stat.st_mode as u32 & PERMISSIONS,
        uid: stat.st_uid,
        gid: stat.st_gid,
        links: stat.st_nlink as u64,
        size: stat.st_size as u64,
        changed: stat.st_ctime as i64,
    }
}

pub(super) fn kind(of: FileType) -> Option<FileKind> {
    Some(match of {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Dir,
        FileType::Symlink => FileKind::Symlink,
        FileType::Fifo => FileKind::Fifo,
        FileType::Socket => FileKind::Socket,
        FileType::CharacterDevice => FileKind::CharDevice,
        FileType::BlockDevice => FileKind::BlockDevice,
        FileType::Unknown => return None,
    })
}

/// The text of the link of this name; none where the name belongs to something else.
pub(super) fn read_link(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<Option<OsString>> {
    match read_text(parent, name) {
        Ok(text) => Ok(Some(text)),
        Err(Errno::INVAL) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The text of the link of this name, or of the pinned link where the name is empty.
pub(super) fn read_text(parent: BorrowedFd<'_>, name: &OsStr) -> rustix::io::Result<OsString> {
    // Most texts are short: they are read where nothing has to be allocated, and kept in as much as they need.
    let mut buffer = [0; SHORT_TEXT];
    let length = rustix::fs::readlinkat_raw(parent, name, &mut buffer)?;
    let text = match buffer.get(..length).filter(|_| length < SHORT_TEXT) {
        Some(text) => text.to_vec(),
        // It may go on.
        None => rustix::fs::readlinkat(parent, name, Vec::with_capacity(2 * SHORT_TEXT))?.into_bytes(),
    };
    Ok(OsString::from_vec(text))
}

pub(super) fn symlink(text: &OsStr, parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    Ok(rustix::fs::symlinkat(text, parent, name)?)
}

pub(super) fn make_dir(parent: BorrowedFd<'_>, name: &OsStr, mode: u32) -> io::Result<()> {
    Ok(rustix::fs::mkdirat(parent, name, Mode::from_bits_truncate(mode as _))?)
}

pub(super) fn remove_dir(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
}

pub(super) fn unlink(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    Ok(rustix::fs::unlinkat(parent, name, AtFlags::empty())?)
}

pub(super) fn rename_over(from: (BorrowedFd<'_>, &OsStr), to: (BorrowedFd<'_>, &OsStr)) -> io::Result<()> {
    Ok(rustix::fs::renameat(from.0, from.1, to.0, to.1)?)
}

pub(super) fn hard_link(from: (BorrowedFd<'_>, &OsStr), to: (BorrowedFd<'_>, &OsStr)) -> io::Result<()> {
    Ok(rustix::fs::linkat(from.0, from.1, to.0, to.1, AtFlags::empty())?)
}

pub(super) fn leads_somewhere(parent: BorrowedFd<'_>, text: &OsStr) -> io::Result<bool> {
    match rustix::fs::statat(parent, text, AtFlags::empty()) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn may_change_names(dir: BorrowedFd<'_>) -> io::Result<bool> {
    match rustix::fs::accessat(dir, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS) {
        Ok(()) => Ok(true),
        Err(Errno::ACCESS) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn unlock(dir: BorrowedFd<'_>) {
    // Dropping the descriptor gives it back as well, unless a forked process has a copy of it.
    let _given_back = rustix::fs::flock(dir, FlockOperation::Unlock);
}

pub(super) fn try_lock(dir: BorrowedFd<'_>) -> io::Result<bool> {
    try_flock(dir, FlockOperation::NonBlockingLockExclusive)
}

#[cfg(feature = "records")]
pub(super) fn try_lock_shared(file: BorrowedFd<'_>) -> io::Result<bool> {
    try_flock(file, FlockOperation::NonBlockingLockShared)
}

fn try_flock(file: BorrowedFd<'_>, how: FlockOperation) -> io::Result<bool> {
    loop {
        match rustix::fs::flock(file, how) {
            Ok(()) => return Ok(true),
            Err(Errno::WOULDBLOCK) => return Ok(false),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
