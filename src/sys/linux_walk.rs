//! What `openat2` would open, where it is unavailable: by the portable walk, with Linux's `O_PATH`.
//!
//! `O_PATH` opens anything, a link itself included, and has no effect on it, so that each component is looked at after
//! it was opened. What is to be read is opened a second time by its name and compared.
//!
//! Mounts are told apart by their number (`STATX_MNT_ID`, Linux 5.8). Older kernels tell the device only.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, StatxFlags};
use rustix::io::Errno;

use super::portable::{self, Mount, Step};
use super::posix;
use crate::error::FileKind;

/// Tries of a directory that is exchanged between being looked at and being opened for reading.
const TRIES: usize = 128;

/// Opens what is at `path`, as `openat2` does with these flags, without going through a link.
pub(super) fn open(base: BorrowedFd<'_>, path: &Path, flags: OFlags, cross: bool) -> io::Result<OwnedFd> {
    let (dir, name) = portable::open_parent(base, path, cross, take)?;
    for _ in 0..TRIES {
        let step = portable::step(&dir, name, cross, take)?;
        if flags.contains(OFlags::DIRECTORY) && step.kind != FileKind::Dir {
            return Err(portable::not_a_directory(step.kind));
        }
        if step.kind == FileKind::Symlink && !flags.contains(OFlags::NOFOLLOW) {
            return Err(Errno::LOOP.into());
        }
        if flags.contains(OFlags::PATH) {
            return Ok(step.fd);
        }
        if let Some(opened) = open_again(&dir, name, flags, &step)? {
            return Ok(opened);
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// Opens for reading what was looked at; none if another has its name by now.
///
/// By its name: opening `.` in it would need the permission to search it, which reading does not.
fn open_again(dir: &Step, name: &OsStr, flags: OFlags, seen: &Step) -> io::Result<Option<OwnedFd>> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::io::retry_on_intr(|| rustix::fs::openat(&dir.fd, name, flags, Mode::empty())) {
        Ok(opened) => {
            let same = posix::stat(opened.as_fd())?.id == posix::stat(seen.fd.as_fd())?.id;
            Ok((same && look(opened.as_fd())?.1 == seen.mount).then_some(opened))
        }
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn take(dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<Step> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::io::retry_on_intr(|| rustix::fs::openat(dir, name, flags, Mode::empty()))?;
    let (kind, mount) = look(fd.as_fd())?;
    Ok(Step { fd, kind, mount })
}

/// The mount that a descriptor is on.
pub(super) fn mount(of: BorrowedFd<'_>) -> io::Result<Mount> {
    Ok(look(of)?.1)
}

/// Kind and mount of a descriptor, by one call where the kernel tells both.
fn look(of: BorrowedFd<'_>) -> io::Result<(FileKind, Mount)> {
    let wanted = StatxFlags::TYPE | StatxFlags::MNT_ID;
    if let Ok(told) = rustix::fs::statx(of, "", AtFlags::EMPTY_PATH, wanted)
        && StatxFlags::from_bits_retain(told.stx_mask).contains(wanted)
        && let Some(kind) = posix::kind(FileType::from_raw_mode(told.stx_mode.into()))
    {
        return Ok((kind, Mount::Id(told.stx_mnt_id)));
    }
    let stat = posix::stat(of)?;
    Ok((stat.kind, Mount::Device(stat.id.device)))
}
