//! What a manifest declares, link by link.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use super::Pattern;
use crate::error::{FileKind, Kind, words};
use crate::model::{LinkPath, Target, TargetPath, relative_text};

words! {
    "policy":
    /// What to do about something that is there already and is not owned with the recorded text.
    #[derive(Default)]
    pub enum OnConflict {
        /// It is a conflict, and nothing is changed.
        #[default]
        Refuse = "refuse",
        /// Any link is replaced; a file or directory is a conflict.
        Replace = "replace",
        /// Any link is replaced; a file or directory is renamed beside.
        Backup = "backup",
        /// It is left alone.
        Skip = "skip",
    }
}

words! {
    "kind of a target":
    /// What a target has to be.
    #[derive(Default)]
    pub enum TargetKind {
        /// Anything.
        #[default]
        Any = "any",
        /// A regular file.
        File = "file",
        /// A directory.
        Dir = "dir",
    }
}

impl TargetKind {
    /// Returns whether a target of this kind will do.
    pub fn takes(self, found: FileKind) -> bool {
        match self {
            TargetKind::Any => true,
            TargetKind::File => found == FileKind::File,
            TargetKind::Dir => found == FileKind::Dir,
        }
    }
}

/// Where something stands in a manifest, counted from 1; columns in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// What people call an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// The name; none where it is the link's.
    pub name: Option<Arc<str>>,
    /// What it is for.
    pub comment: Option<Arc<str>>,
    /// By which it is chosen.
    pub tags: Option<Arc<[Box<str>]>>,
}

impl Label {
    /// Returns whether the entry is chosen: always without a choice, else if it has one of the tags.
    pub fn is_chosen(&self, tags: &[String]) -> bool {
        let has = |tag: &String| self.tags.iter().flat_map(|own| own.iter()).any(|own| **own == **tag);
        tags.is_empty() || tags.iter().any(has)
    }
}

/// A link that a manifest declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The link.
    pub link: LinkPath,
    /// Where it is to lead: a path below the root, or a text.
    pub target: Target,
    /// What the target has to be.
    pub kind: TargetKind,
    /// What the entry itself says about something in the way.
    pub on_conflict: Option<OnConflict>,
    /// Whether missing parent directories are made.
    pub parents: bool,
    /// Whether the target may be missing.
    pub allow_dangling: bool,
    /// Whether the text may lead outside.
    pub allow_outside: bool,
    /// What people call it.
    pub label: Label,
    /// Where it is declared.
    pub at: Position,
}

/// The longest text that a link can store on Linux, in bytes.
const TEXT_MAX: usize = 4095;

impl Declared {
    /// Returns the text that the link is to have in the physical directory `from`; `root` is the root's physical path.
    ///
    /// # Errors
    ///
    /// The kind: `unsupported` for an absolute text where the root's path is not known, `too_long`, those of a target.
    pub fn text(&self, from: &Path, root: Option<&Path>) -> Result<OsString, Kind> {
        let text = match self.target.spell(root).map_err(|error| error.kind())? {
            TargetPath::Verbatim(text) => text.to_os_string(),
            TargetPath::Relative(path) => relative_text(from, &path),
            // Joined with nothing it would end in a slash.
            TargetPath::Absolute(path) if path.as_os_str().is_empty() => root.ok_or(Kind::Unsupported)?.into(),
            TargetPath::Absolute(path) => root.ok_or(Kind::Unsupported)?.join(path).into_os_string(),
        };
        if text.len() > TEXT_MAX { Err(Kind::TooLong) } else { Ok(text) }
    }
}

/// A link that shall not be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwanted {
    /// The link.
    pub link: LinkPath,
    /// Which texts are meant; none: any.
    pub if_to: Option<Pattern>,
    /// What people call it.
    pub label: Label,
    /// Where it is declared.
    pub at: Position,
}
