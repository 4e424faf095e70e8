//! The holder of a root: as it looks, and as it changes, confined and recorded as far as was asked for.

use std::ffi::OsStr;
use std::sync::{Arc, Mutex, PoisonError};

use cap_std::fs::Dir;
use caplink::records::{Actor, Author, Group, GroupReport, Records};
use caplink::{Abilities, Confinement, Durability, Edit, Error, Kind, Outcome, Plan, Policy, Root};
use pyo3::prelude::*;

use crate::detached::detached;
use crate::failure::{self, OrRaise as _};
use crate::fork::Generation;
use crate::interrupt;
use crate::opening::{self, Settings};

/// A root, with what holds for every call through it.
pub(crate) struct Holder {
    plain: Root,
    confined: Root,
    /// The root as it changes one link where no records are known.
    alone: Root,
    dir: Dir,
    pub(crate) settings: Settings,
    /// Those of the root, once there are some.
    records: Mutex<Option<Records>>,
    /// The root that has the records, where this is a directory below it.
    above: Option<Arc<Holder>>,
    /// The `caplink.Policy` that it has.
    pub(crate) policy: Arc<Py<PyAny>>,
    made: Generation,
}

impl Holder {
    pub(crate) fn new(plain: Root, dir: Dir, settings: Settings, policy: Arc<Py<PyAny>>) -> caplink::Result<Holder> {
        let confined = match settings.confine {
            Some(enforcement) => plain.confined(enforcement)?,
            None => plain.clone(),
        };
        let (alone, records, made) = (confined.unless_recorded(), Mutex::default(), Generation::now());
        Ok(Holder { plain, confined, alone, dir, settings, records, above: None, policy, made })
    }

    /// The same root with what both policies allow, and the `caplink.Policy` that says so.
    pub(crate) fn narrow(&self, policy: Policy, shown: Arc<Py<PyAny>>) -> caplink::Result<Holder> {
        let (plain, confined) = (self.root().narrow(policy), self.in_this_process(&self.confined).narrow(policy));
        let dir = self.dir.try_clone().map_err(|source| Error::refusal(source.to_string()))?;
        Ok(self.with(plain, confined, dir, self.above.clone(), shown))
    }

    /// A directory below it as a root of its own, whose changes are in the records of this one.
    pub(crate) fn subroot(self: &Arc<Self>, path: &OsStr) -> caplink::Result<Holder> {
        let (plain, confined) = (self.root().subroot(path)?, self.in_this_process(&self.confined).subroot(path)?);
        let dir = self.dir.open_dir(path).map_err(|source| Error::refusal(source.to_string()))?;
        opening::all_one(&[plain.id(), confined.id()], &dir)?;
        let above = self.above.clone().unwrap_or_else(|| Arc::clone(self));
        Ok(self.with(plain, confined, dir, Some(above), Arc::clone(&self.policy)))
    }

    fn with(
        &self,
        plain: Root,
        confined: Root,
        dir: Dir,
        above: Option<Arc<Holder>>,
        policy: Arc<Py<PyAny>>,
    ) -> Holder {
        let (alone, records, made) = (confined.unless_recorded(), Mutex::default(), Generation::now());
        Holder { plain, confined, alone, dir, settings: self.settings.clone(), records, above, policy, made }
    }

    /// The root as it looks.
    pub(crate) fn root(&self) -> Root {
        self.in_this_process(&self.plain)
    }

    pub(crate) fn dir(&self) -> &Dir {
        &self.dir
    }

    /// How far the kernel confines its changes.
    pub(crate) fn confinement(&self) -> Confinement {
        self.confined.confinement()
    }

    /// The root as it changes, and whatever records there are left alone.
    pub(crate) fn unrecorded(&self) -> Root {
        self.in_this_process(&self.confined)
    }

    /// A root that shares no lock with a thread that stayed in the parent of a fork.
    fn in_this_process(&self, root: &Root) -> Root {
        if self.made.is_over() { root.with_abilities(Abilities::ALL) } else { root.clone() }
    }

    /// The records, if there are some.
    pub(crate) fn records(&self) -> caplink::Result<Option<Records>> {
        if let Some(above) = &self.above {
            return above.records();
        }
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
        let Some(records) = self.records()? else { return Ok(self.unrecorded()) };
        let author = self.author(call.reason)?;
        demand_reason(&records, call, author.reason().is_some())?;
        Ok(self.unrecorded().recorded(&records, author))
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
            call.makes_sense()?;
            let durability = call.durability.or(self.settings.durability);
            let edit = edit()?.durability(durability.unwrap_or(Durability::None));
            if !call.dry_run
                && let Some(came) = self.edit_unrecorded(&edit)
            {
                return came;
            }
            let root = self.to_change(call)?;
            let edit = edit.durability(self.durability(&root, call, Durability::None));
            if call.dry_run { root.preview(&edit) } else { root.apply(&edit) }
        })?;
        interrupt::raise()?;
        result.or_raise(py)
    }

    /// Carries out one edit where no records are known: looked for by what changes something alone, right before that.
    /// `None` where there may be some by now; nothing was changed then.
    fn edit_unrecorded(&self, edit: &Edit) -> Option<caplink::Result<Outcome>> {
        if self.above.is_some() || self.made.is_over() {
            return None;
        }
        if self.records.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return None;
        }
        let came = self.alone.apply(edit);
        // What is refused for records is refused for anything else that is `policy` as well.
        came.as_ref().err().is_none_or(|error| error.kind() != Kind::Policy).then_some(came)
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

    /// What is to survive a power cut of what is recorded in any case.
    pub(crate) fn group_durability(&self, call: &Call<'_>) -> Durability {
        call.durability.or(self.settings.durability).unwrap_or(Durability::Dir)
    }

    /// Refuses a directory below the root that has the records: links in records are named from there.
    pub(crate) fn is_whole(&self, operation: &str) -> caplink::Result<()> {
        match &self.above {
            None => Ok(()),
            Some(_) => {
                let reason = format!("cannot {operation}: it is a subroot; open the directory as a root of its own");
                Err(failure::error(Kind::Unsupported, operation, &reason))
            }
        }
    }

    /// Carries out a group, of which all stands or nothing.
    pub(crate) fn group(&self, py: Python<'_>, call: &Call<'_>, group: Group) -> PyResult<GroupReport> {
        let report = detached(py, || {
            let records = self.records()?.ok_or_else(failure::no_records)?;
            let (root, author) = (self.unrecorded(), self.author(call.reason)?);
            let group = group.durability(self.group_durability(call));
            if call.dry_run {
                demand_reason(&records, call, author.reason().is_some())?;
                return Ok(root.preview_group(&group));
            }
            root.apply_group(&records, &author, &group)
        })?;
        interrupt::raise()?;
        report.or_raise(py)
    }
}

/// A dry run is refused as the run is.
pub(crate) fn demand_reason(records: &Records, call: &Call<'_>, has_one: bool) -> caplink::Result<()> {
    if call.dry_run && records.settings().require_reason && !has_one {
        return Err(Error::refusal("the records demand a reason").during("record"));
    }
    Ok(())
}

/// What one call says of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Call<'a> {
    pub(crate) durability: Option<Durability>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) dry_run: bool,
}

impl Call<'_> {
    /// Refuses a reason that no records could keep, also where there are none.
    fn makes_sense(&self) -> caplink::Result<()> {
        match self.reason {
            Some(_) => Author::new(Actor::default(), self.reason).map(drop),
            None => Ok(()),
        }
    }
}
