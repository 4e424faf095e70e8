//! What takes a group back: for each of its mutations, newest first, an edit that expects what the mutation left.

use std::ffi::OsString;

use super::mutation::Mutation;
use super::query::Query;
use super::store::Records;
use crate::error::{Error, Kind, Result};
use crate::model::change::NewLink;
use crate::model::{Edit, LinkPath, Target};

impl Records {
    /// Returns the edits that take each link of a group back to what it was before, newest first. An edit fails with
    /// `mismatch` where its link is not as the group left it.
    ///
    /// What failed, or was taken back already, has nothing to be taken back.
    ///
    /// # Errors
    ///
    /// `not_found` if there is no such group; `integrity`, `io`.
    pub fn undoing(&self, group: &str) -> Result<Vec<Edit>> {
        let mut mutations = Vec::new();
        let mut keep = |mutation| {
            mutations.push(mutation);
            true
        };
        self.mutations(&Query::default().group(group), &mut keep)?;
        if mutations.is_empty() {
            let reason = format!("the records know no group `{group}`");
            return Err(Error::new(Kind::NotFound).during("undo").because(reason).in_group(group));
        }
        mutations.iter().rev().filter_map(|mutation| undoing(mutation).transpose()).collect()
    }
}

/// The edit that takes one mutation back.
fn undoing(mutation: &Mutation) -> Result<Option<Edit>> {
    let Some(link) = &mutation.link else { return Ok(None) };
    let path = LinkPath::new(link)?;
    // Whatever the text leads to: it was there before.
    let back = |text: &OsString| NewLink::new(Target::verbatim(text)).allow_dangling(true).allow_outside(true);
    let texts = (mutation.previous.as_ref().map(|text| &text.0), mutation.target.as_ref().map(|text| &text.0));
    Ok(match (mutation.outcome.as_str(), texts) {
        ("exchanged", _) => {
            let Some(other) = &mutation.other else { return Ok(None) };
            let edit = Edit::exchange(path, LinkPath::new(other)?).allow_dangling(true).allow_outside(true);
            Some(edit.into())
        }
        ("created", (_, Some(target))) => Some(Edit::remove(path).expect(target).into()),
        ("replaced", (Some(previous), Some(target))) => Some(Edit::swap(path, back(previous), target).into()),
        ("removed", (Some(previous), _)) => Some(Edit::create(path, back(previous)).into()),
        _ => None,
    })
}
