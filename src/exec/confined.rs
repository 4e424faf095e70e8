//! Hands edits to the thread that the kernel confines to the root, and takes their outcomes back.
//!
//! The thread does all of an edit but two things that its domain forbids. The private state directory is made, and
//! removed again, by the thread of the caller: an edit that turns out to need it comes back before anything was
//! changed, and is handed over once more. And recorders, which may write a log, are called by the caller's thread.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::leftover::{Leftover, remove_named};
use super::lock;
use super::run::Run;
use crate::confine::Thread;
use crate::entry::Entry;
use crate::error::{Error, Kind, Result};
use crate::model::change::{Change, RemoveStale};
use crate::model::{Edit, ObjectId, Outcome};
use crate::root::Root;
use crate::state::{OpenState, StateWanted, TRIES};
use crate::sys::{Handle, Rights};

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
pub(super) fn apply_in(entry: &Entry, edit: &Edit) -> Result<Outcome> {
    let in_entry = |entry: &Entry, edit: &Edit| Run::new(&entry.root, edit, false).carry_out_in(entry);
    if entry.root.threads().is_none() {
        return in_entry(entry, edit);
    }
    let (owned, opened) = (edit.clone(), entry.used_by(entry.root.clone()));
    let work = move |root: &Root, _| in_entry(&opened.used_by(root.clone()), &owned);
    let root = &entry.root;
    hand_over(root, Rights::of(edit), work, shortfall_of(edit))
        .map_err(|error| error.on(edit.change.verb(), &edit.path))
}

/// Reports beside a change what could not be cleaned up after it.
fn shortfall_of(edit: &Edit) -> impl FnOnce(&mut Outcome, Error) {
    |outcome, shortfall| outcome.shortfalls.push(shortfall.on(edit.change.verb(), &edit.path))
}

/// Carries out edits in order, until one comes to something that `go_on` says no to. Returns what each came to.
pub(super) fn apply_while(root: &Root, edits: &[Edit], go_on: fn(&Result<Outcome>) -> bool) -> Vec<Result<Outcome>> {
    let mut results = Vec::with_capacity(edits.len());
    let mut hands = Hands::of(root);
    while let Some(edit) = edits.get(results.len()) {
        if root.threads().is_none() {
            results.push(Run::new(root, edit, false).carry_out());
        } else {
            let rest = &edits[results.len()..];
            results.extend(hands.batch(rest, go_on));
        }
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

/// Does the work on the confined thread. It gets the parent directories that were made when it was tried before.
/// `add` reports beside its result what could not be cleaned up after it.
pub(super) fn hand_over<T, W>(root: &Root, grant: Rights, work: W, add: impl FnOnce(&mut T, Error)) -> Result<T>
where
    T: Send + 'static,
    W: Fn(&Root, Vec<PathBuf>) -> Result<T> + Send + Sync + 'static,
{
    let mut hands = Hands::of(root);
    let result = hands.carry_out(grant, &Arc::new(work), Vec::new());
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
    Kept(Kept<'a>),
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
        let leftover = match &mut self.state {
            State::Kept(kept) => kept.remove(),
            State::Untouched | State::None => Leftover::default(),
        };
        match result {
            Ok(mut done) => {
                if let Some(shortfall) = leftover.into_shortfall() {
                    add(&mut done, shortfall);
                }
                Ok(done)
            }
            Err(error) => Err(leftover.on(error)),
        }
    }

    /// Does the work, and again each time that the state directory has to be fetched for it.
    fn carry_out<T, W>(&mut self, grant: Rights, work: &Arc<W>, mut made: Vec<PathBuf>) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Root, Vec<PathBuf>) -> Result<T> + Send + Sync + 'static,
    {
        for _ in 0..TRIES {
            let (work, before) = (Arc::clone(work), made.clone());
            match self.run(grant, move |root| work(root, before))? {
                Err(error) if StateWanted::is_cause(&error) => made = self.fetch_state(&error)?,
                result => return result,
            }
        }
        Err(Error::new(Kind::Contended).because("the state directory keeps changing").having_made(made))
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

    /// Opens the state directory, or makes it. Returns the parents that were made before it was found to be wanted.
    fn fetch_state(&mut self, wanted: &Error) -> Result<Vec<PathBuf>> {
        // What was kept before is given up first: another holder removed or replaced it.
        self.state = State::Untouched;
        let made = wanted.made().to_vec();
        if StateWanted::by(wanted) == Some(StateWanted::Beside) {
            self.state = State::None;
            return Ok(made);
        }
        match Kept::open(self.root) {
            Ok(kept) => self.state = kept.map_or(State::None, State::Kept),
            Err(error) => return Err(error.having_made(made)),
        }
        Ok(made)
    }

    /// Carries out the first few edits, as many as need the same rights; at least one.
    fn batch(&mut self, edits: &[Edit], go_on: fn(&Result<Outcome>) -> bool) -> Vec<Result<Outcome>> {
        let grant = Rights::of(&edits[0]);
        let batch: Vec<Edit> = edits.iter().take_while(|edit| Rights::of(edit) == grant).take(BATCH).cloned().collect();
        let work = move |root: &Root| {
            let mut results = Vec::with_capacity(batch.len());
            for edit in &batch {
                let result = Run::new(root, edit, false).carry_out();
                let wanted = result.as_ref().is_err_and(StateWanted::is_cause);
                let last = wanted || !go_on(&result);
                results.push(result);
                if last {
                    break;
                }
            }
            results
        };
        let mut results = match self.run(grant, work) {
            Ok(results) => results,
            Err(error) => vec![Err(error.on(edits[0].change.verb(), &edits[0].path))],
        };
        let wanted = match results.last() {
            Some(Err(error)) if StateWanted::is_cause(error) => results.pop(),
            _ => None,
        };
        if let Some(Err(wanted)) = wanted {
            results.push(self.again(&edits[results.len()], &wanted));
        }
        results
    }

    /// Carries out an edit that the state directory was missing for. It is kept for those after it as well.
    fn again(&mut self, edit: &Edit, wanted: &Error) -> Result<Outcome> {
        let mut again = || {
            let made = self.fetch_state(wanted)?;
            self.carry_out(Rights::of(edit), &Arc::new(one(edit)), made)
        };
        again().map_err(|error| error.on(edit.change.verb(), &edit.path))
    }
}

/// The work that one edit is.
fn one(edit: &Edit) -> impl Fn(&Root, Vec<PathBuf>) -> Result<Outcome> + Send + Sync + 'static {
    let edit = edit.clone();
    move |root, made| Run::new(root, &edit, false).having_made(made).carry_out()
}

/// The state directory while confined edits need it. If it was made for them it goes with them.
struct Kept<'a> {
    root: &'a Root,
    dir: Handle,
    id: ObjectId,
    made: bool,
}

impl<'a> Kept<'a> {
    fn open(root: &'a Root) -> Result<Option<Kept<'a>>> {
        let Some(OpenState { dir, id, made }) = root.open_state()? else { return Ok(None) };
        Ok(Some(Kept { root, dir, id, made }))
    }
}

impl Kept<'_> {
    /// Others may stage in it by now, so it is removed under its lock, and only while its name still leads to it.
    fn remove(&mut self) -> Leftover {
        if !std::mem::take(&mut self.made) {
            return Leftover::default();
        }
        let place = self.root.state();
        let removed = match lock::take(self.root, &self.dir) {
            Ok(()) => {
                let removed = remove_named(self.root.calls(), (&place.base, &place.name), self.id);
                lock::give_back(self.root, &self.dir);
                removed
            }
            // Whoever holds the lock works in it.
            Err(error) => error.kind() == Kind::Busy,
        };
        match removed {
            true => Leftover::default(),
            false => Leftover::left(place.below.clone().unwrap_or_else(|| PathBuf::from(&place.name))),
        }
    }
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        // Only where another holder removed or replaced it meanwhile, or after a panic.
        let _unreported = self.remove();
    }
}
