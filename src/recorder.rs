//! Who is asked before a change, and informed after it.

use std::path::Path;
use std::time::SystemTime;

use crate::error::Result;
use crate::model::{Edit, ObjectId, Outcome};

/// What an edit is about to change.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Intent<'a> {
    /// The edit.
    pub edit: &'a Edit,
    /// What it comes to as the tree is now, after the edits before it. Others can change the link until it is carried out.
    pub foreseen: &'a Outcome,
    /// Where the root is, below the one that was opened, as an absolute path; `/` for that one itself.
    pub below: &'a Path,
}

/// What an edit came to.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The root: device and inode.
    pub root: ObjectId,
    /// The root's physical path at the time of opening, where it was opened by path.
    pub root_path: Option<&'a Path>,
    /// When this process learned the result.
    pub time: SystemTime,
    /// Who did it.
    pub actor: Actor,
    /// The edit.
    pub edit: &'a Edit,
    /// What it came to, refusals and failures included.
    pub result: &'a Result<Outcome>,
}

impl<'a> Event<'a> {
    /// Returns the outcome of each link that differs because of the edit: none, one, or the two of an exchange.
    pub fn changes(&self) -> impl Iterator<Item = &'a Outcome> + use<'a> {
        self.result.iter().flat_map(Outcome::each).filter(|outcome| outcome.effect.is_change())
    }
}

/// Who made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Actor {
    /// The effective user; 0 on platforms without numeric users.
    pub user: u32,
    /// The process.
    pub process: u32,
}

/// Is asked before changes are made through a root, and informed after they were read back.
///
/// One that only observes implements [`after`](Recorder::after). One that may refuse also returns `true` from
/// [`asks`](Recorder::asks), and refuses in [`before`](Recorder::before). It is called by the thread that called the root,
/// never by a confined one, and not while a lock is held.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::{Arc, Mutex};
/// use caplink::{Event, Policy, Recorder, Root, Target};
///
/// #[derive(Default)]
/// struct Log(Mutex<Vec<String>>);
///
/// impl Recorder for Log {
///     fn after(&self, events: &[Event<'_>]) -> caplink::Result<()> {
///         let changes = events.iter().flat_map(Event::changes);
///         self.0.lock().unwrap().extend(changes.map(|change| format!("{} {}", change.effect.as_str(), change.link)));
///         Ok(())
///     }
/// }
///
/// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
/// # dir.create_dir("v1")?;
/// let log = Arc::new(Log::default());
/// let root = Root::from_dir(dir.try_clone()?, Policy::default())?.recorded_by(log.clone());
/// let _ = root.ensure("current", Target::relative("v1"))?;
/// let _ = root.ensure("current", Target::relative("v1"))?;
/// assert_eq!(*log.0.lock().unwrap(), ["created current"]);
/// # Ok(())
/// # }
/// ```
///
/// A recorder that refuses:
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use caplink::{Error, Event, Intent, Kind, Policy, Recorder, Root, Target};
///
/// struct Frozen;
///
/// impl Recorder for Frozen {
///     fn asks(&self) -> bool {
///         true
///     }
///
///     fn before(&self, _: &[Intent<'_>]) -> caplink::Result<()> {
///         Err(Error::refusal("releases are frozen"))
///     }
///
///     fn after(&self, _: &[Event<'_>]) -> caplink::Result<()> {
///         Ok(())
///     }
/// }
///
/// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
/// # dir.create_dir("v1")?;
/// let root = Root::from_dir(dir.try_clone()?, Policy::default())?.recorded_by(Arc::new(Frozen));
/// let error = root.ensure("current", Target::relative("v1")).unwrap_err();
/// assert_eq!(error.kind(), Kind::Policy);
/// assert_eq!(error.to_string(), "cannot ensure `current`: releases are frozen");
/// # Ok(())
/// # }
/// ```
pub trait Recorder: Send + Sync {
    /// Returns whether it is to be asked. Each edit is previewed for that, which costs the system calls of a preview.
    fn asks(&self) -> bool {
        false
    }

    /// Returns whether it writes records, which tell of groups by themselves.
    #[doc(hidden)]
    fn is_records(&self) -> bool {
        false
    }

    /// Is asked before changes that are decided together: at most 1,000, of different links, in order.
    ///
    /// # Errors
    ///
    /// After an error none of them is made, and each fails with it.
    fn before(&self, intents: &[Intent<'_>]) -> Result<()> {
        let _ = intents;
        Ok(())
    }

    /// Is asked about a change that is only previewed: refuses what [`before`](Recorder::before) would refuse, as far as it
    /// can tell without writing anything. Where others moved its directory meanwhile it is asked again.
    ///
    /// # Errors
    ///
    /// The preview fails with it.
    fn previews(&self, intent: &Intent<'_>) -> Result<()> {
        let _ = intent;
        Ok(())
    }

    /// Is informed of what edits came to, in order: changes, edits that changed nothing, refusals and failures. An edit
    /// that it was asked about and that was then not tried is [`Skipped`](crate::Effect::Skipped).
    ///
    /// # Errors
    ///
    /// The changes stand. The error is among the [shortfalls](Outcome::shortfalls) of each.
    fn after(&self, events: &[Event<'_>]) -> Result<()>;
}

/// Records nothing.
impl Recorder for () {
    fn after(&self, _: &[Event<'_>]) -> Result<()> {
        Ok(())
    }
}
