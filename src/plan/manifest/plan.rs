//! The planner: every entry is decided, and the steps are put in order.
//!
//! The order is: removals that make room for what is new, with the directories that go with them; then, in the order of a
//! walk, each entry with the directories that it needs before it; then the other removals; then directories that are empty,
//! the deepest first.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::declared::{Declared, Label};
use super::entry::{Case, Verdict, status, verdict};
use super::in_step::{DeclaredInStep, InStep};
use super::removal::{Leaving, after_removals, empty_dirs, orphan, prefix, unwanted};
use super::request::Request;
use super::seen::{Claimed, Leads, Seen, Sight, Way};
use super::step::{Action, Conflict, EntryState, ManifestPlan, ManifestStep, Note, Remedy, rmdir};
use super::tree_order;
use crate::error::{Found, Kind};
use crate::model::{LinkPath, ObjectId};

/// A link that goes, or that is spoken of because it might.
struct Leaver<'r> {
    link: &'r LinkPath,
    label: Option<&'r Label>,
    leaving: Leaving,
}

/// Plans what brings the tree to what a manifest declares. Pure: equal requests give equal plans.
///
/// `plan`, `apply`, its dry run and `status` all come from here.
pub fn plan_manifest(request: &Request<'_>) -> ManifestPlan {
    planned(request, true, true)
}

/// The same plan without the states.
pub(crate) fn plan_steps(request: &Request<'_>) -> ManifestPlan {
    planned(request, true, false)
}

/// The same plan without the steps.
pub(crate) fn plan_states(request: &Request<'_>) -> ManifestPlan {
    planned(request, false, true)
}

fn planned(request: &Request<'_>, with_steps: bool, with_states: bool) -> ManifestPlan {
    let mut states = Vec::new();
    let mut gone = Vec::new();
    let leavers = leavers(request, &mut states, &mut gone);
    let removed: HashSet<&Path> = leavers
        .iter()
        .filter(|leaver| matches!(leaver.leaving, Leaving::Remove(_)))
        .map(|leaver| leaver.link.as_path())
        .collect();
    let empty = empty_dirs(request, &removed);
    let mut steps = Vec::with_capacity(if with_steps { request.links.len() + leavers.len() } else { 0 });
    // Directories that are made, and what room is made for.
    let mut made: HashSet<PathBuf> = HashSet::new();
    let mut room: Vec<&Path> = Vec::new();
    let aliases = aliases(request);
    let (mut sights, mut own) = (InStep::new(&request.seen.links), InStep::new(&request.holdings.owned));
    let mut others = InStep::new(&request.holdings.others);
    for declared in request.links.iter().filter(|declared| declared.label.is_chosen(request.tags)) {
        let unseen;
        let sight = match sights.get(&declared.link) {
            Some(sight) => sight,
            None => {
                unseen = missing(declared);
                &unseen
            }
        };
        let after = after_removals(declared.link.as_path(), sight, &removed, &empty);
        let (way, found) = after.as_ref().map_or((&sight.way, &sight.found), |(way, found)| (way, found));
        let from = sight.physical.as_deref().unwrap_or(declared.link.parent());
        let own = own.get(&declared.link);
        // What is there already, and known, is not made again.
        let there = sight.found.text().map(|there| match own {
            Some(own) if *own.text == *there => Arc::clone(&own.text),
            _ => Arc::from(there),
        });
        let text = match &there {
            Some(there) if declared.is_text(there, from, request.root) => Ok(Arc::clone(there)),
            _ => declared.text(from, request.root).map(Arc::from),
        };
        let case = Case {
            declared,
            sight,
            way,
            found,
            text: &text,
            own,
            other: others.get(&declared.link),
            on_conflict: declared.on_conflict.unwrap_or(request.on_conflict),
        };
        let mut verdict = match aliases.get(&declared.link) {
            Some(other) => {
                let conflict = Conflict::new(Kind::Exists, None);
                Verdict::Conflict(Box::new(Conflict { alias: Some((*other).clone()), ..conflict }))
            }
            None => verdict(&case),
        };
        if let (Verdict::Backup, Some(other)) = (&verdict, claimed_below(request, &declared.link)) {
            let conflict = Conflict::new(Kind::Exists, Remedy::OneManifest);
            let (found, owner) = (Some(found.clone()), Some(other.by.clone()));
            verdict = Verdict::Conflict(Box::new(Conflict { found, owner, ..conflict }));
        }
        if with_states {
            states.push(EntryState {
                link: declared.link.clone(),
                status: status(&case, &verdict),
                target: text.as_ref().ok().cloned(),
                found: there.clone(),
                label: declared.label.clone(),
            });
        }
        if !with_steps {
            continue;
        }
        if matches!(verdict, Verdict::Create | Verdict::Replace | Verdict::Backup) {
            // What is removed below a directory that moves aside is removed before it moves.
            if after.is_some() || verdict == Verdict::Backup {
                room.push(declared.link.as_path());
            }
            mkdirs(declared, way, &mut made, &mut steps);
        }
        let previous = there.filter(|_| found.text().is_some());
        steps.push(entry_step(declared, verdict, (text.ok(), previous), found));
    }
    let leavers = if with_steps { leavers } else { Vec::new() };
    let empty = if with_steps { empty } else { BTreeSet::new() };
    let steps = in_order(steps, &leavers, request.seen, &empty, &room);
    states.retain(|_| with_states);
    states.sort_by(|a, b| tree_order(a.link.as_path(), b.link.as_path()));
    ManifestPlan { steps, states, gone }
}

/// Another manifest's link below a path: a directory that moved aside would take it along.
fn claimed_below<'r>(request: &Request<'r>, link: &LinkPath) -> Option<&'r Claimed> {
    let mut after = request.holdings.others.range::<LinkPath, _>((Bound::Excluded(link), Bound::Unbounded));
    after.next().filter(|(other, _)| other.as_path().starts_with(link)).map(|(_, claimed)| claimed)
}

/// Nothing was seen of an entry: it is as if nothing were there, all the way.
fn missing(declared: &Declared) -> Sight {
    let way = if declared.link.parent().as_os_str().is_empty() { Way::Open } else { Way::Missing(0) };
    Sight { way, physical: None, found: Found::Missing, leads: Leads::Dangling, slot: None }
}

/// Decides every link that is not wanted, in the order of a walk.
fn leavers<'r>(request: &Request<'r>, states: &mut Vec<EntryState>, gone: &mut Vec<LinkPath>) -> Vec<Leaver<'r>> {
    let mut declared = DeclaredInStep::new(request.links);
    let state = |link: &LinkPath, status, label: Option<&Label>| EntryState {
        link: link.clone(),
        status,
        target: None,
        found: text_at(request.seen, link),
        label: label.cloned().unwrap_or_default(),
    };
    let mut leavers: Vec<Leaver<'r>> = Vec::new();
    let mut orphans: HashMap<&LinkPath, usize> = HashMap::new();
    for (link, own) in request.holdings.owned.iter().filter(|(link, _)| !declared.has(link)) {
        let (leaving, status) = orphan(request, link, own);
        match leaving {
            Leaving::Gone => gone.push(link.clone()),
            leaving => {
                orphans.insert(link, leavers.len());
                leavers.push(Leaver { link, label: None, leaving });
            }
        }
        states.extend(status.map(|status| state(link, status, None)));
    }
    let removed: HashSet<&Path> = leavers
        .iter()
        .filter(|leaver| matches!(leaver.leaving, Leaving::Remove(_)))
        .map(|leaver| leaver.link.as_path())
        .collect();
    // Sorted: what is above another is decided before it.
    let mut also: HashSet<&Path> = HashSet::new();
    let mut decided = Vec::new();
    for one in request.unwanted.iter().filter(|one| one.label.is_chosen(request.tags)) {
        let (leaving, status) = unwanted(request, one, |path| removed.contains(path) || also.contains(path));
        if matches!(leaving, Leaving::Remove(_)) {
            also.insert(one.link.as_path());
        }
        decided.push((one, leaving, status));
    }
    for (one, leaving, status) in decided {
        let label = Some(&one.label);
        match orphans.get(&one.link) {
            // It is both: whichever removes it.
            Some(index) => {
                let known = &mut leavers[*index];
                known.label = label;
                if matches!(leaving, Leaving::Remove(_)) && !matches!(known.leaving, Leaving::Skip(Note::Claimed)) {
                    known.leaving = leaving;
                }
            }
            None => {
                leavers.push(Leaver { link: &one.link, label, leaving });
                states.push(state(&one.link, status, label));
            }
        }
    }
    leavers.sort_by(|a, b| tree_order(a.link.as_path(), b.link.as_path()));
    leavers
}

/// Entries that lead to the link of another, with that other.
fn aliases<'r>(request: &Request<'r>) -> HashMap<&'r LinkPath, &'r LinkPath> {
    let mut slots: HashMap<(ObjectId, &OsString), &LinkPath> = HashMap::new();
    let mut aliases = HashMap::new();
    if request.seen.links.values().all(|sight| sight.slot.is_none()) {
        return aliases;
    }
    for declared in request.links.iter().filter(|declared| declared.label.is_chosen(request.tags)) {
        let Some(sight) = request.seen.links.get(&declared.link) else { continue };
        let Some((dir, name)) = sight.slot.as_deref() else { continue };
        match slots.get(&(*dir, name)) {
            Some(first) => {
                aliases.insert(&declared.link, *first);
                aliases.entry(first).or_insert(&declared.link);
            }
            None => {
                slots.insert((*dir, name), &declared.link);
            }
        }
    }
    aliases
}

/// The directories that an entry needs and that no step before it makes.
fn mkdirs(declared: &Declared, way: &Way, made: &mut HashSet<PathBuf>, steps: &mut Vec<ManifestStep>) {
    let Way::Missing(depth) = way else { return };
    let parent = declared.link.parent();
    for count in depth + 1..=parent.iter().count() {
        let dir = prefix(parent, count);
        if made.insert(dir.clone()) {
            let dir = LinkPath::new(dir).expect("BUG: what is above a link is a path as well");
            steps.push(ManifestStep::new(Action::Mkdir, dir, None));
        }
    }
}

/// The text of the link that was seen.
fn text_at(seen: &Seen, link: &LinkPath) -> Option<Arc<OsStr>> {
    seen.links.get(link).and_then(|sight| sight.found.text()).map(Arc::from)
}

fn entry_step(
    declared: &Declared,
    verdict: Verdict,
    (target, previous): (Option<Arc<OsStr>>, Option<Arc<OsStr>>),
    found: &Found,
) -> ManifestStep {
    let (action, note, conflict) = match verdict {
        Verdict::Create => (Action::Create, Note::Plain, None),
        Verdict::Replace => (Action::Replace, Note::Plain, None),
        Verdict::Backup => (Action::Backup, Note::Plain, None),
        Verdict::Keep(note) => (Action::Keep, note, None),
        Verdict::Skip => (Action::Skip, Note::LeftAlone, Some(Box::new(in_the_way(found)))),
        Verdict::Conflict(conflict) => (Action::Conflict, Note::Plain, Some(conflict)),
    };
    let plain = ManifestStep::new(action, declared.link.clone(), Some(&declared.label));
    let Declared { allow_dangling, allow_outside, .. } = *declared;
    ManifestStep { target, previous, note, conflict, allow_dangling, allow_outside, ..plain }
}

/// What an entry that is left alone would have to do with.
fn in_the_way(found: &Found) -> Conflict {
    let (kind, remedy) = match found {
        Found::Link(_) => (Kind::Mismatch, Remedy::Replace),
        _ => (Kind::NotALink, Remedy::Backup),
    };
    Conflict { found: Some(found.clone()), ..Conflict::new(kind, remedy) }
}

/// Puts removals before, between and after the entries.
fn in_order(
    entries: Vec<ManifestStep>,
    leavers: &[Leaver<'_>],
    seen: &Seen,
    empty: &BTreeSet<&Path>,
    room: &[&Path],
) -> Vec<ManifestStep> {
    if leavers.is_empty() && empty.is_empty() {
        return entries;
    }
    // Above an entry that is made, or within a directory that one takes the place of.
    let above: HashSet<&Path> = room.iter().flat_map(|path| path.ancestors()).collect();
    let taken: HashSet<&Path> = room.iter().copied().collect();
    let makes_room = |path: &Path| above.contains(path) || path.ancestors().any(|dir| taken.contains(dir));
    let (mut first, mut told, mut last) = (Vec::new(), Vec::new(), Vec::new());
    for Leaver { link, label, leaving } in leavers {
        let path = link.as_path();
        let (action, note, conflict) = match leaving {
            Leaving::Remove(note) => (Action::Remove, *note, None),
            Leaving::Keep(note) => (Action::Keep, *note, None),
            Leaving::Skip(note) => (Action::Skip, *note, None),
            Leaving::Conflict(conflict) => (Action::Conflict, Note::Unwanted, Some(conflict.clone())),
            Leaving::Gone => continue,
        };
        let previous = text_at(seen, link);
        let step =
            ManifestStep { previous, note, conflict, ..ManifestStep::new(action, LinkPath::clone(link), *label) };
        match action {
            Action::Remove if makes_room(path) => first.push(step),
            Action::Remove => last.push(step),
            _ => told.push(step),
        }
    }
    let (early, late): (Vec<&Path>, Vec<&Path>) = empty.iter().rev().copied().partition(|dir| makes_room(dir));
    let mut steps = first;
    steps.extend(early.iter().filter_map(|dir| rmdir(dir)));
    let mut told = told.into_iter().peekable();
    for entry in entries {
        while let Some(before) = told.next_if(|told| tree_order(told.link.as_path(), entry.link.as_path()).is_lt()) {
            steps.push(before);
        }
        steps.push(entry);
    }
    steps.extend(told);
    steps.extend(last);
    steps.extend(late.iter().filter_map(|dir| rmdir(dir)));
    steps
}
