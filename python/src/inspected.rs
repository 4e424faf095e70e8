//! An entry that was looked at, and where a path leads.

use caplink::FileKind;
use pyo3::prelude::*;

use crate::json;
use crate::text::{Text, shown};

/// An entry that was looked at: itself, not what it may lead to.
///
/// >>> import caplink, tempfile, os
/// >>> base = tempfile.mkdtemp(); os.symlink("gone", os.path.join(base, "l"))
/// >>> found = caplink.Root(base).inspect("l")
/// >>> found.kind, found.target, found.status
/// ('symlink', 'gone', 'dangling')
#[pyclass(frozen, module = "caplink")]
pub(crate) struct Inspected(pub(crate) caplink::Inspected);

#[pymethods]
impl Inspected {
    /// The path, below the root; `.` for the root itself.
    #[getter]
    fn path(&self) -> Text {
        (&self.0.path).into()
    }

    /// `symlink`, `file`, `dir`, `fifo`, `socket`, `char_device`, `block_device` or `missing`.
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind.map_or("missing", FileKind::as_str)
    }

    /// Device and inode; None where nothing is there.
    #[getter]
    fn id(&self) -> Option<(u64, u64)> {
        self.0.id.map(|id| (id.device, id.inode))
    }

    /// The owner.
    #[getter]
    fn uid(&self) -> Option<u32> {
        self.0.uid
    }

    /// The permission bits.
    #[getter]
    fn mode(&self) -> Option<u32> {
        self.0.mode
    }

    /// The text, if it is a link.
    #[getter]
    fn target(&self) -> Option<Text> {
        self.0.link.as_ref().map(|link| Text(link.target.clone()))
    }

    /// Where it leads, if it is a link: `ok`, `dangling`, `loop`, `escape`, `denied` or `corrupt`.
    #[getter]
    fn status(&self) -> Option<&'static str> {
        self.0.link.as_ref().map(|link| link.status.as_str())
    }

    /// Its peculiarities: `absolute`, `messy`, `lengthy`, `chain`, `other_fs`, `outside_missing`.
    #[getter]
    fn traits(&self) -> Vec<&'static str> {
        self.0.link.iter().flat_map(|link| link.traits.iter()).map(|of| of.as_str()).collect()
    }

    /// How many links are gone through, this one included.
    #[getter]
    fn hops(&self) -> Option<usize> {
        self.0.link.as_ref().map(|link| link.hops)
    }

    /// The path below the root of what it leads to.
    #[getter]
    fn resolved(&self) -> Option<Text> {
        self.0.link.as_ref()?.resolved.as_ref().map(Text::from)
    }

    /// The kind of what it leads to.
    #[getter]
    fn resolved_kind(&self) -> Option<&'static str> {
        self.0.link.as_ref()?.resolved_kind.map(FileKind::as_str)
    }

    /// The item of the command line's documents.
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::object(py, &self.0)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let path = Text::from(&self.0.path);
        let mut parts = vec![shown(py, &path.0), format!("kind='{}'", self.kind())];
        parts.extend(self.target().map(|target| format!("target={}", shown(py, &target.0))));
        parts.extend(self.status().map(|status| format!("status='{status}'")));
        format!("Inspected({})", parts.join(", "))
    }
}

/// Where a path leads below the root.
#[pyclass(frozen, module = "caplink")]
pub(crate) struct Resolved {
    pub(crate) end: caplink::Resolved,
    pub(crate) hops: Vec<caplink::Hop>,
}

#[pymethods]
impl Resolved {
    /// The path of what it leads to; `.` for the root itself.
    #[getter]
    fn path(&self) -> Text {
        (&self.end.path).into()
    }

    /// The kind of what it leads to.
    #[getter]
    fn kind(&self) -> &'static str {
        self.end.kind.as_str()
    }

    /// Device and inode of what it leads to.
    #[getter]
    fn id(&self) -> (u64, u64) {
        (self.end.id.device, self.end.id.inode)
    }

    /// Each component that was walked over, where that was asked for.
    #[getter]
    fn hops(&self) -> Vec<Hop> {
        self.hops.iter().cloned().map(Hop).collect()
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("Resolved({}, kind='{}')", shown(py, &self.path().0), self.kind())
    }
}

/// A component of a path that was walked over.
#[pyclass(frozen, module = "caplink")]
pub(crate) struct Hop(pub(crate) caplink::Hop);

#[pymethods]
impl Hop {
    /// The component, as it was written in the path or in a link's text.
    #[getter]
    fn component(&self) -> Text {
        Text(self.0.component.clone())
    }

    /// Where it stands, below the root.
    #[getter]
    fn at(&self) -> Text {
        (&self.0.at).into()
    }

    /// Its kind; None where it could not be seen.
    #[getter]
    fn kind(&self) -> Option<&'static str> {
        self.0.kind.map(FileKind::as_str)
    }

    /// The text, where it is a link.
    #[getter]
    fn target(&self) -> Option<Text> {
        self.0.target.clone().map(Text)
    }

    /// Its owner.
    #[getter]
    fn uid(&self) -> Option<u32> {
        self.0.uid
    }

    /// Its permission bits.
    #[getter]
    fn mode(&self) -> Option<u32> {
        self.0.mode
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let mut parts = vec![shown(py, &self.0.component), format!("at={}", shown(py, &self.at().0))];
        parts.extend(self.target().map(|target| format!("target={}", shown(py, &target.0))));
        format!("Hop({})", parts.join(", "))
    }
}
