//! Verifying a log: everything is hashed anew, and must have gone through the checkpoints that were kept.

use super::checkpoint::Checkpoint;
use super::entry::Founding;
use super::lines::{Lines, Next};
use super::log_file::{damaged, io};
use super::state::{NOT_CUT, State, could_be_cut};
use super::tree::{Hash, Tree};
use crate::error::{Error, Kind, Result};
use crate::sys::OpenFile;

/// What a whole log was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The number of entries; all fit.
    pub entries: u64,
    /// The root hash of the tree over them.
    pub root: Hash,
    /// The number of entries that a given checkpoint vouches for.
    pub vouched: u64,
}

impl Verified {
    /// Returns the number of entries at the end that no given checkpoint vouches for.
    #[must_use]
    pub fn unvouched(&self) -> u64 {
        self.entries - self.vouched
    }
}

/// Reads every entry from the first on, and compares the tree with each checkpoint where it has its size.
pub(super) fn verify(file: &OpenFile, founding: &Founding, checkpoints: &[Checkpoint]) -> Result<Verified> {
    if let Some(other) = checkpoints.iter().find(|checkpoint| checkpoint.id != founding.id) {
        let reason = format!("a checkpoint is of the records `{}`, and these are `{}`", other.id, founding.id);
        return Err(contradicted(0, reason));
    }
    let mut expected: Vec<&Checkpoint> = checkpoints.iter().collect();
    expected.sort_by_key(|checkpoint| checkpoint.size);
    let mut expected = expected.into_iter().peekable();
    let (mut state, mut tree) = (State::empty(), Tree::default());
    let mut vouched = 0;
    let mut lines = Lines::new(file, 0, file.len().map_err(io)?);
    loop {
        while let Some(checkpoint) = expected.next_if(|checkpoint| checkpoint.size == tree.size()) {
            if checkpoint.root != tree.root() {
                let reason = format!("a checkpoint of {} entries has another root hash", checkpoint.size);
                return Err(contradicted(checkpoint.size.saturating_sub(1), reason));
            }
            vouched = checkpoint.size;
        }
        match lines.next().map_err(io)? {
            Next::Line(line) => {
                state.take(line).map_err(|at| damaged(at.seq, at.reason))?;
                tree.push(state.last);
            }
            Next::Rest(rest) if could_be_cut(rest) => break,
            Next::Rest(_) => return Err(damaged(state.seq, NOT_CUT)),
        }
    }
    match expected.next() {
        Some(checkpoint) => {
            let reason = format!("a checkpoint is of {} entries, and there are {}", checkpoint.size, tree.size());
            Err(contradicted(tree.size(), reason))
        }
        None => Ok(Verified { entries: tree.size(), root: tree.root(), vouched }),
    }
}

fn contradicted(seq: u64, reason: String) -> Error {
    Error::new(Kind::Integrity).during("verify the log").because(reason).at_entry(seq)
}
