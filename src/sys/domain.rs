//! What a thread can be confined to, where the platform has nothing of the kind or it was left out.

use std::io;

/// Rules that a thread is held to. Here there are none.
#[derive(Debug)]
pub(crate) enum Domain {}

impl Domain {
    pub(crate) fn enter(self) -> io::Result<u32> {
        match self {}
    }
}

/// Whether a domain can have refused a change.
pub(crate) fn refused_by_domain(_error: &io::Error) -> bool {
    false
}
