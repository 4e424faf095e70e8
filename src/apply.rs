//! Carries out many edits, and syncs each changed directory once.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::error::Result;
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
        let changed = || results.iter().flatten().filter(|outcome| outcome.effect.is_change());
        let dirs: BTreeSet<PathBuf> = changed().map(directory).collect();
        let mut synced = BTreeSet::new();
        let mut failures = Vec::new();
        let groups: Vec<Vec<PathBuf>> = match durability {
            Durability::None => Vec::new(),
            Durability::Dir => dirs.into_iter().map(|dir| vec![dir]).collect(),
            Durability::Fs if dirs.is_empty() => Vec::new(),
            Durability::Fs => vec![dirs.into_iter().collect()],
        };
        for group in groups {
            match sync(self, None, &group, durability) {
                Ok(()) => synced.extend(group),
                Err(error) => failures.push((group, error)),
            }
        }
        for outcome in results.iter_mut().flatten().filter(|outcome| outcome.effect.is_change()) {
            let dir = directory(outcome);
            if synced.contains(&dir) {
                outcome.durability = durability;
            } else if let Some(at) = failures.iter().position(|(group, _)| group.contains(&dir)) {
                let (_, error) = failures.swap_remove(at);
                outcome.shortfalls.push(error.on("sync", &outcome.link));
            }
        }
        results
    }
}

/// The physical directory of a link, below the root.
fn directory(outcome: &Outcome) -> PathBuf {
    let link = outcome.physical.as_deref().unwrap_or(outcome.link.as_path());
    link.parent().map(PathBuf::from).unwrap_or_default()
}
