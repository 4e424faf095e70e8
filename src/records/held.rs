//! What the log says of manifests, held in memory: there can be very many links, and what they have in common is there once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::moved::Moved;
use super::owned::{Made, Owned, Ownership};
use crate::wire::Text;

/// What the log says of manifests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// What was made for them.
    owned: Vec<HeldLink>,
    /// What they found and rely on, by manifest and path.
    pub(crate) kept: BTreeMap<(String, Text), Text>,
    /// Where each was read last.
    pub(crate) sources: BTreeMap<String, Text>,
}

/// A link or directory that was made for a manifest: an [`Owned`].
#[derive(Clone, Debug)]
pub(crate) struct HeldLink {
    made: Arc<MadeBy>,
    pub(crate) link: Text,
    pub(crate) target: Option<Text>,
    rest: Option<Box<Rest>>,
}

/// For whom and by which group links were made.
#[derive(Debug, PartialEq, Eq)]
struct MadeBy {
    owner: String,
    group: Option<String>,
}

/// What few links have.
#[derive(Clone, Debug)]
struct Rest {
    previous: Option<Text>,
    backup: Option<Text>,
    moved: Option<Moved>,
}

/// What was made under a name, as it is added.
pub(super) struct Added<'a> {
    pub(super) target: Option<Text>,
    pub(super) previous: Option<Text>,
    pub(super) backup: Option<Text>,
    pub(super) moved: Option<Moved>,
    pub(super) group: Option<&'a str>,
}

impl Held {
    /// Everything that was made, by manifest and path.
    pub(crate) fn owned(&self) -> &[HeldLink] {
        &self.owned
    }

    /// Adds what is known of the next name.
    pub(super) fn add(&mut self, owner: &str, link: Text, added: Option<Added<'_>>, kept: Option<Text>) {
        if let Some(kept) = kept {
            self.kept.insert((owner.to_owned(), link.clone()), kept);
        }
        let Some(Added { target, previous, backup, moved, group }) = added else { return };
        let same = self.owned.last().map(|last| &last.made);
        let same = same.filter(|made| made.owner == owner && made.group.as_deref() == group).cloned();
        let made =
            same.unwrap_or_else(|| Arc::new(MadeBy { owner: owner.to_owned(), group: group.map(str::to_owned) }));
        let is_plain = previous.is_none() && backup.is_none() && moved.is_none();
        let rest = (!is_plain).then(|| Box::new(Rest { previous, backup, moved }));
        self.owned.push(HeldLink { made, link, target, rest });
    }
}

impl From<Ownership> for Held {
    fn from(ownership: Ownership) -> Held {
        let mut held = Held { sources: ownership.sources, ..Held::default() };
        for ((owner, link), row) in ownership.rows {
            let group = row.made.as_ref().and_then(|made| made.group.clone());
            let added = row.made.map(|Made { target, previous, backup, moved, .. }| Added {
                target,
                previous,
                backup,
                moved,
                group: group.as_deref(),
            });
            held.add(&owner, link, added, row.kept);
        }
        held
    }
}

impl HeldLink {
    /// The manifest.
    pub(crate) fn owner(&self) -> &str {
        &self.made.owner
    }

    /// The text that was displaced by it first.
    pub(crate) fn previous(&self) -> Option<&Text> {
        self.rest.as_ref()?.previous.as_ref()
    }

    /// Where the file or directory is that was in the way.
    pub(crate) fn backup(&self) -> Option<&Text> {
        self.rest.as_ref()?.backup.as_ref()
    }

    /// The file or directory that was moved for it, or the directory that was made.
    pub(crate) fn moved(&self) -> Option<Moved> {
        self.rest.as_ref()?.moved
    }

    /// All of it.
    pub(crate) fn to_owned(&self) -> Owned {
        Owned {
            owner: self.made.owner.clone(),
            link: self.link.clone(),
            target: self.target.clone(),
            previous: self.previous().cloned(),
            backup: self.backup().cloned(),
            moved: self.moved(),
            group: self.made.group.clone(),
        }
    }
}
