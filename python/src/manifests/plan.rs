//! Plans, their steps and the states of entries, as objects of Python.

use caplink::manage::{self, Action, ManifestStep, Note, Planned, SavedPlan};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBytes, PyDict, PyTuple};

use crate::failure;
use crate::text::Text;

/// What ``root.manifests().apply`` would do, step by step; made by ``root.manifests().plan``.
///
/// It can be shown, saved with :meth:`to_bytes`, and carried out exactly as it is.
#[pyclass(frozen, module = "caplink", name = "ManifestPlan")]
pub(crate) struct Plan {
    pub(super) planned: Planned,
    /// None where a conflict keeps it from being carried out.
    pub(super) saved: Option<SavedPlan>,
}

#[pymethods]
impl Plan {
    /// The name of the manifest.
    #[getter]
    fn manifest(&self) -> &str {
        &self.planned.manifest
    }

    /// The steps in the order in which they are carried out: a tuple of :class:`caplink.ManifestStep`.
    #[getter]
    fn steps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        tuple(py, self.planned.plan.steps.iter())
    }

    /// The steps that keep it from being carried out.
    #[getter]
    fn conflicts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        tuple(py, self.planned.plan.conflicts())
    }

    /// Whether the tree is as it is to be: every step is `keep` or `skip`.
    #[getter]
    fn empty(&self) -> bool {
        self.planned.plan.is_empty()
    }

    /// The file that the manifest was applied from before, if it was another one.
    #[getter]
    fn moved_from(&self) -> Option<Text> {
        self.planned.moved_from.as_ref().map(Text::from)
    }

    /// Returns the plan as the command line's `plan -o` saves it. A plan with a conflict cannot be carried out, nor saved.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        if let Some(saved) = &self.saved {
            return Ok(PyBytes::new(py, &saved.to_bytes()));
        }
        let error = self.planned.plan.conflicts().find_map(ManifestStep::error);
        Err(error.map_or_else(|| failure::usage(py, "the plan cannot be saved"), |error| failure::raised(py, &error)))
    }

    fn __repr__(&self) -> String {
        let steps = &self.planned.plan.steps;
        let changes = steps.iter().filter(|step| step.action.is_change()).count();
        let conflicts = self.planned.plan.conflicts().count();
        let name = &self.planned.manifest;
        format!("<caplink.ManifestPlan '{name}': {changes} to change, {conflicts} in conflict, {} steps>", steps.len())
    }
}

fn tuple<'a, 'py>(py: Python<'py>, steps: impl Iterator<Item = &'a ManifestStep>) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, steps.map(|of| step(py, of)).collect::<PyResult<Vec<_>>>()?)
}

fn step<'py>(py: Python<'py>, step: &ManifestStep) -> PyResult<Bound<'py, PyAny>> {
    let shown = PyDict::new(py);
    let link = Text::from(step.link.as_path());
    let is_dir = matches!(step.action, Action::Mkdir | Action::Rmdir);
    let conflict = step.conflict.as_deref().filter(|_| step.action == Action::Conflict);
    shown.set_item("action", step.action.as_str())?;
    match (step.label.name(), is_dir) {
        (Some(name), _) => shown.set_item("name", name)?,
        (None, true) => shown.set_item("name", py.None())?,
        (None, false) => shown.set_item("name", &link)?,
    }
    shown.set_item("link", link)?;
    shown.set_item("target", step.target.as_ref().map(|text| Text(text.into())))?;
    shown.set_item("previous", step.previous.as_ref().map(|text| Text(text.into())))?;
    shown.set_item("comment", step.label.comment())?;
    shown.set_item("note", (step.note != Note::Plain).then(|| step.note.as_str()))?;
    shown.set_item("restore", step.restore.as_ref().map(Text::from))?;
    shown.set_item("kind", conflict.map(|conflict| conflict.kind.as_str()))?;
    shown.set_item("remedy", conflict.and_then(|conflict| conflict.remedy).map(manage::Remedy::as_str))?;
    value(py, "ManifestStep", &shown)
}

/// The state of an entry.
pub(super) fn state<'py>(py: Python<'py>, state: &manage::EntryState) -> PyResult<Bound<'py, PyAny>> {
    let shown = PyDict::new(py);
    let link = Text::from(state.link.as_path());
    match state.label.name() {
        Some(name) => shown.set_item("name", name)?,
        None => shown.set_item("name", &link)?,
    }
    shown.set_item("link", link)?;
    shown.set_item("status", state.status.as_str())?;
    shown.set_item("target", state.target.as_ref().map(|text| Text(text.into())))?;
    shown.set_item("found", state.found.as_ref().map(|text| Text(text.into())))?;
    shown.set_item("comment", state.label.comment())?;
    value(py, "EntryState", &shown)
}

pub(super) fn value<'py>(py: Python<'py>, name: &str, shown: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    py.import("caplink._values")?.getattr(name)?.call((), Some(shown))
}
