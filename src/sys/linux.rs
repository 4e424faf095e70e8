//! Linux: lookups by `openat2`, exchange by `renameat2`.
//!
//! Lookups never carry a `..`, so the `EAGAIN` of a rename elsewhere on the machine does not concern them; where it
//! comes all the same it is tried again a bounded number of times. Where `openat2` is unavailable the portable walk
//! takes its place; every other call is the same.

use std::ffi::{OsStr, OsString};
use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustix::fs::{Mode, OFlags, RawDir, RawDirEntry, RenameFlags, ResolveFlags, SeekFrom, StatVfsMountFlags};
use rustix::io::Errno;

use super::{
    Abilities, Access, Calls, Handle, LIST_BUFFER, LinkRules, Listed, Stat, linux_statx, linux_walk, posix, random,
};

/// Tries of one `openat2` before the lookup is given up as contended.
const OPEN_TRIES: usize = 128;

/// Tries of one `openat2` that says `EXDEV`: so it says of a mount point, every time, and of a directory that is moved
/// out of the base while it is looked up, once.
const CROSSING_TRIES: usize = 4;

/// Paths are handed to the kernel in pieces shorter than this; `PATH_MAX` is 4096 with the final NUL.
const PIECE: usize = 4000;

/// `f_type` of a `proc` file system (linux/magic.h).
const PROC_SUPER_MAGIC: u64 = 0x9fa0;

/// `ST_NOSYMFOLLOW` in `statvfs` flags (Linux 5.10).
const ST_NOSYMFOLLOW: u64 = 0x2000;

/// A handle to the directory of a capability.
pub(crate) fn root_handle(dir: cap_std::fs::Dir) -> Handle {
    OwnedFd::from(dir.into_std_file()).into()
}

/// The user whose permissions the calls have.
pub(crate) fn current_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// `ELOOP`: a link on the way, a magic link, or a mount that does not let links be followed.
pub(super) fn is_link_fault(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::LOOP)
}

pub(super) fn calls(dir: &Handle) -> io::Result<Arc<dyn Calls>> {
    Ok(Arc::new(Linux { confined_open: has_openat2(dir)?, allowed: Abilities::ALL, rename: OnceLock::new() }))
}

/// Whether `openat2` answers. A single `EPERM` can come from elsewhere (a fanotify listener), so it is asked twice.
fn has_openat2(dir: &Handle) -> io::Result<bool> {
    for _ in 0..2 {
        match open_below(dir.as_fd(), Path::new("."), OFlags::PATH | OFlags::DIRECTORY, ResolveFlags::BENEATH) {
            Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::NOSYS)) => return Ok(false),
            Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::PERM)) => {}
            _ => return Ok(true),
        }
    }
    Ok(false)
}

#[derive(Debug)]
pub(super) struct Linux {
    confined_open: bool,
    allowed: Abilities,
    /// Which flags `renameat2` takes, found at the first need.
    rename: OnceLock<RenameAbilities>,
}

#[derive(Clone, Copy, Debug)]
struct RenameAbilities {
    exchange: bool,
    no_replace: bool,
}

impl Linux {
    /// Asks `renameat2` about two names that do not exist: the call changes nothing, and answers `ENOENT` only where
    /// neither a filter nor the kernel refuses the flag. What the file system refuses shows when it is used.
    fn rename_abilities(&self, dir: &Handle) -> RenameAbilities {
        *self.rename.get_or_init(|| {
            let Ok(random) = self.random() else {
                return RenameAbilities { exchange: false, no_replace: false };
            };
            let (a, b) = (format!(".caplink-{random:032x}-a"), format!(".caplink-{random:032x}-b"));
            let takes = |flags| match rustix::fs::renameat_with(dir, &*a, dir, &*b, flags) {
                Err(error) => !matches!(error, Errno::NOSYS | Errno::PERM | Errno::INVAL | Errno::OPNOTSUPP),
                Ok(()) => true,
            };
            RenameAbilities {
                exchange: self.allowed.exchange && takes(RenameFlags::EXCHANGE),
                no_replace: self.allowed.no_replace && takes(RenameFlags::NOREPLACE),
            }
        })
    }

    fn rename_with(
        &self,
        from: (&Handle, &OsStr),
        to: (&Handle, &OsStr),
        flags: RenameFlags,
        allowed: bool,
        able: fn(RenameAbilities) -> bool,
    ) -> io::Result<()> {
        if !allowed {
            return Err(io::ErrorKind::Unsupported.into());
        }
        match rustix::fs::renameat_with(from.0, from.1, to.0, to.1, flags) {
            Ok(()) => Ok(()),
            // The flag is unknown to the kernel, or to this file system.
            Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => Err(io::ErrorKind::Unsupported.into()),
            // A filter answers like a sticky directory does; a harmless question tells them apart.
            Err(Errno::PERM) if !able(self.rename_abilities(from.0)) => Err(io::ErrorKind::Unsupported.into()),
            Err(error) => Err(error.into()),
        }
    }

    fn open(&self, base: &Handle, path: &Path, flags: OFlags, cross: bool) -> io::Result<Handle> {
        if !self.confined_open {
            return linux_walk::open(base.as_fd(), path, flags, cross).map(Handle::from);
        }
        let resolve = resolve_flags(cross);
        if path.as_os_str().len() < PIECE {
            return open_below(base.as_fd(), or_dot(path), flags, resolve).map(Handle::from);
        }
        let (pieces, last) = pieces(path);
        let mut at: Option<OwnedFd> = None;
        for piece in pieces {
            let from = at.as_ref().map_or(base.as_fd(), AsFd::as_fd);
            let next = open_below(from, &piece, OFlags::PATH | OFlags::DIRECTORY, resolve)?;
            at = Some(next);
        }
        let from = at.as_ref().map_or(base.as_fd(), AsFd::as_fd);
        open_below(from, &last, flags, resolve).map(Handle::from)
    }
}

fn resolve_flags(cross: bool) -> ResolveFlags {
    let inside = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS;
    if cross { inside } else { inside | ResolveFlags::NO_XDEV }
}

fn open_below(base: BorrowedFd<'_>, path: &Path, flags: OFlags, resolve: ResolveFlags) -> io::Result<OwnedFd> {
    let mut crossings = 0;
    for _ in 0..OPEN_TRIES {
        match rustix::fs::openat2(base, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(Errno::XDEV) if crossings < CROSSING_TRIES => crossings += 1,
            result => return Ok(result?),
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

fn or_dot(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// Cuts a long path into leading pieces and a last one, each short enough for one call.
fn pieces(path: &Path) -> (Vec<PathBuf>, PathBuf) {
    let mut pieces = Vec::new();
    let mut piece = PathBuf::new();
    for component in path.components() {
        if piece.as_os_str().len() + component.as_os_str().len() + 1 >= PIECE {
            pieces.push(std::mem::take(&mut piece));
        }
        piece.push(component);
    }
    (pieces, piece)
}

/// An entry but for `.` and `..`.
fn listed<'a>(entry: &'a RawDirEntry<'_>) -> Option<Listed<'a>> {
    let name = entry.file_name().to_bytes();
    let kind = posix::kind(entry.file_type());
    (name != b"." && name != b"..").then(|| Listed { name: OsStr::from_bytes(name), kind })
}

impl Calls for Linux {
    fn abilities(&self, dir: &Handle) -> Abilities {
        let rename = self.rename_abilities(dir);
        Abilities { confined_open: self.confined_open, exchange: rename.exchange, no_replace: rename.no_replace }
    }

    fn narrowed(&self, to: Abilities) -> Arc<dyn Calls> {
        let allowed = self.allowed.narrow(to);
        Arc::new(Linux { confined_open: self.confined_open && allowed.confined_open, allowed, rename: OnceLock::new() })
    }

    fn open_dir(&self, base: &Handle, path: &Path, cross: bool, access: Access) -> io::Result<Handle> {
        let access = match access {
            Access::Search => OFlags::PATH,
            Access::Read => OFlags::RDONLY,
        };
        self.open(base, path, access | OFlags::DIRECTORY, cross)
    }

    fn reach(&self, base: &Handle, path: &Path, directory: bool, cross: bool) -> io::Result<Handle> {
        let directory = if directory { OFlags::DIRECTORY } else { OFlags::empty() };
        self.open(base, path, OFlags::PATH | directory, cross)
    }

    fn reach_entry(&self, base: &Handle, path: &Path, cross: bool) -> io::Result<Handle> {
        self.open(base, path, OFlags::PATH | OFlags::NOFOLLOW, cross)
    }

    fn pin(&self, parent: &Handle, name: &OsStr) -> io::Result<Handle> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(parent, name, flags, Mode::empty())?.into())
    }

    fn stat(&self, handle: &Handle) -> io::Result<Stat> {
        posix::stat(handle.as_fd())
    }

    fn stat_at(&self, parent: &Handle, name: &OsStr) -> io::Result<Stat> {
        posix::stat_at(parent.as_fd(), name)
    }

    fn stat_end(&self, parent: &Handle, name: &OsStr, cross: bool) -> io::Result<Option<Stat>> {
        linux_statx::stat_end(parent.as_fd(), name, cross)
    }

    fn stat_dir(&self, dir: &Handle) -> io::Result<(Stat, bool)> {
        linux_statx::stat_dir(dir.as_fd())
    }

    fn is_same_mount(&self, a: &Handle, b: &Handle) -> io::Result<bool> {
        Ok(linux_walk::mount(a.as_fd())? == linux_walk::mount(b.as_fd())?)
    }

    fn read_pinned(&self, link: &Handle) -> io::Result<OsString> {
        // On what is no link `readlinkat` with an empty path answers ENOENT.
        Ok(posix::read_text(link.as_fd(), OsStr::new(""))?)
    }

    fn read_link(&self, parent: &Handle, name: &OsStr) -> io::Result<Option<OsString>> {
        posix::read_link(parent.as_fd(), name)
    }

    fn link_rules(&self, link: &Handle) -> io::Result<LinkRules> {
        let on = rustix::fs::fstatfs(link)?;
        let mount = rustix::fs::fstatvfs(link)?;
        Ok(LinkRules {
            on_proc: u64::try_from(on.f_type).is_ok_and(|magic| magic == PROC_SUPER_MAGIC),
            never_followed: mount.f_flag.contains(StatVfsMountFlags::from_bits_retain(ST_NOSYMFOLLOW)),
        })
    }

    fn try_follow(&self, parent: &Handle, name: &OsStr) -> io::Result<()> {
        if self.confined_open {
            // Not BENEATH: only the rules of this link are asked for, and nothing but `O_PATH` is opened.
            open_below(parent.as_fd(), Path::new(name), OFlags::PATH, ResolveFlags::NO_MAGICLINKS).map(drop)
        } else {
            let follow = |path: &OsStr| rustix::fs::statat(parent, path, rustix::fs::AtFlags::empty());
            let reached = follow(name)?;
            // A link of `proc` to a kernel object leads where its text does not.
            let by_text = posix::read_link(parent.as_fd(), name)?.and_then(|text| follow(&text).ok());
            match by_text.is_some_and(|there| (there.st_dev, there.st_ino) == (reached.st_dev, reached.st_ino)) {
                true => Ok(()),
                false => Err(Errno::LOOP.into()),
            }
        }
    }

    fn leads_somewhere(&self, parent: &Handle, text: &OsStr) -> io::Result<bool> {
        posix::leads_somewhere(parent.as_fd(), text)
    }

    fn list(&self, dir: &Handle, visit: &mut dyn FnMut(Listed<'_>) -> ControlFlow<()>) -> io::Result<()> {
        let mut buffer = Vec::<u8>::with_capacity(LIST_BUFFER);
        let mut entries = RawDir::new(dir, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            if listed(&entry?).is_some_and(|listed| visit(listed).is_break()) {
                break;
            }
        }
        Ok(())
    }

    fn list_next(
        &self,
        dir: &Handle,
        buffer: &mut Vec<u8>,
        visit: &mut dyn FnMut(Listed<'_>),
    ) -> io::Result<Option<u64>> {
        buffer.clear();
        let mut entries = RawDir::new(dir, buffer.spare_capacity_mut());
        loop {
            let Some(entry) = entries.next() else { return Ok(None) };
            let entry = entry?;
            let place = entry.next_entry_cookie();
            if let Some(listed) = listed(&entry) {
                visit(listed);
            }
            if entries.is_buffer_empty() {
                return Ok(Some(place));
            }
        }
    }

    fn list_from(&self, dir: &Handle, place: u64) -> io::Result<()> {
        Ok(rustix::fs::seek(dir, SeekFrom::Start(place)).map(drop)?)
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
        self.rename_with(a, b, RenameFlags::EXCHANGE, self.allowed.exchange, |able| able.exchange)
    }

    fn rename_new(&self, from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> io::Result<()> {
        self.rename_with(from, to, RenameFlags::NOREPLACE, self.allowed.no_replace, |able| able.no_replace)
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
        Ok(rustix::fs::fsync(dir)?)
    }

    fn sync_file_system(&self, dir: &Handle) -> io::Result<()> {
        Ok(rustix::fs::syncfs(dir)?)
    }

    fn may_change_names(&self, dir: &Handle) -> io::Result<bool> {
        let asked = posix::may_change_names(dir.as_fd());
        // An immutable directory answers EPERM, as a filter does that refuses the question.
        if asked.is_err() && linux_statx::is_immutable(dir.as_fd()) { Ok(false) } else { asked }
    }

    fn may_be_moved(&self, parent: &Handle, name: &OsStr) -> io::Result<bool> {
        linux_statx::may_be_moved(parent.as_fd(), name)
    }

    #[cfg(feature = "confine")]
    fn domain(&self, root: &Handle, state: Option<&Handle>, grant: super::Rights) -> io::Result<super::Domain> {
        super::landlock::domain(root, state, grant)
    }

    fn random(&self) -> io::Result<u128> {
        Ok(random::random())
    }
}
