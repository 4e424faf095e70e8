//! Where nothing gives hints: a thread waits until it is woken, and looks.

use std::convert::Infallible;
use std::io;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::Hint;
use crate::sys::Handle;

/// Wakes a thread that waits; may be rung from any other.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Bell> {
        Ok(Bell::default())
    }

    pub(crate) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits until it is rung, or the time has passed. Returns whether it was rung; no hints wait.
    pub(crate) fn wait(&self, _notify: Option<&Notify>, time: Duration) -> (bool, bool) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(rung, time, |rung| !*rung);
        let (mut rung, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut *rung), false)
    }
}

/// Hints about directories: there are none.
#[derive(Debug)]
pub(crate) struct Notify(Infallible);

impl Notify {
    pub(crate) fn new() -> io::Result<Notify> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn add(&self, _dir: &Handle, _content: bool) -> io::Result<i32> {
        match self.0 {}
    }

    pub(crate) fn remove(&self, _watch: i32) {
        match self.0 {}
    }

    pub(crate) fn read(&self, _hint: &mut dyn FnMut(Hint<'_>)) -> io::Result<bool> {
        match self.0 {}
    }
}

/// Nothing is watched.
pub(crate) fn most_watches() -> Option<u64> {
    None
}
