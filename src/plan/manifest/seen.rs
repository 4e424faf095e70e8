//! What a plan is made from: what is at each link, and what the records say.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{FileKind, Found, Kind};
use crate::model::{LinkPath, ObjectId};

/// How far the way to a link's directory leads. Depths count components from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// The directory is there.
    Open,
    /// This component is missing, and so is what comes after it.
    Missing(usize),
    /// This component is a link.
    Link {
        /// Which one.
        depth: usize,
        /// Its text.
        text: OsString,
    },
    /// This component is no directory and no link.
    NotADirectory(usize),
    /// This component cannot be entered: `permission`, `cross_mount` and so on.
    Refused {
        /// Which one.
        depth: usize,
        /// Why.
        kind: Kind,
    },
}

/// Where the text that a link is to have would lead from its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leads {
    /// To something of this kind.
    To(FileKind),
    /// To nothing.
    Dangling,
    /// In a circle.
    Loop,
    /// Out of the root.
    Escape,
    /// To another mount.
    CrossMount,
    /// It cannot be known with the caller's permissions.
    Denied,
    /// It was not looked up: the link has its text already, or is to go.
    NotAsked,
}

/// What is at a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The way to its directory.
    pub way: Way,
    /// The path of its directory below the root, where links were followed to it.
    pub physical: Option<Arc<Path>>,
    /// What is under the name; nothing where the directory is not open.
    pub found: Found,
    /// Where the text that it is to have would lead.
    pub leads: Leads,
    /// The directory, and the name as the directory takes it: folded where it does not tell cases apart. Two entries with
    /// the same slot are one link. None where it is not known, as of a directory that is missing.
    pub slot: Option<Box<(ObjectId, OsString)>>,
}

/// What is in a directory that the records say was made for links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// It is not there any more, or is another directory.
    Gone,
    /// These names.
    Names(Vec<OsString>),
    /// More names than there are links to remove, or it cannot be read.
    More,
}

/// Everything that was seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// At each link that is declared, unwanted or owned.
    pub links: BTreeMap<LinkPath, Sight>,
    /// In each directory that was made, and that no link is declared below: those stay, whatever is in them.
    pub dirs: HashMap<PathBuf, Contents>,
}

/// A link that the records say this manifest made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The text that it was made with.
    pub text: Arc<OsStr>,
    /// The text of the link that it displaced.
    pub displaced: Option<Arc<OsStr>>,
    /// Where the file or directory that it displaced was renamed to.
    pub backup: Option<PathBuf>,
}

/// What the records say of another manifest's link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The name of the manifest.
    pub by: String,
    /// The text that it made the link with, or found and kept.
    pub text: OsString,
}

/// What the records say, as far as a manifest is concerned.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    /// The links that this manifest made.
    pub owned: BTreeMap<LinkPath, Owned>,
    /// The directories that were made for them.
    pub dirs: BTreeSet<PathBuf>,
    /// The links that other manifests made or kept.
    pub others: BTreeMap<LinkPath, Claimed>,
    /// The links that were removed because they were declared to be absent, with their texts.
    pub removed: BTreeMap<LinkPath, OsString>,
}
