//! What is shown of an app and of its releases.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Serialize, Serializer};

use super::app_ledger::{AppLedger, Held, time};
use super::in_use::Used;
use crate::model::LinkPath;
use crate::plan::{Alarm, ReleaseDir, ReleaseSight, ReleaseState};
use crate::records::Time;

/// When what became of a release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Times {
    /// When it was entered.
    pub entered: Option<Time>,
    /// When it became active for the last time.
    pub activated: Option<Time>,
    /// When another took its place for the last time.
    pub superseded: Option<Time>,
    /// When it was removed.
    pub removed: Option<Time>,
}

/// A release, or a directory that is not entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReleaseView {
    /// The app.
    pub app: String,
    /// The name of its directory.
    pub release: String,
    /// What became of it; none, and shown as `unknown`, where it is not entered.
    #[serde(serialize_with = "shown_state")]
    pub state: Option<ReleaseState>,
    /// Whether it is marked bad.
    pub bad: bool,
    /// Whether the link leads to it.
    pub active: bool,
    /// Whether it is never to be removed.
    pub pinned: bool,
    /// Whether the directory that was entered is there.
    pub present: bool,
    /// Whether it passed all checks once it was active, or was active when it was entered.
    pub confirmed: bool,
    /// When what became of it.
    pub times: Times,
    /// Why it is kept, where pruning was asked for.
    pub reason: Option<String>,
    /// What uses it, where that was looked for.
    pub in_use: Option<Used>,
    /// How many bytes were given back by its removal.
    pub bytes: Option<u64>,
}

fn shown_state<S: Serializer>(state: &Option<ReleaseState>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(state.map_or("unknown", ReleaseState::as_str))
}

impl ReleaseView {
    pub(super) fn of(app: &str, held: &Held, sight: &ReleaseSight) -> ReleaseView {
        let is_it = matches!(sight.dirs.get(&held.name), Some(ReleaseDir::Dir(id)) if id.as_str() == held.directory);
        ReleaseView {
            state: Some(held.state()),
            bad: held.bad,
            pinned: held.pinned,
            present: is_it && held.state() != ReleaseState::Removed,
            confirmed: held.confirmed,
            times: Times {
                entered: Some(time(held.entered)),
                activated: held.activated.map(time),
                superseded: held.superseded.map(time),
                removed: held.removed.map(time),
            },
            ..ReleaseView::not_entered(app, &held.name, sight)
        }
    }

    pub(super) fn not_entered(app: &str, name: &str, sight: &ReleaseSight) -> ReleaseView {
        ReleaseView {
            app: app.to_owned(),
            release: name.to_owned(),
            state: None,
            bad: false,
            active: sight.pointed() == Some(name),
            pinned: false,
            present: sight.dirs.contains_key(name),
            confirmed: false,
            times: Times::default(),
            reason: None,
            in_use: None,
            bytes: None,
        }
    }

    /// The view of what has this name.
    pub(super) fn named(app: &str, name: &str, app_ledger: &AppLedger, sight: &ReleaseSight) -> ReleaseView {
        match app_ledger.held(name) {
            Some(held) => ReleaseView::of(app, held, sight),
            None => ReleaseView::not_entered(app, name, sight),
        }
    }
}

/// An app at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppView {
    /// Its name.
    pub app: String,
    /// The link.
    pub link: LinkPath,
    /// The directory of the releases; empty for the root.
    pub releases: PathBuf,
    /// The text of the link; none where there is no link.
    pub target: Option<OsString>,
    /// The name of the release that the link leads to, entered or not.
    pub release: Option<String>,
    /// That release as it is and as the ledger knows it.
    pub view: Option<ReleaseView>,
    /// The release that is active as the ledger knows.
    pub active: Option<String>,
    /// Since when that one is.
    pub since: Option<Time>,
    /// What is wrong.
    pub alarm: Option<Alarm>,
    /// How many releases of the ledger have each state.
    pub counts: BTreeMap<ReleaseState, u64>,
}
