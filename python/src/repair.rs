//! Repairs: what is asked for, carried out, and what came of it.

use std::ffi::OsString;

use caplink::{Durability, LinkPath, Repair, RepairOptions, Target};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::changing::{Call, Holder};
use crate::detached::detached;
use crate::failure::{self, OrRaise as _};
use crate::interrupt;
use crate::outcome::Outcome;
use crate::text::Text;

/// The actions that name old and new.
pub(crate) struct Pairs<'a, 'py> {
    pub(crate) rebase: Option<&'a Bound<'py, PyAny>>,
    pub(crate) retarget: Option<&'a Bound<'py, PyAny>>,
    pub(crate) moved: Option<&'a Bound<'py, PyAny>>,
    pub(crate) fallback: Option<Text>,
}

/// Repairs what is asked for, and returns what each edit came to.
pub(crate) fn repair<'py>(
    py: Python<'py>,
    holder: &Holder,
    path: &Text,
    mut repair: Repair,
    pairs: Pairs<'_, 'py>,
    call: &Call<'_>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    for (old, new) in pairs_of(pairs.rebase)? {
        repair = repair.rebase(old, new);
    }
    for (old, new) in pairs_of(pairs.retarget)? {
        repair = repair.retarget(old, new);
    }
    for (old, new) in pairs_of(pairs.moved)? {
        let path = |path| LinkPath::new(path).map_err(|error| error.during("repair")).or_raise(py);
        repair = repair.moved(path(old)?, path(new)?);
    }
    if let Some(target) = pairs.fallback {
        let check = Target::relative(&target.0).check(holder.root().text_root());
        check.map_err(|error| error.during("repair")).or_raise(py)?;
        repair = repair.fallback(target.0);
    }
    let mut results = Vec::new();
    let repaired = detached(py, || {
        let root = holder.to_change(call)?;
        let durability = holder.durability(&root, call, Durability::Dir);
        let options = RepairOptions::default().durability(durability).dry_run(call.dry_run);
        root.repair(&path.0, &repair, options, |result| results.push(result))
    })?;
    interrupt::raise()?;
    repaired.or_raise(py)?;
    objects(py, results)
}

/// Pairs of old and new: of a dict, or of an iterable.
fn pairs_of(given: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<(OsString, OsString)>> {
    let Some(given) = given else { return Ok(Vec::new()) };
    let pairs = match given.cast::<PyDict>() {
        Ok(dict) => dict.items().into_any(),
        Err(_) => given.clone(),
    };
    let pair = |pair: PyResult<Bound<'_, PyAny>>| pair?.extract::<(Text, Text)>().map(|(old, new)| (old.0, new.0));
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
