//! What the edits of one batch share: how long others are waited for, and the directories that are to be synced.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Root;
use crate::error::Result;
use crate::model::{Durability, ObjectId};
use crate::sys::Handle;

/// How long a batch waits for other holders of locks, all together, in waits of one edit. Whoever can open a directory for
/// reading can hold its lock, so that this must be no matter of how many links or directories there are.
const PATIENCE: u32 = 5;

/// What the edits of one batch share.
#[derive(Debug)]
pub(crate) struct Batch {
    durability: Durability,
    waits: Mutex<Waits>,
    changed: Mutex<Changed>,
}

#[derive(Debug)]
struct Waits {
    left: Duration,
    /// The directories whose lock was waited for in vain. Each took a wait, so there are few.
    busy: Vec<ObjectId>,
}

/// The directories that were changed.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// For each link that was changed, the sync that it depends on.
    pub(crate) links: Vec<(Box<OsStr>, usize)>,
    /// Those not synced yet, by what identifies them while they are open.
    pub(crate) waiting: HashMap<ObjectId, (usize, Arc<Handle>)>,
    /// What became of each sync; `None` while it waits.
    pub(crate) syncs: Vec<Option<Result<()>>>,
}

impl Batch {
    /// `wait` is how long one edit waits.
    fn new(durability: Durability, wait: Duration) -> Batch {
        let waits = Mutex::new(Waits { left: wait.saturating_mul(PATIENCE), busy: Vec::new() });
        Batch { durability, waits, changed: Mutex::default() }
    }

    /// What is to survive a power cut once the batch has ended.
    pub(crate) fn durability(&self) -> Durability {
        self.durability
    }

    /// How long another holder of this directory's lock may be waited for, at most so long.
    pub(crate) fn may_wait(&self, dir: ObjectId, at_most: Duration) -> Duration {
        let waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        if waits.busy.contains(&dir) { Duration::ZERO } else { waits.left.min(at_most) }
    }

    /// Another holder was waited for; in vain, if the lock was not given up.
    pub(crate) fn waited(&self, dir: ObjectId, time: Duration, in_vain: bool) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        waits.left = waits.left.saturating_sub(time);
        if in_vain && !time.is_zero() {
            waits.busy.push(dir);
        }
    }

    /// The directories that were changed.
    pub(crate) fn changed(&self) -> MutexGuard<'_, Changed> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Root {
    /// This root for the edits of one batch.
    pub(crate) fn in_batch(&self, durability: Durability) -> Root {
        Root { batch: Some(Arc::new(Batch::new(durability, self.lock_wait()))), ..self.clone() }
    }

    /// Where it is below the root that was opened, as an absolute path.
    pub(crate) fn image(&self) -> &std::path::Path {
        &self.shared.image
    }

    /// This root for what an earlier run wrote down: paths are physical, wherever the mounts are.
    #[cfg(feature = "records")]
    pub(crate) fn settling(&self) -> Root {
        let policy = crate::model::Policy { follow: false, cross_mounts: true, ..self.policy };
        Root { policy, ..self.clone() }
    }

    /// The batch that edits are part of.
    pub(crate) fn batch(&self) -> Option<&Batch> {
        self.batch.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_was_waited_for_in_vain_is_not_waited_for_again() {
        let second = Duration::from_secs(1);
        let batch = Batch::new(Durability::None, second);
        let dir = |inode| ObjectId { device: 1, inode };
        assert_eq!(batch.may_wait(dir(1), second), second);
        batch.waited(dir(1), second, true);
        assert_eq!(batch.may_wait(dir(1), second), Duration::ZERO);
        for inode in 2..6 {
            assert_eq!(batch.may_wait(dir(inode), second), second);
            // Also a wait that came to an end.
            batch.waited(dir(inode), second, inode % 2 == 0);
        }
        assert_eq!(batch.may_wait(dir(3), second), Duration::ZERO, "all patience is used up");
    }
}
