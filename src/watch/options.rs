//! How a root is watched, and how much that may take.

use std::time::Duration;

use crate::sys::{Notify, most_watches};

/// What says where something changed, on this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hints {
    /// inotify.
    Inotify {
        /// How many directories a user may watch, where the system says so.
        watches: Option<u64>,
    },
    /// Nothing: looks alone do the work.
    None,
}

impl Hints {
    /// Tries what there is.
    #[must_use]
    pub fn of_this_host() -> Hints {
        match Notify::new() {
            Ok(_) => Hints::Inotify { watches: most_watches() },
            Err(_) => Hints::None,
        }
    }
}

/// How a root is watched.
#[derive(Clone, Debug)]
pub struct WatchOptions {
    pub(super) interval: Duration,
    pub(super) gap: Duration,
    pub(super) watches: usize,
    pub(super) pending: usize,
    pub(super) hints: bool,
}

impl Default for WatchOptions {
    /// A look at everything each five minutes, 100 ms between two events of a link, at most 262,144 watched directories and
    /// 65,536 names that wait.
    fn default() -> WatchOptions {
        WatchOptions {
            interval: Duration::from_secs(300),
            gap: Duration::from_millis(100),
            watches: 1 << 18,
            pending: 1 << 16,
            hints: true,
        }
    }
}

impl WatchOptions {
    /// Looks at everything this often; at least each second.
    #[must_use]
    pub fn interval(self, interval: Duration) -> WatchOptions {
        WatchOptions { interval: interval.max(Duration::from_secs(1)), ..self }
    }

    /// Waits at least this long between two events of a link. The last state is always among them.
    #[must_use]
    pub fn gap(self, gap: Duration) -> WatchOptions {
        WatchOptions { gap, ..self }
    }

    /// Watches at most so many directories. In the others changes show at the next look at everything.
    #[must_use]
    pub fn watches(self, most: usize) -> WatchOptions {
        WatchOptions { watches: most, ..self }
    }

    /// Keeps at most so many names that wait to be looked at. With more, a look at everything takes their place.
    #[must_use]
    pub fn pending(self, most: usize) -> WatchOptions {
        WatchOptions { pending: most, ..self }
    }

    /// Whether the hints of the kernel are used, where it gives any; else the looks alone do the work.
    #[must_use]
    pub fn hints(self, used: bool) -> WatchOptions {
        WatchOptions { hints: used, ..self }
    }
}
