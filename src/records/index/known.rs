//! The head of the index's file: up to where the log was known when the index was last brought up to date.

use sha2::{Digest as _, Sha256};

use super::tables::Source;
use crate::records::lines::line_at;
use crate::records::tree::Hash;
use crate::sys::OpenFile;

/// What the file begins with.
const MAGIC: &[u8; 16] = b"caplink index 3\n";

const LENGTH: usize = 16 + 32 + 3 * 8 + 32;

/// A place in a log up to which it was read, and what was last there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// The id of the records.
    pub(super) id: String,
    /// The number of entries.
    pub(super) entries: u64,
    /// Where the last of them begins, and where it ends.
    pub(super) last: u64,
    pub(super) end: u64,
    /// The leaf hash of the last.
    pub(super) leaf: Hash,
}

impl Known {
    /// Reads the head; `None` where it is damaged, or there is none.
    pub(super) fn read(file: &OpenFile) -> Option<Known> {
        let mut head = [0; LENGTH + 32];
        if file.read_at(0, &mut head).ok()? != head.len() {
            return None;
        }
        let (head, sum) = head.split_at(LENGTH);
        if sum != Sha256::digest(head).as_slice() || !head.starts_with(MAGIC) {
            return None;
        }
        let number = |at: usize| Some(u64::from_le_bytes(head.get(at..at + 8)?.try_into().ok()?));
        Some(Known {
            id: std::str::from_utf8(&head[16..48]).ok()?.to_owned(),
            entries: number(48)?,
            last: number(56)?,
            end: number(64)?,
            leaf: Hash(head[72..].try_into().ok()?),
        })
    }

    /// Whether the log has its last entry where it was.
    pub(super) fn is_last_of(&self, source: Source<'_>) -> std::io::Result<bool> {
        let line = line_at(source.log, self.last, self.end)?;
        Ok(line.is_some_and(|line| self.last + line.len() as u64 + 1 == self.end && Hash::of_leaf(&line) == self.leaf))
    }

    pub(super) fn write(&self, file: &OpenFile) -> std::io::Result<()> {
        let mut head = Vec::with_capacity(LENGTH + 32);
        head.extend_from_slice(MAGIC);
        head.extend_from_slice(self.id.as_bytes());
        head.resize(48, 0);
        for number in [self.entries, self.last, self.end] {
            head.extend_from_slice(&number.to_le_bytes());
        }
        head.extend_from_slice(&self.leaf.0);
        let sum = Sha256::digest(&head);
        head.extend_from_slice(&sum);
        file.write_at(0, &head)
    }
}
