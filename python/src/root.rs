//! The opened directory; the operations below it stand in files of their own.

mod edits;
mod looks;
mod together;

use std::ffi::OsStr;
use std::sync::Arc;

use caplink::{LinkPath as Checked, Style, Target};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyString, PyTuple};

use crate::arguments;
use crate::audit::audit;
use crate::changing::{Call, Holder};
use crate::detached::detached;
use crate::failure::{self, OrRaise as _};
use crate::given::Given;
use crate::opening::{self, Place, Settings, Unopened};
use crate::path::LinkPath;
use crate::shared::Shared;
use crate::text::Text;

/// Root(path=None, *, dir_fd=None, ...)
/// --
///
/// An opened directory: the authority over the links below it.
///
/// Nothing leads out of it: no hostile path, no planted link, nobody who renames directories at that very moment. Links are
/// named by paths below the root; what they are to lead to is always said with ``to=``.
///
/// ``path`` or ``dir_fd`` says which directory; it is opened once. ``policy`` is a :class:`caplink.Policy`. The other keywords are
/// the global options of the command line: ``follow`` (parents of a link may be links that stay inside), ``cross_mounts``,
/// ``rooted`` (texts are judged as after ``chroot``), ``require="atomic"``, ``confine`` (``off``, ``auto`` or ``require``: changes are
/// made on a thread that Landlock confines to the root), ``durability`` (``none``, ``dir`` or ``fs``), ``state`` (where staging and
/// records live; ``.caplink`` below the root), ``lock_timeout`` (how many seconds another holder is waited for), ``reason`` and
/// ``actor`` (for the records).
///
/// A root can be used by several threads at once, and in a forked child. It is a context manager: leaving the block closes it.
///
/// >>> import caplink, os, tempfile
/// >>> base = tempfile.mkdtemp()
/// >>> for release in "41", "42":
/// ...     os.makedirs(os.path.join(base, "releases", release))
/// >>> root = caplink.Root(base)
/// >>> root.ensure("current", to="releases/41").outcome
/// 'created'
/// >>> root.swap("current", to="releases/42", expect="releases/41").previous
/// 'releases/41'
/// >>> root.create("../current", to="releases/42")
/// Traceback (most recent call last):
/// ...
/// caplink.RefusedError: cannot create `../current`: the path climbs above the root, at component `..` (0)
#[pyclass(frozen, weakref, module = "caplink")]
pub(crate) struct Root(pub(crate) Arc<Shared>);

#[pymethods]
impl Root {
    #[new]
    #[pyo3(signature = (path=None, *, dir_fd=None, policy=None, follow=None, cross_mounts=None, rooted=None, require=None, confine="off", durability=None, state=None, lock_timeout=1.0, reason=None, actor=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn new(
        py: Python<'_>,
        path: Option<Text>,
        dir_fd: Option<i32>,
        policy: Option<&Bound<'_, PyAny>>,
        follow: Option<bool>,
        cross_mounts: Option<bool>,
        rooted: Option<bool>,
        require: Option<&str>,
        confine: &str,
        durability: Option<&str>,
        state: Option<Text>,
        lock_timeout: f64,
        reason: Option<String>,
        actor: Option<String>,
    ) -> PyResult<Root> {
        let place = match (path, dir_fd) {
            (Some(path), None) => Place::Path(path),
            (None, Some(descriptor)) => Place::Descriptor(descriptor),
            _ => return Err(failure::usage(py, "a root is named by its path or by dir_fd, and by one of them")),
        };
        let cooperative = opening::is_atomic(py, require)?.then_some(false);
        let asked =
            [("follow", follow), ("cross_mounts", cross_mounts), ("rooted", rooted), ("cooperative", cooperative)];
        let shown = opening::with(py, policy, &asked)?;
        let policy = opening::policy(&shown)?;
        let shown = Arc::new(shown.unbind());
        let settings = Settings {
            confine: arguments::confine(py, confine)?,
            durability: arguments::durability(py, durability)?,
            lock_timeout: arguments::seconds(py, lock_timeout)?,
            reason,
            actor,
        };
        let holder = detached(py, || {
            let (root, dir) = place.open(policy)?;
            let root = opening::furnished(&root, state.as_ref(), settings.lock_timeout)?;
            let holder = Holder::new(root, dir, settings, shown)?;
            // A claim or a reason that makes no sense is refused now.
            holder.author(None)?;
            Ok::<_, Unopened>(holder)
        })?;
        Root::of(py, holder.map_err(|unopened| unopened.raised(py))?)
    }

    fn __enter__(root: PyRef<'_, Root>) -> PyRef<'_, Root> {
        root
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) {
        self.close(py);
    }

    /// Gives the directory back, as leaving a ``with`` block does. Afterwards every use of the root, of its paths, records,
    /// releases and manifests is a ``ValueError``; roots that it was narrowed to and its subroots are roots of their own.
    ///
    /// >>> import caplink, tempfile
    /// >>> with caplink.Root(tempfile.mkdtemp()) as root:
    /// ...     root.inspect("l").kind
    /// 'missing'
    /// >>> root.inspect("l")
    /// Traceback (most recent call last):
    /// ...
    /// caplink.InvalidError: the root is closed
    fn close(&self, py: Python<'_>) {
        self.0.close(py);
    }

    /// Whether it is closed.
    #[getter]
    fn closed(&self) -> bool {
        self.0.is_closed()
    }

    /// What this holder may do: a :class:`caplink.Policy`.
    #[getter]
    fn policy(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(self.0.opened(py)?.policy.clone_ref(py))
    }

    /// The physical path at the time of opening, where the root was opened by path.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.0.path(py).clone()
    }

    /// Device and inode of the opened directory.
    #[getter]
    fn id(&self) -> (u64, u64) {
        (self.0.id.device, self.0.id.inode)
    }

    /// How far the kernel confines the changes made through this root: `landlock-N` or `none`.
    #[getter]
    fn confinement(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.0.opened(py)?.confinement().to_string())
    }

    /// What this host lets be done here; found by trying.
    #[getter]
    fn abilities<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let holder = self.0.opened(py)?;
        let abilities = detached(py, || holder.root().abilities())?;
        let shown = PyDict::new(py);
        shown.set_item("confined_open", abilities.confined_open)?;
        shown.set_item("exchange", abilities.exchange)?;
        shown.set_item("no_replace", abilities.no_replace)?;
        Ok(shown)
    }

    /// Returns this root with what both policies allow. A policy can only be narrowed.
    fn narrow(&self, py: Python<'_>, policy: &Bound<'_, PyAny>) -> PyResult<Root> {
        let holder = self.0.opened(py)?;
        let shown = holder.policy.bind(py).call_method1("narrow", (opening::is_policy(policy)?,))?;
        let policy = opening::policy(policy)?;
        let shown = Arc::new(shown.unbind());
        Root::of(py, detached(py, || holder.narrow(policy, shown))?.or_raise(py)?)
    }

    /// Opens a directory below this root as a root of its own, with the same policy. It has the state directory and the
    /// records of this one, which name its links from here.
    fn subroot<'py>(&self, py: Python<'py>, path: Given<'py>) -> PyResult<Root> {
        let (holder, path) = (self.to_look(py, &path)?, &path.text);
        Root::of(py, detached(py, || holder.subroot(path))?.or_raise(py)?)
    }

    /// A path below this root, with the names of pathlib.
    fn __truediv__<'py>(&self, py: Python<'py>, path: Given<'py>) -> PyResult<LinkPath> {
        LinkPath::new(py, &self.0, path)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let path = self.0.path(py);
        let shown = match path.is_none() {
            true => format!("Root(id={})", self.0.id),
            false => format!("Root({})", path.repr()?.to_string_lossy()),
        };
        Ok(if self.0.is_closed() { format!("<closed {shown}>") } else { shown })
    }
}

impl Root {
    fn of(py: Python<'_>, holder: Holder) -> PyResult<Root> {
        Shared::new(py, holder).map(Root)
    }

    /// The root, to look at a path of it.
    fn to_look<'py>(&self, py: Python<'py>, path: &Given<'py>) -> PyResult<Arc<Holder>> {
        let holder = self.0.opened(py)?;
        path.is_of(py, &self.0)?;
        Ok(holder)
    }

    /// The root, for a change that audit hooks are asked about.
    fn to_change<'py>(
        &self,
        py: Python<'py>,
        call: &Call<'_>,
        event: &Bound<'py, PyString>,
        link: &Given<'py>,
        to: Option<&Given<'py>>,
    ) -> PyResult<Arc<Holder>> {
        let holder = self.to_look(py, link)?;
        if let Some(to) = to {
            to.is_of(py, &self.0)?;
        }
        self.audited(py, call, event, link, to)?;
        Ok(holder)
    }

    /// Raises the audit event of a change.
    pub(crate) fn audited<'py>(
        &self,
        py: Python<'py>,
        call: &Call<'_>,
        event: &Bound<'py, PyString>,
        link: &Given<'py>,
        to: Option<&Given<'py>>,
    ) -> PyResult<()> {
        if call.dry_run {
            return Ok(());
        }
        audit(py, (event, self.0.path(py), link.shown(py), to.map(|to| to.shown(py))))
    }
}

/// A link path, spelled as it has to be.
pub(crate) fn checked(verb: &'static str, link: &OsStr) -> caplink::Result<Checked> {
    Checked::new(link).map_err(|error| error.during(verb))
}

/// A target; that it is a directory is told only where the caller says so.
pub(crate) fn target(style: Style, to: &OsStr, is_directory: bool) -> Target {
    let target = Target::new(style, to);
    if is_directory { target.as_directory(true) } else { target }
}
