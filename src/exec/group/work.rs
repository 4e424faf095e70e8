//! A group at work: its staging directory, locked as long as it works, and its parts, handed to the confined thread where
//! the root is confined.
//!
//! The staging directory is made, and removed again, by the thread of the caller; everything in it, and every name that a
//! part is about, is changed by the confined one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::home::{Held, Home};
use super::part::{Part, Standing};
use super::staging_dir::{Back, Published, StagingDir};
use crate::error::{Error, Kind, Result};
use crate::model::{Durability, ObjectId};
use crate::root::Root;
use crate::sys::Rights;

/// A group at work.
pub(crate) struct Work {
    root: Root,
    home: Home,
    id: String,
    staging_dir: Arc<StagingDir>,
    parts: Arc<Vec<Part>>,
    /// The lock of the staging directory, held as long as the group works.
    held: Held,
}

/// What became of the parts of a group that was settled.
pub(crate) struct Settled {
    /// Whether it stands.
    pub(crate) stands: bool,
    /// What became of each part.
    pub(crate) parts: Vec<Result<Back>>,
}

impl Work {
    /// Makes the staging directory of a group in that of the records' root, and stages all that it needs. After an error
    /// nothing is left; it comes with the number of the step that it is about.
    pub(crate) fn begin(
        root: &Root,
        of_records: &Root,
        id: &str,
        parts: Vec<Part>,
        durability: Durability,
    ) -> std::result::Result<Work, (Option<usize>, Error)> {
        let make = || {
            let home = Home::of(of_records)?;
            let held = home.make(of_records, id)?;
            Ok(Work::of(root.in_batch(durability), home, held, id, Vec::new()))
        };
        let work = make().map_err(|error| (None, error))?;
        match work.stage(parts) {
            Ok(parts) => Ok(Work { parts: Arc::new(parts), ..work }),
            Err((step, error)) => match work.close() {
                Ok(()) => Err((step, error)),
                Err(left) => Err((step, error.leaving(left.left().to_vec(), Vec::new()))),
            },
        }
    }

    fn of(root: Root, home: Home, held: Held, id: &str, parts: Vec<Part>) -> Work {
        let staging_dir = Arc::new(StagingDir { dir: Arc::clone(&held.dir), path: home.path(id, held.falls) });
        Work { root, home, id: id.to_owned(), staging_dir, parts: Arc::new(parts), held }
    }

    /// Opens it to look only. The outer `None` where it is gone, the inner one while somebody else works on it.
    pub(crate) fn open_to_look(root: &Root, id: &str, parts: Vec<Part>) -> Result<Option<Option<Work>>> {
        let home = Home::of(root)?;
        let held = home.hold(root, id)?;
        Ok(held.map(|held| held.map(|held| Work::of(root.settling(), home, held, id, parts))))
    }

    /// Opens the staging directory of a group that was interrupted; `None` while somebody else works on it.
    pub(crate) fn open(root: &Root, id: &str, parts: Vec<Part>) -> Result<Option<Work>> {
        let home = Home::of(root)?;
        let held = match home.hold(root, id)? {
            Some(Some(held)) => held,
            Some(None) => return Ok(None),
            // Where it is gone nothing is staged, and nothing displaced.
            None => home.make(root, id)?,
        };
        let root = root.settling().in_batch(Durability::Dir);
        Ok(Some(Work::of(root, home, held, id, parts)))
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The root as a batch, whose directories are synced at its end.
    pub(crate) fn batch(&self) -> &Root {
        &self.root
    }

    fn stage(&self, mut parts: Vec<Part>) -> std::result::Result<Vec<Part>, (Option<usize>, Error)> {
        let staging_dir = Arc::clone(&self.staging_dir);
        let rights = rights(&parts);
        self.on_thread(rights, move |root| {
            for part in &mut parts {
                if let Err(error) = staging_dir.stage(root, part) {
                    return Err((Some(part.step), error));
                }
            }
            Ok(parts)
        })
        .unwrap_or_else(|error| Err((None, error)))
    }

    /// Publishes the parts in order, up to the first that fails.
    pub(crate) fn publish(&self) -> Vec<Result<Published>> {
        let (staging_dir, parts) = (Arc::clone(&self.staging_dir), Arc::clone(&self.parts));
        let published = self.on_thread(rights(&self.parts), move |root| staging_dir.publish(root, &parts));
        published.unwrap_or_else(|error| vec![Err(error)])
    }

    /// Takes back what is published, the last part first. Returns what became of each.
    ///
    /// That it is taken back is noted first: what is taken back need not leave a trace.
    pub(crate) fn take_back(&mut self) -> Vec<Result<Back>> {
        if !self.held.falls {
            if let Err(error) = self.home.let_fall(&self.root, &self.id) {
                return vec![Err(error); self.parts.len()];
            }
            self.held.falls = true;
            let (dir, path) = (Arc::clone(&self.held.dir), self.home.path(&self.id, true));
            self.staging_dir = Arc::new(StagingDir { dir, path });
        }
        let (staging_dir, parts) = (Arc::clone(&self.staging_dir), Arc::clone(&self.parts));
        let taken = self.on_thread(rights(&self.parts), move |root| {
            let mut results: Vec<Result<Back>> = Vec::with_capacity(parts.len());
            // A name is freed by one part at most, before another takes it.
            let mut first: HashMap<&Path, usize> = HashMap::new();
            for (number, part) in parts.iter().enumerate() {
                first.entry(&part.at).or_insert(number);
            }
            for (number, part) in parts.iter().enumerate().rev() {
                let back = staging_dir.take_back(root, part);
                // What the name has is that of another part of the group.
                let is_of_another = first[&*part.at] < number && parts[first[&*part.at]].step != part.step;
                results.push(match back {
                    Ok(Back::Theirs(_)) if is_of_another => Ok(Back::Old),
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
    pub(crate) fn settle(&mut self) -> Settled {
        if self.held.falls {
            return Settled { stands: false, parts: self.take_back() };
        }
        match is_published(&self.parts, &self.each(StagingDir::standing)) {
            Ok(true) => Settled { stands: true, parts: finished(&self.parts, self.each(StagingDir::complete)) },
            Ok(false) => Settled { stands: false, parts: self.take_back() },
            Err(error) => Settled { stands: false, parts: vec![Err(error); self.parts.len()] },
        }
    }

    /// What settling would come to, by what is there now.
    pub(crate) fn foresee(&self) -> Settled {
        let standings = self.each(StagingDir::seen);
        match is_published(&self.parts, &standings).map(|published| published && !self.held.falls) {
            Ok(true) => Settled { stands: true, parts: finished(&self.parts, standings) },
            Ok(false) => Settled { stands: false, parts: foreseen(&self.parts, standings) },
            Err(error) => Settled { stands: false, parts: vec![Err(error); self.parts.len()] },
        }
    }

    /// How each part stands, after something was done with it.
    fn each(&self, act: fn(&StagingDir, &Root, &Part) -> Result<Standing>) -> Vec<Result<Standing>> {
        let (staging_dir, parts) = (Arc::clone(&self.staging_dir), Arc::clone(&self.parts));
        let seen = self.on_thread(rights(&self.parts), move |root| {
            parts.iter().map(|part| act(&staging_dir, root, part)).collect()
        });
        let count = self.parts.len();
        seen.unwrap_or_else(|error| vec![Err(error); count])
    }

    /// Removes the staging directory with what is in it: what was displaced, or never published.
    pub(crate) fn close(self) -> Result<()> {
        let staging_dir = Arc::clone(&self.staging_dir);
        // Of a group that nothing is known of any more directories can be staged as well.
        let rights = if self.parts.is_empty() { Rights::Directories } else { rights(&self.parts) };
        let left = self.on_thread(rights, move |root| staging_dir.clear(root))??;
        match self.home.remove(&self.root, &self.id, self.held.falls) {
            Err(_) => {
                let left: Vec<PathBuf> = if left.is_empty() { vec![self.staging_dir.path.clone()] } else { left };
                let reason = "what a group displaced could not be removed";
                Err(Error::new(Kind::Residue).because(reason).leaving(left, Vec::new()))
            }
            Ok(()) => Ok(()),
        }
    }

    fn on_thread<T: Send + 'static>(
        &self,
        rights: Rights,
        work: impl FnOnce(&Root) -> T + Send + 'static,
    ) -> Result<T> {
        on_thread(&self.root, rights, self.home.state, work)
    }
}

/// Whether each part had been published. What cannot be looked at cannot be decided either.
fn is_published(parts: &[Part], standings: &[Result<Standing>]) -> Result<bool> {
    let last = last_of_each_name(parts);
    let mut votes = Vec::with_capacity(parts.len());
    for (number, (part, standing)) in parts.iter().zip(standings).enumerate() {
        let standing = standing.as_ref().map_err(Clone::clone)?;
        if last[&*part.at] == number {
            votes.extend(standing.was_published());
        }
    }
    Ok(!votes.is_empty() && votes.iter().all(|published| *published))
}

/// What would become of the parts of a group that is taken back, the last part first: what a name has can be that of
/// another part, which stands on it or gives way to it.
fn foreseen(parts: &[Part], standings: Vec<Result<Standing>>) -> Vec<Result<Back>> {
    let mut by_name: HashMap<&Path, Vec<usize>> = HashMap::new();
    parts.iter().enumerate().for_each(|(number, part)| by_name.entry(&part.at).or_default().push(number));
    let is_published = |number: &usize| matches!(standings[*number], Ok(Standing::New | Standing::Foreign));
    let of_others = |number: usize| {
        let same = &by_name[&*parts[number].at];
        if same.iter().any(|other| *other > number && is_published(other)) {
            return Back::Taken;
        }
        if same[0] < number { Back::Old } else { Back::Theirs(None) }
    };
    let back = |(number, standing): (usize, &Result<Standing>)| {
        Ok(match standing.as_ref().map_err(Clone::clone)? {
            Standing::New | Standing::Foreign => Back::Taken,
            Standing::Old | Standing::Gone => Back::Old,
            Standing::Theirs { .. } => of_others(number),
        })
    };
    standings.iter().enumerate().map(back).collect()
}

/// What became of the parts of a group that stands.
fn finished(parts: &[Part], standings: Vec<Result<Standing>>) -> Vec<Result<Back>> {
    let last = last_of_each_name(parts);
    let back = |(number, (part, standing)): (usize, (&Part, Result<Standing>))| {
        Ok(match standing? {
            Standing::Theirs { .. } if last[&*part.at] == number => Back::Theirs(None),
            Standing::Gone if part.after.is_some() => Back::Theirs(None),
            _ => Back::Old,
        })
    };
    parts.iter().zip(standings).enumerate().map(back).collect()
}

/// The last part that is about each name: what the name has is that one's.
fn last_of_each_name(parts: &[Part]) -> HashMap<&Path, usize> {
    parts.iter().enumerate().map(|(number, part)| (&*part.at, number)).collect()
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
