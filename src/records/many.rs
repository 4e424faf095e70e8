//! Entries of which there are many: each is made when it is written, so that they are never all in memory.

use std::ops::Range;

use super::entry::{Body, EntryKind, LINE_MAX};

/// So many entries are made and written at once.
pub(super) const TOGETHER: usize = 1024;

/// The room for what an entry begins with, in bytes; two numbers of 20 digits and a time are in it.
const HEAD_MAX: u64 = 256;

/// What an entry says, as far as it opens or closes something.
#[derive(Clone, Copy)]
pub(super) enum Said<'a> {
    /// Anything but a result.
    Body(&'a Body),
    /// The intent of a group.
    Member,
    /// The result of the entry of this number.
    Result { of: u64 },
}

/// What entries are of which there are many.
#[derive(Clone, Copy)]
enum Each {
    /// The intents of a group.
    Member,
    /// The results of intents, of which the first has this number.
    Result { first: u64 },
}

/// Entries that are made one after the other.
#[derive(Clone, Copy)]
pub(super) struct Many<'a> {
    count: usize,
    each: Each,
    /// Writes what one says, as JSON.
    write: &'a dyn Fn(usize, &mut Vec<u8>),
}

/// How much room entries need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    /// At most so many bytes are written.
    pub(super) bytes: u64,
    /// So many of them are intents, whose results follow.
    pub(super) intents: u64,
}

impl<'a> Said<'a> {
    pub(super) fn of(body: &'a Body) -> Said<'a> {
        match body {
            Body::Result(ended) => Said::Result { of: ended.of },
            body => Said::Body(body),
        }
    }
}

impl<'a> Many<'a> {
    /// The intents of a group, so many. Each is written by its number from 0, the same one every time.
    pub(super) fn members(count: usize, write: &'a dyn Fn(usize, &mut Vec<u8>)) -> Many<'a> {
        Many { count, each: Each::Member, write }
    }

    /// The results of so many intents, of which the first has this number.
    pub(super) fn results_from(first: u64, count: usize, write: &'a dyn Fn(usize, &mut Vec<u8>)) -> Many<'a> {
        Many { count, each: Each::Result { first }, write }
    }

    /// None.
    pub(super) fn none() -> Many<'a> {
        Many::members(0, &|_, _| unreachable!("BUG: there are none"))
    }

    pub(super) fn count(self) -> usize {
        self.count
    }

    pub(super) fn kind(self) -> EntryKind {
        match self.each {
            Each::Member => EntryKind::Intent,
            Each::Result { .. } => EntryKind::Result,
        }
    }

    pub(super) fn said(self, number: usize) -> Said<'a> {
        match self.each {
            Each::Member => Said::Member,
            Each::Result { first } => Said::Result { of: first + number as u64 },
        }
    }

    pub(super) fn write(self, number: usize, to: &mut Vec<u8>) {
        (self.write)(number, to);
    }

    /// The numbers of those from this one on that are written at once.
    pub(super) fn piece(self, from: usize) -> Range<usize> {
        from..self.count.min(from.saturating_add(TOGETHER))
    }

    /// How many are results.
    pub(super) fn results(self) -> u64 {
        match self.each {
            Each::Member => 0,
            Each::Result { .. } => self.count as u64,
        }
    }

    /// How many of these are intents.
    pub(super) fn intents(self, of: Range<usize>) -> u64 {
        match self.each {
            Each::Member => of.len() as u64,
            Each::Result { .. } => 0,
        }
    }

    /// The room that those from this one on need; none where one of them is longer than a line can be.
    pub(super) fn room(self, from: usize) -> Option<Room> {
        let of = from.min(self.count)..self.count;
        let (mut bytes, mut json) = (0, Vec::new());
        for number in of.clone() {
            json.clear();
            self.write(number, &mut json);
            let length = json.len() as u64 + HEAD_MAX;
            if length > LINE_MAX as u64 {
                return None;
            }
            bytes += length;
        }
        Some(Room { bytes, intents: self.intents(of) })
    }
}

impl Room {
    /// That of entries whose lines are there.
    pub(super) fn of(bytes: &[u8], intents: u64) -> Room {
        Room { bytes: bytes.len() as u64, intents }
    }

    pub(super) fn and(self, other: Room) -> Room {
        Room { bytes: self.bytes + other.bytes, intents: self.intents + other.intents }
    }
}
