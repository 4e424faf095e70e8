//! Looks at everything that a plan is made from.
//!
//! Links are looked at in the order of a walk, so that each directory is opened once: from the root, by its path, through no
//! link unless the policy follows them. A link that has its text already is one call. Where a text leads is judged as the
//! other links of the manifest would leave the tree.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::slots::slots;
use crate::entry::{look as look_at, open_dir};
use crate::error::{Error, FileKind, Found, Kind, Result};
use crate::model::{LinkPath, ObjectId};
use crate::plan::{
    Contents, Declared, DeclaredInStep, Holdings, Leads, Seen, Sight, Unwanted, Way, needed, tree_order,
};
use crate::resolve::{Judged, Near, Overlay, Planned, Targets, judge_near};
use crate::root::{Root, not_state};
use crate::sys::{self, Access, Fault, Handle, Listed};

/// What is to be looked at.
#[derive(Clone, Copy, Debug)]
pub struct Looking<'l> {
    /// The links that are declared.
    pub links: &'l [Declared],
    /// The links that shall not be there.
    pub unwanted: &'l [Unwanted],
    /// What the records say.
    pub holdings: &'l Holdings,
    /// Where links lead is looked up also where they have their text already, as a status needs it and a plan does not.
    pub all: bool,
}

/// A directory of links, as far as the way to it leads.
struct Dir {
    path: PathBuf,
    opened: std::result::Result<Opened, Way>,
}

struct Opened {
    handle: Handle,
    id: ObjectId,
    physical: Option<Arc<Path>>,
}

impl Root {
    /// Looks at every link of a manifest, at those that it made, and at the directories that were made for them.
    ///
    /// What cannot be seen is part of the answer: the plan says what follows from it.
    ///
    /// # Errors
    ///
    /// `root_gone`; `fd_exhausted` and `io` where the system gave no answer.
    pub fn see(&self, looking: &Looking<'_>) -> Result<Seen> {
        see(self, looking).map_err(|error| self.or_gone(error))
    }
}

fn see(root: &Root, looking: &Looking<'_>) -> Result<Seen> {
    let mut declared: Vec<&Declared> = looking.links.iter().collect();
    declared.sort_by(|a, b| tree_order(a.link.as_path(), b.link.as_path()));
    let mut declared = declared.into_iter().peekable();
    let Holdings { owned, removed, .. } = looking.holdings;
    // Nearly all that is owned is declared, and comes in the same order.
    let mut known = DeclaredInStep::new(looking.links);
    let undeclared = owned.keys().filter(|link| !known.has(link));
    let leaving = looking.unwanted.iter().map(|one| &one.link).chain(undeclared);
    // Each part is in order already, which sorting makes use of.
    let links = looking.links.iter().map(|declared| &declared.link);
    let mut paths: Vec<&LinkPath> = links.chain(leaving).chain(removed.keys()).collect();
    paths.sort_by(|a, b| tree_order(a.as_path(), b.as_path()));
    paths.dedup();
    let mut sights: Vec<(LinkPath, Sight)> = Vec::with_capacity(paths.len());
    let (mut dir, mut planned, mut new, mut ids) = (None, Planned::new(), Vec::new(), Vec::new());
    for link in paths {
        let dir = directory(root, &mut dir, link.parent())?;
        let (sight, id) = sight(root, dir, link)?;
        let physical = sight.physical.as_deref().unwrap_or(link.parent());
        match std::iter::from_fn(|| declared.next_if(|declared| declared.link == *link)).last() {
            Some(declared) => {
                let has_it =
                    || sight.found.text().is_some_and(|there| declared.is_text(there, physical, root.text_root()));
                let text = (looking.all || !has_it()).then(|| declared.text(physical, root.text_root()).ok()).flatten();
                if let Some(text) = text {
                    planned.insert(&physical.join(link.name()), Some(text.clone()));
                    new.push((sights.len(), declared, text));
                }
                ids.extend(id.map(|id| (link, id)));
            }
            None if removed.contains_key(link) && !owned.contains_key(link) => {}
            // It is to go, if it is what it is taken for.
            None => planned.insert(&physical.join(link.name()), None),
        }
        sights.push((link.clone(), sight));
    }
    let targets = Targets::default();
    let led = follow(root, &mut sights, &new, &planned, Some(&targets));
    if targets.are_proven(root) {
        led?
    } else {
        follow(root, &mut sights, &new, &planned, None)?
    }
    drop((new, planned));
    let slots = slots(root, &ids)?;
    drop(ids);
    let mut seen = Seen { links: sights.into_iter().collect(), dirs: HashMap::new() };
    for (link, slot) in slots {
        seen.links.entry(link).and_modify(|sight| sight.slot = Some(Box::new(slot)));
    }
    let most = looking.holdings.owned.len() + looking.holdings.dirs.len();
    let needed = needed(looking.links);
    for dir in looking.holdings.dirs.iter().filter(|dir| !needed.contains(&***dir)) {
        seen.dirs.insert(dir.clone(), contents(root, dir, most)?);
    }
    Ok(seen)
}

/// Looks where texts would lead from their links, as the other links would leave the tree.
fn follow(
    root: &Root,
    sights: &mut [(LinkPath, Sight)],
    new: &[(usize, &Declared, OsString)],
    planned: &Planned,
    targets: Option<&Targets>,
) -> Result<()> {
    for (next, (number, declared, text)) in new.iter().enumerate() {
        let sight = &mut sights[*number].1;
        if let Some(targets) = targets {
            targets.expect(new[next..].iter().map(|(_, declared, _)| &declared.target));
        }
        let from = sight.physical.as_deref().unwrap_or(declared.link.parent());
        let near = targets.map_or(Near::Nothing, Near::Targets);
        sight.leads = leads(root, (from, near), declared.link.name(), text, planned)?;
    }
    Ok(())
}

/// The directory of the next link: the one before, if it is that.
fn directory<'d>(root: &Root, last: &'d mut Option<Dir>, path: &Path) -> Result<&'d Dir> {
    let dir = match last.take().filter(|dir| dir.path == path) {
        Some(dir) => dir,
        None => Dir { path: path.to_path_buf(), opened: open(root, path)? },
    };
    Ok(last.insert(dir))
}

fn open(root: &Root, path: &Path) -> Result<std::result::Result<Opened, Way>> {
    let error = match open_dir(root, path, Access::Search) {
        Ok((handle, physical)) => {
            let id = root.calls().stat(&handle).map_err(Error::from_io)?.id;
            return Ok(Ok(Opened { handle, id, physical: physical.map(Arc::from) }));
        }
        Err(error) => error,
    };
    if error.kind().tells_nothing() {
        return Err(error);
    }
    let depth = error.component().map_or(0, |component| component.index);
    let way = match error.kind() {
        Kind::SymlinkInPath => Way::Link { depth, text: error.via_text().unwrap_or_default().to_os_string() },
        Kind::NotFound => missing(root, path),
        kind => Way::Refused { depth, kind },
    };
    Ok(Err(way))
}

/// Which component of a path is missing, or is no directory.
fn missing(root: &Root, path: &Path) -> Way {
    let mut above = PathBuf::new();
    for (depth, name) in path.iter().enumerate() {
        above.push(name);
        match root.calls().open_dir(root.handle(), &above, root.policy().cross_mounts, Access::Search) {
            Err(source) if sys::fault(&source) == Fault::NotDirectory => return Way::NotADirectory(depth),
            Err(_) => return Way::Missing(depth),
            Ok(_) => {}
        }
    }
    // Somebody made it meanwhile; the step that makes it will meet it.
    Way::Missing(path.iter().count().saturating_sub(1))
}

fn sight(root: &Root, dir: &Dir, link: &LinkPath) -> Result<(Sight, Option<ObjectId>)> {
    let of = |way, physical, found| Sight { way, physical, found, leads: Leads::NotAsked, slot: None };
    let opened = match &dir.opened {
        Ok(opened) => opened,
        // A state directory that is still to be made is no place for links either.
        Err(Way::Missing(_)) if not_state(root, link.as_path()).is_err() => {
            let way = Way::Refused { depth: link.parent().iter().count(), kind: Kind::Policy };
            return Ok((of(way, None, Found::Missing), None));
        }
        Err(way) => return Ok((of(way.clone(), None, Found::Missing), None)),
    };
    let followed = opened.physical.as_ref().map(|dir| dir.join(link.name()));
    if not_state(root, followed.as_deref().unwrap_or(link.as_path())).is_err() {
        let way = Way::Refused { depth: link.parent().iter().count(), kind: Kind::Policy };
        return Ok((of(way, opened.physical.clone(), Found::Missing), None));
    }
    match look_at(root.calls(), (&opened.handle, link.name())) {
        Ok(found) => Ok((of(Way::Open, opened.physical.clone(), found), Some(opened.id))),
        Err(error) if error.kind().tells_nothing() => Err(error),
        Err(error) => {
            let way = Way::Refused { depth: link.parent().iter().count(), kind: error.kind() };
            Ok((of(way, opened.physical.clone(), Found::Missing), None))
        }
    }
}

/// Where a text would lead from a link, as the other links would leave the tree.
fn leads(root: &Root, (from, near): (&Path, Near<'_>), name: &OsStr, text: &OsStr, planned: &Planned) -> Result<Leads> {
    let link = from.join(name);
    let links = [(&*link, text)];
    let overlay = Overlay::new(&links).after(Some(planned));
    let to = |kind: FileKind| Ok(Leads::To(kind));
    match judge_near(root, from, text, root.policy().cross_mounts, overlay, near) {
        Judged::Direct { object, .. } => to(object.stat(root.calls()).map_err(Error::from_io)?.kind),
        Judged::Through { reached, .. } => to(reached.stat.kind),
        Judged::Missing => Ok(Leads::Dangling),
        Judged::Stopped { stop, .. } => match stop.kind {
            Kind::NotFound => Ok(Leads::Dangling),
            Kind::Loop => Ok(Leads::Loop),
            Kind::Escape | Kind::MagicLink => Ok(Leads::Escape),
            Kind::CrossMount => Ok(Leads::CrossMount),
            kind if kind.tells_nothing() => Err(stop.into_error()),
            _ => Ok(Leads::Denied),
        },
    }
}

/// What is in a directory that was made, if it has no more than so many names.
fn contents(root: &Root, dir: &Path, most: usize) -> Result<Contents> {
    let handle = match open_dir(root, dir, Access::Read) {
        Ok((handle, None)) => handle,
        Err(error) if error.kind().tells_nothing() => return Err(error),
        Err(error) if error.kind() == Kind::Permission => return Ok(Contents::More),
        // Links were followed: it is not the directory that was made.
        Ok((_, Some(_))) | Err(_) => return Ok(Contents::Gone),
    };
    let mut names: Vec<OsString> = Vec::new();
    let mut each = |listed: Listed<'_>| {
        names.push(listed.name.to_owned());
        if names.len() > most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    if root.calls().list(&handle, &mut each).is_err() || names.len() > most {
        return Ok(Contents::More);
    }
    Ok(Contents::Names(names))
}

/// Paths that are the same directory entry as another, each with the directory and the name that stands for all of them.
pub(super) type Slots = Vec<(LinkPath, (ObjectId, OsString))>;

/// Names that could be one where cases are not told apart.
pub(super) fn folded(name: &OsStr) -> OsString {
    name.to_str().map_or_else(|| name.to_os_string(), |name| name.to_lowercase().into())
}

/// The names of a directory, if there are not too many.
pub(super) fn names(root: &Root, dir: &Path) -> Option<HashSet<OsString>> {
    const NAMES_MAX: usize = 100_000;
    match contents(root, dir, NAMES_MAX) {
        Ok(Contents::Names(names)) => Some(names.into_iter().collect()),
        _ => None,
    }
}

#[cfg(all(test, unix, feature = "adversary"))]
mod tests;
