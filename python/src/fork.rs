//! What a forked child does not take over: a lock, or a value that is just being made, of a thread that it has not.

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// How often this process is the child of a fork.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// The generation that something was made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation(u64);

impl Generation {
    pub(crate) fn now() -> Generation {
        Generation(GENERATION.load(Ordering::Relaxed))
    }

    pub(crate) fn is_over(self) -> bool {
        self != Generation::now()
    }
}

#[pyfunction]
fn forked() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Asks the interpreter to be told of forks.
pub(crate) fn watch(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let os = module.py().import("os")?;
    let Ok(register) = os.getattr("register_at_fork") else { return Ok(()) };
    let when = PyDict::new(module.py());
    when.set_item("after_in_child", wrap_pyfunction!(forked, module)?)?;
    register.call((), Some(&when))?;
    Ok(())
}
