//! Names and texts: `str`, `bytes` and `os.PathLike` in, `str` with surrogate escapes out. No byte is lost on the way.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyString};

/// A name or text as it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) OsString);

impl<'a, 'py> FromPyObject<'a, 'py> for Text {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Text> {
        match plain(&object)? {
            Some(text) => Ok(Text(text)),
            // It says in its own words what is no path, and what an object raises that was asked for its path is raised.
            None => Text::extract(fspath(object.py())?.bind(object.py()).call1((object,))?.as_borrowed()),
        }
    }
}

fn fspath(py: Python<'_>) -> PyResult<&'static Py<PyAny>> {
    static FSPATH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    FSPATH.get_or_try_init(py, || py.import("os")?.getattr(intern!(py, "fspath")).map(Bound::unbind))
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
