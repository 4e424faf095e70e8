//! Makes missing parent directories, below the root and never through a link unless links are followed.

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::permission::may_add_in;
use super::read_back;
use super::sync::{leave_dir_to_batch, sync};
use crate::entry::open_dir;
use crate::error::{Error, Kind, Result};
use crate::model::{Durability, Edit, Policy};
use crate::resolve;
use crate::root::Root;
use crate::sys::{self, Access, Fault, Handle};

/// Permissions of a new directory, less the process's mask.
const MODE: u32 = 0o777;

/// How long the paths of what is made may be together, in bytes. Each is reported, so that a path which is given by others
/// could take memory by the square of its length.
const MADE_MAX: usize = 16 << 20;

/// What would be made.
pub(super) struct Planned {
    /// The physical path of the link's directory once it is there.
    pub(super) physical: PathBuf,
    /// The directories that are missing, by their physical path.
    pub(super) missing: Vec<PathBuf>,
    /// The deepest directory that is there.
    deepest: Handle,
}

impl Planned {
    /// Whether the first of them may be made on the way of `path`, as far as that is to be known without making it.
    pub(super) fn may_be_made(&self, root: &Root, path: &Path) -> Result<()> {
        let depth = path.components().count() - self.missing.len();
        let first = path.components().nth(depth).map(Component::as_os_str).unwrap_or_default();
        may_add_in(root, &self.deepest).map_err(|source| not_made(source, first, depth))
    }
}

fn not_made(source: io::Error, name: &OsStr, index: usize) -> Error {
    Error::from_io(source).because("a parent cannot be made").at(name, index)
}

/// Refuses a parent that earlier edits of a preview leave otherwise than the disk has it: missing, or a link. Those that are
/// followed were followed before.
pub(super) fn are_left(planned: &resolve::Planned, policy: Policy, parents: &Path) -> Result<()> {
    let Some((index, left)) = planned.left_on_the_way(parents) else { return Ok(()) };
    let name = parents.iter().nth(index).unwrap_or_default();
    match left {
        Some(_) if policy.follow => Ok(()),
        Some(text) => Err(Error::new(Kind::SymlinkInPath).at(name, index).via(text)),
        None => {
            let missing = io::Error::from(io::ErrorKind::NotFound);
            Err(Error::from_io(missing).because("a parent is missing").at(name, index))
        }
    }
}

/// Finds the deepest directory that is there, after the edits of a preview so far.
pub(super) fn plan(root: &Root, path: &Path, planned: Option<&resolve::Planned>) -> Result<Planned> {
    let (deepest, mut physical, rest) = deepest(root, path, planned)?;
    let mut missing = Vec::new();
    for component in rest.components() {
        physical.push(component);
        missing.push(physical.clone());
    }
    Ok(Planned { physical, missing, deepest })
}

/// Makes what is missing for the link of an edit; `made` lists what was made, also when a later one fails. Each directory in
/// which one was made is synced as the edit or its batch wants it; `unsynced` says why one could not be.
pub(super) fn make(root: &Root, edit: &Edit, made: &mut Vec<PathBuf>, unsynced: &mut Option<Error>) -> Result<()> {
    let (path, calls) = (edit.path.parent(), root.calls());
    let (dir, mut physical, rest) = deepest(root, path, None)?;
    let mut dir = Arc::new(dir);
    let before = made.len();
    let depth = path.components().count() - rest.components().count();
    for (index, component) in rest.components().enumerate() {
        let name = component.as_os_str();
        let failed = |source| not_made(source, name, depth + index);
        physical.push(name);
        let open = || calls.open_dir(&dir, Path::new(name), root.policy().cross_mounts, Access::Search);
        let opened = match calls.make_dir(&dir, name, MODE) {
            Ok(()) => {
                made.push(physical.clone());
                open()
            }
            // Another made it meanwhile; if it is no directory the opening says so.
            Err(source) if sys::fault(&source) == Fault::Exists => open(),
            Err(source) if read_back::may_be_done(&source) => {
                let opened = open().map_err(|_| failed(source))?;
                made.push(physical.clone());
                Ok(opened)
            }
            Err(source) => return Err(failed(source)),
        };
        if made.len() > before && made.last() == Some(&physical) {
            if edit.durability == Durability::Dir {
                *unsynced = unsynced.take().or(sync(root, &dir, Durability::Dir).err());
            }
            leave_dir_to_batch(root, &edit.path, &dir);
        }
        dir = match opened {
            Ok(opened) => Arc::new(opened),
            Err(source) if sys::fault(&source) == Fault::Link => {
                return Err(Error::new(Kind::SymlinkInPath).at(name, depth + index));
            }
            Err(source) => return Err(failed(source)),
        };
    }
    Ok(())
}

/// The deepest directory of the path that is there, its physical path, and what is missing below it.
fn deepest(root: &Root, path: &Path, planned: Option<&resolve::Planned>) -> Result<(Handle, PathBuf, PathBuf)> {
    let calls = root.calls();
    let (mut dir, _) = open_dir(root, Path::new(""), Access::Search)?;
    let mut physical = PathBuf::new();
    let mut present = PathBuf::new();
    for (index, component) in path.components().enumerate() {
        let name = Path::new(component.as_os_str());
        present.push(name);
        let opened = match planned.is_some_and(|planned| planned.is_cleared(&physical.join(name))) {
            true => Err(io::ErrorKind::NotFound.into()),
            false => calls.open_dir(&dir, name, root.policy().cross_mounts, Access::Search),
        };
        match opened {
            Ok(next) => {
                dir = next;
                physical.push(name);
            }
            Err(source) if sys::fault(&source) == Fault::Missing => {
                present.pop();
                let rest = path.strip_prefix(&present).expect("BUG: what was walked is a prefix");
                let grow = |length: &mut usize, name: &OsStr| {
                    *length += name.len() + 1;
                    Some(*length)
                };
                if rest.iter().scan(physical.as_os_str().len(), grow).sum::<usize>() > MADE_MAX {
                    let reason = "so many directories are missing that their paths are longer than 16 MiB together";
                    return Err(Error::new(Kind::TooLong).because(reason).at(name, index));
                }
                return Ok((dir, physical, rest.to_path_buf()));
            }
            Err(source) if !matches!(sys::fault(&source), Fault::Link | Fault::NotDirectory | Fault::Crossing) => {
                return Err(Error::from_io(source).at(name, index));
            }
            // A link that may be followed, or a refusal that is to be named.
            Err(_) => {
                let (opened, followed) = open_dir(root, &present, Access::Search)?;
                dir = opened;
                physical = followed.unwrap_or_else(|| present.clone());
            }
        }
    }
    Ok((dir, physical, PathBuf::new()))
}
