//! The way out of damaged records: they are moved aside, and new ones begin that name them.

use std::ffi::OsStr;
use std::ops::ControlFlow;

use super::actor::Actor;
use super::author::Author;
use super::entry::{Body, Fact, Founding, LINE_MAX, Renewed, Settings};
use super::held::{Held, HeldLink};
use super::index::INDEX_NAME;
use super::lines::{Lines, Next};
use super::log_file::{LOG_NAME, damaged, io, lock, open_own};
use super::many::Many;
use super::owned::{Owned, Ownership, TOPIC};
use super::state::{Line, State};
use super::store::{Records, open_state};
use super::time::Time;
use super::tree::{Hash, Tree};
use super::{marker, private};
use crate::error::{Error, Kind, Result};
use crate::model::ObjectId;
use crate::root::Root;
use crate::sys::{self, Access, Calls, Fault, FileUse, Handle, OpenFile};
use crate::wire::Text;

/// What the directories of damaged records begin with; the time follows.
const KEPT: &str = "records.damaged-";

/// What the name of a new log begins and ends with, until it is moved to where it can be exchanged.
const NEW: &str = "log-";
const NEW_END: &str = ".new";

/// The damaged log's second name beside the new one, where two entries cannot be exchanged.
const SECOND_NAME: &str = "damaged.jsonl";

/// What keeps a log in its place, although the caller may write the directory.
const HELD: &str = "the log is not to be moved; where it is append-only, `chattr -a` on it comes first";

/// How often it is begun anew where others put something in the log's place meanwhile.
const TRIES: usize = 16;

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
    /// # Atomicity
    ///
    /// The new log is written whole and synced, and then exchanged with the damaged one. A program that is stopped before
    /// that leaves the damaged records in their place, and behind it the new ones, with everything that was taken over: at
    /// no moment there are none.
    ///
    /// # Errors
    ///
    /// `usage` without a reason; `no_records`; `integrity` where the records fit but are those of another root; those of
    /// [`init`](Records::init); `contended` where others keep putting something in the log's place.
    pub fn renew(root: &Root, author: &Author) -> Result<(Records, Option<Renewed>)> {
        if author.reason.is_none() {
            return Err(Error::new(Kind::Usage).during("renew the records").because("a reason has to be given"));
        }
        let none = || Error::new(Kind::NoRecords).during("renew the records");
        for _ in 0..TRIES {
            let dir = open_state(root)?.ok_or_else(none)?;
            let place = match root.calls().stat_at(&dir, OsStr::new(LOG_NAME)) {
                Ok(stat) => Place { root, dir: &dir, damaged: stat.id },
                Err(source) if sys::fault(&source) == Fault::Missing => {
                    if !Records::fit(root)? {
                        Place::put_empty(root, &dir)?;
                    }
                    continue;
                }
                Err(source) => return Err(io(source)),
            };
            if Records::fit(root)? {
                let records = Records::open(root)?.ok_or_else(none)?;
                return Ok((records, None));
            }
            private::check_way(root, &dir)?;
            if let Some(renewed) = place.renew(author)? {
                let records = Records::open(root)?.ok_or_else(none)?;
                return Ok((records, Some(renewed)));
            }
        }
        Err(Error::new(Kind::Contended).during("renew the records"))
    }
}

/// The place of a damaged log.
struct Place<'a> {
    root: &'a Root,
    /// The state directory.
    dir: &'a Handle,
    /// What is under the log's name.
    damaged: ObjectId,
}

impl Place<'_> {
    /// A log that is gone is renewed as an empty one.
    fn put_empty(root: &Root, dir: &Handle) -> Result<()> {
        match root.calls().open_file(dir, OsStr::new(LOG_NAME), FileUse::WriteNew) {
            Err(source) if sys::fault(&source) != Fault::Exists => Err(io(source)),
            _ => Ok(()),
        }
    }

    /// Renews under the lock of the damaged log, where that is a file; `None` where something else took its place.
    fn renew(&self, author: &Author) -> Result<Option<Renewed>> {
        let file = self.root.calls().open_file(self.dir, OsStr::new(LOG_NAME), FileUse::Read).ok();
        if let Some(file) = &file {
            lock(self.root, file, super::store::WAIT)?;
        }
        let is_it = |file: &OpenFile| file.stat().is_ok_and(|stat| stat.id == self.damaged);
        let renewed = match file.as_ref().is_none_or(is_it) && self.is_in_place() {
            true => self.renew_locked(author),
            false => Ok(None),
        };
        if let Some(file) = &file {
            file.unlock();
        }
        renewed
    }

    fn is_in_place(&self) -> bool {
        self.root.calls().stat_at(self.dir, OsStr::new(LOG_NAME)).is_ok_and(|stat| stat.id == self.damaged)
    }

    fn renew_locked(&self, author: &Author) -> Result<Option<Renewed>> {
        self.tidy()?;
        let file = open_own(self.root.calls(), self.dir, LOG_NAME, FileUse::Read).ok().flatten();
        let renewed = self.replace(author, readable(file.as_ref())?);
        if !matches!(renewed, Ok(Some(_))) {
            let _tidied = self.tidy();
        }
        renewed
    }

    /// Writes the new log, and exchanges it with the damaged one.
    fn replace(&self, author: &Author, readable: Readable) -> Result<Option<Renewed>> {
        let (root, calls) = (self.root, self.root.calls());
        let Readable { id, settings, good, root: hash, mut facts, ownership, lost } = readable;
        facts.extend(owned_facts(Held::from(ownership).owned(), author));
        let name = format!("{KEPT}{}", Time::now());
        let renewed = Renewed { id, kept: Text::new(&name), good, root: hash, lost };
        let founding = Founding::of(root, settings, author, Some(renewed.clone()))?;
        let new_id = founding.id.clone();
        let bodies = std::iter::once(Body::Records(Box::new(founding)))
            .chain(facts.into_iter().map(|fact| Body::Fact(Box::new(fact))))
            .collect::<Vec<_>>();
        let lines = State::empty().extend(&[], &bodies, Many::none()).map_err(|at| damaged(at.seq, at.reason))?;

        let failed = |source| Error::from_io(source).during("move the damaged records aside");
        let new = format!("{NEW}{:032x}{NEW_END}", calls.random().map_err(io)?);
        let file = calls.open_file(self.dir, OsStr::new(&new), FileUse::WriteNew).map_err(io)?;
        file.append(&lines.bytes).and_then(|()| file.sync()).map_err(io)?;
        calls.make_dir(self.dir, OsStr::new(&name), 0o700).map_err(failed)?;
        let aside = calls.open_dir(self.dir, name.as_ref(), false, Access::Read).map_err(failed)?;
        let (there, log) = ((&aside, OsStr::new(LOG_NAME)), (self.dir, OsStr::new(LOG_NAME)));
        // The directory was made just now, and nobody else can enter it.
        calls.rename_over((self.dir, OsStr::new(&new)), there).map_err(failed)?;
        let sync = || calls.sync_dir(&aside).and_then(|()| calls.sync_dir(self.dir)).map_err(failed);
        sync()?;
        // Until the exchange the root names records that are not there yet, and the damaged ones are refused anyway.
        marker::leave(root, &new_id)?;
        match calls.exchange(there, log) {
            Err(source) if sys::fault(&source) == Fault::Unsupported => self.replace_by_name(&aside).map_err(failed)?,
            Err(source) if sys::fault(&source) == Fault::Denied => return Err(failed(source).because(HELD)),
            exchanged => exchanged.map_err(failed)?,
        }
        if calls.stat_at(&aside, there.1).map_err(failed)?.id != self.damaged {
            calls.exchange(there, log).map_err(failed)?;
            return Ok(None);
        }
        match calls.rename_over((self.dir, OsStr::new(INDEX_NAME)), (&aside, OsStr::new(INDEX_NAME))) {
            Err(source) if sys::fault(&source) == Fault::Missing => {}
            moved => moved.map_err(failed)?,
        }
        sync()?;
        Ok(Some(renewed))
    }

    /// Without an exchange: the damaged log gets a second name, and then loses its first to the new one.
    fn replace_by_name(&self, aside: &Handle) -> std::io::Result<()> {
        let calls = self.root.calls();
        let (there, log) = ((aside, OsStr::new(LOG_NAME)), (self.dir, OsStr::new(LOG_NAME)));
        let second = (aside, OsStr::new(SECOND_NAME));
        calls.hard_link(log, second)?;
        calls.sync_dir(aside)?;
        calls.rename_over(there, log)?;
        calls.rename_over(second, there)
    }

    /// Removes what a renewal that was stopped left: new logs that nobody used, and the second name of the log.
    fn tidy(&self) -> Result<()> {
        let calls = self.root.calls();
        let listed = calls.open_dir(self.dir, "".as_ref(), true, Access::Read).map_err(io)?;
        let mut names = Vec::new();
        let mut keep = |listed: sys::Listed<'_>| {
            names.extend(listed.name.to_str().map(str::to_owned));
            ControlFlow::Continue(())
        };
        calls.list(&listed, &mut keep).map_err(io)?;
        for name in names {
            if name.starts_with(KEPT) {
                self.tidy_kept(&name).map_err(io)?;
            } else if name.starts_with(NEW) && name.ends_with(NEW_END) {
                calls.unlink(self.dir, OsStr::new(&name)).map_err(io)?;
            }
        }
        Ok(())
    }

    fn tidy_kept(&self, name: &str) -> std::io::Result<()> {
        let calls = self.root.calls();
        let Ok(aside) = calls.open_dir(self.dir, name.as_ref(), false, Access::Read) else { return Ok(()) };
        let mut is_left = false;
        if calls.stat_at(&aside, OsStr::new(SECOND_NAME)).is_ok_and(|stat| stat.id == self.damaged) {
            calls.unlink(&aside, OsStr::new(SECOND_NAME))?;
            is_left = true;
        }
        if is_unused(calls, &aside, name) {
            calls.unlink(&aside, OsStr::new(LOG_NAME))?;
            is_left = true;
        }
        match calls.remove_dir(self.dir, OsStr::new(name)) {
            // It has damaged records in it.
            Err(_) if !is_left => Ok(()),
            removed => removed,
        }
    }
}

/// Whether the log in a directory is one that was to take the place of what was to be kept in that same directory.
fn is_unused(calls: &dyn Calls, aside: &Handle, name: &str) -> bool {
    let Ok(Some(file)) = open_own(calls, aside, LOG_NAME, FileUse::Read) else { return false };
    let founding = super::log::found(&file).ok();
    founding.and_then(|founding| founding.renewed).is_some_and(|renewed| renewed.kept == Text::new(name))
}

/// What is owned, as facts that fit into a line each.
fn owned_facts(owned: &[HeldLink], author: &Author) -> Vec<Fact> {
    const TOGETHER: usize = 200;
    let fact = |owned: &[HeldLink]| {
        let owned: Vec<Owned> = owned.iter().map(HeldLink::to_owned).collect();
        let data = serde_json::value::to_raw_value(&owned).expect("BUG: what is owned has string keys");
        Fact {
            topic: TOPIC.to_owned(),
            verb: "records renew".to_owned(),
            outcome: "renewed".to_owned(),
            group: None,
            reason: author.reason.clone(),
            actor: Actor::clone(&author.actor),
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
            Some(Line::Entry(head, body)) => {
                let Ok(()) = read.ownership.take(head.seq, body);
            }
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
