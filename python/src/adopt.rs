//! Adoption: files and directories move below a directory, each replaced by a link to it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use caplink::LinkPath;
use caplink::manage::Adoption;
use pyo3::prelude::*;
use pyo3::types::PyAny;

use crate::changing::{Call, Holder, demand_reason};
use crate::detached::detached;
use crate::failure::OrRaise as _;
use crate::interrupt;
use crate::manifests::came;
use crate::root::checked;

/// Adopts paths; what each came to.
pub(crate) fn adopt<'py>(
    py: Python<'py>,
    holder: &Holder,
    paths: &[OsString],
    into: &OsStr,
    parents: bool,
    call: &Call<'_>,
) -> PyResult<Bound<'py, PyAny>> {
    let done = detached(py, || {
        holder.is_whole("adopt")?;
        let paths = paths.iter().map(|path| checked("adopt", path)).collect::<caplink::Result<Vec<LinkPath>>>()?;
        let into = directory(into)?;
        let (root, author) = (holder.unrecorded(), holder.author(call.reason)?);
        let mut settled = Vec::new();
        if let Some(records) = holder.records()? {
            demand_reason(&records, call, author.reason().is_some())?;
            if !call.dry_run {
                settled = records.recover()?;
            }
        }
        let adoption = Adoption::new(&root, &paths, &into, parents)?;
        let durability = holder.group_durability(call);
        let mut applied = match call.dry_run {
            true => adoption.preview(&root, durability),
            false => adoption.apply(&root, &author, durability)?,
        };
        applied.recovered.splice(0..0, settled);
        let made = if applied.stands { adoption.made(&applied) } else { Vec::new() };
        Ok((applied, made))
    })?;
    interrupt::raise()?;
    let (applied, made) = done.or_raise(py)?;
    came(py, applied, &[], &made, false)
}

/// The directory, spelled as where it is only looked at: `.` and a slash at the end are fine.
fn directory(into: &OsStr) -> caplink::Result<PathBuf> {
    match Path::new(into).components().as_path() {
        path if path == Path::new(".") => Ok(PathBuf::new()),
        path => checked("adopt", path.as_os_str()).map(|path| path.as_path().to_path_buf()),
    }
}
