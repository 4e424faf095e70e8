//! What an error says beside links: the entry of the records, the group, and who holds the lock.

use super::{Error, Holder};

impl Error {
    /// Names the entry of the records that is at fault.
    #[cfg(feature = "records")]
    pub(crate) fn at_entry(mut self, seq: u64) -> Error {
        self.0.seq = Some(seq);
        self
    }

    /// Names the group that the operation belongs to.
    #[cfg(feature = "records")]
    pub(crate) fn in_group(mut self, group: impl Into<String>) -> Error {
        self.0.group = Some(group.into());
        self
    }

    /// Names the holder of the lock that was waited for.
    #[cfg(feature = "records")]
    pub(crate) fn held_by(mut self, holder: Option<Holder>) -> Error {
        self.0.holder = holder;
        self
    }

    pub(crate) fn having_changed(mut self) -> Error {
        self.0.changed = true;
        self
    }

    /// Returns the number of the entry of the records that does not fit.
    pub fn seq(&self) -> Option<u64> {
        self.0.seq
    }

    /// Returns the id of the group that the operation belongs to.
    pub fn group(&self) -> Option<&str> {
        self.0.group.as_deref()
    }

    /// Returns who holds the lock that was waited for, where the system tells.
    pub fn holder(&self) -> Option<&Holder> {
        self.0.holder.as_ref()
    }
}
