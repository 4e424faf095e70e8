//! An entry of the log: one line of JSON, with what every entry [begins with](super::head) and what it says.

use std::borrow::Borrow as _;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::actor::Actor;
use super::identity::RootIdentity;
use super::moved::Moved;
use super::tree::Hash;
use crate::wire::Text;

/// The format of the log that this version reads and writes.
pub(crate) const FORMAT: u32 = 1;

/// A line that a crash cut short is ended by this byte, which no JSON has, so that it cannot be taken for a damaged one.
pub(crate) const CUT: u8 = 0x18;

/// The longest line, in bytes. What can be recorded is far shorter.
pub(crate) const LINE_MAX: usize = 4 * 1024 * 1024;

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
            pub(super) fn named(name: &str) -> Option<EntryKind> {
                match name { $($name => Some(EntryKind::$variant),)* _ => None }
            }

            pub(super) fn name(self) -> &'static str {
                match self { $(EntryKind::$variant => $name,)* }
            }
        }

        impl Body {
            pub(crate) fn kind(&self) -> EntryKind {
                match self { $(Body::$variant(_) => EntryKind::$variant,)* }
            }

            pub(super) fn write_json(&self, to: &mut Vec<u8>) -> serde_json::Result<()> {
                match self { $(Body::$variant(body) => serde_json::to_writer::<_, $of>(to, body.borrow()),)* }
            }

            pub(super) fn from_json(kind: EntryKind, line: &[u8]) -> serde_json::Result<Body> {
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
    #[serde(with = "super::actor::shared")]
    pub(crate) actor: Arc<Actor>,
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

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
