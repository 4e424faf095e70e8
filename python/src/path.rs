//! A path below a root, with the names of pathlib.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use caplink::{Edit, Kind, LinkPath as Checked, ObjectId, Style};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pyclass::CompareOp;
use pyo3::types::{PyString, PyTuple};

use crate::arguments::truth;
use crate::audit::audit;
use crate::changing::{Call, Holder};
use crate::detached::detached;
use crate::failure::OrRaise as _;
use crate::given::Given;
use crate::lstat;
use crate::outcome::Outcome;
use crate::root::{Root, checked, target};
use crate::shared::Shared;
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
    root: Arc<Shared>,
    path: OsString,
}

#[pymethods]
impl LinkPath {
    /// Makes this path a symbolic link with the text `target`, stored byte for byte; a :class:`LinkPath` is led to.
    ///
    /// As in pathlib, nothing may have the name, and the target need not exist. It has to lead inside the root, unless
    /// `allow_outside`.
    #[pyo3(signature = (target, target_is_directory=false, *, allow_outside=false))]
    fn symlink_to<'py>(
        &self,
        py: Python<'py>,
        target: Given<'py>,
        #[pyo3(from_py_with = truth)] target_is_directory: bool,
        allow_outside: bool,
    ) -> PyResult<()> {
        let holder = self.to_change(py, intern!(py, "caplink.create"), Some(&target))?;
        let new = led_to(&target, target_is_directory);
        let edit = || {
            let edit = Edit::create(checked("create", &self.path)?, new);
            Ok(edit.allow_dangling(true).allow_outside(allow_outside).into())
        };
        holder.edit(py, &Call::default(), edit).map(drop)
    }

    /// Returns the text of the link, byte for byte.
    fn readlink(&self, py: Python<'_>) -> PyResult<Text> {
        let holder = self.root.opened(py)?;
        detached(py, || holder.root().read_link(&self.path))?.or_raise(py).map(Text)
    }

    /// Whether it is a symbolic link.
    fn is_symlink(&self, py: Python<'_>) -> PyResult<bool> {
        let holder = self.root.opened(py)?;
        detached(py, || holder.root().is_link(&self.path))?.or_raise(py)
    }

    /// Whether it leads to something below the root. Where it leads outside, that is an error.
    #[pyo3(signature = (*, follow_symlinks=true))]
    fn exists(&self, py: Python<'_>, #[pyo3(from_py_with = truth)] follow_symlinks: bool) -> PyResult<bool> {
        let root = self.root.opened(py)?.root();
        let exists = || if follow_symlinks { root.exists(&self.path) } else { root.lexists(&self.path) };
        detached(py, exists)?.or_raise(py)
    }

    /// Whether there is an entry, a link that leads nowhere included.
    fn lexists(&self, py: Python<'_>) -> PyResult<bool> {
        self.exists(py, false)
    }

    /// Returns the ``os.stat_result`` of the entry itself.
    fn lstat<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let holder = self.root.opened(py)?;
        let found = detached(py, || lstat::look(&holder, &self.path))?.or_raise(py)?;
        lstat::result(py, &found)
    }

    /// Returns where it leads below the root, every link followed; if not `strict`, what is missing is taken as it is spelled.
    #[pyo3(signature = (strict=false))]
    fn resolve(&self, py: Python<'_>, #[pyo3(from_py_with = truth)] strict: bool) -> PyResult<LinkPath> {
        let root = self.root.opened(py)?.root();
        let resolve = || {
            if strict {
                return root.resolve(&self.path).map(|end| end.path);
            }
            leniently(&root, Path::new(&self.path))
        };
        let path = detached(py, resolve)?.or_raise(py)?;
        Ok(LinkPath { root: Arc::clone(&self.root), path: Text::from(&path).0 })
    }

    /// Removes the link; something that is no link is never removed.
    #[pyo3(signature = (missing_ok=false))]
    fn unlink(&self, py: Python<'_>, #[pyo3(from_py_with = truth)] missing_ok: bool) -> PyResult<()> {
        let holder = self.to_change(py, intern!(py, "caplink.remove"), None)?;
        let edit = || Ok(Edit::remove(checked("remove", &self.path)?).missing_ok(missing_ok).into());
        holder.edit(py, &Call::default(), edit).map(drop)
    }

    /// Makes this path a link to `target`, whether nothing or any link was there: in one step, as ``replace_symlink``.
    #[pyo3(signature = (target, target_is_directory=false, *, allow_outside=false))]
    fn replace_symlink_to<'py>(
        &self,
        py: Python<'py>,
        target: Given<'py>,
        #[pyo3(from_py_with = truth)] target_is_directory: bool,
        allow_outside: bool,
    ) -> PyResult<Outcome> {
        let holder = self.to_change(py, intern!(py, "caplink.ensure"), Some(&target))?;
        let new = led_to(&target, target_is_directory);
        let edit = || {
            let edit = Edit::ensure(checked("ensure", &self.path)?, new);
            Ok(edit.allow_dangling(true).allow_outside(allow_outside).into())
        };
        holder.edit(py, &Call::default(), edit).map(Outcome)
    }

    /// The last component.
    #[getter]
    fn name(&self) -> Text {
        Text(Path::new(&self.path).file_name().unwrap_or_default().to_os_string())
    }

    /// The components.
    #[getter]
    fn parts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let parts: Vec<&OsStr> = self.components().map(Component::as_os_str).collect();
        PyTuple::new(py, parts)
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

    fn __truediv__<'py>(&self, py: Python<'py>, path: Given<'py>) -> PyResult<LinkPath> {
        // What is joined is spelled as below a root of its own: it climbs out of nothing.
        let below = LinkPath::new(py, &self.root, path)?;
        let joined = Path::new(&self.path).join(&below.path);
        let path = if self.path == "." { below.path } else { joined.into() };
        Ok(LinkPath { root: Arc::clone(&self.root), path })
    }

    fn __str__(&self) -> Text {
        Text(self.path.clone())
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

    /// Paths of one root are ordered as in pathlib, component by component. Those of different roots are not equal, and have
    /// no order.
    fn __richcmp__(&self, py: Python<'_>, other: &Bound<'_, PyAny>, op: CompareOp) -> PyResult<Py<PyAny>> {
        let Ok(other) = other.cast::<LinkPath>() else { return Ok(py.NotImplemented()) };
        let other = other.get();
        let is_same_root = self.root_id() == other.root_id();
        let is = match op {
            CompareOp::Eq => is_same_root && self.path == other.path,
            CompareOp::Ne => !is_same_root || self.path != other.path,
            _ if !is_same_root => return Ok(py.NotImplemented()),
            op => op.matches(self.components().cmp(other.components())),
        };
        Ok(is.into_pyobject(py)?.to_owned().into_any().unbind())
    }
}

impl LinkPath {
    /// A path below a root, as it is spelled; ``.`` is the root itself.
    pub(crate) fn new<'py>(py: Python<'py>, root: &Arc<Shared>, path: Given<'py>) -> PyResult<LinkPath> {
        path.is_of(py, root)?;
        let path = match path.text.as_encoded_bytes() {
            b"." => path.text,
            _ => Checked::new(&path.text).or_raise(py)?.as_path().into(),
        };
        Ok(LinkPath { root: Arc::clone(root), path })
    }

    pub(crate) fn as_os_str(&self) -> &OsStr {
        &self.path
    }

    pub(crate) fn root_id(&self) -> ObjectId {
        self.root.id
    }

    /// The components; the root itself has none.
    fn components(&self) -> impl Iterator<Item = Component<'_>> {
        Path::new(&self.path).components().filter(|part| *part != Component::CurDir)
    }

    /// The root, for a change that audit hooks were asked about.
    fn to_change<'py>(
        &self,
        py: Python<'py>,
        event: &Bound<'py, PyString>,
        target: Option<&Given<'py>>,
    ) -> PyResult<Arc<Holder>> {
        let holder = self.root.opened(py)?;
        if let Some(target) = target {
            target.is_of(py, &self.root)?;
        }
        audit(py, (event, self.root.path(py), self.path.as_os_str(), target.map(|target| target.shown(py))))?;
        Ok(holder)
    }
}

/// The target of a link: a text, or a path to be led to.
fn led_to(target: &Given<'_>, is_directory: bool) -> caplink::Target {
    let style = if target.is_path() { Style::Relative } else { Style::Verbatim };
    self::target(style, &target.text, is_directory)
}

/// Where a path leads, with what is missing as it is spelled.
fn leniently(root: &caplink::Root, path: &Path) -> caplink::Result<PathBuf> {
    let error = match root.resolve(path) {
        Ok(end) => return Ok(end.path),
        Err(error) if error.kind() == Kind::NotFound => error,
        Err(error) => return Err(error),
    };
    let (mut led, mut hops, mut is_missing) = (PathBuf::new(), 0, false);
    let mut rest = reversed(path);
    while let Some(name) = rest.pop() {
        if name == ".." {
            is_missing = false;
            match led.pop() {
                true => continue,
                false => return Err(error),
            }
        }
        led.push(&name);
        // Below what is missing there is nothing to look at.
        if is_missing {
            continue;
        }
        let seen = root.inspect(&led).ok();
        is_missing = seen.as_ref().is_none_or(|seen| seen.kind.is_none());
        let Some(link) = seen.and_then(|seen| seen.link) else { continue };
        hops += 1;
        if hops > HOPS_MAX || Path::new(&link.target).is_absolute() {
            return Err(error);
        }
        led.pop();
        rest.extend(reversed(Path::new(&link.target)));
    }
    Ok(led)
}

/// The components, the last one first.
fn reversed(path: &Path) -> Vec<OsString> {
    let named = |part: &Component<'_>| *part != Component::CurDir;
    path.components().rev().filter(named).map(|part| part.as_os_str().to_os_string()).collect()
}
