//! From findings to edits, and in which order these are carried out. Pure: equal findings give equal edits.

#[cfg(feature = "manage")]
mod manifest;
mod moved;
mod order;
#[cfg(feature = "manage")]
mod release;
mod repair;
mod text;

#[cfg(feature = "manage")]
pub use manifest::{
    Action, Claimed, Conflict, Contents, Declared, EntryState, EntryStatus, Holdings, Label, Leads, ManifestPlan,
    ManifestStep, Note, OnConflict, Owned, Pattern, Position, Remedy, Request, Seen, Sight, TargetKind, Unwanted, Way,
    plan_manifest, plan_unapply,
};
#[cfg(feature = "manage")]
pub use release::{
    Activation, Alarm, DirectoryId, Entering, InUse, KeptBecause, Ledger, Occupant, Pointing, PruneItem, PruneRequest,
    Pruning, ReleaseDir, ReleaseRecord, ReleaseSight, ReleaseState, Settling, Switching, alarm, plan_add, plan_prune,
    plan_rollback, plan_switch, release_name, settle,
};
pub use repair::Repair;

#[cfg(feature = "manage")]
pub(crate) use manifest::{DeclaredInStep, Star, needed, plan_states, plan_steps, tree_order};
pub(crate) use order::{InOrder, Next, Rounds, Step};
