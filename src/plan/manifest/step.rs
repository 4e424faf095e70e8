//! The steps of a plan, and the state of each entry.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::declared::Label;
use crate::error::{Component, Found, Kind, words};
use crate::model::LinkPath;

words! {
    "action":
    /// What a step does.
    #[derive(PartialOrd, Ord)]
    pub enum Action {
        /// A link is made where nothing is.
        Create = "create",
        /// Another link takes the place of one.
        Replace = "replace",
        /// A file or directory is renamed beside, and a link made in its place.
        Backup = "backup",
        /// A link is removed.
        Remove = "remove",
        /// It is as it is to be.
        Keep = "keep",
        /// It is left alone, and that is reported.
        Skip = "skip",
        /// It keeps the whole plan from being carried out.
        Conflict = "conflict",
        /// A directory is made for a link.
        Mkdir = "mkdir",
        /// A directory that was made for links, and is empty, is removed.
        Rmdir = "rmdir",
    }
}

impl Action {
    /// Returns whether the step changes the tree.
    pub fn is_change(self) -> bool {
        !matches!(self, Action::Keep | Action::Skip | Action::Conflict)
    }
}

words! {
    "note":
    /// Why a step is what it is, where its action does not say.
    #[derive(PartialOrd, Ord)]
    pub enum Note {
        /// There is nothing to add.
        Plain = "plain",
        /// It was there with the text before; it is not owned, and neither pruned nor taken away.
        Found = "found",
        /// It was made by this manifest, which does not declare it any more.
        Orphan = "orphan",
        /// It was made by this manifest and changed by somebody else since.
        Modified = "modified",
        /// It is not declared any more, and another manifest relies on it.
        Claimed = "claimed",
        /// It is declared to be absent.
        Unwanted = "unwanted",
        /// It is declared to be absent and is not there, or has another text, or is no link.
        NotMeant = "not_meant",
        /// The entry says that what is there is left alone.
        LeftAlone = "left_alone",
    }
}

words! {
    "remedy":
    /// What would let an entry in conflict be carried out.
    #[derive(PartialOrd, Ord)]
    pub enum Remedy {
        /// `on_conflict = "replace"`.
        Replace = "on_conflict = \"replace\"",
        /// `on_conflict = "backup"`.
        Backup = "on_conflict = \"backup\"",
        /// `on_conflict = "skip"`.
        Skip = "on_conflict = \"skip\"",
        /// `parents = true`.
        Parents = "parents = true",
        /// `allow_dangling = true`.
        AllowDangling = "allow_dangling = true",
        /// `allow_outside = true`.
        AllowOutside = "allow_outside = true",
        /// An `[[absent]]` for the parent that is a link: it is removed first, and a directory made.
        Absent = "[[absent]]",
        /// Declaring the link in one manifest only.
        OneManifest = "one manifest",
    }
}

/// Why an entry cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The kind of the error.
    pub kind: Kind,
    /// What is in the way.
    pub found: Option<Found>,
    /// The component at fault.
    pub component: Option<Component>,
    /// The text of the link that led astray.
    pub via: Option<OsString>,
    /// The other manifest that the link belongs to.
    pub owner: Option<String>,
    /// The other entry that leads to the same link.
    pub alias: Option<LinkPath>,
    /// What would let it be carried out.
    pub remedy: Option<Remedy>,
}

/// One step of a plan.
///
/// A step names all that carrying it out depends on: with `previous` it is a compare-and-swap, without it is exclusive. So a
/// plan that is stale ends in a mismatch and never in damage.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManifestStep {
    /// What is done.
    pub action: Action,
    /// The link, or the directory.
    pub link: LinkPath,
    /// The text that the link is to have.
    pub target: Option<Arc<OsStr>>,
    /// The text that the link has now.
    pub previous: Option<Arc<OsStr>>,
    /// What people call the entry.
    pub label: Label,
    /// Why, where the action does not say.
    pub note: Note,
    /// Whether the target may be missing.
    pub allow_dangling: bool,
    /// Whether the text may lead outside.
    pub allow_outside: bool,
    /// Where something that was displaced is kept; it gets its name back. Only where a manifest is taken back.
    pub restore: Option<PathBuf>,
    /// Of a conflict: what it is. Of a link that is left alone: what is there.
    pub conflict: Option<Box<Conflict>>,
}

impl ManifestStep {
    pub(crate) fn new(action: Action, link: LinkPath, label: Option<&Label>) -> ManifestStep {
        ManifestStep {
            action,
            link,
            target: None,
            previous: None,
            label: label.cloned().unwrap_or_default(),
            note: Note::Plain,
            allow_dangling: false,
            allow_outside: false,
            restore: None,
            conflict: None,
        }
    }
}

/// The step that removes a directory, whose path is that of an entry.
pub(super) fn rmdir(dir: &Path) -> Option<ManifestStep> {
    Some(ManifestStep::new(Action::Rmdir, LinkPath::new(dir).ok()?, None))
}

words! {
    "status of an entry":
    /// The state of an entry.
    #[derive(PartialOrd, Ord)]
    pub enum EntryStatus {
        /// The link has its text and leads somewhere; or what shall be absent is.
        Ok = "ok",
        /// Nothing is under the name.
        Missing = "missing",
        /// The link has another text.
        Changed = "changed",
        /// Something that is no link is under the name, or a parent is no directory.
        Replaced = "replaced",
        /// The link has its text and leads to nothing.
        Dangling = "dangling",
        /// The link has its text and leads in a circle.
        Loop = "loop",
        /// The link has its text and leads out of the root.
        Escape = "escape",
        /// It cannot be known with the caller's permissions.
        Denied = "denied",
        /// What is there is left alone, as the entry says.
        Skipped = "skipped",
        /// What shall be absent is there.
        Present = "present",
        /// It was made by this manifest, which does not declare it any more.
        Orphan = "orphan",
        /// The same, and somebody else changed it since.
        OrphanModified = "orphan_modified",
    }
}

/// The state of one entry or owned link.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntryState {
    /// The link.
    pub link: LinkPath,
    /// Its state.
    pub status: EntryStatus,
    /// The text that it is to have.
    pub target: Option<Arc<OsStr>>,
    /// The text that it has.
    pub found: Option<Arc<OsStr>>,
    /// What people call the entry.
    pub label: Label,
}

/// What brings a tree to what a manifest declares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManifestPlan {
    /// The steps, in the order in which they are carried out.
    pub steps: Vec<ManifestStep>,
    /// The state of each chosen entry, and of each link that is owned and not declared any more, in the order of a walk; none
    /// where they were not asked for.
    pub states: Vec<EntryState>,
    /// Links that are owned, not declared any more, and not there: the records can forget them.
    pub gone: Vec<LinkPath>,
}

impl ManifestPlan {
    /// Returns the steps that keep the plan from being carried out.
    pub fn conflicts(&self) -> impl Iterator<Item = &ManifestStep> {
        self.steps.iter().filter(|step| step.action == Action::Conflict)
    }

    /// Returns whether the tree is as it is to be: every step is `keep` or `skip`.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| matches!(step.action, Action::Keep | Action::Skip))
    }
}
