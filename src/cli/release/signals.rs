//! Signals that ask a deploy to stop.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A flag that is set once a signal asks to stop. Until the program ends the signals do nothing else.
pub(super) fn stop_flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        // Where it cannot be caught it ends the program, and `recover` does the rest.
        let _caught = signal_hook::flag::register(signal, Arc::clone(&flag));
    }
    flag
}
