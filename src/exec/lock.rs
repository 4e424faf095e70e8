//! The lock by which holders of this library exclude each other: `flock`, with a bounded wait.
//!
//! It is given back when an edit is done, also where a process that was forked meanwhile has a copy of the descriptor. The
//! kernel drops it with its holder, so there is no stale lock and no verb to unlock.

use std::thread;
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::root::Root;
use crate::sys::Handle;

/// How long another holder is waited for. An edit holds the lock for some ten microseconds.
const WAIT: Duration = Duration::from_millis(1000);

/// How often the lock is tried again without sleeping. More than once takes the processor from the holder: eight
/// writers on two busy processors did a third of what they do with one.
const SPINS: u32 = 1;

/// The sleep between two tries, and how often it is taken before it grows: an edit takes less time than one.
const NAP: Duration = Duration::from_micros(100);
const SHORT_NAPS: u32 = 32;

/// The longest sleep between two tries. Whoever waits that long waits for more than edits.
const LONGEST_NAP: Duration = Duration::from_millis(4);

/// Takes the lock of an opened directory; it is held until it is given back, or this process ends.
///
/// The edits of a batch share one patience: a lock that was waited for in vain is only tried by those that come after.
pub(super) fn take(root: &Root, dir: &Handle) -> Result<()> {
    if root.calls().try_lock(dir).map_err(Error::from_io)? {
        return Ok(());
    }
    let Some(batch) = root.batch() else { return wait(root, dir, WAIT) };
    let id = root.calls().stat(dir).map_err(Error::from_io)?.id;
    let begun = root.calls().clock();
    let taken = wait(root, dir, batch.may_wait(id, WAIT));
    batch.waited(id, root.calls().clock().saturating_sub(begun), taken.is_err());
    taken
}

/// Tries again until the lock is taken, or so much time has passed.
fn wait(root: &Root, dir: &Handle, time: Duration) -> Result<()> {
    let mut tries = 1;
    let mut nap = NAP;
    let deadline = root.calls().clock() + time;
    thread::yield_now();
    loop {
        if root.calls().try_lock(dir).map_err(Error::from_io)? {
            return Ok(());
        }
        tries += 1;
        if tries <= SPINS {
            thread::yield_now();
            continue;
        }
        if root.calls().clock() >= deadline {
            let reason = format!("another holder had the lock for more than {} ms", WAIT.as_millis());
            return Err(Error::new(Kind::Busy).because(reason));
        }
        root.calls().sleep(nap);
        if tries > SHORT_NAPS {
            nap = (nap * 2).min(LONGEST_NAP);
        }
    }
}

/// Gives the lock back. To drop the handle would not do: a process that was forked meanwhile has a copy of it.
pub(super) fn give_back(root: &Root, dir: &Handle) {
    root.calls().unlock(dir);
}
