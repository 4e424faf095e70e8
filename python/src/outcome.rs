//! What one edit did.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::failure;
use crate::json;
use crate::text::{Text, shown};

/// What one edit did, as it was read back.
///
/// >>> import caplink, tempfile, os
/// >>> base = tempfile.mkdtemp(); os.mkdir(os.path.join(base, "v1"))
/// >>> outcome = caplink.Root(base).ensure("current", to="v1")
/// >>> outcome
/// Outcome('current', outcome='created', target='v1')
/// >>> outcome.verified, outcome.guarantee, outcome.previous
/// (True, 'atomic', None)
#[pyclass(frozen, module = "caplink")]
pub(crate) struct Outcome(pub(crate) caplink::Outcome);

#[pymethods]
impl Outcome {
    /// The link, below the root.
    #[getter]
    fn link(&self) -> Text {
        self.0.link.as_path().into()
    }

    /// `created`, `unchanged`, `replaced`, `exchanged`, `removed` or `skipped`.
    #[getter]
    fn outcome(&self) -> &'static str {
        self.0.effect.as_str()
    }

    /// Whether the link differs because of the edit.
    #[getter]
    fn changed(&self) -> bool {
        self.0.effect.is_change() && !self.0.dry_run
    }

    /// The text the link has now; None once it is removed.
    #[getter]
    fn target(&self) -> Option<Text> {
        self.0.target.clone().map(Text)
    }

    /// The text of the link that was displaced, never of one seen earlier.
    #[getter]
    fn previous(&self) -> Option<Text> {
        self.0.previous.clone().map(Text)
    }

    /// `atomic`: the kernel compared or exchanged in one step; `cooperative`: correct among holders of caplink's lock.
    #[getter]
    fn guarantee(&self) -> &'static str {
        self.0.guarantee.as_str()
    }

    /// What was synced: `none`, `dir` or `fs`.
    #[getter]
    fn durability(&self) -> &'static str {
        self.0.durability.as_str()
    }

    /// How far the kernel confined the edit: `landlock-N` or `none`.
    #[getter]
    fn confinement(&self) -> String {
        self.0.confinement.to_string()
    }

    /// Where the new link was staged before it was published: `none`, `beside` or `private`.
    #[getter]
    fn staging(&self) -> &'static str {
        self.0.staging.as_str()
    }

    /// Whether the result was read back by a new walk from the root.
    #[getter]
    fn verified(&self) -> bool {
        self.0.verified
    }

    /// Whether everything was decided and nothing changed.
    #[getter]
    fn dry_run(&self) -> bool {
        self.0.dry_run
    }

    /// Where the link is below the root, links on the way followed.
    #[getter]
    fn physical(&self) -> Text {
        self.0.physical_path().into()
    }

    /// Where a file or directory that was in the way is kept.
    #[getter]
    fn backup(&self) -> Option<Text> {
        self.0.backup.as_ref().map(Text::from)
    }

    /// The parent directories that were made.
    #[getter]
    fn made<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.made.iter().map(Text::from))
    }

    /// Errors that happened after the change stood: residue, a sync that failed.
    #[getter]
    fn shortfalls<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let errors = self.0.shortfalls.iter().map(|error| failure::exception(py, error));
        PyTuple::new(py, errors.collect::<PyResult<Vec<_>>>()?)
    }

    /// What became of the other link of an exchange.
    #[getter]
    fn counterpart(&self) -> Option<Outcome> {
        self.0.counterpart.as_deref().cloned().map(Outcome)
    }

    /// The item of the command line's documents.
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::object(py, &self.0)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let link = shown(py, self.0.link.as_path().as_os_str());
        let text = |text: &std::ffi::OsString| shown(py, text);
        let mut parts = vec![link, format!("outcome='{}'", self.0.effect)];
        parts.extend(self.0.target.as_ref().map(|target| format!("target={}", text(target))));
        parts.extend(self.0.previous.as_ref().map(|previous| format!("previous={}", text(previous))));
        if self.0.dry_run {
            parts.push("dry_run=True".to_owned());
        }
        format!("Outcome({})", parts.join(", "))
    }
}
