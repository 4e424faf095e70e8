//! Opens a root as it was asked for: by path or descriptor, with its policy, state directory and waits.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use caplink::{Durability, Enforcement, Kind, ObjectId, Policy, Root};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict};

use crate::descriptor;
use crate::failure;
use crate::interrupt;
use crate::lstat;
use crate::text::Text;

/// How often a directory is opened anew that others replaced while it was opened.
const TRIES: usize = 8;

/// What holds for every call through a root.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) confine: Option<Enforcement>,
    pub(crate) durability: Option<Durability>,
    pub(crate) lock_timeout: Duration,
    pub(crate) reason: Option<String>,
    pub(crate) actor: Option<String>,
}

/// Which directory is meant.
pub(crate) enum Place {
    Path(Text),
    Descriptor(i32),
}

/// Why there is no root.
pub(crate) enum Unopened {
    Refused(caplink::Error),
    /// The descriptor is none, or none of a directory.
    Descriptor(i32, io::Error),
}

impl From<caplink::Error> for Unopened {
    fn from(error: caplink::Error) -> Unopened {
        Unopened::Refused(error)
    }
}

impl Unopened {
    pub(crate) fn raised(&self, py: Python<'_>) -> PyErr {
        match self {
            Unopened::Refused(error) => failure::raised(py, error),
            Unopened::Descriptor(number, source) => {
                let (kind, why) = match source.kind() {
                    io::ErrorKind::NotADirectory => (Kind::Usage, "it is not a directory"),
                    _ => (Kind::Io, "it is no open descriptor"),
                };
                let message = format!("cannot open the descriptor {number}: {why}");
                failure::of_system(py, kind, &message, source.raw_os_error())
            }
        }
    }
}

impl Place {
    /// Opens it, and keeps the directory beside the root for what the library has no call for.
    pub(crate) fn open(&self, policy: Policy) -> Result<(Root, Dir), Unopened> {
        match self {
            Place::Path(path) => Ok(by_path(Path::new(&path.0), policy)?),
            Place::Descriptor(number) => {
                let unopened = |source| Unopened::Descriptor(*number, source);
                let kept = descriptor::open(*number).map_err(unopened)?;
                let dir = kept.try_clone().map_err(unopened)?;
                Ok((root_at(*number, dir, policy)?, kept))
            }
        }
    }
}

/// The root at a descriptor alone.
pub(crate) fn by_descriptor(number: i32, policy: Policy) -> Result<Root, Unopened> {
    let dir = descriptor::open(number).map_err(|source| Unopened::Descriptor(number, source))?;
    root_at(number, dir, policy)
}

fn root_at(number: i32, dir: Dir, policy: Policy) -> Result<Root, Unopened> {
    Root::from_dir(dir, policy).map_err(|error| match error.kind() {
        // A copy can be made of any descriptor.
        Kind::Usage => Unopened::Descriptor(number, descriptor::not_a_directory()),
        _ => error.into(),
    })
}

/// Opens a directory twice by its path, which may lead elsewhere by then.
fn by_path(path: &Path, policy: Policy) -> caplink::Result<(Root, Dir)> {
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(failure::error(Kind::InvalidPath, "open", "cannot open: the path contains a NUL byte"));
    }
    let mut opened = once(path, policy)?;
    for _ in 0..TRIES {
        if all_one(&[opened.0.id()], &opened.1).is_ok() {
            return Ok(opened);
        }
        opened = once(path, policy)?;
    }
    all_one(&[opened.0.id()], &opened.1).map(|()| opened)
}

fn once(path: &Path, policy: Policy) -> caplink::Result<(Root, Dir)> {
    let root = Root::open_ambient(path, policy, ambient_authority())?;
    let dir = Dir::open_ambient_dir(path, ambient_authority()).map_err(|source| {
        // The root says it in its own words.
        let again = Root::open_ambient(path, policy, ambient_authority());
        again.err().unwrap_or_else(|| caplink::Error::refusal(source.to_string()))
    })?;
    Ok((root, dir))
}

/// Refuses directories that are not one and the same, since others renamed what leads to them.
pub(crate) fn all_one(ids: &[ObjectId], dir: &Dir) -> caplink::Result<()> {
    let found = dir.dir_metadata().ok().and_then(|found| lstat::id_of(&found));
    match found.is_none_or(|found| ids.iter().all(|id| *id == found)) {
        true => Ok(()),
        false => Err(failure::error(Kind::Contended, "open", "cannot open: it is replaced all the time")),
    }
}

/// Gives a root its state directory, and what breaks its waits off.
pub(crate) fn furnished(root: &Root, state: Option<&Text>, lock_timeout: Duration) -> caplink::Result<Root> {
    let root = root.waiting(lock_timeout).interrupted_by(Arc::new(interrupt::is_asked));
    let Some(state) = state else { return Ok(root) };
    let path = Path::new(&state.0);
    let physical = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let parent = physical.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = physical.file_name().unwrap_or_default();
    // Its directory is opened as a root is, which says what is wrong with it.
    Root::open_ambient(parent, Policy::default(), ambient_authority())?;
    let dir = Dir::open_ambient_dir(parent, ambient_authority());
    let dir = dir.map_err(|source| caplink::Error::refusal(source.to_string()))?;
    root.with_state(&dir, name)
}

/// A `caplink.Policy` with what was asked for besides.
pub(crate) fn with<'py>(
    py: Python<'py>,
    given: Option<&Bound<'py, PyAny>>,
    asked: &[(&str, Option<bool>)],
) -> PyResult<Bound<'py, PyAny>> {
    let policy = match given {
        Some(given) => is_policy(given)?,
        None => py.import("caplink._policy")?.getattr("Policy")?.call0()?,
    };
    let changes = PyDict::new(py);
    for (name, asked) in asked {
        if let Some(asked) = asked {
            changes.set_item(name, asked)?;
        }
    }
    match changes.is_empty() {
        true => Ok(policy),
        false => py.import("dataclasses")?.getattr("replace")?.call((policy,), Some(&changes)),
    }
}

/// Refuses what is no `caplink.Policy`.
pub(crate) fn is_policy<'py>(given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    given.py().import("caplink._policy")?.getattr("checked")?.call1((given,))
}

/// What a `caplink.Policy` says.
pub(crate) fn policy(given: &Bound<'_, PyAny>) -> PyResult<Policy> {
    let is = |name: &str| given.getattr(name)?.is_truthy();
    Ok(Policy::default()
        .create(is("create")?)
        .replace(is("replace")?)
        .remove(is("remove")?)
        .dangling(is("dangling")?)
        .outside(is("outside")?)
        .follow(is("follow")?)
        .cross_mounts(is("cross_mounts")?)
        .cooperative(is("cooperative")?)
        .unverified(is("unverified")?)
        .rooted(is("rooted")?))
}

/// Whether the guarantee that is demanded is one.
pub(crate) fn is_atomic(py: Python<'_>, require: Option<&str>) -> PyResult<bool> {
    match require {
        None => Ok(false),
        Some("atomic") => Ok(true),
        Some(other) => Err(failure::usage(py, &format!("`{other}` is not `atomic`"))),
    }
}
