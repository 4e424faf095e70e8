//! When a verb that stays is to end, or to read its manifest anew: signals, and a reader of stdout that went away.
//!
//! Each is waited for by a thread of its own, which wakes the verb. One that does not end in time, since it waits to write or
//! is in a long look, is ended; nothing that it does is left half-way by that.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
#[cfg(unix)]
use std::thread;
#[cfg(unix)]
use std::time::Duration;

use caplink::watch::Waker;

use super::service::Service;

/// How long a verb has to end by itself.
#[cfg(unix)]
const TIME: Duration = Duration::from_millis(700);

/// What a verb that stays was asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    ending: AtomicBool,
    reading: AtomicBool,
    waker: OnceLock<Waker>,
}

impl Asked {
    /// Has this woken from now on by whatever is asked for.
    pub(super) fn wakes(&self, waker: Waker) {
        // It is there once; nobody else sets it.
        let _set = self.waker.set(waker);
    }

    #[cfg(unix)]
    fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake();
        }
    }

    /// Whether it is to end.
    pub(super) fn to_end(&self) -> bool {
        self.ending.load(SeqCst)
    }

    /// Whether it was asked, since this was called last, to read its manifest anew.
    pub(super) fn to_read_anew(&self) -> bool {
        self.reading.swap(false, SeqCst)
    }
}

/// Listens from now on: also a verb that reads and opens what it needs is to end in time.
#[cfg(unix)]
pub(super) fn listen(service: &Arc<Service>) -> io::Result<Arc<Asked>> {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use std::os::fd::AsFd as _;

    let asked = Arc::new(Asked::default());
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    let (listener, serving) = (Arc::clone(&asked), Arc::clone(service));
    thread::spawn(move || {
        for signal in signals.forever() {
            if signal == SIGHUP {
                listener.reading.store(true, SeqCst);
                listener.wake();
            } else {
                end(&listener, &serving);
            }
        }
    });
    let (listener, serving) = (Arc::clone(&asked), Arc::clone(service));
    thread::spawn(move || {
        let stdout = io::stdout();
        // Nothing is asked for: what comes is that it cannot be written any more.
        let mut waited = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
        while !poll(&mut waited, PollTimeout::NONE).is_ok_and(|ready| ready > 0) {}
        end(&listener, &serving);
    });
    Ok(asked)
}

#[cfg(unix)]
fn end(asked: &Asked, service: &Service) -> ! {
    asked.ending.store(true, SeqCst);
    asked.wake();
    thread::sleep(TIME);
    service.stopping();
    std::process::exit(0)
}

/// Where there are no such signals the system ends the program.
#[cfg(not(unix))]
pub(super) fn listen(_service: &Arc<Service>) -> io::Result<Arc<Asked>> {
    Ok(Arc::default())
}

/// Waits as long as this, or until nobody reads stdout any more; whether somebody does.
#[cfg(unix)]
pub(super) fn is_read_for(time: Duration) -> bool {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::os::fd::AsFd as _;

    let stdout = io::stdout();
    // Nothing is asked for: what comes is that it cannot be written any more.
    let mut waited = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
    let time = PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX);
    !poll(&mut waited, time).is_ok_and(|ready| ready > 0)
}

/// Whether somebody reads it is told by writing.
#[cfg(not(unix))]
pub(super) fn is_read_for(time: std::time::Duration) -> bool {
    std::thread::sleep(time);
    true
}
