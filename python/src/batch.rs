//! Edits carried out together, read from mappings with the keys of the command line's batch lines.

use std::collections::HashMap;

use caplink::records::{Group, GroupReport};
use caplink::wire::Line;
use caplink::{Edit, OnError, Outcome, Plan};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyMapping, PyString, PyTuple};
use serde_json::{Map, Value, json};

use crate::changing::{Call, Holder};
use crate::failure;
use crate::given::Given;
use crate::repair::objects;
use crate::root::Root;

/// How many edits are carried out before signals are looked after.
const RUN_MAX: usize = 1000;

/// What an edit that fails means for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Together {
    Stop,
    KeepGoing,
    AllOrNothing,
}

type Results = Vec<caplink::Result<Outcome>>;

/// Carries out edits.
pub(crate) fn batch<'py>(
    py: Python<'py>,
    root: &Root,
    edits: &Bound<'py, PyAny>,
    together: Together,
    call: &Call<'_>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let mut lines = Vec::new();
    for (index, edit) in edits.try_iter()?.enumerate() {
        lines.push(line(py, root, &edit?, index + 1)?);
    }
    let holder = root.0.opened(py)?;
    for line in &lines {
        let link = Given::of(line.link().map(|text| text.0.clone()).unwrap_or_default());
        let other = line.second().map(|text| Given::of(text.0.clone()));
        let event = PyString::new(py, &format!("caplink.{}", line.verb()));
        root.audited(py, call, &event, &link, other.as_ref())?;
    }
    if together == Together::AllOrNothing {
        return stood(py, holder.group(py, call, group(py, &lines)?)?);
    }
    let results = in_order(py, &holder, &lines, together, call)?;
    let failed = results.iter().position(Result::is_err);
    let objects = objects(py, results)?;
    match failed {
        Some(index) if together == Together::Stop => Err(stopped(py, index, &objects)?),
        _ => Ok(objects),
    }
}

/// Carries out edits in order, those with one reason together.
fn in_order(py: Python<'_>, holder: &Holder, lines: &[Line], together: Together, call: &Call<'_>) -> PyResult<Results> {
    let on_error = if together == Together::KeepGoing { OnError::KeepGoing } else { OnError::Stop };
    let mut results: Results = Vec::with_capacity(lines.len());
    while results.len() < lines.len() {
        let rest = &lines[results.len()..];
        let reason = rest[0].reason();
        let same = rest.iter().take(RUN_MAX).take_while(|line| line.reason() == reason).map(Line::edit);
        let mut edits: Vec<Edit> = Vec::new();
        let mut misspelled = None;
        for edit in same {
            match edit {
                Ok(edit) => edits.push(edit),
                Err(error) => {
                    misspelled = Some(error);
                    break;
                }
            }
        }
        let call = Call { reason: reason.or(call.reason), ..*call };
        match misspelled {
            Some(error) if edits.is_empty() => results.push(Err(error)),
            _ => results.extend(holder.plan(py, &call, Plan::new(edits).on_error(on_error))?),
        }
        if on_error == OnError::Stop && results.iter().any(Result::is_err) {
            break;
        }
    }
    let rest = lines[results.len()..].iter().map_while(skipped);
    results.extend(rest);
    Ok(results)
}

/// The outcome of an edit that was not tried, where its path names a link.
fn skipped(line: &Line) -> Option<caplink::Result<Outcome>> {
    let item = json!({
        "link": line.link(), "target": null, "outcome": "skipped", "previous": null,
        "guarantee": "atomic", "durability": "none", "confinement": "none",
    });
    serde_json::from_value(item).ok().map(Ok)
}

/// The edits as a group.
fn group(py: Python<'_>, lines: &[Line]) -> PyResult<Group> {
    let mut group = Group::new("batch");
    let mut seen = HashMap::new();
    for (number, line) in (1..).zip(lines) {
        let edit = line.edit().map_err(|error| numbered(py, &failure::raised(py, &error), number))?;
        let first = *seen.entry(edit.path().clone()).or_insert(number);
        let wrong = match line.second() {
            Some(_) => Some("an exchange cannot be one of those that stand or fall together".to_owned()),
            None => (first < number).then(|| format!("edit {first} is about the same link")),
        };
        if let Some(wrong) = wrong {
            let error = failure::usage(py, &format!("edit {number}: {wrong}"));
            return Err(numbered(py, &error, number));
        }
        match line.reason() {
            Some(reason) => group.push_because(edit, reason),
            None => group.push(edit),
        }
    }
    Ok(group)
}

/// What the steps of a group came to; raises the error for which it does not stand.
pub(crate) fn stood(py: Python<'_>, report: GroupReport) -> PyResult<Vec<Bound<'_, PyAny>>> {
    let failed = report.results.iter().position(Result::is_err);
    let objects = objects(py, report.results)?;
    match failed {
        Some(index) => Err(stopped(py, index, &objects)?),
        None => Ok(objects),
    }
}

/// The error that stopped a batch, with what the edits came to.
fn stopped(py: Python<'_>, index: usize, objects: &[Bound<'_, PyAny>]) -> PyResult<PyErr> {
    let error = &objects[index];
    error.setattr("line", index + 1)?;
    error.setattr("results", PyTuple::new(py, objects)?)?;
    Ok(PyErr::from_value(error.clone()))
}

fn numbered(py: Python<'_>, error: &PyErr, number: usize) -> PyErr {
    let _kept = error.value(py).setattr("line", number);
    error.clone_ref(py)
}

/// The line that a mapping says.
fn line(py: Python<'_>, root: &Root, edit: &Bound<'_, PyAny>, number: usize) -> PyResult<Line> {
    let wrong = |what: &str, found: &Bound<'_, PyAny>| {
        let found = found.get_type().name().map_or_else(|_| "another".to_owned(), |name| name.to_string());
        PyTypeError::new_err(format!("edit {number}: {what}, not {found}"))
    };
    let mapping = edit.cast::<PyMapping>().map_err(|_| wrong("expected a mapping", edit))?;
    let mut object = Map::new();
    for pair in mapping.items()? {
        let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair.extract()?;
        let Ok(key) = key.extract::<String>() else { return Err(wrong("a key is a str", &key)) };
        let told = |error: PyErr| match error.is_instance_of::<PyTypeError>(py) {
            true => wrong(&format!("`{key}`: expected str, bytes, os.PathLike or bool"), &value),
            false => error,
        };
        if !value.is_none() {
            object.insert(key.clone(), value_of(py, root, &value).map_err(told)?);
        }
    }
    serde_json::from_value(Value::Object(object))
        .map_err(|error| numbered(py, &failure::usage(py, &format!("edit {number}: {error}")), number))
}

fn value_of<'py>(py: Python<'py>, root: &Root, value: &Bound<'py, PyAny>) -> PyResult<Value> {
    if value.is_instance_of::<PyBool>() {
        return Ok(Value::Bool(value.is_truthy()?));
    }
    let given = value.extract::<Given<'py>>()?;
    given.is_of(py, &root.0)?;
    let text = caplink::wire::Text(given.text);
    serde_json::to_value(text).map_err(|error| PyValueError::new_err(error.to_string()))
}
