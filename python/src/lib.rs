//! caplink for Python: the module `caplink._caplink`, whose names `caplink` shows.
//!
//! Everything here is a translation: arguments into edits, results into objects, errors into exceptions. What a call does
//! is done by the library, with the interpreter let go of meanwhile.
//!
//! `unsafe` is what the macros of PyO3 expand to; nothing here writes it.

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

mod adopt;
mod arguments;
mod audit;
mod batch;
mod changing;
mod checks;
mod descriptor;
mod detached;
mod ending;
mod exclude;
mod failure;
mod finding;
mod fork;
mod functions;
mod given;
mod inspected;
mod interpreter;
mod interrupt;
mod json;
mod lstat;
mod manifests;
mod opening;
mod outcome;
mod path;
mod records;
mod releases;
mod repair;
mod root;
mod scan;
mod shared;
mod text;

use pyo3::prelude::*;

/// The compiled part of caplink.
#[pymodule(gil_used = false)]
fn _caplink(module: &Bound<'_, PyModule>) -> PyResult<()> {
    interpreter::only_the_first(module.py())?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<root::Root>()?;
    module.add_class::<path::LinkPath>()?;
    module.add_class::<outcome::Outcome>()?;
    module.add_class::<inspected::Inspected>()?;
    module.add_class::<inspected::Resolved>()?;
    module.add_class::<inspected::Hop>()?;
    module.add_class::<finding::Finding>()?;
    module.add_class::<finding::Summary>()?;
    module.add_class::<scan::Scan>()?;
    module.add_class::<records::Records>()?;
    module.add_class::<releases::Releases>()?;
    module.add_class::<manifests::Manifests>()?;
    module.add_class::<manifests::Plan>()?;
    module.add_function(wrap_pyfunction!(functions::symlink, module)?)?;
    module.add_function(wrap_pyfunction!(functions::replace_symlink, module)?)?;
    fork::watch(module)?;
    ending::watch(module)?;
    #[cfg(debug_assertions)]
    module.add_function(wrap_pyfunction!(detached::_panic, module)?)?;
    Ok(())
}
