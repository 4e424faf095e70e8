//! What is to survive a power cut: syncing the directories that were changed.

use std::io;
use std::path::PathBuf;

use crate::error::{Error, Kind, Result};
use crate::model::Durability;
use crate::root::Root;
use crate::sys::{Access, Handle};

/// Syncs directories that were changed, or their file system.
///
/// The kinds are those of the system: whatever the reason, the change stands.
pub(crate) fn sync(root: &Root, opened: Option<&Handle>, dirs: &[PathBuf], durability: Durability) -> Result<()> {
    let calls = root.calls();
    // A descriptor for searching cannot be synced: the directory is opened anew for reading.
    let reopen = |dir: &Handle| calls.open_dir(dir, "".as_ref(), true, Access::Read);
    match durability {
        Durability::None => Ok(()),
        Durability::Fs => {
            let dir = reopen(opened.unwrap_or(root.handle())).map_err(named)?;
            calls.sync_file_system(&dir).map_err(named)
        }
        Durability::Dir => {
            for (index, path) in dirs.iter().enumerate() {
                let dir = match opened {
                    Some(dir) if index == 0 => reopen(dir),
                    _ => calls.open_dir(root.handle(), path, root.policy().cross_mounts, Access::Read),
                };
                dir.and_then(|dir| calls.sync_dir(&dir)).map_err(named)?;
            }
            Ok(())
        }
    }
}

/// A directory that others moved or replaced meanwhile is not found by its path. To say so by its own kind would be to
/// say that nothing was changed.
fn named(source: io::Error) -> Error {
    let error = Error::from_io(source).because("the change stands, but it could not be synced");
    match error.kind() {
        Kind::Permission
        | Kind::ReadOnly
        | Kind::NoSpace
        | Kind::FdExhausted
        | Kind::Unsupported
        | Kind::Corrupt
        | Kind::Io => error,
        _ => error.with_kind(Kind::Io),
    }
}
