//! What a manifest declares, link by link.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;

use super::Pattern;
use crate::error::{FileKind, Kind, words};
use crate::model::{LinkPath, Target, TargetPath, is_relative_text, relative_text};

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

/// What people call an entry. Cloning is cheap; most entries have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label(Option<Arc<Words>>);

/// The words of an entry that has some.
#[derive(Debug, PartialEq, Eq)]
struct Words {
    name: Option<Box<str>>,
    comment: Option<Box<str>>,
    tags: Vec<Box<str>>,
}

impl Label {
    /// The label of these words.
    pub fn new<'t>(name: Option<&str>, comment: Option<&str>, tags: impl IntoIterator<Item = &'t str>) -> Label {
        let tags: Vec<Box<str>> = tags.into_iter().map(Into::into).collect();
        let is_empty = name.is_none() && comment.is_none() && tags.is_empty();
        let words = || Words { name: name.map(Into::into), comment: comment.map(Into::into), tags };
        Label((!is_empty).then(|| Arc::new(words())))
    }

    /// Returns the name; none where it is the link's.
    pub fn name(&self) -> Option<&str> {
        self.0.as_ref()?.name.as_deref()
    }

    /// Returns what the entry is for.
    pub fn comment(&self) -> Option<&str> {
        self.0.as_ref()?.comment.as_deref()
    }

    /// Returns the tags by which it is chosen.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|words| words.tags.iter().map(|tag| &**tag))
    }

    /// Returns whether the entry is chosen: always without a choice, else if it has one of the tags.
    pub fn is_chosen(&self, tags: &[String]) -> bool {
        tags.is_empty() || tags.iter().any(|tag| self.tags().any(|own| own == tag))
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
    /// A link with what a manifest says where it says nothing: missing directories are made, and the target has to be there
    /// and inside.
    pub fn new(link: LinkPath, target: Target) -> Declared {
        Declared {
            link,
            target,
            kind: TargetKind::Any,
            on_conflict: None,
            parents: true,
            allow_dangling: false,
            allow_outside: false,
            label: Label::default(),
            at: Position::default(),
        }
    }

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

    /// Whether this is the [text](Declared::text) that the link is to have. Nearly every link has it already, and then none
    /// is made to know that.
    pub(crate) fn is_text(&self, there: &OsStr, from: &Path, root: Option<&Path>) -> bool {
        match self.target.spell(root) {
            Err(_) => false,
            _ if there.len() > TEXT_MAX => false,
            Ok(TargetPath::Verbatim(text)) => text == there,
            Ok(TargetPath::Relative(path)) => is_relative_text(there, from, &path),
            Ok(TargetPath::Absolute(_)) => self.text(from, root).is_ok_and(|text| text == there),
        }
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
