//! `symlink` and `replace_symlink`, with the signatures of `os`.

use std::ffi::OsStr;
use std::path::Path;

use cap_std::ambient_authority;
use caplink::{Edit, Policy, Root, Target};
use pyo3::prelude::*;

use crate::audit::audit;
use crate::detached::detached;
use crate::failure::OrRaise as _;
use crate::interrupt;
use crate::opening;
use crate::outcome::Outcome;
use crate::text::Text;

/// How long another holder of the lock is waited for, as by default everywhere.
const LOCK_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(1);

/// Create a symbolic link pointing to src named dst.
///
/// As ``os.symlink``: ``src`` is stored byte for byte, whatever it leads to. Besides, it is read back that the link stands. With
/// ``dir_fd`` a relative ``dst`` is below that directory, and nothing leads it out: neither ``..`` nor a link on the way.
///
/// >>> import caplink, os, tempfile
/// >>> base = tempfile.mkdtemp()
/// >>> caplink.symlink("releases/41", os.path.join(base, "current"))
/// >>> caplink.symlink("releases/42", os.path.join(base, "current"))
/// Traceback (most recent call last):
/// ...
/// caplink.ExistsError: cannot create `current`: the name is taken by a link to `releases/41`
#[pyfunction]
#[pyo3(signature = (src, dst, target_is_directory=false, *, dir_fd=None))]
pub(crate) fn symlink(
    py: Python<'_>,
    src: Text,
    dst: Text,
    target_is_directory: bool,
    dir_fd: Option<i32>,
) -> PyResult<()> {
    audit(py, ("caplink.symlink", &src, &dst, dir_fd.unwrap_or(-1)))?;
    let done = detached(py, || {
        let (root, name) = place(&dst.0, dir_fd)?;
        let link = caplink::LinkPath::new(name).map_err(|error| error.during("create"))?;
        let edit = Edit::create(link, text(&src, target_is_directory));
        root.apply(&edit.allow_dangling(true).allow_outside(true))
    })?;
    interrupt::raise()?;
    done.or_raise(py).map(drop)
}

/// Make dst a symbolic link pointing to src, whether nothing or any link is there.
///
/// The signature is that of ``os.symlink``. A link is replaced in one step: the name is never absent, and nothing is left
/// over. What is no link is never replaced.
///
/// >>> import caplink, os, tempfile
/// >>> current = os.path.join(tempfile.mkdtemp(), "current")
/// >>> caplink.replace_symlink("releases/41", current).outcome
/// 'created'
/// >>> caplink.replace_symlink("releases/42", current).previous
/// 'releases/41'
#[pyfunction]
#[pyo3(signature = (src, dst, target_is_directory=false, *, dir_fd=None))]
pub(crate) fn replace_symlink(
    py: Python<'_>,
    src: Text,
    dst: Text,
    target_is_directory: bool,
    dir_fd: Option<i32>,
) -> PyResult<Outcome> {
    audit(py, ("caplink.replace_symlink", &src, &dst, dir_fd.unwrap_or(-1)))?;
    let done = detached(py, || {
        let (root, name) = place(&dst.0, dir_fd)?;
        let link = caplink::LinkPath::new(name).map_err(|error| error.during("ensure"))?;
        let edit = Edit::ensure(link, text(&src, target_is_directory));
        root.apply(&edit.allow_dangling(true).allow_outside(true))
    })?;
    interrupt::raise()?;
    done.or_raise(py).map(Outcome)
}

fn text(src: &Text, is_directory: bool) -> Target {
    let target = Target::verbatim(&src.0);
    if is_directory { target.as_directory(true) } else { target }
}

/// The root that a path is below, and the path there: the directory that was handed over, or else the path's own.
fn place(dst: &OsStr, dir_fd: Option<i32>) -> caplink::Result<(Root, &OsStr)> {
    let policy = Policy::default().follow(true).cross_mounts(true);
    let path = Path::new(dst);
    let (root, name) = match (dir_fd, path.file_name()) {
        (Some(descriptor), _) if !path.is_absolute() => (opening::Place::Descriptor(descriptor).open(policy)?.0, dst),
        (_, Some(name)) if path.as_os_str().as_encoded_bytes().ends_with(name.as_encoded_bytes()) => {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            (Root::open_ambient(parent, policy, ambient_authority())?, name)
        }
        // It names no link, which is said in the words of a path below a root.
        _ => (Root::open_ambient(".", policy, ambient_authority())?, dst),
    };
    Ok((opening::furnished(&root, None, LOCK_TIMEOUT)?, name))
}
