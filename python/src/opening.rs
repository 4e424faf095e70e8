//! Opens a root as it was asked for: by path or descriptor, with its policy, state directory and waits.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use caplink::{Durability, Enforcement, Policy, Root};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict};

use crate::descriptor;
use crate::failure;
use crate::interrupt;
use crate::text::Text;

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

impl Place {
    /// Opens it, and keeps the directory beside the root for what the library has no call for.
    pub(crate) fn open(&self, policy: Policy) -> caplink::Result<(Root, Dir)> {
        let io = |path: &OsStr, source: std::io::Error| {
            // The root says it in its own words.
            let opened = Root::open_ambient(Path::new(path), policy, ambient_authority());
            opened.err().unwrap_or_else(|| caplink::Error::refusal(source.to_string()))
        };
        match self {
            Place::Path(path) => {
                let root = Root::open_ambient(&path.0, policy, ambient_authority())?;
                let by_name = || Dir::open_ambient_dir(&path.0, ambient_authority());
                let dir = by_name().map_err(|source| io(&path.0, source))?;
                Ok((root, dir))
            }
            Place::Descriptor(number) => {
                let name = format!("/dev/fd/{number}");
                let dir = descriptor::open(*number).map_err(|source| io(OsStr::new(&name), source))?;
                let kept = dir.try_clone().map_err(|source| io(OsStr::new(&name), source))?;
                Ok((Root::from_dir(dir, policy)?, kept))
            }
        }
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
        Some(given) => given.clone(),
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
