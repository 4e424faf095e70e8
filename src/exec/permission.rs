//! Whether a change would be permitted, asked without making it: what a preview knows of permissions.
//!
//! What quotas and security modules refuse is known by trying only.

use std::io;

use crate::entry::Opened;
use crate::error::{Error, Result};
use crate::root::Root;
use crate::sys::{Fault, Handle, fault};

/// In a directory with this bit an entry is renamed or removed by its owner, that of the directory, or root.
const STICKY: u32 = 0o1000;

const SUPERUSER: u32 = 0;

/// Whether the caller may make entries beside this one.
pub(super) fn may_add(entry: &Opened<'_>) -> Result<()> {
    may_add_in(&entry.root, &entry.parent).map_err(Error::from_io)
}

/// Whether the caller may make entries in a directory.
pub(crate) fn may_add_in(root: &Root, dir: &Handle) -> io::Result<()> {
    match root.calls().may_change_names(dir) {
        Ok(false) => Err(io::ErrorKind::PermissionDenied.into()),
        Err(source) if source.kind() == io::ErrorKind::ReadOnlyFilesystem => Err(source),
        // In one that was removed since it was opened the superuser is refused as well.
        _ if root.calls().stat(dir).is_ok_and(|stat| stat.links == 0) => Err(io::ErrorKind::NotFound.into()),
        // Where it cannot be asked it has to be tried: filters older than Linux 5.8 refuse the question.
        _ => Ok(()),
    }
}

/// Whether the caller may rename or remove what is under the name.
pub(super) fn may_take_away(entry: &Opened<'_>) -> Result<()> {
    may_add(entry)?;
    let calls = entry.root.calls();
    if !calls.may_be_moved(&entry.parent, entry.name()).map_err(Error::from_io)? {
        return Err(Error::from_io(io::ErrorKind::PermissionDenied.into()));
    }
    let dir = calls.stat(&entry.parent).map_err(Error::from_io)?;
    let user = calls.user();
    if dir.mode & STICKY == 0 || [SUPERUSER, dir.uid].contains(&user) {
        return Ok(());
    }
    match calls.stat_at(&entry.parent, entry.name()) {
        Ok(stat) if stat.uid != user => Err(Error::from_io(io::ErrorKind::PermissionDenied.into())),
        Err(source) if fault(&source) != Fault::Missing => Err(Error::from_io(source)),
        _ => Ok(()),
    }
}

/// Whether the two can be exchanged where they are: the kernel renames nothing from one mount to another, also of one file
/// system.
pub(super) fn may_exchange(a: &Opened<'_>, b: &Opened<'_>) -> Result<()> {
    match a.root.calls().is_same_mount(&a.parent, &b.parent) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::from_io(io::ErrorKind::CrossesDevices.into())),
        Err(source) => Err(Error::from_io(source)),
    }
}

/// Whether the entry belongs to the caller.
pub(super) fn is_own(entry: &Opened<'_>) -> Result<bool> {
    let calls = entry.root.calls();
    Ok(calls.stat_at(&entry.parent, entry.name()).map_err(Error::from_io)?.uid == calls.user())
}
