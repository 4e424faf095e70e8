//! What was settled after a program had been stopped.

use crate::error::{Error, Kind};
use crate::wire::Text;

/// A change that was settled from the disk.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recovered {
    /// The number of its entry.
    pub seq: u64,
    /// The link.
    pub link: Text,
    /// The text that it was to have.
    pub target: Option<Text>,
    /// The text that it had.
    pub previous: Option<Text>,
    /// What became of it: an outcome, `failed`, or `unknown` where others changed the link since.
    pub outcome: String,
    /// Why it failed: `partial` where its group was taken back, `mismatch` where others changed the link.
    pub kind: Option<Kind>,
    /// The group that it is part of.
    pub group: Option<String>,
    /// What is to be told of it as an error: a link of a group that others changed, or a group that could not be settled
    /// and stays open.
    pub error: Option<Error>,
    /// Whether the link differs because it was settled.
    pub changed: bool,
}
