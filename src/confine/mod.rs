//! Threads that the kernel holds to a root, for the edits that are made through it.
//!
//! A domain holds for one thread and cannot be left or widened. So the edits of a confined root are handed to a thread
//! of its own, and the threads of the program stay as they are. There is one for each set of rights that edits need,
//! started when the first such edit is made, and ended with the last handle to its root.
//!
//! A thread that ends after an edit can enter a domain itself instead.
//!
//! A thread has the credentials of the one that started it, and a signal handler of the program may run on it.

mod thread;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::model::{Confinement, ObjectId};
use crate::sys::{self, Domain, Grant};

pub(crate) use thread::Thread;

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
    started: Mutex<Vec<Arc<Thread>>>,
}

impl Threads {
    /// The threads of a root of which the first was just started.
    pub(crate) fn of(first: Thread) -> Threads {
        Threads { level: first.level(), started: Mutex::new(vec![Arc::new(first)]) }
    }

    /// None, for a root that a thread uses which entered a domain itself.
    pub(crate) fn elsewhere(level: Confinement) -> Threads {
        Threads { level, started: Mutex::default() }
    }

    /// Those of another root that is to be confined as this one is; none is started yet.
    pub(crate) fn for_another(&self) -> Threads {
        Threads { level: self.level, started: Mutex::new(Vec::new()) }
    }

    pub(crate) fn level(&self) -> Confinement {
        self.level
    }

    /// The thread with these rights, below this state directory too where one is named; started if need be.
    pub(crate) fn get(
        &self,
        grant: Grant,
        state: Option<ObjectId>,
        domain: impl FnOnce() -> io::Result<(Domain, Option<ObjectId>)>,
    ) -> io::Result<Arc<Thread>> {
        // A panic while the lock is held leaves the list as it was.
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |thread: &&Arc<Thread>| thread.grant() == grant && (state.is_none() || thread.state() == state);
        // After a fork the child has no threads but the one that forked.
        started.retain(|thread| thread.is_of_this_process());
        if let Some(thread) = started.iter().find(fits) {
            return Ok(Arc::clone(thread));
        }
        let (domain, state) = domain()?;
        let thread = Arc::new(Thread::start(domain, grant, state)?);
        started.retain(|other| other.grant() != grant);
        started.push(Arc::clone(&thread));
        Ok(thread)
    }
}
