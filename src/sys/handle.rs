//! What the calls hold: a descriptor.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A descriptor: `O_PATH`, or a directory opened for reading.
#[derive(Debug)]
pub(crate) struct Handle(OwnedFd);

impl From<OwnedFd> for Handle {
    fn from(fd: OwnedFd) -> Handle {
        Handle(fd)
    }
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
