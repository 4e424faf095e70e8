//! Releases: a link to the active one of several directories, and what becomes of each.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use caplink::LinkPath;
use caplink::manage::{self, Deploy, Failed, Prune, Rollback, Switch, Switched};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict};

use crate::arguments;
use crate::audit::audit;
use crate::changing::Holder;
use crate::checks::{self, Watching};
use crate::detached::detached;
use crate::failure::{self, OrRaise as _};
use crate::interrupt;
use crate::json;
use crate::outcome::Outcome;
use crate::shared::Shared;
use crate::text::Text;

/// The releases of an app, made by ``root.releases()``.
///
/// ``current`` leads to one of the directories below ``releases``; the records keep what became of each. A check is a callable, a
/// program as a list of words, or a list of these. A callable is given a :class:`caplink.CheckContext`; it passes unless it raises, or
/// returns ``False``.
///
/// >>> import caplink, os, tempfile
/// >>> base = tempfile.mkdtemp()
/// >>> for release in "41", "42":
/// ...     os.makedirs(os.path.join(base, "releases", release))
/// >>> releases = caplink.Root(base).releases()
/// >>> releases.deploy("41").release
/// '41'
/// >>> releases.deploy("42", check_after=lambda check: False)
/// Traceback (most recent call last):
/// ...
/// caplink.CheckFailedError: cannot deploy `42`: `<lambda>` (check_after) exited with 1
/// >>> releases.status().release
/// '41'
#[pyclass(frozen, module = "caplink")]
pub(crate) struct Releases {
    root: Arc<Shared>,
    app: String,
    current: Option<LinkPath>,
    releases: Option<OsString>,
}

#[pymethods]
impl Releases {
    /// The name of the app.
    #[getter]
    fn app(&self) -> &str {
        &self.app
    }

    /// Enters releases as prepared. Returns them as they are now: a list of :class:`caplink.Release`.
    #[pyo3(signature = (*names, reason=None, dry_run=false))]
    fn add<'py>(
        &self,
        py: Python<'py>,
        names: Vec<String>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let holder = self.to_change(py, "add", &names.join(" "), dry_run)?;
        let added = detached(py, || self.of(&holder, reason, dry_run)?.add(&names))?;
        interrupt::raise()?;
        added.or_raise(py)?.into_iter().map(|added| release(py, &added.or_raise(py)?.view)).collect()
    }

    /// Enters a release, checks it, switches `current` to it, runs `after_switch`, checks it again, and prunes if `keep` is given.
    ///
    /// A check that fails before the switch: nothing is switched; after it: it is switched back. Then
    /// :class:`caplink.CheckFailedError` is raised, from what the callable raised.
    #[pyo3(signature = (name, *, even_bad=false, check_before=None, check_after=None, after_switch=None, check_timeout=30.0, check_retries=0, check_interval=1.0, keep=None, grace=600.0, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn deploy<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        even_bad: bool,
        check_before: Option<&Bound<'py, PyAny>>,
        check_after: Option<&Bound<'py, PyAny>>,
        after_switch: Option<&Bound<'py, PyAny>>,
        check_timeout: f64,
        check_retries: u32,
        check_interval: f64,
        keep: Option<usize>,
        grace: f64,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let checks = Checks::read(py, check_before, check_after, after_switch)?;
        let (timeout, interval) = (arguments::seconds(py, check_timeout)?, arguments::seconds(py, check_interval)?);
        let grace = arguments::seconds(py, grace)?;
        let holder = self.to_change(py, "deploy", name, dry_run)?;
        let raised = Arc::clone(&checks.raised);
        let switched = detached(py, || {
            let app = checks.given_to(self.of(&holder, reason, dry_run).map_err(Failed::from)?);
            let app = app.check_timeout(timeout).check_retries(check_retries).check_interval(interval).grace(grace);
            let app = keep.map_or(app.clone(), |keep| app.clone().keep(keep));
            app.deploy(name, &Deploy::default().even_bad(even_bad))
        })?;
        came(py, switched, &raised)
    }

    /// Switches `current` to a release that is entered; `expect` is the release that it has to lead to.
    #[pyo3(signature = (name, *, expect=None, even_bad=false, check_after=None, after_switch=None, check_timeout=30.0, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn switch<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        expect: Option<String>,
        even_bad: bool,
        check_after: Option<&Bound<'py, PyAny>>,
        after_switch: Option<&Bound<'py, PyAny>>,
        check_timeout: f64,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let checks = Checks::read(py, None, check_after, after_switch)?;
        let timeout = arguments::seconds(py, check_timeout)?;
        let holder = self.to_change(py, "switch", name, dry_run)?;
        let raised = Arc::clone(&checks.raised);
        let switched = detached(py, || {
            let app = checks.given_to(self.of(&holder, reason, dry_run).map_err(Failed::from)?).check_timeout(timeout);
            let options = Switch::default().even_bad(even_bad);
            app.switch(name, &expect.map_or(options.clone(), |expect| options.clone().expect(expect)))
        })?;
        came(py, switched, &raised)
    }

    /// Goes back to the latest confirmed good release before the active one, or to `to`; the one that is left is marked bad, unless
    /// `keep_good`.
    #[pyo3(signature = (*, to=None, keep_good=false, check_after=None, after_switch=None, check_timeout=30.0, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn rollback<'py>(
        &self,
        py: Python<'py>,
        to: Option<String>,
        keep_good: bool,
        check_after: Option<&Bound<'py, PyAny>>,
        after_switch: Option<&Bound<'py, PyAny>>,
        check_timeout: f64,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let checks = Checks::read(py, None, check_after, after_switch)?;
        let timeout = arguments::seconds(py, check_timeout)?;
        let holder = self.to_change(py, "rollback", to.as_deref().unwrap_or_default(), dry_run)?;
        let raised = Arc::clone(&checks.raised);
        let switched = detached(py, || {
            let app = checks.given_to(self.of(&holder, reason, dry_run).map_err(Failed::from)?).check_timeout(timeout);
            let options = Rollback::default().keep_good(keep_good);
            app.rollback(&to.map_or(options.clone(), |to| options.clone().to(to)))
        })?;
        came(py, switched, &raised)
    }

    /// Marks a release bad or good. What is active is not changed by it.
    #[pyo3(signature = (name, *, bad=None, good=None, reason=None, dry_run=false))]
    fn mark<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        bad: Option<bool>,
        good: Option<bool>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let bad = match (bad, good) {
            (Some(bad), None) => bad,
            (None, Some(good)) => !good,
            _ => return Err(failure::usage(py, "a release is marked bad=True or good=True")),
        };
        let holder = self.to_change(py, "mark", name, dry_run)?;
        let set = detached(py, || self.of(&holder, reason, dry_run)?.mark(name, bad))?;
        release(py, &set.or_raise(py)?.view)
    }

    /// Lets a release never be removed.
    #[pyo3(signature = (name, *, reason=None, dry_run=false))]
    fn pin<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let holder = self.to_change(py, "pin", name, dry_run)?;
        let set = detached(py, || self.of(&holder, reason, dry_run)?.pin(name, true))?;
        release(py, &set.or_raise(py)?.view)
    }

    /// Lets a release be removed again.
    #[pyo3(signature = (name, *, reason=None, dry_run=false))]
    fn unpin<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let holder = self.to_change(py, "unpin", name, dry_run)?;
        let set = detached(py, || self.of(&holder, reason, dry_run)?.pin(name, false))?;
        release(py, &set.or_raise(py)?.view)
    }

    /// Removes old releases: returns the ones that were removed and the ones that are kept, each with the `reason`.
    #[pyo3(signature = (*, keep=None, grace=None, reason=None, dry_run=false))]
    fn prune<'py>(
        &self,
        py: Python<'py>,
        keep: Option<usize>,
        grace: Option<f64>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<RemovedAndKept<'py>> {
        let grace: Option<Duration> = grace.map(|grace| arguments::seconds(py, grace)).transpose()?;
        let holder = self.to_change(py, "prune", "", dry_run)?;
        let pruned = detached(py, || {
            let app = self.of(&holder, reason, dry_run)?;
            let app = keep.map_or(app.clone(), |keep| app.clone().keep(keep));
            grace.map_or(app.clone(), |grace| app.clone().grace(grace)).prune(&Prune::default())
        })?;
        interrupt::raise()?;
        let (removed, kept): (Vec<_>, Vec<_>) = pruned.or_raise(py)?.into_iter().partition(|pruned| pruned.removed);
        let views =
            |of: Vec<manage::Pruned>| of.iter().map(|pruned| release(py, &pruned.view)).collect::<PyResult<_>>();
        Ok((views(removed)?, views(kept)?))
    }

    /// Returns every release, in the order in which they were entered: a list of :class:`caplink.Release`.
    fn list<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let holder = self.root.opened(py)?;
        let list = detached(py, || self.of(&holder, None, false)?.list())?;
        list.or_raise(py)?.iter().map(|view| release(py, view)).collect()
    }

    /// Returns where `current` leads, its release, since when, and an alarm if something is wrong: :class:`caplink.AppStatus`.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let holder = self.root.opened(py)?;
        let view = detached(py, || self.of(&holder, None, false)?.look())?.or_raise(py)?;
        let shown = PyDict::new(py);
        shown.set_item("app", &view.app)?;
        shown.set_item("link", Text::from(view.link.as_path()))?;
        shown.set_item("releases", Text::from(&view.releases))?;
        shown.set_item("target", view.target.as_deref())?;
        shown.set_item("release", view.release.as_deref())?;
        shown.set_item("active", view.active.as_deref())?;
        shown.set_item("since", view.since.map(|since| since.to_string()))?;
        shown.set_item("alarm", view.alarm.map(manage::Alarm::as_str))?;
        value(py, "AppStatus", &shown)
    }

    fn __repr__(&self) -> String {
        format!("<caplink.Releases '{}'>", self.app)
    }
}

impl Releases {
    pub(crate) fn open(
        py: Python<'_>,
        root: &Arc<Shared>,
        app: &str,
        current: Option<OsString>,
        releases: Option<OsString>,
    ) -> PyResult<Releases> {
        let holder = root.opened(py)?;
        let current = current.map(LinkPath::new).transpose().or_raise(py)?;
        let opened = Releases { root: Arc::clone(root), app: app.to_owned(), current, releases };
        detached(py, || opened.of(&holder, None, true).map(drop))?.or_raise(py)?;
        Ok(opened)
    }

    /// The app, as it is used by one call.
    fn of(&self, holder: &Holder, reason: Option<&str>, dry_run: bool) -> caplink::Result<manage::Releases> {
        let mut app = manage::Releases::open(&holder.unrecorded(), &self.app)?;
        if let Some(link) = &self.current {
            app = app.current(link.clone());
        }
        if let Some(dir) = &self.releases {
            app = app.releases(dir)?;
        }
        let durability = holder.settings.durability.unwrap_or(caplink::Durability::Dir);
        let app = app.author(holder.author(reason)?).lock_timeout(holder.settings.lock_timeout);
        Ok(app.durability(durability).dry_run(dry_run).progress(Arc::new(Watching)))
    }

    /// The root, for a change that audit hooks are asked about.
    fn to_change(&self, py: Python<'_>, verb: &str, name: &str, dry_run: bool) -> PyResult<Arc<Holder>> {
        let holder = self.root.opened(py)?;
        if !dry_run {
            audit(py, (format!("caplink.release.{verb}"), self.root.path(py), &self.app, name))?;
        }
        Ok(holder)
    }
}

/// The releases that were removed, and those that were kept.
type RemovedAndKept<'py> = (Vec<Bound<'py, PyAny>>, Vec<Bound<'py, PyAny>>);

/// What is checked and run around a switch.
struct Checks {
    before: Vec<manage::Check>,
    after: Vec<manage::Check>,
    hooks: Vec<manage::Check>,
    raised: checks::Raised,
}

impl Checks {
    fn read(
        py: Python<'_>,
        before: Option<&Bound<'_, PyAny>>,
        after: Option<&Bound<'_, PyAny>>,
        hooks: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Checks> {
        let raised = checks::Raised::default();
        let read = |given| checks::read(py, given, &raised);
        Ok(Checks { before: read(before)?, after: read(after)?, hooks: read(hooks)?, raised: Arc::clone(&raised) })
    }

    fn given_to(self, app: manage::Releases) -> manage::Releases {
        app.check_before(self.before).check_after(self.after).after_switch(self.hooks)
    }
}

/// What a switch came to.
fn came<'py>(
    py: Python<'py>,
    switched: Result<Switched, Box<Failed>>,
    raised: &checks::Raised,
) -> PyResult<Bound<'py, PyAny>> {
    interrupt::raise()?;
    let shown = PyDict::new(py);
    let failed = match switched {
        Err(failed) => failed,
        Ok(switched) => {
            shown.set_item("app", &switched.app)?;
            shown.set_item("release", &switched.release)?;
            shown.set_item("previous_release", switched.previous_release.as_deref())?;
            shown.set_item("outcome", Outcome(switched.outcome))?;
            shown.set_item("changed", switched.changed)?;
            shown.set_item("checks", json::object(py, &switched.checks)?)?;
            let pruned = switched.pruned.iter().filter(|pruned| pruned.removed);
            let names: Vec<&str> = pruned.map(|pruned| pruned.view.release.as_str()).collect();
            shown.set_item("pruned", names)?;
            let errors = switched.shortfalls.iter().map(|error| failure::exception(py, error));
            shown.set_item("shortfalls", errors.collect::<PyResult<Vec<_>>>()?)?;
            return value(py, "Switched", &shown);
        }
    };
    let error = failure::exception(py, failed.error())?;
    error.setattr("checks", json::object(py, &failed.until.checks)?)?;
    error.setattr("release", failed.until.release.as_deref())?;
    error.setattr("previous_release", failed.until.previous_release.as_deref())?;
    error.setattr("stands", failed.until.stands.is_some())?;
    let error = PyErr::from_value(error);
    error.set_cause(py, checks::taken(raised));
    Err(error)
}

fn release<'py>(py: Python<'py>, view: &manage::ReleaseView) -> PyResult<Bound<'py, PyAny>> {
    let item = json::object(py, view)?;
    py.import("caplink._values")?.getattr("release")?.call1((item,))
}

fn value<'py>(py: Python<'py>, name: &str, shown: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    py.import("caplink._values")?.getattr(name)?.call((), Some(shown))
}
