//! What is scanned, and how.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use crate::sys::Handle;

/// The most threads that are taken where their number is left open.
const JOBS_AUTO: usize = 8;

/// The most threads of one scan.
const JOBS_MAX: usize = 64;

/// Says whether an entry is left out; it is given the entry's path below the root.
pub(super) type Exclude = Arc<dyn Fn(&Path) -> bool + Send + Sync>;

/// Informed of a directory before it is read; it is given its path below the root.
pub(super) type Entering = Arc<dyn Fn(&Path, &Handle) + Send + Sync>;

/// What is scanned, and how.
///
/// The default goes all the way down with one thread, each directory in the order in which the system lists it.
///
/// # Examples
///
/// ```
/// use caplink::ScanOptions;
///
/// let options = ScanOptions::default().jobs(4).max_depth(8).exclude(|path| path.ends_with(".git"));
/// # let _ = options;
/// ```
#[derive(Clone, Default)]
pub struct ScanOptions {
    jobs: Option<usize>,
    pub(super) max_depth: Option<usize>,
    pub(super) sorted: bool,
    pub(super) exclude: Option<Exclude>,
    /// Directories with the name of a staging one are noticed.
    pub(super) notices_stale: bool,
    /// Informed of each directory before it is read.
    pub(super) entering: Option<Entering>,
}

impl ScanOptions {
    /// Scans with this many threads, at most 64; with 0, one for each processor, at most 8.
    ///
    /// With more than one the order of the findings differs from run to run.
    #[must_use]
    pub fn jobs(mut self, jobs: usize) -> ScanOptions {
        self.jobs = Some(jobs);
        self
    }

    /// Goes down this far: the entries of the directory itself have depth 1.
    #[must_use]
    pub fn max_depth(mut self, depth: usize) -> ScanOptions {
        self.max_depth = Some(depth);
        self
    }

    /// Puts the findings in the order of their paths, component by component, as [`Path`] is ordered.
    ///
    /// One thread does it, and the names of links and directories in each directory on the way down are held.
    #[must_use]
    pub fn sorted(mut self, sorted: bool) -> ScanOptions {
        self.sorted = sorted;
        self
    }

    /// Leaves out entries, and what is below them, by their path below the root. It must not panic.
    #[must_use]
    pub fn exclude(mut self, exclude: impl Fn(&Path) -> bool + Send + Sync + 'static) -> ScanOptions {
        self.exclude = Some(Arc::new(exclude));
        self
    }

    /// Notices directories with the name of a staging one.
    pub(crate) fn noticing_stale(mut self) -> ScanOptions {
        self.notices_stale = true;
        self
    }

    /// Informs of each directory, by its path below the root, before its names are read.
    #[cfg(feature = "watch")]
    pub(crate) fn entering(mut self, entering: impl Fn(&Path, &Handle) + Send + Sync + 'static) -> ScanOptions {
        self.entering = Some(Arc::new(entering));
        self
    }

    /// How many threads are to be taken.
    pub(super) fn threads(&self) -> usize {
        match self.jobs {
            _ if self.sorted => 1,
            None => 1,
            Some(0) => thread::available_parallelism().map_or(1, usize::from).min(JOBS_AUTO),
            Some(jobs) => jobs.min(JOBS_MAX),
        }
    }
}

impl fmt::Debug for ScanOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScanOptions")
            .field("jobs", &self.jobs)
            .field("max_depth", &self.max_depth)
            .field("sorted", &self.sorted)
            .field("exclude", &self.exclude.is_some())
            .finish()
    }
}
