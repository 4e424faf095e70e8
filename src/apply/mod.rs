//! Carries out many edits, and syncs each changed directory once; repairs links.

mod repair;

use crate::error::Result;
use crate::exec::sync_batch;
use crate::model::{Durability, Edit, Outcome};
use crate::root::Root;

pub use repair::RepairOptions;

impl Root {
    /// Carries out edits in order, whatever becomes of each, and returns what each came to.
    ///
    /// # Durability
    ///
    /// Each changed directory is synced behind its last edit, or, where many are changed in turns, behind several of them.
    /// What is synced is the directory that was changed, wherever it was moved meanwhile. The outcomes say what was
    /// reached; where a sync failed, the first of those that it concerns has it among its shortfalls.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Root::apply), for each edit.
    pub fn apply_durably(&self, edits: &[Edit], durability: Durability) -> Vec<Result<Outcome>> {
        let batch = self.in_batch(durability);
        let mut results = batch.apply_all(edits);
        sync_batch(&batch, &mut results);
        results
    }
}
