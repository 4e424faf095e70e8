//! What the calls of Windows hold: a cap-std directory, or one name in a directory with its identity.
//!
//! cap-std opens a directory so that nobody can rename or remove it while it is open. That stands in for what a
//! descriptor gives elsewhere, since several calls of Windows take a path that is made from it.
//!
//! A junction, a volume mounted in a directory and a link to a directory by an absolute text cannot be told apart
//! here. All three count as mount points: directories that are not entered, replaced or removed.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path};
use std::sync::OnceLock;

use cap_fs_ext::{DirExt as _, FileTypeExt as _, MetadataExt as _, OsMetadataExt as _};
use cap_std::fs::{Dir, File, Metadata};

use super::Stat;
use crate::error::FileKind;
use crate::model::ObjectId;

/// `ERROR_STOPPED_ON_SYMLINK` (winerror.h), as cap-std answers for a link that was not to be followed.
const STOPPED_ON_SYMLINK: i32 = 681;

/// `FILE_ATTRIBUTE_DIRECTORY` (winnt.h): links have it too where they are made for directories.
const ATTRIBUTE_DIRECTORY: u32 = 0x10;

/// Tries of a name that changes between two looks.
const TRIES: usize = 128;

/// A directory, or one name in a directory.
#[derive(Debug)]
pub(crate) struct Handle {
    dir: Dir,
    entry: Option<(OsString, ObjectId)>,
    /// The lock file, while this handle holds the lock of its directory.
    pub(super) lock: OnceLock<File>,
}

impl From<Dir> for Handle {
    fn from(dir: Dir) -> Handle {
        Handle { dir, entry: None, lock: OnceLock::new() }
    }
}

/// What has a name.
pub(super) struct Seen {
    pub(super) stat: Stat,
    /// The text of a link.
    pub(super) text: Option<OsString>,
}

impl Handle {
    /// The directory whose names are used.
    pub(super) fn dir(&self) -> io::Result<&Dir> {
        if self.entry.is_some() { Err(io::ErrorKind::CrossesDevices.into()) } else { Ok(&self.dir) }
    }

    pub(super) fn look(&self) -> io::Result<Seen> {
        let Some((name, id)) = &self.entry else {
            return Ok(Seen { stat: told(&self.dir.dir_metadata()?, FileKind::Dir), text: None });
        };
        let seen = look(&self.dir, name)?;
        if seen.stat.id == *id { Ok(seen) } else { Err(io::ErrorKind::WouldBlock.into()) }
    }
}

/// Takes hold of whatever is under the name, without following it.
pub(super) fn hold(dir: &Dir, name: &OsStr) -> io::Result<(Handle, Stat)> {
    let seen = look(dir, name)?;
    if seen.stat.kind == FileKind::Dir {
        match dir.open_dir_nofollow(name) {
            Ok(opened) => {
                let stat = told(&opened.dir_metadata()?, FileKind::Dir);
                return Ok((opened.into(), stat));
            }
            // A mount point: it is seen, not entered.
            Err(error) if is_link_fault(&error) => {}
            Err(error) => return Err(error),
        }
    }
    let entry = Some((name.to_os_string(), seen.stat.id));
    Ok((Handle { dir: dir.try_clone()?, entry, lock: OnceLock::new() }, seen.stat))
}

/// Opens the directory that `path` ends in, one component at a time.
pub(super) fn open_dir(base: &Dir, path: &Path, cross: bool) -> io::Result<Dir> {
    let device = base.dir_metadata()?.dev();
    let mut at = base.try_clone()?;
    for component in path.components() {
        at = open_component(&at, component.as_os_str())?;
        if !cross && at.dir_metadata()?.dev() != device {
            return Err(io::ErrorKind::CrossesDevices.into());
        }
    }
    Ok(at)
}

fn open_component(dir: &Dir, name: &OsStr) -> io::Result<Dir> {
    for _ in 0..TRIES {
        let refused = match dir.open_dir_nofollow(name) {
            Ok(opened) => return Ok(opened),
            Err(refused) => refused,
        };
        match look(dir, name)?.stat.kind {
            FileKind::Symlink => return Err(link_fault()),
            FileKind::Dir if is_link_fault(&refused) => return Err(io::ErrorKind::CrossesDevices.into()),
            FileKind::Dir if refused.kind() == io::ErrorKind::NotADirectory => {}
            FileKind::Dir => return Err(refused),
            _ => return Err(io::ErrorKind::NotADirectory.into()),
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// Looks at a name without following it. Identity and text are read by two calls, and read again if they disagree.
pub(super) fn look(dir: &Dir, name: &OsStr) -> io::Result<Seen> {
    for _ in 0..TRIES {
        let metadata = dir.symlink_metadata(name)?;
        let of = metadata.file_type();
        let plain = |kind| Ok(Seen { stat: told(&metadata, kind), text: None });
        if !of.is_symlink() {
            return plain(if of.is_dir() {
                FileKind::Dir
            } else if of.is_char_device() {
                FileKind::CharDevice
            } else if of.is_fifo() {
                FileKind::Fifo
            } else {
                FileKind::File
            });
        }
        let text = match dir.read_link_contents(name) {
            Ok(text) => text,
            // Another kind of reparse point that stands for something else.
            Err(error) if error.kind() == io::ErrorKind::Other => return plain(FileKind::File),
            Err(error) => return Err(error),
        };
        if dir.symlink_metadata(name)?.ino() != metadata.ino() {
            continue;
        }
        if is_absolute(&text) && metadata.file_attributes() & ATTRIBUTE_DIRECTORY != 0 {
            return plain(FileKind::Dir);
        }
        return Ok(Seen { stat: told(&metadata, FileKind::Symlink), text: Some(text.into_os_string()) });
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// Whether a text begins with a drive, a share or a separator.
pub(super) fn is_absolute(text: &Path) -> bool {
    matches!(text.components().next(), Some(Component::Prefix(_) | Component::RootDir))
}

pub(super) fn link_fault() -> io::Error {
    io::Error::from_raw_os_error(STOPPED_ON_SYMLINK)
}

/// A link on the way.
pub(in crate::sys) fn is_link_fault(error: &io::Error) -> bool {
    error.raw_os_error() == Some(STOPPED_ON_SYMLINK)
}

/// Windows has access control lists where Unix has a mode and an owner: nothing is claimed about who else may write.
fn told(metadata: &Metadata, kind: FileKind) -> Stat {
    let mode = if kind == FileKind::Dir { 0o755 } else { 0o644 };
    let id = ObjectId { device: metadata.dev(), inode: metadata.ino() };
    Stat { id, kind, mode, uid: 0, gid: 0, links: metadata.nlink(), size: metadata.len(), changed: 0 }
}
