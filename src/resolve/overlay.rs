//! Links as they would be after edits that were not made yet.

use std::ffi::OsStr;
use std::path::Path;

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
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(links: &'a [(&'a Path, &'a OsStr)]) -> Overlay<'a> {
        Overlay { links, planned: None }
    }

    /// The same on what earlier edits leave.
    pub(crate) fn after(self, planned: Option<&'a Planned>) -> Overlay<'a> {
        Overlay { planned, ..self }
    }

    pub(super) fn at(&self, path: &Path) -> Option<Laid<'a>> {
        if let Some((_, text)) = self.links.iter().find(|(link, _)| *link == path) {
            return Some(Laid::Link(text));
        }
        self.planned?.get(path).map(|left| left.map_or(Laid::Nothing, Laid::Link))
    }

    /// Whether a link of the edit is below this directory.
    pub(super) fn is_above(&self, path: &Path) -> bool {
        self.links.iter().any(|(link, _)| link.starts_with(path) && *link != path)
    }

    /// Whether a path leads over anything of the overlay.
    pub(super) fn touches(&self, path: &Path) -> bool {
        self.links.iter().any(|(link, _)| path.starts_with(link))
            || self.planned.is_some_and(|planned| planned.is_on_the_way(path))
    }
}
