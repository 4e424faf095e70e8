//! The operations that look.

use pyo3::prelude::*;
use pyo3::types::PyAny;

use super::Root;
use crate::detached::detached;
use crate::failure::OrRaise as _;
use crate::inspected::{Inspected, Resolved};
use crate::scan::{self, Scan};
use crate::text::Text;

#[pymethods]
impl Root {
    /// Looks at the entry itself, not at what it may lead to. A broken link is an answer, and so is a missing name.
    fn inspect(&self, py: Python<'_>, path: Text) -> PyResult<Inspected> {
        detached(py, || self.0.root().inspect(&path.0))?.or_raise(py).map(Inspected)
    }

    /// Returns where a path leads below the root, every link on the way followed; with `explain` each hop as well.
    #[pyo3(signature = (path, *, explain=false))]
    fn resolve(&self, py: Python<'_>, path: Text, explain: bool) -> PyResult<Resolved> {
        let resolved = detached(py, || {
            let root = self.0.root();
            if !explain {
                return root.resolve(&path.0).map(|end| Resolved { end, hops: Vec::new() });
            }
            let explained = root.explain(&path.0)?;
            Ok(Resolved { hops: explained.hops, end: explained.end? })
        })?;
        resolved.or_raise(py)
    }

    /// Returns the text of a link.
    fn readlink(&self, py: Python<'_>, path: Text) -> PyResult<Text> {
        detached(py, || self.0.root().read_link(&path.0))?.or_raise(py).map(Text)
    }

    /// Looks at every link below a directory: an iterator of :class:`caplink.Finding`, which can be broken off.
    ///
    /// `only` keeps links of these statuses and traits (`broken`: every status but `ok`); `exclude` are globs, or a callable that
    /// is given the path of an entry; `jobs` threads walk (0: one for each processor). A directory that cannot be read is handed to
    /// `onerror`, and is among the `errors` of the scan.
    ///
    /// >>> import caplink, os, tempfile
    /// >>> base = tempfile.mkdtemp()
    /// >>> os.symlink("gone", os.path.join(base, "l"))
    /// >>> with caplink.Root(base).scan(only="broken") as scan:
    /// ...     for finding in scan:
    /// ...         print(finding.link, finding.status)
    /// l dangling
    /// >>> scan.summary.complete
    /// True
    #[pyo3(signature = (dir=None, *, only=None, exclude=None, max_depth=None, jobs=1, onerror=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn scan(
        &self,
        py: Python<'_>,
        dir: Option<Text>,
        only: Option<&Bound<'_, PyAny>>,
        exclude: Option<&Bound<'_, PyAny>>,
        max_depth: Option<usize>,
        jobs: usize,
        onerror: Option<Py<PyAny>>,
    ) -> PyResult<Scan> {
        let asked = scan::Asked { only, exclude, max_depth, jobs, onerror };
        scan::start(py, &self.0, dir, asked)
    }
}
