//! What breaks off a wait: a signal whose handler raises, as that of `KeyboardInterrupt` does.
//!
//! Python runs handlers on its main thread only, and only when it is asked to. So it is asked while that thread waits;
//! what the handler raises is kept until the call that waited has come back.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// How often handlers are run during a wait. Asking takes the interpreter from the other threads.
const EVERY: Duration = Duration::from_millis(20);

/// What was raised during calls that have not come back, each with the thread of the call: by handlers, which the main
/// thread runs, and by checks.
static RAISED: Mutex<Vec<(ThreadId, PyErr)>> = Mutex::new(Vec::new());

/// Whether there is any, so that calls of many threads need not meet at the lock.
static IS_RAISED: AtomicBool = AtomicBool::new(false);

/// When it was asked last, in milliseconds since the first time.
static ASKED: AtomicU64 = AtomicU64::new(0);

/// Whether the wait is to be broken off; called without the interpreter.
pub(crate) fn is_asked() -> bool {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    if is_raised_here() {
        return true;
    }
    let now = u64::try_from(BEGIN.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX);
    let last = ASKED.load(Ordering::Relaxed);
    if now.saturating_sub(last) < EVERY.as_millis() as u64 && last > 0 {
        return false;
    }
    ASKED.store(now.max(1), Ordering::Relaxed);
    let raised = Python::try_attach(|py| py.check_signals().err()).flatten();
    raised.map(keep).is_some()
}

/// Whether something was raised during this thread's call already.
pub(crate) fn is_raised_here() -> bool {
    // A thread sees what it stored itself, and only that is asked for.
    IS_RAISED.load(Ordering::Relaxed) && raised_here(&all_raised()).is_some()
}

/// Keeps what was raised during a call, until it has come back. The first of it is what is raised then.
pub(crate) fn keep(raised: PyErr) {
    let mut all = all_raised();
    if raised_here(&all).is_none() {
        all.push((thread::current().id(), raised));
    }
    IS_RAISED.store(true, Ordering::Relaxed);
}

/// Raises what was raised during this thread's call.
pub(crate) fn raise() -> PyResult<()> {
    if !IS_RAISED.load(Ordering::Relaxed) {
        return Ok(());
    }
    let mut all = all_raised();
    let Some(index) = raised_here(&all) else { return Ok(()) };
    let (_, raised) = all.swap_remove(index);
    IS_RAISED.store(!all.is_empty(), Ordering::Relaxed);
    Err(raised)
}

fn all_raised() -> MutexGuard<'static, Vec<(ThreadId, PyErr)>> {
    RAISED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn raised_here(all: &[(ThreadId, PyErr)]) -> Option<usize> {
    all.iter().position(|(thread, _)| *thread == thread::current().id())
}
