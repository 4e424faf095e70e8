//! The executor: carries out one edit, and reports what was read back.
//!
//! In order: the parent is opened; what has the name is looked at and decided on; the target is judged; then the
//! change is made by the way that its kind needs, and read back by a new walk from the root. A change that met
//! something else than it was decided on is taken back and decided anew, a bounded number of times.

mod abandoned;
mod area;
mod aside;
mod confined;
mod confining_thread;
mod create;
mod durable;
mod exchange;
mod leftover;
mod lock;
mod over;
mod parents;
mod permission;
mod pinned;
mod remove;
mod replace;
mod run;
mod shared;
mod staging;
mod target;
mod trial;
mod undo;
mod untrade;
mod verify;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::SystemTime;

use crate::entry::Entry;
use crate::error::{Error, Kind, Result};
use crate::model::{AsEdit, Durability, Edit, Effect, Guarantee, LinkPath, Outcome, Staging, Target};
use crate::observe::{Actor, Event};
use crate::resolve::Planned;
use crate::root::Root;

use run::Run;

pub(crate) use durable::sync_batch;
pub(crate) use target::leads_alike;
pub use trial::Trial;

impl Root {
    /// Makes a link where nothing is. See [`Edit::create`].
    ///
    /// # Errors
    ///
    /// `exists`; those of the path, of the target and of the system.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.create_dir("v1")?;
    /// use caplink::{Kind, Policy, Root, Target};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let outcome = root.create("current", Target::relative("v1"))?;
    /// assert!(outcome.verified);
    /// assert_eq!(root.create("current", Target::relative("v1")).unwrap_err().kind(), Kind::Exists);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(&self, path: impl AsRef<OsStr>, target: Target) -> Result<Outcome> {
        self.apply(&Edit::create(spelled("create", path)?, target))
    }

    /// Makes the name a link to the target, whether nothing or any link was there. See [`Edit::ensure`].
    ///
    /// # Atomicity
    ///
    /// While a link is replaced the name is never absent.
    ///
    /// # Errors
    ///
    /// `not_a_link`; those of the path, of the target and of the system.
    pub fn ensure(&self, path: impl AsRef<OsStr>, target: Target) -> Result<Outcome> {
        self.apply(&Edit::ensure(spelled("ensure", path)?, target))
    }

    /// Replaces the link if its text is exactly `old`. See [`Edit::swap`].
    ///
    /// # Atomicity
    ///
    /// Of several that swap the same link from the same text, one succeeds.
    ///
    /// # Errors
    ///
    /// `mismatch` with [`Error::found`], `not_found`, `not_a_link`; those of the path, of the target and of the system.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.create_dir("v1")?;
    /// # dir.create_dir("v2")?;
    /// use caplink::{Found, Kind, Policy, Root, Target};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let _ = root.create("current", Target::relative("v1"))?;
    /// let outcome = root.swap("current", Target::relative("v2"), "v1")?;
    /// assert_eq!(outcome.previous.as_deref(), Some("v1".as_ref()));
    ///
    /// let lost = root.swap("current", Target::relative("v2"), "v1").unwrap_err();
    /// assert_eq!(lost.kind(), Kind::Mismatch);
    /// assert_eq!(lost.found(), Some(&Found::Link("v2".into())));
    /// # Ok(())
    /// # }
    /// ```
    pub fn swap(&self, path: impl AsRef<OsStr>, target: Target, old: impl Into<OsString>) -> Result<Outcome> {
        self.apply(&Edit::swap(spelled("swap", path)?, target, old))
    }

    /// Removes a link, and only a link. See [`Edit::remove`].
    ///
    /// # Errors
    ///
    /// `not_found`, `not_a_link`; those of the path and of the system.
    pub fn remove(&self, path: impl AsRef<OsStr>) -> Result<Outcome> {
        self.apply(&Edit::remove(spelled("remove", path)?))
    }

    /// Exchanges two links. See [`Edit::exchange`].
    ///
    /// # Atomicity
    ///
    /// One kernel call; neither name is ever absent. Where the host cannot do that it is `unsupported`.
    ///
    /// # Errors
    ///
    /// `not_found`, `not_a_link`, `unsupported`; those of the paths, of the targets and of the system.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.create_dir("v1")?;
    /// # dir.create_dir("v2")?;
    /// use caplink::{Policy, Root, Target};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let _ = root.create("blue", Target::relative("v1"))?;
    /// let _ = root.create("green", Target::relative("v2"))?;
    /// let outcome = root.exchange("blue", "green")?;
    /// let links: Vec<_> = outcome.each().map(|one| one.link.to_string()).collect();
    /// assert_eq!(links, ["blue", "green"]);
    /// assert_eq!(root.read_link("blue")?, "v2");
    /// # Ok(())
    /// # }
    /// ```
    pub fn exchange(&self, a: impl AsRef<OsStr>, b: impl AsRef<OsStr>) -> Result<Outcome> {
        self.apply(&Edit::exchange(spelled("exchange", a)?, spelled("exchange", b)?))
    }

    /// Carries out one edit.
    ///
    /// # Security
    ///
    /// Nothing outside the root is created, changed or removed, whatever others do to the tree meanwhile. Only
    /// symbolic links are replaced or removed. See SECURITY.md for the limits.
    ///
    /// # Errors
    ///
    /// See [`Kind`]. After an error nothing was changed, unless [`Error::left`] or [`Error::preserved`] say so.
    pub fn apply(&self, edit: &impl AsEdit) -> Result<Outcome> {
        confined::apply(self, &edit.as_edit())
    }

    /// Carries out edits in order, each for itself, and returns what each came to.
    ///
    /// Where the root is [`confined`](Root::confined) this is much faster than one call for each. Another holder of a lock
    /// is waited for once, not once for each edit, and all of them together at most five seconds; then edits are `busy`.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.create_dir("v1")?;
    /// use caplink::{Edit, LinkPath, Policy, Root, Target};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let edit = |name| LinkPath::new(name).map(|path| Edit::create(path, Target::relative("v1")).into());
    /// let results = root.apply_all(&[edit("a")?, edit("b")?, edit("a")?]);
    /// assert!(results[0].is_ok() && results[1].is_ok() && results[2].is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn apply_all(&self, edits: &[Edit]) -> Vec<Result<Outcome>> {
        match self.batch() {
            Some(_) => confined::apply_while(self, edits, |_| true),
            None => confined::apply_while(&self.in_batch(Durability::None), edits, |_| true),
        }
    }

    /// Decides everything and changes nothing: what [`apply`](Root::apply) would report, as the tree is now.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Root::apply) that do not come from making the change.
    pub fn preview(&self, edit: &impl AsEdit) -> Result<Outcome> {
        Run::new(self, &edit.as_edit(), true).carry_out()
    }

    /// Decides everything and changes nothing: what [`apply_all`](Root::apply_all) would report of edits of different
    /// links. Each target is judged as the edits before it would leave the tree.
    ///
    /// # Errors
    ///
    /// Those of [`preview`](Root::preview), for each edit.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.create_dir("v1")?;
    /// use caplink::{Edit, LinkPath, Policy, Root, Target};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let edit = |link, target| LinkPath::new(link).map(|path| Edit::create(path, Target::relative(target)).into());
    /// let edits = [edit("current", "v1")?, edit("latest", "current")?];
    /// assert!(root.preview_all(&edits).iter().all(Result::is_ok));
    /// assert!(root.preview(&edits[1]).is_err(), "`current` is not there");
    /// # Ok(())
    /// # }
    /// ```
    pub fn preview_all(&self, edits: &[Edit]) -> Vec<Result<Outcome>> {
        let mut planned = Planned::new();
        edits.iter().map(|edit| self.preview_after(&mut planned, edit)).collect()
    }

    /// The same for the next edit of many, after those that were planned.
    pub(crate) fn preview_after(&self, planned: &mut Planned, edit: &Edit) -> Result<Outcome> {
        let outcome = Run::new(self, edit, true).after(planned).carry_out()?;
        for outcome in outcome.each().filter(|outcome| outcome.effect.is_change()) {
            let link = outcome.physical.as_deref().unwrap_or(outcome.link.as_path());
            planned.insert(link, outcome.target.clone());
        }
        Ok(outcome)
    }
}

impl Entry {
    /// Carries out one edit of this entry, in the directory that was opened.
    ///
    /// # Errors
    ///
    /// Those of [`Root::apply`]; `usage` where the edit is about another path.
    pub fn apply(&self, edit: &impl AsEdit) -> Result<Outcome> {
        let edit = &*edit.as_edit();
        if edit.path != self.path {
            return Err(Error::new(Kind::Usage)
                .on(edit.change.verb(), &edit.path)
                .because("the edit is about another path"));
        }
        confined::apply_in(self, edit)
    }
}

pub(crate) fn spelled(verb: &'static str, path: impl AsRef<OsStr>) -> Result<LinkPath> {
    let path = path.as_ref();
    LinkPath::new(path).map_err(|error| error.during(verb))
}

/// A change that was made and read back.
pub(crate) struct Changed {
    effect: Effect,
    previous: Option<OsString>,
    guarantee: Guarantee,
    staging: Staging,
    verified: bool,
    backup: Option<PathBuf>,
    shortfalls: Vec<Error>,
}

impl Changed {
    fn new(effect: Effect) -> Changed {
        Changed {
            effect,
            previous: None,
            guarantee: Guarantee::Atomic,
            staging: Staging::None,
            verified: false,
            backup: None,
            shortfalls: Vec::new(),
        }
    }
}

/// What one attempt came to.
pub(crate) enum Attempt<T = Changed> {
    Done(T),
    /// The name was not as decided on; nothing of the attempt is left.
    Again,
    /// The kernel refused to move what has the name, perhaps because it was no link; nothing of the attempt is left.
    Refused(Error),
}

/// The guarantee to be had with or without the ability that gives the atomic one.
pub(crate) fn guarantee(root: &Root, able: bool) -> Result<Guarantee> {
    match (able, root.policy().cooperative) {
        (true, _) => Ok(Guarantee::Atomic),
        (false, true) => Ok(Guarantee::Cooperative),
        (false, false) => {
            let reason = "this host cannot exchange two names in one step, and the atomic guarantee is required";
            Err(Error::new(Kind::Unsupported).because(reason))
        }
    }
}

/// Tells the observers of what an edit changed.
pub(crate) fn tell(root: &Root, outcome: &Outcome) {
    if root.observers().is_empty() {
        return;
    }
    for outcome in outcome.each().filter(|outcome| outcome.effect.is_change() && !outcome.dry_run) {
        let event = Event {
            root: root.id(),
            root_path: root.physical_path().map(PathBuf::from),
            link: outcome.link.clone(),
            effect: outcome.effect,
            target: outcome.target.clone(),
            previous: outcome.previous.clone(),
            time: SystemTime::now(),
            actor: Actor { user: root.calls().user(), process: std::process::id() },
        };
        root.observers().iter().for_each(|observer| observer.changed(&event));
    }
}
