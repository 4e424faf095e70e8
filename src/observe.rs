//! Who is told of every change.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::model::{Effect, LinkPath, ObjectId};

/// A change that was made through a root.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The root: device and inode.
    pub root: ObjectId,
    /// The root's physical path at the time of opening, where it was opened by path.
    pub root_path: Option<PathBuf>,
    /// The link.
    pub link: LinkPath,
    /// What became of it.
    pub effect: Effect,
    /// The text it has now.
    pub target: Option<OsString>,
    /// The text it had before.
    pub previous: Option<OsString>,
    /// When the change had been read back.
    pub time: SystemTime,
    /// Who did it.
    pub actor: Actor,
}

/// Who made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The effective user; 0 on platforms without numeric users.
    pub user: u32,
    /// The process.
    pub process: u32,
}

/// Sees every change that is made through a root, after it was read back and before the operation returns.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::{Arc, Mutex};
/// use caplink::{Event, Observer, Policy, Root, Target};
///
/// #[derive(Default)]
/// struct Log(Mutex<Vec<String>>);
///
/// impl Observer for Log {
///     fn changed(&self, event: &Event) {
///         self.0.lock().unwrap().push(format!("{} {}", event.effect.as_str(), event.link));
///     }
/// }
///
/// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
/// # dir.create_dir("v1")?;
/// let log = Arc::new(Log::default());
/// let root = Root::from_dir(dir.try_clone()?, Policy::default())?.observed_by(log.clone());
/// let _ = root.ensure("current", Target::relative("v1"))?;
/// let _ = root.ensure("current", Target::relative("v1"))?;
/// assert_eq!(*log.0.lock().unwrap(), ["created current"]);
/// # Ok(())
/// # }
/// ```
pub trait Observer: Send + Sync {
    /// Is called once for each change. It must not panic.
    fn changed(&self, event: &Event);
}
