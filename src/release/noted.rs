//! What the log says of apps: one event a fact.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::LinkPath;
use crate::wire::Text;

/// The topic of these facts.
pub(super) const TOPIC: &str = "ledger";

/// The topic of what checks and hooks came to.
pub(super) const HOOK_TOPIC: &str = "hook";

/// Where an app's link and releases are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Layout {
    pub(super) current: Text,
    pub(super) releases: Text,
}

impl Layout {
    pub(super) fn new(current: &LinkPath, releases: &std::path::Path) -> Layout {
        Layout { current: Text::new(current.as_path()), releases: Text::path(releases) }
    }

    pub(super) fn releases(&self) -> PathBuf {
        self.releases.clone().into_path()
    }
}

/// What a program was doing when a release became active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    Deploy,
    Switch,
    /// The release that it leaves is marked bad.
    Rollback,
    /// The one that it leaves keeps its good name.
    RollbackKeepingGood,
}

/// Where a release is kept while it is taken down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// In the state directory.
    State,
    /// Beside the releases.
    Beside,
}

/// A fact, and the app that it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Noted {
    pub(super) app: String,
    /// When it was told, in nanoseconds since 1970: the entry itself may be a copy, from records that were renewed.
    pub(super) at: i64,
    #[serde(flatten)]
    pub(super) event: Event,
}

/// What is told of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event {
    /// A release is entered; `active`: the link leads to it already.
    Entered {
        release: String,
        directory: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        active: bool,
        /// The app's, with its first release.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layout: Option<Layout>,
    },
    /// The link is about to lead to a release; `checked`: it waits for checks then.
    Activating {
        release: String,
        /// The text that the link has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        displaced: Option<Text>,
        by: By,
        checked: bool,
    },
    /// It leads there, and stays.
    Confirmed { release: String },
    /// It does not lead there, or not any more.
    Withdrawn { release: String, failed: bool },
    /// It did not pass before the link was touched.
    Failed { release: String },
    /// It is marked.
    Marked { release: String, bad: bool },
    /// It is pinned, or not any more.
    Pinned { release: String, pinned: bool },
    /// It is about to be moved to a private place under this name.
    Removing { release: String, directory: String, place: Place, name: String },
    /// It was compared in its private place, nothing uses it, and what it holds is about to be unlinked.
    Emptying { release: String, name: String },
    /// It was not removed after all.
    Kept { release: String, name: String },
    /// The root was moved or restored on purpose: these are the directories of its releases now.
    Rebound { directories: BTreeMap<String, String> },
    /// It is removed; `left`: something of it could not be taken down, and is in its private place.
    Removed {
        release: String,
        name: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        left: bool,
    },
}

impl Event {
    /// The outcome that the log shows. What only prepares or closes something is shown by the change of the link itself.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Event::Entered { .. } => "entered",
            Event::Marked { .. } => "marked",
            Event::Pinned { pinned: true, .. } => "pinned",
            Event::Pinned { .. } => "unpinned",
            Event::Removed { .. } => "pruned",
            Event::Rebound { .. } => "rebound",
            Event::Failed { .. } | Event::Withdrawn { failed: true, .. } => "failed",
            Event::Activating { .. }
            | Event::Confirmed { .. }
            | Event::Withdrawn { .. }
            | Event::Removing { .. }
            | Event::Emptying { .. }
            | Event::Kept { .. } => "unchanged",
        }
    }
}

/// A text as the log keeps it.
pub(super) fn text(text: &Option<OsString>) -> Option<Text> {
    text.clone().map(Text)
}
