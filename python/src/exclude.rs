//! Leaving entries out of a scan: by glob, or by what a callable says.
//!
//! A glob without `/` is compared with names, one with `/` with paths below the root. `*` and `?` stay within a
//! component, `**` does not. A `/` at the end is dropped.

use std::cell::RefCell;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use pyo3::{PyTraverseError, PyVisit};

use crate::failure;
use crate::text::Text;

thread_local! {
    /// The callables that this thread waits for the answers of, the innermost last.
    static ASKED: RefCell<Vec<*const Shared>> = const { RefCell::new(Vec::new()) };
}

/// Says whether an entry is left out.
pub(crate) type Exclude = Box<dyn Fn(&Path) -> bool + Send + Sync>;

/// A callable that is asked by the threads of a scan, if there is one, and what it raised, with which the scan ends.
#[derive(Clone, Default)]
pub(crate) struct Asked(Arc<Shared>);

#[derive(Default)]
struct Shared {
    callable: Mutex<Option<Py<PyAny>>>,
    raised: Mutex<Option<PyErr>>,
}

impl Asked {
    /// Takes what it raised.
    pub(crate) fn raised(&self) -> Option<PyErr> {
        locked(&self.0.raised).take()
    }

    /// Whether this thread is in a call of it.
    pub(crate) fn is_asked_here(&self) -> bool {
        ASKED.with_borrow(|asked| asked.contains(&Arc::as_ptr(&self.0)))
    }

    /// Lets go of it; entries that are asked about nevertheless are left out.
    pub(crate) fn forget(&self) {
        let callable = locked(&self.0.callable).take();
        drop(callable);
    }

    /// Shows it to the garbage collection.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.0.callable.try_lock() {
            Ok(callable) => visit.call(&*callable),
            Err(_) => Ok(()),
        }
    }

    fn ask(&self, path: &Path) -> bool {
        // Nothing more is looked at.
        if locked(&self.0.raised).is_some() {
            return true;
        }
        let asked = Python::try_attach(|py| {
            let callable = locked(&self.0.callable).as_ref().map(|callable| callable.clone_ref(py));
            let Some(callable) = callable else { return Ok(true) };
            ASKED.with_borrow_mut(|asked| asked.push(Arc::as_ptr(&self.0)));
            let answer = callable.bind(py).call1((Text::from(path),)).and_then(|answer| answer.is_truthy());
            ASKED.with_borrow_mut(|asked| asked.pop());
            answer
        });
        match asked {
            Some(Ok(excluded)) => excluded,
            Some(Err(error)) => {
                locked(&self.0.raised).get_or_insert(error);
                true
            }
            // The interpreter ends.
            None => true,
        }
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was given: one glob, several, or a callable, which is kept in `asked`.
pub(crate) fn exclude(py: Python<'_>, given: &Bound<'_, PyAny>, asked: &Asked) -> PyResult<Exclude> {
    if given.is_callable() {
        *locked(&asked.0.callable) = Some(given.clone().unbind());
        let asked = asked.clone();
        return Ok(Box::new(move |path| asked.ask(path)));
    }
    let globs = match given.is_instance_of::<PyString>() || given.is_instance_of::<PyBytes>() {
        true => vec![given.extract::<Text>()?],
        false => match given.try_iter() {
            Ok(globs) => globs.map(|glob| glob?.extract()).collect::<PyResult<Vec<Text>>>()?,
            Err(_) => vec![given.extract::<Text>()?],
        },
    };
    globbed(&globs).map_err(|message| failure::usage(py, &message))
}

fn globbed(globs: &[Text]) -> Result<Exclude, String> {
    let text = |glob: &Text| {
        let text = glob.0.to_str().ok_or_else(|| format!("the glob `{}` is not UTF-8", caplink::printable(&glob.0)));
        text.map(|text| text.trim_end_matches('/').to_owned())
    };
    let texts = globs.iter().map(text).collect::<Result<Vec<String>, String>>()?;
    let (paths, names): (Vec<String>, Vec<String>) = texts.into_iter().partition(|glob| glob.contains('/'));
    let (paths, names) = (set(&paths)?, set(&names)?);
    Ok(Box::new(move |path| paths.is_match(path) || path.file_name().is_some_and(|name| names.is_match(name))))
}

fn set(globs: &[String]) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        let plain = glob.trim_start_matches("./").trim_start_matches('/');
        if plain.is_empty() {
            return Err(format!("the glob `{glob}` is empty"));
        }
        let built = GlobBuilder::new(plain).literal_separator(true).backslash_escape(true).build();
        set.add(built.map_err(|error| format!("cannot read the glob `{glob}`: {}", error.kind()))?);
    }
    set.build().map_err(|error| format!("cannot use the globs: {}", error.kind()))
}
