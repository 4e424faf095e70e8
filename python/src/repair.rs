//! Repairs: what is asked for, carried out, and what came of it.

use std::ffi::{OsStr, OsString};

use caplink::{Durability, LinkPath, Repair, RepairOptions, Target};
use pyo3::prelude::*;
use pyo3::types::PyMapping;

use crate::changing::{Call, Holder};
use crate::detached::detached;
use crate::failure::{self, OrRaise as _};
use crate::given::Given;
use crate::interrupt;
use crate::outcome::Outcome;
use crate::shared::Shared;

/// The actions that name old and new.
pub(crate) struct Pairs<'a, 'py> {
    pub(crate) rebase: Option<&'a Bound<'py, PyAny>>,
    pub(crate) retarget: Option<&'a Bound<'py, PyAny>>,
    pub(crate) moved: Option<&'a Bound<'py, PyAny>>,
    pub(crate) fallback: Option<Given<'py>>,
}

/// What is asked for.
pub(crate) fn of<'py>(
    py: Python<'py>,
    shared: &Shared,
    holder: &Holder,
    mut repair: Repair,
    pairs: Pairs<'_, 'py>,
) -> PyResult<Repair> {
    for (old, new) in pairs_of(py, shared, pairs.rebase)? {
        repair = repair.rebase(old, new);
    }
    for (old, new) in pairs_of(py, shared, pairs.retarget)? {
        repair = repair.retarget(old, new);
    }
    for (old, new) in pairs_of(py, shared, pairs.moved)? {
        let path = |path| LinkPath::new(path).map_err(|error| error.during("repair")).or_raise(py);
        repair = repair.moved(path(old)?, path(new)?);
    }
    if let Some(target) = pairs.fallback {
        target.is_of(py, shared)?;
        let check = Target::relative(&target.text).check(holder.root().text_root());
        check.map_err(|error| error.during("repair")).or_raise(py)?;
        repair = repair.fallback(target.text);
    }
    Ok(repair)
}

/// Repairs, and returns what each edit came to.
pub(crate) fn repair<'py>(
    py: Python<'py>,
    holder: &Holder,
    path: &OsStr,
    repair: &Repair,
    call: &Call<'_>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let mut results = Vec::new();
    let repaired = detached(py, || {
        let root = holder.to_change(call)?;
        let durability = holder.durability(&root, call, Durability::Dir);
        let options = RepairOptions::default().durability(durability).dry_run(call.dry_run);
        root.repair(path, repair, options, |result| results.push(result))
    })?;
    interrupt::raise()?;
    repaired.or_raise(py)?;
    objects(py, results)
}

/// Pairs of old and new: of a mapping, or of an iterable.
fn pairs_of<'py>(
    py: Python<'py>,
    shared: &Shared,
    given: Option<&Bound<'py, PyAny>>,
) -> PyResult<Vec<(OsString, OsString)>> {
    let Some(given) = given else { return Ok(Vec::new()) };
    let pairs = match given.cast::<PyMapping>() {
        Ok(mapping) => mapping.items()?.into_any(),
        Err(_) => given.clone(),
    };
    let pair = |pair: PyResult<Bound<'py, PyAny>>| {
        let (old, new): (Given<'py>, Given<'py>) = pair?.extract()?;
        old.is_of(py, shared)?;
        new.is_of(py, shared)?;
        Ok((old.text, new.text))
    };
    pairs.try_iter()?.map(pair).collect()
}

/// Outcomes and errors as objects.
pub(crate) fn objects(
    py: Python<'_>,
    results: Vec<caplink::Result<caplink::Outcome>>,
) -> PyResult<Vec<Bound<'_, PyAny>>> {
    let object = |result| match result {
        Ok(outcome) => Bound::new(py, Outcome(outcome)).map(Bound::into_any),
        Err(error) => failure::exception(py, &error),
    };
    results.into_iter().map(object).collect()
}
