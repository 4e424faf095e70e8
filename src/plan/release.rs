//! What may be done with releases, decided from the ledger, the tree and a clock reading. Pure.
//!
//! The order of releases is that in which they were entered, never that of a clock; a reading only says whether enough time
//! has gone by.

mod alarm;
mod ledger;
mod prune;
mod switch;
#[cfg(test)]
mod tests;

pub use alarm::{Alarm, alarm};
pub use ledger::{
    Activation, DirectoryId, InUse, Ledger, Occupant, Pointing, ReleaseDir, ReleaseRecord, ReleaseSight, ReleaseState,
};
pub use prune::{KeptBecause, PruneItem, PruneRequest, Pruning, plan_prune};
pub use switch::{Entering, Settling, Switching, plan_add, plan_rollback, plan_switch, release_name, settle};
