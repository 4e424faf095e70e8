//! Two links trade places, in one step.
//!
//! Under the locks of both directories: both links are pinned, each text is judged at its new place, the names are
//! traded in one kernel call, and both are looked at. If either is not the link that was pinned, they are traded back.

use std::ffi::OsString;
use std::io;

use super::area::Area;
use super::durable::{leave_to_batch, sync};
use super::permission::may_take_away;
use super::pinned::Pinned;
use super::run::{break_step, given_up};
use super::shared::predict;
use super::target::{Rules, leads_where_it_may};
use super::untrade::{Seen, has, trade_back};
use super::verify::{self, ReadBack};
use super::{Attempt, guarantee};
use crate::entry::Entry;
use crate::error::{Error, Kind, Result};
use crate::model::change::Exchange;
use crate::model::{Durability, Edit, Effect, Guarantee, LinkPath, Outcome, Staging};
use crate::resolve::Overlay;
use crate::root::{Root, not_state};
use crate::sys::{self, Fault};

/// How often the trade is decided anew when others change the same names.
const ATTEMPTS: usize = 64;

/// Carries out an exchange, or previews it; `opened` is the first entry, where it was opened before.
pub(super) fn carry_out(
    root: &Root,
    edit: &Edit,
    exchange: &Exchange,
    opened: Option<&Entry>,
    dry_run: bool,
) -> Result<Outcome> {
    Trade { root, edit, exchange, dry_run }.carry_out(opened)
}

struct Trade<'a> {
    root: &'a Root,
    edit: &'a Edit,
    exchange: &'a Exchange,
    dry_run: bool,
}

impl Trade<'_> {
    fn carry_out(&self, opened: Option<&Entry>) -> Result<Outcome> {
        let owned = if opened.is_none() { Some(self.open(&self.edit.path)?) } else { None };
        let a = owned.as_ref().or(opened).expect("BUG: one of them is there");
        let b = self.open(&self.exchange.with)?;
        let mut refusals = Vec::new();
        for _ in 0..ATTEMPTS {
            match self.attempt(a, &b)? {
                Attempt::Done([mut one, mut two]) => {
                    if one.effect.is_change() && !self.dry_run {
                        self.make_durable(a, &mut one);
                        self.make_durable(&b, &mut two);
                    }
                    one.counterpart = Some(Box::new(two));
                    return Ok(one);
                }
                Attempt::Again => {}
                Attempt::Refused(error) => {
                    refusals.push(error);
                    break_step(self.root, refusals.len());
                }
            }
        }
        Err(given_up(refusals, ATTEMPTS).on("exchange", &a.path))
    }

    fn open(&self, path: &LinkPath) -> Result<Entry> {
        let open = || {
            let entry = Entry::open(self.root, path)?;
            not_state(self.root, entry.physical())?;
            Ok(entry)
        };
        open().map_err(|error: Error| self.root.or_gone(error.on("exchange", path).denied_at(path.as_path())))
    }

    fn attempt(&self, a: &Entry, b: &Entry) -> Result<Attempt<[Outcome; 2]>> {
        let on = |entry: &Entry, error: Error| {
            self.root.or_gone(error.on("exchange", &entry.path).denied_at(entry.path.as_path()))
        };
        let (link_a, link_b) = match (pinned(a), pinned(b)) {
            (Ok(link_a), Ok(link_b)) => (link_a, link_b),
            (Err(error), _) => return Err(on(a, error)),
            (_, Err(error)) => return Err(on(b, error)),
        };
        let (Some(link_a), Some(link_b)) = (link_a, link_b) else { return Ok(Attempt::Again) };
        if link_a.stat.id == link_b.stat.id {
            if link_a.stat.links == 1 && a.physical() != b.physical() {
                // Others moved it from the one name to the other while they were looked at.
                return Ok(Attempt::Again);
            }
            let [one, two] = [(a, &link_a), (b, &link_b)]
                .map(|(entry, link)| self.report(entry, Effect::Unchanged, Some(&link.text), None, true));
            return Ok(Attempt::Done([one, two]));
        }
        if !self.root.policy().replace {
            return Err(on(a, Error::new(Kind::Policy)));
        }
        let overlay = [(a.physical(), link_b.text.as_os_str()), (b.physical(), link_a.text.as_os_str())];
        let (dangling, outside) = (self.exchange.allow_dangling, self.exchange.allow_outside);
        let rules = Rules { dangling, outside, directory: false };
        for (entry, text) in [(a, &link_b.text), (b, &link_a.text)] {
            leads_where_it_may(self.root, entry.dir(), text, Overlay::new(&overlay), rules)
                .map_err(|error| on(entry, error))?;
        }
        if self.dry_run {
            if !self.root.abilities().exchange {
                return Err(on(a, unsupported(self.root)));
            }
            for entry in [a, b] {
                may_take_away(entry).and_then(|()| predict(entry)).map_err(|error| on(entry, error))?;
            }
            let left = [(a, &link_b.text), (b, &link_a.text)];
            let left = left.map(|(entry, text)| (entry.physical(), Some(text.as_os_str())));
            for entry in [b, a] {
                verify::would_stay(entry, &left).map_err(|error| on(entry, error))?;
            }
            return Ok(Attempt::Done(self.exchanged(a, b, &link_a, &link_b, !self.root.policy().unverified)));
        }
        let (lock, other) = Area::lock_both(a, b).map_err(|error| on(a, error))?;
        let result = self.trade(a, b, &link_a, &link_b, &lock);
        let add = |outcomes: &mut [Outcome; 2], shortfall| outcomes[0].shortfalls.push(shortfall);
        let result = lock.close(result, add);
        let result = if let Some(other) = other { other.close(result, add) } else { result };
        result.map_err(|error| on(a, error))
    }

    /// Trades the links under the locks, of which this is one.
    fn trade(
        &self,
        a: &Entry,
        b: &Entry,
        link_a: &Pinned,
        link_b: &Pinned,
        lock: &Area<'_>,
    ) -> Result<Attempt<[Outcome; 2]>> {
        // Another holder may have replaced one of them while this one waited for the lock.
        if !has(a, link_a) || !has(b, link_b) {
            return Ok(Attempt::Again);
        }
        match self.root.calls().exchange(a.at(), b.at()) {
            Ok(()) => {}
            Err(source) => {
                return match sys::fault(&source) {
                    Fault::Missing => Ok(Attempt::Again),
                    Fault::Unsupported if lock.can_trade(&link_a.text)? => Ok(Attempt::Again),
                    Fault::Unsupported => Err(unsupported(self.root)),
                    // It may have been carried out; nothing tells that from a trade of the same links by others. It stays.
                    _ if verify::may_be_done(&source) && has(a, link_b) && has(b, link_a) => {
                        let names = [a, b].map(|entry| entry.physical().to_path_buf());
                        let error = Error::from_io(source).leaving(Vec::new(), names.to_vec());
                        Err(error.on("exchange", &a.path))
                    }
                    _ => self.refused(a, b, source),
                };
            }
        }
        match self.check(a, b, link_a, link_b) {
            Ok(true) => Ok(Attempt::Done(self.exchanged(a, b, link_a, link_b, !self.root.policy().unverified))),
            Ok(false) => Ok(Attempt::Again),
            Err((entry, error)) => Err(error.on("exchange", &entry.path)),
        }
    }

    /// The kernel refused: a directory was moved away, one of the two is no link by now, or it may not be.
    fn refused(&self, a: &Entry, b: &Entry, source: io::Error) -> Result<Attempt<[Outcome; 2]>> {
        let moved = |entry: &&Entry| verify::parent_in_place(entry).is_ok_and(|in_place| !in_place);
        let denied = |entry: &&Entry| may_take_away(entry).is_err();
        let entry = [a, b].into_iter().find(moved).or_else(|| [a, b].into_iter().find(denied)).unwrap_or(a);
        let on = |error: Error| error.on("exchange", &entry.path).denied_at(entry.path.as_path());
        verify::not_moved(entry, &[a, b], source).map_err(on)
    }

    /// Looks at both names after the trade, and trades back what is not as it should be.
    fn check<'e>(
        &self,
        a: &'e Entry,
        b: &'e Entry,
        link_a: &Pinned,
        link_b: &Pinned,
    ) -> std::result::Result<bool, (&'e Entry, Error)> {
        let as_pinned = has(a, link_b) && has(b, link_a);
        let (mut cause, mut taken) = (None, false);
        if as_pinned && !self.root.policy().unverified {
            for (entry, link) in [(a, link_b), (b, link_a)] {
                match verify::read_back_created(entry, link.stat.id, &link.text) {
                    Ok(ReadBack::Stands) => {}
                    Ok(ReadBack::Taken) => {
                        taken = true;
                        cause = Some((entry, verify::taken()));
                    }
                    Ok(ReadBack::Moved) => cause = Some((entry, verify::parent_moved())),
                    Err(error) => cause = Some((entry, error)),
                }
            }
        }
        if as_pinned && cause.is_none() {
            return Ok(true);
        }
        let seen = match (as_pinned, taken) {
            (false, _) => Seen::Wrong,
            (true, false) => Seen::Right,
            (true, true) => Seen::Taken,
        };
        let leftover = trade_back((a, link_a), (b, link_b), seen);
        match cause {
            Some((entry, error)) => Err((entry, leftover.on(error))),
            None if leftover.is_empty() => Ok(false),
            None => Err((a, leftover.on(verify::taken()))),
        }
    }

    fn exchanged(&self, a: &Entry, b: &Entry, link_a: &Pinned, link_b: &Pinned, verified: bool) -> [Outcome; 2] {
        [
            self.report(a, Effect::Exchanged, Some(&link_b.text), Some(&link_a.text), verified),
            self.report(b, Effect::Exchanged, Some(&link_a.text), Some(&link_b.text), verified),
        ]
    }

    fn report(
        &self,
        entry: &Entry,
        effect: Effect,
        target: Option<&OsString>,
        previous: Option<&OsString>,
        verified: bool,
    ) -> Outcome {
        Outcome {
            link: entry.path.clone(),
            physical: entry.followed(),
            effect,
            target: target.cloned(),
            previous: previous.cloned(),
            guarantee: Guarantee::Atomic,
            durability: if self.dry_run && effect.is_change() { self.edit.durability } else { Durability::None },
            confinement: self.root.confinement(),
            staging: Staging::None,
            verified,
            dry_run: self.dry_run,
            backup: None,
            made: Vec::new(),
            shortfalls: Vec::new(),
            counterpart: None,
        }
    }

    fn make_durable(&self, entry: &Entry, outcome: &mut Outcome) {
        match sync(self.root, Some(&entry.parent), &[entry.dir().to_path_buf()], self.edit.durability) {
            Ok(()) => outcome.durability = self.edit.durability,
            Err(error) => outcome.shortfalls.push(error.on("exchange", &entry.path)),
        }
        leave_to_batch(entry);
    }
}

/// Pins a link, or says what has the name instead; none if it is a link by now.
fn pinned(entry: &Entry) -> Result<Option<Pinned>> {
    if let Some(link) = Pinned::at(entry, entry.at())? {
        return Ok(Some(link));
    }
    let found = entry.look()?;
    let kind = match found {
        crate::error::Found::Missing => Kind::NotFound,
        crate::error::Found::Link(_) => return Ok(None),
        crate::error::Found::Other(_) => Kind::NotALink,
    };
    let reason = format!("found {found}");
    Err(Error::new(kind).because(reason).found_instead(found))
}

fn unsupported(root: &Root) -> Error {
    guarantee(root, false)
        .err()
        .unwrap_or_else(|| Error::new(Kind::Unsupported).because("this host cannot exchange two names in one step"))
}
