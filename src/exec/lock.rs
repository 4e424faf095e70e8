//! The lock by which holders of this library exclude each other: `flock` on a directory, with a bounded wait.
//!
//! A thread that waits tries the lock again and again: a call that blocks cannot be broken off, nor end after a while.
//!
//! The lock is released when its guard is dropped, also where a process that was forked meanwhile has a copy of the
//! descriptor. The kernel releases it with its holder, so there is no stale lock and no verb to unlock.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::root::Root;
use crate::sys::Handle;

/// How often the lock is tried again without sleeping. More than once takes the processor from the holder: eight
/// writers on two busy processors did a third of what they do with one.
const SPINS: u32 = 1;

/// The sleep between two tries, and how often it is taken before it grows: an edit takes less time than one.
const NAP: Duration = Duration::from_micros(100);
const SHORT_NAPS: u32 = 32;

/// The longest sleep between two tries. Whoever waits that long waits for more than edits.
const LONGEST_NAP: Duration = Duration::from_millis(4);

/// The lock of an opened directory, held until this is dropped.
pub(super) struct Lock<'a> {
    root: &'a Root,
    dir: Arc<Handle>,
}

impl<'a> Lock<'a> {
    /// Takes the lock; `busy` where another holder keeps it beyond the wait.
    ///
    /// The edits of a batch share one patience: a lock that was waited for in vain is only tried by those that come after.
    pub(super) fn take(root: &'a Root, dir: Arc<Handle>) -> Result<Lock<'a>> {
        if let Some(lock) = Lock::try_take(root, Arc::clone(&dir)).map_err(Error::from_io)? {
            return Ok(lock);
        }
        let Some(batch) = root.batch() else { return wait(root, dir, root.lock_wait()) };
        let id = root.calls().stat(&dir).map_err(Error::from_io)?.id;
        let begun = root.calls().clock();
        let taken = wait(root, dir, batch.may_wait(id, root.lock_wait()));
        batch.waited(id, root.calls().clock().saturating_sub(begun), taken.is_err());
        taken
    }

    /// Takes the lock if nobody has it.
    pub(super) fn try_take(root: &'a Root, dir: Arc<Handle>) -> io::Result<Option<Lock<'a>>> {
        Ok(root.calls().try_lock(&dir)?.then(|| Lock { root, dir }))
    }
}

/// Tries again until the lock is taken, or so much time has passed.
fn wait(root: &Root, dir: Arc<Handle>, time: Duration) -> Result<Lock<'_>> {
    let mut tries = 1;
    let mut nap = NAP;
    let deadline = root.calls().clock().saturating_add(time);
    thread::yield_now();
    loop {
        if let Some(lock) = Lock::try_take(root, Arc::clone(&dir)).map_err(Error::from_io)? {
            return Ok(lock);
        }
        tries += 1;
        if tries <= SPINS {
            thread::yield_now();
            continue;
        }
        if root.calls().clock() >= deadline {
            let reason = format!("another holder had the lock for more than {} ms", root.lock_wait().as_millis());
            return Err(Error::new(Kind::Busy).because(reason));
        }
        if root.is_interrupted() {
            return Err(Error::new(Kind::Busy).because("another holder has the lock, and the wait was broken off"));
        }
        root.calls().sleep(nap);
        if tries > SHORT_NAPS {
            nap = (nap * 2).min(LONGEST_NAP);
        }
    }
}

impl Drop for Lock<'_> {
    /// Closing the descriptor would not do: a process that was forked meanwhile has a copy of it.
    fn drop(&mut self) {
        self.root.calls().unlock(&self.dir);
    }
}
