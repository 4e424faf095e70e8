//! Work with the interpreter let go of: other threads of Python run meanwhile, and no panic gets through.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Does the work without the interpreter. A panic in it, which is a bug, is an exception here.
pub(crate) fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    py.detach(|| panic::catch_unwind(AssertUnwindSafe(work))).map_err(|panic| bug(&*panic))
}

/// The exception for a panic.
fn bug(panic: &(dyn Any + Send)) -> PyErr {
    let said = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    PyRuntimeError::new_err(format!("a bug of caplink, please report it: {}", said.unwrap_or("a panic")))
}

/// Panics as a bug would, for the tests.
#[cfg(debug_assertions)]
#[pyfunction]
pub(crate) fn _panic(py: Python<'_>) -> PyResult<()> {
    detached(py, || panic!("asked for"))
}
