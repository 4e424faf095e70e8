//! Hands edits to the thread that the kernel confines to the root, and takes their outcomes back.
//!
//! The thread does all of an edit but two things that its domain forbids. The private state directory is made, and
//! removed again, by the thread of the caller: an edit that turns out to need it comes back, says what it has done so far,
//! and is handed over once more. And recorders, which may write a log, are called by the caller's thread.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::create;
use super::halt::state_contended;
use super::halt::{Halt, Lack, OrHalt, TakeBack, Wanted};
use super::private::{Holder, PrivateDir};
use super::residue::Residue;
use super::run::Run;
use super::series;
use crate::confine::Thread;
use crate::entry::Opened;
use crate::error::{Error, Result};
use crate::model::change::{Change, RemoveStale};
use crate::model::{Edit, Outcome};
use crate::root::Root;
use crate::state::{StateAccess, TRIES};
use crate::sys::Rights;

/// How many edits are handed over at once. The hand-over is then a small part of each, and a recorder is
/// informed of a change soon after it was made.
const BATCH: usize = 256;

impl Rights {
    /// The same where a private directory has to be made beside the links.
    fn within(self) -> Rights {
        match self {
            Rights::Links | Rights::Parents | Rights::Directories => Rights::Directories,
            Rights::Backups => Rights::Backups,
        }
    }

    /// What an edit needs.
    pub(super) fn of(edit: &Edit) -> Rights {
        match &edit.change {
            change if change.backup() => Rights::Backups,
            change if change.parents() => Rights::Parents,
            Change::RemoveStale(RemoveStale::Dir) => Rights::Directories,
            _ => Rights::Links,
        }
    }
}

/// Carries out one edit in a directory that was opened before; on the confined thread where the root is confined.
pub(super) fn apply_in(entry: &Opened<'_>, edit: &Edit) -> Result<Outcome> {
    let root = &entry.root;
    if root.threads().is_none() {
        return Run::new(root, edit, false).carry_out_in(entry).map_err(Halt::into_error);
    }
    let (owned, opened) = (edit.clone(), entry.owned());
    let work = move |root: &Root, before: Before| {
        let run = Run::new(root, &owned, false);
        match before.unfinished {
            Some(unfinished) => run.finish(unfinished),
            None => run.carry_out_in(&opened.used_by(root.clone())),
        }
    };
    hand_over(root, Rights::of(edit), work, shortfall_of(edit))
        .map_err(|error| error.on(edit.change.verb(), &edit.path))
}

/// Reports beside a change what could not be cleaned up after it.
fn shortfall_of(edit: &Edit) -> impl FnOnce(&mut Outcome, Error) {
    |outcome, shortfall| outcome.shortfalls.push(shortfall.on(edit.change.verb(), &edit.path))
}

/// Carries out one edit; on the confined thread where the root is confined.
pub(super) fn apply(root: &Root, edit: &Edit) -> Result<Outcome> {
    if root.threads().is_none() {
        return Run::new(root, edit, false).carry_out().map_err(Halt::into_error);
    }
    let mut results = apply_while(root, std::slice::from_ref(edit), |_| true);
    results.pop().expect("BUG: each edit has a result")
}

/// Carries out edits in order, until one comes to something that `go_on` says no to. Returns what each came to.
pub(super) fn apply_while(root: &Root, edits: &[Edit], go_on: fn(&Result<Outcome>) -> bool) -> Vec<Result<Outcome>> {
    let mut results = Vec::with_capacity(edits.len());
    let mut hands = Hands::of(root);
    if root.threads().is_none() {
        let (mut came, returned) = series::carry_out(root, edits, go_on);
        returned.into_iter().for_each(|(at, wanted)| came[at] = Err(Halt::Wanted(wanted).into_error()));
        return came;
    }
    while results.len() < edits.len() {
        let rest = &edits[results.len()..];
        results.extend(hands.batch(rest, go_on));
        if results.last().is_some_and(|last| !go_on(last)) {
            break;
        }
    }
    let edit = results.len().checked_sub(1).and_then(|last| edits.get(last));
    if let (Some(last), Some(edit)) = (results.pop(), edit) {
        results.push(hands.close(last, shortfall_of(edit)));
    }
    results
}

/// What was done when the work was tried before.
#[derive(Default)]
pub(super) struct Before {
    /// The parent directories that were made.
    made: Vec<PathBuf>,
    /// The link that was made and is to be taken back.
    unfinished: Option<TakeBack>,
}

/// Does the work on the confined thread, and again each time that something has to be fetched for it. `add` reports
/// beside its result what could not be cleaned up after it.
pub(super) fn hand_over<T, W>(root: &Root, grant: Rights, work: W, add: impl FnOnce(&mut T, Error)) -> Result<T>
where
    T: Send + 'static,
    W: Fn(&Root, Before) -> OrHalt<T> + Send + Sync + 'static,
{
    let mut hands = Hands::of(root);
    let result = hands.carry_out(grant, &Arc::new(work), Before::default());
    hands.close(result, add)
}

/// The caller's side of the hand-over.
struct Hands<'a> {
    root: &'a Root,
    state: State<'a>,
}

enum State<'a> {
    /// Nothing has needed it that was not there.
    Untouched,
    Kept(PrivateDir<'a>),
    /// It cannot be made, or is of no use.
    None,
}

impl<'a> Hands<'a> {
    fn of(root: &'a Root) -> Hands<'a> {
        Hands { root, state: State::Untouched }
    }

    fn run<T: Send + 'static>(&self, grant: Rights, work: impl FnOnce(&Root) -> T + Send + 'static) -> Result<T> {
        let run = || {
            let thread = self.thread(if matches!(self.state, State::None) { grant.within() } else { grant })?;
            let root = self.root.on_thread(&thread, !matches!(self.state, State::None));
            thread.run(move || work(&root))
        };
        run().map_err(|source: io::Error| {
            Error::from_io(source).because("the thread that the kernel confines cannot be used")
        })
    }

    /// Removes the state directory if it was made for these edits. What cannot be removed is reported.
    fn close<T>(mut self, result: Result<T>, add: impl FnOnce(&mut T, Error)) -> Result<T> {
        let residue = match &mut self.state {
            State::Kept(kept) => kept.remove(false, Holder::Awaited),
            State::Untouched | State::None => Residue::default(),
        };
        match result {
            Ok(mut done) => {
                if let Some(shortfall) = residue.into_shortfall() {
                    add(&mut done, shortfall);
                }
                Ok(done)
            }
            Err(error) => Err(residue.on(error)),
        }
    }

    /// Does the work, and again each time that the state directory has to be fetched for it.
    fn carry_out<T, W>(&mut self, grant: Rights, work: &Arc<W>, mut before: Before) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Root, Before) -> OrHalt<T> + Send + Sync + 'static,
    {
        for _ in 0..TRIES {
            let work = Arc::clone(work);
            match self.run(grant, move |root| work(root, before))? {
                Ok(done) => return Ok(done),
                Err(Halt::Failed(error)) => return Err(error),
                Err(Halt::Wanted(wanted)) => before = self.fetch(*wanted)?,
            }
        }
        let error = before.unfinished.map_or_else(state_contended, create::left);
        Err(error.having_made(before.made))
    }

    /// The thread with these rights, which the state directory is within the domain of once it was fetched.
    fn thread(&self, grant: Rights) -> io::Result<Arc<Thread>> {
        let root = self.root;
        let elsewhere = match &self.state {
            State::Kept(kept) if root.state().below.is_none() => Some(kept.id),
            _ => None,
        };
        let threads = root.threads().expect("BUG: edits of an unconfined root are handed over");
        threads.get(grant, elsewhere, || root.domain(grant, root.state_elsewhere()))
    }

    /// Opens the state directory, or makes it. Returns what was done before it was found to be wanted.
    fn fetch(&mut self, Wanted { lack, made, unfinished }: Wanted) -> Result<Before> {
        // What was kept before is given up first: another holder removed or replaced it.
        self.state = State::Untouched;
        if lack == Lack::Beside {
            self.state = State::None;
            return Ok(Before { made, unfinished });
        }
        match self.root.open_state() {
            Ok(StateAccess::Open(state)) => self.state = State::Kept(PrivateDir::state(self.root, state)),
            Ok(StateAccess::Unavailable | StateAccess::Wanted) => self.state = State::None,
            Err(error) => return Err(unfinished.map_or(error, create::left).having_made(made)),
        }
        Ok(Before { made, unfinished })
    }

    /// Carries out the first few edits, as many as need the same rights; at least one.
    fn batch(&mut self, edits: &[Edit], go_on: fn(&Result<Outcome>) -> bool) -> Vec<Result<Outcome>> {
        let grant = Rights::of(&edits[0]);
        let batch: Vec<Edit> = edits.iter().take_while(|edit| Rights::of(edit) == grant).take(BATCH).cloned().collect();
        let work = move |root: &Root| series::carry_out(root, &batch, go_on);
        let (mut results, returned) = match self.run(grant, work) {
            Ok(done) => done,
            Err(error) => (vec![Err(error.on(edits[0].change.verb(), &edits[0].path))], Vec::new()),
        };
        for (at, wanted) in returned {
            results[at] = self.again(&edits[at], *wanted);
        }
        results
    }

    /// Carries out an edit that the state directory was missing for. It is kept for those after it as well.
    fn again(&mut self, edit: &Edit, wanted: Wanted) -> Result<Outcome> {
        let again = || {
            let before = self.fetch(wanted)?;
            self.carry_out(Rights::of(edit), &Arc::new(one(edit)), before)
        };
        again().map_err(|error| error.on(edit.change.verb(), &edit.path))
    }
}

/// The work that one edit is.
fn one(edit: &Edit) -> impl Fn(&Root, Before) -> OrHalt<Outcome> + Send + Sync + 'static {
    let edit = edit.clone();
    move |root, before| {
        let run = Run::new(root, &edit, false).having_made(before.made);
        match before.unfinished {
            Some(unfinished) => run.finish(unfinished),
            None => run.carry_out(),
        }
    }
}
