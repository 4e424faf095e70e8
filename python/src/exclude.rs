//! Leaving entries out of a scan: by glob, or by what a callable says.
//!
//! A glob without `/` is compared with names, one with `/` with paths below the root. `*` and `?` stay within a
//! component, `**` does not. A `/` at the end is dropped.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use pyo3::prelude::*;

use crate::failure;
use crate::text::Text;

/// What a callable raised; the scan ends with it.
pub(crate) type Raised = Arc<Mutex<Option<PyErr>>>;

/// Says whether an entry is left out.
pub(crate) type Exclude = Box<dyn Fn(&Path) -> bool + Send + Sync>;

/// What was given: one glob, several, or a callable.
pub(crate) fn exclude(py: Python<'_>, given: &Bound<'_, PyAny>, raised: &Raised) -> PyResult<Exclude> {
    if given.is_callable() {
        return Ok(asking(given.clone().unbind(), Arc::clone(raised)));
    }
    let globs = match given.extract::<Text>() {
        Ok(glob) => vec![glob],
        Err(_) => given.try_iter()?.map(|glob| glob?.extract()).collect::<PyResult<Vec<Text>>>()?,
    };
    globbed(&globs).map_err(|message| failure::usage(py, &message))
}

fn asking(callable: Py<PyAny>, raised: Raised) -> Exclude {
    Box::new(move |path| {
        let mut first = raised.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing more is looked at.
        if first.is_some() {
            return true;
        }
        drop(first);
        let asked = Python::try_attach(|py| callable.bind(py).call1((Text::from(path),))?.is_truthy());
        match asked {
            Some(Ok(excluded)) => excluded,
            Some(Err(error)) => {
                first = raised.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert(error);
                true
            }
            // The interpreter ends.
            None => true,
        }
    })
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
