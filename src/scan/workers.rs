//! Several threads that scan together.
//!
//! Each walks on its own. Whoever has nothing left to do says so, and the next one that comes by gives away half of the
//! directories that wait highest up on its way. Findings come through a channel that holds a bounded number.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::frame::Job;
use super::walker::{Ground, Walker};
use crate::error::{Error, Kind, Result};
use crate::model::Finding;

/// How many findings are handed over at once, and how long their paths are together, about.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 1 << 20;

/// How long findings wait for others to be handed over with.
const LINGER: Duration = Duration::from_millis(20);

type Batch = VecDeque<Result<Finding>>;

/// The threads, and what they found.
pub(super) struct Workers {
    board: Arc<Board>,
    found: Option<Receiver<Batch>>,
    batch: Batch,
    threads: Vec<JoinHandle<()>>,
}

/// Where work is asked for and given away.
struct Board {
    jobs: Mutex<Jobs>,
    changed: Condvar,
    /// How many wait for work that nobody has given away yet.
    hungry: AtomicUsize,
    stopped: AtomicBool,
}

struct Jobs {
    waiting: Vec<Job>,
    /// Threads that walk.
    busy: usize,
    /// Threads that wait for work.
    idle: usize,
}

impl Workers {
    /// Starts the threads. Fails if not a single one can be started.
    pub(super) fn start(ground: &Arc<Ground>, first: Job, threads: usize) -> Result<Workers> {
        let board = Arc::new(Board {
            jobs: Mutex::new(Jobs { waiting: vec![first], busy: 0, idle: 0 }),
            changed: Condvar::new(),
            hungry: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        });
        let (sender, receiver) = sync_channel(threads);
        let mut workers = Workers { board, found: Some(receiver), batch: VecDeque::new(), threads: Vec::new() };
        for _ in 0..threads {
            let board = Arc::clone(&workers.board);
            let (walker, sender) = (Walker::new(Arc::clone(ground)), sender.clone());
            let work = move || Worker { board, walker, sender, sent: Instant::now() }.work();
            match thread::Builder::new().name("caplink-scan".to_owned()).spawn(work) {
                Ok(thread) => workers.threads.push(thread),
                Err(source) if workers.threads.is_empty() => {
                    // The error number for it is that of a call which is to be tried again.
                    return Err(Error::from_io(source).with_kind(Kind::Io).because("no thread can be started"));
                }
                // Those that were started do it.
                Err(_) => break,
            }
        }
        Ok(workers)
    }
}

impl Workers {
    /// The next of what was found; pending if there is none until then.
    pub(super) fn poll(&mut self, until: Option<Instant>) -> Poll<Option<Result<Finding>>> {
        loop {
            if let Some(found) = self.batch.pop_front() {
                return Poll::Ready(Some(found));
            }
            let Some(found) = &self.found else { return Poll::Ready(None) };
            let received = match until {
                None => found.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(until) => found.recv_timeout(until.saturating_duration_since(Instant::now())),
            };
            match received {
                Ok(batch) => self.batch = batch,
                Err(RecvTimeoutError::Timeout) => return Poll::Pending,
                Err(RecvTimeoutError::Disconnected) => {
                    self.end();
                    return Poll::Ready(None);
                }
            }
        }
    }
}

impl Workers {
    /// Every thread has ended, or ends at once. What made one panic makes the caller panic.
    fn end(&mut self) {
        self.found = None;
        for thread in self.threads.drain(..) {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.board.stop();
        // A thread that waits for room in the channel learns that nobody listens.
        self.found = None;
        for thread in self.threads.drain(..) {
            // Nobody takes what it found any more.
            let _ended = thread.join();
        }
    }
}

impl Board {
    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        self.stopped.store(true, Relaxed);
        drop(self.jobs());
        self.changed.notify_all();
    }

    /// Waits for work; `None` once nobody has any.
    fn take(&self) -> Option<Job> {
        let mut jobs = self.jobs();
        loop {
            if self.stopped.load(Relaxed) {
                return None;
            }
            if let Some(job) = jobs.waiting.pop() {
                jobs.busy += 1;
                return Some(job);
            }
            if jobs.busy == 0 {
                self.changed.notify_all();
                return None;
            }
            jobs.idle += 1;
            self.ask(&jobs);
            jobs = self.changed.wait(jobs).unwrap_or_else(PoisonError::into_inner);
            jobs.idle -= 1;
            self.ask(&jobs);
        }
    }

    fn give(&self, job: Job) {
        let mut jobs = self.jobs();
        jobs.waiting.push(job);
        self.ask(&jobs);
        drop(jobs);
        self.changed.notify_one();
    }

    /// Says how many wait for work that nobody has given away yet.
    fn ask(&self, jobs: &Jobs) {
        self.hungry.store(jobs.idle.saturating_sub(jobs.waiting.len()), Relaxed);
    }

    fn done(&self) {
        let mut jobs = self.jobs();
        jobs.busy -= 1;
        if jobs.busy == 0 && jobs.waiting.is_empty() {
            self.changed.notify_all();
        }
    }
}

struct Worker {
    board: Arc<Board>,
    walker: Walker,
    sender: SyncSender<Batch>,
    sent: Instant,
}

impl Worker {
    fn work(mut self) {
        // Also if the walk panics: the others must not wait for this one.
        struct Leaving<'a>(&'a Board);
        impl Drop for Leaving<'_> {
            fn drop(&mut self) {
                self.0.done();
            }
        }
        let board = Arc::clone(&self.board);
        while let Some(job) = board.take() {
            let _leaving = Leaving(&board);
            self.walker.begin(job);
            while !self.walker.is_done() {
                self.walker.step();
                let enough = BATCH.min(1 + BATCH_BYTES / (1 + self.walker.path.as_os_str().len()));
                if self.hand_over(enough).is_err() || board.stopped.load(Relaxed) {
                    return;
                }
                if board.hungry.load(Relaxed) > 0
                    && let Some(job) = self.walker.share()
                {
                    board.give(job);
                }
            }
            if self.hand_over(1).is_err() {
                return;
            }
        }
    }

    /// Hands over what was found, if it is enough or has waited long enough.
    fn hand_over(&mut self, enough: usize) -> std::result::Result<(), ()> {
        let found = self.walker.found();
        if found.is_empty() || (found.len() < enough && self.sent.elapsed() < LINGER) {
            return Ok(());
        }
        let batch = std::mem::take(found);
        self.sent = Instant::now();
        self.sender.send(batch).map_err(|_| self.board.stop())
    }
}
