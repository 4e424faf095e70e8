//! What a root refuses right before a change: what its policy does not allow, and what somebody else has to be told of.

use super::Root;
use crate::error::{Error, Kind, Result};
use crate::model::Decision;

/// Looks whether a change may be made through a root; asked when it is decided, right before it.
pub(super) type Guard = fn(&Root) -> Result<()>;

impl Root {
    /// This root with its changes refused where `guard` says so.
    #[cfg(feature = "records")]
    pub(crate) fn guarded(&self, guard: Option<Guard>) -> Root {
        Root { guard, ..self.clone() }
    }

    /// Refuses a change that may not be made. What changes nothing is not asked for.
    pub(crate) fn permits(&self, decision: Decision) -> Result<()> {
        if !decision.is_permitted(self.policy) {
            return Err(Error::new(Kind::Policy));
        }
        self.guard.map_or(Ok(()), |guard| guard(self))
    }
}
