//! The records: the log of every change, and what follows from it.

use std::sync::Arc;

use caplink::manage::{Releases, Settled};
use caplink::records::{self as log, Checkpoint, Made, Query, Settings, Time};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use serde_json::Value;

use crate::audit::audit;
use crate::batch;
use crate::changing::{Call, Holder};
use crate::detached::detached;
use crate::failure::{self, OrRaise as _};
use crate::interrupt;
use crate::json;
use crate::shared::Shared;
use crate::text::Text;

/// The records of a root, made by ``root.records()``.
///
/// Once a root has records every change is in the log before it is made. ``bool(records)`` says whether it has.
///
/// >>> import caplink, os, tempfile
/// >>> base = tempfile.mkdtemp(); os.mkdir(os.path.join(base, "v1"))
/// >>> root = caplink.Root(base)
/// >>> records = root.records()
/// >>> bool(records), records.init(), bool(records)
/// (False, 'initialised', True)
/// >>> root.ensure("current", to="v1", reason="first rollout").outcome
/// 'created'
/// >>> [(m.link, m.outcome, m.reason) for m in records.log(link="current")]
/// [('current', 'created', 'first rollout')]
#[pyclass(frozen, module = "caplink")]
pub(crate) struct Records(Arc<Shared>);

#[pymethods]
impl Records {
    fn __bool__(&self, py: Python<'_>) -> PyResult<bool> {
        let holder = self.0.opened(py)?;
        Ok(detached(py, || holder.records())?.or_raise(py)?.is_some())
    }

    /// Makes the records, or gives them other settings: `initialised`, `replaced` or `unchanged`.
    ///
    /// With `require_reason` a change without a reason is refused.
    #[pyo3(signature = (*, require_reason=false, reason=None))]
    fn init(&self, py: Python<'_>, require_reason: bool, reason: Option<&str>) -> PyResult<&'static str> {
        let holder = self.to_change(py, "caplink.records.init")?;
        let made = detached(py, || {
            let settings = Settings::default().require_reason(require_reason);
            log::Records::init(&holder.root(), settings, &holder.author(reason)?)
        })?;
        holder.forget_records();
        Ok(match made.or_raise(py)?.1 {
            Made::Initialised => "initialised",
            Made::Unchanged => "unchanged",
            Made::Set => "replaced",
        })
    }

    /// Returns what they are: `id`, `entries`, `bytes`, `open_groups`, `require_reason`, `identity`.
    fn show<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let records = self.opened(py)?;
        let (entries, bytes, groups) = detached(py, || records.extent())?.or_raise(py)?;
        let shown = PyDict::new(py);
        shown.set_item("id", records.id())?;
        shown.set_item("entries", entries)?;
        shown.set_item("bytes", bytes)?;
        shown.set_item("open_groups", groups)?;
        shown.set_item("require_reason", records.settings().require_reason)?;
        shown.set_item("identity", records.identity().as_str())?;
        Ok(shown)
    }

    /// Binds them to this root, which was moved or restored on purpose. Returns whether it was another one until now.
    #[pyo3(signature = (*, reason=None))]
    fn rebind(&self, py: Python<'_>, reason: Option<&str>) -> PyResult<bool> {
        let holder = self.to_change(py, "caplink.records.rebind")?;
        let bound = detached(py, || log::Records::rebind(&holder.root(), &holder.author(reason)?))?.or_raise(py)?;
        holder.forget_records();
        Ok(bound.1)
    }

    /// Moves damaged records aside and begins new ones. Returns the name that the old ones have now; None if they fit.
    #[pyo3(signature = (*, reason))]
    fn renew(&self, py: Python<'_>, reason: &str) -> PyResult<Option<Text>> {
        let holder = self.to_change(py, "caplink.records.renew")?;
        let renewed = detached(py, || log::Records::renew(&holder.root(), &holder.author(Some(reason))?))?;
        holder.forget_records();
        Ok(renewed.or_raise(py)?.1.map(|renewed| Text(renewed.kept.0)))
    }

    /// Returns the mutations, oldest first, as a list of :class:`caplink.Mutation`.
    ///
    /// `link` are globs (`*` stops at `/`, `**` does not), `since` and `until` times as RFC 3339 has them, or datetimes; `limit`
    /// keeps the newest.
    #[pyo3(signature = (*, link=None, since=None, until=None, group=None, outcome=None, limit=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn log<'py>(
        &self,
        py: Python<'py>,
        link: Option<&Bound<'py, PyAny>>,
        since: Option<&Bound<'py, PyAny>>,
        until: Option<&Bound<'py, PyAny>>,
        group: Option<String>,
        outcome: Option<String>,
        limit: Option<usize>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut query = Query::default();
        for glob in globs(link)? {
            query = query.link(&glob).or_raise(py)?;
        }
        query = time(py, since)?.map_or(query.clone(), |since| query.since(since));
        query = time(py, until)?.map_or(query.clone(), |until| query.until(until));
        query = group.map_or(query.clone(), |group| query.group(group));
        query = outcome.map_or(query.clone(), |outcome| query.outcome(outcome));
        query = limit.map_or(query.clone(), |limit| query.limit(limit));
        let records = self.opened(py)?;
        let found = detached(py, || {
            let mut found = Vec::new();
            records.mutations(&query, &mut |mutation| {
                found.push(mutation);
                true
            })?;
            Ok(found)
        })?;
        let make = py.import("caplink._values")?.getattr("mutation")?;
        let mutation = |mutation| make.call1((json::object(py, &mutation)?,));
        found.or_raise(py)?.into_iter().map(mutation).collect()
    }

    /// Returns the three lines of a checkpoint, to be kept elsewhere.
    fn checkpoint(&self, py: Python<'_>) -> PyResult<String> {
        let records = self.opened(py)?;
        detached(py, || records.checkpoint().map(|checkpoint| checkpoint.to_string()))?.or_raise(py)
    }

    /// Hashes everything anew; each checkpoint must be one that this log went through, else :class:`caplink.IntegrityError`.
    ///
    /// Returns the number of entries, and how many of them the checkpoints vouch for.
    #[pyo3(signature = (*checkpoints))]
    fn verify(&self, py: Python<'_>, checkpoints: &Bound<'_, PyTuple>) -> PyResult<(u64, u64)> {
        let checkpoints = checkpoints.iter().map(|checkpoint| {
            let text: String = checkpoint.extract()?;
            Checkpoint::parse(text.as_bytes()).or_raise(py)
        });
        let checkpoints = checkpoints.collect::<PyResult<Vec<Checkpoint>>>()?;
        let records = self.opened(py)?;
        let verified = detached(py, || records.verify(&checkpoints))?.or_raise(py)?;
        Ok((verified.entries, verified.vouched))
    }

    /// Takes each link of a group back to what it was before, all of them or none. Returns what each edit came to.
    #[pyo3(signature = (*, group, reason=None, dry_run=false))]
    fn undo<'py>(
        &self,
        py: Python<'py>,
        group: &str,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let call = Call { reason, dry_run, ..Call::default() };
        if !dry_run {
            audit(py, ("caplink.records.undo", self.0.path(py), group))?;
        }
        let records = self.opened(py)?;
        let undoing = detached(py, || {
            if !dry_run {
                records.recover_group(group)?;
            }
            records.undoing(group)
        })?;
        batch::stood(py, self.0.opened(py)?.group(py, &call, undoing.or_raise(py)?)?)
    }

    /// Settles what interrupted programs left, of links, groups and releases: a list of dicts, empty if there is nothing.
    #[pyo3(signature = (*, reason=None))]
    fn recover<'py>(&self, py: Python<'py>, reason: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let holder = self.to_change(py, "caplink.records.recover")?;
        let recovered = detached(py, || {
            let Some(records) = holder.records()? else { return Ok(Vec::new()) };
            let mut items: Vec<Value> = records.recover()?.iter().map(item).collect();
            let settled = Releases::recover(&holder.unrecorded(), &holder.author(reason)?, false)?;
            for settled in settled {
                items.push(settled_item(&settled?));
            }
            Ok(items)
        })?;
        interrupt::raise()?;
        json::object(py, &recovered.or_raise(py)?)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        if self.0.is_closed() {
            return Ok("<closed caplink.Records>".to_owned());
        }
        let holder = self.0.opened(py)?;
        let records = detached(py, || holder.records())?.or_raise(py)?;
        Ok(records.map_or_else(|| "<caplink.Records: none>".to_owned(), |of| format!("<caplink.Records {}>", of.id())))
    }
}

impl Records {
    pub(crate) fn of(py: Python<'_>, root: &Arc<Shared>) -> PyResult<Records> {
        root.opened(py)?;
        Ok(Records(Arc::clone(root)))
    }

    /// The root, for a change that audit hooks are asked about.
    fn to_change(&self, py: Python<'_>, event: &'static str) -> PyResult<Arc<Holder>> {
        let holder = self.0.opened(py)?;
        audit(py, (event, self.0.path(py)))?;
        Ok(holder)
    }

    fn opened(&self, py: Python<'_>) -> PyResult<log::Records> {
        let holder = self.0.opened(py)?;
        let records = detached(py, || holder.records())?.or_raise(py)?;
        records.ok_or_else(failure::no_records).or_raise(py)
    }
}

/// What was settled of the releases.
fn settled_item(settled: &Settled) -> Value {
    serde_json::json!({ "app": settled.app, "release": settled.release, "outcome": settled.how.as_str() })
}

/// What was settled, in the form of an item.
pub(crate) fn item(settled: &log::Recovered) -> Value {
    serde_json::json!({
        "seq": settled.seq,
        "link": settled.link,
        "target": settled.target,
        "previous": settled.previous,
        "outcome": settled.outcome,
        "kind": settled.kind.map(caplink::Kind::as_str),
        "group": settled.group,
    })
}

fn globs(given: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<String>> {
    let Some(given) = given else { return Ok(Vec::new()) };
    match given.extract::<String>() {
        Ok(glob) => Ok(vec![glob]),
        Err(_) => given.try_iter()?.map(|glob| glob?.extract()).collect(),
    }
}

/// A time: a text, or a datetime, which says in its own way what it is in UTC.
fn time(py: Python<'_>, given: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Time>> {
    let Some(given) = given else { return Ok(None) };
    let text: String = match given.extract() {
        Ok(text) => text,
        Err(_) => py.import("caplink._values")?.getattr("rfc3339")?.call1((given,))?.extract()?,
    };
    text.parse().map(Some).map_err(|_| failure::usage(py, &format!("`{text}` is no time as RFC 3339 has it")))
}
