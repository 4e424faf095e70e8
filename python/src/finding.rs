//! What a scan says of a link, and of all of them together.

use caplink::{Status, Trait};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::json;
use crate::text::{Text, shown};

/// What a scan says of a link.
#[pyclass(frozen, module = "caplink")]
pub(crate) struct Finding(pub(crate) caplink::Finding);

#[pymethods]
impl Finding {
    /// The link, below the root.
    #[getter]
    fn link(&self) -> Text {
        (&self.0.link).into()
    }

    /// The text; None where it could not be read.
    #[getter]
    fn target(&self) -> Option<Text> {
        self.0.target.clone().map(Text)
    }

    /// Where it leads: `ok`, `dangling`, `loop`, `escape`, `denied` or `corrupt`.
    #[getter]
    fn status(&self) -> &'static str {
        self.0.status.as_str()
    }

    /// Its peculiarities: `absolute`, `messy`, `lengthy`, `chain`, `other_fs`, `outside_missing`.
    #[getter]
    fn traits<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.traits.iter().map(Trait::as_str).collect::<Vec<_>>())
    }

    /// How many links were gone through, this one included.
    #[getter]
    fn hops(&self) -> usize {
        self.0.hops
    }

    /// The path below the root of what it leads to.
    #[getter]
    fn resolved(&self) -> Option<Text> {
        self.0.resolved.as_ref().map(Text::from)
    }

    /// The item of the command line's documents.
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::object(py, &self.0)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let mut parts = vec![shown(py, self.0.link.as_os_str())];
        parts.extend(self.0.target.as_ref().map(|target| format!("target={}", shown(py, target))));
        parts.push(format!("status='{}'", self.0.status));
        format!("Finding({})", parts.join(", "))
    }
}

/// What a scan found, counted.
#[pyclass(frozen, module = "caplink")]
pub(crate) struct Summary(pub(crate) caplink::Summary);

#[pymethods]
impl Summary {
    /// How many links were found.
    #[getter]
    fn links(&self) -> u64 {
        self.0.links
    }

    /// How many entries were seen.
    #[getter]
    fn entries(&self) -> u64 {
        self.0.entries
    }

    /// How many directories were opened.
    #[getter]
    fn dirs(&self) -> u64 {
        self.0.dirs
    }

    /// How many directories could not be read.
    #[getter]
    fn dirs_unread(&self) -> u64 {
        self.0.dirs_unread
    }

    /// How many mount points were not entered.
    #[getter]
    fn mounts(&self) -> u64 {
        self.0.mounts
    }

    /// Whether the scan came to its end and everything was seen.
    #[getter]
    fn complete(&self) -> bool {
        self.0.complete
    }

    /// The count of a status or trait.
    fn __getitem__(&self, word: &str) -> PyResult<u64> {
        let status = word.parse::<Status>().map(|status| self.0.with_status(status)).ok();
        let of_trait = || word.parse::<Trait>().map(|of| self.0.with_trait(of)).ok();
        status.or_else(of_trait).ok_or_else(|| pyo3::exceptions::PyKeyError::new_err(word.to_owned()))
    }

    /// The summary of the command line's documents.
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::object(py, &self.0)
    }

    fn __repr__(&self) -> String {
        let counts = Status::ALL.iter().map(|status| (status, self.0.with_status(*status)));
        let counts: Vec<String> =
            counts.filter(|(_, count)| *count > 0).map(|(status, count)| format!(", {status}={count}")).collect();
        let complete = if self.0.complete { "True" } else { "False" };
        format!("Summary(links={}{}, complete={complete})", self.0.links, counts.concat())
    }
}
