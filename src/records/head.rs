//! What every entry of the log begins with.
//!
//! The keys: `seq` its number, `entry` its kind, `prev` the leaf hash of the entry before, `time`, `base` the place in the
//! file from which on all that is still open is told, `settings_at` the place of the settings that hold. So whoever opens a
//! log of any length knows from its last entry what it needs to go on.

use serde::{Deserialize, Serialize};

use super::entry::{Body, EntryKind};
use super::prefix::Prefix;
use super::time::Time;
use super::tree::Hash;

/// The room that a line is given at first, in bytes: nearly all are shorter.
const USUAL: usize = 512;

/// What every entry begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) seq: u64,
    pub(crate) entry: EntryKind,
    pub(crate) prev: Hash,
    pub(crate) time: Time,
    pub(crate) base: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) settings_at: u64,
}

fn is_zero(place: &u64) -> bool {
    *place == 0
}

/// Why a line is no entry.
#[derive(Debug)]
pub(crate) enum Misfit {
    /// It could be the beginning of one.
    Cut,
    /// It cannot.
    Damaged,
}

impl Head {
    /// Reads that of a line whose [body](Head::body) is read next: whether the rest is JSON is left to that.
    pub(crate) fn of_entry(line: &[u8]) -> Result<Head, Misfit> {
        match Prefix::of(line).and_then(|prefix| Head::from_prefix(&prefix, None)) {
            Some(head) => Ok(head),
            None => Head::read(line),
        }
    }

    /// That of a prefix, whose time may be known.
    fn from_prefix(prefix: &Prefix<'_>, time: Option<Time>) -> Option<Head> {
        let &Prefix { seq, base, settings_at, .. } = prefix;
        let (entry, prev) = (EntryKind::named(prefix.entry)?, Hash::from_base64(prefix.prev)?);
        let time = time.or_else(|| prefix.time.parse().ok())?;
        Some(Head { seq, entry, prev, time, base, settings_at })
    }

    pub(crate) fn read(line: &[u8]) -> Result<Head, Misfit> {
        serde_json::from_slice(line).map_err(|error| if error.is_eof() { Misfit::Cut } else { Misfit::Damaged })
    }

    /// The line of an entry, with its newline.
    pub(crate) fn line(&self, body: &Body) -> Vec<u8> {
        let mut line = Vec::with_capacity(USUAL);
        serde_json::to_writer(&mut line, self).expect("BUG: a head has no JSON");
        let joint = line.len() - 1;
        body.write_json(&mut line).expect("BUG: an entry has no JSON");
        // Both are objects, and no key is in both: the end of the one and the beginning of the other become a comma.
        line[joint] = b',';
        line.remove(joint + 1);
        line.push(b'\n');
        line
    }

    pub(crate) fn body(&self, line: &[u8]) -> Result<Body, Misfit> {
        Body::from_json(self.entry, line).map_err(|_| Misfit::Damaged)
    }
}

/// Splits the heads of entries off, one after the other. Those that were written together have the same time.
#[derive(Default)]
pub(crate) struct Heads {
    last: Option<(String, Time)>,
}

impl Heads {
    /// Reads that of the next line where it is written as this program does, and returns the rest, from the comma on. Whoever
    /// reads that has to see to it that it has no key of a head.
    pub(crate) fn split<'l>(&mut self, line: &'l [u8]) -> Option<(Head, &'l [u8])> {
        let (prefix, rest) = Prefix::with_rest(line)?;
        let known = self.last.as_ref().filter(|(text, _)| text == prefix.time).map(|(_, time)| *time);
        let head = Head::from_prefix(&prefix, known)?;
        if known.is_none() {
            self.last = Some((prefix.time.to_owned(), head.time));
        }
        Some((head, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::actor::Actor;
    use crate::records::entry::{Ended, Intent, Run};
    use crate::wire::Text;
    use std::sync::Arc;

    fn usual() -> (Head, Intent, Ended) {
        let head = Head {
            seq: 1_999_999,
            entry: EntryKind::Intent,
            prev: Hash::of_nothing(),
            time: Time::now(),
            base: 734_000_000,
            settings_at: 0,
        };
        let actor = Actor {
            uid: Some(1000),
            user: Some("deploy".into()),
            login_uid: Some(1000),
            login_user: Some("deploy".into()),
            pid: Some(123_456),
            program: Some("deploy.sh".into()),
            host: Some("web-12".into()),
            claimed: None,
        };
        let intent = Intent {
            verb: "ensure".into(),
            link: Text::new("current"),
            other: None,
            target: Some(Text::new("releases/42")),
            previous: Some(Text::new("releases/41")),
            at: None,
            moved: None,
            will: "replaced".into(),
            group: None,
            reason: None,
            owner: None,
            run: Run(123_457, 1_234_567_890),
            actor: Arc::new(actor),
        };
        let ended = Ended {
            of: 1_999_999,
            outcome: "replaced".into(),
            guarantee: Some("atomic".into()),
            durability: Some("dir".into()),
            confinement: Some("landlock-7".into()),
            verified: Some(true),
            ..Ended::default()
        };
        (head, intent, ended)
    }

    #[test]
    fn the_usual_entry_has_at_most_400_bytes() {
        let (head, intent, ended) = usual();
        let intent = head.line(&Body::Intent(Arc::new(intent)));
        let ended = Head { entry: EntryKind::Result, ..head }.line(&Body::Result(Box::new(ended)));
        assert!(intent.len() <= 400 && ended.len() <= 400, "{} and {}", intent.len(), ended.len());
        assert!((intent.len() + ended.len()) / 2 <= 367, "{} and {}", intent.len(), ended.len());
    }

    #[test]
    fn an_entry_is_read_as_it_is_written() {
        let (head, intent, _) = usual();
        let line = head.line(&Body::Intent(Arc::new(intent.clone())));
        let json = line.strip_suffix(b"\n").unwrap();
        assert!(!json.contains(&b'\n'));
        let read = Head::read(json).unwrap();
        assert_eq!(read, head);
        assert!(Prefix::of(json).is_some(), "it is read as it is written");
        assert_eq!(Head::of_entry(json).unwrap(), head);
        assert!(matches!(read.body(json).unwrap(), Body::Intent(read) if *read == intent));
    }

    #[test]
    fn every_beginning_of_a_line_could_be_cut_and_nothing_else() {
        let (head, intent, _) = usual();
        let line = head.line(&Body::Intent(Arc::new(intent)));
        let json = line.strip_suffix(b"\n").unwrap();
        for length in 0..json.len() {
            assert!(matches!(Head::read(&json[..length]), Err(Misfit::Cut)), "{length}");
        }
        for other in [&b"x"[..], b"[]", b"{\"seq\":1}x", b"null", b"\0"] {
            assert!(matches!(Head::read(other), Err(Misfit::Damaged)), "{other:?}");
        }
    }
}
