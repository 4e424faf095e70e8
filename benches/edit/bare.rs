//! The system calls that an operation cannot do without, in order, with nothing around them.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, RenameFlags, ResolveFlags};
use rustix::io::Result;

/// A directory from which everything is reached.
pub(super) struct Bare {
    root: OwnedFd,
}

/// What a lookup below the root may do: what caplink's lookups may.
fn confined() -> ResolveFlags {
    ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV
}

impl Bare {
    pub(super) fn new(root: &Path) -> Result<Bare> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Bare { root: rustix::fs::openat(CWD, root, flags, Mode::empty())? })
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// One call.
    pub(super) fn open(&self, path: &str, flags: OFlags) -> Result<OwnedFd> {
        rustix::fs::openat2(&self.root, path, flags | OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), confined())
    }

    pub(super) fn parent(&self, path: &str) -> Result<OwnedFd> {
        self.open(path, OFlags::DIRECTORY)
    }

    /// Two calls: what a link will lead to is there.
    pub(super) fn check_target(&self, path: &str) -> Result<()> {
        self.open(path, OFlags::empty()).map(drop)
    }

    /// Five calls: a new walk finds the link that is at `name`, with this text.
    pub(super) fn read_back(&self, parent: BorrowedFd<'_>, name: &str, path: &str, text: &str) -> Result<()> {
        let made = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let found = self.open(path, OFlags::NOFOLLOW)?;
        let stat = rustix::fs::fstat(&found)?;
        let read = rustix::fs::readlinkat(&found, "", Vec::with_capacity(256))?;
        assert!((stat.st_dev, stat.st_ino) == (made.st_dev, made.st_ino) && read.as_bytes() == text.as_bytes());
        Ok(())
    }

    /// Three calls, without those of opening and closing the directory.
    pub(super) fn exchange(parent: BorrowedFd<'_>, staged: &str, name: &str, text: &str) -> Result<()> {
        rustix::fs::symlinkat(text, parent, staged)?;
        rustix::fs::renameat_with(parent, staged, parent, name, RenameFlags::EXCHANGE)
    }

    /// Two calls: the displaced link is the expected one, and goes.
    pub(super) fn verify_and_unlink(parent: BorrowedFd<'_>, staged: &str, old: &str) -> Result<()> {
        assert!(reads(parent, staged, old)?);
        rustix::fs::unlinkat(parent, staged, AtFlags::empty())
    }
}

/// One call: whether the link has this text.
pub(super) fn reads(parent: BorrowedFd<'_>, name: &str, text: &str) -> Result<bool> {
    Ok(rustix::fs::readlinkat(parent, name, Vec::with_capacity(256))?.as_bytes() == text.as_bytes())
}

/// What caplink does for a swap in one directory, with a lock that blocks: thirteen calls, and the closing of three
/// descriptors. False if the link has another text.
pub(super) fn locked_exchange(
    bare: &Bare,
    (dir, name): (&str, &str),
    staged: &str,
    old: &str,
    new: &str,
) -> Result<bool> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let locked = rustix::fs::openat2(&bare.root, dir, flags, Mode::empty(), confined())?;
    rustix::fs::fstat(&locked)?;
    rustix::fs::flock(&locked, FlockOperation::LockExclusive)?;
    let is_expected = reads(locked.as_fd(), name, old)?;
    if is_expected {
        rustix::fs::symlinkat(new, &locked, staged)?;
        let pin = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let pinned = rustix::fs::openat(&locked, staged, pin, Mode::empty())?;
        let made = rustix::fs::fstat(&pinned)?;
        rustix::fs::renameat_with(&locked, staged, &locked, name, RenameFlags::EXCHANGE)?;
        assert!(reads(locked.as_fd(), staged, old)?);
        let found = rustix::fs::fstat(&bare.open(&format!("{dir}/{name}"), OFlags::NOFOLLOW)?)?;
        assert!((found.st_dev, found.st_ino) == (made.st_dev, made.st_ino));
        rustix::fs::unlinkat(&locked, staged, AtFlags::empty())?;
    }
    rustix::fs::flock(&locked, FlockOperation::Unlock)?;
    Ok(is_expected)
}

/// Lock, compare, rename: what a careful program does that wants no update lost. False if another one was first.
pub(super) fn locked_swap(dir: &Path, staged: &str, name: &str, old: &str, new: &str) -> Result<bool> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let locked = rustix::fs::openat(CWD, dir, flags, Mode::empty())?;
    rustix::fs::flock(&locked, FlockOperation::LockExclusive)?;
    if !reads(locked.as_fd(), name, old)? {
        return Ok(false);
    }
    rustix::fs::symlinkat(new, &locked, staged)?;
    rustix::fs::renameat(&locked, staged, &locked, name)?;
    Ok(true)
}
