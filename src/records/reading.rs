//! Reading the log from its beginning: the mutations that are asked for, the tree, the entries as they are.

use std::sync::Arc;

use super::checkpoint::Checkpoint;
use super::held::{Held, HeldLink};
use super::index::{Index, Source};
use super::lines::{Lines, Next};
use super::log_file::{damaged, io};
use super::mutation::{Assembly, Mutation};
use super::owned::{Owned, Ownership};
use super::query::{Newest, Query};
use super::state::{Line, State};
use super::store::Records;
use super::tree::Tree;
use super::verify::{self, Verified};
use crate::error::Result;
use crate::sys::OpenFile;

impl Records {
    /// Shows the mutations that are asked for, oldest first, until `visit` returns `false`. Returns the number of entries
    /// that were read.
    ///
    /// # Errors
    ///
    /// `integrity`, `io`. Mutations before the damage may have been shown.
    pub fn mutations(&self, query: &Query, visit: &mut dyn FnMut(Mutation) -> bool) -> Result<u64> {
        let (file, end, open, entries) = {
            let mut log = self.log();
            log.refresh()?;
            (Arc::clone(log.file()), log.state.end, log.state.open.clone(), log.state.seq)
        };
        if query.is_narrow() {
            let id = self.id();
            let source = self.source(&file, &id, end);
            if let Some(found) = source.indexed(|index| index.find(source, query)) {
                let _wanted = found.into_iter().all(visit);
                return Ok(entries);
            }
        }
        let mut found = Newest::new(query, visit);
        let (mut state, mut assembly) = (State::empty(), Assembly::new());
        let mut lines = Lines::new(&file, 0, end);
        while let Next::Line(line) = lines.next().map_err(io)? {
            if let Line::Entry(head, body) = state.take(line).map_err(|at| damaged(at.seq, at.reason))? {
                assembly.take(&head, body, open.contains_key(&head.seq));
            }
            while let Some(mutation) = assembly.next() {
                found.found(mutation);
            }
            if !found.is_wanted() {
                return Ok(state.seq);
            }
        }
        while let Some(mutation) = assembly.rest() {
            found.found(mutation);
        }
        found.finish();
        Ok(state.seq)
    }

    /// Returns what was made for manifests and not taken away by them since, by manifest and path. A link that somebody else
    /// changed stays theirs: what it has now is to be compared with what it was given.
    ///
    /// # Errors
    ///
    /// `integrity`, `io`.
    pub fn owned(&self) -> Result<Vec<Owned>> {
        self.held().map(|held| held.owned().iter().map(HeldLink::to_owned).collect())
    }

    /// Returns everything that the log says of manifests.
    pub(crate) fn held(&self) -> Result<Held> {
        let (file, end) = {
            let mut log = self.log();
            log.refresh()?;
            (Arc::clone(log.file()), log.state.end)
        };
        let id = self.id();
        if let Some(held) = self.source(&file, &id, end).indexed(Index::held) {
            return Ok(held);
        }
        let (mut state, mut ownership) = (State::empty(), Ownership::default());
        let mut lines = Lines::new(&file, 0, end);
        while let Next::Line(line) = lines.next().map_err(io)? {
            if let Line::Entry(head, body) = state.take(line).map_err(|at| damaged(at.seq, at.reason))? {
                let Ok(()) = ownership.take(head.seq, body);
            }
        }
        Ok(ownership.into())
    }

    /// Shows the entries as they are, each with its newline, until `visit` returns `false`.
    ///
    /// # Errors
    ///
    /// `io`.
    pub fn raw(&self, visit: &mut dyn FnMut(&[u8]) -> bool) -> Result<()> {
        let file = Arc::clone(self.log().file());
        let mut lines = Lines::new(&file, 0, file.len().map_err(io)?);
        let mut whole = Vec::new();
        while let Next::Line(line) = lines.next().map_err(io)? {
            whole.clear();
            whole.extend_from_slice(line);
            whole.push(b'\n');
            if !visit(&whole) {
                break;
            }
        }
        Ok(())
    }

    /// Returns what the log is now, to be kept elsewhere.
    ///
    /// # Errors
    ///
    /// `integrity`, `io`.
    pub fn checkpoint(&self) -> Result<Checkpoint> {
        let (file, id) = {
            let log = self.log();
            (Arc::clone(log.file()), log.founding.id.clone())
        };
        // What a power cut could take away is not vouched for.
        let end = file.len().map_err(io)?;
        file.sync().map_err(io)?;
        let source = self.source(&file, &id, end);
        let tree = match source.indexed(|index| Ok(index.tree.clone())) {
            Some(tree) => tree,
            None => tree(&file, end)?,
        };
        Ok(Checkpoint { id, size: tree.size(), root: tree.root() })
    }

    fn source<'a>(&'a self, log: &'a OpenFile, id: &'a str, end: u64) -> Source<'a> {
        Source { calls: self.root().calls(), dir: self.dir(), log, id, end }
    }

    /// Reads and hashes the whole log anew, and compares it with checkpoints that were kept.
    ///
    /// # Errors
    ///
    /// `integrity`, with [`Error::seq`](crate::Error::seq), for the first entry that does not fit, or the checkpoint that
    /// the log did not go through.
    pub fn verify(&self, checkpoints: &[Checkpoint]) -> Result<Verified> {
        let (file, founding) = {
            let log = self.log();
            (Arc::clone(log.file()), log.founding.clone())
        };
        verify::verify(&file, &founding, checkpoints)
    }
}

/// The tree over all entries.
fn tree(file: &OpenFile, end: u64) -> Result<Tree> {
    let (mut state, mut tree) = (State::empty(), Tree::default());
    let mut lines = Lines::new(file, 0, end);
    while let Next::Line(line) = lines.next().map_err(io)? {
        state.take(line).map_err(|at| damaged(at.seq, at.reason))?;
        tree.push(state.last);
    }
    Ok(tree)
}
