//! The entries of a manifest as they are now: its own plan says so, and nothing of it is carried out.

use super::standing::Judged;
use crate::declare::Manifests;
use crate::error::Result;
use crate::manifest::Manifest;
use crate::plan::EntryStatus;
use crate::root::Root;

impl Judged {
    /// Judges every entry of a manifest, and the links that it made and does not declare any more.
    ///
    /// # Errors
    ///
    /// Those of expanding it, of the first entry that fails; those of opening the records; `io`.
    pub fn of(root: &Root, manifest: &Manifest) -> Result<Judged> {
        let states = Manifests::status(root, manifest)?;
        let entries = states.iter().map(|state| (state.link.as_path().to_path_buf(), state.status.as_str()));
        let all = EntryStatus::ALL.iter().map(|status| status.as_str()).collect();
        Ok(Judged { manifest: manifest.name().to_owned(), all, entries: entries.collect() })
    }
}
