//! Words and numbers that are given as keywords, as the command line names them.

use std::str::FromStr;
use std::time::Duration;

use caplink::{Durability, Enforcement, Style};
use pyo3::prelude::*;

use crate::failure;

/// One of a few words.
pub(crate) fn word<T: FromStr>(py: Python<'_>, word: &str) -> PyResult<T>
where
    T::Err: std::fmt::Display,
{
    word.parse().map_err(|error: T::Err| failure::usage(py, &error.to_string()))
}

pub(crate) fn style(py: Python<'_>, style: Option<&str>) -> PyResult<Style> {
    style.map_or(Ok(Style::default()), |style| word(py, style))
}

pub(crate) fn durability(py: Python<'_>, durability: Option<&str>) -> PyResult<Option<Durability>> {
    durability.map(|durability| word(py, durability)).transpose()
}

/// How far changes are to be confined by the kernel; `None` where not at all.
pub(crate) fn confine(py: Python<'_>, confine: &str) -> PyResult<Option<Enforcement>> {
    match confine {
        "off" => Ok(None),
        "auto" => Ok(Some(Enforcement::Auto)),
        "require" => Ok(Some(Enforcement::Require)),
        other => Err(failure::usage(py, &format!("`{other}` is not `off`, `auto` or `require`"))),
    }
}

/// Seconds, as everywhere in Python.
pub(crate) fn seconds(py: Python<'_>, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| failure::usage(py, &format!("`{seconds}` is no time to wait")))
}

/// What Python takes for true, as `os` and `pathlib` do for arguments that are theirs. Those of a root are `bool` alone: a
/// word like `"no"` allows nothing.
pub(crate) fn truth(given: &Bound<'_, PyAny>) -> PyResult<bool> {
    given.is_truthy()
}
