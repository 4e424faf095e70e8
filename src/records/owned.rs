//! Ownership: which links and directories were made for which manifest, as the log tells.

use std::collections::{BTreeMap, HashMap};
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

/// What is owned up to some entry.
#[derive(Debug, Default)]
pub(super) struct Ownership {
    kept: BTreeMap<(String, Text), Text>,
    sources: BTreeMap<String, Text>,
    announced: HashMap<u64, Arc<Intent>>,
    owned: BTreeMap<(String, Text), Owned>,
    /// The texts that each had before, oldest first: an undo goes back to the last of them.
    before: HashMap<(String, Text), Vec<Owned>>,
}

impl Ownership {
    /// Takes the next entry.
    pub(super) fn take(&mut self, seq: u64, body: Body) {
        match body {
            Body::Intent(intent) if intent.owner.is_some() => drop(self.announced.insert(seq, intent)),
            Body::Result(ended) => {
                if let Some(intent) = self.announced.remove(&ended.of) {
                    let mut intent = Arc::unwrap_or_clone(intent);
                    intent.target = ended.target.or(intent.target.take());
                    self.done(intent, &ended.outcome);
                }
            }
            Body::Fact(fact) if fact.topic == TOPIC => {
                for owned in serde_json::from_str::<Vec<Owned>>(fact.data.get()).unwrap_or_default() {
                    self.owned.insert((owned.owner.clone(), owned.link.clone()), owned);
                }
            }
            Body::Fact(fact) if fact.topic == CLAIMS => {
                if let Ok(claims) = serde_json::from_str(fact.data.get()) {
                    self.claim(claims);
                }
            }
            _ => {}
        }
    }

    fn claim(&mut self, claims: Claims) {
        let Claims { owner, kept, dropped, source } = claims;
        for link in dropped {
            let key = (owner.clone(), link);
            self.owned.remove(&key);
            self.kept.remove(&key);
        }
        for Kept { link, text } in kept {
            self.kept.insert((owner.clone(), link), text);
        }
        if let Some(source) = source {
            self.sources.insert(owner, source);
        }
    }

    fn done(&mut self, intent: Intent, outcome: &str) {
        let Some(owner) = intent.owner else { return };
        let key = (owner, intent.link);
        let is_made = matches!(outcome, "created" | "replaced" | "adopted");
        if intent.verb == "undo" && (is_made || outcome == "removed") {
            // What it goes back to is owned if it was so before.
            let earlier = self.before.entry(key.clone()).or_default().pop();
            match earlier.filter(|earlier| is_made && earlier.target == intent.target) {
                Some(earlier) => self.owned.insert(key, earlier),
                None => self.owned.remove(&key),
            };
            return;
        }
        if !is_made && outcome != "removed" {
            return;
        }
        self.kept.remove(&key);
        if intent.verb == TAKES_BACK {
            if let Some(old) = self.owned.remove(&key) {
                self.before.entry(key).or_default().push(old);
            }
            return;
        }
        let old = if is_made { self.owned.get(&key).cloned() } else { self.owned.remove(&key) };
        if let Some(old) = old.clone() {
            self.before.entry(key.clone()).or_default().push(old);
        }
        // An object that gets its name back is nobody's.
        let is_given_back = intent.moved.is_some_and(|moved| moved.brought) && intent.other.is_some();
        // A link of others that was to be absent: its text is kept, so that it can be made again.
        let is_unwanted = !is_made && old.is_none() && intent.previous.is_some();
        if !(is_made || is_unwanted) || is_given_back {
            return;
        }
        let (previous, backup) = match &old {
            Some(old) => (old.previous.clone(), old.backup.clone()),
            None => (intent.previous, intent.other.filter(|_| intent.moved.is_some())),
        };
        let moved = intent.moved.or(old.and_then(|old| old.moved));
        let (owner, link) = key.clone();
        let owned = Owned { owner, link, target: intent.target, previous, backup, moved, group: intent.group };
        self.owned.insert(key, owned);
    }

    /// What is owned, by owner and path.
    pub(super) fn into_owned(self) -> Vec<Owned> {
        self.owned.into_values().collect()
    }

    /// Everything about manifests.
    pub(super) fn into_held(self) -> Held {
        let Ownership { owned, kept, sources, .. } = self;
        Held { owned: owned.into_values().collect(), kept, sources }
    }
}
