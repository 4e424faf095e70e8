//! What every verb starts from: the global options, and the root that they name.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use caplink::records::{Records, Recovered};
use caplink::{Enforcement, Kind, Policy, Root};

use super::global::{Confine, Durability, Global, Require};
use super::problem::Problem;

/// The way out where a state directory is none.
const STATE: &str = "`--state DIR` names a private directory, or one that is made in a directory that is there";

/// The global options.
pub(crate) struct Context {
    pub(crate) global: Global,
    /// The records that changes are written into, for what is settled on the way.
    records: RefCell<Vec<Records>>,
}

impl Context {
    pub(crate) fn new(global: Global) -> Context {
        Context { global, records: RefCell::default() }
    }

    /// Notes the records that changes are written into.
    pub(super) fn used(&self, records: &Records) {
        self.records.borrow_mut().push(records.clone());
    }

    /// What was settled on the way to changes, since the last call.
    pub(super) fn settled(&self) -> Vec<Recovered> {
        self.records.borrow().iter().flat_map(Records::take_settled).collect()
    }

    /// Where the root is, as it was written.
    pub(crate) fn root_path(&self) -> PathBuf {
        root_path(self.global.root.clone())
    }

    /// Opens the root for a verb that looks.
    pub(crate) fn look(&self) -> Result<Root, Box<Problem>> {
        let policy = Policy::default()
            .follow(self.global.follow)
            .cross_mounts(self.global.cross_mounts)
            .rooted(self.global.rooted)
            .cooperative(self.global.require != Some(Require::Atomic));
        let wait = self.lock_timeout()?;
        Root::open_ambient(self.root_path(), policy, ambient_authority())
            .map(|root| root.waiting(wait))
            .map_err(|error| Box::new(Problem::of_root(&error)))
    }

    /// Opens the root with its state directory.
    pub(crate) fn look_with_state(&self) -> Result<Root, Box<Problem>> {
        let root = self.look()?;
        match self.state() {
            Some(path) => with_state(&root, &path),
            None => Ok(root),
        }
    }

    /// Where the state directory is, if it was named.
    pub(crate) fn state(&self) -> Option<PathBuf> {
        self.global.state.clone().or_else(|| variable("CAPLINK_STATE").map(PathBuf::from))
    }

    /// The root as it is changed: confined as far as was asked for.
    pub(crate) fn confined(&self, root: &Root) -> caplink::Result<Root> {
        match self.enforcement() {
            Some(enforcement) => root.confined(enforcement),
            None => Ok(root.clone()),
        }
    }

    /// How far changes are to be confined by the kernel.
    pub(crate) fn enforcement(&self) -> Option<Enforcement> {
        match self.global.confine {
            Confine::Off => None,
            Confine::Auto => Some(Enforcement::Auto),
            Confine::Require => Some(Enforcement::Require),
        }
    }

    /// What is to survive a power cut; `default` is that of the verb where nothing is recorded.
    pub(crate) fn durability(&self, root: &Root, default: caplink::Durability) -> caplink::Durability {
        match self.global.durability {
            None if root.is_recorded() => caplink::Durability::Dir,
            None => default,
            Some(Durability::None) => caplink::Durability::None,
            Some(Durability::Dir) => caplink::Durability::Dir,
            Some(Durability::Fs) => caplink::Durability::Fs,
        }
    }
}

/// Where the root is, if `option` was given or not.
pub(super) fn root_path(option: Option<PathBuf>) -> PathBuf {
    option.or_else(|| variable("CAPLINK_ROOT").map(PathBuf::from)).unwrap_or_else(|| ".".into())
}

/// What a variable says; an empty one says nothing.
pub(super) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A directory that is not below the root, to be looked at only.
pub(super) fn open_to_look(path: &Path) -> caplink::Result<Root> {
    Root::open_ambient(path, Policy::default(), ambient_authority())
}

/// The state directory is a name in an opened directory, like everything else.
fn with_state(root: &Root, path: &Path) -> Result<Root, Box<Problem>> {
    let (parent, name) = parent_and_name(path)?;
    let dir = Dir::open_ambient_dir(&parent, ambient_authority())
        .map_err(|source| unusable(path, Kind::from(&source), &source))?;
    root.with_state(&dir, name).map_err(|error| Box::new(Problem::of_root(&error)))
}

fn parent_and_name(path: &Path) -> Result<(PathBuf, OsString), Box<Problem>> {
    let physical = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let Some(name) = physical.file_name() else {
        return Err(unusable(path, Kind::Usage, &"it is no directory of a name of its own"));
    };
    let parent = match physical.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => ".".into(),
    };
    Ok((parent, name.to_os_string()))
}

fn unusable(path: &Path, kind: Kind, reason: &dyn std::fmt::Display) -> Box<Problem> {
    let path = caplink::printable(path);
    let problem = Problem::new(kind, format!("cannot use the state directory `{path}`: {reason}"));
    Box::new(match kind {
        Kind::NotFound | Kind::Usage => problem.hinted(Some(STATE.to_owned())),
        _ => problem,
    })
}
