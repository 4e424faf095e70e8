//! How long a root waits for other holders of locks, and what breaks that off.

use std::sync::Arc;
use std::time::Duration;

use super::Root;

/// How long another holder is waited for, unless something else is said. An edit holds the lock for some ten microseconds.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(1);

/// Says whether what takes long is to be broken off.
pub(super) type Interrupt = Arc<dyn Fn() -> bool + Send + Sync>;

impl Root {
    /// Returns this root with another wait for the lock of a link's directory; one second, unless something else is said.
    ///
    /// After it an edit is `busy`. All edits of a batch together wait at most five seconds.
    #[must_use]
    pub fn waiting(&self, wait: Duration) -> Root {
        Root { lock_wait: wait, ..self.clone() }
    }

    /// Returns this root with `interrupt` asked while it waits for a lock, and while a repair scans: whether that is to be
    /// broken off. An edit is `busy` then, and a repair carries out nothing more.
    ///
    /// It is asked every few milliseconds at the most, by the thread that called the root; where the root is
    /// [`confined`](Root::confined), which waits on another thread, the wait is not broken off.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use caplink::{Policy, Root};
    ///
    /// static STOPPED: AtomicBool = AtomicBool::new(false);
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let root = root.interrupted_by(Arc::new(|| STOPPED.load(Ordering::Relaxed)));
    /// # let _ = root;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn interrupted_by(&self, interrupt: Arc<dyn Fn() -> bool + Send + Sync>) -> Root {
        Root { interrupt: Some(interrupt), ..self.clone() }
    }

    /// How long another holder of a lock is waited for.
    pub(crate) fn lock_wait(&self) -> Duration {
        self.lock_wait
    }

    /// Whether what takes long is to be broken off.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupt.as_ref().is_some_and(|interrupt| interrupt())
    }
}
