//! What takes away what a manifest made, and puts back what it displaced. Needs neither the manifest nor its sources.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::seen::{Contents, Holdings, Owned, Seen, Way};
use super::step::{Action, ManifestPlan, ManifestStep, Note, rmdir};
use super::tree_order;
use crate::error::Found;
use crate::model::LinkPath;

/// Plans what takes a manifest back: owned links that are what was made go, or get the text that they displaced; what was
/// renamed beside gets its name back; links that were removed for an `[[absent]]` are made again where the name is free;
/// directories that were made go when they are empty. A link that somebody changed, or that another manifest relies on, is left
/// alone and reported. Pure.
///
/// A step with [`restore`](ManifestStep::restore) gives that backup its name back, once the link there, if there is
/// one, is gone.
pub fn plan_unapply(seen: &Seen, holdings: &Holdings) -> ManifestPlan {
    let owned = holdings.owned.iter().filter_map(|(link, own)| owned(seen, holdings, link, own));
    let mut steps: Vec<ManifestStep> = owned.collect();
    let goes = |step: &ManifestStep| step.action == Action::Remove && step.restore.is_none();
    let gone: HashSet<&Path> = steps.iter().filter(|step| goes(step)).map(|step| step.link.as_path()).collect();
    let mut needed: HashSet<&Path> = HashSet::new();
    let staying = steps.iter().filter(|step| !goes(step)).map(|step| step.link.as_path());
    for path in staying.chain(holdings.removed.keys().map(LinkPath::as_path)) {
        needed.extend(path.ancestors().skip(1));
    }
    let mut empty: BTreeSet<&Path> = BTreeSet::new();
    for dir in holdings.dirs.iter().rev() {
        let Some(Contents::Names(names)) = seen.dirs.get(dir) else { continue };
        let leaves = |path: PathBuf| gone.contains(&*path) || empty.contains(&*path);
        if !needed.contains(&**dir) && names.iter().all(|name| leaves(dir.join(name))) {
            empty.insert(dir);
        }
    }
    let rmdirs: Vec<ManifestStep> = empty.iter().rev().filter_map(|dir| rmdir(dir)).collect();
    let (mut now, mut then): (Vec<ManifestStep>, Vec<ManifestStep>) = holdings
        .removed
        .iter()
        .map(|(link, text)| absent(seen, link, text, empty.contains(link.as_path())))
        .partition(|step| !empty.contains(step.link.as_path()));
    steps.append(&mut now);
    steps.sort_by(|a, b| tree_order(a.link.as_path(), b.link.as_path()));
    steps.extend(rmdirs);
    // A directory took the place of a link.
    steps.append(&mut then);
    let named: HashSet<&Path> = steps.iter().map(|step| step.link.as_path()).collect();
    let gone = holdings.owned.keys().filter(|link| !named.contains(link.as_path())).cloned().collect();
    ManifestPlan { steps, states: Vec::new(), gone }
}

/// A link that the manifest made.
fn owned(seen: &Seen, holdings: &Holdings, link: &LinkPath, own: &Owned) -> Option<ManifestStep> {
    let sight = seen.links.get(link)?;
    let step = |action| ManifestStep::new(action, link.clone(), None);
    let restored = |action| ManifestStep { restore: own.backup.clone(), ..step(action) };
    let previous = Some(own.text.clone());
    match (&sight.way, &sight.found) {
        (Way::Open, Found::Link(text)) if **text != *own.text => {
            Some(left_alone(step(Action::Skip), Note::Modified, text))
        }
        (Way::Open, Found::Link(text)) if holdings.others.contains_key(link) => {
            Some(left_alone(step(Action::Skip), Note::Claimed, text))
        }
        (Way::Open, Found::Link(_)) => Some(match &own.displaced {
            Some(before) => put_back(ManifestStep { target: Some(before.clone()), previous, ..step(Action::Replace) }),
            None => ManifestStep { previous, ..restored(Action::Remove) },
        }),
        // Somebody took it away. What it displaced has its name free.
        (Way::Open, Found::Missing) if own.displaced.is_some() || own.backup.is_some() => {
            Some(put_back(ManifestStep { target: own.displaced.clone(), ..restored(Action::Create) }))
        }
        (Way::Open, Found::Missing) | (Way::Missing(_), _) => None,
        _ => Some(ManifestStep { note: Note::Modified, ..step(Action::Skip) }),
    }
}

/// A text that was there before may lead wherever it led.
fn put_back(step: ManifestStep) -> ManifestStep {
    ManifestStep { allow_dangling: true, allow_outside: true, ..step }
}

fn left_alone(step: ManifestStep, note: Note, text: &OsStr) -> ManifestStep {
    ManifestStep { note, previous: Some(text.into()), ..step }
}

/// A link that was removed because it was declared to be absent.
fn absent(seen: &Seen, link: &LinkPath, text: &OsStr, cleared: bool) -> ManifestStep {
    let step = |action| ManifestStep::new(action, link.clone(), None);
    let is_free = seen.links.get(link).is_some_and(|sight| sight.way == Way::Open && sight.found == Found::Missing);
    if is_free || cleared {
        return put_back(ManifestStep { target: Some(text.into()), ..step(Action::Create) });
    }
    ManifestStep { target: Some(text.into()), note: Note::LeftAlone, ..step(Action::Skip) }
}
