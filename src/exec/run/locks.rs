//! The locks of an edit under way: taken before it is decided what is replaced or removed, and released after it.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::ops::ControlFlow;

use super::super::halt::OrHalt;
use super::super::site::Site;
use super::Run;
use crate::entry::Opened;
use crate::error::{Error, Result};
use crate::model::Outcome;

impl Run<'_> {
    /// Takes the lock. Where the caller may not, what is decided without it comes first: a refusal, or that nothing is to
    /// be done.
    pub(super) fn lock<'e>(
        &self,
        entry: &'e Opened<'e>,
        text: &Result<Option<Cow<'_, OsStr>>>,
    ) -> OrHalt<ControlFlow<Outcome, Site<'e>>> {
        let halt = match Site::lock(entry) {
            Ok(site) => return Ok(ControlFlow::Continue(site)),
            Err(halt) => halt,
        };
        if !halt.is_forbidden() {
            return Err(halt);
        }
        let unlocked = Run { opened_before: self.opened_before, ..Run::new(self.root, self.edit, true) };
        let unlocked = unlocked.decide_and_act(entry, text.clone(), &mut None)?;
        if unlocked.effect.is_change() {
            return Err(halt);
        }
        Ok(ControlFlow::Break(Outcome { dry_run: false, ..unlocked }))
    }

    /// Releases the locks, and reports what could not be cleaned up.
    pub(super) fn leave(&self, site: Site<'_>, outcome: OrHalt<Outcome>) -> OrHalt<Outcome> {
        let residue = site.close();
        match outcome {
            Ok(mut outcome) => {
                let named = |error: Error| error.on(self.edit.change.verb(), &self.edit.path);
                match residue.into_shortfall() {
                    Some(shortfall) if outcome.effect.is_change() => outcome.shortfalls.push(named(shortfall)),
                    Some(shortfall) => return Err(shortfall.into()),
                    None => {}
                }
                Ok(outcome)
            }
            Err(halt) => Err(halt.map(|error| residue.on(error))),
        }
    }
}
