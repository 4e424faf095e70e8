//! What every mutation has in common as it is written down.

use super::entry::Body;
use super::log::Log;
use super::log_file::io;
use super::many::Many;
use super::recovered::Recovered;
use super::store::Records;
use crate::error::{Error, Kind, Result};

impl Records {
    /// Appends what `decide` says, and syncs it. Returns the numbers of the entries.
    pub(super) fn append(&self, decide: impl FnOnce(&Log) -> Result<Vec<Body>>) -> Result<Vec<u64>> {
        self.append_many(decide, Many::none())
    }

    /// Appends what `decide` says and then these, and syncs all of it at once. Returns the numbers of the former, and that of
    /// the first of the latter behind them.
    pub(super) fn append_many(
        &self,
        decide: impl FnOnce(&Log) -> Result<Vec<Body>>,
        many: Many<'_>,
    ) -> Result<Vec<u64>> {
        let (numbers, file) = self.append_only(decide, many)?;
        if !numbers.is_empty() {
            file.sync().map_err(io)?;
        }
        Ok(numbers)
    }

    /// Appends what `decide` says, and leaves the syncing to whoever syncs next: if it is lost it is found out anew.
    pub(super) fn append_unsynced(&self, decide: impl FnOnce(&Log) -> Result<Vec<Body>>) -> Result<Vec<u64>> {
        self.append_only(decide, Many::none()).map(|(numbers, _)| numbers)
    }

    /// Refuses a change without a reason, where one is demanded.
    #[expect(clippy::unused_self, reason = "it is what these records demand")]
    pub(super) fn demands_reason(&self, log: &Log, is_given: bool) -> Result<()> {
        if log.settled().settings.require_reason && !is_given {
            return Err(Error::new(Kind::Policy).during("record").because("the records demand a reason"));
        }
        Ok(())
    }

    /// The id of a new group.
    pub(super) fn new_group_id(&self) -> Result<String> {
        let random = self.root().calls().random().map_err(io)?;
        Ok(format!("{:016x}", random & u128::from(u64::MAX)))
    }

    /// Notes what was settled on the way to another change.
    pub(super) fn has_settled(&self, settled: Vec<Recovered>) {
        if !settled.is_empty() {
            self.settled().extend(settled);
        }
    }

    /// Returns what was settled on the way to changes that were recorded since the last call.
    #[must_use]
    pub fn take_settled(&self) -> Vec<Recovered> {
        std::mem::take(&mut *self.settled())
    }
}
