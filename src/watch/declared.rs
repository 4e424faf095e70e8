//! The entries of a manifest as they are now: its own plan says so, and nothing of it is carried out.

use super::standing::Judged;
use crate::error::{Error, Result};
use crate::manifest::{Looking, Manifest, Trouble};
use crate::model::LinkPath;
use crate::plan::{Claimed, EntryStatus, Holdings, Owned, Request, plan_manifest};
use crate::records::Records;
use crate::root::Root;
use crate::wire::Text;

impl Judged {
    /// Judges every entry of a manifest, and the links that it made and does not declare any more.
    ///
    /// # Errors
    ///
    /// Those of expanding it, of the first entry that fails; those of opening the records; `io`.
    pub fn of(root: &Root, manifest: &Manifest) -> Result<Judged> {
        let expanded = manifest.expand(root).map_err(|troubles| first(&troubles))?;
        let holdings = holdings(root, manifest.name())?;
        let (links, unwanted) = (&expanded.links[..], &expanded.unwanted[..]);
        let seen = root.see(&Looking { links, unwanted, holdings: &holdings, all: true })?;
        let plan = plan_manifest(&Request {
            links,
            unwanted,
            seen: &seen,
            holdings: &holdings,
            root: root.text_root(),
            tags: &[],
            prune: true,
            on_conflict: manifest.on_conflict(),
        });
        let entries = plan.states.iter().map(|state| (state.link.as_path().to_path_buf(), state.status.as_str()));
        let all = EntryStatus::ALL.iter().map(|status| status.as_str()).collect();
        Ok(Judged { manifest: manifest.name().to_owned(), all, entries: entries.collect() })
    }
}

fn first(troubles: &[Trouble]) -> Error {
    let trouble = troubles.first().expect("BUG: an expansion that fails says why");
    Error::new(trouble.kind()).during("expand the manifest").because(trouble.to_string())
}

/// What the records say of the links of this manifest, and of others.
fn holdings(root: &Root, name: &str) -> Result<Holdings> {
    let mut holdings = Holdings::default();
    let Some(records) = Records::open(root)? else { return Ok(holdings) };
    for owned in records.owned()? {
        let (Ok(link), target) = (LinkPath::new(owned.link.as_path()), owned.target) else { continue };
        let text = |text: Text| text.into_path().into_os_string();
        match target {
            Some(target) if owned.owner == name => {
                let (displaced, backup) = (owned.previous.map(text), owned.backup.map(Text::into_path));
                holdings.owned.insert(link, Owned { text: text(target), displaced, backup });
            }
            Some(target) => drop(holdings.others.insert(link, Claimed { by: owned.owner, text: text(target) })),
            None if owned.owner == name => drop(holdings.dirs.insert(link.as_path().to_path_buf())),
            None => {}
        }
    }
    Ok(holdings)
}
