//! What is to survive a power cut: syncing the directories that were changed.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::entry::Entry;
use crate::error::{Error, Kind, Result};
use crate::model::{Durability, LinkPath, Outcome};
use crate::root::{Changed, Root};
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

/// How many directories of a batch wait to be synced, each with a descriptor.
const WAITING_MAX: usize = 16;

/// Leaves the directory of an edit that was made to be synced with others of its batch: the one that was changed, whatever
/// has its path by then.
pub(super) fn leave_to_batch(entry: &Entry) {
    let Some(batch) = entry.root.batch() else { return };
    let Ok(stat) = entry.root.calls().stat(&entry.parent) else { return };
    let mut id = stat.id;
    match batch.durability() {
        Durability::None => return,
        Durability::Dir => {}
        // One directory stands for its file system.
        Durability::Fs => id.inode = 0,
    }
    let mut changed = batch.changed();
    let Changed { links, waiting, syncs } = &mut *changed;
    let (number, _) = waiting.entry(id).or_insert_with(|| {
        syncs.push(None);
        (syncs.len() - 1, Arc::clone(&entry.parent))
    });
    links.push((entry.path.clone(), *number));
    if waiting.len() >= WAITING_MAX {
        sync_waiting(&entry.root, batch.durability(), &mut changed);
    }
}

fn sync_waiting(root: &Root, durability: Durability, changed: &mut Changed) {
    for (_, (number, dir)) in changed.waiting.drain() {
        changed.syncs[number] = Some(sync(root, Some(&dir), &[PathBuf::new()], durability));
    }
}

/// Syncs what the edits of a batch changed and says in their outcomes what was reached.
pub(crate) fn sync_batch(root: &Root, results: &mut [Result<Outcome>]) {
    let Some(batch) = root.batch() else { return };
    let durability = batch.durability();
    let mut changed = batch.changed();
    sync_waiting(root, durability, &mut changed);
    let Changed { links, mut syncs, .. } = std::mem::take(&mut *changed);
    let sync_of: HashMap<LinkPath, usize> = links.into_iter().collect();
    for outcome in results.iter_mut().flatten() {
        outcome.for_each_mut(&mut |outcome| {
            let Some(number) = sync_of.get(&outcome.link).filter(|_| outcome.effect.is_change()) else { return };
            match syncs[*number].take() {
                Some(Ok(())) => {
                    syncs[*number] = Some(Ok(()));
                    outcome.durability = durability;
                }
                // It is reported with the first link that it concerns.
                Some(Err(error)) => outcome.shortfalls.push(error.on("sync", &outcome.link)),
                None => {}
            }
        });
    }
}
