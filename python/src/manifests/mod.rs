//! Manifests: the links that a tree is to have, declared in one file.

mod came;
mod plan;
mod read;

use std::sync::Arc;

use caplink::manage::{self, Applied, PlanOptions, Planned, SavedPlan, Unplanned};
use caplink::records::Recovered;
use pyo3::prelude::*;
use pyo3::types::PyAny;

use crate::arguments;
use crate::audit::audit;
use crate::changing::{Call, Holder, demand_reason};
use crate::detached::detached;
use crate::failure::{self, OrRaise as _};
use crate::interrupt;
use crate::shared::Shared;

pub(crate) use came::came;
pub(crate) use plan::Plan;
use read::{Given, Read};

/// The manifests of a root, made by ``root.manifests()``.
///
/// A manifest is given as its text, or as the path of its file; without one it is ``caplink.toml`` in the root. A ``str`` or
/// ``bytes`` of more than one line is a text, any other is a path; ``root / "name"`` is a path below the root.
///
/// >>> import caplink, os, tempfile
/// >>> base = tempfile.mkdtemp(); os.makedirs(os.path.join(base, "vim"))
/// >>> open(os.path.join(base, "vim", "vimrc"), "w").close()
/// >>> text = '''
/// ... version = 1
/// ... name = "dotfiles"
/// ... [links]
/// ... ".vimrc" = "vim/vimrc"
/// ... '''
/// >>> manifests = caplink.Root(base).manifests()
/// >>> [(step.action, step.link, step.target) for step in manifests.plan(text).steps]
/// [('create', '.vimrc', 'vim/vimrc')]
/// >>> [outcome.outcome for outcome in manifests.apply(text).results]
/// ['created']
/// >>> manifests.plan(text).empty
/// True
/// >>> [(entry.link, entry.status) for entry in manifests.status(text)]
/// [('.vimrc', 'ok')]
/// >>> [outcome.outcome for outcome in manifests.unapply("dotfiles").results]
/// ['removed']
#[pyclass(frozen, module = "caplink")]
pub(crate) struct Manifests(Arc<Shared>);

#[pymethods]
impl Manifests {
    /// Plans what brings the tree to what a manifest declares; changes nothing.
    ///
    /// Only entries with one of the `tags` are looked at, where there are some. With `prune` links that the manifest made and does
    /// not declare any more are removed; with `backup` what is in the way of an entry that says nothing is renamed beside.
    /// A manifest with mistakes is a :class:`caplink.InvalidError` of kind ``invalid_manifest`` with all of them in ``problems``.
    ///
    /// >>> import caplink, tempfile
    /// >>> manifests = caplink.Root(tempfile.mkdtemp()).manifests()
    /// >>> try:
    /// ...     manifests.plan("version = 1\nname = 'x'\nsauce = 1\n")
    /// ... except caplink.InvalidError as error:
    /// ...     print(error.kind, [(problem.line, problem.column, problem.message) for problem in error.problems])
    /// invalid_manifest [(3, 1, 'unknown key `sauce`')]
    #[pyo3(signature = (manifest=None, *, tags=None, prune=true, backup=false))]
    fn plan(
        &self,
        py: Python<'_>,
        manifest: Option<&Bound<'_, PyAny>>,
        tags: Option<Vec<String>>,
        prune: bool,
        backup: bool,
    ) -> PyResult<Plan> {
        let holder = self.0.opened(py)?;
        let read = self.read(py, &holder, manifest)?;
        let options = options(tags, prune, backup);
        let planned = detached(py, || {
            let manifests = manage::Manifests::open(&holder.root())?;
            let planned = read.placed(manifests.plan(&read.manifest, &options)?, &manifests);
            let saved = match planned.plan.conflicts().next() {
                Some(_) => None,
                None => Some(SavedPlan::of(&manifests, &planned, &read.bytes)?),
            };
            Ok::<_, Unplanned>(Plan { planned, saved })
        })?;
        interrupt::raise()?;
        planned.map_err(|error| came::unplanned(py, &read.shown(), error))
    }

    /// Reads a plan that was saved with :meth:`caplink.ManifestPlan.to_bytes`, and judges it: ``stale_plan`` where anything that it
    /// depends on is not as it was.
    fn load(&self, py: Python<'_>, plan: &[u8]) -> PyResult<Plan> {
        let holder = self.0.opened(py)?;
        let loaded = detached(py, || {
            let saved = SavedPlan::from_bytes(plan)?;
            let planned = saved.judged(&manage::Manifests::open(&holder.root())?)?;
            Ok(Plan { planned, saved: Some(saved) })
        })?;
        loaded.or_raise(py)
    }

    /// Brings the tree to what a manifest declares, all of it or nothing; makes records where there are none.
    ///
    /// A :class:`caplink.ManifestPlan` is carried out exactly as it is, or is ``stale_plan``. Otherwise the keywords are those of
    /// :meth:`plan`. What cannot be carried out is raised, with ``results``; a conflict has a ``remedy``. With `keep_going` each
    /// step is carried out for itself, and errors stand in their places. Returns a :class:`caplink.Applied`.
    #[pyo3(signature = (manifest=None, *, tags=None, prune=true, backup=false, keep_going=false, durability=None, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, clippy::fn_params_excessive_bools, reason = "they are keywords")]
    pub(crate) fn apply<'py>(
        &self,
        py: Python<'py>,
        manifest: Option<&Bound<'py, PyAny>>,
        tags: Option<Vec<String>>,
        prune: bool,
        backup: bool,
        keep_going: bool,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call { durability: arguments::durability(py, durability)?, reason, dry_run };
        if let Some(plan) = manifest.and_then(|given| given.cast::<Plan>().ok()) {
            if tags.is_some() || !prune || backup {
                return Err(failure::usage(py, "tags, prune and backup belong to making the plan"));
            }
            let plan = plan.get();
            let holder = self.to_change(py, &call, "apply", &plan.planned.manifest)?;
            let done = detached(py, || {
                let (manifests, settled) = ready(&holder, &call)?;
                let planned = match &plan.saved {
                    Some(saved) => saved.judged(&manifests)?,
                    None => plan.planned.clone(),
                };
                let applied = carry(&holder, &manifests, &planned, keep_going, &call, settled)?;
                Ok((planned, applied))
            })?;
            interrupt::raise()?;
            let (planned, applied) = done.or_raise(py)?;
            return came(py, applied, &planned.plan.steps, &[], keep_going);
        }
        let opened = self.0.opened(py)?;
        let read = self.read(py, &opened, manifest)?;
        let options = options(tags, prune, backup);
        let holder = self.to_change(py, &call, "apply", read.manifest.name())?;
        let done = detached(py, || {
            let (manifests, settled) = ready(&holder, &call)?;
            let planned = read.placed(manifests.plan(&read.manifest, &options)?, &manifests);
            let applied = carry(&holder, &manifests, &planned, keep_going, &call, settled)?;
            Ok::<_, Unplanned>((planned, applied))
        })?;
        interrupt::raise()?;
        let (planned, applied) = done.map_err(|error| came::unplanned(py, &read.shown(), error))?;
        came(py, applied, &planned.plan.steps, &[], keep_going)
    }

    /// Returns the state of every entry of a manifest, and of the links that it made and does not declare any more: a list of
    /// :class:`caplink.EntryState`.
    #[pyo3(signature = (manifest=None))]
    fn status<'py>(&self, py: Python<'py>, manifest: Option<&Bound<'py, PyAny>>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let holder = self.0.opened(py)?;
        let read = self.read(py, &holder, manifest)?;
        let planned = detached(py, || {
            let manifests = manage::Manifests::open(&holder.root())?;
            manifests.plan(&read.manifest, &PlanOptions::default())
        })?;
        interrupt::raise()?;
        let planned = planned.map_err(|error| came::unplanned(py, &read.shown(), error))?;
        planned.plan.states.iter().map(|state| plan::state(py, state)).collect()
    }

    /// Takes away what the records say the manifest of this name made, and puts back what it displaced, all or nothing. Needs
    /// neither the manifest nor its sources. Returns a :class:`caplink.Applied`.
    #[pyo3(signature = (name, *, durability=None, reason=None, dry_run=false))]
    fn unapply<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call { durability: arguments::durability(py, durability)?, reason, dry_run };
        let holder = self.to_change(py, &call, "unapply", name)?;
        let done = detached(py, || {
            let (manifests, settled) = ready(&holder, &call)?;
            if !manifests.has_records() {
                return Err(failure::no_records());
            }
            let planned = manifests.plan_back(name)?;
            let applied = carry(&holder, &manifests, &planned, false, &call, settled)?;
            Ok((planned, applied))
        })?;
        interrupt::raise()?;
        let (planned, applied) = done.or_raise(py)?;
        came(py, applied, &planned.plan.steps, &[], false)
    }

    fn __repr__(&self) -> &'static str {
        "<caplink.Manifests>"
    }
}

impl Manifests {
    pub(crate) fn of(py: Python<'_>, root: &Arc<Shared>) -> PyResult<Manifests> {
        root.opened(py)?.is_whole("use manifests").or_raise(py)?;
        Ok(Manifests(Arc::clone(root)))
    }

    fn read(&self, py: Python<'_>, holder: &Holder, manifest: Option<&Bound<'_, PyAny>>) -> PyResult<Read> {
        let given = Given::of(&self.0, manifest)?;
        let read = detached(py, || given.read(holder))?;
        read.map_err(|unread| came::unread(py, &unread))
    }

    /// The root, for a change that audit hooks are asked about.
    fn to_change(&self, py: Python<'_>, call: &Call<'_>, verb: &str, name: &str) -> PyResult<Arc<Holder>> {
        let holder = self.0.opened(py)?;
        if !call.dry_run {
            audit(py, (format!("caplink.manifest.{verb}"), self.0.path(py), name))?;
        }
        Ok(holder)
    }
}

/// The manifests of the root as it changes. What an interrupted program left is settled first.
fn ready(holder: &Holder, call: &Call<'_>) -> caplink::Result<(manage::Manifests, Vec<Recovered>)> {
    let author = holder.author(call.reason)?;
    let records = holder.records()?;
    let mut settled = Vec::new();
    if let Some(records) = &records {
        demand_reason(records, call, author.reason().is_some())?;
        if !call.dry_run {
            settled = records.recover()?;
        }
    }
    let manifests = match records {
        Some(records) => manage::Manifests::with_records(&holder.unrecorded(), records)?,
        None => manage::Manifests::open(&holder.unrecorded())?,
    };
    Ok((manifests, settled))
}

fn carry(
    holder: &Holder,
    manifests: &manage::Manifests,
    planned: &Planned,
    keep_going: bool,
    call: &Call<'_>,
    settled: Vec<Recovered>,
) -> caplink::Result<Applied> {
    let durability = holder.group_durability(call);
    if call.dry_run {
        return Ok(manifests.preview(planned, durability, keep_going));
    }
    let mut applied = manifests.carry(planned, &holder.author(call.reason)?, durability, keep_going)?;
    applied.recovered.splice(0..0, settled);
    Ok(applied)
}

fn options(tags: Option<Vec<String>>, prune: bool, backup: bool) -> PlanOptions {
    let mut options = PlanOptions::default();
    options.tags = tags.unwrap_or_default();
    (options.prune, options.backup) = (prune, backup);
    options
}
