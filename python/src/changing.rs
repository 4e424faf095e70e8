//! The holder of a root: as it looks, and as it changes, confined and recorded as far as was asked for.

use std::sync::{Mutex, PoisonError};

use cap_std::fs::Dir;
use caplink::records::{Actor, Author, Records};
use caplink::{Abilities, Durability, Edit, Error, Outcome, Plan, Policy, Root};
use pyo3::prelude::*;

use crate::detached::detached;
use crate::failure::OrRaise as _;
use crate::fork::Generation;
use crate::interrupt;
use crate::opening::Settings;

/// A root, with what holds for every call through it.
pub(crate) struct Holder {
    plain: Root,
    confined: Root,
    dir: Dir,
    pub(crate) settings: Settings,
    /// Those of the root, once there are some.
    records: Mutex<Option<Records>>,
    /// It is a directory below the root that may have records.
    is_below: bool,
    made: Generation,
}

impl Holder {
    pub(crate) fn new(plain: Root, dir: Dir, settings: Settings) -> caplink::Result<Holder> {
        let confined = match settings.confine {
            Some(enforcement) => plain.confined(enforcement)?,
            None => plain.clone(),
        };
        let (records, made) = (Mutex::default(), Generation::now());
        Ok(Holder { plain, confined, dir, settings, records, is_below: false, made })
    }

    /// The same root with what both policies allow.
    pub(crate) fn narrow(&self, policy: Policy) -> caplink::Result<Holder> {
        let (plain, confined) = (self.root().narrow(policy), self.in_this_process(&self.confined).narrow(policy));
        Ok(Holder { plain, confined, ..self.another()? })
    }

    /// A directory below it as a root of its own.
    pub(crate) fn subroot(&self, path: &std::ffi::OsStr) -> caplink::Result<Holder> {
        let (plain, confined) = (self.root().subroot(path)?, self.in_this_process(&self.confined).subroot(path)?);
        let dir = self.dir.open_dir(path).map_err(|source| Error::refusal(source.to_string()))?;
        Ok(Holder { plain, confined, dir, is_below: true, ..self.another()? })
    }

    fn another(&self) -> caplink::Result<Holder> {
        let dir = self.dir.try_clone().map_err(|source| Error::refusal(source.to_string()))?;
        let known = self.records()?;
        Ok(Holder {
            plain: self.plain.clone(),
            confined: self.confined.clone(),
            dir,
            settings: self.settings.clone(),
            records: Mutex::new(known),
            is_below: self.is_below,
            made: Generation::now(),
        })
    }

    /// The root as it looks.
    pub(crate) fn root(&self) -> Root {
        self.in_this_process(&self.plain)
    }

    pub(crate) fn dir(&self) -> &Dir {
        &self.dir
    }

    /// A root that shares no lock with a thread that stayed in the parent of a fork.
    fn in_this_process(&self, root: &Root) -> Root {
        if self.made.is_over() { root.with_abilities(Abilities::ALL) } else { root.clone() }
    }

    /// The records, if there are some.
    pub(crate) fn records(&self) -> caplink::Result<Option<Records>> {
        let open = || Ok(Records::open_for_mutation(&self.root())?.map(|of| of.waiting(self.settings.lock_timeout)));
        if self.made.is_over() {
            return open();
        }
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if records.is_none() {
            *records = open()?;
        }
        Ok(records.clone())
    }

    /// Forgets the records, which were made anew or belong to another root now.
    pub(crate) fn forget_records(&self) {
        if !self.made.is_over() {
            *self.records.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Who makes a change, and why.
    pub(crate) fn author(&self, reason: Option<&str>) -> caplink::Result<Author> {
        let claimed = self.settings.actor.clone();
        Author::new(Actor { claimed, ..Actor::of_this_process() }, reason.or(self.settings.reason.as_deref()))
    }

    /// The root as it changes: recorded where there are records.
    pub(crate) fn to_change(&self, call: &Call<'_>) -> caplink::Result<Root> {
        let Some(records) = self.records()? else { return Ok(self.in_this_process(&self.confined)) };
        if self.is_below {
            let reason = "the root has records, which name links from there; change it through the root itself";
            return Err(Error::refusal(reason));
        }
        let author = self.author(call.reason)?;
        if call.dry_run && records.settings().require_reason && author.reason().is_none() {
            return Err(Error::refusal("the records demand a reason").during("record"));
        }
        Ok(self.in_this_process(&self.confined).recorded(&records, author))
    }

    /// What is to survive a power cut; `default` is that of the operation where nothing is recorded.
    pub(crate) fn durability(&self, root: &Root, call: &Call<'_>, default: Durability) -> Durability {
        let recorded = if root.is_recorded() { Durability::Dir } else { default };
        call.durability.or(self.settings.durability).unwrap_or(recorded)
    }

    /// Carries out one edit.
    pub(crate) fn edit(
        &self,
        py: Python<'_>,
        call: &Call<'_>,
        edit: impl FnOnce() -> caplink::Result<Edit> + Send,
    ) -> PyResult<Outcome> {
        let result = detached(py, || {
            let (root, edit) = (self.to_change(call)?, edit()?);
            let durability = self.durability(&root, call, Durability::None);
            let edit = edit.durability(durability);
            if call.dry_run { root.preview(&edit) } else { root.apply(&edit) }
        })?;
        interrupt::raise()?;
        result.or_raise(py)
    }

    /// Carries out a plan; what each edit came to, in order.
    pub(crate) fn plan(&self, py: Python<'_>, call: &Call<'_>, plan: Plan) -> PyResult<Vec<caplink::Result<Outcome>>> {
        let results = detached(py, || {
            let root = self.to_change(call)?;
            let plan = plan.durability(self.durability(&root, call, Durability::Dir));
            Ok(if call.dry_run { root.preview_plan(&plan) } else { root.apply_plan(&plan, &()) })
        })?;
        interrupt::raise()?;
        results.or_raise(py)
    }
}

/// What one call says of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Call<'a> {
    pub(crate) durability: Option<Durability>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) dry_run: bool,
}

impl Holder {
    /// How far the kernel confines its changes.
    pub(crate) fn confinement(&self) -> caplink::Confinement {
        self.confined.confinement()
    }
}
