//! Makes missing parent directories, below the root and never through a link unless links are followed.

use std::path::{Path, PathBuf};

use crate::entry::open_dir;
use crate::error::{Error, Kind, Result};
use crate::root::Root;
use crate::sys::{self, Access, Fault, Handle};

/// Permissions of a new directory, less the process's mask.
const MODE: u32 = 0o777;

/// What would be made.
pub(super) struct Planned {
    /// The physical path of the link's directory once it is there.
    pub(super) physical: PathBuf,
    /// The directories that are missing, by their physical path.
    pub(super) missing: Vec<PathBuf>,
}

/// Finds the deepest directory that is there.
pub(super) fn plan(root: &Root, path: &Path) -> Result<Planned> {
    let (_, mut physical, rest) = deepest(root, path)?;
    let mut missing = Vec::new();
    for component in rest.components() {
        physical.push(component);
        missing.push(physical.clone());
    }
    Ok(Planned { physical, missing })
}

/// Makes what is missing; `made` lists what was made, also when a later one fails.
pub(super) fn make(root: &Root, path: &Path, made: &mut Vec<PathBuf>) -> Result<()> {
    let calls = root.calls();
    let (mut dir, mut physical, rest) = deepest(root, path)?;
    let depth = path.components().count() - rest.components().count();
    for (index, component) in rest.components().enumerate() {
        let name = component.as_os_str();
        let failed = |source| Error::from_io(source).because("a parent cannot be made").at(name, depth + index);
        physical.push(name);
        match calls.make_dir(&dir, name, MODE) {
            Ok(()) => made.push(physical.clone()),
            // Another made it meanwhile; if it is no directory the opening says so.
            Err(source) if sys::fault(&source) == Fault::Exists => {}
            Err(source) => return Err(failed(source)),
        }
        let opened = calls.open_dir(&dir, Path::new(name), root.policy().cross_mounts, Access::Search);
        dir = match opened {
            Ok(opened) => opened,
            Err(source) if sys::fault(&source) == Fault::Link => {
                return Err(Error::new(Kind::SymlinkInPath).at(name, depth + index));
            }
            Err(source) => return Err(failed(source)),
        };
    }
    Ok(())
}

/// The deepest directory of the path that is there, its physical path, and what is missing below it.
fn deepest(root: &Root, path: &Path) -> Result<(Handle, PathBuf, PathBuf)> {
    let mut present = path;
    let mut refused = None;
    loop {
        match open_dir(root, present, Access::Search) {
            Ok((dir, physical)) => {
                let rest = path.strip_prefix(present).expect("BUG: an ancestor is a prefix").to_path_buf();
                let first = rest.components().next().map(|c| c.as_os_str().to_os_string());
                return match first {
                    // Something that is no directory has the name, or a link that leads nowhere.
                    Some(name) if root.calls().stat_at(&dir, &name).is_ok() => {
                        Err(refused
                            .unwrap_or_else(|| Error::new(Kind::NotFound).at(name, present.components().count())))
                    }
                    _ => Ok((dir, physical, rest)),
                };
            }
            Err(error) if error.kind() == Kind::NotFound && !present.as_os_str().is_empty() => {
                refused = Some(error);
                present = present.parent().unwrap_or(Path::new(""));
            }
            Err(error) => return Err(error),
        }
    }
}
