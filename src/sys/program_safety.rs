//! Whether others can change what a program is, before it is started.
//!
//! The path is walked as the kernel walks it, from the directory that the program is started in, through every link. Whoever
//! can write in a directory in which a name of it is looked up can put another program there. Where a directory is sticky
//! others can only do that with what is theirs; in the program's own directory that is not enough.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path};

use rustix::fs::{AtFlags, Mode, OFlags, Stat};

use super::{Handle, posix};
use crate::error::FileKind;

/// Another than the owner may write.
const WRITABLE_BY_OTHERS: Mode = Mode::WGRP.union(Mode::WOTH);

/// A directory that can be searched and not read can be opened on the way where the host has this.
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
const PATH_ONLY: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
const PATH_ONLY: OFlags = OFlags::empty();

/// How many links the kernel follows in one path.
const LINKS_MAX: usize = 40;

/// Why what a path leads to is not safe to start. `None` where others cannot change it, or there is no such program.
pub(super) fn unsafe_at(dir: &Handle, path: &Path, user: u32) -> Option<String> {
    let shown = crate::error::printable(path);
    match walk(dir, path, user) {
        Ok(Found::Safe) => None,
        Ok(Found::Program) => Some(format!("others can write `{shown}`")),
        Ok(Found::Directory) => Some(format!("others can write the directory of `{shown}`")),
        Ok(Found::Above) => Some(format!("others can write a directory on the way to `{shown}`")),
        // What cannot be found or entered cannot be started either.
        Err(_) => None,
    }
}

/// What others can write.
enum Found {
    Safe,
    Program,
    Directory,
    Above,
}

fn walk(dir: &Handle, path: &Path, user: u32) -> rustix::io::Result<Found> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | PATH_ONLY;
    let open = |above: BorrowedFd<'_>, name: &OsStr| rustix::fs::openat(above, name, flags, Mode::empty());
    let mut here: OwnedFd = open(dir.as_fd(), OsStr::new("."))?;
    let mut names: VecDeque<OsString> = VecDeque::new();
    let mut links = 0;
    let mut ahead = Some(path.to_path_buf());
    loop {
        if let Some(path) = ahead.take() {
            if path.is_absolute() {
                here = open(here.as_fd(), OsStr::new("/"))?;
            }
            let parts = path.components().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
            for (place, part) in parts.enumerate() {
                names.insert(place, part.as_os_str().to_os_string());
            }
        }
        let Some(name) = names.pop_front() else { return Ok(Found::Safe) };
        if name == ".." {
            here = open(here.as_fd(), &name)?;
            continue;
        }
        let above = rustix::fs::fstat(&here)?;
        let stat = rustix::fs::statat(&here, &name, AtFlags::SYMLINK_NOFOLLOW)?;
        let sticky = Mode::from_raw_mode(above.st_mode).contains(Mode::SVTX) && is_own(&above, user);
        if is_open_to_others(&above, user) && !(sticky && is_own(&stat, user) && !names.is_empty()) {
            return Ok(if names.is_empty() { Found::Directory } else { Found::Above });
        }
        match kind(&stat) {
            Some(FileKind::Symlink) => {
                links += 1;
                if links > LINKS_MAX {
                    return Err(rustix::io::Errno::LOOP);
                }
                let text = rustix::fs::readlinkat(&here, &name, Vec::new())?;
                ahead = Some(OsString::from_vec(text.into_bytes()).into());
            }
            _ if names.is_empty() => {
                return Ok(if is_open_to_others(&stat, user) { Found::Program } else { Found::Safe });
            }
            _ => here = open(here.as_fd(), &name)?,
        }
    }
}

/// Whether it is a file.
pub(super) fn is_file(stat: &Stat) -> bool {
    kind(stat) == Some(FileKind::File)
}

fn kind(stat: &Stat) -> Option<FileKind> {
    posix::kind(rustix::fs::FileType::from_raw_mode(stat.st_mode))
}

fn is_own(stat: &Stat, user: u32) -> bool {
    stat.st_uid == user || stat.st_uid == 0
}

fn is_open_to_others(stat: &Stat, user: u32) -> bool {
    Mode::from_raw_mode(stat.st_mode).intersects(WRITABLE_BY_OTHERS) || !is_own(stat, user)
}
