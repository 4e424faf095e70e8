//! What stands over links: the apps that the records know, and the entries of a manifest, as they were judged last.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::gauges::{AppGauges, ManifestGauges};
use crate::error::Result;
use crate::plan::Alarm;
use crate::root::Root;

/// The file of the state directory that tells of changes.
const LOG: &str = "log.jsonl";

/// Judges the entries of a manifest as they are now.
pub type Judge = Box<dyn FnMut(&Root) -> Result<Judged> + Send>;

/// The entries of a manifest, as they are now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// The name of the manifest.
    pub manifest: String,
    /// Every status that an entry can have.
    pub all: Vec<&'static str>,
    /// Each entry's link, with its status.
    pub entries: Vec<(PathBuf, &'static str)>,
}

impl Judged {
    /// Returns the numbers.
    #[must_use]
    pub fn gauges(&self) -> ManifestGauges {
        let count = |status: &&'static str| {
            let count = self.entries.iter().filter(|(_, of)| of == status).count();
            (*status, count as u64)
        };
        ManifestGauges { manifest: self.manifest.clone(), statuses: self.all.iter().map(count).collect() }
    }
}

#[derive(Default)]
pub(super) struct Standing {
    pub(super) apps: BTreeMap<String, (PathBuf, Option<Alarm>)>,
    pub(super) app_gauges: Vec<AppGauges>,
    pub(super) judge: Option<Judge>,
    pub(super) manifest: String,
    pub(super) entries: BTreeMap<PathBuf, &'static str>,
    pub(super) manifest_gauges: Vec<ManifestGauges>,
    /// What hangs on, where the links of apps and entries lead that lie beside the watched directory.
    pub(super) ways: BTreeSet<Arc<Path>>,
    /// The watch of the state directory.
    pub(super) state: Option<i32>,
    /// Something may have changed.
    pub(super) due: bool,
    pub(super) not_before: Option<Instant>,
}

impl Standing {
    /// Something may have changed about any of them.
    pub(super) fn doubt(&mut self) {
        self.due |= self.judge.is_some() || !self.apps.is_empty();
    }

    /// Something happened in a watched directory; returns whether that was the state directory.
    pub(super) fn hint(&mut self, watch: i32, name: &OsStr) -> bool {
        let is_it = self.state == Some(watch);
        self.due |= is_it && name == LOG;
        is_it
    }

    /// Something happened to a name.
    pub(super) fn name(&mut self, name: &Path) {
        let is_above = |link: &Path| link.starts_with(name);
        let of_way = || {
            let next = self.ways.range::<Path, _>((Bound::Included(name), Bound::Unbounded)).next();
            next.is_some_and(|way| is_above(way)) || name.parent().is_some_and(|dir| self.ways.contains(dir))
        };
        let of_app = || self.apps.values().any(|(link, _)| is_above(link));
        let of_entry = || self.entries.range(name.to_path_buf()..).next().is_some_and(|(link, _)| is_above(link));
        self.due |= of_way() || of_app() || of_entry();
    }

    /// The links of the apps and of the entries.
    pub(super) fn links(&self) -> impl Iterator<Item = &Path> {
        let of_apps = self.apps.values().map(|(link, _)| &**link);
        of_apps.chain(self.entries.keys().map(|link| &**link))
    }

    /// When a judgement is due; none if none is.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.then(|| self.not_before.unwrap_or_else(Instant::now))
    }
}
