//! The whole `stat` of an entry, as `os.lstat` returns it.

use std::ffi::OsStr;

use cap_std::fs::Metadata;
use caplink::{Kind, LinkPath, ObjectId};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::changing::Holder;

/// How often an entry is looked at again that others replaced between two looks.
const LOOKS: usize = 8;

/// Looks at the entry below the root, as the policy allows, and takes everything that the system says of it.
pub(crate) fn look(holder: &Holder, path: &OsStr) -> caplink::Result<Metadata> {
    let root = holder.root();
    for _ in 0..LOOKS {
        let seen = root.inspect(path)?;
        let Some(id) = seen.id else {
            // It says so with the component.
            root.read_link(path)?;
            continue;
        };
        let found = match seen.path.as_os_str().is_empty() {
            true => holder.dir().dir_metadata(),
            false => holder.dir().symlink_metadata(&seen.path),
        };
        if let Some(found) = found.ok().filter(|found| id_of(found) == Some(id)) {
            return Ok(found);
        }
    }
    let contended = |path: &OsStr| LinkPath::new(path).and_then(|_| root.read_link(path));
    match contended(path) {
        Err(error) if error.kind() != Kind::NotALink => Err(error),
        _ => Err(caplink::Error::refusal("it is replaced all the time").during("read")),
    }
}

#[cfg(unix)]
pub(crate) fn id_of(found: &Metadata) -> Option<ObjectId> {
    use cap_std::fs::MetadataExt as _;
    Some(ObjectId { device: found.dev(), inode: found.ino() })
}

#[cfg(not(unix))]
pub(crate) fn id_of(_: &Metadata) -> Option<ObjectId> {
    None
}

/// The `os.stat_result`.
#[cfg(unix)]
pub(crate) fn result<'py>(py: Python<'py>, found: &Metadata) -> PyResult<Bound<'py, PyAny>> {
    use cap_std::fs::MetadataExt as _;

    let whole = (
        found.mode(),
        found.ino(),
        found.dev(),
        found.nlink(),
        found.uid(),
        found.gid(),
        found.size(),
        found.atime(),
        found.mtime(),
        found.ctime(),
    );
    let more = PyDict::new(py);
    for (name, seconds, nanoseconds) in [
        ("atime", found.atime(), found.atime_nsec()),
        ("mtime", found.mtime(), found.mtime_nsec()),
        ("ctime", found.ctime(), found.ctime_nsec()),
    ] {
        more.set_item(format!("st_{name}"), seconds as f64 + 1e-9 * nanoseconds as f64)?;
        more.set_item(format!("st_{name}_ns"), i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds))?;
    }
    more.set_item("st_blksize", found.blksize())?;
    more.set_item("st_blocks", found.blocks())?;
    more.set_item("st_rdev", found.rdev())?;
    py.import("os")?.getattr("stat_result")?.call1((whole, more))
}

#[cfg(not(unix))]
pub(crate) fn result<'py>(py: Python<'py>, _: &Metadata) -> PyResult<Bound<'py, PyAny>> {
    let _unused = PyDict::new(py);
    Err(crate::failure::of_kind(py, Kind::Unsupported, "cannot read a stat on this platform: use `inspect`"))
}
