//! The opened directory; the operations below it stand in files of their own.

mod edits;
mod looks;
mod together;

use std::ffi::OsStr;
use std::sync::Arc;

use caplink::{LinkPath as Checked, Style, Target};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict};

use crate::arguments;
use crate::audit::audit;
use crate::changing::{Call, Holder};
use crate::detached::detached;
use crate::failure::{self, OrRaise as _};
use crate::opening::{self, Place, Settings};
use crate::path::LinkPath;
use crate::text::{Text, shown};

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
/// A root can be used by several threads at once, and in a forked child.
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
#[pyclass(frozen, module = "caplink")]
pub(crate) struct Root(pub(crate) Arc<Holder>);

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
            Ok(holder)
        })?;
        holder.or_raise(py).map(Root::of)
    }

    /// What this holder may do: a :class:`caplink.Policy`.
    #[getter]
    fn policy(&self, py: Python<'_>) -> Py<PyAny> {
        self.0.policy.clone_ref(py)
    }

    /// The physical path at the time of opening, where the root was opened by path.
    #[getter]
    fn path(&self) -> Option<Text> {
        self.0.root().physical_path().map(Text::from)
    }

    /// Device and inode of the opened directory.
    #[getter]
    fn id(&self) -> (u64, u64) {
        let id = self.0.root().id();
        (id.device, id.inode)
    }

    /// How far the kernel confines the changes made through this root: `landlock-N` or `none`.
    #[getter]
    fn confinement(&self) -> String {
        self.0.confinement().to_string()
    }

    /// What this host lets be done here; found by trying.
    #[getter]
    fn abilities<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let abilities = detached(py, || self.0.root().abilities())?;
        let shown = PyDict::new(py);
        shown.set_item("confined_open", abilities.confined_open)?;
        shown.set_item("exchange", abilities.exchange)?;
        shown.set_item("no_replace", abilities.no_replace)?;
        Ok(shown)
    }

    /// Returns this root with what both policies allow. A policy can only be narrowed.
    fn narrow(&self, py: Python<'_>, policy: &Bound<'_, PyAny>) -> PyResult<Root> {
        let shown = self.0.policy.bind(py).call_method1("narrow", (policy,))?;
        let policy = opening::policy(policy)?;
        let shown = Arc::new(shown.unbind());
        detached(py, || self.0.narrow(policy, shown))?.or_raise(py).map(Root::of)
    }

    /// Opens a directory below this root as a root of its own, with the same policy.
    fn subroot(&self, py: Python<'_>, path: Text) -> PyResult<Root> {
        detached(py, || self.0.subroot(&path.0))?.or_raise(py).map(Root::of)
    }

    /// A path below this root, with the names of pathlib.
    fn __truediv__(&self, py: Python<'_>, path: Text) -> PyResult<LinkPath> {
        LinkPath::new(py, &self.0, path.0)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let root = self.0.root();
        match root.physical_path() {
            Some(path) => format!("Root({})", shown(py, path.as_os_str())),
            None => format!("Root(id={})", root.id()),
        }
    }
}

impl Root {
    pub(crate) fn of(holder: Holder) -> Root {
        Root(Arc::new(holder))
    }

    /// Raises the audit event of a change.
    pub(crate) fn audited(
        &self,
        py: Python<'_>,
        call: &Call<'_>,
        event: &str,
        link: &Text,
        to: Option<&Text>,
    ) -> PyResult<()> {
        if call.dry_run {
            return Ok(());
        }
        audit(py, (event, self.path(), link, to))
    }
}

/// A link path, spelled as it has to be.
pub(crate) fn checked(verb: &'static str, link: &Text) -> caplink::Result<Checked> {
    Checked::new(&link.0).map_err(|error| error.during(verb))
}

/// A target; that it is a directory is told only where the caller says so.
pub(crate) fn target(style: Style, to: &(impl AsRef<OsStr> + ?Sized), is_directory: bool) -> Target {
    let target = Target::new(style, to.as_ref());
    if is_directory { target.as_directory(true) } else { target }
}
