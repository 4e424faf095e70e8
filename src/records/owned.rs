//! Ownership: which links and directories were made for which manifest, as the log tells.
//!
//! Entries are taken in order. What those before the first of them came to is read where it is [kept](Backing), name by name.

use std::collections::btree_map::Entry;
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

/// A manifest, and a path below the records' root.
pub(super) type Key = (Arc<str>, Text);

/// What was made under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) target: Option<Text>,
    pub(super) previous: Option<Text>,
    pub(super) backup: Option<Text>,
    pub(super) moved: Option<Moved>,
    pub(super) group: Option<Arc<str>>,
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
    /// How many of those that were made before are kept elsewhere, and count.
    pub(super) below: u64,
    /// How many of those were kept elsewhere at first: an undo goes below that.
    pub(super) stored: u64,
    /// Those that were made before since, oldest first: an undo goes back to the last of them.
    pub(super) before: Vec<Made>,
}

/// An intent whose result is still to come, as far as ownership follows from it. There can be very many: what is the same for
/// all of a group is there once.
#[derive(Debug)]
pub(super) struct Promised {
    by: Arc<PromisedBy>,
    link: Text,
    target: Option<Text>,
    previous: Option<Text>,
    /// The other name, and what is moved.
    moves: Option<Box<(Option<Text>, Option<Moved>)>>,
}

#[derive(Debug)]
struct PromisedBy {
    verb: String,
    owner: Arc<str>,
    group: Option<Arc<str>>,
}

/// What is told of an intent for a manifest.
pub(super) struct Told<'a> {
    pub(super) verb: &'a str,
    pub(super) owner: &'a str,
    pub(super) group: Option<&'a str>,
    pub(super) link: Text,
    pub(super) target: Option<Text>,
    pub(super) previous: Option<Text>,
    pub(super) other: Option<Text>,
    pub(super) moved: Option<Moved>,
}

impl PromisedBy {
    fn is_of(&self, told: &Told<'_>) -> bool {
        self.verb == told.verb && *self.owner == *told.owner && self.group.as_deref() == told.group
    }
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
    pub(super) announced: HashMap<u64, Promised>,
    /// What the last of them has in common with the next, as a rule.
    last: Option<Arc<PromisedBy>>,
}

impl<B: Backing> Ownership<B> {
    /// Goes on from what is kept elsewhere.
    pub(super) fn after(backing: B, announced: HashMap<u64, Promised>) -> Ownership<B> {
        Ownership { backing, rows: BTreeMap::new(), sources: BTreeMap::new(), announced, last: None }
    }

    /// Takes the next entry.
    pub(super) fn take(&mut self, seq: u64, body: Body) -> Result<(), B::Error> {
        match body {
            Body::Intent(intent) => {
                let Intent { verb, link, other, target, previous, moved, group, owner, .. } =
                    Arc::unwrap_or_clone(intent);
                if let Some(owner) = &owner {
                    let (verb, group) = (verb.as_str(), group.as_deref());
                    self.announce(seq, Told { verb, owner, group, link, target, previous, other, moved });
                }
            }
            Body::Result(ended) => self.end(ended.of, &ended.outcome, ended.target)?,
            Body::Fact(fact) if fact.topic == TOPIC => {
                for owned in serde_json::from_str::<Vec<Owned>>(fact.data.get()).unwrap_or_default() {
                    let Owned { owner, link, target, previous, backup, moved, group } = owned;
                    let (owner, group) = (owner.into(), group.map(Arc::from));
                    self.row((owner, link))?.made = Some(Made { target, previous, backup, moved, group });
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

    /// Takes the intent of a manifest, of which something is kept until its result comes.
    pub(super) fn announce(&mut self, seq: u64, told: Told<'_>) {
        let by = match self.last.take().filter(|last| last.is_of(&told)) {
            Some(last) => last,
            None => {
                let (verb, group) = (told.verb.to_owned(), told.group.map(Arc::from));
                Arc::new(PromisedBy { verb, owner: told.owner.into(), group })
            }
        };
        self.last = Some(Arc::clone(&by));
        let Told { link, target, previous, other, moved, .. } = told;
        let moves = (other.is_some() || moved.is_some()).then(|| Box::new((other, moved)));
        self.announced.insert(seq, Promised { by, link, target, previous, moves });
    }

    /// Takes a result, with the text where it is not that of the intent.
    pub(super) fn end(&mut self, of: u64, outcome: &str, target: Option<Text>) -> Result<(), B::Error> {
        let Some(promised) = self.announced.remove(&of) else { return Ok(()) };
        let target = target.or(promised.target);
        self.done(Promised { target, ..promised }, outcome)
    }

    /// What is known of a name.
    fn row(&mut self, key: Key) -> Result<&mut Row, B::Error> {
        match self.rows.entry(key) {
            Entry::Occupied(row) => Ok(row.into_mut()),
            Entry::Vacant(place) => {
                let row = self.backing.row(place.key())?.unwrap_or_default();
                Ok(place.insert(row))
            }
        }
    }

    /// Goes back to what was made before, the last of it that fits.
    fn go_back(&mut self, key: Key, fits: impl Fn(&Made) -> bool) -> Result<(), B::Error> {
        let row = self.row(key.clone())?;
        let earlier = match row.before.pop() {
            Some(made) => Some(made),
            None => match row.below.checked_sub(1) {
                Some(number) => {
                    row.below = number;
                    Some(self.backing.before(&key, number)?)
                }
                None => None,
            },
        };
        self.row(key)?.made = earlier.filter(fits);
        Ok(())
    }

    fn claim(&mut self, claims: Claims) -> Result<(), B::Error> {
        let Claims { owner, kept, dropped, source } = claims;
        let by: Arc<str> = owner.as_str().into();
        for link in dropped {
            let row = self.row((Arc::clone(&by), link))?;
            (row.made, row.kept) = (None, None);
        }
        for Kept { link, text } in kept {
            self.row((Arc::clone(&by), link))?.kept = Some(text);
        }
        if let Some(source) = source {
            self.sources.insert(owner, source);
        }
        Ok(())
    }

    fn done(&mut self, promised: Promised, outcome: &str) -> Result<(), B::Error> {
        let Promised { by, link, target, previous: displaced, moves } = promised;
        let (other, object) = moves.map_or((None, None), |moves| *moves);
        let key = (Arc::clone(&by.owner), link);
        let is_made = matches!(outcome, "created" | "replaced" | "adopted");
        if by.verb == "undo" && (is_made || outcome == "removed") {
            // What it goes back to is owned if it was so before.
            return self.go_back(key, |earlier| match is_made {
                true => earlier.target == target,
                false => earlier.is_text_only(),
            });
        }
        if !is_made && outcome != "removed" {
            return Ok(());
        }
        let row = self.row(key)?;
        row.kept = None;
        let old = row.made.take();
        row.before.extend(old.clone());
        if by.verb == TAKES_BACK {
            return Ok(());
        }
        // An object that gets its name back is nobody's.
        let is_given_back = object.is_some_and(|moved| moved.brought) && other.is_some();
        // A link of others that was to be absent: its text is kept, so that it can be made again.
        let is_unwanted = !is_made && old.is_none() && displaced.is_some();
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
            None => (displaced, other.filter(|_| object.is_some()), None),
        };
        let moved = object.or(moved);
        row.made = Some(Made { target, previous, backup, moved, group: by.group.clone() });
        Ok(())
    }
}
