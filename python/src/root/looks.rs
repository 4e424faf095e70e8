//! The operations that look.

use pyo3::prelude::*;
use pyo3::types::PyAny;

use super::Root;
use crate::detached::detached;
use crate::failure::OrRaise as _;
use crate::given::Given;
use crate::inspected::{Inspected, Resolved};
use crate::scan::{self, Scan};
use crate::text::Text;

#[pymethods]
impl Root {
    /// Looks at the entry itself, not at what it may lead to. A broken link is an answer, and so is a missing name.
    fn inspect<'py>(&self, py: Python<'py>, path: Given<'py>) -> PyResult<Inspected> {
        let (holder, path) = (self.to_look(py, &path)?, &path.text);
        detached(py, || holder.root().inspect(path))?.or_raise(py).map(Inspected)
    }

    /// Returns where a path leads below the root, every link on the way followed; with `explain` each hop as well.
    #[pyo3(signature = (path, *, explain=false))]
    fn resolve<'py>(&self, py: Python<'py>, path: Given<'py>, explain: bool) -> PyResult<Resolved> {
        let (holder, path) = (self.to_look(py, &path)?, &path.text);
        let resolved = detached(py, || {
            let root = holder.root();
            if !explain {
                return root.resolve(path).map(|end| Resolved { end, hops: Vec::new() });
            }
            let explained = root.explain(path)?;
            Ok(Resolved { hops: explained.hops, end: explained.end? })
        })?;
        resolved.or_raise(py)
    }

    /// Returns the text of a link.
    fn readlink<'py>(&self, py: Python<'py>, path: Given<'py>) -> PyResult<Text> {
        let (holder, path) = (self.to_look(py, &path)?, &path.text);
        detached(py, || holder.root().read_link(path))?.or_raise(py).map(Text)
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
    fn scan<'py>(
        &self,
        py: Python<'py>,
        dir: Option<Given<'py>>,
        only: Option<&Bound<'py, PyAny>>,
        exclude: Option<&Bound<'py, PyAny>>,
        max_depth: Option<usize>,
        jobs: usize,
        onerror: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, Scan>> {
        let dir = dir.unwrap_or_else(Given::here);
        let holder = self.to_look(py, &dir)?;
        scan::start(py, &holder, &dir.text, scan::Asked { only, exclude, max_depth, jobs, onerror })
    }
}
