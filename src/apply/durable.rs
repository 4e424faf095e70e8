//! Syncs what a plan changed: each directory once.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::exec::sync;
use crate::model::{Durability, Outcome};
use crate::root::Root;

/// Syncs the directories that were changed, and says so in the outcomes.
pub(super) fn make_durable(root: &Root, results: &mut [Result<Outcome>], durability: Durability) {
    let changed = results.iter().flatten().flat_map(Outcome::each).filter(|outcome| outcome.effect.is_change());
    let dirs: BTreeSet<PathBuf> = changed.map(directory).collect();
    let groups: Vec<Vec<PathBuf>> = match durability {
        Durability::None => return,
        Durability::Dir => dirs.into_iter().map(|dir| vec![dir]).collect(),
        Durability::Fs if dirs.is_empty() => Vec::new(),
        Durability::Fs => vec![dirs.into_iter().collect()],
    };
    // For each directory whether it was synced, and the error, which is reported with the first link that it concerns.
    let mut group_of = HashMap::new();
    let mut came: Vec<(bool, Option<Error>)> = Vec::new();
    for group in groups {
        let result = sync(root, None, &group, durability);
        group_of.extend(group.into_iter().map(|dir| (dir, came.len())));
        came.push((result.is_ok(), result.err()));
    }
    for outcome in results.iter_mut().flatten() {
        outcome.for_each_mut(&mut |outcome| {
            let Some(group) = group_of.get(&directory(outcome)).filter(|_| outcome.effect.is_change()) else {
                return;
            };
            let (synced, error) = &mut came[*group];
            if *synced {
                outcome.durability = durability;
            }
            outcome.shortfalls.extend(error.take().map(|error| error.on("sync", &outcome.link)));
        });
    }
}

/// The physical directory of a link, below the root.
fn directory(outcome: &Outcome) -> PathBuf {
    outcome.physical_path().parent().map(PathBuf::from).unwrap_or_default()
}
