//! What a preview knows of the edits before it, and the preview of one in a directory that an earlier edit creates.

use std::borrow::Cow;
use std::path::Path;

use super::super::halt::OrHalt;
use super::super::nearby::Nearby;
use super::super::retry::refusal;
use super::super::{Changed, preview, target};
use super::Run;
use crate::entry::Opened;
use crate::error::{Found, Result};
use crate::model::{Decision, Effect, Outcome, decide};
use crate::resolve::Planned;

impl<'a> Run<'a> {
    /// The same on a tree as earlier edits leave it, with what it shares with them.
    pub(in super::super) fn after(self, planned: &'a Planned, nearby: Option<&'a Nearby>) -> Run<'a> {
        Run { planned: Some(planned), nearby, ..self }
    }

    /// The directory is absent, and so is the link.
    pub(in super::super) fn absent(&self) -> Outcome {
        let verified = !self.root.policy().unverified;
        self.report(None, None, Changed { verified, ..Changed::new(Effect::Unchanged) })
    }

    /// What a preview of many edits knows of those before this one; `None` where the edit is carried out.
    pub(super) fn preview(&self) -> Option<Option<&'a Planned>> {
        self.dry_run.then_some(self.planned)
    }

    /// What is known of where texts lead.
    pub(super) fn known(&self) -> target::Known<'a> {
        target::Known { planned: self.planned, targets: self.nearby.map(Nearby::targets) }
    }

    /// Whether an earlier edit of a preview creates this directory.
    pub(super) fn is_planned(&self, dir: &Path) -> bool {
        self.planned.is_some_and(|planned| planned.is_made(dir))
    }

    /// What is under the name, after the edits before this one.
    pub(super) fn look(&self, entry: &Opened<'_>) -> Result<Found> {
        match self.planned.and_then(|planned| planned.found_at(entry.physical())) {
            Some(left) => Ok(left),
            None => entry.look(),
        }
    }

    /// Decides it on what the edits before it leave.
    pub(super) fn below_planned(&mut self) -> OrHalt<Outcome> {
        let (link, dir) = (self.edit.path.as_path(), self.edit.path.parent());
        let found = self.planned.and_then(|planned| planned.found_at(link)).unwrap_or(Found::Missing);
        let text = self.edit.change.link().map(|link| target::text(self.root, link, dir)).transpose();
        let decision = decide(&self.edit.change, text.as_ref().ok().and_then(Option::as_deref), &found);
        if let Decision::Refuse(kind) = decision {
            return Err(refusal(kind, self.edit, found).into());
        }
        let text = text?;
        if decision == Decision::Unchanged {
            let verified = !self.root.policy().unverified;
            let changed = Changed { verified, ..Changed::new(Effect::Unchanged) };
            return Ok(self.report(None, found.into_text(), changed));
        }
        self.root.permits(decision)?;
        if let Some(text) = &text {
            target::judge(self.root, self.edit, (dir, link), text, self.known())?;
        }
        let changed = preview::changed_in_new(self.root, decision, found, (link, self.planned))?;
        Ok(self.report(None, text.map(Cow::into_owned), changed))
    }
}
