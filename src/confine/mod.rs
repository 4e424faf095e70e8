//! Threads that the kernel holds to a root, for the edits that are made through it.
//!
//! A domain holds for one thread and cannot be left or widened. So the edits of a confined root are handed to a thread
//! of its own, and the threads of the program stay as they are. There is one for each set of rights that edits need,
//! started when the first such edit is made, and ended with the last handle to its root.
//!
//! A thread that ends after an edit can enter a domain itself instead.
//!
//! After a fork the child has none of the threads, and starts its own. What belongs to the parent's is left as it is: a
//! lock of it may have been held at that moment, by a thread that the child has not.
//!
//! A thread has the credentials of the one that started it, and a signal handler of the program may run on it.

mod side;
mod thread;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::model::{Confinement, ObjectId};
use crate::sys::{self, Domain, Rights};

pub(crate) use thread::Thread;

/// How long a forked child waits for a lock that it may share with threads of its own. It is held while one is started.
const PATIENCE: Duration = Duration::from_millis(100);
const NAP: Duration = Duration::from_micros(100);

/// How much a root insists on being confined by the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Enforcement {
    /// Where the kernel can; where it cannot, edits are made without, and their outcomes say so.
    #[default]
    Auto,
    /// Where the kernel cannot, it is an error.
    Require,
}

/// Gives up what running a set-id program would gain, for the calling thread and all that it starts from now on.
///
/// This is for the `main` of a program that never needs it. Confined threads have given it up in any case.
///
/// # Errors
///
/// `unsupported` where the platform has nothing of the kind.
///
/// # Platform-specific behavior
///
/// `PR_SET_NO_NEW_PRIVS` of Linux.
pub fn renounce_privileges() -> Result<()> {
    sys::renounce_privileges().map_err(|source| Error::from_io(source).on("renounce", "new privileges"))
}

/// The threads of one root.
#[derive(Debug)]
pub(crate) struct Threads {
    level: Confinement,
    /// The process that they can be started in for the first time.
    process: u32,
    started: Mutex<Vec<Arc<Thread>>>,
}

impl Threads {
    /// The threads of a root of which the first was just started.
    pub(crate) fn of(first: Thread) -> Threads {
        Threads::with(first.level(), vec![Arc::new(first)])
    }

    /// None, for a root that a thread uses which entered a domain itself.
    pub(crate) fn elsewhere(level: Confinement) -> Threads {
        Threads::with(level, Vec::new())
    }

    /// Those of another root that is to be confined as this one is; none is started yet.
    pub(crate) fn for_another(&self) -> Threads {
        Threads::with(self.level, Vec::new())
    }

    fn with(level: Confinement, started: Vec<Arc<Thread>>) -> Threads {
        Threads { level, process: std::process::id(), started: Mutex::new(started) }
    }

    pub(crate) fn level(&self) -> Confinement {
        self.level
    }

    /// The thread with these rights, below this state directory too where one is named; started if need be.
    pub(crate) fn get(
        &self,
        grant: Rights,
        state: Option<ObjectId>,
        domain: impl FnOnce() -> io::Result<(Domain, Option<ObjectId>)>,
    ) -> io::Result<Arc<Thread>> {
        let process = std::process::id();
        let mut started = self.started(process)?;
        let fits = |thread: &&Arc<Thread>| thread.grant() == grant && (state.is_none() || thread.state() == state);
        if started.iter().any(|thread| !thread.is_of(process)) {
            // Dropping them would take locks.
            std::mem::forget(std::mem::take(&mut *started));
        }
        if let Some(thread) = started.iter().find(fits) {
            return Ok(Arc::clone(thread));
        }
        let (domain, state) = domain()?;
        let thread = Arc::new(Thread::start(domain, grant, state)?);
        started.retain(|other| other.grant() != grant);
        started.push(Arc::clone(&thread));
        Ok(thread)
    }

    /// The threads that are started. In a forked child the lock may be held for ever, by a thread of the parent.
    fn started(&self, process: u32) -> io::Result<MutexGuard<'_, Vec<Arc<Thread>>>> {
        // A panic while the lock is held leaves the list as it was.
        if self.process == process {
            return Ok(self.started.lock().unwrap_or_else(PoisonError::into_inner));
        }
        let since = Instant::now();
        loop {
            match self.started.try_lock() {
                Ok(started) => return Ok(started),
                Err(TryLockError::Poisoned(started)) => return Ok(started.into_inner()),
                Err(TryLockError::WouldBlock) if since.elapsed() < PATIENCE => std::thread::sleep(NAP),
                Err(TryLockError::WouldBlock) => {
                    return Err(io::Error::other("this process was forked while its parent started another thread"));
                }
            }
        }
    }
}
