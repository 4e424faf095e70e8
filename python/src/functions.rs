//! `symlink` and `replace_symlink`, with the signatures of `os`.

use std::ffi::OsStr;
use std::path::Path;

use cap_std::ambient_authority;
use caplink::{Edit, LinkPath, Policy, Root, Style};
use pyo3::intern;
use pyo3::prelude::*;

use crate::arguments::truth;
use crate::audit::audit;
use crate::detached::detached;
use crate::given::Given;
use crate::interrupt;
use crate::opening::{self, Unopened};
use crate::outcome::Outcome;
use crate::root::target;

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
pub(crate) fn symlink<'py>(
    py: Python<'py>,
    src: Given<'py>,
    dst: Given<'py>,
    #[pyo3(from_py_with = truth)] target_is_directory: bool,
    dir_fd: Option<i32>,
) -> PyResult<()> {
    let to = target(Style::Verbatim, &src.text, target_is_directory);
    let make = |link| Edit::create(link, to).allow_dangling(true).allow_outside(true);
    made(py, "caplink.symlink", "create", &src, &dst, dir_fd, |link| make(link).into()).map(drop)
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
pub(crate) fn replace_symlink<'py>(
    py: Python<'py>,
    src: Given<'py>,
    dst: Given<'py>,
    #[pyo3(from_py_with = truth)] target_is_directory: bool,
    dir_fd: Option<i32>,
) -> PyResult<Outcome> {
    let to = target(Style::Verbatim, &src.text, target_is_directory);
    let make = |link| Edit::ensure(link, to).allow_dangling(true).allow_outside(true);
    made(py, "caplink.replace_symlink", "ensure", &src, &dst, dir_fd, |link| make(link).into()).map(Outcome)
}

/// Makes a link as one edit. What is raised names `dst` as it was given.
fn made<'py>(
    py: Python<'py>,
    event: &'static str,
    verb: &'static str,
    src: &Given<'py>,
    dst: &Given<'py>,
    dir_fd: Option<i32>,
    edit: impl FnOnce(LinkPath) -> Edit + Send,
) -> PyResult<caplink::Outcome> {
    src.is_text()?;
    dst.is_text()?;
    audit(py, (event, src.shown(py), dst.shown(py), dir_fd.unwrap_or(-1)))?;
    let path = &dst.text;
    let done = detached(py, || {
        let (root, name) = place(path, dir_fd)?;
        let edit = edit(LinkPath::new(name).map_err(|error| error.during(verb))?);
        Ok::<_, Unopened>(root.apply(&edit)?)
    })?;
    interrupt::raise()?;
    done.map_err(|unopened| {
        let error = unopened.raised(py);
        let _kept = error.value(py).setattr(intern!(py, "filename"), dst.shown(py));
        error
    })
}

/// The root that a path is below, and the path there: the directory that was handed over, or else the path's own.
fn place(dst: &OsStr, dir_fd: Option<i32>) -> Result<(Root, &OsStr), Unopened> {
    let policy = Policy::default().follow(true).cross_mounts(true);
    let path = Path::new(dst);
    let named = path.file_name().filter(|_| !dst.as_encoded_bytes().contains(&0));
    let (root, name) = match (dir_fd, named) {
        (Some(descriptor), _) if !path.is_absolute() => (opening::by_descriptor(descriptor, policy)?, dst),
        (_, Some(name)) if path.as_os_str().as_encoded_bytes().ends_with(name.as_encoded_bytes()) => {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            (Root::open_ambient(parent, policy, ambient_authority())?, name)
        }
        // It names no link, which is said in the words of a path below a root.
        _ => (Root::open_ambient(".", policy, ambient_authority())?, dst),
    };
    Ok((opening::furnished(&root, None, LOCK_TIMEOUT)?, name))
}
