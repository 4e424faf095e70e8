//! The stream: hints say where to look, looks say what is there.
//!
//! In order, again and again: hints are heard; names of which they came are turned into links and directories to look at; those
//! are looked at through the root, some at a time; what differs from what was known is an event. A look at everything comes
//! first, then each interval, and soon after hints were lost; it finds whatever the rest has missed.
//!
//! A directory is watched before its names are read, and those on the way of a target before the link is looked at, so that
//! nothing falls between; and what was seen before hints were heard is not told after them. Hints are never believed: a hint
//! that lies costs a look. A look that fails says nothing: where that passes, it is looked again.
//!
//! The work that hints cause is a third of one processor's time at most, and a look at everything that lost hints cause a fifth.
//! Looks at everything go on while hints rest, so that none keeps them from coming to their end.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::event::{Event, Lost, What};
use super::gauges::Gauges;
use super::held::Held;
use super::later::Later;
use super::options::WatchOptions;
use super::picture::Picture;
use super::standing::Standing;
use super::todo::Todo;
use super::watches::Watches;
use crate::error::{Error, Result};
use crate::model::Summary;
use crate::records::Time;
use crate::root::Root;
use crate::scan::Scan;
use crate::sys::{Bell, Notify};

/// How long one slice of work may take, so that hints are heard meanwhile.
pub(super) const SLICE: Duration = Duration::from_millis(5);

/// How long hints are left alone after work that took a slice, in multiples of it, and at most.
const REST: u32 = 2;
const REST_MAX: Duration = Duration::from_millis(100);

/// How often it is asked whether the root is still there: of an opened directory that is removed there is no hint.
const ROOT: Duration = Duration::from_secs(5);

/// A root that is being watched.
///
/// # Security
///
/// What is watched is opened through the root, and what is told was looked at through it. Whoever writes below the root can have
/// it watched more or less often, and cannot have it look elsewhere.
///
/// # Platform-specific behavior
///
/// Hints come from inotify, on Linux with `/proc`. Elsewhere changes show at the next look at everything.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
/// # dir.symlink("gone", "l")?;
/// use std::time::Duration;
///
/// use caplink::watch::{Watch, WatchOptions, What};
/// use caplink::{Policy, Root, Status};
///
/// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
/// let mut watch = Watch::begin(&root, ".", WatchOptions::default())?;
/// let event = watch.next(Duration::from_secs(10))?.expect("a link leads nowhere");
/// assert!(matches!(event.what, What::Link { now: Some(Status::Dangling), .. }));
/// # Ok(())
/// # }
/// ```
pub struct Watch {
    /// Goes through no link: what is known is known by its physical path.
    pub(super) root: Root,
    /// The directory as it was asked for, and the root that goes there.
    pub(super) asked: (Root, OsString),
    /// The physical path of the directory.
    pub(super) place: PathBuf,
    pub(super) options: WatchOptions,
    pub(super) notify: Option<Arc<Notify>>,
    pub(super) bell: Arc<Bell>,
    pub(super) watches: Arc<Mutex<Watches>>,
    pub(super) picture: Picture,
    pub(super) todo: Todo,
    pub(super) held: Held,
    pub(super) later: Later,
    pub(super) standing: Standing,
    pub(super) looking: Option<Looking>,
    pub(super) round: u32,
    /// The last look at everything that came to its end.
    pub(super) last: Option<Last>,
    pub(super) next_look: Instant,
    /// When it was asked whether the root is still there.
    pub(super) asked_root: Instant,
    /// Something was missed: everything is to be looked at again soon.
    pub(super) again: bool,
    /// Hints were lost since the last look at everything began.
    pub(super) has_lost: bool,
    /// The look at everything that is under way, or the next one, missed something; how many in a row did.
    pub(super) has_missed: bool,
    pub(super) misses: u32,
    /// How many hints were heard.
    pub(super) heard: u64,
    /// The time of the work that hints caused, and until when they are left alone.
    pub(super) work: Duration,
    pub(super) rest: Option<Instant>,
    /// How many directories were said to be unwatched.
    pub(super) unwatched: u64,
    pub(super) ready: VecDeque<What>,
}

/// A look under way.
pub(super) struct Looking {
    pub(super) scan: Option<Scan>,
    /// None where it is at everything.
    pub(super) tree: Option<PathBuf>,
    pub(super) at: SystemTime,
    pub(super) started: Instant,
    /// How many hints had been heard when it looked at what it hands out now.
    pub(super) heard: u64,
}

pub(super) struct Last {
    pub(super) summary: Summary,
    pub(super) at: SystemTime,
    pub(super) took: Duration,
    pub(super) ended: Instant,
}

/// Wakes a [`Watch`] that waits, from any thread.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Bell>);

impl Waker {
    /// Has [`Watch::next`] return.
    pub fn wake(&self) {
        self.0.ring();
    }
}

impl Watch {
    /// Begins to watch the links below a directory; `.` is the root itself.
    ///
    /// The links that are not well come first, then a [`What::Look`], then what changes.
    ///
    /// # Errors
    ///
    /// Those of [`Root::scan`].
    pub fn begin(root: &Root, dir: impl AsRef<OsStr>, options: WatchOptions) -> Result<Watch> {
        let bell = Bell::new().map_err(|source| Error::from_io(source).during("watch"))?;
        let notify = if options.hints { Notify::new().ok().map(Arc::new) } else { None };
        let watches = Arc::new(Mutex::new(Watches::new(notify.clone(), options.watches)));
        let mut watch = Watch {
            root: root.narrow(root.policy().follow(false)),
            asked: (root.clone(), dir.as_ref().to_owned()),
            place: PathBuf::new(),
            todo: Todo::new(options.pending),
            held: Held::new(options.gap),
            later: Later::default(),
            standing: Standing::default(),
            notify,
            bell: Arc::new(bell),
            watches,
            options,
            picture: Picture::default(),
            looking: None,
            round: 0,
            last: None,
            next_look: Instant::now(),
            asked_root: Instant::now(),
            again: false,
            has_lost: false,
            has_missed: false,
            misses: 0,
            heard: 0,
            work: Duration::ZERO,
            rest: None,
            unwatched: 0,
            ready: VecDeque::new(),
        };
        watch.look_at_everything()?;
        if watch.notify.is_none() {
            watch.ready.push_back(What::Lost { why: Lost::Unavailable, watched: 0, unwatched: 0 });
        }
        Ok(watch)
    }

    /// Returns what wakes this watch.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.bell))
    }

    /// Returns the numbers of what is known; `None` before the first look at everything came to its end.
    #[must_use]
    pub fn gauges(&self) -> Option<Gauges> {
        let last = self.last.as_ref()?;
        let mut summary = self.picture.summary().clone();
        summary.entries = last.summary.entries;
        summary.dirs = last.summary.dirs;
        summary.dirs_unread = last.summary.dirs_unread;
        summary.mounts = last.summary.mounts;
        summary.complete = last.summary.complete;
        let gauges = Gauges::new(summary, last.at, last.took);
        let (apps, manifests) = (self.standing.app_gauges.clone(), self.standing.manifest_gauges.clone());
        Some(Gauges { apps, manifests, ..gauges })
    }

    /// Returns the next event; `None` where none came in this time, or the watch was woken.
    ///
    /// # Errors
    ///
    /// `root_gone` where the root was removed; there is nothing to be watched any more.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Event>> {
        let deadline = Instant::now() + wait;
        loop {
            if let Some(what) = self.ready.pop_front() {
                return Ok(Some(Event { time: Time::now(), what }));
            }
            let is_done = !if self.rest.is_some() { self.look_meanwhile()? } else { self.work()? };
            if !self.ready.is_empty() {
                continue;
            }
            let now = Instant::now();
            if now.saturating_duration_since(self.asked_root) >= ROOT {
                self.asked_root = now;
                if self.root.is_gone() {
                    self.look_at_everything()?;
                }
            }
            let due = match self.rest {
                _ if !is_done => now,
                Some(until) => until,
                None => {
                    let others = [self.held.next(), self.later.next(), self.standing.due()];
                    others.into_iter().flatten().fold(self.next_look, Instant::min)
                }
            };
            let time = due.min(deadline).min(self.asked_root + ROOT).saturating_duration_since(now);
            let (rung, hints) = self.bell.wait(self.notify.as_deref().filter(|_| self.rest.is_none()), time);
            if self.rest.is_some_and(|until| until <= Instant::now()) {
                self.rest = None;
            }
            if hints {
                self.hear();
            }
            if rung || (Instant::now() >= deadline && self.ready.is_empty()) {
                return Ok(None);
            }
        }
    }

    pub(super) fn watches(&self) -> MutexGuard<'_, Watches> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works for a slice of time. Returns whether there was anything to do.
    fn work(&mut self) -> Result<bool> {
        let started = Instant::now();
        self.hear();
        let todo = &mut self.todo;
        self.held.release(started, |link| todo.link(link));
        self.later.release(started, |path, hinted| todo.name(path.to_path_buf(), hinted));
        if self.todo.overflowed {
            self.todo.overflowed = false;
            self.lost_hints();
        }
        self.look_again();
        let is_caused = !self.todo.is_empty()
            // Before the first look has ended nothing is judged, and nothing has to make way.
            || (self.last.is_some() && self.standing.due().is_some())
            || self.looking.as_ref().is_some_and(|looking| looking.tree.is_some());
        // However long it took to hear: one step each time, or there would be no end.
        let did = self.step(started)?;
        let mut goes_on = did;
        while goes_on && started.elapsed() < SLICE && self.ready.is_empty() {
            goes_on = self.step(started)?;
        }
        self.settle_watches();
        self.work = if is_caused { self.work + started.elapsed() } else { Duration::ZERO };
        if self.work >= SLICE {
            self.rest = Some(Instant::now() + (self.work * REST).min(REST_MAX));
            self.work = Duration::ZERO;
        }
        Ok(did)
    }

    /// While hints are left alone a look at everything begins, if it is time for one, and goes on: however many come, it ends.
    /// Returns whether there was something to do.
    fn look_meanwhile(&mut self) -> Result<bool> {
        let started = Instant::now();
        let is_partial = self.looking.as_ref().is_none_or(|looking| looking.tree.is_some());
        if is_partial && self.next_look <= started {
            self.look_at_everything()?;
        } else if is_partial {
            return Ok(false);
        }
        self.go_on(started);
        self.settle_watches();
        Ok(true)
    }

    /// One step of the work. Returns whether there was one.
    fn step(&mut self, started: Instant) -> Result<bool> {
        if let Some((name, hinted)) = self.todo.next_name() {
            self.hinted(&name, hinted);
        } else if let Some(link) = self.todo.next_link() {
            self.look_at(&link);
        } else if self.last.is_some() && self.standing.due().is_some_and(|due| due <= started) {
            self.judge();
        } else if self.looking.is_some() {
            self.go_on(started);
        } else if self.next_look <= started {
            self.look_at_everything()?;
        } else if let Some(tree) = self.todo.next_tree() {
            self.look_below(tree);
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("root", &self.root).field("dir", &self.place).finish_non_exhaustive()
    }
}
