//! What is to survive a power cut: syncing the directories that were changed.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::entry::Opened;
use crate::error::{Error, Kind, Result};
use crate::model::{Durability, Edit, LinkPath, Outcome};
use crate::root::{Changed, Root};
use crate::sys::{Access, Handle};

/// Syncs a directory that was changed, or its file system.
///
/// The kinds are those of the system: whatever the reason, the change stands.
pub(crate) fn sync(root: &Root, changed: &Handle, durability: Durability) -> Result<()> {
    let calls = root.calls();
    // A descriptor for searching cannot be synced: the directory is opened anew for reading.
    let reopen = || calls.open_dir(changed, "".as_ref(), true, Access::Read);
    match durability {
        Durability::None => Ok(()),
        Durability::Fs => reopen().and_then(|dir| calls.sync_file_system(&dir)).map_err(named),
        Durability::Dir => reopen().and_then(|dir| calls.sync_dir(&dir)).map_err(named),
    }
}

/// What a preview knows of whether the directory can be synced after the change: it has to be one that may be read.
pub(super) fn foresee_sync(entry: &Opened<'_>, edit: &Edit, outcome: &mut Outcome) {
    if outcome.effect.is_change() && edit.durability != Durability::None {
        let opened = entry.root.calls().open_dir(&entry.parent, "".as_ref(), true, Access::Read);
        if let Err(error) = opened.map_err(named) {
            outcome.durability = Durability::None;
            outcome.shortfalls.push(error.on(edit.change.verb(), &outcome.link));
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
pub(super) fn leave_to_batch(entry: &Opened<'_>) {
    leave_dir_to_batch(&entry.root, &entry.path, &entry.parent);
}

/// The same with another directory that was changed for a link.
pub(super) fn leave_dir_to_batch(root: &Root, link: &LinkPath, dir: &Arc<Handle>) {
    leave_links_to_batch(root, std::iter::once(link.as_path()), dir);
}

/// The same for several links of a directory.
pub(super) fn leave_links_to_batch<'l>(root: &Root, of: impl Iterator<Item = &'l Path>, dir: &Arc<Handle>) {
    let Some(batch) = root.batch().filter(|batch| batch.durability() != Durability::None) else { return };
    let Ok(stat) = root.calls().stat(dir) else { return };
    let mut id = stat.id;
    // One directory stands for its file system.
    if batch.durability() == Durability::Fs {
        id.inode = 0;
    }
    let mut changed = batch.changed();
    let Changed { links, waiting, syncs } = &mut *changed;
    let (number, _) = waiting.entry(id).or_insert_with(|| {
        syncs.push(None);
        (syncs.len() - 1, Arc::clone(dir))
    });
    links.extend(of.map(|link| (link.as_os_str().into(), *number)));
    if waiting.len() >= WAITING_MAX {
        sync_waiting(root, batch.durability(), &mut changed);
    }
}

fn sync_waiting(root: &Root, durability: Durability, changed: &mut Changed) {
    for (_, (number, dir)) in changed.waiting.drain() {
        changed.syncs[number] = Some(sync(root, &dir, durability));
    }
}

/// Syncs what the edits of a batch changed and says in their outcomes what was reached.
pub(crate) fn sync_batch(root: &Root, results: &mut [Result<Outcome>]) {
    let Some(batch) = root.batch() else { return };
    let durability = batch.durability();
    let mut changed = batch.changed();
    sync_waiting(root, durability, &mut changed);
    let Changed { mut links, mut syncs, .. } = std::mem::take(&mut *changed);
    // By their bytes, which nearly always are in order already.
    links.sort_unstable();
    links.dedup();
    for outcome in results.iter_mut().flatten() {
        outcome.for_each_mut(&mut |outcome| {
            let link = outcome.link.as_path().as_os_str();
            let first = links.partition_point(|(other, _)| **other < *link);
            let numbers = || links[first..].iter().take_while(|(other, _)| **other == *link).map(|(_, number)| *number);
            if !outcome.effect.is_change() || numbers().next().is_none() {
                return;
            }
            if numbers().all(|number| matches!(syncs[number], Some(Ok(())))) {
                outcome.durability = durability;
            }
            for number in numbers() {
                // It is reported with the first link that it concerns.
                if let Some(error) = syncs[number].take_if(|synced| synced.is_err()).and_then(Result::err) {
                    outcome.shortfalls.push(error.on("sync", &outcome.link));
                }
            }
        });
    }
}
