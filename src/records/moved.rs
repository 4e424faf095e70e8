//! What a group moves that is no link.

use serde::{Deserialize, Serialize};

/// A file or directory that a group moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Moved {
    /// Whether it is a directory.
    pub dir: bool,
    /// Its inode.
    pub inode: u64,
    /// Whether it is brought to the name that the mutation is about, and not taken from there.
    pub brought: bool,
}
