//! How one side of a hand-over waits for the other.
//!
//! A thread that sleeps is woken by the kernel, which takes longer than an edit where its processor has gone idle. So a side
//! looks again for a while before it sleeps, but only where the other side works meanwhile, on another processor, and
//! where the waits before this one were short. It does not yield: whoever else wants the processor would be given all of
//! its time slice. A side that finds that it lost the processor while it looked again sleeps at once for some waits.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use crate::sys;

/// The longest time that a side looks again, in nanoseconds: an edit and the waking of a thread, with room to spare.
const LONGEST: u32 = 250_000;

/// The shortest.
const SHORTEST: u32 = 20_000;

/// What is expected of the first wait: an edit.
const FIRST: u32 = 50_000;

/// What is expected after the processor was lost: sixteen waits or so are slept until a side looks again.
const CROWDED: u32 = 64 * LONGEST;

/// Two looks that are further apart than this had another thread between them.
const LOST: Duration = Duration::from_micros(20);

/// Between two looks.
const TURNS: usize = 30;

/// One side: those who hand over, or the thread that works.
#[derive(Debug)]
pub(super) struct Side {
    /// The processor that it worked on last.
    processor: AtomicU32,
    /// How long its next wait may take, in nanoseconds, by those before.
    expected: AtomicU32,
}

impl Default for Side {
    fn default() -> Side {
        Side { processor: AtomicU32::new(u32::MAX), expected: AtomicU32::new(FIRST) }
    }
}

impl Side {
    /// Says on which processor this side works.
    pub(super) fn works(&self) {
        if let Some(processor) = sys::processor() {
            self.processor.store(processor, Relaxed);
        }
    }

    /// Waits for a message of the other side; none once it is gone.
    pub(super) fn wait<T>(&self, inbox: &Receiver<T>, other: &Side) -> Option<T> {
        let expected = self.expected.load(Relaxed);
        let begun = Instant::now();
        let looked = match sys::processor().and_then(|here| Some((here, patience(expected)?))) {
            Some((here, patience)) => look(inbox, patience, begun, || other.processor.load(Relaxed) != here),
            None => Looked::Enough,
        };
        let (message, is_lost) = match looked {
            Looked::Come(message) => (Some(message), false),
            Looked::Gone => return None,
            Looked::Enough => (inbox.recv().ok(), false),
            Looked::Lost => (inbox.recv().ok(), true),
        };
        let next = if is_lost { CROWDED } else { learnt(expected, begun.elapsed()) };
        self.expected.store(next, Relaxed);
        message
    }
}

/// How long a side looks again; not at all where longer waits are expected.
fn patience(expected: u32) -> Option<Duration> {
    let nanoseconds = expected.saturating_mul(2).clamp(SHORTEST, LONGEST);
    (expected < LONGEST).then(|| Duration::from_nanos(nanoseconds.into()))
}

/// What is expected after one more wait. One that is much too long counts as one that is too long.
fn learnt(expected: u32, waited: Duration) -> u32 {
    let waited = u32::try_from(waited.as_nanos()).unwrap_or(u32::MAX).min(2 * LONGEST);
    expected - expected / 4 + waited / 4
}

enum Looked<T> {
    Come(T),
    Gone,
    Enough,
    /// Another thread had the processor meanwhile.
    Lost,
}

/// Looks again, for so long and while `worth` says so.
fn look<T>(inbox: &Receiver<T>, patience: Duration, begun: Instant, worth: impl Fn() -> bool) -> Looked<T> {
    let mut before = begun;
    loop {
        match inbox.try_recv() {
            Ok(message) => return Looked::Come(message),
            Err(TryRecvError::Disconnected) => return Looked::Gone,
            Err(TryRecvError::Empty) => {}
        }
        let now = Instant::now();
        if !worth() {
            return Looked::Enough;
        }
        if now - before > LOST {
            return Looked::Lost;
        }
        if now - begun >= patience {
            return Looked::Enough;
        }
        before = now;
        (0..TURNS).for_each(|_| std::hint::spin_loop());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn short_waits_are_waited_awake_and_long_ones_asleep() {
        assert_eq!(patience(0), Some(Duration::from_nanos(SHORTEST.into())));
        assert_eq!(patience(50_000), Some(Duration::from_micros(100)));
        assert_eq!(patience(LONGEST - 1), Some(Duration::from_nanos(LONGEST.into())));
        assert_eq!(patience(LONGEST), None);
    }

    #[test]
    fn a_side_learns_from_its_waits_and_forgets_them_again() {
        let after = |first, waits: usize, microseconds| {
            (0..waits).fold(first, |expected, _| learnt(expected, Duration::from_micros(microseconds)))
        };
        assert!(patience(after(FIRST, 3, 1_000_000)).is_none());
        assert!(patience(after(FIRST, 100, 1_000_000)).is_none());
        assert!(patience(after(after(FIRST, 100, 1_000_000), 4, 60)).is_some());
        assert!(patience(after(CROWDED, 12, 60)).is_none());
        assert!(patience(after(CROWDED, 20, 60)).is_some());
        assert!(patience(after(FIRST, 100, 60)).is_some());
    }

    #[test]
    fn nobody_looks_again_where_it_cannot_help() {
        let (sender, inbox) = mpsc::channel::<()>();
        let never = Duration::from_secs(3600);
        assert!(matches!(look(&inbox, never, Instant::now(), || false), Looked::Enough));
        assert!(matches!(look(&inbox, Duration::ZERO, Instant::now(), || true), Looked::Enough | Looked::Lost));
        let long_ago = Instant::now() - Duration::from_millis(1);
        assert!(matches!(look(&inbox, never, long_ago, || true), Looked::Lost));
        sender.send(()).unwrap();
        assert!(matches!(look(&inbox, Duration::ZERO, long_ago, || false), Looked::Come(())));
        drop(sender);
        assert!(matches!(look(&inbox, never, long_ago, || true), Looked::Gone));
    }
}
