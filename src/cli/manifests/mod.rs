//! What the verbs of manifests share: reading one, opening what it is carried out in, and showing its plan.

mod carry;
mod errors;
mod fold;
mod read;
mod show;

pub(super) use carry::{Carried, Ready, carry, ready};
pub(super) use errors::{conflict, unplanned};
pub(super) use read::{ReadManifest, read, read_or_fail};
pub(super) use show::{StateItem, compare, is_fine, show};
