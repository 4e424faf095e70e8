//! macOS and the BSDs: lookups by the portable walk, on macOS exchange by `renameatx_np`.
//!
//! What is weaker than on Linux, beside what the handles say of themselves:
//!
//! - Nothing confines a lookup but the walk, which opens each component by a call that does not follow it.
//! - The BSDs have no exchange and no renaming without replacing: there an edit is `cooperative`.
//! - A directory that may only be searched can be opened on macOS, FreeBSD and NetBSD, not on the other BSDs.
//! - Durability of the whole file system is `unsupported`. A directory is flushed to the medium (`F_FULLFSYNC`) on macOS.
//!
//! It is checked by the compiler for macOS, FreeBSD and NetBSD; its tests run on Linux, where the walk is the same.

use std::ffi::{OsStr, OsString};
use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::unix_handle::{hold, mount, open_dir, take};
use super::{Abilities, Access, Calls, LinkRules, Listed, Stat, portable, posix, random};
use crate::error::FileKind;

pub(crate) use super::unix_handle::Handle;

/// A handle to the directory of a capability.
pub(crate) fn root_handle(dir: cap_std::fs::Dir) -> Handle {
    OwnedFd::from(dir.into_std_file()).into()
}

/// The user whose permissions the calls have.
pub(crate) fn current_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// `ELOOP`: a link on the way.
pub(super) fn is_link_fault(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::LOOP)
}

#[expect(clippy::unnecessary_wraps, reason = "on Linux the calls are probed here")]
pub(super) fn calls(_dir: &Handle) -> io::Result<Arc<dyn Calls>> {
    Ok(Arc::new(Unix { allowed: Abilities { confined_open: false, ..Abilities::ALL } }))
}

#[derive(Debug)]
pub(super) struct Unix {
    allowed: Abilities,
}

/// What a name must be for a lookup that ends in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Anything,
    NoLink,
    Directory,
}

impl Unix {
    fn reach(&self, base: &Handle, path: &Path, cross: bool, last: Last) -> io::Result<Handle> {
        let (dir, name) = portable::open_parent(base.as_fd(), path, cross, take)?;
        let (handle, stat) = hold(dir.fd.as_fd(), name)?;
        if !cross && portable::Mount::Device(stat.id.device) != dir.mount {
            return Err(Errno::XDEV.into());
        }
        let refused = match last {
            Last::Anything => false,
            Last::NoLink => stat.kind == FileKind::Symlink,
            Last::Directory => stat.kind != FileKind::Dir,
        };
        if refused { Err(portable::not_a_directory(stat.kind)) } else { Ok(handle) }
    }
}

impl Calls for Unix {
    fn abilities(&self, dir: &Handle) -> Abilities {
        let takes = |flag| exchange::takes(dir, flag);
        Abilities {
            confined_open: false,
            exchange: self.allowed.exchange && takes(exchange::Flag::Exchange),
            no_replace: self.allowed.no_replace && takes(exchange::Flag::NoReplace),
        }
    }

    fn narrowed(&self, to: Abilities) -> Arc<dyn Calls> {
        Arc::new(Unix { allowed: self.allowed.narrow(to) })
    }

    fn open_dir(&self, base: &Handle, path: &Path, cross: bool, access: Access) -> io::Result<Handle> {
        if access == Access::Search {
            return self.reach(base, path, cross, Last::Directory);
        }
        let (dir, name) = portable::open_parent(base.as_fd(), path, cross, take)?;
        let opened = open_dir(dir.fd.as_fd(), name, OFlags::RDONLY)?;
        if cross || mount(opened.as_fd())? == dir.mount { Ok(opened.into()) } else { Err(Errno::XDEV.into()) }
    }

    fn reach(&self, base: &Handle, path: &Path, directory: bool, cross: bool) -> io::Result<Handle> {
        self.reach(base, path, cross, if directory { Last::Directory } else { Last::NoLink })
    }

    fn reach_entry(&self, base: &Handle, path: &Path, cross: bool) -> io::Result<Handle> {
        self.reach(base, path, cross, Last::Anything)
    }

    fn pin(&self, parent: &Handle, name: &OsStr) -> io::Result<Handle> {
        Ok(hold(parent.as_fd(), name)?.0)
    }

    fn stat(&self, handle: &Handle) -> io::Result<Stat> {
        handle.stat()
    }

    fn stat_at(&self, parent: &Handle, name: &OsStr) -> io::Result<Stat> {
        posix::stat_at(parent.as_fd(), name)
    }

    fn read_pinned(&self, link: &Handle) -> io::Result<OsString> {
        link.read_link()
    }

    fn read_link(&self, parent: &Handle, name: &OsStr) -> io::Result<Option<OsString>> {
        posix::read_link(parent.as_fd(), name)
    }

    fn link_rules(&self, link: &Handle) -> io::Result<LinkRules> {
        Ok(LinkRules { on_proc: false, never_followed: never_followed(link)? })
    }

    fn try_follow(&self, parent: &Handle, name: &OsStr) -> io::Result<()> {
        rustix::fs::statat(parent, name, rustix::fs::AtFlags::empty()).map(drop).map_err(io::Error::from)
    }

    fn leads_somewhere(&self, parent: &Handle, text: &OsStr) -> io::Result<bool> {
        posix::leads_somewhere(parent.as_fd(), text)
    }

    fn may_change_names(&self, dir: &Handle) -> io::Result<bool> {
        posix::may_change_names(dir.as_fd())
    }

    fn list(&self, dir: &Handle, visit: &mut dyn FnMut(Listed<'_>) -> ControlFlow<()>) -> io::Result<()> {
        for entry in rustix::fs::Dir::read_from(dir)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let listed = Listed { name, kind: posix::kind(entry.file_type()) };
            if visit(listed).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn symlink(&self, text: &OsStr, parent: &Handle, name: &OsStr, _directory: bool) -> io::Result<()> {
        posix::symlink(text, parent.as_fd(), name)
    }

    fn make_dir(&self, parent: &Handle, name: &OsStr, mode: u32) -> io::Result<()> {
        posix::make_dir(parent.as_fd(), name, mode)
    }

    fn remove_dir(&self, parent: &Handle, name: &OsStr) -> io::Result<()> {
        posix::remove_dir(parent.as_fd(), name)
    }

    fn exchange(&self, a: (&Handle, &OsStr), b: (&Handle, &OsStr)) -> io::Result<()> {
        if self.allowed.exchange { exchange::rename(a, b, exchange::Flag::Exchange) } else { unsupported() }
    }

    fn rename_new(&self, from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> io::Result<()> {
        if self.allowed.no_replace { exchange::rename(from, to, exchange::Flag::NoReplace) } else { unsupported() }
    }

    fn rename_over(&self, from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> io::Result<()> {
        posix::rename_over((from.0.as_fd(), from.1), (to.0.as_fd(), to.1))
    }

    fn hard_link(&self, from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> io::Result<()> {
        posix::hard_link((from.0.as_fd(), from.1), (to.0.as_fd(), to.1))
    }

    fn unlink(&self, parent: &Handle, name: &OsStr) -> io::Result<()> {
        posix::unlink(parent.as_fd(), name)
    }

    fn try_lock(&self, dir: &Handle) -> io::Result<bool> {
        posix::try_lock(dir.as_fd())
    }

    fn unlock(&self, dir: &Handle) {
        posix::unlock(dir.as_fd());
    }

    fn sync_dir(&self, dir: &Handle) -> io::Result<()> {
        // `fsync` alone leaves it in the cache of the drive here.
        #[cfg(target_vendor = "apple")]
        if rustix::fs::fcntl_fullfsync(dir).is_ok() {
            return Ok(());
        }
        Ok(rustix::fs::fsync(dir)?)
    }

    fn sync_file_system(&self, _dir: &Handle) -> io::Result<()> {
        unsupported()
    }

    fn random(&self) -> io::Result<u128> {
        Ok(random::random())
    }
}

fn unsupported<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}

/// `MNT_NOSYMFOLLOW` of <sys/mount.h>.
#[cfg(target_os = "freebsd")]
fn never_followed(link: &Handle) -> io::Result<bool> {
    const MNT_NOSYMFOLLOW: u64 = 0x0040_0000;
    Ok(rustix::fs::fstatfs(link)?.f_flags & MNT_NOSYMFOLLOW != 0)
}

#[cfg(not(target_os = "freebsd"))]
#[expect(clippy::unnecessary_wraps, reason = "on FreeBSD the file system is asked")]
fn never_followed(_link: &Handle) -> io::Result<bool> {
    Ok(false)
}

/// Renaming with a condition: `RENAME_SWAP` and `RENAME_EXCL` of macOS.
mod exchange {
    use super::{Handle, OsStr, io, unsupported};

    #[derive(Clone, Copy, Debug)]
    pub(super) enum Flag {
        Exchange,
        NoReplace,
    }

    #[cfg(target_vendor = "apple")]
    pub(super) fn rename(from: (&Handle, &OsStr), to: (&Handle, &OsStr), flag: Flag) -> io::Result<()> {
        use rustix::fs::RenameFlags;
        use rustix::io::Errno;
        let flags = match flag {
            Flag::Exchange => RenameFlags::EXCHANGE,
            Flag::NoReplace => RenameFlags::NOREPLACE,
        };
        match rustix::fs::renameat_with(from.0, from.1, to.0, to.1, flags) {
            Ok(()) => Ok(()),
            // The flag is unknown to this file system.
            Err(Errno::NOSYS | Errno::INVAL | Errno::NOTSUP | Errno::OPNOTSUPP) => unsupported(),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(not(target_vendor = "apple"))]
    pub(super) fn rename(_from: (&Handle, &OsStr), _to: (&Handle, &OsStr), _flag: Flag) -> io::Result<()> {
        unsupported()
    }

    /// Asks about two names that nothing has: the call changes nothing.
    pub(super) fn takes(dir: &Handle, flag: Flag) -> bool {
        let random = super::random::random();
        let (a, b) = (format!(".caplink-{random:032x}-a"), format!(".caplink-{random:032x}-b"));
        match rename((dir, a.as_ref()), (dir, b.as_ref()), flag) {
            Ok(()) => true,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}
