//! The system's error behind one of this library's.

use std::io;
use std::ops::Deref;
use std::sync::Arc;

/// The error of the system. It is shared, since an `io::Error` cannot be cloned.
///
/// It is no error itself: what [`source`](std::error::Error::source) gives is the `io::Error`.
#[derive(Clone, Debug)]
pub(super) struct Cause(Arc<io::Error>);

impl Cause {
    pub(super) fn new(source: io::Error) -> Cause {
        Cause(Arc::new(source))
    }
}

impl Deref for Cause {
    type Target = io::Error;

    fn deref(&self) -> &io::Error {
        &self.0
    }
}
