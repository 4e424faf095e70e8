//! The preview of an edit in a directory that an earlier edit creates.

use std::borrow::Cow;

use super::super::halt::OrHalt;
use super::super::retry::refusal;
use super::super::{Changed, preview, target};
use super::Run;
use crate::error::Found;
use crate::model::{Decision, Effect, Outcome, decide};

impl Run<'_> {
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
            target::judge(self.root, self.edit, (dir, link), text, self.planned)?;
        }
        let changed = preview::changed_in_new(self.root, decision, found)?;
        Ok(self.report(None, text.map(Cow::into_owned), changed))
    }
}
