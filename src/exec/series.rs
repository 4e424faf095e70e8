//! Edits of one directory, one after the other: it is opened once, and proven to be in its place once.
//!
//! Each link is looked at in the directory that is kept open. At the end of the series a new walk from the root proves that
//! the path leads to this directory: then so did it lead to every link, after it was looked at. If it does not, what was
//! created is taken back and reported, and what was unchanged is looked for anew, as for an edit by itself.
//!
//! Edits that replace or remove one after the other share the directory's lock too, if nobody else has it. Where nobody else
//! can touch it what they displace is kept beside its name until the proof, and put back if the directory is not in its
//! place: the lock says meanwhile that somebody is at work. Who may write the directory is looked at once.
//!
//! Between a look and its proof are at most [`TOGETHER_MAX`] edits, and no edit is begun [`TIME_MAX`] after the directory was
//! opened.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use super::displaced::Displaced;
use super::halt::{Halt, OrHalt, TakeBack, Wanted, state_contended};
use super::lock::Lock;
use super::read_back;
use super::run::Run;
use super::shared::{TIME_MAX, TOGETHER_MAX, keep};
use super::sync::leave_to_batch;
use crate::entry::{Kept, Opened};
use crate::error::Result;
use crate::model::change::{Change, Expected};
use crate::model::{Durability, Edit, Effect, Outcome, Staging};
use crate::root::Root;
use crate::sys::{Access, Handle};

/// Edits that came back because the thread lacks something, each with its place among the results.
pub(super) type Returned = Vec<(usize, Box<Wanted>)>;

/// Carries out edits in order, until one comes to something that `go_on` says no to, or wants something. Where something
/// is wanted, the result is yet to come.
pub(super) fn carry_out(
    root: &Root,
    edits: &[Edit],
    go_on: fn(&Result<Outcome>) -> bool,
) -> (Vec<Result<Outcome>>, Returned) {
    // Where a failure stops the others it has to be known before the next edit.
    let is_kept = go_on(&Err(read_back::parent_moved()));
    let results = Vec::with_capacity(edits.len());
    let mut series = Series { root, edits, results, returned: Vec::new(), kept: None, unproven: Vec::new() };
    while let Some(edit) = edits.get(series.results.len()) {
        let came = if is_kept { series.next(edit) } else { Run::new(root, edit, false).carry_out() };
        series.add(came);
        if !series.returned.is_empty() || series.results.last().is_some_and(|last| !go_on(last)) {
            break;
        }
    }
    series.end();
    (series.results, series.returned)
}

struct Series<'a> {
    root: &'a Root,
    edits: &'a [Edit],
    results: Vec<Result<Outcome>>,
    returned: Returned,
    kept: Option<Directory<'a>>,
    unproven: Vec<Unproven>,
}

/// A directory that is kept open. No link was followed to it: an edit in it cannot change where its path leads.
struct Directory<'a> {
    parent: Arc<Handle>,
    lockable: bool,
    seen: Kept,
    lock: Option<Lock<'a>>,
    begun: Duration,
    edits: usize,
}

/// A result that the proof is missing for: its place, and what was displaced.
struct Unproven {
    at: usize,
    displaced: Option<Displaced>,
}

impl<'a> Directory<'a> {
    fn entry<'e>(&self, root: &'e Root, edit: &'e Edit) -> Opened<'e> {
        let seen = Kept { is_locked: self.lock.is_some(), ..self.seen };
        Opened::of(root, &edit.path, Arc::clone(&self.parent)).kept(seen, self.lockable)
    }

    /// Holds the lock for edits that need it, and for no other. Where another holder has it each edit waits for itself.
    fn lock_for(&mut self, root: &'a Root, edit: &Edit) {
        if !locks(edit) || !self.lockable || !root.policy().allows_changes() {
            self.lock = None;
        } else if self.lock.is_none() {
            self.lock = Lock::try_take(root, Arc::clone(&self.parent)).unwrap_or_default();
        }
    }
}

impl<'a> Series<'a> {
    fn next(&mut self, edit: &Edit) -> OrHalt<Outcome> {
        if !self.goes_on(edit) {
            self.end();
            if !is_kept(edit) || !self.is_beside(edit, self.results.len() + 1) || !self.keep(edit) {
                return Run::new(self.root, edit, false).carry_out();
            }
        }
        if !self.holds_lock_for(edit) {
            return Run::new(self.root, edit, false).carry_out();
        }
        self.kept.as_mut().expect("BUG: the directory is kept").edits += 1;
        let halt = match self.carry_out_kept(edit) {
            Err(halt @ Halt::Failed(_)) => halt,
            came => return came,
        };
        let waited = self.unproven.iter().any(|unproven| unproven.displaced.is_some());
        match self.prove() {
            _ if halt.has_effect() => Err(halt),
            // Another directory can be in the place of this one by now, in which it would not fail.
            false => Run::new(self.root, edit, false).carry_out(),
            // What waited took space.
            true if waited && halt.lacks_space() => self.carry_out_kept(edit),
            true => Err(halt),
        }
    }

    /// Carries out an edit in the directory that is kept.
    fn carry_out_kept(&mut self, edit: &Edit) -> OrHalt<Outcome> {
        let kept = self.kept.as_ref().expect("BUG: the directory is kept");
        let (outcome, displaced) = Run::new(self.root, edit, false).carry_out_kept(&kept.entry(self.root, edit))?;
        if displaced.is_some() || is_unproven(&outcome) {
            self.unproven.push(Unproven { at: self.results.len(), displaced });
        } else if self.unproven.iter().any(|unproven| unproven.displaced.is_none()) {
            // What it replaced or removed may be one of those.
            self.prove();
        }
        Ok(outcome)
    }

    /// Whether the edit is one of the series that is under way.
    fn goes_on(&self, edit: &Edit) -> bool {
        let calls = self.root.calls();
        let is_young = |kept: &Directory<'_>| calls.clock().saturating_sub(kept.begun) < TIME_MAX;
        let Some(kept) = self.kept.as_ref().filter(|kept| kept.edits < TOGETHER_MAX) else { return false };
        is_kept(edit) && self.is_beside(edit, self.results.len() - 1) && is_young(kept)
    }

    /// Takes the lock for an edit that needs it, and releases it for one that does not; what was displaced under it is proven
    /// before. False where the directory turned out not to be in its place.
    fn holds_lock_for(&mut self, edit: &Edit) -> bool {
        let kept = self.kept.as_ref().expect("BUG: the directory is kept");
        if kept.lock.is_some() && !locks(edit) && !self.unproven.is_empty() && !self.prove() {
            return false;
        }
        let kept = self.kept.as_mut().expect("BUG: the directory is kept");
        kept.lock_for(self.root, edit);
        true
    }

    /// Whether another of the edits is about a link of the same directory.
    fn is_beside(&self, edit: &Edit, other: usize) -> bool {
        let dir = edit.path.parent().as_os_str();
        self.edits.get(other).is_some_and(|other| other.path.parent().as_os_str() == dir)
    }

    /// Opens the directory of an edit, to keep it; false where it is for the edit alone to open it.
    fn keep(&mut self, edit: &Edit) -> bool {
        let access = if matches!(edit.change, Change::Create(_)) { Access::Search } else { Access::Read };
        let begun = self.root.calls().clock();
        let opened = match (edit.path.parent().as_os_str().is_empty(), access) {
            (true, Access::Search) => Ok(Opened::in_root(self.root, &edit.path)),
            _ => Opened::open_for(self.root, &edit.path, access),
        };
        let Ok(entry) = opened else { return false };
        let (Ok(seen), None) = (keep(&entry), entry.followed()) else { return false };
        let (parent, lockable) = (entry.parent, entry.lockable);
        self.kept = Some(Directory { parent, lockable, seen, lock: None, begun, edits: 0 });
        true
    }

    fn add(&mut self, came: OrHalt<Outcome>) {
        match came {
            Ok(outcome) => self.results.push(Ok(outcome)),
            Err(Halt::Failed(error)) => self.results.push(Err(error)),
            Err(Halt::Wanted(wanted)) => {
                self.returned.push((self.results.len(), wanted));
                self.results.push(Err(state_contended()));
            }
        }
    }

    fn set(&mut self, at: usize, came: OrHalt<Outcome>) {
        match came {
            Ok(outcome) => self.results[at] = Ok(outcome),
            Err(Halt::Failed(error)) => self.results[at] = Err(error),
            Err(Halt::Wanted(wanted)) => self.returned.push((at, wanted)),
        }
    }

    fn end(&mut self) {
        if !self.unproven.is_empty() {
            self.prove();
        }
        self.kept = None;
    }

    /// Whether the directory is in its place. Where it is not, what it was kept for is taken back, the last first.
    fn prove(&mut self) -> bool {
        let kept = self.kept.as_ref().expect("BUG: the directory is kept");
        let of = |at: usize| (&self.edits[at], kept.entry(self.root, &self.edits[at]));
        let (_, entry) = of(self.unproven.last().map_or(self.results.len(), |last| last.at));
        let cause = match read_back::parent_in_place(&entry) {
            Ok(true) => {
                self.settle();
                return true;
            }
            Ok(false) => read_back::parent_moved(),
            Err(error) => error,
        };
        let mut came: Vec<(usize, OrHalt<Outcome>)> = Vec::with_capacity(self.unproven.len());
        let mut others = Vec::new();
        for Unproven { at, displaced } in self.unproven.drain(..).rev() {
            let (edit, entry) = of(at);
            match displaced {
                Some(displaced) => {
                    let text = self.results[at].as_ref().ok().and_then(|outcome| outcome.target.as_deref());
                    let error = displaced.put_back(&entry, text.unwrap_or_default(), cause.clone());
                    came.push((at, Run::new(self.root, edit, false).fail(error)));
                }
                None => others.push((at, entry.owned())),
            }
        }
        // What is tried anew may need the lock.
        self.kept = None;
        for (at, entry) in others {
            let run = Run::new(self.root, &self.edits[at], false);
            came.push(match created(&self.results[at]) {
                Some(text) => (at, run.finish(TakeBack { entry, text, cause: cause.clone() })),
                None => (at, run.carry_out()),
            });
        }
        came.into_iter().for_each(|(at, came)| self.set(at, came));
        false
    }

    /// Unlinks what was displaced, under the lock.
    fn settle(&mut self) {
        let kept = self.kept.as_ref().expect("BUG: the directory is kept");
        for Unproven { at, displaced } in self.unproven.drain(..) {
            let (Some(displaced), Ok(outcome)) = (displaced, &mut self.results[at]) else { continue };
            let edit = &self.edits[at];
            let entry = kept.entry(self.root, edit);
            let residue = displaced.unlink(&entry);
            // It may have been synced since the link was moved.
            leave_to_batch(&entry);
            let shortfall = residue.into_shortfall().map(|error| error.on(edit.change.verb(), &edit.path));
            outcome.shortfalls.extend(shortfall);
        }
    }
}

/// The text of a link that was created, and is to be taken back.
fn created(result: &Result<Outcome>) -> Option<OsString> {
    result.as_ref().ok().filter(|outcome| outcome.effect == Effect::Created)?.target.clone()
}

/// Whether an edit may share its directory with others. What is synced by itself is proven before.
fn is_kept(edit: &Edit) -> bool {
    let is_of_one_link = !matches!(edit.change, Change::Exchange(_) | Change::RemoveStale(_));
    is_of_one_link && edit.durability == Durability::None
}

/// Whether an edit takes the lock of its directory whatever it finds there.
fn locks(edit: &Edit) -> bool {
    matches!(edit.change.expected(), Expected::AnyLink | Expected::Link(_))
}

/// What was staged was proven before it was done, or displaced what waits.
fn is_unproven(outcome: &Outcome) -> bool {
    let is_looked_at = matches!(outcome.effect, Effect::Created | Effect::Unchanged);
    is_looked_at && outcome.staging == Staging::None && outcome.verified
}

#[cfg(all(test, unix, feature = "adversary"))]
mod tests;
