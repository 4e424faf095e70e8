//! Judging a group: each step on the tree as those before it leave it, and what it comes to at which names.
//!
//! Nothing is decided for good: what is published is compared, under the lock, with what is there then.

use std::collections::HashSet;
use std::collections::hash_map::{Entry, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::home::near_home;
use super::part::{Part, There, Thing};
use super::senseless::{senseless, usage};
use crate::entry::Opened;
use crate::error::{Error, FileKind, Found, Kind, Result};
use crate::exec::permission::{may_add, may_take_away};
use crate::exec::{Previews, parents, previewed};
use crate::model::{Effect, Group, GroupStep, Guarantee, LinkPath, Outcome, Staging, relative_text};
use crate::root::{Root, not_state};
use crate::sys::Access;

/// A group that was judged.
pub(crate) struct Judged {
    /// What each step would come to; after the first that fails, none was judged.
    pub(crate) results: Vec<Result<Outcome>>,
    /// What is to be done, where none fails.
    pub(crate) parts: Vec<Part>,
}

impl Judged {
    pub(crate) fn has_failed(&self) -> bool {
        self.results.iter().any(Result::is_err)
    }
}

/// Judges the steps in order, up to the first that fails.
pub(crate) fn judge(root: &Root, group: &Group) -> Judged {
    if let Some((number, error)) = senseless(&group.steps) {
        let skipped = |step: &GroupStep| Ok(Outcome::of(step.path().clone(), Effect::Skipped));
        let mut results: Vec<Result<Outcome>> = group.steps[..number].iter().map(skipped).collect();
        results.push(Err(error.on(group.steps[number].verb(), group.steps[number].path())));
        return Judged { results, parts: Vec::new() };
    }
    previewed(root, |previews| {
        let mut judging = Judging::new(root, group, previews);
        let mut results = Vec::with_capacity(group.steps.len());
        while results.len() < group.steps.len() && results.last().is_none_or(Result::is_ok) {
            results.push(judging.judged(results.len()));
        }
        Judged { results, parts: judging.parts }
    })
}

/// Judges parts of a group of which each stands or falls for itself, so many steps each, on the tree as those before it that
/// stand leave it.
pub(crate) fn judge_each(root: &Root, group: &Group, counts: &[usize]) -> Vec<Result<Outcome>> {
    previewed(root, |previews| {
        let mut judging = Judging::new(root, group, previews);
        let mut results = Vec::with_capacity(group.steps.len());
        for count in counts {
            let mut failed = false;
            for number in results.len()..results.len() + count {
                results.push(match failed {
                    true => Ok(Outcome::of(group.steps[number].path().clone(), Effect::Skipped)),
                    false => judging.judged(number),
                });
                failed |= results[number].is_err();
            }
        }
        results
    })
}

/// A link that is to be taken back and is not as it was left, in whatever way, is a mismatch.
fn as_undone(error: Error, undoes: bool) -> Error {
    match error.kind() {
        Kind::NotFound | Kind::NotALink | Kind::Exists if undoes => error.with_kind(Kind::Mismatch),
        _ => error,
    }
}

struct Judging<'a, 'p> {
    root: &'a Root,
    group: &'a Group,
    previews: &'a mut Previews<'p>,
    parts: Vec<Part>,
    /// The parts that have a name, by it.
    names: HashMap<Arc<Path>, usize>,
    /// The links that edits are about, where two spellings can lead to one.
    edited: HashSet<PathBuf>,
    /// The directories in which something is put, and the last of them.
    filled: HashSet<PathBuf>,
    filled_last: Option<OsString>,
}

impl<'a, 'p> Judging<'a, 'p> {
    fn new(root: &'a Root, group: &'a Group, previews: &'a mut Previews<'p>) -> Judging<'a, 'p> {
        let (parts, names) = (Vec::with_capacity(group.steps.len()), HashMap::with_capacity(group.steps.len()));
        let (edited, filled, filled_last) = (HashSet::new(), HashSet::new(), None);
        Judging { root, group, previews, parts, names, edited, filled, filled_last }
    }

    fn judged(&mut self, number: usize) -> Result<Outcome> {
        let step = &self.group.steps[number];
        let judged = match step {
            GroupStep::Edit(_) => self.edit(number),
            GroupStep::MakeDir(path) => self.make_dir(number, path),
            GroupStep::RemoveDir(path) => self.remove_dir(number, path),
            GroupStep::Restore { from, to } => self.restore(number, from, to),
            GroupStep::Adopt { link, to } => self.adopt(number, link, to),
        };
        judged.map_err(|error| {
            let error = error.on(step.verb(), step.path()).denied_at(step.path().as_path());
            as_undone(self.root.or_gone(error), self.group.undoes)
        })
    }

    fn edit(&mut self, number: usize) -> Result<Outcome> {
        let steps = self.group.steps[number..].iter();
        let edits = steps.map_while(|step| if let GroupStep::Edit(edit) = step { Some(edit) } else { None });
        let outcome = self.previews.first_of(edits).expect("BUG: the step is an edit")?;
        let at: Arc<Path> = outcome.physical.as_deref().map_or_else(|| outcome.link.shared(), Arc::from);
        if self.root.policy().follow && !self.edited.insert(at.to_path_buf()) {
            return Err(usage("another edit of the group is about the same link"));
        }
        if !outcome.effect.is_change() {
            return Ok(outcome);
        }
        near_home(self.root, outcome.made.first().map_or(&*at, PathBuf::as_path), self.previews.planned())?;
        for made in &outcome.made {
            self.add(number, (made, made.as_path()), There::Staged, (None, Some(new_dir())))?;
        }
        let link = |text: &Option<OsString>| text.clone().map(Thing::Link);
        let (before, there) = match &outcome.backup {
            Some(backup) => (Some(self.object(&at)?), There::Named(backup.clone())),
            None => (link(&outcome.previous), There::Staged),
        };
        self.add(number, (outcome.link.as_path(), at), there, (before, link(&outcome.target)))?;
        Ok(Outcome { staging: Staging::Private, ..outcome })
    }

    fn make_dir(&mut self, number: usize, path: &LinkPath) -> Result<Outcome> {
        if self.previews.planned().is_made(path.as_path()) {
            return Ok(self.outcome(path, None, Effect::Unchanged));
        }
        let entry = if self.previews.planned().is_made(path.parent()) { None } else { Some(self.open(path)?) };
        let at = entry.as_ref().map_or(path.as_path(), Opened::physical).to_path_buf();
        let found = match (self.previews.planned().left_at(&at), &entry) {
            (Some(None), _) | (None, None) => Found::Missing,
            (Some(Some(text)), _) => Found::Link(text.to_os_string()),
            (None, Some(entry)) => entry.look()?,
        };
        match found {
            Found::Missing => {}
            Found::Other(FileKind::Dir) => return Ok(self.outcome(path, entry.as_ref(), Effect::Unchanged)),
            found => return Err(taken(found)),
        }
        self.permitted(self.root.policy().create)?;
        if let Some(entry) = &entry {
            may_add(entry)?;
        }
        self.add(number, (path.as_path(), &*at), There::Staged, (None, Some(new_dir())))?;
        self.previews.planned_mut().insert_dir(&at);
        Ok(self.outcome(path, entry.as_ref(), Effect::Created))
    }

    fn remove_dir(&mut self, number: usize, path: &LinkPath) -> Result<Outcome> {
        let entry = match self.open(path) {
            Ok(entry) => entry,
            Err(error) if error.kind() == Kind::NotFound => return Ok(self.outcome(path, None, Effect::Unchanged)),
            Err(error) => return Err(error),
        };
        let at = entry.physical().to_path_buf();
        let there = entry.look()?;
        if there != Found::Other(FileKind::Dir)
            || self.previews.planned().left_at(&at).is_some()
            || !self.empties(&at)?
        {
            return Ok(self.outcome(path, Some(&entry), Effect::Unchanged));
        }
        self.permitted(self.root.policy().remove)?;
        may_take_away(&entry)?;
        let before = self.object(&at)?;
        self.add(number, (path.as_path(), &*at), There::Staged, (Some(before), None))?;
        self.previews.planned_mut().insert(&at, None);
        Ok(self.outcome(path, Some(&entry), Effect::Removed))
    }

    /// Whether everything in a directory is taken away by the steps so far.
    fn empties(&self, dir: &Path) -> Result<bool> {
        let calls = self.root.calls();
        let opened = calls.open_dir(self.root.handle(), dir, self.root.policy().cross_mounts, Access::Read);
        let mut empty = true;
        let mut look = |listed: crate::sys::Listed<'_>| {
            empty &= self.previews.planned().left_at(&dir.join(listed.name)) == Some(None);
            if empty { std::ops::ControlFlow::Continue(()) } else { std::ops::ControlFlow::Break(()) }
        };
        opened.and_then(|opened| calls.list(&opened, &mut look)).map_err(Error::from_io)?;
        // What is made in it by an earlier step is not on the disk.
        Ok(empty && !self.filled.contains(dir))
    }

    fn restore(&mut self, number: usize, from: &LinkPath, to: &LinkPath) -> Result<Outcome> {
        let (source, entry) = (self.open(from)?, self.open(to)?);
        match source.look()? {
            Found::Other(FileKind::File | FileKind::Dir) => {}
            Found::Missing => return Err(Error::new(Kind::NotFound).on("restore", from)),
            found => return Err(mismatch(found).on("restore", from)),
        }
        let at = entry.physical().to_path_buf();
        match (self.previews.planned().left_at(&at), entry.look()?) {
            (Some(None), _) | (None, Found::Missing) => {}
            (_, found) => return Err(taken(found)),
        }
        self.permitted(self.root.policy().replace)?;
        may_take_away(&source)?;
        may_add(&entry)?;
        self.same_mount(&source, &entry)?;
        let (there, object) = (source.physical().to_path_buf(), self.object(source.physical())?);
        match self.removes_just_now(&at) {
            // The object takes the place of the link in one step.
            Some(removal) if self.root.abilities().exchange => {
                if self.names.insert(there.as_path().into(), self.parts.len() - 1).is_some() {
                    return Err(usage("another step of the group is about a name that it needs"));
                }
                let removal = &mut self.parts[removal];
                removal.there = There::Named(there.clone());
                removal.after = Some(object);
                self.fills(&at);
            }
            _ => self.add(number, (to.as_path(), &*at), There::Named(there.clone()), (None, Some(object)))?,
        }
        self.previews.planned_mut().insert(&there, None);
        let mut outcome = self.outcome(to, Some(&entry), Effect::Created);
        outcome.guarantee = if self.root.abilities().no_replace { Guarantee::Atomic } else { Guarantee::Cooperative };
        Ok(outcome)
    }

    /// The last part, if it removes the link of this name.
    fn removes_just_now(&self, at: &Path) -> Option<usize> {
        let last = self.parts.len().checked_sub(1)?;
        let part = &self.parts[last];
        let is_removal = part.after.is_none() && matches!(part.before, Some(Thing::Link(_)));
        (is_removal && part.there == There::Staged && *part.at == *at).then_some(last)
    }

    fn adopt(&mut self, number: usize, link: &LinkPath, to: &LinkPath) -> Result<Outcome> {
        let entry = self.open(link)?;
        match entry.look()? {
            Found::Other(FileKind::File | FileKind::Dir) => {}
            Found::Missing => return Err(Error::new(Kind::NotFound)),
            found => return Err(Error::new(Kind::NotALink).found_instead(found)),
        }
        let at = entry.physical().to_path_buf();
        let target = if self.previews.planned().is_made(to.parent()) { None } else { Some(self.open(to)?) };
        let there = target.as_ref().map_or(to.as_path(), Opened::physical).to_path_buf();
        if there.starts_with(&at) {
            return Err(Error::new(Kind::Loop).because("it would come to be below itself"));
        }
        let free = match (self.previews.planned().left_at(&there), &target) {
            (Some(left), _) => left.map(|text| Found::Link(text.to_os_string())),
            (None, Some(target)) => Some(target.look()?).filter(|found| *found != Found::Missing),
            (None, None) => None,
        };
        if let Some(found) = free {
            return Err(taken(found).on("adopt", to));
        }
        let policy = self.root.policy();
        self.permitted(policy.replace && policy.create)?;
        may_take_away(&entry)?;
        if !self.root.abilities().exchange {
            return Err(crate::exec::backup::unsupported());
        }
        if let Some(target) = &target {
            may_add(target)?;
            self.same_mount(&entry, target)?;
        }
        let text = relative_text(entry.dir(), &there);
        let object = self.object(&at)?;
        let things = (Some(object), Some(Thing::Link(text.clone())));
        self.add(number, (link.as_path(), &*at), There::Named(there), things)?;
        self.previews.planned_mut().insert(&at, Some(text.clone()));
        Ok(Outcome {
            target: Some(text),
            staging: Staging::Private,
            ..self.outcome(link, Some(&entry), Effect::Adopted)
        })
    }

    fn same_mount(&self, a: &Opened<'_>, b: &Opened<'_>) -> Result<()> {
        match self.root.calls().is_same_mount(&a.parent, &b.parent).map_err(Error::from_io)? {
            true => Ok(()),
            false => Err(Error::new(Kind::CrossMount).because("it would have to be moved to another mount")),
        }
    }

    fn open(&self, path: &LinkPath) -> Result<Opened<'static>> {
        parents::are_left(self.previews.planned(), self.root.policy(), path.parent())?;
        let entry = Opened::open(self.root, path)?;
        not_state(self.root, entry.physical()).map(|()| entry.owned())
    }

    fn permitted(&self, permitted: bool) -> Result<()> {
        if permitted { Ok(()) } else { Err(Error::new(Kind::Policy)) }
    }

    /// The very file or directory that has a name.
    fn object(&self, at: &Path) -> Result<Thing> {
        let (root, path) = (self.root.settling(), LinkPath::new(at)?);
        let entry = Opened::open(&root, &path)?;
        let stat = self.root.calls().stat_at(&entry.parent, entry.name()).map_err(Error::from_io)?;
        match stat.kind {
            FileKind::File | FileKind::Dir => {
                Ok(Thing::Object { dir: stat.kind == FileKind::Dir, inode: stat.id.inode })
            }
            kind => Err(mismatch(Found::Other(kind))),
        }
    }

    fn outcome(&self, path: &LinkPath, entry: Option<&Opened<'_>>, effect: Effect) -> Outcome {
        Outcome {
            physical: entry.and_then(Opened::followed),
            confinement: self.root.confinement(),
            verified: !self.root.policy().unverified,
            dry_run: true,
            ..Outcome::of(path.clone(), effect)
        }
    }

    /// Adds a part.
    fn add(
        &mut self,
        step: usize,
        (link, at): (&Path, impl Into<Arc<Path>>),
        there: There,
        (before, after): (Option<Thing>, Option<Thing>),
    ) -> Result<()> {
        let at = at.into();
        if let There::Named(there) = &there
            && self.names.contains_key(&**there)
        {
            return Err(usage("another step of the group is about a name that it needs"));
        }
        let number = self.parts.len();
        match self.names.entry(Arc::clone(&at)) {
            Entry::Vacant(free) => drop(free.insert(number)),
            Entry::Occupied(mut earlier) => {
                is_freed(&at, &self.parts[*earlier.get()], after.as_ref())?;
                earlier.insert(number);
            }
        }
        if after.is_some() {
            self.fills(&at);
        }
        if let There::Named(there) = &there {
            self.names.insert(there.as_path().into(), number);
        }
        let link = if *link == *at { Arc::clone(&at) } else { link.into() };
        let staged = number.into();
        self.parts.push(Part { step, link, at, there, staged, before, after, directory: false });
        Ok(())
    }

    fn fills(&mut self, at: &Path) {
        let Some(dir) = at.parent() else { return };
        // Parts of one directory follow one another.
        if self.filled_last.as_deref() != Some(dir.as_os_str()) {
            self.filled.insert(dir.to_path_buf());
            self.filled_last = Some(dir.as_os_str().to_os_string());
        }
    }
}

/// Refuses a name that an earlier step is about, unless that one frees it for something that is no link.
fn is_freed(at: &Path, earlier: &Part, after: Option<&Thing>) -> Result<()> {
    let frees = *earlier.at == *at && earlier.after.is_none();
    let is_link = matches!(earlier.before, Some(Thing::Link(_))) && !matches!(after, Some(Thing::Object { .. }));
    if frees && !is_link { Ok(()) } else { Err(usage("another step of the group is about the same name")) }
}

/// A directory that is to be made; its number follows.
fn new_dir() -> Thing {
    Thing::Object { dir: true, inode: 0 }
}

fn taken(found: Found) -> Error {
    Error::new(Kind::Exists).because(format!("the name is taken by {found}")).found_instead(found)
}

fn mismatch(found: Found) -> Error {
    Error::new(Kind::Mismatch).found_instead(found)
}
