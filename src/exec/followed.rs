//! The preview of an edit whose directory is reached over links that the edits before it leave.
//!
//! The disk does not have these links yet, so the way is walked as they will be, and the edit is previewed where it ends. What
//! it comes to is told of the path that was given.

use std::path::{Path, PathBuf};

use crate::entry::no_directory_at;
use crate::error::{Error, FileKind, Kind, Result};
use crate::model::change::{Change, Exchange};
use crate::model::{Edit, LinkPath, Outcome};
use crate::resolve::{End, Overlay, Planned, WalkOptions, walk};
use crate::root::Root;

/// An edit where it is carried out, and what its paths are there.
pub(super) struct Followed {
    pub(super) edit: Edit,
    /// Each path as it is given, with the one that it leads to.
    paths: Vec<(LinkPath, LinkPath)>,
}

/// The edit where the links that are planned lead to; `None` where they lead to no other place than those on the disk.
pub(super) fn followed(root: &Root, edit: &Edit, planned: &Planned) -> Result<Option<Followed>> {
    // Where nothing is planned what the disk refuses is refused in its turn.
    if !root.policy().follow || planned.is_empty() {
        return Ok(None);
    }
    let mut paths = Vec::new();
    let mut there = |path: &LinkPath| -> Result<LinkPath> {
        let place = place(root, path, edit.change.parents(), planned);
        let Some(dir) = place.map_err(|error| error.on(edit.change.verb(), path))? else { return Ok(path.clone()) };
        let physical = LinkPath::new(dir.join(path.name()))?;
        paths.push((path.clone(), physical.clone()));
        Ok(physical)
    };
    let path = there(&edit.path)?;
    let change = match &edit.change {
        Change::Exchange(exchange) => Change::Exchange(Exchange { with: there(&exchange.with)?, ..exchange.clone() }),
        change => change.clone(),
    };
    Ok((!paths.is_empty()).then(|| Followed { edit: Edit { path, change, ..edit.clone() }, paths }))
}

/// The physical path of the link's directory, where what is planned decides it.
fn place(root: &Root, path: &LinkPath, parents: bool, planned: &Planned) -> Result<Option<PathBuf>> {
    let dir = path.parent();
    let cross = root.policy().cross_mounts;
    let walked = |dir: &Path, overlay: Overlay<'_>| {
        walk(root, Path::new(""), dir.as_os_str(), WalkOptions { cross, overlay, ..WalkOptions::default() })
    };
    let overlay = Overlay::default().after(Some(planned));
    let walk = walked(dir, overlay);
    if walk.links == 0 {
        return Ok(None);
    }
    match (walk.end, walked(dir, Overlay::default()).end) {
        (End::Reached(then), End::Reached(now)) if then.path == now.path => Ok(None),
        (End::Reached(then), _) if then.stat.kind == FileKind::Dir => Ok(Some(then.path)),
        (End::Reached(_), _) => Err(no_directory_at(dir)),
        (End::Stopped(stop), _) if stop.kind == Kind::NotFound && stop.index > 0 => {
            let there: PathBuf = dir.iter().take(stop.index).collect();
            match walked(&there, overlay).end {
                End::Reached(reached) if reached.stat.kind != FileKind::Dir => Err(no_directory_at(&there)),
                // What is missing behind the links is made.
                End::Reached(reached) if parents && stop.via.is_none() => {
                    Ok(Some(dir.iter().skip(stop.index).fold(reached.path, |path, name| path.join(name))))
                }
                _ => Err(stop.into_error()),
            }
        }
        (End::Stopped(stop), _) => Err(stop.into_error()),
    }
}

impl Followed {
    /// What the edit came to, told of the paths as they were given.
    pub(super) fn told(&self, came: Result<Outcome>) -> Result<Outcome> {
        let mut outcome = came.map_err(|error| self.told_of(error))?;
        outcome.for_each_mut(&mut |outcome| {
            if let Some((given, physical)) = self.paths.iter().find(|(_, physical)| *physical == outcome.link) {
                outcome.link = given.clone();
                outcome.physical.get_or_insert_with(|| physical.as_path().to_path_buf());
            }
        });
        Ok(outcome)
    }

    fn told_of(&self, error: Error) -> Error {
        let paths = self.paths.iter().find(|(_, physical)| error.link() == Some(physical.as_path()));
        match paths {
            Some((given, physical)) => error.given_at(physical.as_path(), given.as_path()),
            None => error,
        }
    }
}
