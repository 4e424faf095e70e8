//! From findings to edits. Pure: equal findings give equal edits.

#[cfg(feature = "manage")]
mod manifest;
mod repair;
mod text;

#[cfg(feature = "manage")]
pub use manifest::{Declared, Label, OnConflict, Pattern, Position, TargetKind, Unwanted};
pub use repair::Repair;

#[cfg(feature = "manage")]
pub(crate) use manifest::Star;
