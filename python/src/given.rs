//! Paths below a root as they are given to it: a text, or a path that was made from that very root.

use std::ffi::OsString;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::failure;
use crate::path::LinkPath;
use crate::shared::Shared;
use crate::text::{Text, shown};

/// A path, or the text of a link, as it was given.
pub(crate) struct Given<'py> {
    pub(crate) text: OsString,
    /// The `str` that was given, which audit hooks are shown.
    given: Option<Bound<'py, PyString>>,
    path: Option<Bound<'py, LinkPath>>,
}

impl<'a, 'py> FromPyObject<'a, 'py> for Given<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Given<'py>> {
        // One of a class derived from it may show itself as something else, and is shown as what it was taken for.
        if let Ok(given) = object.cast_exact::<PyString>() {
            return Ok(Given { text: given.extract()?, given: Some(given.to_owned()), path: None });
        }
        if let Ok(path) = object.cast::<LinkPath>() {
            let text = path.get().as_os_str().to_os_string();
            return Ok(Given { text, given: None, path: Some(path.to_owned()) });
        }
        Ok(Given { text: object.extract::<Text>()?.0, given: None, path: None })
    }
}

impl<'py> Given<'py> {
    pub(crate) fn of(text: OsString) -> Given<'py> {
        Given { text, given: None, path: None }
    }

    /// The directory itself.
    pub(crate) fn here() -> Given<'py> {
        Given::of(".".into())
    }

    /// Refuses the path of another root, which would mean another file here.
    pub(crate) fn is_of(&self, py: Python<'py>, root: &Shared) -> PyResult<()> {
        match &self.path {
            Some(path) if path.get().root_id() != root.id => {
                let message = format!("{} is a path below another root", shown(py, &self.text));
                Err(failure::usage(py, &message))
            }
            _ => Ok(()),
        }
    }

    /// Refuses the path of a root where it is no root's: without its root it means another file.
    pub(crate) fn is_text(&self) -> PyResult<()> {
        match self.path {
            None => Ok(()),
            Some(_) => Err(PyTypeError::new_err("expected str, bytes or os.PathLike object, not LinkPath")),
        }
    }

    /// Whether it was given as a path of a root, and not as a text.
    pub(crate) fn is_path(&self) -> bool {
        self.path.is_some()
    }

    /// What audit hooks are shown.
    pub(crate) fn shown(&self, py: Python<'py>) -> Bound<'py, PyString> {
        match &self.given {
            Some(given) => given.clone(),
            None => {
                let Ok(text) = self.text.as_os_str().into_pyobject(py);
                text
            }
        }
    }
}
