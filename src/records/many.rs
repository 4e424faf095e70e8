//! Entries of which there are many: each is made when it is written, so that they are never all in memory.

use super::entry::{Body, LINE_MAX};

/// So many entries are made and written at once.
pub(super) const TOGETHER: usize = 1024;

/// The room for what an entry begins with, in bytes; two numbers of 20 digits and a time are in it.
const HEAD_MAX: u64 = 256;

/// Entries that are made one after the other.
#[derive(Clone, Copy)]
pub(super) struct Many<'a> {
    count: usize,
    body: &'a dyn Fn(usize) -> Body,
}

/// How much room entries need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    /// At most so many bytes are written.
    pub(super) bytes: u64,
    /// So many of them are intents, whose results follow.
    pub(super) intents: u64,
}

impl<'a> Many<'a> {
    /// So many entries, each made by its number from 0; the same one every time.
    pub(super) fn new(count: usize, body: &'a dyn Fn(usize) -> Body) -> Many<'a> {
        Many { count, body }
    }

    /// None.
    pub(super) fn none() -> Many<'a> {
        Many { count: 0, body: &|_| unreachable!("BUG: there are none") }
    }

    pub(super) fn count(self) -> usize {
        self.count
    }

    /// Those from this one on that are written at once.
    pub(super) fn piece(self, from: usize) -> impl Iterator<Item = Body> + use<'a> {
        (from..self.count.min(from.saturating_add(TOGETHER))).map(self.body)
    }

    /// The room that those from this one on need; none where one of them is longer than a line can be.
    pub(super) fn room(self, from: usize) -> Option<Room> {
        let (mut room, mut json) = (Room::default(), Vec::new());
        for number in from..self.count {
            let body = (self.body)(number);
            json.clear();
            body.write_json(&mut json).expect("BUG: an entry has no JSON");
            let length = json.len() as u64 + HEAD_MAX;
            if length > LINE_MAX as u64 {
                return None;
            }
            room.bytes += length;
            room.intents += u64::from(matches!(body, Body::Intent(_)));
        }
        Some(room)
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
