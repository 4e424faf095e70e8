//! One interpreter a process: what is kept here is kept for all of it, and belongs to the first that asked.

use std::sync::OnceLock;

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

/// Refuses every interpreter but the first. Each has a module of builtins of its own, which lives as long as it does.
pub(crate) fn only_the_first(py: Python<'_>) -> PyResult<()> {
    static FIRST: OnceLock<usize> = OnceLock::new();
    let this = py.import("builtins")?.as_ptr() as usize;
    if *FIRST.get_or_init(|| this) == this {
        return Ok(());
    }
    Err(PyImportError::new_err("caplink is loaded by another interpreter of this process, and serves one of them only"))
}
