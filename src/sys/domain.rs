//! What a thread can be confined to, where the platform has nothing of the kind or it was left out.

use std::io;

/// Rules that a thread is held to. Here there are none but those of the memory.
#[derive(Debug)]
pub(crate) enum Domain {
    #[cfg(all(unix, feature = "adversary"))]
    Memory(super::memory::Rules),
}

impl Domain {
    /// Rules for what is done in the memory.
    #[cfg(all(unix, feature = "adversary"))]
    pub(super) fn of_memory(rules: super::memory::Rules) -> Domain {
        Domain::Memory(rules)
    }

    pub(crate) fn enter(self) -> io::Result<u32> {
        match self {
            #[cfg(all(unix, feature = "adversary"))]
            Domain::Memory(rules) => {
                rules.enter();
                Ok(0)
            }
        }
    }
}

/// Whether a domain can have refused a change.
pub(crate) fn refused_by_domain(error: &io::Error) -> bool {
    cfg!(feature = "adversary")
        && matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::CrossesDevices)
}
