//! Whether a change would be permitted, asked without making it: what a preview knows of permissions.
//!
//! What attributes of files, quotas and security modules refuse is known by trying only.

use std::io;

use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::sys::{Fault, fault};

/// In a directory with this bit an entry is renamed or removed by its owner, that of the directory, or root.
const STICKY: u32 = 0o1000;

const SUPERUSER: u32 = 0;

/// Whether the caller may make entries in the directory.
pub(super) fn may_add(entry: &Entry) -> Result<()> {
    entry.root.calls().may_change(&entry.parent).map_err(Error::from_io)
}

/// Whether the caller may rename or remove what has the name.
pub(super) fn may_take_away(entry: &Entry) -> Result<()> {
    may_add(entry)?;
    let calls = entry.root.calls();
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
