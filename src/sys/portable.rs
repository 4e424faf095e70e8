//! Lookup without `openat2`: one component at a time, on cap-std's `Dir`.
//!
//! Each component is looked at without being followed, opened, and compared with what was looked at: a directory that
//! was exchanged for a link in between is noticed as a difference and refused.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use cap_std::fs::{Dir, MetadataExt as _};
use rustix::io::Errno;

/// Tries of one component that changes between the look and the open.
const TRIES: usize = 128;

/// Opens the directory at `path` below `base` for searching; a link on the way is `ELOOP`, a mount point `EXDEV`.
pub(super) fn open_dir(base: BorrowedFd<'_>, path: &Path, cross: bool) -> io::Result<OwnedFd> {
    let mut dir = Dir::from_std_file(base.try_clone_to_owned()?.into());
    let device = dir.dir_metadata()?.dev();
    for component in path.components() {
        dir = open_component(&dir, Path::new(component.as_os_str()))?;
        if !cross && dir.dir_metadata()?.dev() != device {
            return Err(Errno::XDEV.into());
        }
    }
    Ok(dir.into_std_file().into())
}

fn open_component(dir: &Dir, name: &Path) -> io::Result<Dir> {
    for _ in 0..TRIES {
        let seen = dir.symlink_metadata(name)?;
        if seen.is_symlink() {
            return Err(Errno::LOOP.into());
        }
        if !seen.is_dir() {
            return Err(Errno::NOTDIR.into());
        }
        let opened = match dir.open_dir(name) {
            Ok(opened) => opened,
            // cap-std's own word for a link that would lead outside: the component was exchanged.
            Err(error)
                if error.kind() == io::ErrorKind::PermissionDenied && dir.symlink_metadata(name)?.is_symlink() =>
            {
                continue;
            }
            Err(error) => return Err(error),
        };
        let got = opened.dir_metadata()?;
        if (got.dev(), got.ino()) == (seen.dev(), seen.ino()) {
            return Ok(opened);
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}
