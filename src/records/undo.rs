//! What takes a group back: for each of its mutations, newest first, a step that expects what the mutation left.

use std::ffi::OsString;

use super::moved::Moved;
use super::mutation::Mutation;
use super::query::Query;
use super::store::Records;
use crate::error::{Error, Kind, Result};
use crate::model::change::NewLink;
use crate::model::{Edit, Group, GroupStep, LinkPath, Target};

impl Records {
    /// Returns the group that takes each link of another one back to what it was before, newest first; with it go the
    /// directories that were made, and files and directories that were moved get their names back. A step fails with
    /// `mismatch` where a link is not as the group left it.
    ///
    /// What failed, or was taken back already, has nothing to be taken back. A group that was interrupted is to be
    /// [recovered](Records::recover) before.
    ///
    /// # Errors
    ///
    /// `not_found` if there is no such group; `integrity`, `io`.
    pub fn undoing(&self, group: &str) -> Result<Group> {
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
        let mut undo = Group::new("undo").undoing();
        // What was made for a manifest is not its own any more.
        undo.owner.clone_from(&mutations[0].owner);
        for mutation in mutations.iter().rev() {
            undo.extend(undoing(mutation)?);
        }
        Ok(undo)
    }
}

/// The steps that take one mutation back.
fn undoing(mutation: &Mutation) -> Result<Vec<GroupStep>> {
    let Some(link) = &mutation.link else { return Ok(Vec::new()) };
    let path = LinkPath::new(link)?;
    let other = mutation.other.as_ref().map(LinkPath::new).transpose()?;
    // Whatever the text leads to: it was there before.
    let back = |text: &OsString| {
        let link = NewLink::new(Target::verbatim(text)).allow_dangling(true).allow_outside(true);
        NewLink { unjudged: true, ..link }
    };
    let texts = (mutation.previous.as_ref().map(|text| &text.0), mutation.target.as_ref().map(|text| &text.0));
    if matches!(mutation.outcome.as_str(), "failed" | "unknown") {
        return Ok(Vec::new());
    }
    Ok(match (mutation.moved, other, texts) {
        // An object took the place of a link: it gives it back, under the first name that is free.
        (Some(Moved { brought: true, .. }), Some(_), (Some(previous), _)) => {
            vec![Edit::ensure(path, back(previous)).backup(true).into()]
        }
        (Some(Moved { brought: true, .. }), Some(from), _) => vec![GroupStep::Restore { from: path, to: from }],
        (Some(Moved { brought: false, .. }), Some(to), (_, Some(target))) => {
            vec![Edit::remove(path.clone()).expect(target).into(), GroupStep::Restore { from: to, to: path }]
        }
        (Some(Moved { brought: true, .. }), None, _) => vec![GroupStep::RemoveDir(path)],
        (Some(Moved { brought: false, .. }), None, _) => vec![GroupStep::MakeDir(path)],
        (None, _, (None, Some(target))) => vec![Edit::remove(path).expect(target).into()],
        (None, _, (Some(previous), Some(target))) => vec![Edit::swap(path, back(previous), target).into()],
        (None, _, (Some(previous), None)) => vec![Edit::create(path, back(previous)).into()],
        _ => Vec::new(),
    })
}
