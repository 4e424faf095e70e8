//! Where the link and the releases of an app are.

use std::path::PathBuf;

use super::noted::Layout;
use crate::model::LinkPath;

/// Where the link and the releases are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AppLayout {
    pub(super) current: LinkPath,
    /// Empty for the root.
    pub(super) releases: PathBuf,
}

impl AppLayout {
    pub(super) fn told(&self) -> Layout {
        Layout::new(&self.current, &self.releases)
    }

    /// The path of a release below the root.
    pub(super) fn path(&self, release: &str) -> PathBuf {
        self.releases.join(release)
    }
}
