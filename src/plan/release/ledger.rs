//! What the records say of an app's releases, and what was seen.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::error::{FileKind, words};

words! {
    "state of a release":
    /// What became of a release.
    #[derive(PartialOrd, Ord)]
    pub enum ReleaseState {
        /// It was entered and never active.
        Prepared = "prepared",
        /// The link leads to it, as far as the ledger knows.
        Active = "active",
        /// It was active before.
        Superseded = "superseded",
        /// It was deployed and did not pass.
        Failed = "failed",
        /// It was removed.
        Removed = "removed",
    }
}

/// The identity of a directory over time: inode, birth and file system, in whatever form the records keep it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DirectoryId(String);

impl DirectoryId {
    /// Takes an identity in the form in which the records keep it.
    pub fn new(identity: impl Into<String>) -> DirectoryId {
        DirectoryId(identity.into())
    }

    /// Returns the form in which the records keep it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A release that was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRecord {
    /// The name of its directory.
    pub name: String,
    /// What became of it.
    pub state: ReleaseState,
    /// Whether it is marked bad.
    pub bad: bool,
    /// Whether it is never to be removed.
    pub pinned: bool,
    /// Whether it passed all checks once it was active, or was active when it was entered.
    pub confirmed: bool,
    /// The directory that was entered.
    pub directory: DirectoryId,
    /// When its state last changed, in nanoseconds since 1970.
    pub changed: i128,
}

/// One time that a release became active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// The release.
    pub release: String,
    /// The text that the link had before; none where there was no link.
    pub displaced: Option<OsString>,
    /// Whether it was switched back since: it counts as if it had not been.
    pub withdrawn: bool,
}

/// What the records say of an app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The releases, in the order in which they were entered.
    pub releases: Vec<ReleaseRecord>,
    /// Every time that a release became active, the oldest first.
    pub activations: Vec<Activation>,
    /// Whether the last activation waits for its confirmation.
    pub open: bool,
}

/// What is under the name of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseDir {
    /// A directory.
    Dir(DirectoryId),
    /// Something else.
    Other(FileKind),
}

/// Where the link of an app leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pointing {
    /// To this name in the directory of releases, and to the directory itself.
    Release(String),
    /// Below the root, to something else; or nobody can know.
    Elsewhere,
    /// To nothing, or in a circle.
    Dangling,
    /// Out of the root.
    Escape,
}

/// What is under the name of an app's link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occupant {
    /// Nothing.
    Missing,
    /// Something that is no link.
    Other(FileKind),
    /// A link.
    Link {
        /// Its text.
        text: OsString,
        /// Where it leads.
        leads: Pointing,
    },
}

/// What was seen of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseSight {
    /// What is under the name of the link.
    pub current: Occupant,
    /// What is in the directory of releases.
    pub dirs: BTreeMap<String, ReleaseDir>,
}

/// Whether a process uses a release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InUse {
    /// None does.
    #[default]
    No,
    /// One does.
    Yes,
    /// Not every process can be looked into.
    Unknown,
}

impl Ledger {
    /// Returns a release that is entered and was not removed.
    pub fn entered(&self, name: &str) -> Option<&ReleaseRecord> {
        self.known(name).filter(|release| release.state != ReleaseState::Removed)
    }

    /// Returns a release that was ever entered.
    pub fn known(&self, name: &str) -> Option<&ReleaseRecord> {
        self.releases.iter().rev().find(|release| release.name == name)
    }

    /// Returns the active release.
    pub fn active(&self) -> Option<&ReleaseRecord> {
        self.releases.iter().rev().find(|release| release.state == ReleaseState::Active)
    }

    /// Returns the release that was active before the active one, by the activations that stand.
    pub fn before_active(&self) -> Option<&ReleaseRecord> {
        let active = self.active()?;
        let standing = self.activations.iter().rev().filter(|activation| !activation.withdrawn);
        let mut earlier = standing.map(|activation| &activation.release).skip_while(|name| **name == active.name);
        earlier.find_map(|name| self.entered(name))
    }

    /// Returns where in the activations that stand a release became active for the first time.
    pub(super) fn first_activation(&self, name: &str) -> Option<usize> {
        self.activations.iter().position(|activation| !activation.withdrawn && activation.release == name)
    }
}

impl ReleaseSight {
    /// Returns the name that the link leads to in the directory of releases.
    pub fn pointed(&self) -> Option<&str> {
        match &self.current {
            Occupant::Link { leads: Pointing::Release(name), .. } => Some(name),
            _ => None,
        }
    }

    /// Returns the text of the link.
    pub fn text(&self) -> Option<&OsString> {
        match &self.current {
            Occupant::Link { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Returns whether a release is the directory that was entered.
    pub fn is_present(&self, release: &ReleaseRecord) -> bool {
        matches!(self.dirs.get(&release.name), Some(ReleaseDir::Dir(id)) if *id == release.directory)
    }
}
