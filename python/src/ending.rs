//! The end of the interpreter: scans under way are broken off while it still runs.
//!
//! Afterwards a thread that wants it back is ended in the middle of what it does, or the process with it: so the threads of
//! scans, which callables may hold up, are waited for before. A scan that begins later than that is forgotten instead.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::scan::Scan;

/// The scans there are: a `weakref.WeakSet`.
static SCANS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

static HAS_BEGUN: AtomicBool = AtomicBool::new(false);

/// Whether the scans were broken off, and none is waited for any more.
pub(crate) fn has_begun() -> bool {
    HAS_BEGUN.load(Ordering::Relaxed)
}

/// Has a scan broken off at the end.
pub(crate) fn ends(scan: &Bound<'_, Scan>) -> PyResult<()> {
    scans(scan.py())?.call_method1("add", (scan,)).map(drop)
}

#[pyfunction]
fn break_off(py: Python<'_>) -> PyResult<()> {
    HAS_BEGUN.store(true, Ordering::Relaxed);
    let scans = scans(py)?.try_iter()?.collect::<PyResult<Vec<_>>>()?;
    for scan in scans {
        scan.cast::<Scan>()?.get().close(py);
    }
    Ok(())
}

fn scans(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    let made = || Ok::<_, PyErr>(py.import("weakref")?.getattr("WeakSet")?.call0()?.unbind());
    SCANS.get_or_try_init(py, made).map(|scans| scans.bind(py))
}

/// Asks the interpreter to be told of its end.
pub(crate) fn watch(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let atexit = module.py().import("atexit")?;
    atexit.call_method1("register", (wrap_pyfunction!(break_off, module)?,))?;
    Ok(())
}
