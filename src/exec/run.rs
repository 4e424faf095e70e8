//! One edit under way: the parent, the name, the decision, the target, the change, the report.

mod locks;
mod planned;
#[cfg(all(test, unix, feature = "adversary"))]
mod tests;

use std::borrow::Cow;
use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::ops::ControlFlow;
use std::path::PathBuf;

use super::displaced::Displaced;
use super::halt::{Halt, OrHalt, TakeBack, state_contended};
use super::nearby::Nearby;
use super::permission::is_own;
use super::retry::{ATTEMPTS, break_step, given_up, refusal};
use super::site::Site;
use super::sync::{foresee_sync, leave_to_batch, sync};
use super::{
    Attempt, Changed, backup, create, exchange, parents, preview, read_back, remove, replace, stale_dir, target,
};
use crate::entry::Opened;
use crate::error::{Error, Found, Kind, Result};
use crate::model::change::{Change, Expected};
use crate::model::{Decision, Durability, Edit, Effect, Outcome, decide, is_checked_name};
use crate::resolve::Planned;
use crate::root::{Root, not_state};
use crate::sys::Access;

/// One edit under way.
pub(super) struct Run<'a> {
    root: &'a Root,
    edit: &'a Edit,
    dry_run: bool,
    /// What the edits before this one leave, in a preview of many.
    planned: Option<&'a Planned>,
    /// What it shares with them.
    nearby: Option<&'a Nearby>,
    opened_before: bool,
    made: Vec<PathBuf>,
    /// Why a directory in which one was made could not be synced.
    unsynced: Option<Error>,
    /// What was displaced and waits for a proof.
    displaced: Cell<Option<Displaced>>,
}

impl<'a> Run<'a> {
    pub(super) fn new(root: &'a Root, edit: &'a Edit, dry_run: bool) -> Run<'a> {
        let displaced = Cell::new(None);
        let (made, unsynced) = (Vec::new(), None);
        Run { root, edit, dry_run, planned: None, nearby: None, opened_before: false, made, unsynced, displaced }
    }

    /// The same after a first try that made these parents.
    pub(super) fn having_made(self, made: Vec<PathBuf>) -> Run<'a> {
        Run { made, ..self }
    }

    pub(super) fn carry_out(mut self) -> OrHalt<Outcome> {
        if let Change::Exchange(exchange) = &self.edit.change {
            return exchange::carry_out(self.root, self.edit, exchange, None, self.preview());
        }
        let outcome = self.open_and_edit();
        self.close(outcome)
    }

    /// The edit of an entry whose directory was opened before.
    pub(super) fn carry_out_in(mut self, entry: &Opened<'_>) -> OrHalt<Outcome> {
        self.opened_before = true;
        if let Change::Exchange(exchange) = &self.edit.change {
            return exchange::carry_out(self.root, self.edit, exchange, Some(entry), self.preview());
        }
        let outcome = self.in_entry(entry);
        self.close(outcome)
    }

    /// The edit of an entry in a directory that is kept open. Whoever keeps it proves that it is in its place, and unlinks
    /// then what was displaced.
    pub(super) fn carry_out_kept(mut self, entry: &Opened<'_>) -> OrHalt<(Outcome, Option<Displaced>)> {
        let outcome = self.in_entry(entry);
        let displaced = self.displaced.take();
        self.close(outcome).map(|outcome| (outcome, displaced))
    }

    /// Takes a link back that this edit made before, on a thread that lacked the means for it.
    pub(super) fn finish(self, unfinished: TakeBack) -> OrHalt<Outcome> {
        let TakeBack { entry, text, cause } = unfinished;
        let entry = entry.used_by(self.root.clone());
        let halt = create::take_back(&entry, None, &text, cause);
        self.close(Err(halt))
    }

    /// Reports an error of the edit that came after it was carried out.
    pub(super) fn fail(self, error: Error) -> OrHalt<Outcome> {
        self.close(Err(error.into()))
    }

    /// Names the edit in the error.
    fn close(self, outcome: OrHalt<Outcome>) -> OrHalt<Outcome> {
        outcome.map_err(|halt| match halt {
            Halt::Wanted(mut wanted) => {
                wanted.made = self.made;
                Halt::Wanted(wanted)
            }
            Halt::Failed(error) => {
                let error = error.on(self.edit.change.verb(), &self.edit.path).denied_at(self.edit.path.as_path());
                self.root.or_gone(error).having_made(self.made).into()
            }
        })
    }

    fn open_and_edit(&mut self) -> OrHalt<Outcome> {
        // A dry run opens it all the same: that is what tells whether the root is still there.
        if !self.dry_run && self.edit.path.parent().as_os_str().is_empty() {
            return self.in_entry(&Opened::in_root(self.root, &self.edit.path));
        }
        if self.is_planned(self.edit.path.parent()) {
            return self.below_planned();
        }
        let left = |planned| parents::are_left(planned, self.root.policy(), self.edit.path.parent());
        match self.planned.map_or(Ok(()), left).and_then(|()| self.open()) {
            Ok(entry) => self.in_entry(&entry),
            Err(error) if error.kind() == Kind::NotFound && self.edit.change.parents() => self.below_new_parents(),
            Err(error) if error.kind() == Kind::NotFound && self.edit.change.missing_ok() => {
                self.not_gone(error).map(|()| self.absent()).map_err(Halt::from)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn open(&self) -> Result<Opened<'a>> {
        // What is certain to be locked is opened for that. `ensure` finds most links as they should be, and an open for
        // reading costs more than one for lookups.
        let access = match self.edit.change {
            Change::Create(_) | Change::Ensure(_) => Access::Search,
            _ if self.dry_run => Access::Search,
            _ => Access::Read,
        };
        match self.nearby {
            Some(nearby) => nearby.open(self.root, self.edit),
            None => Opened::open_for(self.root, &self.edit.path, access),
        }
    }

    /// A name may be missing, but not because the root is.
    fn not_gone(&self, missing: Error) -> Result<()> {
        let error = self.root.or_gone(missing);
        if error.kind() == Kind::RootGone { Err(error) } else { Ok(()) }
    }

    /// The directory is missing and may be made: nothing can have the name, so the target is judged first.
    fn below_new_parents(&mut self) -> OrHalt<Outcome> {
        let planned = parents::plan(self.root, self.edit.path.parent(), self.planned)?;
        let physical = planned.physical.join(self.edit.path.name());
        not_state(self.root, &physical)?;
        self.root.permits(Decision::Create)?;
        let link = self.edit.change.link().expect("BUG: parents are created for links");
        let text = target::text(self.root, link, &planned.physical)?;
        target::judge(self.root, self.edit, (&planned.physical, &physical), &text, self.known())?;
        if self.dry_run {
            planned.may_be_made(self.root, self.edit.path.parent())?;
            self.made = planned.missing;
            if let Some(before) = self.planned {
                self.made.retain(|dir| !before.is_made(dir));
            }
            let verified = !self.root.policy().unverified;
            let followed = (physical != self.edit.path.as_path()).then_some(physical);
            return Ok(self.report(
                followed,
                Some(text.into_owned()),
                Changed { verified, ..Changed::new(Effect::Created) },
            ));
        }
        parents::make(self.root, self.edit, &mut self.made, &mut self.unsynced)?;
        let entry = Opened::open(self.root, &self.edit.path)?;
        self.in_entry(&entry)
    }

    fn in_entry(&mut self, entry: &Opened<'_>) -> OrHalt<Outcome> {
        let stale = matches!(self.edit.change, Change::RemoveStale(_));
        // What an interrupted run left may stand in the state directory too.
        if !stale {
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
        let _at_work = if stale && !self.dry_run { stale_dir::lock_above(entry)? } else { None };
        let mut site = None;
        let replaces = matches!(self.edit.change.expected(), Expected::AnyLink | Expected::Link(_));
        if replaces && !self.dry_run && self.root.policy().allows_changes() {
            match self.lock(entry, &text)? {
                ControlFlow::Continue(locked) => site = Some(locked),
                ControlFlow::Break(unchanged) => return Ok(unchanged),
            }
        }
        let outcome = self.decide_and_act(entry, text, &mut site);
        match site {
            Some(site) => self.leave(site, outcome),
            None => outcome,
        }
    }

    /// Decides, and acts on it; what replaces or removes is decided under the lock, whatever was seen before.
    fn decide_and_act<'e>(
        &self,
        entry: &'e Opened<'e>,
        text: Result<Option<Cow<'_, OsStr>>>,
        site: &mut Option<Site<'e>>,
    ) -> OrHalt<Outcome> {
        let mut judged = None;
        let mut refusals = Vec::new();
        let mut attempts = 0;
        while attempts < ATTEMPTS {
            let found = self.look(entry)?;
            let stored = text.as_ref().ok().and_then(Option::as_deref);
            let decision = decide(&self.edit.change, stored, &found);
            match decision {
                Decision::Refuse(kind) => return Err(refusal(kind, self.edit, found).into()),
                Decision::Unchanged => return self.unchanged(entry, found),
                _ => {}
            }
            self.root.permits(decision)?;
            if decision != Decision::Create && site.is_none() && !self.dry_run {
                match self.lock(entry, &text)? {
                    ControlFlow::Continue(locked) => *site = Some(locked),
                    ControlFlow::Break(unchanged) => return Ok(unchanged),
                }
                continue;
            }
            self.still_as_planned(entry, &found)?;
            let stored = match text {
                Ok(ref text) => text.as_deref(),
                Err(error) => return Err(error.into()),
            };
            if let (Some(text), None) = (stored, &judged) {
                let places = (entry.dir(), entry.physical());
                judged = Some(target::judge(self.root, self.edit, places, text, self.known())?);
            }
            let directory = judged.as_ref().is_some_and(|judged: &target::Target| judged.directory);
            if self.dry_run {
                let changed = preview::changed(entry, decision, stored, found, self.planned)?;
                let mut outcome = self.report(entry.followed(), stored.map(OsStr::to_os_string), changed);
                foresee_sync(entry, self.edit, &mut outcome);
                return Ok(outcome);
            }
            attempts += 1;
            let attempt = match (decision, stored, &*site) {
                (Decision::Create, Some(text), held) => create::create(entry, held.as_ref(), text, directory)?,
                (Decision::Replace, Some(text), Some(site)) => replace::replace(site, self.edit, text, directory)?,
                (Decision::BackUp, Some(text), Some(site)) => backup::back_up(site, text, directory)?,
                (Decision::RemoveStaleDir, _, Some(_)) => stale_dir::remove(entry)?,
                (Decision::Remove, _, Some(site)) => remove::remove(site, self.edit)?,
                _ => unreachable!("BUG: what replaces or removes is decided under the lock"),
            };
            match attempt {
                Attempt::Done(changed) => return Ok(self.done(entry, stored, changed)),
                Attempt::Again => {}
                Attempt::Refused(error) => {
                    refusals.push(error);
                    break_step(self.root.calls(), refusals.len());
                }
            }
            if let Some(lost) = site.take_if(|site| site.is_lost()) {
                let residue = lost.close();
                if !residue.is_empty() {
                    return Err(residue.on(state_contended()).into());
                }
                *site = Some(Site::lock(entry)?);
            }
        }
        Err(given_up(refusals, ATTEMPTS).into())
    }

    fn unchanged(&self, entry: &Opened<'_>, found: Found) -> OrHalt<Outcome> {
        if found == Found::Missing {
            self.not_gone(Error::new(Kind::NotFound))?;
        }
        let verified = self.still_there(entry)?;
        let changed = Changed { verified, ..Changed::new(Effect::Unchanged) };
        Ok(self.report(entry.followed(), found.into_text(), changed))
    }

    /// Refuses what was planned on something that is not so any more, beyond the text.
    fn still_as_planned(&self, entry: &Opened<'_>, found: &Found) -> Result<()> {
        if matches!(self.edit.change, Change::RemoveStale(_)) {
            if !is_checked_name(entry.name()) {
                return Err(Error::new(Kind::Mismatch).because("its name is not one that this program made"));
            }
            if !is_own(entry)? {
                return Err(Error::new(Kind::Mismatch).because("it belongs to somebody else"));
            }
        }
        if let (true, Some(present)) = (self.edit.change.while_dangling(), found.text())
            && !target::dangles(self.root, entry.dir(), present, self.planned)?
        {
            return Err(refusal(Kind::Mismatch, self.edit, found.clone()).because("it does not dangle any more"));
        }
        Ok(())
    }

    /// Creation is exclusive, so where only that is asked for the name need not be looked at before.
    ///
    /// `None` where the name is taken or the target is refused: then the name is judged first.
    fn create_at_once(&self, entry: &Opened<'_>, text: &OsStr) -> OrHalt<Option<Outcome>> {
        let is_create = matches!(self.edit.change, Change::Create(_));
        if !is_create || self.dry_run || self.root.permits(Decision::Create).is_err() {
            return Ok(None);
        }
        let places = (entry.dir(), entry.physical());
        let Ok(judged) = target::judge(self.root, self.edit, places, text, self.known()) else {
            return Ok(None);
        };
        Ok(match create::create(entry, None, text, judged.directory)? {
            Attempt::Done(changed) => Some(self.done(entry, Some(text), changed)),
            Attempt::Again | Attempt::Refused(_) => None,
        })
    }

    fn done(&self, entry: &Opened<'_>, text: Option<&OsStr>, mut changed: Changed) -> Outcome {
        self.displaced.set(changed.displaced.take());
        let mut outcome = self.report(entry.followed(), text.map(OsStr::to_os_string), changed);
        self.make_durable(entry, &mut outcome);
        outcome
    }

    /// A directory that was opened for this edit was just walked to; one that was opened before may have moved.
    fn still_there(&self, entry: &Opened<'_>) -> Result<bool> {
        match self.opened_before {
            false => Ok(true),
            true if self.root.policy().unverified => Ok(false),
            true if read_back::parent_in_place(entry)? => Ok(true),
            true => Err(read_back::parent_moved()),
        }
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

    /// Directories in which others were made on the way were synced then.
    fn make_durable(&self, entry: &Opened<'_>, outcome: &mut Outcome) {
        let synced = sync(self.root, &entry.parent, self.edit.durability);
        match self.unsynced.clone().map_or(synced, Err) {
            Ok(()) => outcome.durability = self.edit.durability,
            Err(error) => outcome.shortfalls.push(error.on(self.edit.change.verb(), &self.edit.path)),
        }
        leave_to_batch(entry);
    }
}
