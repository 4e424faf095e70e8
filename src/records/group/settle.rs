//! Settles groups whose program was stopped: from what was announced, and what the disk says.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Found, Kind, Result};
use crate::exec::{Back, Part, Settled, Work, leftover};
use crate::records::entry::{Body, Ended, GroupEnd, Intent};
use crate::records::log::Log;
use crate::records::recovered::Recovered;
use crate::records::state::{Opened, Pending};
use crate::records::store::Records;
use crate::wire::Text;

use super::announce::part;

/// A group that is open in the log.
struct Open {
    /// The number of its first intent.
    first: u64,
    /// The intents of which the log knows no result, by their numbers.
    intents: Vec<(u64, Arc<Intent>)>,
}

impl Records {
    /// Settles the interrupted groups that name one of these links, and ends those of which nothing else is left to do.
    ///
    /// # Errors
    ///
    /// `partial` where one could not be settled; those of the log.
    pub(in crate::records) fn settle_groups_of(&self, is_link: &dyn Fn(&Text) -> bool) -> Result<Vec<Recovered>> {
        let ids = {
            let mut log = self.log();
            log.refresh()?;
            ids_of(&log, |intent| intent.all_names().any(is_link))?
        };
        self.settle_groups(&ids)
    }

    /// Settles every interrupted group, and removes what those left that were never announced. Errors of single groups are
    /// among what is returned.
    pub(in crate::records) fn settle_all_groups(&self) -> Result<Vec<Recovered>> {
        let ids = {
            let mut log = self.log();
            log.refresh()?;
            all_ids(&log)
        };
        let mut recovered = Vec::new();
        for id in &ids {
            match self.settle_group(id) {
                Ok(settled) => recovered.extend(settled),
                Err(error) => recovered.push(Recovered::failed(id, error)),
            }
        }
        for id in leftover(self.root())? {
            if !ids.contains(&id)
                && let Some(work) = Work::open(self.root(), &id, Vec::new())?
                && self.open_group(&id)?.is_none()
            {
                // What stays is not this program's, and was told of before.
                let _kept = work.close();
            }
        }
        Ok(recovered)
    }

    fn settle_groups(&self, ids: &[String]) -> Result<Vec<Recovered>> {
        let mut recovered = Vec::new();
        for id in ids {
            recovered.extend(self.settle_group(id)?);
        }
        Ok(recovered)
    }

    fn open_group(&self, id: &str) -> Result<Option<Open>> {
        let mut log = self.log();
        log.refresh()?;
        open(&log, id)
    }

    /// Settles one group, unless somebody else is at work on it.
    pub(in crate::records) fn settle_group(&self, id: &str) -> Result<Vec<Recovered>> {
        let Some(announced) = self.open_group(id)? else { return Ok(Vec::new()) };
        let Some(mut work) = Work::open(self.root(), id, announced.parts())? else { return Ok(Vec::new()) };
        // Nobody else settles it from here on; it may have been done just before.
        let Some(open) = self.open_group(id)? else {
            let _cleared = work.close();
            return Ok(Vec::new());
        };
        if open.intents.len() != announced.intents.len() {
            return Ok(Vec::new());
        }
        if open.intents.is_empty() {
            self.end(work, id, "done")?;
            return Ok(Vec::new());
        }
        let settled = work.settle();
        if let Some((number, error)) =
            settled.parts.iter().enumerate().find_map(|(number, back)| Some((number, back.as_ref().err()?)))
        {
            return Err(io_partial(error, id, open.intents[number].1.link.as_path()));
        }
        let mut recovered = Vec::with_capacity(open.intents.len());
        let mut bodies = Vec::with_capacity(open.intents.len());
        for ((seq, intent), back) in open.intents.iter().zip(settled.parts.into_iter().flatten()) {
            let one = Recovered::of_group(*seq, intent, settled.stands, &back);
            bodies.push(Body::Result(Box::new(Ended {
                of: *seq,
                outcome: one.outcome.clone(),
                kind: one.kind.map(|kind| kind.as_str().to_owned()),
                settled: true,
                backup: intent.other.clone().filter(|_| settled.stands && one.kind.is_none()),
                ..Ended::default()
            })));
            recovered.push(one);
        }
        self.append(|_| Ok(bodies))?;
        if let Err(error) = self.end(work, id, if settled.stands { "done" } else { "undone" }) {
            recovered.push(Recovered::failed(id, error));
        }
        Ok(recovered)
    }

    fn end(&self, work: Work, id: &str, outcome: &str) -> Result<()> {
        work.close()?;
        let end = GroupEnd { group: id.to_owned(), outcome: outcome.to_owned() };
        self.append_unsynced(|_| Ok(vec![Body::GroupEnd(end)])).map(drop)
    }

    /// What settling every group would come to, by what is there now; nothing is changed.
    pub(in crate::records) fn recoverable_groups(&self) -> Result<Vec<Recovered>> {
        let groups: Vec<(String, Open)> = {
            let mut log = self.log();
            log.refresh()?;
            let open = |id: String| Ok(open(&log, &id)?.map(|open| (id, open)));
            all_ids(&log).into_iter().filter_map(|id| open(id).transpose()).collect::<Result<_>>()?
        };
        let mut recovered = Vec::new();
        for (id, open) in groups {
            let settled = match Work::open_to_look(self.root(), &id, open.parts())? {
                Some(Some(work)) => work.foresee(),
                Some(None) => continue,
                // It is gone where nothing was published.
                None => Settled { stands: false, parts: open.intents.iter().map(|_| Ok(Back::Old)).collect() },
            };
            for ((seq, intent), back) in open.intents.iter().zip(settled.parts) {
                recovered.push(match back {
                    Ok(back) => Recovered::of_group(*seq, intent, settled.stands, &back),
                    Err(error) => Recovered::failed(&id, io_partial(&error, &id, intent.link.as_path())),
                });
            }
        }
        Ok(recovered)
    }
}

impl Open {
    /// The parts that were announced, each under the name that it is staged by.
    fn parts(&self) -> Vec<Part> {
        let number = |seq: u64| usize::try_from(seq - self.first).unwrap_or(usize::MAX);
        self.intents.iter().map(|(seq, intent)| part(intent, number(*seq))).collect()
    }
}

fn all_ids(log: &Log) -> Vec<String> {
    let groups = log.state.open.values().filter_map(|opened| match &opened.what {
        Pending::Group(group) => Some(group.group.clone()),
        Pending::Intent(_) | Pending::Member => None,
    });
    groups.collect()
}

/// The ids of the open groups one of whose intents is meant, and of those that have only to be ended: which links they
/// named is not known any more, and nothing of them changes.
fn ids_of(log: &Log, meant: impl Fn(&Intent) -> bool) -> Result<Vec<String>> {
    let ids = all_ids(log);
    if ids.is_empty() {
        return Ok(ids);
    }
    let mut is_named: HashMap<String, bool> = HashMap::new();
    for (seq, opened) in &log.state.open {
        let Some(intent) = log.intent(*seq, opened)? else { continue };
        let Some(group) = &intent.group else { continue };
        match is_named.get_mut(group) {
            Some(named) => *named = *named || meant(&intent),
            None => drop(is_named.insert(group.clone(), meant(&intent))),
        }
    }
    Ok(ids.into_iter().filter(|id| is_named.get(id).is_none_or(|named| *named)).collect())
}

fn open(log: &Log, id: &str) -> Result<Option<Open>> {
    let of = |opened: &Opened| matches!(&opened.what, Pending::Group(group) if group.group == id);
    let Some((first, _)) = log.state.open.iter().find(|(_, opened)| of(opened)) else { return Ok(None) };
    let mut intents = Vec::new();
    for (seq, opened) in log.state.open.range(first..) {
        let intent = log.intent(*seq, opened)?;
        intents.extend(intent.filter(|intent| intent.group.as_deref() == Some(id)).map(|intent| (*seq, intent)));
    }
    Ok(Some(Open { first: first + 1, intents }))
}

/// The error of a group that stays open.
pub(super) fn io_partial(error: &Error, id: &str, link: &Path) -> Error {
    let reason = format!("the group stays open: {error}");
    let open = error.clone().with_kind(Kind::Partial).because(reason);
    open.on("settle", link).in_group(id)
}

/// The error for a link of a group that others changed.
pub(super) fn left_to_others(found: Option<&Found>) -> Error {
    let reason = "others changed it meanwhile, and it is left to them";
    match found {
        Some(found) => {
            let reason = format!("{reason}: found {found}");
            Error::new(Kind::Mismatch).because(reason).found_instead(found.clone())
        }
        None => Error::new(Kind::Mismatch).because(reason),
    }
}

impl Recovered {
    fn of_group(seq: u64, intent: &Intent, stands: bool, back: &Back) -> Recovered {
        let (outcome, kind) = match (back, stands) {
            (Back::Theirs(_), _) => ("failed".to_owned(), Some(Kind::Mismatch)),
            (_, true) => (intent.will.clone(), None),
            (_, false) => ("failed".to_owned(), Some(Kind::Partial)),
        };
        let error = match back {
            Back::Theirs(found) => {
                let error = left_to_others(found.as_ref()).on("recover", intent.link.as_path());
                Some(match &intent.group {
                    Some(group) => error.in_group(group),
                    None => error,
                })
            }
            _ => None,
        };
        let changed = matches!(back, Back::Taken);
        Recovered { outcome, kind, error, changed, ..Recovered::open(seq, intent) }
    }

    fn open(seq: u64, intent: &Intent) -> Recovered {
        Recovered {
            seq,
            link: intent.link.clone(),
            target: intent.target.clone(),
            previous: intent.previous.clone(),
            outcome: "unknown".to_owned(),
            kind: None,
            group: intent.group.clone(),
            error: None,
            changed: false,
        }
    }

    fn failed(id: &str, error: Error) -> Recovered {
        let link = error.link().map_or_else(|| Text::new(""), Text::new);
        Recovered {
            seq: 0,
            link,
            target: None,
            previous: None,
            outcome: "failed".to_owned(),
            kind: Some(error.kind()),
            group: Some(id.to_owned()),
            error: Some(error),
            changed: false,
        }
    }
}
