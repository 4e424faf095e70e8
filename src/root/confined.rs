//! A root whose changes the kernel confines: what it gives to its threads, and what they may do.

use std::io;
use std::sync::Arc;

use super::{Context, Root};
use crate::confine::{Enforcement, Thread, Threads};
use crate::error::{Error, Result};
use crate::model::{Confinement, ObjectId};
use crate::sys::{self, Domain, Fault, Handle, Rights};

impl Root {
    /// Returns this root with the kernel confining every change to what is below it.
    ///
    /// Changes are then made by a thread of this root's own, under Landlock: even a bug of this library, or a
    /// directory that is moved out of the root after it was opened, changes nothing outside, and no exchange moves
    /// anything but links. Looking is not confined. What was derived from this root before stays as it is, what is
    /// derived from the returned one is confined in the same way.
    ///
    /// # Security
    ///
    /// The threads of the program itself are not confined. [`Outcome::confinement`](crate::Outcome) says what was
    /// reached; it never becomes less for a root.
    ///
    /// # Errors
    ///
    /// `unsupported` where the kernel has no Landlock of version 2 or newer and that is required; `io` and
    /// `fd_exhausted` where the thread cannot be started.
    ///
    /// # Platform-specific behavior
    ///
    /// Linux 5.19 or newer, with the feature `confine`.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// use caplink::{Enforcement, Policy, Root};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?.confined(Enforcement::Auto)?;
    /// println!("changes are confined by: {}", root.confinement());
    /// # Ok(())
    /// # }
    /// ```
    pub fn confined(&self, enforcement: Enforcement) -> Result<Root> {
        if self.shared.threads.is_some() {
            return Ok(self.clone());
        }
        let start = || {
            let (domain, state) = self.domain(Rights::Links, self.state_elsewhere())?;
            Thread::start(domain, Rights::Links, state)
        };
        let reached = start().map(|thread| self.rebuilt(|shared| shared.threads = Some(Threads::of(thread))));
        self.as_far_as(enforcement, reached)
    }

    /// Confines the calling thread for ever to what the grant needs below this root, and returns the root as that
    /// thread uses it: the state directory as it is there, if it is below.
    pub(crate) fn enter(&self, grant: Rights, enforcement: Enforcement) -> Result<Root> {
        let enter = || self.domain(grant, None)?.0.enter();
        let reached = enter().map(|level| {
            let threads = Threads::elsewhere(Confinement::Landlock(level));
            Root { side: Context::Thread(None), ..self.rebuilt(|shared| shared.threads = Some(threads)) }
        });
        self.as_far_as(enforcement, reached)
    }

    /// What was reached; this root where nothing can be, and need not be.
    fn as_far_as(&self, enforcement: Enforcement, reached: io::Result<Root>) -> Result<Root> {
        match reached {
            Ok(root) => Ok(root),
            Err(source) if sys::fault(&source) == Fault::Unsupported => match enforcement {
                Enforcement::Auto => Ok(self.clone()),
                Enforcement::Require => {
                    let reason = format!("changes cannot be confined by the kernel: {source}");
                    Err(Error::from_io(source).on("confine", ".").because(reason))
                }
            },
            Err(source) => Err(Error::from_io(source).on("confine", ".")),
        }
    }

    /// Returns how far the kernel confines the changes that are made through this root.
    pub fn confinement(&self) -> Confinement {
        self.shared.threads.as_ref().map_or(Confinement::None, Threads::level)
    }

    /// The state directory as it is, where it is not below this root. Whether it can be used shows when it is needed.
    pub(crate) fn state_elsewhere(&self) -> Option<Handle> {
        let state = self.state();
        if state.below.is_some() { None } else { state.open_there(self.calls()).ok().flatten().map(|there| there.dir) }
    }

    /// Whether this is the root as a confined thread uses it.
    pub(crate) fn is_on_thread(&self) -> bool {
        self.side != Context::Holder
    }

    /// The threads that edits are to be handed to, where this root is confined and its holder uses it.
    pub(crate) fn threads(&self) -> Option<&Threads> {
        self.shared.threads.as_ref().filter(|_| !self.is_on_thread())
    }

    /// This root for a confined thread. Its recorders stay behind: what they do the domain would forbid.
    pub(crate) fn on_thread(&self, thread: &Thread, with_state: bool) -> Root {
        let side = if with_state { Context::Thread(thread.state()) } else { Context::ThreadWithoutState };
        Root { side, recorders: Arc::from([]), interrupt: None, ..self.clone() }
    }

    /// Rules that allow what the grant needs below this root, and in a state directory that is elsewhere.
    pub(crate) fn domain(&self, grant: Rights, state: Option<Handle>) -> io::Result<(Domain, Option<ObjectId>)> {
        let Some(state) = state else { return Ok((self.calls().domain(self.handle(), None, grant)?, None)) };
        let id = self.calls().stat(&state)?.id;
        let domain = self.calls().domain(self.handle(), Some(&state), grant)?;
        Ok((domain, Some(id)))
    }
}
