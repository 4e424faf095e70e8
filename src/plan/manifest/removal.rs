//! What goes: links that are not declared any more, links that shall be absent, and directories that were made for them.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use super::declared::{Declared, Unwanted};
use super::entry::component;
use super::request::Request;
use super::seen::{Contents, Owned, Sight, Way};
use super::step::{Conflict, EntryStatus, Note, Remedy};
use crate::error::{Found, Kind};
use crate::model::LinkPath;

/// What is to be done about a link that is not wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    Remove(Note),
    Keep(Note),
    Skip(Note),
    Conflict(Box<Conflict>),
    /// It is not there, and nobody asked whether it is.
    Gone,
}

/// A link that is owned and not declared any more.
pub(super) fn orphan(request: &Request<'_>, link: &LinkPath, own: &Owned) -> (Leaving, Option<EntryStatus>) {
    let Some(sight) = request.seen.links.get(link) else { return (Leaving::Gone, None) };
    match (&sight.way, &sight.found) {
        (Way::Open, Found::Link(text)) if **text == *own.text => {
            let leaving = if request.holdings.others.contains_key(link) {
                Leaving::Skip(Note::Claimed)
            } else if request.prune {
                Leaving::Remove(Note::Orphan)
            } else {
                Leaving::Keep(Note::Orphan)
            };
            (leaving, Some(EntryStatus::Orphan))
        }
        (Way::Open, Found::Missing) | (Way::Missing(_), _) => (Leaving::Gone, None),
        _ => (Leaving::Skip(Note::Modified), Some(EntryStatus::OrphanModified)),
    }
}

/// A link that is declared to be absent. `gone` says which links on the way are removed first.
pub(super) fn unwanted(
    request: &Request<'_>,
    unwanted: &Unwanted,
    gone: impl Fn(&Path) -> bool,
) -> (Leaving, EntryStatus) {
    let link = &unwanted.link;
    let nothing = (Leaving::Skip(Note::NotMeant), EntryStatus::Ok);
    let Some(sight) = request.seen.links.get(link) else { return nothing };
    let refused = |depth: usize, conflict: Conflict| {
        let component = link.as_path().iter().nth(depth).map(|name| component(name, depth));
        Leaving::Conflict(Box::new(Conflict { component, ..conflict }))
    };
    match &sight.way {
        Way::Open => {}
        Way::Missing(_) | Way::NotADirectory(_) => return nothing,
        Way::Link { depth, .. } if gone(&prefix(link.as_path(), depth + 1)) => return nothing,
        Way::Link { depth, text } => {
            let conflict = Conflict::new(Kind::SymlinkInPath, Remedy::Absent);
            return (refused(*depth, Conflict { via: Some(text.clone()), ..conflict }), EntryStatus::Present);
        }
        Way::Refused { depth, kind } => {
            return (refused(*depth, Conflict::new(*kind, None)), EntryStatus::Present);
        }
    }
    let Found::Link(text) = &sight.found else { return nothing };
    if unwanted.if_to.as_ref().is_some_and(|pattern| !pattern.matches(text)) {
        return nothing;
    }
    if let Some(other) = request.holdings.others.get(link).filter(|other| other.text == *text) {
        let conflict = Conflict::new(Kind::Exists, Remedy::OneManifest);
        let (found, owner) = (Some(sight.found.clone()), Some(other.by.clone()));
        return (Leaving::Conflict(Box::new(Conflict { found, owner, ..conflict })), EntryStatus::Present);
    }
    (Leaving::Remove(Note::Unwanted), EntryStatus::Present)
}

/// The first components of a path.
pub(super) fn prefix(path: &Path, count: usize) -> std::path::PathBuf {
    path.iter().take(count).collect()
}

/// The directories that were made for links and will be empty, given the links that are removed. A directory that an entry
/// is declared below stays, also where that entry was not chosen.
pub(super) fn empty_dirs<'r>(request: &Request<'r>, removed: &HashSet<&Path>) -> BTreeSet<&'r Path> {
    let mut empty: BTreeSet<&Path> = BTreeSet::new();
    if !request.prune {
        return empty;
    }
    if request.holdings.dirs.is_empty() {
        return empty;
    }
    let needed: HashSet<&Path> = needed(request.links);
    // What is below comes after what is above.
    for dir in request.holdings.dirs.iter().rev() {
        let Some(Contents::Names(names)) = request.seen.dirs.get(dir) else { continue };
        let goes = |path: &Path| removed.contains(path) || empty.contains(path);
        if !needed.contains(&**dir) && names.iter().all(|name| goes(&dir.join(name))) {
            empty.insert(dir);
        }
    }
    empty
}

/// Every directory above an entry.
pub(crate) fn needed(links: &[Declared]) -> HashSet<&Path> {
    let mut needed = HashSet::new();
    let mut last = Path::new("");
    for declared in links {
        let parent = declared.link.parent();
        if parent.as_os_str() == last.as_os_str() {
            continue;
        }
        last = parent;
        for dir in parent.ancestors() {
            if dir.as_os_str().is_empty() || !needed.insert(dir) {
                break;
            }
        }
    }
    needed
}

/// The way to an entry and what is there, once the links and directories that come first are gone.
pub(super) fn after_removals(
    link: &Path,
    sight: &Sight,
    removed: &HashSet<&Path>,
    empty: &BTreeSet<&Path>,
) -> Option<(Way, Found)> {
    match (&sight.way, &sight.found) {
        (Way::Link { depth, .. }, _) if removed.contains(&*prefix(link, depth + 1)) => {
            Some((Way::Missing(*depth), Found::Missing))
        }
        (Way::Open, Found::Other(_)) if empty.contains(link) => Some((Way::Open, Found::Missing)),
        _ => None,
    }
}
