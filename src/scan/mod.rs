//! The scan: every link below a directory, with its status and traits.
//!
//! The walk never follows a link, opens nothing but directories (and, to see where a link leads, entries with `O_PATH`),
//! and does not leave the root. It streams: what is held is the way down, the names of the directories that wait there,
//! and a number for each directory that was entered. It ends whatever others do to the tree meanwhile; what they
//! change while it is under way is reported as it was at the moment it was looked at.

mod above;
mod descriptors;
mod frame;
mod look;
mod options;
mod progress;
mod seen;
mod walker;
mod workers;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::entry::open_dir;
use crate::error::{Error, Kind, Result};
use crate::model::{Finding, Place, Summary};
use crate::root::Root;
use crate::sys::Access;

use above::Above;
use frame::{Frame, Job};
use progress::Tally;
use seen::Seen;
use walker::{Ground, Walker};
use workers::Workers;

pub(crate) use look::look_at;
pub use options::ScanOptions;
pub use progress::ScanProgress;

impl Root {
    /// Looks at every link below a directory; `.` is the root itself.
    ///
    /// What the returned [`Scan`] yields are findings and errors. An error is about one directory that could not be read
    /// (`permission`, `io`, `fd_exhausted`, `too_long`, `contended`), or one entry that could not be looked at; the scan
    /// goes on behind it.
    ///
    /// # Security
    ///
    /// No link is followed on the way, and nothing is opened but directories and, with `O_PATH`, what links lead to
    /// below the root. A mount point is entered only if the policy allows crossing mounts. What stands at a name is
    /// taken from the descriptor of its directory, never by a path that was looked up before.
    ///
    /// # Errors
    ///
    /// Those of the path; `not_found` where it is no directory, `symlink_in_path` where it is a link.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.symlink("gone", "l")?;
    /// use caplink::{Policy, Root, ScanOptions, Status};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let mut scan = root.scan(".", ScanOptions::default().sorted(true))?;
    /// for found in &mut scan {
    ///     let finding = found?;
    ///     println!("{} {}", finding.status.as_str(), finding.link.display());
    /// }
    /// assert!(scan.summary().complete);
    /// assert_eq!(scan.summary().with_status(Status::Dangling), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn scan(&self, dir: impl AsRef<OsStr>, options: ScanOptions) -> Result<Scan> {
        let dir = dir.as_ref();
        let place = Place::new(dir).map_err(|error| error.during("scan"))?;
        self.start_scan(&place, options).map_err(|error| self.or_gone(error.on("scan", dir)))
    }

    fn start_scan(&self, place: &Place, options: ScanOptions) -> Result<Scan> {
        let threads = options.threads();
        let is_shallow = options.max_depth == Some(0);
        let progress = ScanProgress::default();
        let ground = Arc::new(Ground { root: self.clone(), options, progress: progress.clone(), seen: Seen::new() });
        let scan = |walk| Scan { walk, progress, summary: Summary::default(), ended: false };
        let (dir, path) = match open_dir(self, &place.path, Access::Read) {
            Ok(opened) => opened,
            // Like any other directory that cannot be read.
            Err(error) if error.kind() == Kind::Permission => {
                ground.progress.add(Tally { dirs_unread: 1, ..Tally::default() });
                let error = error.on("scan", shown(&place.path)).denied_at(&place.path);
                return Ok(scan(Walk::Refused(Some(error))));
            }
            Err(error) => return Err(meant(error, &place.path)),
        };
        let stat = self.calls().stat(&dir).map_err(Error::from_io)?;
        if stat.links == 0 && place.path.as_os_str().is_empty() {
            return Err(Error::new(Kind::RootGone));
        }
        if is_shallow {
            return Ok(scan(Walk::Refused(None)));
        }
        let _first = ground.seen.admit(&stat, || false);
        let path = path.unwrap_or_else(|| place.path.clone());
        let job = Job { path, depth: 0, frame: Frame::new(Arc::new(dir), &stat, Above::default()) };
        if threads > 1 {
            return Ok(scan(Walk::Together(Workers::start(&ground, job, threads)?)));
        }
        let mut walker = Walker::new(ground);
        walker.begin(job);
        Ok(scan(Walk::Alone(Box::new(walker))))
    }
}

/// A scan under way; an iterator over what it finds.
///
/// Nothing is scanned faster than it is taken: with one thread the walk goes on when the next finding is asked for, with
/// several a bounded number of findings waits. Dropping it stops the scan.
pub struct Scan {
    walk: Walk,
    progress: ScanProgress,
    summary: Summary,
    ended: bool,
}

enum Walk {
    Alone(Box<Walker>),
    Together(Workers),
    /// There is nothing to walk, but perhaps an error to report.
    Refused(Option<Error>),
}

impl Scan {
    /// Returns what was found so far, counted.
    pub fn summary(&self) -> Summary {
        let total = self.progress.total();
        let mut summary = self.summary.clone();
        summary.entries = total.entries;
        summary.dirs = total.dirs;
        summary.dirs_unread = total.dirs_unread;
        summary.mounts = total.mounts;
        summary.complete = self.ended && total.dirs_unread + total.moved + total.failed == 0;
        summary
    }

    /// Returns counters that can be read while the scan goes on, from any thread.
    pub fn progress(&self) -> ScanProgress {
        self.progress.clone()
    }

    /// Goes on to the next finding, but for hardly longer than `time`: pending if there was none until then.
    ///
    /// It is for a caller who has to look after something else in between. A scan that is pending goes on when it is
    /// asked again.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.symlink("gone", "l")?;
    /// use std::{task::Poll, time::Duration};
    /// use caplink::{Policy, Root, ScanOptions};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let mut scan = root.scan(".", ScanOptions::default())?;
    /// let mut links = 0;
    /// loop {
    ///     match scan.poll_within(Duration::from_millis(50)) {
    ///         Poll::Ready(Some(found)) => links += usize::from(found.is_ok()),
    ///         Poll::Ready(None) => break,
    ///         Poll::Pending => println!("{} entries so far", scan.progress().entries()),
    ///     }
    /// }
    /// assert_eq!(links, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_within(&mut self, time: Duration) -> Poll<Option<Result<Finding>>> {
        let until = Instant::now().checked_add(time);
        loop {
            match self.poll(until) {
                Poll::Ready(Some(Come::Found(found))) => return Poll::Ready(Some(found)),
                Poll::Ready(Some(Come::Stale(_))) => {}
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Goes on to the next finding, or directory with the name of a staging one; pending if there was none until then.
    pub(crate) fn poll(&mut self, until: Option<Instant>) -> Poll<Option<Come>> {
        let come = self.advance(until);
        match &come {
            Poll::Ready(Some(Come::Found(Ok(finding)))) => self.summary.add(finding),
            Poll::Ready(Some(Come::Found(Err(_)) | Come::Stale(_))) | Poll::Pending => {}
            Poll::Ready(None) => self.ended = true,
        }
        come
    }

    /// Whether the next finding was looked at already: one thread looks at many, and hands them out one at a time.
    #[cfg(feature = "watch")]
    pub(crate) fn is_ahead(&mut self) -> bool {
        match &mut self.walk {
            Walk::Alone(walker) => !walker.found().is_empty(),
            Walk::Together(_) | Walk::Refused(_) => false,
        }
    }

    /// How many directories were left out because they were met at another place before.
    #[cfg(feature = "watch")]
    pub(crate) fn moved(&self) -> u64 {
        self.progress.total().moved
    }

    /// Whether the walk, which one thread makes, is in this directory.
    pub(crate) fn is_within(&self, dir: &Path) -> bool {
        matches!(&self.walk, Walk::Alone(walker) if !walker.is_done() && walker.path.starts_with(dir))
    }

    fn advance(&mut self, until: Option<Instant>) -> Poll<Option<Come>> {
        match &mut self.walk {
            Walk::Alone(walker) => loop {
                if let Some(found) = walker.found().pop_front() {
                    return Poll::Ready(Some(Come::Found(found)));
                }
                if let Some(stale) = walker.stale.take() {
                    return Poll::Ready(Some(Come::Stale(stale)));
                }
                if walker.is_done() {
                    return Poll::Ready(None);
                }
                if until.is_some_and(|until| Instant::now() >= until) {
                    return Poll::Pending;
                }
                walker.step();
            },
            Walk::Together(workers) => workers.poll(until).map(|found| found.map(Come::Found)),
            Walk::Refused(error) => Poll::Ready(error.take().map(Err).map(Come::Found)),
        }
    }
}

/// What a scan comes by.
pub(crate) enum Come {
    Found(Result<Finding>),
    /// A directory with the name of a staging one, where they are noticed. What is in it comes next.
    Stale(PathBuf),
}

impl Iterator for Scan {
    type Item = Result<Finding>;

    fn next(&mut self) -> Option<Result<Finding>> {
        loop {
            match self.poll(None) {
                Poll::Ready(Some(Come::Found(found))) => return Some(found),
                Poll::Ready(Some(Come::Stale(_))) => {}
                Poll::Ready(None) => return None,
                Poll::Pending => unreachable!("BUG: a scan without a deadline is pending"),
            }
        }
    }
}

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan").field("summary", &self.summary()).field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// Where the directory itself is at fault, and none of those above it, the error says so.
fn meant(error: Error, path: &Path) -> Error {
    let is_last = error.component().is_some_and(|component| component.index + 1 == path.components().count());
    if error.kind() != Kind::NotFound || !is_last {
        return error;
    }
    let is_missing = error.io_error().is_some();
    error.because(if is_missing { "there is no such directory" } else { "it is no directory" })
}

/// The root itself is shown as `.`.
fn shown(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}
