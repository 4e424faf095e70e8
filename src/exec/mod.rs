//! The executor: carries out one edit, and reports what was read back.
//!
//! In order ([`run`]): the parent is opened; what replaces or removes takes the lock ([`site`]); the name is looked at and
//! decided on; the target is judged; the change is made by the way that its kind needs, and read back by a new walk from
//! the root. A change that met something else than it was decided on is taken back ([`transfer`], decided by [`reverse`])
//! and decided anew, a bounded number of times.

mod backup;
mod between;
mod confined;
mod confining_thread;
mod create;
mod displaced;
mod exchange;
mod followed;
#[cfg(feature = "records")]
mod group;
mod halt;
mod lock;
mod over;
mod parents;
mod permission;
mod pinned;
mod preview;
mod private;
mod read_back;
mod remove;
mod replace;
mod residue;
mod retry;
mod reverse;
mod run;
mod series;
mod shared;
mod site;
mod slot;
mod stage;
mod stale_dir;
mod sync;
mod target;
mod transfer;
mod trial;

use std::ffi::OsString;
use std::path::PathBuf;

use crate::entry::Opened;
use crate::error::{Error, Kind, Result};
use crate::model::{Edit, Effect, Guarantee, Outcome, Staging};
use crate::recorder::Intent;
use crate::resolve::Planned;
use crate::root::Root;

use displaced::Displaced;
use followed::followed;
use halt::Halt;
use run::Run;

pub(crate) use confining_thread::carry_out_confining_thread;
#[cfg(feature = "records")]
pub(crate) use group::{Back, Judged, Part, Published, Settled, There, Thing, Work, judge, judge_each, leftover};
#[cfg(feature = "records")]
pub(crate) use permission::may_add_in;
pub(crate) use sync::sync_batch;
pub(crate) use target::leads_alike;
pub use trial::Trial;

/// Carries out edits in order, until one comes to something that `go_on` says no to. Returns what each came to.
pub(crate) fn carry_out(root: &Root, edits: &[Edit], go_on: fn(&Result<Outcome>) -> bool) -> Vec<Result<Outcome>> {
    confined::apply_while(root, edits, go_on)
}

/// Carries out one edit.
pub(crate) fn carry_out_one(root: &Root, edit: &Edit) -> Result<Outcome> {
    confined::apply(root, edit)
}

/// Carries out one edit in the directory that was opened for its entry.
pub(crate) fn carry_out_in(entry: &Opened<'_>, edit: &Edit) -> Result<Outcome> {
    confined::apply_in(entry, edit)
}

/// Previews of edits in order, each on the tree as those before it leave it.
pub(crate) struct Previews<'a> {
    root: &'a Root,
    planned: Planned,
}

impl<'a> Previews<'a> {
    pub(crate) fn new(root: &'a Root) -> Previews<'a> {
        Previews::after(root, Planned::new())
    }

    /// The same on a tree as earlier edits leave it.
    pub(crate) fn after(root: &'a Root, planned: Planned) -> Previews<'a> {
        Previews { root, planned }
    }

    /// What all edits leave.
    pub(crate) fn into_planned(self) -> Planned {
        self.planned
    }

    /// What the edits so far leave.
    pub(crate) fn planned(&self) -> &Planned {
        &self.planned
    }

    /// The same, for what is no edit and leaves something else there.
    #[cfg(feature = "records")]
    pub(crate) fn planned_mut(&mut self) -> &mut Planned {
        &mut self.planned
    }

    /// Decides everything of the next edit and changes nothing.
    pub(crate) fn next(&mut self, edit: &Edit) -> Result<Outcome> {
        let run = |edit| Run::new(self.root, edit, true).after(&self.planned).carry_out().map_err(Halt::into_error);
        let outcome = match followed(self.root, edit, &self.planned) {
            Ok(Some(followed)) => followed.told(run(&followed.edit))?,
            Ok(None) => run(edit)?,
            Err(error) if error.kind() == Kind::NotFound && edit.change.missing_ok() => {
                Run::new(self.root, edit, true).absent()
            }
            Err(error) => return Err(error),
        };
        if outcome.each().any(|outcome| outcome.effect.is_change()) {
            let intent = Intent { edit, foreseen: &outcome, below: self.root.image() };
            let asked = self.root.recorders().iter().try_for_each(|recorder| recorder.previews(&intent));
            asked.map_err(|refusal| refusal.on(edit.change.verb(), &edit.path))?;
        }
        for outcome in outcome.each().filter(|outcome| outcome.effect.is_change()) {
            let link = outcome.physical.as_deref().unwrap_or(outcome.link.as_path());
            self.planned.insert(link, outcome.target.clone());
            outcome.made.iter().for_each(|dir| self.planned.insert_dir(dir));
        }
        Ok(outcome)
    }
}

/// A change that was made and read back.
pub(crate) struct Changed {
    effect: Effect,
    previous: Option<OsString>,
    guarantee: Guarantee,
    staging: Staging,
    verified: bool,
    backup: Option<PathBuf>,
    /// What was displaced and waits for a proof, until which it can be put back.
    displaced: Option<Displaced>,
    shortfalls: Vec<Error>,
}

impl Changed {
    fn new(effect: Effect) -> Changed {
        Changed {
            effect,
            previous: None,
            guarantee: Guarantee::Atomic,
            staging: Staging::None,
            verified: false,
            backup: None,
            displaced: None,
            shortfalls: Vec::new(),
        }
    }
}

/// What one attempt came to.
pub(crate) enum Attempt<T = Changed> {
    Done(T),
    /// The name was not as decided on; the attempt left nothing.
    Again,
    /// The kernel refused to move what is under the name, perhaps because it was no link; the attempt left nothing.
    Refused(Error),
}

/// Picks the guarantee that the host supports.
pub(crate) fn guarantee(root: &Root, able: bool) -> Result<Guarantee> {
    match (able, root.policy().cooperative) {
        (true, _) => Ok(Guarantee::Atomic),
        (false, true) => Ok(Guarantee::Cooperative),
        (false, false) => {
            let reason = "this host cannot exchange two names in one step, and the atomic guarantee is required";
            Err(Error::new(Kind::Unsupported).because(reason))
        }
    }
}

#[cfg(all(test, unix, feature = "adversary"))]
mod tests;
