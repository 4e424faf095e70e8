//! Carries out many edits, and syncs each changed directory once.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::exec::sync;
use crate::model::{Durability, Edit, Outcome};
use crate::root::Root;

impl Root {
    /// Carries out edits in order, whatever becomes of each, and returns what each came to.
    ///
    /// # Durability
    ///
    /// What is asked for here is done once behind the last edit: each changed directory is synced once. The outcomes say
    /// what was reached; where a sync failed, they have it among their shortfalls.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Root::apply), for each edit.
    pub fn apply_durably(&self, edits: &[Edit], durability: Durability) -> Vec<Result<Outcome>> {
        let mut results = self.apply_all(edits);
        let changed = results.iter().flatten().flat_map(Outcome::each).filter(|outcome| outcome.effect.is_change());
        let dirs: BTreeSet<PathBuf> = changed.map(directory).collect();
        let groups: Vec<Vec<PathBuf>> = match durability {
            Durability::None => return results,
            Durability::Dir => dirs.into_iter().map(|dir| vec![dir]).collect(),
            Durability::Fs if dirs.is_empty() => Vec::new(),
            Durability::Fs => vec![dirs.into_iter().collect()],
        };
        // For each directory whether it was synced, and the error, which is reported with the first link that it concerns.
        let mut group_of = HashMap::new();
        let mut came: Vec<(bool, Option<Error>)> = Vec::new();
        for group in groups {
            let result = sync(self, None, &group, durability);
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
        results
    }
}

/// The physical directory of a link, below the root.
fn directory(outcome: &Outcome) -> PathBuf {
    let link = outcome.physical.as_deref().unwrap_or(outcome.link.as_path());
    link.parent().map(PathBuf::from).unwrap_or_default()
}
