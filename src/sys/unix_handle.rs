//! What the calls of macOS and the BSDs hold: a directory, or one name in a directory.
//!
//! Only Linux can open any entry without an effect on it. Here a directory is opened for searching where the platform
//! has a way of that, and anything else is remembered as its directory, its name and its identity. A link is held
//! open besides, so that its inode number is not given to another, where the platform can open one: with `O_SYMLINK`
//! on macOS, with `O_PATH` on FreeBSD.
//!
//! A remembered entry is looked at by its name. If the name belongs to another by then, that is noticed and answered
//! with `WouldBlock`; one that was exchanged and exchanged back between two looks is not noticed.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::portable::{Mount, Step, not_a_directory};
use super::{Stat, posix};
use crate::error::FileKind;
use crate::model::ObjectId;

/// Tries of an entry that changes between two looks.
const TRIES: usize = 128;

/// Opens a directory for searching, with no permission on the directory itself.
const SEARCH: OFlags = search_flag();

const fn search_flag() -> OFlags {
    #[cfg(target_os = "freebsd")]
    let flag = OFlags::PATH;
    // O_EXEC of <sys/fcntl.h>, which makes O_SEARCH together with O_DIRECTORY. A system that does not know it opens
    // for reading.
    #[cfg(target_vendor = "apple")]
    let flag = OFlags::from_bits_retain(0x4000_0000);
    // O_SEARCH of <sys/fcntl.h>.
    #[cfg(target_os = "netbsd")]
    let flag = OFlags::from_bits_retain(0x0080_0000);
    // No such flag: a directory that may only be searched cannot be opened.
    #[cfg(not(any(target_os = "freebsd", target_vendor = "apple", target_os = "netbsd")))]
    let flag = OFlags::RDONLY;
    flag
}

/// Opens a link itself, where the platform can.
const PIN: Option<OFlags> = pin_flags();

const fn pin_flags() -> Option<OFlags> {
    #[cfg(target_os = "freebsd")]
    let flags = Some(OFlags::PATH.union(OFlags::NOFOLLOW));
    // What takes the link's place meanwhile must not be waited for.
    #[cfg(target_vendor = "apple")]
    let flags = Some(OFlags::SYMLINK.union(OFlags::NONBLOCK));
    #[cfg(not(any(target_os = "freebsd", target_vendor = "apple")))]
    let flags = None;
    flags
}

/// A directory, or one name in a directory.
#[derive(Debug)]
pub(crate) struct Handle {
    /// The directory; for an entry the one it is in.
    dir: super::handle::Handle,
    entry: Option<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: OsString,
    id: ObjectId,
    /// While it is open the inode number is not given to another.
    pin: Option<OwnedFd>,
}

impl From<OwnedFd> for Handle {
    fn from(dir: OwnedFd) -> Handle {
        Handle { dir: dir.into(), entry: None }
    }
}

#[cfg(all(feature = "adversary", not(target_os = "linux")))]
impl From<super::memory::Pin> for Handle {
    fn from(pin: super::memory::Pin) -> Handle {
        Handle { dir: pin.into(), entry: None }
    }
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

impl Handle {
    #[cfg(all(feature = "adversary", not(target_os = "linux")))]
    pub(super) fn pin(&self) -> &super::memory::Pin {
        self.dir.pin()
    }

    pub(super) fn stat(&self) -> io::Result<Stat> {
        let Some(entry) = &self.entry else { return posix::stat(self.as_fd()) };
        match &entry.pin {
            Some(pin) => posix::stat(pin.as_fd()),
            None => same(posix::stat_at(self.as_fd(), &entry.name)?, entry),
        }
    }

    /// The text of a link, looked at by its name between two looks at its identity.
    pub(super) fn read_link(&self) -> io::Result<OsString> {
        let Some(entry) = &self.entry else { return Err(Errno::NOENT.into()) };
        let text = posix::read_link(self.as_fd(), &entry.name)?.ok_or(Errno::NOENT)?;
        same(posix::stat_at(self.as_fd(), &entry.name)?, entry)?;
        Ok(text)
    }
}

fn same(stat: Stat, entry: &Entry) -> io::Result<Stat> {
    if stat.id == entry.id { Ok(stat) } else { Err(io::ErrorKind::WouldBlock.into()) }
}

/// Takes hold of whatever is under the name, without following it.
pub(super) fn hold(dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<(Handle, Stat)> {
    for _ in 0..TRIES {
        let seen = posix::stat_at(dir, name)?;
        let pin = match seen.kind {
            FileKind::Dir => {
                let opened = open_dir(dir, name, SEARCH)?;
                let stat = posix::stat(opened.as_fd())?;
                return Ok((opened.into(), stat));
            }
            FileKind::Symlink => match pin(dir, name, &seen)? {
                Pinned::Held(pin) => Some(pin),
                Pinned::Impossible => None,
                Pinned::Gone => continue,
            },
            _ => None,
        };
        let entry = Entry { name: name.to_os_string(), id: seen.id, pin };
        return Ok((Handle { dir: dir.try_clone_to_owned()?.into(), entry: Some(entry) }, seen));
    }
    Err(io::ErrorKind::WouldBlock.into())
}

enum Pinned {
    Held(OwnedFd),
    /// This platform cannot open a link, or this caller may not.
    Impossible,
    /// Another is under the name by now.
    Gone,
}

fn pin(dir: BorrowedFd<'_>, name: &OsStr, seen: &Stat) -> io::Result<Pinned> {
    let Some(flags) = PIN else { return Ok(Pinned::Impossible) };
    let open = || rustix::fs::openat(dir, name, flags | OFlags::CLOEXEC, Mode::empty());
    match rustix::io::retry_on_intr(open) {
        Ok(pin) if posix::stat(pin.as_fd())?.id == seen.id => Ok(Pinned::Held(pin)),
        Ok(_) | Err(Errno::NOENT) => Ok(Pinned::Gone),
        Err(error @ (Errno::MFILE | Errno::NFILE)) => Err(error.into()),
        Err(_) => Ok(Pinned::Impossible),
    }
}

/// One step of the portable walk. What is no directory is refused as the walk would.
pub(super) fn take(dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<Step> {
    let fd = open_dir(dir, name, SEARCH)?;
    let mount = mount(fd.as_fd())?;
    Ok(Step { fd, kind: FileKind::Dir, mount })
}

/// Opens a directory without following its name; a link is `ELOOP`, which every system has another number for.
pub(super) fn open_dir(dir: BorrowedFd<'_>, name: &OsStr, access: OFlags) -> io::Result<OwnedFd> {
    let flags = access | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    for _ in 0..TRIES {
        let refused = match rustix::io::retry_on_intr(|| rustix::fs::openat(dir, name, flags, Mode::empty())) {
            Ok(opened) => return Ok(opened),
            Err(refused) => refused,
        };
        match posix::stat_at(dir, name)?.kind {
            // It may have become one between the two calls.
            FileKind::Dir if matches!(refused, Errno::LOOP | Errno::NOTDIR | Errno::MLINK) => {}
            FileKind::Dir => return Err(refused.into()),
            other => return Err(not_a_directory(other)),
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// The device: a bind mount has one of its own on these systems (FreeBSD's nullfs).
pub(super) fn mount(of: BorrowedFd<'_>) -> io::Result<Mount> {
    Ok(Mount::Device(posix::stat(of)?.id.device))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::portable;
    use super::*;

    fn tree() -> (cap_tempfile::TempDir, OwnedFd) {
        let dir = cap_tempfile::tempdir(cap_std::ambient_authority()).unwrap();
        dir.create_dir_all("a/b").unwrap();
        dir.write("a/file", "").unwrap();
        dir.symlink("b", "a/l").unwrap();
        let fd = dir.open("a").unwrap().into_std().into();
        (dir, fd)
    }

    fn errno<T>(result: io::Result<T>) -> Option<Errno> {
        result.err().and_then(|error| Errno::from_io_error(&error))
    }

    #[test]
    fn an_entry_is_held_by_its_name_and_identity() {
        let (dir, a) = tree();
        for (name, kind) in [("b", FileKind::Dir), ("file", FileKind::File), ("l", FileKind::Symlink)] {
            let (handle, stat) = hold(a.as_fd(), OsStr::new(name)).unwrap();
            assert_eq!((handle.stat().unwrap(), stat.kind), (stat, kind), "{name}");
            assert_eq!(handle.read_link().ok(), (name == "l").then(|| "b".into()), "{name}");
        }
        assert_eq!(errno(hold(a.as_fd(), OsStr::new("gone"))), Some(Errno::NOENT));
        let (held, _) = hold(a.as_fd(), OsStr::new("l")).unwrap();
        dir.symlink("file", "a/other").unwrap();
        dir.rename("a/other", &dir, "a/l").unwrap();
        if PIN.is_none() {
            assert_eq!(held.stat().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        }
        assert_eq!(held.read_link().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn the_walk_opens_directories_and_names_what_is_none() {
        let (dir, _) = tree();
        let root = dir.open(".").unwrap();
        let walked = |path: &str| {
            let (dir, name) = portable::open_parent(root.as_fd(), Path::new(path), false, take)?;
            open_dir(dir.fd.as_fd(), name, OFlags::RDONLY)
        };
        for path in ["", "a", "a/b"] {
            let opened = walked(path).unwrap();
            assert_eq!(posix::stat(opened.as_fd()).unwrap().kind, FileKind::Dir, "{path}");
            assert_eq!(mount(opened.as_fd()).unwrap(), mount(root.as_fd()).unwrap());
        }
        for (path, refused) in [
            ("a/l", Errno::LOOP),
            ("a/l/x", Errno::LOOP),
            ("a/file", Errno::NOTDIR),
            ("a/file/x", Errno::NOTDIR),
            ("a/gone/x", Errno::NOENT),
        ] {
            assert_eq!(errno(walked(path)), Some(refused), "{path}");
        }
    }
}
