//! The executor: carries out one edit, and reports what was read back.
//!
//! In order: the parent is opened; what has the name is looked at and decided on; the target is judged; then the
//! change is made by the way that its kind needs, and read back by a new walk from the root. A change that met
//! something else than it was decided on is taken back and decided anew, a bounded number of times.

mod aside;
mod create;
mod exchange;
mod lock;
mod parents;
mod remove;
mod replace;
mod staging;
mod target;
mod verify;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::SystemTime;

use crate::entry::Entry;
use crate::error::{Error, Found, Kind, Result};
use crate::model::{
    Change, Decision, Desired, Durability, Edit, Expected, Guarantee, LinkPath, Outcome, Staging, Target, decide,
};
use crate::observe::{Actor, Event};
use crate::root::{Root, is_state};
use crate::sys::{Access, Handle};

pub use exchange::Exchange;

/// How often an edit is decided anew when others change the same name.
const ATTEMPTS: usize = 64;

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
    pub fn apply(&self, edit: &Edit) -> Result<Outcome> {
        Run::new(self, edit, false).carry_out()
    }

    /// Decides everything and changes nothing: what [`apply`](Root::apply) would report, as the tree is now.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Root::apply) that do not come from making the change.
    pub fn preview(&self, edit: &Edit) -> Result<Outcome> {
        Run::new(self, edit, true).carry_out()
    }
}

impl Entry {
    /// Carries out one edit of this entry, in the directory that was opened.
    ///
    /// # Errors
    ///
    /// Those of [`Root::apply`]; `usage` where the edit is about another path.
    pub fn apply(&self, edit: &Edit) -> Result<Outcome> {
        if edit.path != self.path {
            return Err(Error::new(Kind::Usage).on(edit.verb, &edit.path).because("the edit is about another path"));
        }
        let mut run = Run::new(&self.root, edit, false);
        let outcome = run.in_entry(self);
        run.close(outcome)
    }
}

pub(crate) fn spelled(verb: &'static str, path: impl AsRef<OsStr>) -> Result<LinkPath> {
    let path = path.as_ref();
    LinkPath::new(path).map_err(|error| error.renamed(verb))
}

/// One edit under way.
struct Run<'a> {
    root: &'a Root,
    edit: &'a Edit,
    dry_run: bool,
    made: Vec<PathBuf>,
}

/// A change that was made and read back.
pub(crate) struct Changed {
    change: Change,
    previous: Option<OsString>,
    guarantee: Guarantee,
    staging: Staging,
    verified: bool,
    backup: Option<PathBuf>,
    shortfalls: Vec<Error>,
}

impl Changed {
    fn new(change: Change) -> Changed {
        Changed {
            change,
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
pub(crate) enum Attempt {
    Done(Changed),
    /// The name was not as decided on; nothing of the attempt is left.
    Again,
}

impl<'a> Run<'a> {
    fn new(root: &'a Root, edit: &'a Edit, dry_run: bool) -> Run<'a> {
        Run { root, edit, dry_run, made: Vec::new() }
    }

    fn carry_out(mut self) -> Result<Outcome> {
        let outcome = self.open_and_edit();
        self.close(outcome)
    }

    /// Names the edit in the error, and tells the observer of a change.
    fn close(self, outcome: Result<Outcome>) -> Result<Outcome> {
        let outcome = outcome.map_err(|error| {
            let error = self.root.or_gone(error.on(self.edit.verb, &self.edit.path));
            error.having_made(self.made)
        })?;
        if outcome.change.is_change() && !outcome.dry_run {
            tell(self.root, &outcome);
        }
        Ok(outcome)
    }

    fn open_and_edit(&mut self) -> Result<Outcome> {
        if is_state(self.root, self.edit.path.as_path()) {
            return Err(Error::new(Kind::Policy).because("this name belongs to the state directory"));
        }
        match Entry::open(self.root, &self.edit.path) {
            Ok(entry) => self.in_entry(&entry),
            Err(error) if error.kind() == Kind::NotFound && self.edit.parents => self.below_new_parents(&error),
            Err(error) if error.kind() == Kind::NotFound && self.edit.missing_ok => {
                let gone = self.root.or_gone(error);
                if gone.kind() == Kind::RootGone {
                    return Err(gone);
                }
                let physical = self.edit.path.as_path().to_path_buf();
                Ok(self.report(physical, None, Changed::new(Change::Unchanged)))
            }
            Err(error) => Err(error),
        }
    }

    /// The directory is missing and may be made: nothing can have the name, so the target is judged first.
    fn below_new_parents(&mut self, missing: &Error) -> Result<Outcome> {
        if let Expected::AnyLink | Expected::Link(_) = self.edit.expected {
            return Err(Error::new(Kind::NotFound).because(missing.to_string()));
        }
        let planned = parents::plan(self.root, self.edit.path.parent())?;
        let physical = planned.physical.join(self.edit.path.name());
        let text = target::text(self.root, self.edit, &planned.physical)?;
        target::judge(self.root, self.edit, &planned.physical, &physical, &text)?;
        self.permitted(Decision::Create)?;
        if self.dry_run {
            self.made = planned.missing;
            return Ok(self.report(physical, Some(text), Changed::new(Change::Created)));
        }
        let result = parents::make(self.root, self.edit.path.parent(), &mut self.made);
        result?;
        let entry = Entry::open(self.root, &self.edit.path)?;
        self.in_entry(&entry)
    }

    fn in_entry(&mut self, entry: &Entry) -> Result<Outcome> {
        let text = match &self.edit.desired {
            Desired::Link(_) => target::text(self.root, self.edit, entry.dir()).map(Some),
            Desired::Nothing => Ok(None),
        };
        let mut judged = None;
        for _ in 0..ATTEMPTS {
            let found = entry.look()?;
            let stored = text.as_ref().ok().and_then(Option::as_deref);
            let decision = decide(self.edit, stored, &found);
            match decision {
                Decision::Refuse(kind) => return Err(refusal(kind, self.edit, found)),
                Decision::Unchanged => {
                    let target = found.text().map(OsStr::to_os_string);
                    let changed = Changed { verified: true, ..Changed::new(Change::Unchanged) };
                    return Ok(self.report(entry.physical.clone(), target, changed));
                }
                Decision::Create | Decision::Replace | Decision::MoveAside | Decision::Remove => {}
            }
            self.permitted(decision)?;
            let stored = match text {
                Ok(ref text) => text.as_deref(),
                Err(error) => return Err(error),
            };
            if let (Some(text), None) = (stored, &judged) {
                judged = Some(target::judge(self.root, self.edit, entry.dir(), &entry.physical, text)?);
            }
            let directory = judged.as_ref().is_some_and(|judged: &target::Target| judged.directory);
            if self.dry_run {
                return self.previewed(entry, decision, stored, found);
            }
            let attempt = match (decision, stored) {
                (Decision::Create, Some(text)) => create::create(entry, text, directory)?,
                (Decision::Replace, Some(text)) => replace::replace(entry, self.edit, text, directory)?,
                (Decision::MoveAside, Some(text)) => aside::move_aside(entry, text, directory)?,
                _ => remove::remove(entry, self.edit)?,
            };
            if let Attempt::Done(changed) = attempt {
                let target = stored.map(OsStr::to_os_string);
                let mut outcome = self.report(entry.physical.clone(), target, changed);
                self.make_durable(entry, &mut outcome);
                return Ok(outcome);
            }
        }
        Err(Error::new(Kind::Contended))
    }

    fn permitted(&self, decision: Decision) -> Result<()> {
        let policy = self.root.policy();
        let allowed = match decision {
            Decision::Create => policy.create,
            Decision::Replace | Decision::MoveAside => policy.replace,
            Decision::Remove => policy.remove,
            Decision::Unchanged | Decision::Refuse(_) => true,
        };
        if allowed { Ok(()) } else { Err(Error::new(Kind::Policy)) }
    }

    /// What the change would report, without making it.
    fn previewed(&self, entry: &Entry, decision: Decision, text: Option<&OsStr>, found: Found) -> Result<Outcome> {
        let abilities = self.root.abilities();
        let (change, able) = match decision {
            Decision::Create => (Change::Created, true),
            Decision::Replace => (Change::Replaced, abilities.exchange),
            Decision::MoveAside => (Change::Created, abilities.exchange),
            _ => (Change::Removed, abilities.no_replace),
        };
        let mut changed = Changed::new(change);
        changed.guarantee = guarantee(self.root, able)?;
        changed.previous = match found {
            Found::Link(text) => Some(text),
            _ => None,
        };
        if decision == Decision::MoveAside {
            changed.backup = Some(entry.dir().join(aside::free_backup_name(entry)));
        }
        Ok(self.report(entry.physical.clone(), text.map(OsStr::to_os_string), changed))
    }

    fn report(&self, physical: PathBuf, target: Option<OsString>, changed: Changed) -> Outcome {
        Outcome {
            link: self.edit.path.clone(),
            physical,
            change: changed.change,
            target,
            previous: changed.previous,
            guarantee: changed.guarantee,
            durability: if self.dry_run { self.edit.durability } else { Durability::None },
            confinement: self.root.confinement(),
            staging: changed.staging,
            verified: changed.verified && !self.dry_run,
            dry_run: self.dry_run,
            backup: changed.backup,
            made: self.made.clone(),
            shortfalls: changed.shortfalls,
        }
    }

    fn make_durable(&self, entry: &Entry, outcome: &mut Outcome) {
        let mut dirs = vec![entry.dir().to_path_buf()];
        dirs.extend(self.made.iter().filter_map(|made| made.parent()).map(PathBuf::from));
        dirs.dedup();
        let synced = sync(self.root, Some(&entry.parent), &dirs, self.edit.durability);
        match synced {
            Ok(()) => outcome.durability = self.edit.durability,
            Err(error) => outcome.shortfalls.push(error.on(self.edit.verb, &self.edit.path)),
        }
    }
}

/// Syncs directories that were changed, or their file system.
pub(crate) fn sync(root: &Root, opened: Option<&Handle>, dirs: &[PathBuf], durability: Durability) -> Result<()> {
    let calls = root.calls();
    let named = |source| Error::from_io(source).because("the change stands, but it could not be synced");
    // A descriptor for searching cannot be synced: the directory is opened anew for reading.
    let reopen = |dir: &Handle| calls.open_dir(dir, "".as_ref(), true, Access::Read);
    match durability {
        Durability::None => Ok(()),
        Durability::Fs => {
            let dir = reopen(opened.unwrap_or(root.handle())).map_err(named)?;
            calls.sync_file_system(&dir).map_err(named)
        }
        Durability::Dir => {
            for (index, path) in dirs.iter().enumerate() {
                let dir = match opened {
                    Some(dir) if index == 0 => reopen(dir),
                    _ => calls.open_dir(root.handle(), path, true, Access::Read),
                };
                dir.and_then(|dir| calls.sync_dir(&dir)).map_err(named)?;
            }
            Ok(())
        }
    }
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

fn refusal(kind: Kind, edit: &Edit, found: Found) -> Error {
    let reason = match (kind, &edit.expected, &found) {
        (Kind::Mismatch, Expected::Link(text), Found::Link(present)) => {
            format!("it points to `{}`, expected `{}`", crate::error::printable(present), crate::error::printable(text))
        }
        (Kind::Exists, _, found) => format!("the name is taken by {found}"),
        (Kind::NotALink, _, found) => format!("it is {found}, not a symbolic link"),
        _ => "nothing has this name".to_owned(),
    };
    Error::new(kind).because(reason).found_instead(found)
}

/// Tells the observer of a change.
pub(crate) fn tell(root: &Root, outcome: &Outcome) {
    let Some(observer) = root.observer() else { return };
    observer.changed(&Event {
        root: root.id(),
        root_path: root.physical_path().map(PathBuf::from),
        link: outcome.link.clone(),
        change: outcome.change,
        target: outcome.target.clone(),
        previous: outcome.previous.clone(),
        time: SystemTime::now(),
        actor: Actor { user: root.calls().user(), process: std::process::id() },
    });
}
