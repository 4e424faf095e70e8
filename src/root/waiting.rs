//! How long the edits of a root wait for another holder of a lock.

use std::time::Duration;

use super::Root;

/// How long another holder is waited for where nothing else was said. An edit holds the lock for some ten microseconds.
pub(super) const WAIT: Duration = Duration::from_secs(1);

impl Root {
    /// Returns this root with edits that wait this long for another holder of a lock before they are `busy`.
    ///
    /// Without it they wait a second. The edits of one batch wait five times as long at most, all together.
    #[must_use]
    pub fn waiting(&self, wait: Duration) -> Root {
        Root { wait, ..self.clone() }
    }

    /// How long another holder of a lock is waited for.
    pub(crate) fn wait(&self) -> Duration {
        self.wait
    }
}
