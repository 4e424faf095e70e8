//! A group at work: its staging directory, locked as long as it works, and its parts, handed to the confined thread where
//! the root is confined.
//!
//! The staging directory is made, and removed again, by the thread of the caller; everything in it, and every name that a
//! part is about, is changed by the confined one.

use std::ffi::{OsStr, OsString};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bench::{Back, Bench, Published};
use super::part::{Part, Standing};
use crate::error::{Error, Kind, Result};
use crate::model::{Durability, ObjectId};
use crate::root::Root;
use crate::state::{OpenState, StateAccess};
use crate::sys::{self, Access, Fault, Handle, Rights};

/// What the name of a staging directory begins with; the id of the group follows.
const PREFIX: &str = "group-";

/// A group at work.
pub(crate) struct Work {
    root: Root,
    /// The state directory.
    state: OpenState,
    name: OsString,
    /// Held, and so its lock, as long as the group works.
    _lock: Locked,
    bench: Arc<Bench>,
    parts: Arc<Vec<Part>>,
}

/// What became of the parts of a group that was settled.
pub(crate) struct Settled {
    /// Whether it stands.
    pub(crate) stands: bool,
    /// What became of each part.
    pub(crate) parts: Vec<Result<Back>>,
}

impl Work {
    /// Makes the staging directory of a group and stages all that it needs. After an error nothing is left; it comes with
    /// the number of the step that it is about.
    pub(crate) fn begin(
        root: &Root,
        id: &str,
        parts: Vec<Part>,
        durability: Durability,
    ) -> std::result::Result<Work, (Option<usize>, Error)> {
        let work = Work::make(root, id, durability).map_err(|error| (None, error))?;
        match work.stage(parts) {
            Ok(parts) => Ok(Work { parts: Arc::new(parts), ..work }),
            Err((step, error)) => match work.close() {
                Ok(()) => Err((step, error)),
                Err(left) => Err((step, error.leaving(left.left().to_vec(), Vec::new()))),
            },
        }
    }

    fn make(root: &Root, id: &str, durability: Durability) -> Result<Work> {
        let calls = root.calls();
        let state = open_state(root)?;
        let name = name_of(id);
        calls.make_dir(&state.dir, &name, 0o700).map_err(Error::from_io)?;
        let opened = || {
            let lock = calls.open_dir(&state.dir, Path::new(&name), false, Access::Read)?;
            let dir = calls.open_dir(&state.dir, Path::new(&name), false, Access::Search)?;
            calls.try_lock(&lock)?;
            Ok((lock, dir))
        };
        let (lock, dir) = opened().map_err(|source| {
            let _gone = calls.remove_dir(&state.dir, &name);
            Error::from_io(source)
        })?;
        let bench = Arc::new(Bench { dir, path: shown(root, &name) });
        let (root, parts) = (root.in_batch(durability), Arc::new(Vec::new()));
        let lock = Locked { root: root.clone(), dir: lock };
        Ok(Work { root, state, name, _lock: lock, bench, parts })
    }

    /// Opens the staging directory of a group that was interrupted; `None` while somebody else works on it.
    pub(crate) fn open(root: &Root, id: &str, parts: Vec<Part>) -> Result<Option<Work>> {
        let calls = root.calls();
        let state = open_state(root)?;
        let name = name_of(id);
        let open = |access| match calls.open_dir(&state.dir, Path::new(&name), false, access) {
            Err(source) if sys::fault(&source) == Fault::Missing => {
                // Where it is gone nothing is staged, and nothing displaced.
                calls.make_dir(&state.dir, &name, 0o700)?;
                calls.open_dir(&state.dir, Path::new(&name), false, access)
            }
            opened => opened,
        };
        let lock = open(Access::Read).map_err(Error::from_io)?;
        if !calls.try_lock(&lock).map_err(Error::from_io)? {
            return Ok(None);
        }
        let dir = open(Access::Search).map_err(Error::from_io)?;
        let bench = Arc::new(Bench { dir, path: shown(root, &name) });
        let root = root.settling().in_batch(Durability::Dir);
        let lock = Locked { root: root.clone(), dir: lock };
        Ok(Some(Work { root, state, name, _lock: lock, bench, parts: Arc::new(parts) }))
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The root as a batch, whose directories are synced at its end.
    pub(crate) fn batch(&self) -> &Root {
        &self.root
    }

    fn stage(&self, mut parts: Vec<Part>) -> std::result::Result<Vec<Part>, (Option<usize>, Error)> {
        let bench = Arc::clone(&self.bench);
        let rights = rights(&parts);
        self.on_thread(rights, move |root| {
            for part in &mut parts {
                if let Err(error) = bench.stage(root, part) {
                    return Err((Some(part.step), error));
                }
            }
            Ok(parts)
        })
        .unwrap_or_else(|error| Err((None, error)))
    }

    /// Publishes the parts in order, up to the first that fails.
    pub(crate) fn publish(&self) -> Vec<Result<Published>> {
        let (bench, parts) = (Arc::clone(&self.bench), Arc::clone(&self.parts));
        let published = self.on_thread(rights(&self.parts), move |root| {
            let mut results = Vec::with_capacity(parts.len());
            for part in parts.iter() {
                results.push(bench.publish(root, part));
                if results.last().is_some_and(Result::is_err) {
                    break;
                }
            }
            results
        });
        published.unwrap_or_else(|error| vec![Err(error)])
    }

    /// Takes back what is published, the last part first. Returns what became of each.
    pub(crate) fn take_back(&self) -> Vec<Result<Back>> {
        let (bench, parts) = (Arc::clone(&self.bench), Arc::clone(&self.parts));
        let taken = self.on_thread(rights(&self.parts), move |root| {
            let mut results: Vec<Result<Back>> = Vec::with_capacity(parts.len());
            for (number, part) in parts.iter().enumerate().rev() {
                let back = bench.take_back(root, part);
                // What the name has is that of another part of the group.
                let others = |other: &&Part| other.at == part.at && other.step != part.step;
                results.push(match back {
                    Ok(Back::Theirs(_)) if parts[..number].iter().any(|other| others(&other)) => Ok(Back::Old),
                    back => back,
                });
            }
            results.reverse();
            results
        });
        let count = self.parts.len();
        taken.unwrap_or_else(|error| vec![Err(error); count])
    }

    /// Finishes the group if each part had been published, else takes it back.
    pub(crate) fn settle(&self) -> Settled {
        let standings = self.standings();
        let superseded = |number: usize| {
            let at = &self.parts[number].at;
            self.parts[number + 1..].iter().any(|later| later.at == *at)
        };
        let all = standings.iter().enumerate().all(|(number, standing)| match standing {
            Ok(standing) => standing.was_published() || superseded(number),
            Err(_) => false,
        });
        if !all {
            // What cannot be looked at cannot be decided either.
            if let Some(Err(error)) = standings.iter().find(|standing| standing.is_err()) {
                let parts = self.parts.iter().map(|_| Err(error.clone())).collect();
                return Settled { stands: false, parts };
            }
            return Settled { stands: false, parts: self.take_back() };
        }
        let parts = standings.into_iter().enumerate().map(|(number, standing)| match standing {
            Ok(Standing::Theirs { .. }) if !superseded(number) => Ok(Back::Theirs(crate::error::Found::Missing)),
            Ok(_) => Ok(Back::Old),
            Err(error) => Err(error),
        });
        Settled { stands: true, parts: parts.collect() }
    }

    fn standings(&self) -> Vec<Result<Standing>> {
        let (bench, parts) = (Arc::clone(&self.bench), Arc::clone(&self.parts));
        let seen = self
            .on_thread(rights(&self.parts), move |root| parts.iter().map(|part| bench.standing(root, part)).collect());
        let count = self.parts.len();
        seen.unwrap_or_else(|error| vec![Err(error); count])
    }

    /// Removes the staging directory with what is in it: what was displaced, or never published.
    pub(crate) fn close(self) -> Result<()> {
        let bench = Arc::clone(&self.bench);
        let left = self.on_thread(Rights::Directories, move |root| bench.clear(root))??;
        let removed = self.root.calls().remove_dir(&self.state.dir, &self.name);
        match removed {
            Err(source) if sys::fault(&source) != Fault::Missing => {
                let left = if left.is_empty() { vec![self.bench.path.clone()] } else { left };
                Err(Error::new(Kind::Residue)
                    .because("what a group displaced could not be removed")
                    .leaving(left, vec![]))
            }
            _ => Ok(()),
        }
    }

    fn on_thread<T: Send + 'static>(
        &self,
        rights: Rights,
        work: impl FnOnce(&Root) -> T + Send + 'static,
    ) -> Result<T> {
        on_thread(&self.root, rights, self.state.id, work)
    }
}

/// The lock of a staging directory, held until this is dropped.
struct Locked {
    root: Root,
    dir: Handle,
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.root.calls().unlock(&self.dir);
    }
}

/// Does the work on a confined thread, where the root is confined.
fn on_thread<T: Send + 'static>(
    root: &Root,
    rights: Rights,
    state: ObjectId,
    work: impl FnOnce(&Root) -> T + Send + 'static,
) -> Result<T> {
    let Some(threads) = root.threads() else { return Ok(work(root)) };
    let elsewhere = root.state().below.is_none().then_some(state);
    let run = || {
        let thread = threads.get(rights, elsewhere, || root.domain(rights, root.state_elsewhere()))?;
        let root = root.on_thread(&thread, true);
        thread.run(move || work(&root))
    };
    run().map_err(|source| Error::from_io(source).because("the thread that the kernel confines cannot be used"))
}

/// What the parts need.
fn rights(parts: &[Part]) -> Rights {
    match (parts.iter().any(Part::moves_objects), parts.iter().any(|part| part.makes_dir() || part.removes_dir())) {
        (true, _) => Rights::Backups,
        (false, true) => Rights::Directories,
        (false, false) => Rights::Links,
    }
}

fn name_of(id: &str) -> OsString {
    format!("{PREFIX}{id}").into()
}

fn shown(root: &Root, name: &OsStr) -> PathBuf {
    match &root.state().below {
        Some(below) => below.join(name),
        None => Path::new(&root.state().name).join(name),
    }
}

fn open_state(root: &Root) -> Result<OpenState> {
    match root.open_state()? {
        StateAccess::Open(state) => Ok(state),
        StateAccess::Unavailable | StateAccess::Wanted => {
            Err(Error::from_io(std::io::ErrorKind::PermissionDenied.into())
                .because("the state directory cannot be opened"))
        }
    }
}

/// The ids of the groups that have a staging directory.
pub(crate) fn leftover(root: &Root) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    let state = match root.state().open_there(root.calls())? {
        Some(state) => state,
        None => return Ok(ids),
    };
    let mut look = |listed: sys::Listed<'_>| {
        if let Some(id) = listed.name.to_str().and_then(|name| name.strip_prefix(PREFIX)) {
            ids.push(id.to_owned());
        }
        ControlFlow::Continue(())
    };
    root.calls().list(&state.dir, &mut look).map_err(Error::from_io)?;
    Ok(ids)
}
