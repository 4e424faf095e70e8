//! Facts in the log: adding them, reading those of a topic, and what is kept of them beside the log.
//!
//! What is kept is a cache. It says up to which place of the log it was made, and counts for nothing where the log has
//! another line there.

use std::ffi::OsStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::actor::Actor;
use super::author::Author;
use super::entry::{Body, CUT, EntryKind, Fact};
use super::head::Head;
use super::lines::{Lines, Next, line_at};
use super::log_file::{damaged, io, open_own};
use super::store::Records;
use super::tree::Hash;
use crate::error::{Error, Kind, Result};
use crate::sys::{Access, FileUse, Handle};

/// The longest cache that is read, in bytes.
const CACHE_MAX: u64 = 64 << 20;

/// A place in the log up to which it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogPlace {
    /// The number of entries before it.
    pub(crate) seq: u64,
    /// Where the last entry before it begins, and where it ends.
    last: u64,
    pub(crate) end: u64,
    leaf: Hash,
}

impl Default for LogPlace {
    fn default() -> LogPlace {
        LogPlace { seq: 0, last: 0, end: 0, leaf: Hash::of_nothing() }
    }
}

/// A fact that is to be added.
pub(crate) struct NewFact {
    pub(crate) topic: &'static str,
    pub(crate) verb: String,
    pub(crate) outcome: &'static str,
    pub(crate) data: Box<RawValue>,
}

impl Records {
    /// Adds facts and syncs them, as said by an author, who has to say why where the records demand it.
    pub(crate) fn add_facts(&self, author: &Author, facts: Vec<NewFact>) -> Result<()> {
        self.append(|log| {
            if log.settled().settings.require_reason && author.reason.is_none() {
                return Err(Error::new(Kind::Policy).during("record").because("the records demand a reason"));
            }
            Ok(bodies(author, facts))
        })
        .map(drop)
    }

    /// Adds facts about what an interrupted program left; no reason is demanded for them.
    pub(crate) fn add_settling_facts(&self, author: &Author, facts: Vec<NewFact>) -> Result<()> {
        self.append(|_| Ok(bodies(author, facts))).map(drop)
    }

    /// Shows the facts of a topic that stand behind a place, and returns the place up to which the log was read.
    ///
    /// # Errors
    ///
    /// `integrity` where the chain does not fit; `io`.
    pub(crate) fn facts_behind(
        &self,
        place: &LogPlace,
        topic: &str,
        visit: &mut dyn FnMut(&RawValue),
    ) -> Result<LogPlace> {
        let (file, end) = {
            let mut log = self.log();
            log.refresh()?;
            (Arc::clone(log.file()), log.state.end)
        };
        let mut at = place.clone();
        let mut lines = Lines::new(&file, at.end, end);
        while let Next::Line(line) = lines.next().map_err(io)? {
            if line.last() != Some(&CUT) {
                let head = Head::read(line).map_err(|_| damaged(at.seq, "it is no entry"))?;
                if head.seq != at.seq || head.prev != at.leaf {
                    return Err(damaged(at.seq, "it does not follow the entry before it"));
                }
                if head.entry == EntryKind::Fact
                    && let Ok(Body::Fact(fact)) = head.body(line)
                    && fact.topic == topic
                {
                    visit(&fact.data);
                }
            }
            at.seq += 1;
            at.last = at.end;
            at.end += line.len() as u64 + 1;
            at.leaf = Hash::of_leaf(line);
        }
        Ok(at)
    }

    /// Whether the log still has the line that a place was behind.
    pub(crate) fn has_place(&self, place: &LogPlace) -> Result<bool> {
        if place.end == 0 {
            return Ok(*place == LogPlace::default());
        }
        let (file, end) = {
            let log = self.log();
            (Arc::clone(log.file()), log.state.end)
        };
        if end < place.end || place.last >= place.end {
            return Ok(false);
        }
        let line = line_at(&file, place.last, place.end).map_err(io)?;
        Ok(line
            .is_some_and(|line| place.last + line.len() as u64 + 1 == place.end && Hash::of_leaf(&line) == place.leaf))
    }

    /// The state directory, opened once more.
    pub(crate) fn state_dir(&self) -> std::io::Result<Handle> {
        self.root().calls().open_dir(self.dir(), "".as_ref(), true, Access::Read)
    }

    /// Reads what was kept beside the log under a name; `None` where there is nothing that could be used.
    pub(crate) fn cached(&self, name: &str) -> Option<Vec<u8>> {
        let file = open_own(self.root().calls(), self.dir(), name, FileUse::Read).ok().flatten()?;
        let length = file.len().ok().filter(|length| *length <= CACHE_MAX)?;
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        let count = file.read_at(0, &mut bytes).ok()?;
        bytes.truncate(count);
        Some(bytes)
    }

    /// Keeps something beside the log under a name. Where that fails nothing is lost.
    pub(crate) fn keep_cached(&self, name: &str, bytes: &[u8]) {
        let calls = self.root().calls();
        let Ok(random) = calls.random() else { return };
        let new = format!("{name}-{random:032x}.new");
        let Ok(file) = calls.open_file(self.dir(), OsStr::new(&new), FileUse::WriteNew) else { return };
        let kept = file
            .write_at(0, bytes)
            .and_then(|()| calls.rename_over((self.dir(), OsStr::new(&new)), (self.dir(), OsStr::new(name))));
        if kept.is_err() {
            let _gone = calls.unlink(self.dir(), OsStr::new(&new));
        }
    }
}

fn bodies(author: &Author, facts: Vec<NewFact>) -> Vec<Body> {
    let body = |fact: NewFact| {
        Body::Fact(Box::new(Fact {
            topic: fact.topic.to_owned(),
            verb: fact.verb,
            outcome: fact.outcome.to_owned(),
            group: None,
            reason: author.reason.clone(),
            actor: Actor::clone(&author.actor),
            data: fact.data,
        }))
    };
    facts.into_iter().map(body).collect()
}
