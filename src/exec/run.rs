//! One edit under way: the parent, the name, the decision, the target, the change, the report.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use super::area::Area;
use super::durable::{leave_to_batch, sync};
use super::permission::{may_add, may_take_away};
use super::{
    Attempt, Changed, abandoned, aside, create, exchange, guarantee, parents, remove, replace, shared, target, verify,
};
use crate::entry::Entry;
use crate::error::{Error, Found, Kind, Result, printable};
use crate::model::change::{Change, Expected};
use crate::model::{Decision, Durability, Edit, Effect, Outcome, Staging, decide};
use crate::resolve::Planned;
use crate::root::{Root, not_state};
use crate::sys::Access;

/// How often an edit is decided anew when others change the same name.
const ATTEMPTS: usize = 64;

/// One edit under way.
pub(super) struct Run<'a> {
    root: &'a Root,
    edit: &'a Edit,
    dry_run: bool,
    /// What the edits before this one leave, in a preview of many.
    planned: Option<&'a Planned>,
    opened_before: bool,
    made: Vec<PathBuf>,
}

impl<'a> Run<'a> {
    pub(super) fn new(root: &'a Root, edit: &'a Edit, dry_run: bool) -> Run<'a> {
        Run { root, edit, dry_run, planned: None, opened_before: false, made: Vec::new() }
    }

    /// The same on a tree as earlier edits leave it.
    pub(super) fn after(self, planned: &'a Planned) -> Run<'a> {
        Run { planned: Some(planned), ..self }
    }

    /// The same after a first try that made these parents.
    pub(super) fn having_made(self, made: Vec<PathBuf>) -> Run<'a> {
        Run { made, ..self }
    }

    pub(super) fn carry_out(mut self) -> Result<Outcome> {
        if let Change::Exchange(exchange) = &self.edit.change {
            return exchange::carry_out(self.root, self.edit, exchange, None, self.dry_run);
        }
        let outcome = self.open_and_edit();
        self.close(outcome)
    }

    /// Names the edit in the error.
    fn close(self, outcome: Result<Outcome>) -> Result<Outcome> {
        outcome.map_err(|error| {
            let error = error.on(self.edit.change.verb(), &self.edit.path).denied_at(self.edit.path.as_path());
            let error = self.root.or_gone(error);
            error.having_made(self.made)
        })
    }

    fn open_and_edit(&mut self) -> Result<Outcome> {
        // An edit that expects a link will lock its directory.
        let access = match self.edit.change.expected() {
            Expected::AnyLink | Expected::Link(_) if !self.dry_run => Access::Read,
            _ => Access::Search,
        };
        match Entry::open_for(self.root, &self.edit.path, access) {
            Ok(entry) => self.in_entry(&entry),
            Err(error) if error.kind() == Kind::NotFound && self.edit.change.parents() => self.below_new_parents(),
            Err(error) if error.kind() == Kind::NotFound && self.edit.change.missing_ok() => {
                self.not_gone(error)?;
                let verified = !self.root.policy().unverified;
                Ok(self.report(None, None, Changed { verified, ..Changed::new(Effect::Unchanged) }))
            }
            Err(error) => Err(error),
        }
    }

    /// A name may be missing, but not because the root is.
    fn not_gone(&self, missing: Error) -> Result<()> {
        let error = self.root.or_gone(missing);
        if error.kind() == Kind::RootGone { Err(error) } else { Ok(()) }
    }

    /// The directory is missing and may be made: nothing can have the name, so the target is judged first.
    fn below_new_parents(&mut self) -> Result<Outcome> {
        let planned = parents::plan(self.root, self.edit.path.parent())?;
        let physical = planned.physical.join(self.edit.path.name());
        not_state(self.root, &physical)?;
        self.permitted(Decision::Create)?;
        let link = self.edit.change.link().expect("BUG: parents are created for links");
        let text = target::text(self.root, link, &planned.physical)?;
        target::judge(self.root, self.edit, (&planned.physical, &physical), &text, self.planned)?;
        if self.dry_run {
            planned.may_be_made(self.root, self.edit.path.parent())?;
            self.made = planned.missing;
            let verified = !self.root.policy().unverified;
            let followed = (physical != self.edit.path.as_path()).then_some(physical);
            return Ok(self.report(followed, Some(text), Changed { verified, ..Changed::new(Effect::Created) }));
        }
        parents::make(self.root, self.edit.path.parent(), &mut self.made)?;
        let entry = Entry::open(self.root, &self.edit.path)?;
        self.in_entry(&entry)
    }

    /// The edit of an entry whose directory was opened before.
    pub(super) fn carry_out_in(mut self, entry: &Entry) -> Result<Outcome> {
        self.opened_before = true;
        if let Change::Exchange(exchange) = &self.edit.change {
            return exchange::carry_out(self.root, self.edit, exchange, Some(entry), self.dry_run);
        }
        let outcome = self.in_entry(entry);
        self.close(outcome)
    }

    fn in_entry(&mut self, entry: &Entry) -> Result<Outcome> {
        // What an interrupted operation left may stand in the state directory too.
        if !is_stale(self.edit) {
            not_state(self.root, entry.physical())?;
        }
        let text = match self.edit.change.link() {
            Some(link) => target::text(self.root, link, entry.dir()).map(Some),
            None => Ok(None),
        };
        if let Ok(Some(text)) = &text
            && let Some(outcome) = self.create_at_once(entry, text)?
        {
            return Ok(outcome);
        }
        let _at_work = if is_stale(self.edit) && !self.dry_run { abandoned::lock_above(entry)? } else { None };
        let held = if entry.lockable { Area::lock_own(entry)? } else { None };
        let mut judged = None;
        let mut refusals = Vec::new();
        for _ in 0..ATTEMPTS {
            let found = entry.look()?;
            let stored = text.as_ref().ok().and_then(Option::as_deref);
            let decision = decide(&self.edit.change, stored, &found);
            match decision {
                Decision::Refuse(kind) => return Err(refusal(kind, self.edit, found)),
                Decision::Unchanged => {
                    if found == Found::Missing {
                        self.not_gone(Error::new(Kind::NotFound))?;
                    }
                    let verified = self.still_there(entry)?;
                    let changed = Changed { verified, ..Changed::new(Effect::Unchanged) };
                    return Ok(self.report(entry.followed(), found.into_text(), changed));
                }
                Decision::Create
                | Decision::Replace
                | Decision::BackUp
                | Decision::Remove
                | Decision::RemoveStaleDir
                | Decision::Exchange => {}
            }
            self.permitted(decision)?;
            if is_stale(self.edit) && !is_own(entry)? {
                return Err(Error::new(Kind::Mismatch).because("it belongs to somebody else"));
            }
            if let (true, Some(present)) = (self.edit.change.while_dangling(), found.text())
                && !target::dangles(self.root, entry.dir(), present, self.planned)?
            {
                return Err(refusal(Kind::Mismatch, self.edit, found).because("it does not dangle any more"));
            }
            let stored = match text {
                Ok(ref text) => text.as_deref(),
                Err(error) => return Err(error),
            };
            if let (Some(text), None) = (stored, &judged) {
                let places = (entry.dir(), entry.physical());
                judged = Some(target::judge(self.root, self.edit, places, text, self.planned)?);
            }
            let directory = judged.as_ref().is_some_and(|judged: &target::Target| judged.directory);
            if self.dry_run {
                return self.previewed(entry, decision, stored, found);
            }
            let attempt = match (decision, stored) {
                (Decision::Create, Some(text)) => create::create(entry, text, directory)?,
                (Decision::Replace, Some(text)) => replace::replace(entry, held.as_ref(), self.edit, text, directory)?,
                (Decision::BackUp, Some(text)) => aside::move_aside(entry, text, directory)?,
                (Decision::RemoveStaleDir, _) => abandoned::remove(entry, held.as_ref())?,
                _ => remove::remove(entry, held.as_ref(), self.edit)?,
            };
            match attempt {
                Attempt::Done(changed) => return Ok(self.done(entry, stored, changed)),
                Attempt::Again => {}
                Attempt::Refused(error) => {
                    refusals.push(error);
                    break_step(self.root, refusals.len());
                }
            }
        }
        Err(given_up(refusals, ATTEMPTS))
    }

    /// Creation is exclusive, so where only that is asked for the name need not be looked at before.
    ///
    /// None where the name is taken or the target is refused: then the name is judged first.
    fn create_at_once(&self, entry: &Entry, text: &OsStr) -> Result<Option<Outcome>> {
        if !matches!(self.edit.change, Change::Create(_)) || self.dry_run || self.permitted(Decision::Create).is_err() {
            return Ok(None);
        }
        let places = (entry.dir(), entry.physical());
        let Ok(judged) = target::judge(self.root, self.edit, places, text, self.planned) else {
            return Ok(None);
        };
        Ok(match create::create(entry, text, judged.directory)? {
            Attempt::Done(changed) => Some(self.done(entry, Some(text), changed)),
            Attempt::Again | Attempt::Refused(_) => None,
        })
    }

    fn done(&self, entry: &Entry, text: Option<&OsStr>, changed: Changed) -> Outcome {
        let mut outcome = self.report(entry.followed(), text.map(OsStr::to_os_string), changed);
        self.make_durable(entry, &mut outcome);
        outcome
    }

    /// A directory that was opened for this edit was just walked to; one that was opened before may have moved.
    fn still_there(&self, entry: &Entry) -> Result<bool> {
        match self.opened_before {
            false => Ok(true),
            true if self.root.policy().unverified => Ok(false),
            true if verify::parent_in_place(entry)? => Ok(true),
            true => Err(verify::parent_moved()),
        }
    }

    fn permitted(&self, decision: Decision) -> Result<()> {
        let policy = self.root.policy();
        let allowed = match decision {
            Decision::Create => policy.create,
            Decision::Replace | Decision::BackUp | Decision::Exchange => policy.replace,
            Decision::Remove | Decision::RemoveStaleDir => policy.remove,
            Decision::Unchanged | Decision::Refuse(_) => true,
        };
        if allowed { Ok(()) } else { Err(Error::new(Kind::Policy)) }
    }

    /// What the change would report, without making it.
    fn previewed(&self, entry: &Entry, decision: Decision, text: Option<&OsStr>, found: Found) -> Result<Outcome> {
        if decision == Decision::Create {
            may_add(entry)?
        } else {
            may_take_away(entry)?
        }
        verify::would_stay(entry, &[(entry.physical(), text)])?;
        let abilities = self.root.abilities();
        let (change, able) = match decision {
            Decision::Create => (Effect::Created, true),
            Decision::Replace => (Effect::Replaced, abilities.exchange),
            Decision::BackUp => (Effect::Created, abilities.exchange),
            Decision::RemoveStaleDir => {
                abandoned::examine(entry)?;
                (Effect::Removed, true)
            }
            _ => (Effect::Removed, abilities.no_replace),
        };
        if decision == Decision::BackUp && !able {
            return Err(aside::unsupported());
        }
        let mut changed = Changed::new(change);
        changed.guarantee = guarantee(self.root, able)?;
        changed.verified = !self.root.policy().unverified;
        changed.staging = if matches!(decision, Decision::Create | Decision::RemoveStaleDir) {
            Staging::None
        } else {
            shared::predict(entry)?
        };
        changed.previous = match found {
            Found::Link(text) => Some(text),
            _ => None,
        };
        if decision == Decision::BackUp {
            changed.backup = Some(entry.dir().join(aside::free_backup_name(entry)));
        }
        Ok(self.report(entry.followed(), text.map(OsStr::to_os_string), changed))
    }

    fn report(&self, physical: Option<PathBuf>, target: Option<OsString>, changed: Changed) -> Outcome {
        Outcome {
            link: self.edit.path.clone(),
            physical,
            effect: changed.effect,
            target,
            previous: changed.previous,
            guarantee: changed.guarantee,
            durability: if self.dry_run && changed.effect.is_change() {
                self.edit.durability
            } else {
                Durability::None
            },
            confinement: self.root.confinement(),
            staging: changed.staging,
            verified: changed.verified,
            dry_run: self.dry_run,
            backup: changed.backup,
            made: self.made.clone(),
            shortfalls: changed
                .shortfalls
                .into_iter()
                .map(|error| error.on(self.edit.change.verb(), &self.edit.path))
                .collect(),
            counterpart: None,
        }
    }

    fn make_durable(&self, entry: &Entry, outcome: &mut Outcome) {
        let mut dirs = vec![entry.dir().to_path_buf()];
        dirs.extend(self.made.iter().filter_map(|made| made.parent()).map(PathBuf::from));
        dirs.dedup();
        let synced = sync(self.root, Some(&entry.parent), &dirs, self.edit.durability);
        match synced {
            Ok(()) => outcome.durability = self.edit.durability,
            Err(error) => outcome.shortfalls.push(error.on(self.edit.change.verb(), &self.edit.path)),
        }
        leave_to_batch(entry);
    }
}

/// Waits for a moment after a few refusals, each time another.
///
/// A program that trades the name all the time takes the lock of the directory in turns with this one. So it can be in
/// step with it: a link at each look, and something else at each trade.
pub(super) fn break_step(root: &Root, refused: usize) {
    if refused > 2 {
        let moment = root.calls().random().unwrap_or_default() % 64;
        root.calls().sleep(Duration::from_micros(moment as u64));
    }
}

/// The error after so many attempts. What was refused each time is not a matter of other programs.
pub(super) fn given_up(mut refusals: Vec<Error>, attempts: usize) -> Error {
    if refusals.len() < attempts {
        return Error::new(Kind::Contended);
    }
    refusals.pop().expect("BUG: there are attempts")
}

/// Whether what an interrupted run staged is to be removed.
fn is_stale(edit: &Edit) -> bool {
    matches!(edit.change, Change::RemoveStale(_))
}

/// Whether what has the name belongs to the caller.
fn is_own(entry: &Entry) -> Result<bool> {
    let calls = entry.root.calls();
    Ok(calls.stat_at(&entry.parent, entry.name()).map_err(Error::from_io)?.uid == calls.user())
}

fn refusal(kind: Kind, edit: &Edit, found: Found) -> Error {
    let reason = match (kind, edit.change.expected(), &found) {
        (Kind::Mismatch, Expected::Link(text), Found::Link(present)) => {
            format!("it points to `{}`, expected `{}`", printable(present), printable(text))
        }
        (Kind::Exists, _, found) => format!("the name is taken by {found}"),
        (Kind::NotALink, _, found) => format!("it is {found}, not a symbolic link"),
        (Kind::NotFound, ..) => "nothing has this name".to_owned(),
        (_, _, found) => format!("found {found}"),
    };
    Error::new(kind).because(reason).found_instead(found)
}
