//! What breaks off a wait: a signal whose handler raises, as that of `KeyboardInterrupt` does.
//!
//! Python runs handlers on its main thread only, and only when it is asked to. So it is asked while that thread waits;
//! what the handler raises is kept until the call that waited has come back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// How often handlers are run during a wait. Asking takes the interpreter from the other threads.
const EVERY: Duration = Duration::from_millis(20);

/// What the handler raised, and the thread that ran it, which is always the main one.
static RAISED: Mutex<Option<(ThreadId, PyErr)>> = Mutex::new(None);

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
    let raised = RAISED.lock().unwrap_or_else(PoisonError::into_inner);
    raised.as_ref().is_some_and(|(thread, _)| *thread == thread::current().id())
}

/// Keeps what was raised during a call, until it has come back.
pub(crate) fn keep(raised: PyErr) {
    *RAISED.lock().unwrap_or_else(PoisonError::into_inner) = Some((thread::current().id(), raised));
}

/// Raises what was raised during this thread's call.
pub(crate) fn raise() -> PyResult<()> {
    let mut raised = RAISED.lock().unwrap_or_else(PoisonError::into_inner);
    match raised.take_if(|(thread, _)| *thread == thread::current().id()) {
        Some((_, raised)) => Err(raised),
        None => Ok(()),
    }
}
