//! What uses a release: leases, and processes whose root, directory, program, mapped or open file lies in it.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use serde::{Serialize, Serializer};

use super::layout::AppLayout;
use super::sight::open_releases;
use crate::error::{Error, FileKind, Result};
use crate::model::ObjectId;
use crate::plan::InUse;
use crate::root::Root;
use crate::sys::{self, Access, Fault, Handle, Reference, References};

/// Directories that are open at once while it is looked for what has another path elsewhere.
const DEPTH_MAX: usize = 64;

/// What uses a release.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Used {
    /// These do, or none.
    By(Vec<User>),
    /// None is known, and not every process can be looked into.
    Unknown,
}

/// A process that uses a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct User {
    /// The process.
    pub pid: u32,
    /// The name of its program, where that is told.
    pub program: Option<String>,
    /// By what: `lease`, `root`, `cwd`, `exe`, `map`, `fd`.
    pub how: &'static str,
}

impl Serialize for Used {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Used::By(users) => users.serialize(serializer),
            Used::Unknown => serializer.serialize_str("unknown"),
        }
    }
}

impl Used {
    /// What it means for a decision.
    pub(super) fn decides(&self) -> InUse {
        match self {
            Used::By(users) if users.is_empty() => InUse::No,
            Used::By(_) => InUse::Yes,
            Used::Unknown => InUse::Unknown,
        }
    }
}

/// What was seen of all processes.
pub(super) struct Survey {
    above: Option<Handle>,
    references: References,
}

/// Looks into every process for what lies below the directory of the releases.
pub(super) fn survey(root: &Root, layout: &AppLayout) -> Result<Survey> {
    let above = open_releases(root, layout)?;
    let references = match &above {
        Some(above) => sys::references(above).map_err(Error::from_io)?,
        None => References::default(),
    };
    Ok(Survey { above, references })
}

/// Looks into every process for what lies in this directory.
pub(super) fn uses(root: &Root, dir: &Handle) -> Result<Used> {
    let references = sys::references(dir).map_err(Error::from_io)?;
    let found: Vec<&Reference> = references.near.iter().collect();
    used(root, dir, found, &references)
}

impl Survey {
    /// What uses a release.
    pub(super) fn of(&self, root: &Root, layout: &AppLayout, name: &str) -> Result<Used> {
        let Some(above) = &self.above else { return Ok(Used::By(Vec::new())) };
        let dir = match root.calls().open_dir(above, Path::new(name), root.policy().cross_mounts, Access::Read) {
            Ok(dir) => dir,
            Err(source) if sys::fault(&source) == Fault::Denied => return Ok(Used::Unknown),
            // It is no directory of ours, and is not removed.
            Err(source) if matches!(sys::fault(&source), Fault::Missing | Fault::Link | Fault::NotDirectory) => {
                return Ok(Used::By(Vec::new()));
            }
            Err(source) => return Err(Error::from_io(source).on("look into", layout.path(name))),
        };
        let found = self.references.near.iter().filter(|reference| reference.path.starts_with(name)).collect();
        used(root, &dir, found, &self.references)
    }
}

fn used(root: &Root, dir: &Handle, found: Vec<&Reference>, all: &References) -> Result<Used> {
    let mut users: Vec<User> = lease(root, dir).into_iter().collect();
    for reference in found {
        users.push(User { pid: reference.pid, program: reference.program.clone(), how: reference.how });
    }
    // What another process has another path to is found by its identity, in a walk that is seldom needed.
    if users.is_empty() && !all.far.is_empty() {
        let device = root.calls().stat(dir).map_err(Error::from_io)?.id.device;
        let far = all.far.iter().filter(|reference| reference.id.is_some_and(|id| id.device == device));
        let far: HashMap<ObjectId, &Reference> = far.filter_map(|reference| Some((reference.id?, reference))).collect();
        if !far.is_empty() {
            let found = search(root, dir, &far, 0).map_err(Error::from_io)?;
            let user = |found: &Reference| User { pid: found.pid, program: found.program.clone(), how: found.how };
            users.extend(found.map(user));
        }
    }
    users.dedup_by(|a, b| a.pid == b.pid && a.how == b.how);
    if users.is_empty() && !all.complete {
        return Ok(Used::Unknown);
    }
    Ok(Used::By(users))
}

/// Who has a lease on a directory: a shared lock of it keeps others from having it alone.
fn lease(root: &Root, dir: &Handle) -> Option<User> {
    let calls = root.calls();
    match calls.try_lock(dir) {
        Ok(true) => {
            calls.unlock(dir);
            None
        }
        Ok(false) => {
            let stat = calls.stat(dir).ok();
            let holder = stat.and_then(|stat| sys::lock_holder(&stat));
            let (pid, program) = holder.unwrap_or((0, None));
            Some(User { pid, program, how: "lease" })
        }
        Err(_) => None,
    }
}

/// Looks for one of these objects in a directory and below, across no mount and no link.
fn search<'a>(
    root: &Root,
    dir: &Handle,
    far: &HashMap<ObjectId, &'a Reference>,
    depth: usize,
) -> std::io::Result<Option<&'a Reference>> {
    let calls = root.calls();
    let own = calls.stat(dir)?.id;
    if let Some(found) = far.get(&own) {
        return Ok(Some(found));
    }
    let mut found = None;
    let mut failed = None;
    calls.list(dir, &mut |listed| {
        let looked = || -> std::io::Result<Option<&'a Reference>> {
            if listed.kind.is_none_or(|kind| kind == FileKind::Dir) && depth < DEPTH_MAX {
                match calls.open_dir(dir, Path::new(listed.name), false, Access::Read) {
                    Ok(below) => return search(root, &below, far, depth + 1),
                    Err(source) if sys::fault(&source) == Fault::Denied => return Err(source),
                    Err(_) => {}
                }
            }
            match calls.stat_at(dir, listed.name) {
                Ok(stat) => Ok(far.get(&stat.id).copied()),
                Err(source) if sys::fault(&source) == Fault::Missing => Ok(None),
                Err(source) => Err(source),
            }
        };
        match looked() {
            Ok(None) => ControlFlow::Continue(()),
            Ok(reference) => {
                found = reference;
                ControlFlow::Break(())
            }
            Err(source) => {
                failed = Some(source);
                ControlFlow::Break(())
            }
        }
    })?;
    failed.map_or(Ok(found), Err)
}
