//! What carrying out came to, and why it could not: values and exceptions.

use std::path::PathBuf;

use caplink::Kind;
use caplink::manage::{Applied, ManifestStep, Problem, Trouble, Unplanned};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyTuple};

use super::plan::value;
use super::read::Unread;
use crate::failure;
use crate::json;
use crate::outcome::Outcome;
use crate::records;
use crate::text::Text;

/// The value of what was applied; raises the error for which it does not stand, unless that is what was asked for.
pub(crate) fn came<'py>(
    py: Python<'py>,
    applied: Applied,
    steps: &[ManifestStep],
    made: &[PathBuf],
    keep_going: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let failed = applied.results.iter().position(Result::is_err);
    let mut results = Vec::with_capacity(applied.results.len());
    for (index, result) in applied.results.into_iter().enumerate() {
        let object = match result {
            Ok(outcome) => Bound::new(py, Outcome(outcome))?.into_any(),
            Err(error) => {
                let object = failure::exception(py, &error)?;
                let conflict = steps.get(index).and_then(|step| step.conflict.as_deref());
                if let Some(remedy) = conflict.and_then(|conflict| conflict.remedy) {
                    object.setattr("remedy", remedy.as_str())?;
                }
                object
            }
        };
        results.push(object);
    }
    if let Some(index) = failed.filter(|_| !keep_going) {
        let error = results[index].clone();
        error.setattr("results", PyTuple::new(py, &results)?)?;
        return Err(PyErr::from_value(error));
    }
    let shown = PyDict::new(py);
    shown.set_item("group", (!applied.group.is_empty()).then_some(applied.group))?;
    shown.set_item("results", PyTuple::new(py, results)?)?;
    shown.set_item("made", PyTuple::new(py, made.iter().map(Text::from))?)?;
    let recovered: Vec<_> = applied.recovered.iter().map(records::item).collect();
    shown.set_item("recovered", json::object(py, &recovered)?)?;
    value(py, "Applied", &shown)
}

/// The exception for a manifest that cannot be read.
pub(super) fn unread(py: Python<'_>, unread: &Unread) -> PyErr {
    match unread {
        Unread::Failed { kind, message, source } => {
            failure::of_system(py, *kind, message, source.as_ref().and_then(std::io::Error::raw_os_error))
        }
        Unread::Problems { shown, problems } => {
            let troubles: Vec<Trouble> = problems.iter().cloned().map(Trouble::Problem).collect();
            troubled(py, shown, &troubles)
        }
    }
}

/// The exception for a manifest that there is no plan of.
pub(super) fn unplanned(py: Python<'_>, shown: &str, unplanned: Unplanned) -> PyErr {
    match unplanned {
        Unplanned::Manifest(troubles) => troubled(py, shown, &troubles),
        Unplanned::Root(error) => failure::raised(py, &error),
        other => failure::usage(py, &other.to_string()),
    }
}

/// One exception for all that is wrong, of the kind of the first.
fn troubled(py: Python<'_>, shown: &str, troubles: &[Trouble]) -> PyErr {
    exception(py, shown, troubles).map_or_else(|failure| failure, PyErr::from_value)
}

fn exception<'py>(py: Python<'py>, shown: &str, troubles: &[Trouble]) -> PyResult<Bound<'py, PyAny>> {
    let error = match troubles.first() {
        Some(Trouble::Unread { error, .. }) => failure::exception(py, error)?,
        _ => failure::of_kind(py, Kind::InvalidManifest, "").into_value(py).into_bound(py).into_any(),
    };
    let make = py.import("caplink._errors")?.getattr("ManifestProblem")?;
    let (mut problems, mut lines) = (Vec::new(), Vec::new());
    for trouble in troubles {
        let (line, column, message, expected) = match trouble {
            Trouble::Problem(problem) => of(problem),
            Trouble::Unread { error, at } => (at.line as usize, at.column as usize, error.to_string(), None),
        };
        lines.push(format!("{shown}:{line}:{column}: {message}"));
        problems.push(make.call1((line, column, message, expected, trouble.kind().as_str()))?);
    }
    if let Some(first) = problems.first() {
        error.setattr("line", first.getattr("line")?)?;
        error.setattr("column", first.getattr("column")?)?;
    }
    error.setattr("strerror", lines.join("\n"))?;
    error.setattr("problems", PyTuple::new(py, problems)?)?;
    Ok(error)
}

fn of(problem: &Problem) -> (usize, usize, String, Option<&str>) {
    (problem.line(), problem.column(), problem.message().to_owned(), problem.expected())
}
