//! What the entries of a log come to: its end, and what is open there. Pure: bytes in, state out.
//!
//! A state begins at the first entry, or at the `base` of any later one. From there on every line is taken in turn, and
//! has to fit: its number, the leaf hash of the one before, and the places that it tells.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::entry::{Body, CUT, EntryKind, Group, Intent, LINE_MAX, Open, Torn};
use super::head::{Head, Misfit};
use super::line::Stamp;
use super::many::{Many, Said};
use super::tree::Hash;

/// A state in which something is open is told anew where it would take longer than this to read, in bytes.
const BASE_MAX: u64 = 64 * 1024;

/// What is open is told anew where it is not more than this. A line holds some five times as much.
const OPEN_MAX: u64 = 32 * 1024;

/// What is open: it was begun, and nothing says what became of it.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    /// Where its entry begins.
    pub(super) place: u64,
    pub(super) what: Pending,
}

impl Opened {
    fn is_group(&self, id: &str) -> bool {
        matches!(&self.what, Pending::Group(group) if group.group == id)
    }
}

#[derive(Clone, Debug)]
pub(super) enum Pending {
    Intent(Arc<Intent>),
    /// The intent of a group that was written by this state: there can be very many, so that it is read where it is needed.
    Member,
    Group(Arc<Group>),
}

/// What the entries up to some place come to.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// The number of the next entry, and the place where it begins.
    pub(super) seq: u64,
    pub(super) end: u64,
    /// The leaf hash of the last entry.
    pub(super) last: Hash,
    base: u64,
    pub(super) settings_at: u64,
    pub(super) open: BTreeMap<u64, Opened>,
    /// Lines that were cut short and ended, which no entry tells of yet.
    pub(super) torn: Vec<Torn>,
    /// It begins in the middle: its first entry tells what would have to be known.
    resumed: bool,
}

/// A line that does not fit.
#[derive(Debug)]
pub(super) struct Unfit {
    pub(super) seq: u64,
    pub(super) reason: &'static str,
}

/// A line that fits.
pub(super) enum Line {
    Entry(Head, Body),
    /// It was cut short and ended.
    Cut,
}

impl State {
    /// Before the first entry.
    pub(super) fn empty() -> State {
        State { resumed: false, ..State::at(0, 0, Hash::of_nothing()) }
    }

    /// At a place where nothing is open before it, with the number and the `prev` of the entry that begins there.
    pub(super) fn at(place: u64, seq: u64, last: Hash) -> State {
        let open = BTreeMap::new();
        State { seq, end: place, last, base: place, settings_at: 0, open, torn: Vec::new(), resumed: true }
    }

    fn unfit<T>(&self, reason: &'static str) -> Result<T, Unfit> {
        Err(Unfit { seq: self.seq, reason })
    }

    /// Where an entry that begins at the end tells that all is told from. What leaves nothing open is where that begins, so
    /// that a log is opened by its last entry.
    fn base_for(&self, said: Said<'_>) -> u64 {
        if self.open.is_empty() || matches!(said, Said::Body(Body::Open(_))) || self.is_closed_by(said) {
            self.end
        } else {
            self.base
        }
    }

    /// Whether nothing is open any more behind this entry.
    fn is_closed_by(&self, said: Said<'_>) -> bool {
        match said {
            Said::Result { of } => self.open.len() == 1 && self.open.contains_key(&of),
            Said::Body(Body::GroupEnd(end)) => self.open.values().all(|opened| opened.is_group(&end.group)),
            Said::Body(_) | Said::Member => false,
        }
    }

    /// Takes the next line, without its newline.
    pub(super) fn take(&mut self, line: &[u8]) -> Result<Line, Unfit> {
        let leaf = Hash::of_leaf(line);
        if line.last() == Some(&CUT) {
            self.torn.push(Torn { torn: self.seq, leaf });
            self.pass(line, leaf);
            return Ok(Line::Cut);
        }
        let Ok(head) = Head::of_entry(line) else { return self.unfit("it is no entry") };
        self.follows(&head)?;
        let Ok(body) = head.body(line) else { return self.unfit("it is no entry of its kind") };
        self.accept(&head, Said::of(&body))?;
        self.pass(line, leaf);
        Ok(Line::Entry(head, body))
    }

    /// Takes what an entry says, which follows the last one.
    fn accept(&mut self, head: &Head, said: Said<'_>) -> Result<(), Unfit> {
        self.has_right_places(head, said)?;
        match (said, self.torn.first()) {
            (Said::Body(Body::Torn(told)), Some(torn)) if told == torn => drop(self.torn.remove(0)),
            (Said::Body(Body::Torn(_)), _) => return self.unfit("it tells of a line that was not cut short there"),
            (_, Some(_)) => return self.unfit("a line was cut short before it, and it does not tell of that"),
            (_, None) => {}
        }
        self.base = head.base;
        self.settings_at = head.settings_at;
        self.open_or_close(said)?;
        self.resumed = false;
        Ok(())
    }

    fn follows(&self, head: &Head) -> Result<(), Unfit> {
        if head.seq != self.seq {
            return self.unfit("it has the number of another entry");
        }
        if head.prev != self.last {
            return self.unfit("it does not follow the entry before it");
        }
        if (head.entry == EntryKind::Records) != (head.seq == 0) {
            return self.unfit("only the first entry founds the records");
        }
        Ok(())
    }

    fn has_right_places(&self, head: &Head, said: Said<'_>) -> Result<(), Unfit> {
        if head.base != self.base_for(said) {
            return self.unfit("it tells a wrong place of what is open");
        }
        let settings = if head.entry == EntryKind::Settings { self.end } else { self.settings_at };
        if head.settings_at != settings && !(self.resumed && head.settings_at < self.end) {
            return self.unfit("it tells a wrong place of the settings");
        }
        Ok(())
    }

    fn open_or_close(&mut self, said: Said<'_>) -> Result<(), Unfit> {
        let place = self.end;
        let body = match said {
            Said::Member => {
                self.open.insert(self.seq, Opened { place, what: Pending::Member });
                return Ok(());
            }
            // The program that made the change may tell of it after another one settled it.
            Said::Result { of } if of < self.seq => {
                self.open.remove(&of);
                return Ok(());
            }
            Said::Result { .. } => return self.unfit("it is the result of a later entry"),
            Said::Body(body) => body,
        };
        match body {
            Body::Intent(intent) => {
                self.open.insert(self.seq, Opened { place, what: Pending::Intent(Arc::clone(intent)) });
            }
            Body::Group(group) => {
                self.open.insert(self.seq, Opened { place, what: Pending::Group(Arc::clone(group)) });
            }
            Body::GroupEnd(end) => {
                self.open.retain(|_, opened| !opened.is_group(&end.group));
            }
            // Where the state begins with it, what it names is still to be read.
            Body::Open(told) if !self.resumed => {
                let open = self.open.iter().map(|(seq, opened)| (*seq, opened.place));
                if !open.eq(told.open.iter().copied()) {
                    return self.unfit("it tells of other things than are open");
                }
            }
            Body::Result(_) => unreachable!("BUG: it is said as a result"),
            Body::Open(_) | Body::Records(_) | Body::Settings(_) | Body::Fact(_) | Body::Torn(_) => {}
        }
        Ok(())
    }

    fn pass(&mut self, line: &[u8], leaf: Hash) {
        self.seq += 1;
        self.last = leaf;
        self.end += line.len() as u64 + 1;
    }

    /// The lines that add these entries at the end, and the first of `many` behind them; this is the state behind them
    /// afterwards.
    ///
    /// A line that was cut short, `cut` of it being there, is ended first and told of.
    pub(super) fn extend(&mut self, cut: &[u8], bodies: &[Body], many: Many<'_>) -> Result<Extension, Unfit> {
        let mut extension = Extension { bytes: Vec::new(), numbers: Vec::new(), stamp: Stamp::now() };
        if !cut.is_empty() {
            let mut line = cut.to_vec();
            line.push(CUT);
            extension.bytes.extend_from_slice(&[CUT, b'\n']);
            self.take(&line)?;
        }
        let mut told: Vec<Body> = self.torn.iter().copied().map(Body::Torn).collect();
        // Told anew it costs less than to read on from the base, unless it is about to be closed, or is more than a line holds.
        let open = self.open.len() as u64;
        let closed = bodies.iter().filter(|body| matches!(body, Body::Result(_))).count() as u64 + many.results();
        let is_worth_it = open > closed * 2 && open < OPEN_MAX;
        if is_worth_it && self.end - self.base > BASE_MAX.max(open * 128) {
            let open = self.open.iter().map(|(seq, opened)| (*seq, opened.place)).collect();
            told.push(Body::Open(Open { open }));
        }
        for body in told.iter().chain(bodies) {
            let write = |line: &mut Vec<u8>| body.write_json(line).expect("BUG: an entry has no JSON");
            self.add(&mut extension, body.kind(), Said::of(body), write)?;
        }
        self.add_piece(&mut extension, many, 0)?;
        extension.numbers.drain(..told.len());
        Ok(extension)
    }

    /// The lines that add those of `many` from this one on that are written at once, in place of what the extension has.
    pub(super) fn go_on(&mut self, extension: &mut Extension, many: Many<'_>, from: usize) -> Result<(), Unfit> {
        let before = extension.numbers.len();
        extension.bytes.clear();
        self.add_piece(extension, many, from)?;
        extension.numbers.truncate(before);
        Ok(())
    }

    fn add_piece(&mut self, extension: &mut Extension, many: Many<'_>, from: usize) -> Result<(), Unfit> {
        many.piece(from)
            .try_for_each(|number| self.add(extension, many.kind(), many.said(number), |line| many.write(number, line)))
    }

    /// Adds an entry that says what `write` writes.
    fn add(
        &mut self,
        extension: &mut Extension,
        entry: EntryKind,
        said: Said<'_>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Unfit> {
        let head = Head {
            seq: self.seq,
            entry,
            prev: self.last,
            time: extension.stamp.time(),
            base: self.base_for(said),
            settings_at: if entry == EntryKind::Settings { self.end } else { self.settings_at },
        };
        let begin = extension.bytes.len();
        extension.stamp.write(&head, &mut extension.bytes, write);
        let line = &extension.bytes[begin..];
        if line.len() > LINE_MAX {
            return self.unfit(TOO_LONG);
        }
        extension.numbers.push(self.seq);
        self.follows(&head)?;
        self.accept(&head, said)?;
        let json = &line[..line.len() - 1];
        self.pass(json, Hash::of_leaf(json));
        Ok(())
    }
}

/// What is written at the end of a log.
pub(super) struct Extension {
    pub(super) bytes: Vec<u8>,
    /// The numbers of the entries that were asked for.
    pub(super) numbers: Vec<u64>,
    stamp: Stamp,
}

/// Why an entry that is to be written does not fit.
pub(super) const TOO_LONG: &str = "it would be too long";

/// Why what stands behind the last newline does not fit.
pub(super) const NOT_CUT: &str = "it is no entry that was cut short";

/// Whether what stands behind the last newline could be the beginning of an entry, as a crash leaves it.
pub(super) fn could_be_cut(cut: &[u8]) -> bool {
    // A file system may give back blocks that were not written as zeros.
    let text = cut.len() - cut.iter().rev().take_while(|byte| **byte == 0).count();
    // It may have been ended before, in a line that was cut short as well.
    let text = cut[..text].strip_suffix(&[CUT]).unwrap_or(&cut[..text]);
    matches!(Head::read(text), Ok(_) | Err(Misfit::Cut))
}
