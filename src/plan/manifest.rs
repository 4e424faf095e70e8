//! From what a manifest declares, what is there and what is owned, to the steps that bring the tree there. Pure.

mod declared;
mod pattern;

pub use declared::{Declared, Label, OnConflict, Position, TargetKind, Unwanted};
pub use pattern::Pattern;

pub(crate) use pattern::Star;
