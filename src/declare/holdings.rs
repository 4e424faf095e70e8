//! What the records say of one manifest, and of the others.

use std::ffi::OsStr;
use std::sync::Arc;

use super::Manifests;
use crate::model::LinkPath;
use crate::plan::{Claimed, Holdings, Owned};
use crate::wire::Text;

impl Manifests {
    /// What the records say, as far as a manifest is concerned.
    pub(super) fn holdings(&self, name: &str) -> Holdings {
        let mut holdings = Holdings::default();
        // Put in order all at once: one after the other each would be looked for.
        let mut own: Vec<(LinkPath, Owned)> = Vec::new();
        let text = |text: &Text| text.as_path().as_os_str().to_os_string();
        let shared = |text: &Text| -> Arc<OsStr> { text.0.as_os_str().into() };
        for owned in self.held.owned() {
            // Nothing else is a path that the records could have been told.
            let Ok(link) = LinkPath::new(owned.link.as_path()) else { continue };
            let is_own = owned.owner() == name;
            match (&owned.target, owned.previous()) {
                (Some(target), displaced) if is_own => {
                    let (displaced, backup) = (displaced.map(shared), owned.backup().cloned().map(Text::into_path));
                    own.push((link, Owned { text: shared(target), displaced, backup }));
                }
                (Some(target), _) => {
                    holdings.others.insert(link, Claimed { by: owned.owner().to_owned(), text: text(target) });
                }
                (None, Some(removed)) if is_own && owned.moved().is_none() => {
                    holdings.removed.insert(link, text(removed));
                }
                (None, removed) if is_own && owned.moved().is_some() => {
                    holdings.dirs.insert(link.as_path().to_path_buf());
                    // The directory took the place of a link that was declared to be absent.
                    if let Some(removed) = removed {
                        holdings.removed.insert(link, text(removed));
                    }
                }
                (None, _) => {}
            }
        }
        holdings.owned = own.into_iter().collect();
        for ((owner, link), found) in self.held.kept.iter().filter(|((owner, _), _)| owner != name) {
            let Ok(link) = LinkPath::new(link.as_path()) else { continue };
            holdings.others.entry(link).or_insert_with(|| Claimed { by: owner.clone(), text: text(found) });
        }
        holdings
    }
}
