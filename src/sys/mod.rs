//! The system calls that link edits need, as one small trait, and the only code that knows a platform.
//!
//! A [`Handle`] is a directory or a pinned entry. No call takes a path with `..`; only [`Calls::open_dir`] and
//! [`Calls::reach`] take more than one name, and neither goes through a link or out of the directory it starts from.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::error::FileKind;
use crate::model::ObjectId;

#[cfg(all(target_os = "linux", feature = "manage"))]
mod aliases;
#[cfg(not(all(target_os = "linux", feature = "confine")))]
mod domain;
mod fault;
#[cfg(unix)]
mod handle;
#[cfg(feature = "records")]
mod keep;
#[cfg(all(target_os = "linux", feature = "confine"))]
mod landlock;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod linux_process;
#[cfg(target_os = "linux")]
mod linux_statx;
#[cfg(target_os = "linux")]
mod linux_walk;
#[cfg(all(unix, feature = "adversary"))]
pub(crate) mod memory;
#[cfg(feature = "watch")]
mod notify;
mod object;
#[cfg(unix)]
mod portable;
#[cfg(unix)]
mod posix;
#[cfg(any(test, windows))]
mod privilege;
#[cfg(all(unix, feature = "manage"))]
mod program;
#[cfg(all(windows, feature = "manage"))]
#[path = "program_windows.rs"]
mod program;
#[cfg(all(unix, feature = "manage"))]
mod program_safety;
mod random;
#[cfg(feature = "manage")]
mod reference;
#[cfg(all(target_os = "linux", feature = "manage"))]
mod references;
#[cfg(all(unix, not(target_os = "linux")))]
mod unix;
#[cfg(all(unix, any(test, not(target_os = "linux"))))]
mod unix_handle;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
mod windows_handle;

#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(all(unix, not(target_os = "linux")))]
use unix as platform;
#[cfg(windows)]
use windows as platform;

#[cfg(not(all(target_os = "linux", feature = "confine")))]
pub(crate) use domain::{Domain, refused_by_domain};
pub(crate) use fault::{Fault, fault};
#[cfg(target_os = "linux")]
pub(crate) use handle::Handle;
#[cfg(feature = "manage")]
pub(crate) use keep::this_process;
#[cfg(feature = "records")]
pub(crate) use keep::{FileUse, Keep, Lasting, OpenFile, caller, lock_holder, process_start};
#[cfg(all(target_os = "linux", feature = "confine"))]
pub(crate) use landlock::{Domain, refused_by_domain};
#[cfg(feature = "watch")]
pub(crate) use notify::{Bell, Hint, Notify, most_watches};
#[cfg(not(target_os = "linux"))]
pub(crate) use platform::Handle;
pub(crate) use platform::root_handle;
#[cfg(feature = "manage")]
pub(crate) use program::{Ended, Running, Start, keep_open, try_share, unsafe_program};

#[cfg(feature = "manage")]
pub(crate) use reference::{Reference, References, references};

/// What this host lets the calls do; probed by trying, and only ever narrowed.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
/// let root = caplink::Root::from_dir(dir.try_clone()?, caplink::Policy::default())?;
/// if !root.abilities().exchange {
///     println!("replacing is cooperative here");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// Lookups that the kernel confines (`openat2`, Linux 5.6). Without it a walk component by component does.
    pub confined_open: bool,
    /// Trading two names in one step (`renameat2` with `RENAME_EXCHANGE`, Linux 3.15; macOS `RENAME_SWAP`).
    pub exchange: bool,
    /// Renaming without replacing (`RENAME_NOREPLACE`; macOS `RENAME_EXCL`).
    pub no_replace: bool,
}

impl Abilities {
    /// Everything; what the host lacks is taken away when it is probed.
    pub const ALL: Abilities = Abilities { confined_open: true, exchange: true, no_replace: true };

    /// Returns what both have.
    #[must_use]
    pub fn narrow(self, other: Abilities) -> Abilities {
        Abilities {
            confined_open: self.confined_open && other.confined_open,
            exchange: self.exchange && other.exchange,
            no_replace: self.no_replace && other.no_replace,
        }
    }
}

/// What `stat` tells of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) id: ObjectId,
    pub(crate) kind: FileKind,
    /// Permission bits with set-id and sticky, without the kind.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) links: u64,
    /// In bytes.
    pub(crate) size: u64,
    /// When it was last changed, moved or made, in seconds since 1970; 0 where that is not told.
    pub(crate) changed: i64,
}

impl Stat {
    /// Whether anybody may make names in this directory that nobody else can remove.
    pub(crate) fn is_sticky_for_all(&self) -> bool {
        self.mode & 0o1002 == 0o1002
    }
}

/// What an opened directory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Names in it are used; needs no permission on the directory itself.
    Search,
    /// It is read, locked or synced; needs read permission.
    Read,
}

/// What a confined thread is given back below the root, beyond looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rights {
    /// Links are made, moved and removed.
    Links,
    /// Directories are made, too.
    Parents,
    /// Directories are made and removed, too.
    Directories,
    /// Files and directories are moved, too.
    Backups,
}

#[cfg(any(all(target_os = "linux", feature = "confine"), all(unix, feature = "adversary")))]
impl Rights {
    /// What is given back below a state directory elsewhere: no files of others are ever moved there.
    fn in_state(self) -> Rights {
        match self {
            Rights::Links | Rights::Parents => Rights::Links,
            Rights::Directories | Rights::Backups => Rights::Directories,
        }
    }
}

/// Rules that the file system of a link puts on following it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LinkRules {
    /// It stands on a `proc` file system, where links can name kernel objects.
    pub(crate) on_proc: bool,
    /// The mount does not let links be followed (`nosymfollow`).
    pub(crate) never_followed: bool,
}

/// The buffer of one call that lists a directory, in bytes.
pub(crate) const LIST_BUFFER: usize = 64 * 1024;

/// An entry as a directory lists it.
pub(crate) struct Listed<'a> {
    pub(crate) name: &'a OsStr,
    /// None where the file system does not say.
    pub(crate) kind: Option<FileKind>,
}

/// Without records nothing is kept.
#[cfg(not(feature = "records"))]
pub(crate) trait Keep {}

#[cfg(not(feature = "records"))]
impl<T> Keep for T {}

/// The calls. One implementation a platform, chosen when a root is opened.
pub(crate) trait Calls: Keep + fmt::Debug + Send + Sync {
    /// What these calls can do here.
    fn abilities(&self, dir: &Handle) -> Abilities;
    /// The same calls with fewer abilities.
    fn narrowed(&self, to: Abilities) -> Arc<dyn Calls>;

    /// Opens the directory at `path` (normal components, or empty for `base` itself) without going through a link
    /// and, unless `cross`, without crossing a mount point.
    fn open_dir(&self, base: &Handle, path: &Path, cross: bool, access: Access) -> io::Result<Handle>;
    /// Pins whatever is at `path`, under the same rules. A last component that is a link is a fault.
    fn reach(&self, base: &Handle, path: &Path, directory: bool, cross: bool) -> io::Result<Handle>;
    /// Pins whatever is at `path`, a link included.
    fn reach_entry(&self, base: &Handle, path: &Path, cross: bool) -> io::Result<Handle>;
    /// Pins the entry itself: while the handle lives its inode number is not given to another.
    fn pin(&self, parent: &Handle, name: &OsStr) -> io::Result<Handle>;

    fn stat(&self, handle: &Handle) -> io::Result<Stat>;
    fn stat_at(&self, parent: &Handle, name: &OsStr) -> io::Result<Stat>;
    /// Stat of what is under a name, if that is neither a link nor, unless `cross`, on another mount than the directory: then a
    /// lookup of the name ends there. `Unsupported` where one call does not tell that.
    fn stat_end(&self, _parent: &Handle, _name: &OsStr, _cross: bool) -> io::Result<Option<Stat>> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// Stat of a directory, and whether it is append-only: a name in it can be made, but not renamed or removed.
    fn stat_dir(&self, dir: &Handle) -> io::Result<(Stat, bool)> {
        Ok((self.stat(dir)?, false))
    }
    /// Whether an entry can be renamed from one directory to the other: they are on one mount. Where the platform tells no
    /// more than the device, a bind mount of the same file system is taken for it.
    fn is_same_mount(&self, a: &Handle, b: &Handle) -> io::Result<bool> {
        Ok(self.stat(a)?.id.device == self.stat(b)?.id.device)
    }
    /// The text of a pinned link; a fault where the entry is no link.
    fn read_pinned(&self, link: &Handle) -> io::Result<OsString>;
    fn read_link(&self, parent: &Handle, name: &OsStr) -> io::Result<Option<OsString>>;
    fn link_rules(&self, link: &Handle) -> io::Result<LinkRules>;
    /// Lets the kernel follow the link, to learn what its rules say.
    fn try_follow(&self, parent: &Handle, name: &OsStr) -> io::Result<()>;
    /// Whether `text`, followed from `parent`, leads to something. The only call that looks outside; it opens nothing.
    fn leads_somewhere(&self, parent: &Handle, text: &OsStr) -> io::Result<bool>;
    /// Hands each entry but `.` and `..` to `visit` until it breaks.
    fn list(&self, dir: &Handle, visit: &mut dyn FnMut(Listed<'_>) -> ControlFlow<()>) -> io::Result<()>;
    /// Hands the next entries but `.` and `..` to `visit`: those that fit the capacity of the buffer, or all of them.
    /// Returns where the listing goes on, or none at its end.
    fn list_next(
        &self,
        dir: &Handle,
        _buffer: &mut Vec<u8>,
        visit: &mut dyn FnMut(Listed<'_>),
    ) -> io::Result<Option<u64>> {
        let mut each = |listed: Listed<'_>| {
            visit(listed);
            ControlFlow::Continue(())
        };
        self.list(dir, &mut each).map(|()| None)
    }
    /// Lets a directory that was opened anew be listed from there on.
    fn list_from(&self, _dir: &Handle, _place: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Makes a link; never replaces. `directory` matters on Windows only.
    fn symlink(&self, text: &OsStr, parent: &Handle, name: &OsStr, directory: bool) -> io::Result<()>;
    /// Makes a directory with permissions `mode`, less the process's mask.
    fn make_dir(&self, parent: &Handle, name: &OsStr, mode: u32) -> io::Result<()>;
    fn remove_dir(&self, parent: &Handle, name: &OsStr) -> io::Result<()>;
    /// Two entries exchange places in one step.
    fn exchange(&self, a: (&Handle, &OsStr), b: (&Handle, &OsStr)) -> io::Result<()>;
    /// Moves an entry to a name that nothing has.
    fn rename_new(&self, from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> io::Result<()>;
    /// Moves an entry over whatever is under the name.
    fn rename_over(&self, from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> io::Result<()>;
    /// Gives the entry a second name that nothing has; does not follow a link.
    fn hard_link(&self, from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> io::Result<()>;
    /// Removes a name of something that is no directory.
    fn unlink(&self, parent: &Handle, name: &OsStr) -> io::Result<()>;

    /// Takes the exclusive lock of an opened directory if nobody has it. It is held until it is given back, or until the
    /// handle is dropped here and in every process that was forked meanwhile.
    fn try_lock(&self, dir: &Handle) -> io::Result<bool>;
    /// Gives the lock back, whoever else has a copy of the handle.
    fn unlock(&self, _dir: &Handle) {}
    fn sync_dir(&self, dir: &Handle) -> io::Result<()>;
    fn sync_file_system(&self, dir: &Handle) -> io::Result<()>;

    /// Whether nothing about the entry itself forbids to rename and unlink it, for whoever may change its directory; a
    /// fault where it is busy.
    fn may_be_moved(&self, _parent: &Handle, _name: &OsStr) -> io::Result<bool> {
        Ok(true)
    }

    /// Whether the permissions of a directory let the caller change names in it, which a refusal does not tell.
    fn may_change_names(&self, _dir: &Handle) -> io::Result<bool> {
        Ok(true)
    }

    /// Rules for a thread that is to do nothing but what the grant needs below the root, and what links need below a
    /// state directory that is elsewhere.
    ///
    /// `Unsupported` where the kernel cannot hold a thread to them.
    fn domain(&self, _root: &Handle, _state: Option<&Handle>, _grant: Rights) -> io::Result<Domain> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// 128 bits that nobody is likely to meet by chance.
    fn random(&self) -> io::Result<u128>;
    /// The user whose permissions the calls have.
    fn user(&self) -> u32 {
        platform::current_user()
    }
    /// The time since some moment.
    fn clock(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

#[cfg(target_os = "linux")]
pub(crate) use linux_process::{physical_path, processor, renounce_privileges, working_directory};

#[cfg(not(target_os = "linux"))]
pub(crate) fn physical_path(_dir: &Handle) -> Option<std::path::PathBuf> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn working_directory(_dir: &Handle) -> Option<std::path::PathBuf> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn processor() -> Option<u32> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn renounce_privileges() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The calls of this platform, for a root at `dir`.
pub(crate) fn calls(dir: &Handle) -> io::Result<Arc<dyn Calls>> {
    platform::calls(dir)
}
