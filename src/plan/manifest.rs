//! From what a manifest declares, what is there and what is owned, to the steps that bring the tree there. Pure.

mod carry;
mod declared;
mod entry;
mod in_step;
mod pattern;
mod plan;
mod removal;
mod request;
mod seen;
mod step;
#[cfg(test)]
mod tests;
mod unapply;

use std::cmp::Ordering;
use std::path::Path;

pub use declared::{Declared, Label, OnConflict, Position, TargetKind, Unwanted};
pub use pattern::Pattern;
pub use plan::plan_manifest;
pub(crate) use plan::{plan_states, plan_steps};
pub use request::Request;
pub use seen::{Claimed, Contents, Holdings, Leads, Owned, Seen, Sight, Way};
pub use step::{Action, Conflict, EntryState, EntryStatus, ManifestPlan, ManifestStep, Note, Remedy};
pub use unapply::plan_unapply;

pub(crate) use in_step::DeclaredInStep;
pub(crate) use pattern::Star;
pub(crate) use removal::needed;

/// The order of a walk: what is below a directory comes right after it. Both paths are normal.
pub(crate) fn tree_order(a: &Path, b: &Path) -> Ordering {
    let (a, b) = (a.as_os_str().as_encoded_bytes(), b.as_os_str().as_encoded_bytes());
    let common = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let next = |bytes: &[u8]| bytes.get(common).map(|byte| if *byte == b'/' { 0 } else { u16::from(*byte) + 1 });
    next(a).cmp(&next(b))
}
