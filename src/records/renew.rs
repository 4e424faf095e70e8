//! The way out of damaged records: they are moved aside, and new ones begin that name them.

use std::ffi::OsStr;

use super::author::Author;
use super::entry::{Body, Fact, LINE_MAX, Renewed, Settings};
use super::index::INDEX_NAME;
use super::lines::{Lines, Next};
use super::log_file::{LOG_NAME, io, lock, open_own};
use super::marker;
use super::owned::{Owned, Ownership, TOPIC};
use super::state::{Line, State};
use super::store::{Records, open_state};
use super::time::Time;
use super::tree::{Hash, Tree};
use crate::error::{Error, Kind, Result};
use crate::root::Root;
use crate::sys::{self, Access, Fault, FileUse, Handle, OpenFile};
use crate::wire::Text;

/// What the damaged records say up to where they fit.
struct Readable {
    id: Option<String>,
    settings: Settings,
    good: u64,
    root: Hash,
    facts: Vec<Fact>,
    ownership: Ownership,
    /// Whole lines behind that.
    lost: u64,
}

impl Records {
    /// Returns whether the records of a root fit, so that there is nothing to [renew](Records::renew).
    ///
    /// # Errors
    ///
    /// `no_records`; those of [`open`](Records::open), but for damage.
    pub fn fit(root: &Root) -> Result<bool> {
        let verified = Records::open_of_any_root(root).and_then(|records| match records {
            Some(records) => records.verify(&[]).map(drop),
            None => Err(Error::new(Kind::NoRecords).during("renew the records")),
        });
        match verified {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == Kind::Integrity => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Moves damaged records aside and makes new ones, which name them. Returns what was done; `None` if they fit.
    ///
    /// Nothing is deleted: the old log is kept in the state directory, under `records.damaged-` and the time. What the
    /// entries that fit say of ownership and ledger is taken over.
    ///
    /// # Errors
    ///
    /// `usage` without a reason; `no_records`; `integrity` where the records fit but are those of another root; those of
    /// [`init`](Records::init).
    pub fn renew(root: &Root, author: &Author) -> Result<(Records, Option<Renewed>)> {
        if author.reason.is_none() {
            return Err(Error::new(Kind::Usage).during("renew the records").because("a reason has to be given"));
        }
        let none = || Error::new(Kind::NoRecords).during("renew the records");
        let dir = open_state(root)?.ok_or_else(none)?;
        if root.calls().stat_at(&dir, OsStr::new(LOG_NAME)).is_err_and(|source| sys::fault(&source) == Fault::Missing) {
            return Err(none());
        }
        if Records::fit(root)? {
            let records = Records::open(root)?.ok_or_else(none)?;
            return Ok((records, None));
        }
        let file = open_own(root.calls(), &dir, LOG_NAME, FileUse::Read).ok().flatten();
        if let Some(file) = &file {
            lock(root, file, super::store::WAIT)?;
        }
        let readable = readable(file.as_ref())?;
        let kept = move_aside(root, &dir)?;
        let Readable { id, settings, good, root: hash, mut facts, ownership, lost } = readable;
        facts.extend(owned_facts(&ownership.into_owned(), author));
        let renewed = Renewed { id, kept, good, root: hash, lost };
        let (records, _) = Records::found(root, settings, author, Some(renewed.clone()))?;
        marker::leave(root, &records.id())?;
        records.append(|_| Ok(facts.into_iter().map(|fact| Body::Fact(Box::new(fact))).collect()))?;
        Ok((records, Some(renewed)))
    }
}

/// What is owned, as facts that fit into a line each.
fn owned_facts(owned: &[Owned], author: &Author) -> Vec<Fact> {
    const TOGETHER: usize = 200;
    let fact = |owned: &[Owned]| {
        let data = serde_json::value::to_raw_value(owned).expect("BUG: what is owned has string keys");
        Fact {
            topic: TOPIC.to_owned(),
            verb: "records renew".to_owned(),
            outcome: "renewed".to_owned(),
            group: None,
            reason: author.reason.clone(),
            actor: author.actor.clone(),
            data,
        }
    };
    owned.chunks(TOGETHER).map(fact).collect()
}

fn readable(file: Option<&OpenFile>) -> Result<Readable> {
    let (mut state, mut tree) = (State::empty(), Tree::default());
    let mut read = Readable {
        id: None,
        settings: Settings::default(),
        good: 0,
        root: tree.root(),
        facts: Vec::new(),
        ownership: Ownership::default(),
        lost: 0,
    };
    let Some(file) = file else { return Ok(read) };
    let mut lines = Lines::new(file, 0, file.len().map_err(io)?);
    while let Next::Line(line) = lines.next().map_err(io)? {
        let fits = if read.lost == 0 { state.take(line).ok() } else { None };
        match fits {
            Some(Line::Entry(_, Body::Records(founding))) => {
                read.id = Some(founding.id);
                read.settings = founding.settled.settings;
            }
            Some(Line::Entry(_, Body::Settings(settled))) => read.settings = settled.settings,
            Some(Line::Entry(_, Body::Fact(fact))) if fact.topic != TOPIC => read.facts.push(*fact),
            Some(Line::Entry(head, body)) => read.ownership.take(head.seq, body),
            Some(Line::Cut) => {}
            None => {
                read.lost += 1;
                if line.len() > LINE_MAX {
                    break;
                }
                continue;
            }
        }
        tree.push(state.last);
    }
    read.good = tree.size();
    read.root = tree.root();
    Ok(read)
}

/// Moves the log, and what was made of it, into a directory of its own.
fn move_aside(root: &Root, dir: &Handle) -> Result<Text> {
    let calls = root.calls();
    let failed = |source| Error::from_io(source).during("move the damaged records aside");
    let name = format!("records.damaged-{}", Time::now());
    calls.make_dir(dir, OsStr::new(&name), 0o700).map_err(failed)?;
    let aside = calls.open_dir(dir, OsStr::new(&name).as_ref(), false, Access::Read).map_err(failed)?;
    for file in [LOG_NAME, INDEX_NAME] {
        // The directory was made just now, and nobody else can enter it.
        match calls.rename_over((dir, OsStr::new(file)), (&aside, OsStr::new(file))) {
            Err(source) if file == INDEX_NAME && sys::fault(&source) == Fault::Missing => {}
            moved => moved.map_err(failed)?,
        }
    }
    calls.sync_dir(&aside).and_then(|()| calls.sync_dir(dir)).map_err(failed)?;
    Ok(Text::new(name))
}
