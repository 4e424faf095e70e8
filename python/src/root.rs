//! The opened directory, and the operations below it.

use std::ffi::OsStr;
use std::sync::Arc;

use caplink::{Edit, LinkPath as Checked, Style, Target};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict};

use crate::arguments;
use crate::audit::audit;
use crate::batch::{self, Together};
use crate::changing::{Call, Holder};
use crate::detached::detached;
use crate::failure::{self, OrRaise as _};
use crate::inspected::{Inspected, Resolved};
use crate::opening::{self, Place, Settings};
use crate::outcome::Outcome;
use crate::path::LinkPath;
use crate::records::Records;
use crate::releases::Releases;
use crate::repair;
use crate::scan::{self, Scan};
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

    /// Makes a link where nothing is.
    ///
    /// `style` says how `to` is read: `relative` and `absolute` are paths below the root, `verbatim` is stored byte for byte.
    /// The target has to exist, unless `allow_dangling`, and the text to stay inside, unless `allow_outside`.
    #[pyo3(signature = (link, *, to, style=None, allow_dangling=false, allow_outside=false, parents=false, target_is_directory=false, durability=None, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn create(
        &self,
        py: Python<'_>,
        link: Text,
        to: Text,
        style: Option<&str>,
        allow_dangling: bool,
        allow_outside: bool,
        parents: bool,
        target_is_directory: bool,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Outcome> {
        let call = Call { durability: arguments::durability(py, durability)?, reason, dry_run };
        let target = target(arguments::style(py, style)?, &to, target_is_directory);
        self.audited(py, &call, "caplink.create", &link, Some(&to))?;
        let edit = || {
            let edit = Edit::create(checked("create", &link)?, target).parents(parents);
            Ok(edit.allow_dangling(allow_dangling).allow_outside(allow_outside).into())
        };
        self.0.edit(py, &call, edit).map(Outcome)
    }

    /// Makes the name a link to the target, whether nothing or any link was there.
    ///
    /// While a link is replaced the name is never absent. A link that has the text already is left alone. `no_replace` refuses
    /// another link; `backup` renames a file or directory in the way, and keeps it.
    #[pyo3(signature = (link, *, to, style=None, allow_dangling=false, allow_outside=false, parents=false, no_replace=false, backup=false, target_is_directory=false, durability=None, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn ensure(
        &self,
        py: Python<'_>,
        link: Text,
        to: Text,
        style: Option<&str>,
        allow_dangling: bool,
        allow_outside: bool,
        parents: bool,
        no_replace: bool,
        backup: bool,
        target_is_directory: bool,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Outcome> {
        let call = Call { durability: arguments::durability(py, durability)?, reason, dry_run };
        let target = target(arguments::style(py, style)?, &to, target_is_directory);
        self.audited(py, &call, "caplink.ensure", &link, Some(&to))?;
        let edit = || {
            let edit = Edit::ensure(checked("ensure", &link)?, target).parents(parents);
            let edit = edit.replace(!no_replace).backup(backup);
            Ok(edit.allow_dangling(allow_dangling).allow_outside(allow_outside).into())
        };
        self.0.edit(py, &call, edit).map(Outcome)
    }

    /// Replaces the link if its text is exactly `expect`: compare-and-swap.
    ///
    /// Of several that swap the same link from the same text, one succeeds; the others get a :class:`caplink.MismatchError` with
    /// what was ``found``.
    #[pyo3(signature = (link, *, to, expect, style=None, allow_dangling=false, allow_outside=false, target_is_directory=false, durability=None, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn swap(
        &self,
        py: Python<'_>,
        link: Text,
        to: Text,
        expect: Text,
        style: Option<&str>,
        allow_dangling: bool,
        allow_outside: bool,
        target_is_directory: bool,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Outcome> {
        let call = Call { durability: arguments::durability(py, durability)?, reason, dry_run };
        let target = target(arguments::style(py, style)?, &to, target_is_directory);
        self.audited(py, &call, "caplink.swap", &link, Some(&to))?;
        let edit = || {
            let edit = Edit::swap(checked("swap", &link)?, target, expect.0);
            Ok(edit.allow_dangling(allow_dangling).allow_outside(allow_outside).into())
        };
        self.0.edit(py, &call, edit).map(Outcome)
    }

    /// Exchanges two links in one step. The outcome is that of `a`, with the one of `b` as its `counterpart`.
    #[pyo3(signature = (a, b, *, allow_dangling=false, allow_outside=false, durability=None, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn exchange(
        &self,
        py: Python<'_>,
        a: Text,
        b: Text,
        allow_dangling: bool,
        allow_outside: bool,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Outcome> {
        let call = Call { durability: arguments::durability(py, durability)?, reason, dry_run };
        self.audited(py, &call, "caplink.exchange", &a, Some(&b))?;
        let edit = || {
            let edit = Edit::exchange(checked("exchange", &a)?, checked("exchange", &b)?);
            Ok(edit.allow_dangling(allow_dangling).allow_outside(allow_outside).into())
        };
        self.0.edit(py, &call, edit).map(Outcome)
    }

    /// Removes a link, and only a link; if its text is exactly `expect`, where that is given.
    #[pyo3(signature = (link, *, expect=None, missing_ok=false, durability=None, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn remove(
        &self,
        py: Python<'_>,
        link: Text,
        expect: Option<Text>,
        missing_ok: bool,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Outcome> {
        let call = Call { durability: arguments::durability(py, durability)?, reason, dry_run };
        self.audited(py, &call, "caplink.remove", &link, None)?;
        let edit = || {
            let edit = Edit::remove(checked("remove", &link)?).missing_ok(missing_ok);
            Ok(expect.map_or_else(|| edit.clone(), |text| edit.clone().expect(text.0)).into())
        };
        self.0.edit(py, &call, edit).map(Outcome)
    }

    /// Looks at the entry itself, not at what it may lead to. A broken link is an answer, and so is a missing name.
    fn inspect(&self, py: Python<'_>, path: Text) -> PyResult<Inspected> {
        detached(py, || self.0.root().inspect(&path.0))?.or_raise(py).map(Inspected)
    }

    /// Returns where a path leads below the root, every link on the way followed; with `explain` each hop as well.
    #[pyo3(signature = (path, *, explain=false))]
    fn resolve(&self, py: Python<'_>, path: Text, explain: bool) -> PyResult<Resolved> {
        let resolved = detached(py, || {
            let root = self.0.root();
            if !explain {
                return root.resolve(&path.0).map(|end| Resolved { end, hops: Vec::new() });
            }
            let explained = root.explain(&path.0)?;
            Ok(Resolved { hops: explained.hops, end: explained.end? })
        })?;
        resolved.or_raise(py)
    }

    /// Returns the text of a link.
    fn readlink(&self, py: Python<'_>, path: Text) -> PyResult<Text> {
        detached(py, || self.0.root().read_link(&path.0))?.or_raise(py).map(Text)
    }

    /// Looks at every link below a directory: an iterator of :class:`caplink.Finding`, which can be broken off.
    ///
    /// `only` keeps links of these statuses and traits (`broken`: every status but `ok`); `exclude` are globs, or a callable that
    /// is given the path of an entry; `jobs` threads walk (0: one for each processor). A directory that cannot be read is handed to
    /// `onerror`, and is among the `errors` of the scan.
    ///
    /// >>> import caplink, os, tempfile
    /// >>> base = tempfile.mkdtemp()
    /// >>> os.symlink("gone", os.path.join(base, "l"))
    /// >>> with caplink.Root(base).scan(only="broken") as scan:
    /// ...     for finding in scan:
    /// ...         print(finding.link, finding.status)
    /// l dangling
    /// >>> scan.summary.complete
    /// True
    #[pyo3(signature = (dir=None, *, only=None, exclude=None, max_depth=None, jobs=1, onerror=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn scan(
        &self,
        py: Python<'_>,
        dir: Option<Text>,
        only: Option<&Bound<'_, PyAny>>,
        exclude: Option<&Bound<'_, PyAny>>,
        max_depth: Option<usize>,
        jobs: usize,
        onerror: Option<Py<PyAny>>,
    ) -> PyResult<Scan> {
        let asked = scan::Asked { only, exclude, max_depth, jobs, onerror };
        scan::start(py, &self.0, dir, asked)
    }

    /// Repairs the links below a directory, or one link, and returns a list of what each edit came to: outcomes and errors.
    ///
    /// Each action is asked for by its keyword, is decided from a fresh look and carried out as compare-and-swap. `rebase`,
    /// `retarget` and `moved` are pairs of old and new, or a dict of them.
    #[pyo3(signature = (path=None, *, make_relative=false, tidy=false, shorten=false, shorten_chains=false, rebase=None, retarget=None, moved=None, fallback=None, remove_dangling=false, remove_leftovers=false, durability=None, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, clippy::fn_params_excessive_bools, reason = "they are keywords")]
    fn repair<'py>(
        &self,
        py: Python<'py>,
        path: Option<Text>,
        make_relative: bool,
        tidy: bool,
        shorten: bool,
        shorten_chains: bool,
        rebase: Option<&Bound<'py, PyAny>>,
        retarget: Option<&Bound<'py, PyAny>>,
        moved: Option<&Bound<'py, PyAny>>,
        fallback: Option<Text>,
        remove_dangling: bool,
        remove_leftovers: bool,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let call = Call { durability: arguments::durability(py, durability)?, reason, dry_run };
        let switches = caplink::Repair::default()
            .make_relative(make_relative)
            .tidy(tidy)
            .shorten(shorten)
            .shorten_chains(shorten_chains)
            .remove_dangling(remove_dangling)
            .remove_leftovers(remove_leftovers);
        let pairs = repair::Pairs { rebase, retarget, moved, fallback };
        let path = path.unwrap_or_else(|| Text(".".into()));
        self.audited(py, &call, "caplink.repair", &path, None)?;
        repair::repair(py, &self.0, &path, switches, pairs, &call)
    }

    /// Carries out edits in order: dicts with the keys of the command line's batch lines, `verb` among them.
    ///
    /// Returns what each came to. The first that fails stops the rest and is raised, with `line` (from 1) and `results`; with
    /// `keep_going` the others are carried out, and the list has the errors in their places. With `all_or_nothing`, which needs
    /// records, all stand or none.
    ///
    /// >>> import caplink, os, tempfile
    /// >>> base = tempfile.mkdtemp(); os.mkdir(os.path.join(base, "v1"))
    /// >>> edits = [{"verb": "ensure", "link": name, "to": "v1"} for name in ("blue", "green")]
    /// >>> [outcome.outcome for outcome in caplink.Root(base).batch(edits)]
    /// ['created', 'created']
    #[pyo3(signature = (edits, *, all_or_nothing=false, keep_going=false, durability=None, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn batch<'py>(
        &self,
        py: Python<'py>,
        edits: &Bound<'py, PyAny>,
        all_or_nothing: bool,
        keep_going: bool,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let call = Call { durability: arguments::durability(py, durability)?, reason, dry_run };
        let together = match (all_or_nothing, keep_going) {
            (true, true) => return Err(failure::usage(py, "all_or_nothing and keep_going contradict each other")),
            (true, false) => Together::AllOrNothing,
            (false, true) => Together::KeepGoing,
            (false, false) => Together::Stop,
        };
        batch::batch(py, self, edits, together, &call)
    }

    /// The records of this root: the log of every change, and what follows from it.
    fn records(&self) -> Records {
        Records::of(&self.0)
    }

    /// The releases of an app: a link to the active one of several directories.
    ///
    /// `app` names it; `current` is the link and `releases` the directory, where they are called otherwise.
    #[pyo3(signature = (app="default", *, current=None, releases=None))]
    fn releases(&self, py: Python<'_>, app: &str, current: Option<Text>, releases: Option<Text>) -> PyResult<Releases> {
        Releases::open(py, &self.0, app, current, releases)
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
