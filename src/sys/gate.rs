//! Wakes a thread of this process that waits for a lock, when another of its threads gives one back.
//!
//! It is a hint and decides nothing: whoever is woken tries the lock, and who is not woken does so after a while, as those
//! in other processes do. It may be another lock that was given back. A forked child inherits counts of threads that it
//! has not, which costs it a call that wakes nobody.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

static WAITING: AtomicU32 = AtomicU32::new(0);

/// How many locks were given back.
static GIVEN: AtomicU32 = AtomicU32::new(0);

/// Held by whoever is about to wait; nothing is guarded by it.
static SLEEPERS: Mutex<()> = Mutex::new(());

static WAKE: Condvar = Condvar::new();

/// How many locks this process has given back, for [`rest`].
pub(super) fn given() -> u32 {
    GIVEN.load(Ordering::Acquire)
}

/// Waits for so long, or until more locks were given back than there were.
pub(super) fn rest(time: Duration, given_before: u32) {
    // Where it is held at a fork it stays so in the child, which then sleeps.
    let Ok(turn) = SLEEPERS.try_lock() else { return thread::sleep(time) };
    WAITING.fetch_add(1, Ordering::SeqCst);
    if GIVEN.load(Ordering::SeqCst) == given_before {
        // Woken for nothing, or too late: the lock is tried all the same.
        let _woken = WAKE.wait_timeout(turn, time);
    }
    WAITING.fetch_sub(1, Ordering::SeqCst);
}

/// A lock was given back.
#[cfg_attr(windows, expect(dead_code, reason = "a lock is given back with its handle there"))]
pub(super) fn wake() {
    GIVEN.fetch_add(1, Ordering::SeqCst);
    if WAITING.load(Ordering::SeqCst) > 0 {
        WAKE.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_thread_rests_until_a_lock_is_given_back_or_its_time_is_over() {
        let begun = Instant::now();
        rest(Duration::from_millis(20), given());
        rest(Duration::from_secs(60), given().wrapping_sub(1));
        let resting = thread::spawn(|| rest(Duration::from_secs(60), given()));
        while !resting.is_finished() {
            wake();
            thread::yield_now();
        }
        resting.join().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(50));
    }
}
