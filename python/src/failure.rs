//! Errors as exceptions. The classes are those of `caplink._errors`, which knows errno and hints.

use std::path::PathBuf;

use caplink::wire::Problem;
use caplink::{Error, Found, Kind};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use crate::text::Text;

static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The exception for an error.
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    exception(py, error).map_or_else(|failure| failure, PyErr::from_value)
}

/// The exception for an error, as an object.
pub(crate) fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let details = PyDict::new(py);
    let texts = |paths: &[PathBuf]| PyTuple::new(py, paths.iter().map(Text::from));
    details.set_item("operation", error.operation())?;
    // The root itself is `.`, but for a path that is empty.
    let given = error.link().filter(|_| matches!(error.kind(), Kind::InvalidPath | Kind::RootGone));
    match given.filter(|link| link.as_os_str().is_empty()) {
        Some(empty) => details.set_item("link", empty.as_os_str())?,
        None => details.set_item("link", error.link().map(Text::from))?,
    }
    if let Some(component) = error.component() {
        details.set_item("component", component.name.as_os_str())?;
        details.set_item("index", component.index)?;
    }
    details.set_item("via", error.via_text())?;
    match error.found() {
        Some(Found::Missing) => details.set_item("found", ("missing", None::<&str>))?,
        Some(Found::Link(text)) => details.set_item("found", ("symlink", text.as_os_str()))?,
        Some(Found::Other(kind)) => details.set_item("found", (kind.as_str(), None::<&str>))?,
        None => {}
    }
    if let Some(holder) = error.holder() {
        details.set_item("holder", (holder.pid, holder.program.as_deref()))?;
    }
    details.set_item("left", texts(error.left())?)?;
    details.set_item("preserved", texts(error.preserved())?)?;
    details.set_item("made", texts(error.made())?)?;
    details.set_item("changed", error.is_changed())?;
    details.set_item("seq", error.seq())?;
    details.set_item("group", error.group())?;
    let system = error.io_error().and_then(std::io::Error::raw_os_error);
    make(py, error.kind(), &error.to_string(), system, &details)
}

/// The exception for an argument that makes no sense.
pub(crate) fn usage(py: Python<'_>, message: &str) -> PyErr {
    of_kind(py, Kind::Usage, message)
}

/// The exception for a kind with a message alone.
pub(crate) fn of_kind(py: Python<'_>, kind: Kind, message: &str) -> PyErr {
    of_system(py, kind, message, None)
}

/// The same, where the system said why.
pub(crate) fn of_system(py: Python<'_>, kind: Kind, message: &str, system: Option<i32>) -> PyErr {
    make(py, kind, message, system, &PyDict::new(py)).map_or_else(|failure| failure, PyErr::from_value)
}

/// An error of a kind that the library makes of other things alone.
pub(crate) fn error(kind: Kind, operation: &str, message: &str) -> Error {
    let mut problem = Problem::new(kind, message);
    operation.clone_into(&mut problem.operation);
    Error::try_from(problem).unwrap_or_else(|_| Error::refusal(message))
}

/// The root has no records, and is to have some.
pub(crate) fn no_records() -> Error {
    error(Kind::NoRecords, "use the records", "the root has no records")
}

fn make<'py>(
    py: Python<'py>,
    kind: Kind,
    message: &str,
    system: Option<i32>,
    details: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let make = MAKE.get_or_try_init(py, || py.import("caplink._errors")?.getattr("make").map(Bound::unbind))?;
    make.bind(py).call1((kind.as_str(), message, system, details))
}

/// Turns the errors of the library into exceptions.
pub(crate) trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for caplink::Result<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| raised(py, &error))
    }
}
