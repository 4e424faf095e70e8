//! Names and texts: `str`, `bytes` and `os.PathLike` in, `str` with surrogate escapes out. No byte is lost on the way.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::path;

/// A name or text as it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) OsString);

impl<'a, 'py> FromPyObject<'a, 'py> for Text {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Text> {
        if let Some(text) = plain(&object)? {
            return Ok(Text(text));
        }
        if let Ok(path) = object.cast::<path::LinkPath>() {
            return Ok(Text(path.get().as_os_str().to_os_string()));
        }
        let wrong = || {
            let given = object.get_type().qualname().map_or_else(|_| "another".to_owned(), |name| name.to_string());
            PyTypeError::new_err(format!("expected str, bytes or os.PathLike object, not {given}"))
        };
        let path = object.call_method0(intern!(object.py(), "__fspath__")).map_err(|_| wrong())?;
        plain(&path.as_borrowed())?.map(Text).ok_or_else(wrong)
    }
}

/// The text of `str` and `bytes`.
fn plain(object: &Borrowed<'_, '_, PyAny>) -> PyResult<Option<OsString>> {
    if let Ok(text) = object.cast::<PyString>() {
        return text.extract().map(Some);
    }
    match object.cast::<PyBytes>() {
        Ok(bytes) => of_bytes(bytes.as_bytes()).map(Some),
        Err(_) => Ok(None),
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other platforms refuse what is no text")]
fn of_bytes(bytes: &[u8]) -> PyResult<OsString> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(OsStr::from_bytes(bytes).to_os_string())
}

#[cfg(not(unix))]
fn of_bytes(bytes: &[u8]) -> PyResult<OsString> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))?;
    Ok(text.into())
}

impl AsRef<OsStr> for Text {
    fn as_ref(&self) -> &OsStr {
        &self.0
    }
}

impl<'py> IntoPyObject<'py> for Text {
    type Target = PyString;
    type Output = Bound<'py, PyString>;
    type Error = Infallible;

    fn into_pyobject(self, py: Python<'py>) -> Result<Bound<'py, PyString>, Infallible> {
        self.0.as_os_str().into_pyobject(py)
    }
}

impl<'py> IntoPyObject<'py> for &Text {
    type Target = PyString;
    type Output = Bound<'py, PyString>;
    type Error = Infallible;

    fn into_pyobject(self, py: Python<'py>) -> Result<Bound<'py, PyString>, Infallible> {
        self.0.as_os_str().into_pyobject(py)
    }
}

impl From<&Path> for Text {
    /// A path below the root; the root itself is `.`.
    fn from(path: &Path) -> Text {
        Text(if path.as_os_str().is_empty() { ".".into() } else { path.into() })
    }
}

impl From<&PathBuf> for Text {
    fn from(path: &PathBuf) -> Text {
        path.as_path().into()
    }
}

/// A text as Python shows strings.
pub(crate) fn shown(py: Python<'_>, text: &OsStr) -> String {
    let Ok(text) = text.into_pyobject(py);
    text.repr().map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned())
}
