//! Following a log: its mutations as they are told, and those that are still to come.

use std::collections::HashSet;
use std::sync::Arc;

use super::entry::Run;
use super::lines::{Lines, Next};
use super::log_file::{damaged, io};
use super::mutation::{Assembly, Mutation};
use super::query::Query;
use super::settle::has_ended;
use super::state::{Line, Pending, State};
use super::store::Records;
use crate::error::Result;

/// The mutations of a log as they are told, also those that are still to come.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
/// use caplink::records::{Author, Query, Records, Settings};
/// use caplink::{Policy, Root};
///
/// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
/// let (records, _) = Records::init(&root, Settings::default(), &Author::default())?;
/// let mut follow = records.follow(Query::default());
/// let mut seen = 0;
/// follow.next(&mut |_| seen += 1)?;
/// follow.next(&mut |_| seen += 1)?;
/// assert_eq!(seen, 1, "that they were made");
/// # Ok(())
/// # }
/// ```
pub struct Follow {
    records: Records,
    query: Query,
    state: State,
    assembly: Assembly,
    /// Processes that had ended before the log was read last.
    ended: HashSet<Run>,
}

impl Follow {
    /// Shows the mutations that were told since the last call, in the order of their intents.
    ///
    /// One whose result is not told yet holds back those after it, unless the program that made it has ended: then it is
    /// shown as `unknown`, whatever the disk tells later.
    ///
    /// # Errors
    ///
    /// `integrity`, also where the log was moved away, renewed or deleted meanwhile; `io`.
    pub fn next(&mut self, visit: &mut dyn FnMut(Mutation)) -> Result<()> {
        loop {
            self.read(visit)?;
            let Some(run) = self.awaited() else { return Ok(()) };
            if self.ended.contains(&run) {
                self.assembly.give_up();
                self.show(visit);
            } else if has_ended(run) {
                // Its last results may have been written since the log was read.
                self.ended.insert(run);
            } else {
                return Ok(());
            }
        }
    }

    fn read(&mut self, visit: &mut dyn FnMut(Mutation)) -> Result<()> {
        let (file, end) = {
            let mut log = self.records.log();
            log.refresh()?;
            log.is_the_named_one(self.records.root().calls(), self.records.dir())?;
            (Arc::clone(log.file()), log.state.end)
        };
        if end == self.state.end {
            return Ok(());
        }
        let mut lines = Lines::new(&file, self.state.end, end);
        while let Next::Line(line) = lines.next().map_err(io)? {
            if let Line::Entry(head, body) = self.state.take(line).map_err(|at| damaged(at.seq, at.reason))? {
                self.assembly.take(&head, body, false);
            }
            self.show(visit);
        }
        Ok(())
    }

    fn show(&mut self, visit: &mut dyn FnMut(Mutation)) {
        while let Some(mutation) = self.assembly.next() {
            if self.query.fits(&mutation) {
                visit(mutation);
            }
        }
    }

    /// The process whose result holds back what is behind it.
    fn awaited(&self) -> Option<Run> {
        match &self.state.open.get(&self.assembly.awaited()?)?.what {
            Pending::Intent(intent) => Some(intent.run),
            Pending::Member | Pending::Group(_) => None,
        }
    }
}

impl Records {
    /// Returns the mutations that are asked for as they are told, from the first on.
    #[must_use]
    pub fn follow(&self, query: Query) -> Follow {
        let (state, assembly, ended) = (State::empty(), Assembly::new(), HashSet::new());
        Follow { records: self.clone(), query, state, assembly, ended }
    }
}
