//! What the library writes as JSON, as objects of Python: the items of the command line's documents.

use std::ffi::OsString;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use serde::Serialize;
use serde_json::Value;

use crate::text::Text;

/// What a value says of itself, with names and texts that are not UTF-8 as `str` with surrogate escapes.
pub(crate) fn object<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    let value = serde_json::to_value(value).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    python(py, &value)
}

/// A value as an object of Python.
pub(crate) fn python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(is) => is.into_pyobject(py)?.to_owned().into_any(),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number.into_pyobject(py)?.into_any(),
            (_, Some(number)) => number.into_pyobject(py)?.into_any(),
            _ => number.as_f64().into_pyobject(py)?.into_any(),
        },
        Value::String(text) => text.into_pyobject(py)?.into_any(),
        Value::Array(values) => {
            let values = values.iter().map(|value| python(py, value)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, values)?.into_any()
        }
        Value::Object(map) => {
            if let Some(text) = bytes(value) {
                return Ok(Text(text).into_pyobject(py)?.into_any());
            }
            let dict = PyDict::new(py);
            for (key, value) in map {
                dict.set_item(key, python(py, value)?)?;
            }
            dict.into_any()
        }
    })
}

/// The text that stands as `{"base64": …}`.
fn bytes(value: &Value) -> Option<OsString> {
    let is_text = value.as_object().is_some_and(|map| map.len() == 1 && map.contains_key("base64"));
    is_text.then(|| serde_json::from_value::<caplink::wire::Text>(value.clone()).ok()).flatten().map(|text| text.0)
}
