//! Checks and hooks of releases: callables of Python, and programs.

use std::sync::{Arc, Mutex, PoisonError};

use caplink::manage::{Check, CheckContext, Progress};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBool, PyString};

use crate::failure;
use crate::interrupt;

/// What a callable raised: the cause of the failure.
pub(crate) type Raised = Arc<Mutex<Option<PyErr>>>;

/// A callable, a program as a list of words, or a list of these.
pub(crate) fn read(py: Python<'_>, given: Option<&Bound<'_, PyAny>>, raised: &Raised) -> PyResult<Vec<Check>> {
    let Some(given) = given else { return Ok(Vec::new()) };
    if given.is_callable() {
        return Ok(vec![callable(given, raised)?]);
    }
    if given.is_instance_of::<PyString>() {
        return Err(failure::usage(py, "a program is a list of words: there is no shell"));
    }
    let items = given.try_iter()?.collect::<PyResult<Vec<_>>>()?;
    if !items.is_empty() && items.iter().all(Bound::is_instance_of::<PyString>) {
        return Ok(vec![Check::program(given.extract::<Vec<String>>()?)]);
    }
    let check = |item: &Bound<'_, PyAny>| match item.is_callable() {
        true => callable(item, raised),
        false => match item.extract::<Vec<String>>()? {
            words if words.is_empty() => {
                Err(failure::usage(py, "a program is a list of words, the first of which is its name"))
            }
            words => Ok(Check::program(words)),
        },
    };
    items.iter().map(check).collect()
}

/// A callable, which passes unless it raises or returns `False`.
fn callable(check: &Bound<'_, PyAny>, raised: &Raised) -> PyResult<Check> {
    let name = check.getattr("__qualname__").or_else(|_| check.get_type().getattr("__qualname__"))?;
    let (check, raised) = (check.clone().unbind(), Arc::clone(raised));
    let run = move |context: &CheckContext<'_>| {
        Python::try_attach(|py| asked(py, &check, context, &raised))
            .unwrap_or_else(|| Err("the interpreter ends".to_owned()))
    };
    Ok(Check::closure(name.to_string().rsplit('.').next().unwrap_or_default(), run))
}

fn asked(py: Python<'_>, check: &Py<PyAny>, context: &CheckContext<'_>, raised: &Raised) -> Result<(), String> {
    let ask = || {
        let CheckContext { app, release, previous, event, phase, .. } = *context;
        let values = py.import("caplink._values")?;
        let context = values.getattr("CheckContext")?.call1((app, release, previous, event, phase))?;
        check.bind(py).call1((context,))
    };
    match ask() {
        Ok(answer) if answer.cast::<PyBool>().is_ok_and(|answer| !answer.is_true()) => {
            Err("it returned False".to_owned())
        }
        Ok(_) => Ok(()),
        Err(error) if error.is_instance_of::<PyException>(py) => {
            let said = error.to_string();
            *raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            Err(said)
        }
        // `KeyboardInterrupt` and its like are no answer: everything is taken back, and then they go on.
        Err(error) => {
            let said = error.to_string();
            interrupt::keep(error);
            Err(said)
        }
    }
}

/// Takes what a callable raised.
pub(crate) fn taken(raised: &Raised) -> Option<PyErr> {
    raised.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Stops what is under way where a signal's handler raises.
pub(crate) struct Watching;

impl Progress for Watching {
    fn is_stopped(&self) -> bool {
        interrupt::is_asked()
    }
}
