//! Up to where all tables are taken from the log, as the index keeps it in one of them.

use redb::ReadableTable;

use super::known::Known;
use super::tables::{Source, UpToValue, Useless};
use crate::records::tree::{Hash, Tree};

/// Up to where the index is.
pub(super) struct UpTo {
    pub(super) tree: Tree,
    /// Where the last entry begins, and where it ends.
    pub(super) last: u64,
    pub(super) end: u64,
    /// The leaf hash of the last.
    pub(super) leaf: Hash,
}

impl UpTo {
    /// Before the first entry.
    pub(super) fn nothing() -> UpTo {
        UpTo { tree: Tree::default(), last: 0, end: 0, leaf: Hash::of_nothing() }
    }

    /// What the table says; `None` where it says nothing yet.
    pub(super) fn of(table: &impl ReadableTable<u8, UpToValue<'static>>) -> Result<Option<UpTo>, Useless> {
        let Some(kept) = table.get(0)? else { return Ok(None) };
        let (entries, last, end, leaf, subtrees) = kept.value();
        let tree = Tree::from_bytes(entries, subtrees).ok_or(Useless)?;
        Ok(Some(UpTo { tree, last, end, leaf: Hash(leaf.try_into()?) }))
    }

    pub(super) fn put(&self, table: &mut redb::Table<'_, u8, UpToValue<'static>>) -> Result<(), Useless> {
        let subtrees = self.tree.to_bytes();
        table.insert(0, (self.tree.size(), self.last, self.end, &self.leaf.0[..], &subtrees[..]))?;
        Ok(())
    }

    /// Takes a line: an entry, or what was cut short and ended.
    pub(super) fn pass(&mut self, line: &[u8]) {
        self.last = self.end;
        self.end += line.len() as u64 + 1;
        self.leaf = Hash::of_leaf(line);
        self.tree.push(self.leaf);
    }

    /// What the head of the index says of this.
    pub(super) fn known(&self, source: Source<'_>) -> Known {
        let (id, entries) = (source.id.to_owned(), self.tree.size());
        Known { id, entries, last: self.last, end: self.end, leaf: self.leaf }
    }
}
