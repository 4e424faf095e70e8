//! Ownership: which links and directories were made for which manifest, as the log tells.
//!
//! Entries are taken in order. What those before the first of them came to is read where it is [kept](Backing), name by name.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::entry::{Body, Intent};
use super::moved::Moved;
use crate::wire::Text;

/// What ownership is told by, where records go on from others.
pub(super) const TOPIC: &str = "ownership";

/// What a manifest relies on without having made it, and what it does not rely on any more.
pub(crate) const CLAIMS: &str = "claims";

/// The verb that takes a manifest back: what it makes is nobody's.
const TAKES_BACK: &str = "unapply";

/// A link or directory that was made for a manifest, and that the manifest did not take away since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Owned {
    /// The manifest.
    pub owner: String,
    /// The path, below the records' root.
    pub link: Text,
    /// The text that the link was given; none for a directory, and for a link that was removed because it is to be absent.
    pub target: Option<Text>,
    /// The text that was displaced by it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Text>,
    /// Where the file or directory is that was in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Text>,
    /// The file or directory that was moved for it; a directory that was made, where there is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
    /// The last group that gave it this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// A link that was there as a manifest declares it: the manifest relies on it, and did not make it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Kept {
    /// The link, below the records' root.
    pub link: Text,
    /// Its text.
    pub text: Text,
}

/// What a manifest says of links beside those that it makes, as a fact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) owner: String,
    /// Links that it found and relies on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) kept: Vec<Kept>,
    /// Links that it does not rely on any more, or made and found gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) dropped: Vec<Text>,
    /// Where the manifest is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<Text>,
}

impl Kept {
    pub(crate) fn new(link: Text, text: Text) -> Kept {
        Kept { link, text }
    }
}

/// What the log says of manifests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// What was made for them.
    pub(crate) owned: Vec<Owned>,
    /// What they found and rely on, by manifest and path.
    pub(crate) kept: BTreeMap<(String, Text), Text>,
    /// Where each was read last.
    pub(crate) sources: BTreeMap<String, Text>,
}

/// A manifest, and a path below the records' root.
pub(super) type Key = (String, Text);

/// What was made under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) target: Option<Text>,
    pub(super) previous: Option<Text>,
    pub(super) backup: Option<Text>,
    pub(super) moved: Option<Moved>,
    pub(super) group: Option<String>,
}

impl Made {
    /// Whether nothing was made: a link was removed that was declared to be absent, and its text is kept.
    fn is_text_only(&self) -> bool {
        self.target.is_none() && self.moved.is_none() && self.previous.is_some()
    }

    /// What is kept of that once what stood in its place is gone.
    fn text_only(self) -> Made {
        Made { moved: None, backup: None, ..self }
    }
}

/// What is known of a name and a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) made: Option<Made>,
    /// The text that was found there, and is relied on.
    pub(super) kept: Option<Text>,
    /// How many of those that were made before are kept elsewhere.
    pub(super) below: u64,
    /// Those that were made before since, oldest first: an undo goes back to the last of them.
    pub(super) before: Vec<Made>,
}

/// What the entries before the first that is taken came to.
pub(super) trait Backing {
    type Error;

    /// What is known of a name.
    fn row(&self, key: &Key) -> Result<Option<Row>, Self::Error>;

    /// What was made there before, by its number.
    fn before(&self, key: &Key, number: u64) -> Result<Made, Self::Error>;
}

/// The first entry that is taken is the first of all.
#[derive(Debug, Default)]
pub(super) struct FromTheFirst;

impl Backing for FromTheFirst {
    type Error = Infallible;

    fn row(&self, _key: &Key) -> Result<Option<Row>, Infallible> {
        Ok(None)
    }

    fn before(&self, _key: &Key, _number: u64) -> Result<Made, Infallible> {
        unreachable!("BUG: nothing is kept elsewhere")
    }
}

/// What is owned up to some entry.
#[derive(Debug, Default)]
pub(super) struct Ownership<B = FromTheFirst> {
    pub(super) backing: B,
    /// What is known of the names that the entries were about.
    pub(super) rows: BTreeMap<Key, Row>,
    pub(super) sources: BTreeMap<String, Text>,
    /// Intents whose result is still to come.
    pub(super) announced: HashMap<u64, Arc<Intent>>,
}

impl<B: Backing> Ownership<B> {
    /// Goes on from what is kept elsewhere.
    pub(super) fn after(backing: B, announced: HashMap<u64, Arc<Intent>>) -> Ownership<B> {
        Ownership { backing, rows: BTreeMap::new(), sources: BTreeMap::new(), announced }
    }

    /// Takes the next entry.
    pub(super) fn take(&mut self, seq: u64, body: Body) -> Result<(), B::Error> {
        match body {
            Body::Intent(intent) if intent.owner.is_some() => drop(self.announced.insert(seq, intent)),
            Body::Result(ended) => {
                if let Some(intent) = self.announced.remove(&ended.of) {
                    let mut intent = Arc::unwrap_or_clone(intent);
                    intent.target = ended.target.or(intent.target.take());
                    self.done(intent, &ended.outcome)?;
                }
            }
            Body::Fact(fact) if fact.topic == TOPIC => {
                for owned in serde_json::from_str::<Vec<Owned>>(fact.data.get()).unwrap_or_default() {
                    let Owned { owner, link, target, previous, backup, moved, group } = owned;
                    self.row(&(owner, link))?.made = Some(Made { target, previous, backup, moved, group });
                }
            }
            Body::Fact(fact) if fact.topic == CLAIMS => {
                if let Ok(claims) = serde_json::from_str(fact.data.get()) {
                    self.claim(claims)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What is known of a name.
    fn row(&mut self, key: &Key) -> Result<&mut Row, B::Error> {
        if !self.rows.contains_key(key) {
            let row = self.backing.row(key)?.unwrap_or_default();
            self.rows.insert(key.clone(), row);
        }
        Ok(self.rows.get_mut(key).expect("BUG: it was just put there"))
    }

    /// What was made before, the last of it.
    fn pop(&mut self, key: &Key) -> Result<Option<Made>, B::Error> {
        let row = self.row(key)?;
        if let Some(made) = row.before.pop() {
            return Ok(Some(made));
        }
        let Some(number) = row.below.checked_sub(1) else { return Ok(None) };
        row.below = number;
        self.backing.before(key, number).map(Some)
    }

    fn claim(&mut self, claims: Claims) -> Result<(), B::Error> {
        let Claims { owner, kept, dropped, source } = claims;
        for link in dropped {
            let row = self.row(&(owner.clone(), link))?;
            (row.made, row.kept) = (None, None);
        }
        for Kept { link, text } in kept {
            self.row(&(owner.clone(), link))?.kept = Some(text);
        }
        if let Some(source) = source {
            self.sources.insert(owner, source);
        }
        Ok(())
    }

    fn done(&mut self, intent: Intent, outcome: &str) -> Result<(), B::Error> {
        let Some(owner) = intent.owner else { return Ok(()) };
        let key = (owner, intent.link);
        let is_made = matches!(outcome, "created" | "replaced" | "adopted");
        if intent.verb == "undo" && (is_made || outcome == "removed") {
            // What it goes back to is owned if it was so before.
            let earlier = self.pop(&key)?;
            let fits = |earlier: &Made| match is_made {
                true => earlier.target == intent.target,
                false => earlier.is_text_only(),
            };
            self.row(&key)?.made = earlier.filter(fits);
            return Ok(());
        }
        if !is_made && outcome != "removed" {
            return Ok(());
        }
        let row = self.row(&key)?;
        row.kept = None;
        let old = row.made.take();
        row.before.extend(old.clone());
        if intent.verb == TAKES_BACK {
            return Ok(());
        }
        // An object that gets its name back is nobody's.
        let is_given_back = intent.moved.is_some_and(|moved| moved.brought) && intent.other.is_some();
        // A link of others that was to be absent: its text is kept, so that it can be made again.
        let is_unwanted = !is_made && old.is_none() && intent.previous.is_some();
        if !(is_made || is_unwanted) || is_given_back {
            row.made = match is_made {
                true => old,
                // A directory that goes, in the place of such a link.
                false => old.filter(|old| old.target.is_none() && old.previous.is_some()).map(Made::text_only),
            };
            return Ok(());
        }
        let (previous, backup, moved) = match old {
            Some(old) => (old.previous, old.backup, old.moved),
            None => (intent.previous, intent.other.filter(|_| intent.moved.is_some()), None),
        };
        let moved = intent.moved.or(moved);
        row.made = Some(Made { target: intent.target, previous, backup, moved, group: intent.group });
        Ok(())
    }
}

impl Ownership {
    /// Everything about manifests.
    pub(super) fn into_held(self) -> Held {
        let mut held = Held { sources: self.sources, ..Held::default() };
        for (key, row) in self.rows {
            held.add(key, row.made, row.kept);
        }
        held
    }
}

impl Held {
    /// Adds what is known of the next name.
    pub(super) fn add(&mut self, (owner, link): Key, made: Option<Made>, kept: Option<Text>) {
        if let Some(kept) = kept {
            self.kept.insert((owner.clone(), link.clone()), kept);
        }
        if let Some(Made { target, previous, backup, moved, group }) = made {
            self.owned.push(Owned { owner, link, target, previous, backup, moved, group });
        }
    }
}
