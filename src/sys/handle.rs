//! What the calls hold: a descriptor. With the feature `adversary` also one of the memory, which is no descriptor.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

#[cfg(not(feature = "adversary"))]
use std::os::fd::OwnedFd as Held;

#[cfg(feature = "adversary")]
use with_memory::Held;

/// A descriptor: `O_PATH`, or a directory opened for reading.
#[derive(Debug)]
pub(crate) struct Handle(Held);

impl From<OwnedFd> for Handle {
    #[cfg_attr(not(feature = "adversary"), expect(clippy::useless_conversion, reason = "there is one kind only"))]
    fn from(fd: OwnedFd) -> Handle {
        Handle(fd.into())
    }
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(feature = "adversary")]
mod with_memory {
    use super::{AsFd, BorrowedFd, Handle, OwnedFd};
    use crate::sys::memory::Pin;

    #[derive(Debug)]
    pub(super) enum Held {
        Descriptor(OwnedFd),
        Memory(Pin),
    }

    impl From<OwnedFd> for Held {
        fn from(fd: OwnedFd) -> Held {
            Held::Descriptor(fd)
        }
    }

    impl AsFd for Held {
        fn as_fd(&self) -> BorrowedFd<'_> {
            match self {
                Held::Descriptor(fd) => fd.as_fd(),
                Held::Memory(_) => unreachable!("BUG: a handle of the memory was given to the kernel"),
            }
        }
    }

    impl From<Pin> for Handle {
        fn from(pin: Pin) -> Handle {
            Handle(Held::Memory(pin))
        }
    }

    impl Handle {
        pub(in crate::sys) fn pin(&self) -> &Pin {
            match &self.0 {
                Held::Memory(pin) => pin,
                Held::Descriptor(_) => unreachable!("BUG: a descriptor was given to the memory"),
            }
        }
    }
}
