//! The entries of a manifest as they are now.

use super::{Manifests, PlanOptions, Unplanned};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::plan::EntryState;
use crate::root::Root;

impl Manifests {
    /// Returns the state of every entry of a manifest, and of the links that it made and does not declare any more.
    ///
    /// # Errors
    ///
    /// Those of opening the records; those of expanding the manifest, of the first entry that fails; `io`.
    pub fn status(root: &Root, manifest: &Manifest) -> Result<Vec<EntryState>> {
        match Manifests::open(root)?.plan(manifest, &PlanOptions::default()) {
            Ok(planned) => Ok(planned.plan.states),
            Err(Unplanned::Root(error)) => Err(error),
            Err(Unplanned::Manifest(troubles)) => {
                let trouble = troubles.first().expect("BUG: an expansion that fails says why");
                Err(Error::new(trouble.kind()).during("expand the manifest").because(trouble.to_string()))
            }
        }
    }
}
