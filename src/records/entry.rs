//! An entry of the log: one line of JSON, with what every entry begins with and what it says.
//!
//! The keys of the beginning: `seq` its number, `entry` its kind, `prev` the leaf hash of the entry before, `time`, `base`
//! the place in the file from which on all that is still open is told, `settings_at` the place of the settings that hold.
//! So whoever opens a log of any length knows from its last entry what it needs to go on.

use std::borrow::Borrow as _;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::actor::Actor;
use super::identity::RootIdentity;
use super::moved::Moved;
use super::prefix::Prefix;
use super::time::Time;
use super::tree::Hash;
use crate::wire::Text;

/// The format of the log that this version reads and writes.
pub(crate) const FORMAT: u32 = 1;

/// A line that a crash cut short is ended by this byte, which no JSON has, so that it cannot be taken for a damaged one.
pub(crate) const CUT: u8 = 0x18;

/// The longest line, in bytes. What can be recorded is far shorter.
pub(crate) const LINE_MAX: usize = 4 * 1024 * 1024;

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

macro_rules! bodies {
    ($($(#[$doc:meta])* $variant:ident($kept:ty as $of:ty) = $name:literal,)*) => {
        /// What an entry is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub(crate) enum EntryKind {
            $(#[serde(rename = $name)] $variant,)*
        }

        /// What an entry says.
        #[derive(Clone, Debug)]
        pub(crate) enum Body {
            $($(#[$doc])* $variant($kept),)*
        }

        impl EntryKind {
            fn named(name: &str) -> Option<EntryKind> {
                match name { $($name => Some(EntryKind::$variant),)* _ => None }
            }
        }

        impl Body {
            pub(crate) fn kind(&self) -> EntryKind {
                match self { $(Body::$variant(_) => EntryKind::$variant,)* }
            }

            fn to_json(&self) -> serde_json::Result<Vec<u8>> {
                match self { $(Body::$variant(body) => serde_json::to_vec::<$of>(body.borrow()),)* }
            }

            fn from_json(kind: EntryKind, line: &[u8]) -> serde_json::Result<Body> {
                Ok(match kind {
                    $(EntryKind::$variant => Body::$variant(serde_json::from_slice::<$of>(line)?.into()),)*
                })
            }
        }
    };
}

bodies! {
    /// The first entry.
    Records(Box<Founding> as Founding) = "records",
    /// A change that is about to be made.
    Intent(Arc<Intent> as Intent) = "intent",
    /// What became of it.
    Result(Box<Ended> as Ended) = "result",
    /// Other settings, or another root, from here on.
    Settings(Box<Settled> as Settled) = "settings",
    /// Changes that stand or fall together begin; their intents follow.
    Group(Arc<Group> as Group) = "group",
    /// They stand, or were taken back.
    GroupEnd(GroupEnd as GroupEnd) = "group_end",
    /// Something that concerns no link: the ledger, ownership, a hook.
    Fact(Box<Fact> as Fact) = "fact",
    /// A line that a crash cut short stands before this entry.
    Torn(Torn as Torn) = "torn",
    /// What is open at this place.
    Open(Open as Open) = "open",
}

/// The first entry: which records these are, and of which root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Founding {
    pub(crate) format: u32,
    pub(crate) id: String,
    #[serde(flatten)]
    pub(crate) settled: Settled,
    /// The records that these go on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) renewed: Option<Renewed>,
}

/// Damaged records that were moved aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewed {
    /// Their id, as far as it could be read.
    pub id: Option<String>,
    /// The name that they have now, in the state directory.
    pub kept: Text,
    /// The number of their entries that fit.
    pub good: u64,
    /// The root hash of the tree over those.
    pub root: Hash,
    /// The number of the intents among them that nothing is known of any more.
    pub lost: u64,
}

/// Settings and root, with who made them so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settled {
    pub(crate) outcome: String,
    pub(crate) root: RootIdentity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<Text>,
    pub(crate) settings: Settings,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    pub(crate) actor: Actor,
}

/// What the records demand of a mutation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Settings {
    /// A mutation has to say why.
    pub require_reason: bool,
}

impl Settings {
    /// Demands that a mutation says why.
    #[must_use]
    pub fn require_reason(mut self, require: bool) -> Settings {
        self.require_reason = require;
        self
    }
}

/// A change that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) verb: String,
    pub(crate) link: Text,
    /// The other link of an exchange, or the other name of what is moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) other: Option<Text>,
    /// The text that the link will have; none where it is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<Text>,
    /// The text that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Text>,
    /// Its physical path, where links were followed to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<Text>,
    /// The file or directory that is moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) moved: Option<Moved>,
    /// The outcome if it succeeds.
    pub(crate) will: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The manifest that the link is made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<String>,
    /// The process that makes it, and when that was started.
    pub(crate) run: Run,
    pub(crate) actor: Actor,
}

/// A process: its number, and when it was started in ticks since the system was; 0 where that is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Run(pub(crate) u32, pub(crate) u64);

/// What became of an intent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) of: u64,
    /// An outcome, `failed`, or `unknown` where the disk did not tell either.
    pub(crate) outcome: String,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    /// The texts, where they are not those of the intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) guarantee: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) durability: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) confinement: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) verified: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) backup: Option<Text>,
    /// Directories that were made for the link.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) made: Vec<Text>,
    /// It was settled from the disk, after the program had been stopped in between.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) settled: bool,
}

/// Changes that stand or fall together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) group: String,
    pub(crate) verb: String,
    /// The number of the intents that follow.
    pub(crate) count: u64,
    pub(crate) run: Run,
}

/// A group is settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupEnd {
    pub(crate) group: String,
    /// `done`, or `undone`.
    pub(crate) outcome: String,
}

/// Something that concerns no link.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Fact {
    /// What it belongs to: `ledger`, `ownership`, `hook`.
    pub(crate) topic: String,
    pub(crate) verb: String,
    pub(crate) outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    pub(crate) actor: Actor,
    /// What its topic has to say.
    pub(crate) data: Box<RawValue>,
}

/// A line that a crash cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Torn {
    /// Its number.
    pub(crate) torn: u64,
    pub(crate) leaf: Hash,
}

/// What is open: numbers and places of intents and groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Open {
    pub(crate) open: Vec<(u64, u64)>,
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
        match Prefix::of(line).and_then(Head::from_prefix) {
            Some(head) => Ok(head),
            None => Head::read(line),
        }
    }

    fn from_prefix(prefix: Prefix<'_>) -> Option<Head> {
        let Prefix { seq, entry, prev, time, base, settings_at } = prefix;
        let (entry, prev) = (EntryKind::named(entry)?, Hash::from_base64(prev)?);
        Some(Head { seq, entry, prev, time: time.parse().ok()?, base, settings_at })
    }

    pub(crate) fn read(line: &[u8]) -> Result<Head, Misfit> {
        serde_json::from_slice(line).map_err(|error| if error.is_eof() { Misfit::Cut } else { Misfit::Damaged })
    }

    /// The line of an entry, with its newline.
    pub(crate) fn line(&self, body: &Body) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("BUG: a head has no JSON");
        let body = body.to_json().expect("BUG: an entry has no JSON");
        // Both are objects, and no key is in both.
        line.pop();
        line.push(b',');
        line.extend_from_slice(&body[1..]);
        line.push(b'\n');
        line
    }

    pub(crate) fn body(&self, line: &[u8]) -> Result<Body, Misfit> {
        Body::from_json(self.entry, line).map_err(|_| Misfit::Damaged)
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            actor,
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
