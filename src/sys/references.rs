//! What processes refer to: root, working directory, program, mapped and open files, as `/proc` tells of each.
//!
//! The kernel gives the path of an object as it is now, also after a directory above it was renamed. A path counts only if
//! the same object is found by it; one through a bind mount elsewhere counts, too. Of a process with another root or other
//! mounts the path says nothing: there the object itself is kept, by device and inode.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, RawDir};
use rustix::io::Errno;

use super::aliases::Aliases;
use super::reference::{Reference, References};
use super::{Handle, LIST_BUFFER};
use crate::model::ObjectId;

/// What of a process names one object each.
const LINKS: [&str; 3] = ["root", "cwd", "exe"];

/// The longest list of mappings or mounts that is read, in bytes.
const READ_MAX: usize = 64 << 20;

/// Looks into every process for what lies in a directory or below it. The files that this one has open do not count: its own
/// descriptors of that directory are among them.
pub(crate) fn references(below: &Handle) -> io::Result<References> {
    let mut found = References { complete: true, ..References::default() };
    let base = link_of(&format!("/proc/self/fd/{}", below.as_fd().as_raw_fd()))?;
    let stat = rustix::fs::fstat(below)?;
    // Without the table only the own path is known.
    let table = rustix::fs::open("/proc/self/mountinfo", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let aliases = table.and_then(|table| read(&table)).map(|table| Aliases::read(&table, &base)).unwrap_or_default();
    let mut look = Look { below, base, aliases, device: stat.st_dev, own: Own::read(), found: &mut found };
    let Ok(proc) = open("/proc") else {
        found.complete = false;
        return Ok(found);
    };
    let mut first = false;
    list(&proc, &mut |name| {
        let process = name.to_str().and_then(|name| name.parse::<u32>().ok());
        if let Some(process) = process {
            first |= process == 1;
            look.process(&proc, process);
        }
    })?;
    // Where others are hidden the first of all is, too.
    found.complete &= first || std::process::id() == 1;
    Ok(found)
}

/// What a process shares with this one, so that paths mean the same.
#[derive(PartialEq, Eq, Clone, Copy, Default)]
struct Own {
    root: Option<(u64, u64)>,
    mounts: Option<(u64, u64)>,
}

impl Own {
    fn read() -> Own {
        Own { root: identity("/proc/self/root"), mounts: identity("/proc/self/ns/mnt") }
    }
}

fn identity(path: &str) -> Option<(u64, u64)> {
    let stat = rustix::fs::stat(path).ok()?;
    Some((stat.st_dev, stat.st_ino))
}

struct Look<'a> {
    below: &'a Handle,
    base: PathBuf,
    aliases: Aliases,
    device: u64,
    own: Own,
    found: &'a mut References,
}

impl Look<'_> {
    fn process(&mut self, proc: &OwnedFd, pid: u32) {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(dir) = rustix::fs::openat(proc, pid.to_string(), flags, Mode::empty()) else { return };
        let looked = self.look_into(&dir, pid);
        // One that ended meanwhile uses nothing.
        if let Err(error) = looked
            && !matches!(error, Errno::NOENT | Errno::SRCH)
        {
            self.found.complete = false;
        }
    }

    fn look_into(&mut self, dir: &OwnedFd, pid: u32) -> Result<(), Errno> {
        let stat = |name: &str| {
            let stat = rustix::fs::statat(dir, name, AtFlags::empty());
            stat.map(|stat| (stat.st_dev, stat.st_ino))
        };
        let root = match stat("root") {
            Ok(root) => Some(root),
            // A task of the kernel, or one that is about to end.
            Err(Errno::NOENT) => None,
            Err(error) => return Err(error),
        };
        let same = Own { root, mounts: stat("ns/mnt").ok() } == self.own;
        for name in LINKS {
            self.refer(dir, OsStr::new(name), (pid, name), same)?;
        }
        if pid == std::process::id() {
            return self.maps(dir, pid, same);
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = rustix::fs::openat(dir, "fd", flags, Mode::empty())?;
        let mut names = Vec::new();
        list(&open, &mut |name| names.push(name.to_os_string())).map_err(|_| Errno::ACCESS)?;
        for name in names {
            self.refer(&open, &name, (pid, "fd"), same)?;
        }
        self.maps(dir, pid, same)
    }

    /// Where in the directory a path leads.
    fn below(&self, path: &Path) -> Option<PathBuf> {
        path.strip_prefix(&self.base).ok().map(Path::to_path_buf).or_else(|| self.aliases.below(path))
    }

    /// Takes what a link of `proc` leads to.
    fn refer(&mut self, dir: &OwnedFd, name: &OsStr, (pid, how): (u32, &'static str), same: bool) -> Result<(), Errno> {
        let text = match rustix::fs::readlinkat(dir, name, Vec::new()) {
            Ok(text) => OsString::from_vec(text.into_bytes()),
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(error),
        };
        // Pipes, sockets and the like have no path.
        if !text.as_bytes().starts_with(b"/") {
            return Ok(());
        }
        let below = self.below(Path::new(&text));
        if below.is_none() && same {
            return Ok(());
        }
        let Ok(stat) = rustix::fs::statat(dir, name, AtFlags::empty()) else { return Ok(()) };
        let id = (stat.st_dev, stat.st_ino);
        self.keep(pid, how, below, same, Some(id), id.1);
        Ok(())
    }

    fn keep(
        &mut self,
        pid: u32,
        how: &'static str,
        below: Option<PathBuf>,
        same: bool,
        id: Option<(u64, u64)>,
        inode: u64,
    ) {
        if let Some(path) = below
            && self.is_there(&path, inode)
        {
            self.found.near.push(Reference { pid, program: program(pid), how, path, id: None });
        } else if let Some((device, inode)) = id.filter(|(device, _)| !same && *device == self.device) {
            let id = Some(ObjectId { device, inode });
            self.found.far.push(Reference { pid, program: program(pid), how, path: PathBuf::new(), id });
        }
    }

    /// Whether the object of this number is what has the path below the directory. The device is not compared: on some file
    /// systems a mapping tells another one than `stat`.
    fn is_there(&self, path: &Path, inode: u64) -> bool {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        rustix::fs::statat(self.below, path, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|stat| stat.st_ino == inode)
    }

    fn maps(&mut self, dir: &OwnedFd, pid: u32, same: bool) -> Result<(), Errno> {
        let maps = rustix::fs::openat(dir, "maps", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let told = read(&maps)?;
        let mut last = None;
        for line in told.split(|byte| *byte == b'\n') {
            let Some((device, inode, path)) = mapping(line) else { continue };
            // A file is mapped in several pieces, one after the other.
            if last.replace((device, inode)) == Some((device, inode)) {
                continue;
            }
            let below = self.below(Path::new(&path));
            self.keep(pid, "map", below, same, Some((device, inode)), inode);
        }
        Ok(())
    }
}

/// Device, inode and path of a line of `maps`; none where no file is mapped.
fn mapping(line: &[u8]) -> Option<(u64, u64, OsString)> {
    let at = line.iter().position(|byte| *byte == b'/')?;
    let mut fields = std::str::from_utf8(&line[..at]).ok()?.split_ascii_whitespace().skip(3);
    let (major, minor) = fields.next()?.split_once(':')?;
    let inode: u64 = fields.next()?.parse().ok()?;
    let number = |hex: &str| u32::from_str_radix(hex, 16).ok();
    let device = rustix::fs::makedev(number(major)?, number(minor)?);
    // Only a newline is written in another way.
    let path = line[at..].to_vec();
    Some((device, inode, OsString::from_vec(path)))
}

/// What a file of `proc` says, up to so much.
fn read(file: &OwnedFd) -> Result<Vec<u8>, Errno> {
    let mut said = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while said.len() < READ_MAX {
        match rustix::io::read(file, &mut buffer)? {
            0 => break,
            count => said.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(said)
}

fn program(pid: u32) -> Option<String> {
    let name = rustix::fs::open(format!("/proc/{pid}/comm"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut buffer = [0; 64];
    let count = rustix::io::read(&name, &mut buffer).ok()?;
    Some(String::from_utf8_lossy(&buffer[..count]).trim_end().to_owned())
}

fn open(path: &str) -> Result<OwnedFd, Errno> {
    rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

fn list(dir: impl AsFd, visit: &mut dyn FnMut(&OsStr)) -> io::Result<()> {
    let mut buffer = Vec::<u8>::with_capacity(LIST_BUFFER);
    let mut entries = RawDir::new(dir, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            visit(OsStr::from_bytes(name));
        }
    }
    Ok(())
}

fn link_of(path: &str) -> io::Result<PathBuf> {
    Ok(OsString::from_vec(rustix::fs::readlink(path, Vec::new())?.into_bytes()).into())
}
