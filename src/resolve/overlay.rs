//! Links as they would be after edits that were not made yet.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::planned::Planned;

/// Links as they would be after edits, by their physical path.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Overlay<'a> {
    /// Those of the edit that is judged; their directories may have to be made.
    links: &'a [(&'a Path, &'a OsStr)],
    /// Those of edits before it.
    planned: Option<&'a Planned>,
}

/// What an overlay has at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Laid<'a> {
    Link(&'a OsStr),
    Nothing,
    /// A directory that is yet to be made, whatever the disk has there.
    Dir,
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(links: &'a [(&'a Path, &'a OsStr)]) -> Overlay<'a> {
        Overlay { links, planned: None }
    }

    /// The same on what earlier edits leave.
    pub(crate) fn after(self, planned: Option<&'a Planned>) -> Overlay<'a> {
        Overlay { planned, ..self }
    }

    /// Whether anything is laid anywhere.
    fn is_empty(&self) -> bool {
        self.links.is_empty() && self.planned.is_none()
    }

    /// Whether a link of the edit is below this directory, or an earlier edit creates it.
    pub(super) fn is_above(&self, path: &Path) -> bool {
        self.links.iter().any(|(link, _)| link.starts_with(path) && *link != path)
            || self.planned.is_some_and(|planned| planned.is_made(path))
    }

    /// Whether a path leads over anything of the overlay.
    pub(super) fn touches(&self, path: &Path) -> bool {
        self.links.iter().any(|(link, _)| path.starts_with(link))
            || self.planned.is_some_and(|planned| planned.is_on_the_way(path))
    }
}

/// Where a walk is: its physical path, and the same place among what is planned. A step costs as much as its name is long.
#[derive(Debug)]
pub(super) struct Position<'a> {
    overlay: Overlay<'a>,
    path: PathBuf,
    /// The node of the root and of each component; none from the first one on that nothing is planned at or below.
    nodes: Vec<Option<usize>>,
}

impl<'a> Position<'a> {
    pub(super) fn new(overlay: Overlay<'a>, path: &Path) -> Position<'a> {
        let mut position = Position { overlay, path: PathBuf::new(), nodes: Vec::new() };
        position.restart();
        if position.overlay.planned.is_some() {
            path.iter().for_each(|name| position.enter(name));
        } else {
            position.path.push(path);
        }
        position
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn into_path(self) -> PathBuf {
        self.path
    }

    /// Goes back to the root.
    pub(super) fn restart(&mut self) {
        self.path.clear();
        self.nodes.clear();
        self.nodes.push(self.overlay.planned.map(|_| Planned::top()));
    }

    pub(super) fn enter(&mut self, name: &OsStr) {
        if self.overlay.planned.is_some() {
            let node = self.node_of(name);
            self.nodes.push(node);
        }
        self.path.push(name);
    }

    /// Goes up; false at the root.
    pub(super) fn leave(&mut self) -> bool {
        if self.overlay.planned.is_some() && self.nodes.len() > 1 {
            self.nodes.pop();
        }
        self.path.pop()
    }

    /// Whether nothing of what the disk has at this path is left: an earlier edit removed a name on the way to it.
    pub(super) fn is_cleared(&self) -> bool {
        let planned = self.overlay.planned;
        planned.is_some_and(|planned| self.nodes.iter().flatten().any(|node| planned.is_cleared_at(*node)))
    }

    fn node_of(&self, name: &OsStr) -> Option<usize> {
        let above = self.nodes.last().copied().flatten()?;
        self.overlay.planned?.below(above, name)
    }

    /// What tells the directory here from others, if an earlier edit creates it.
    pub(super) fn made(&self) -> Option<u64> {
        let node = self.nodes.last().copied().flatten()?;
        self.overlay.planned?.is_made_at(node).then_some(node as u64)
    }

    /// What the overlay has under this name here.
    pub(super) fn laid(&self, name: &OsStr) -> Option<Laid<'a>> {
        if self.overlay.is_empty() {
            return None;
        }
        let is_here = |link: &Path| link.file_name() == Some(name) && link.parent().is_some_and(|dir| self.is_at(dir));
        if let Some((_, text)) = self.overlay.links.iter().find(|(link, _)| is_here(link)) {
            return Some(Laid::Link(text));
        }
        let (planned, node) = (self.overlay.planned?, self.node_of(name)?);
        if planned.is_replaced_by_dir(node) {
            return Some(Laid::Dir);
        }
        Some(planned.left(node)?.map_or(Laid::Nothing, Laid::Link))
    }

    /// Both are normal, so that their bytes tell.
    fn is_at(&self, dir: &Path) -> bool {
        if cfg!(windows) { dir == self.path } else { dir.as_os_str() == self.path.as_os_str() }
    }
}
