//! The audit events of changes: `caplink.` and the operation. They are raised before it; a hook that raises forbids it.

use pyo3::call::PyCallArgs;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

static AUDIT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Raises an event; its name is the first of the arguments.
pub(crate) fn audit<'py>(py: Python<'py>, event: impl PyCallArgs<'py>) -> PyResult<()> {
    let audit = AUDIT.get_or_try_init(py, || py.import("sys")?.getattr(intern!(py, "audit")).map(Bound::unbind))?;
    audit.bind(py).call1(event).map(drop)
}
