//! What one declared link comes to, given what is there and whose it is.

use std::ffi::OsStr;
use std::sync::Arc;

use super::declared::{Declared, OnConflict};
use super::seen::{Claimed, Leads, Owned, Sight, Way};
use super::step::{Conflict, EntryStatus, Note, Remedy};
use crate::error::{Component, FileKind, Found, Kind};

/// What is to be done about an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Create,
    Replace,
    Backup,
    Keep(Note),
    Skip,
    Conflict(Box<Conflict>),
}

/// An entry with everything that decides it.
pub(super) struct Case<'c> {
    pub(super) declared: &'c Declared,
    pub(super) sight: &'c Sight,
    /// The way and what was found, as the removals that come first leave them.
    pub(super) way: &'c Way,
    pub(super) found: &'c Found,
    /// The text that the link is to have, or why it can have none.
    pub(super) text: &'c Result<Arc<OsStr>, Kind>,
    pub(super) own: Option<&'c Owned>,
    pub(super) other: Option<&'c Claimed>,
    /// What is done about something in the way.
    pub(super) on_conflict: OnConflict,
}

impl Conflict {
    pub(super) fn new(kind: Kind, remedy: impl Into<Option<Remedy>>) -> Conflict {
        Conflict { kind, found: None, component: None, via: None, owner: None, alias: None, remedy: remedy.into() }
    }

    fn found(self, found: &Found) -> Conflict {
        Conflict { found: Some(found.clone()), ..self }
    }
}

/// Decides an entry in the order of judgement: the parent, what is under the name, the target.
pub(super) fn verdict(case: &Case<'_>) -> Verdict {
    let refuse = |conflict: Conflict| Verdict::Conflict(Box::new(conflict));
    if let Some(conflict) = on_the_way(case) {
        return refuse(conflict);
    }
    let wanted = case.text.as_deref().ok();
    let there = case.found.text();
    if there.is_some() && there == wanted {
        let made = case.own.is_some_and(|own| Some(&*own.text) == there);
        return Verdict::Keep(if made { Note::Plain } else { Note::Found });
    }
    if let Some(other) = case.other.filter(|other| there == Some(&*other.text)) {
        let conflict = Conflict::new(Kind::Exists, Remedy::OneManifest).found(case.found);
        return refuse(Conflict { owner: Some(other.by.clone()), ..conflict });
    }
    let owned = case.own.is_some_and(|own| Some(&*own.text) == there);
    let verdict = match (case.found, case.on_conflict) {
        (Found::Missing, _) => Verdict::Create,
        (Found::Link(_), _) if owned => Verdict::Replace,
        (_, OnConflict::Skip) => Verdict::Skip,
        (Found::Link(_), OnConflict::Replace | OnConflict::Backup) => Verdict::Replace,
        (Found::Link(_), OnConflict::Refuse) => {
            return refuse(Conflict::new(Kind::Mismatch, Remedy::Replace).found(case.found));
        }
        (Found::Other(FileKind::File | FileKind::Dir), OnConflict::Backup) => Verdict::Backup,
        (Found::Other(kind), _) => {
            let movable = matches!(kind, FileKind::File | FileKind::Dir);
            let remedy = if movable { Remedy::Backup } else { Remedy::Skip };
            return refuse(Conflict::new(Kind::NotALink, remedy).found(case.found));
        }
    };
    match (&verdict, in_the_target(case)) {
        // What is left alone needs no target.
        (Verdict::Skip, _) | (_, None) => verdict,
        (_, Some(conflict)) => refuse(conflict),
    }
}

/// Why the directory of the link cannot be used.
fn on_the_way(case: &Case<'_>) -> Option<Conflict> {
    let at = |depth: usize| case.declared.link.as_path().iter().nth(depth).map(|name| component(name, depth));
    let (conflict, depth) = match case.way {
        Way::Open => return None,
        Way::Missing(_) if case.declared.parents => return None,
        Way::Missing(depth) => (Conflict::new(Kind::NotFound, Remedy::Parents), *depth),
        Way::NotADirectory(depth) => (Conflict::new(Kind::NotFound, None), *depth),
        Way::Link { depth, text } => {
            let conflict = Conflict::new(Kind::SymlinkInPath, Remedy::Absent);
            (Conflict { via: Some(text.clone()), ..conflict }, *depth)
        }
        Way::Refused { depth, kind } => (Conflict::new(*kind, None), *depth),
    };
    Some(Conflict { component: at(depth), ..conflict })
}

pub(super) fn component(name: &OsStr, index: usize) -> Component {
    Component { name: name.to_owned(), index }
}

/// Why the target will not do.
fn in_the_target(case: &Case<'_>) -> Option<Conflict> {
    let declared = case.declared;
    if let Err(kind) = case.text {
        return Some(Conflict::new(*kind, None));
    }
    match case.sight.leads {
        Leads::NotAsked => None,
        Leads::To(kind) if declared.kind.takes(kind) => None,
        Leads::To(kind) => Some(Conflict::new(Kind::InvalidTarget, None).found(&Found::Other(kind))),
        Leads::Dangling if declared.allow_dangling => None,
        Leads::Dangling => Some(Conflict::new(Kind::Dangling, Remedy::AllowDangling)),
        Leads::Escape if declared.allow_outside => None,
        Leads::Escape => Some(Conflict::new(Kind::Escape, Remedy::AllowOutside)),
        Leads::Loop => Some(Conflict::new(Kind::Loop, None)),
        Leads::CrossMount => Some(Conflict::new(Kind::CrossMount, None)),
        Leads::Denied => Some(Conflict::new(Kind::Permission, None)),
    }
}

/// The state of an entry as it is now, before anything is done.
pub(super) fn status(case: &Case<'_>, verdict: &Verdict) -> EntryStatus {
    if *verdict == Verdict::Skip {
        return EntryStatus::Skipped;
    }
    match &case.sight.way {
        Way::Open => {}
        Way::Missing(_) => return EntryStatus::Missing,
        Way::Link { .. } | Way::NotADirectory(_) => return EntryStatus::Replaced,
        Way::Refused { .. } => return EntryStatus::Denied,
    }
    match (&case.sight.found, case.text) {
        (Found::Missing, _) => EntryStatus::Missing,
        (Found::Link(text), Ok(wanted)) if **text == **wanted => match case.sight.leads {
            Leads::To(_) | Leads::NotAsked => EntryStatus::Ok,
            Leads::Dangling => EntryStatus::Dangling,
            Leads::Loop => EntryStatus::Loop,
            Leads::Escape => EntryStatus::Escape,
            Leads::CrossMount | Leads::Denied => EntryStatus::Denied,
        },
        (Found::Link(_), _) => EntryStatus::Changed,
        (Found::Other(_), _) => EntryStatus::Replaced,
    }
}
