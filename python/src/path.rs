//! A path below a root, with the names of pathlib.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use caplink::{Edit, Kind, LinkPath as Checked, Style};
use pyo3::prelude::*;

use crate::audit::audit;
use crate::changing::{Call, Holder};
use crate::detached::detached;
use crate::failure::OrRaise as _;
use crate::lstat;
use crate::outcome::Outcome;
use crate::root::{Root, checked, target};
use crate::text::{Text, shown};

/// The most links that a path goes over, as for the kernel.
const HOPS_MAX: usize = 40;

/// A path below a root, made by ``root / "name"``. Its methods are named and ordered as in pathlib.
///
/// It is no ``os.PathLike``: as a path of its own, without its root, it would mean something else.
///
/// >>> import caplink, os, tempfile
/// >>> base = tempfile.mkdtemp(); os.mkdir(os.path.join(base, "v1"))
/// >>> current = caplink.Root(base) / "current"
/// >>> current.symlink_to("v1")
/// >>> current.readlink(), current.is_symlink(), current.exists()
/// ('v1', True, True)
/// >>> current.resolve()
/// LinkPath('v1')
/// >>> current.unlink()
/// >>> current.lexists()
/// False
#[pyclass(frozen, module = "caplink")]
pub(crate) struct LinkPath {
    root: Arc<Holder>,
    path: OsString,
}

#[pymethods]
impl LinkPath {
    /// Makes this path a symbolic link with the text `target`, stored byte for byte; a :class:`LinkPath` is led to.
    ///
    /// As in pathlib, nothing may have the name, and the target need not exist. It has to lead inside the root, unless
    /// `allow_outside`.
    #[pyo3(signature = (target, target_is_directory=false, *, allow_outside=false))]
    fn symlink_to(
        &self,
        py: Python<'_>,
        target: &Bound<'_, PyAny>,
        target_is_directory: bool,
        allow_outside: bool,
    ) -> PyResult<()> {
        let style = if target.is_instance_of::<LinkPath>() { Style::Relative } else { Style::Verbatim };
        let (text, link) = (target.extract::<Text>()?, self.text());
        audit(py, ("caplink.create", self.root_path(), &link, &text))?;
        let edit = || {
            let new = self::target(style, &text, target_is_directory);
            let edit = Edit::create(checked("create", &link)?, new);
            Ok(edit.allow_dangling(true).allow_outside(allow_outside).into())
        };
        self.root.edit(py, &Call::default(), edit).map(drop)
    }

    /// Returns the text of the link, byte for byte.
    fn readlink(&self, py: Python<'_>) -> PyResult<Text> {
        detached(py, || self.root.root().read_link(&self.path))?.or_raise(py).map(Text)
    }

    /// Whether it is a symbolic link.
    fn is_symlink(&self, py: Python<'_>) -> PyResult<bool> {
        detached(py, || self.root.root().is_link(&self.path))?.or_raise(py)
    }

    /// Whether it leads to something below the root. Where it leads outside, that is an error.
    #[pyo3(signature = (*, follow_symlinks=true))]
    fn exists(&self, py: Python<'_>, follow_symlinks: bool) -> PyResult<bool> {
        let root = self.root.root();
        let exists = || if follow_symlinks { root.exists(&self.path) } else { root.lexists(&self.path) };
        detached(py, exists)?.or_raise(py)
    }

    /// Whether there is an entry, a link that leads nowhere included.
    fn lexists(&self, py: Python<'_>) -> PyResult<bool> {
        self.exists(py, false)
    }

    /// Returns the ``os.stat_result`` of the entry itself.
    fn lstat<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let found = detached(py, || lstat::look(&self.root, &self.path))?.or_raise(py)?;
        lstat::result(py, &found)
    }

    /// Returns where it leads below the root, every link followed; if not `strict`, what is missing is taken as it is spelled.
    #[pyo3(signature = (strict=false))]
    fn resolve(&self, py: Python<'_>, strict: bool) -> PyResult<LinkPath> {
        let root = self.root.root();
        let resolve = || {
            if strict {
                return root.resolve(&self.path).map(|end| end.path);
            }
            leniently(&root, Path::new(&self.path), HOPS_MAX)
        };
        let path = detached(py, resolve)?.or_raise(py)?;
        Ok(LinkPath { root: Arc::clone(&self.root), path: Text::from(&path).0 })
    }

    /// Removes the link; something that is no link is never removed.
    #[pyo3(signature = (missing_ok=false))]
    fn unlink(&self, py: Python<'_>, missing_ok: bool) -> PyResult<()> {
        let link = self.text();
        audit(py, ("caplink.remove", self.root_path(), &link, None::<&Text>))?;
        let edit = || Ok(Edit::remove(checked("remove", &link)?).missing_ok(missing_ok).into());
        self.root.edit(py, &Call::default(), edit).map(drop)
    }

    /// Makes this path a link to `target`, whether nothing or any link was there: in one step, as ``replace_symlink``.
    #[pyo3(signature = (target, target_is_directory=false, *, allow_outside=false))]
    fn replace_symlink_to(
        &self,
        py: Python<'_>,
        target: &Bound<'_, PyAny>,
        target_is_directory: bool,
        allow_outside: bool,
    ) -> PyResult<Outcome> {
        let style = if target.is_instance_of::<LinkPath>() { Style::Relative } else { Style::Verbatim };
        let (text, link) = (target.extract::<Text>()?, self.text());
        audit(py, ("caplink.ensure", self.root_path(), &link, &text))?;
        let edit = || {
            let new = self::target(style, &text, target_is_directory);
            let edit = Edit::ensure(checked("ensure", &link)?, new);
            Ok(edit.allow_dangling(true).allow_outside(allow_outside).into())
        };
        self.root.edit(py, &Call::default(), edit).map(Outcome)
    }

    /// The last component.
    #[getter]
    fn name(&self) -> Text {
        Text(Path::new(&self.path).file_name().unwrap_or_default().to_os_string())
    }

    /// The components.
    #[getter]
    fn parts(&self) -> Vec<Text> {
        let parts = Path::new(&self.path).components().filter(|part| *part != Component::CurDir);
        parts.map(|part| Text(part.as_os_str().to_os_string())).collect()
    }

    /// The directory of this path; the root's own is ``.``.
    #[getter]
    fn parent(&self) -> LinkPath {
        let parent = Path::new(&self.path).parent().unwrap_or(Path::new(""));
        LinkPath { root: Arc::clone(&self.root), path: Text::from(parent).0 }
    }

    /// The root that it is below.
    #[getter]
    fn root(&self) -> Root {
        Root(Arc::clone(&self.root))
    }

    fn __truediv__(&self, py: Python<'_>, path: Text) -> PyResult<LinkPath> {
        // What is joined is spelled as below a root of its own: it climbs out of nothing.
        let below = LinkPath::new(py, &self.root, path.0)?;
        let joined = Path::new(&self.path).join(&below.path);
        let path = if self.path == "." { below.path } else { joined.into() };
        Ok(LinkPath { root: Arc::clone(&self.root), path })
    }

    fn __str__(&self) -> Text {
        self.text()
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("LinkPath({})", shown(py, &self.path))
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        (self.root_id(), &self.path).hash(&mut hasher);
        hasher.finish()
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let Ok(other) = other.cast::<LinkPath>() else { return Ok(py.NotImplemented()) };
        let is_equal = self.root_id() == other.get().root_id() && self.path == other.get().path;
        Ok(is_equal.into_pyobject(py)?.to_owned().into_any().unbind())
    }
}

impl LinkPath {
    /// A path below a root, as it is spelled; ``.`` is the root itself.
    pub(crate) fn new(py: Python<'_>, root: &Arc<Holder>, path: OsString) -> PyResult<LinkPath> {
        let path = match path.as_encoded_bytes() {
            b"." => path,
            _ => Checked::new(&path).or_raise(py)?.as_path().into(),
        };
        Ok(LinkPath { root: Arc::clone(root), path })
    }

    pub(crate) fn as_os_str(&self) -> &OsStr {
        &self.path
    }

    fn text(&self) -> Text {
        Text(self.path.clone())
    }

    fn root_id(&self) -> caplink::ObjectId {
        self.root.root().id()
    }

    fn root_path(&self) -> Option<Text> {
        self.root.root().physical_path().map(Text::from)
    }
}

/// Where a path leads, with what is missing as it is spelled.
fn leniently(root: &caplink::Root, path: &Path, hops: usize) -> caplink::Result<PathBuf> {
    let error = match root.resolve(path) {
        Ok(end) => return Ok(end.path),
        Err(error) if error.kind() == Kind::NotFound && hops > 0 => error,
        Err(error) => return Err(error),
    };
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Err(error) };
    let parent = if parent.as_os_str().is_empty() { PathBuf::new() } else { leniently(root, parent, hops - 1)? };
    let there = parent.join(name);
    let Some(link) = root.inspect(&there).ok().and_then(|seen| seen.link) else { return Ok(there) };
    let mut led = parent;
    for component in Path::new(&link.target).components() {
        match component {
            Component::Normal(name) => led.push(name),
            Component::CurDir => {}
            Component::ParentDir if led.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(error),
        }
    }
    leniently(root, &led, hops - 1)
}
