//! How far a scan has come: counters that its threads add to and anybody may read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How far a scan has come; made by [`Scan::progress`](super::Scan::progress).
///
/// It may be read from any thread while the scan goes on. The counts are those of directories that were read.
#[derive(Clone, Debug, Default)]
pub struct ScanProgress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    links: AtomicU64,
    entries: AtomicU64,
    dirs: AtomicU64,
    dirs_unread: AtomicU64,
    mounts: AtomicU64,
    moved: AtomicU64,
    failed: AtomicU64,
}

/// What was counted since the counters were added to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) links: u64,
    pub(super) entries: u64,
    pub(super) dirs: u64,
    pub(super) dirs_unread: u64,
    pub(super) mounts: u64,
    /// Directories that were met again at another place.
    pub(super) moved: u64,
    /// Entries that could not be looked at.
    pub(super) failed: u64,
}

impl ScanProgress {
    /// Returns how many links were seen.
    pub fn links(&self) -> u64 {
        self.0.links.load(Relaxed)
    }

    /// Returns how many entries were seen.
    pub fn entries(&self) -> u64 {
        self.0.entries.load(Relaxed)
    }

    /// Returns how many directories were opened.
    pub fn dirs(&self) -> u64 {
        self.0.dirs.load(Relaxed)
    }

    pub(super) fn add(&self, tally: Tally) {
        let counters = &*self.0;
        for (counter, count) in [
            (&counters.links, tally.links),
            (&counters.entries, tally.entries),
            (&counters.dirs, tally.dirs),
            (&counters.dirs_unread, tally.dirs_unread),
            (&counters.mounts, tally.mounts),
            (&counters.moved, tally.moved),
            (&counters.failed, tally.failed),
        ] {
            if count > 0 {
                counter.fetch_add(count, Relaxed);
            }
        }
    }

    pub(super) fn total(&self) -> Tally {
        let counters = &*self.0;
        Tally {
            links: counters.links.load(Relaxed),
            entries: counters.entries.load(Relaxed),
            dirs: counters.dirs.load(Relaxed),
            dirs_unread: counters.dirs_unread.load(Relaxed),
            mounts: counters.mounts.load(Relaxed),
            moved: counters.moved.load(Relaxed),
            failed: counters.failed.load(Relaxed),
        }
    }
}
