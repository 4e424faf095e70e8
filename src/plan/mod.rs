//! From findings to edits. Pure: equal findings give equal edits.

#[cfg(feature = "manage")]
mod manifest;
mod repair;
mod text;

#[cfg(feature = "manage")]
pub use manifest::{
    Action, Claimed, Conflict, Contents, Declared, EntryState, EntryStatus, Holdings, Label, Leads, ManifestPlan,
    ManifestStep, Note, OnConflict, Owned, Pattern, Position, Remedy, Request, Seen, Sight, TargetKind, Unwanted, Way,
    plan_manifest,
};
pub use repair::Repair;

#[cfg(feature = "manage")]
pub(crate) use manifest::{Star, tree_order};
