//! Edits carried out together, read from dicts with the keys of the command line's batch lines.

use caplink::wire::Line;
use caplink::{Edit, OnError, Plan};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyTuple};
use serde_json::{Map, Value};

use crate::changing::Call;
use crate::failure::{self, OrRaise as _};
use crate::repair::objects;
use crate::root::Root;
use crate::text::Text;

/// Carries out edits in order.
pub(crate) fn batch<'py>(
    py: Python<'py>,
    root: &Root,
    edits: &Bound<'py, PyAny>,
    keep_going: bool,
    call: &Call<'_>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let mut lines = Vec::new();
    for (index, edit) in edits.try_iter()?.enumerate() {
        lines.push(line(py, &edit?, index + 1)?);
    }
    let edits = lines.iter().map(Line::edit).collect::<caplink::Result<Vec<Edit>>>();
    let edits: Vec<Edit> = edits.or_raise(py)?;
    for line in &lines {
        let link = line.link().map(|text| Text(text.0.clone())).unwrap_or_default();
        let other = line.second().map(|text| Text(text.0.clone()));
        root.audited(py, call, &format!("caplink.{}", line.verb()), &link, other.as_ref())?;
    }
    let on_error = if keep_going { OnError::KeepGoing } else { OnError::Stop };
    let results = root.0.plan(py, call, Plan::new(edits).on_error(on_error))?;
    let failed = results.iter().position(Result::is_err);
    let objects = objects(py, results)?;
    match failed {
        Some(index) if !keep_going => Err(stopped(py, index, &objects)?),
        _ => Ok(objects),
    }
}

/// The error that stopped a batch, with what the edits came to.
fn stopped(py: Python<'_>, index: usize, objects: &[Bound<'_, PyAny>]) -> PyResult<PyErr> {
    let error = &objects[index];
    error.setattr("line", index + 1)?;
    error.setattr("results", PyTuple::new(py, objects)?)?;
    Ok(PyErr::from_value(error.clone()))
}

/// The line that a dict says.
fn line(py: Python<'_>, edit: &Bound<'_, PyAny>, number: usize) -> PyResult<Line> {
    let dict = edit.cast::<PyDict>()?;
    let mut object = Map::new();
    for (key, value) in dict {
        if !value.is_none() {
            object.insert(key.extract()?, json(&value)?);
        }
    }
    serde_json::from_value(Value::Object(object)).map_err(|error| {
        let wrong = failure::usage(py, &format!("edit {number}: {error}"));
        let _kept = wrong.value(py).setattr("line", number);
        wrong
    })
}

fn json(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if value.is_instance_of::<PyBool>() {
        return Ok(Value::Bool(value.is_truthy()?));
    }
    let text = caplink::wire::Text(value.extract::<Text>()?.0);
    serde_json::to_value(text).map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))
}
