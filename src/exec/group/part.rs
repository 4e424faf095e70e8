//! A part of a group: what is at two names before it is published, which is exchanged, and so at the other one after it.
//!
//! *Here* is the name that the part is about; *there* is a name in the group's staging directory, or another one below the
//! root: that of a backup, or the place that an object moves to. To publish a part and to take it back are the same
//! exchange, and whoever looks at both names sees which of the two was last. Pure.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Write as _;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::FileKind;
use crate::model::ObjectId;

/// What is at a name of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    /// A link with this text.
    Link(OsString),
    /// This very file or directory.
    Object { dir: bool, inode: u64 },
}

/// Where the other name of a part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum There {
    /// In the staging directory.
    Staged,
    /// Below the root, at this physical path; what is to be here was staged, or was there before.
    Named(PathBuf),
}

/// A part of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The number of the step that it belongs to.
    pub(crate) step: usize,
    /// The path as it was given, and its physical one; one allocation where they are the same.
    pub(crate) link: Arc<Path>,
    pub(crate) at: Arc<Path>,
    pub(crate) there: There,
    /// Its name in the staging directory.
    pub(crate) staged: StagedName,
    /// What is here before, and so *there* after.
    pub(crate) before: Option<Thing>,
    /// What is here after, and so *there* before.
    pub(crate) after: Option<Thing>,
    /// A link to a directory, where that is told apart.
    pub(crate) directory: bool,
}

/// The name of a part in the staging directory: its number. There are as many as there are parts, so that none is elsewhere
/// in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct StagedName {
    digits: [u8; DIGITS_MAX],
    count: u8,
}

/// The digits of the largest number.
const DIGITS_MAX: usize = 20;

impl From<usize> for StagedName {
    fn from(number: usize) -> StagedName {
        let mut digits = [0; DIGITS_MAX];
        let mut rest = &mut digits[..];
        write!(rest, "{number}").expect("BUG: a number has more digits");
        let count = DIGITS_MAX - rest.len();
        StagedName { digits, count: u8::try_from(count).expect("BUG: they are few") }
    }
}

impl Deref for StagedName {
    type Target = OsStr;

    fn deref(&self) -> &OsStr {
        OsStr::new(str::from_utf8(&self.digits[..usize::from(self.count)]).expect("BUG: they are digits"))
    }
}

impl fmt::Debug for StagedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// What was seen at a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Nothing,
    Link(OsString, ObjectId),
    Object(FileKind, ObjectId),
}

impl Seen {
    pub(crate) fn id(&self) -> Option<ObjectId> {
        match self {
            Seen::Nothing => None,
            Seen::Link(_, id) | Seen::Object(_, id) => Some(*id),
        }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        *self == Seen::Nothing
    }
}

/// Whether what was seen is what a part has there.
pub(crate) fn fits(thing: Option<&Thing>, seen: &Seen) -> bool {
    match (thing, seen) {
        (None, Seen::Nothing) => true,
        (Some(Thing::Link(text)), Seen::Link(found, _)) => text == found,
        (Some(Thing::Object { dir, inode }), Seen::Object(kind, id)) => {
            *dir == (*kind == FileKind::Dir) && *inode == id.inode
        }
        _ => false,
    }
}

/// How a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is not published.
    Old,
    /// It is published.
    New,
    /// Others changed it: before it was published, or after.
    Theirs { published: bool },
    /// It is published, and what it displaced is something else than was decided on.
    Foreign,
    /// There is nothing at either name, where one of them has nothing anyway: it was taken back, others removed it, or what
    /// was staged is lost.
    Gone,
}

impl Standing {
    /// Whether the part had been published, and nothing else than it was decided on was displaced; `None` where nothing
    /// tells.
    pub(crate) fn was_published(self) -> Option<bool> {
        match self {
            Standing::New | Standing::Theirs { published: true } => Some(true),
            Standing::Old | Standing::Theirs { published: false } | Standing::Foreign => Some(false),
            Standing::Gone => None,
        }
    }
}

impl Part {
    /// How it stands, by what is at both names.
    pub(crate) fn standing(&self, here: &Seen, there: &Seen) -> Standing {
        let (before, after) = (self.before.as_ref(), self.after.as_ref());
        // The link that was here may be in the staging directory already, and not at the name *there*.
        let left = fits(before, there) || (self.is_taken_from_there() && there.is_nothing());
        if fits(after, here) && left {
            return Standing::New;
        }
        if here.is_nothing() && there.is_nothing() && (before.is_none() || after.is_none()) {
            return Standing::Gone;
        }
        // What is to be published may still be in the staging directory and not at its name *there*, or be lost with it.
        let waits = fits(after, there) || there.is_nothing();
        if fits(before, here) && waits {
            return Standing::Old;
        }
        if fits(after, here) && !there.is_nothing() && !fits(after, there) {
            return Standing::Foreign;
        }
        let published = match before {
            Some(_) => left,
            None => there.is_nothing() && !self.is_brought_there(),
        };
        Standing::Theirs { published }
    }

    /// Whether its link is brought from the staging directory to the name *there* before it is exchanged.
    pub(crate) fn is_brought_there(&self) -> bool {
        matches!(self.there, There::Named(_)) && matches!(self.after, Some(Thing::Link(_)))
    }

    /// Whether a link that was here is taken to the staging directory from the name *there* after it was exchanged.
    pub(crate) fn is_taken_from_there(&self) -> bool {
        matches!(self.there, There::Named(_)) && matches!(self.before, Some(Thing::Link(_)))
    }

    /// Whether it makes a directory.
    pub(crate) fn makes_dir(&self) -> bool {
        self.there == There::Staged && matches!(self.after, Some(Thing::Object { .. }))
    }

    /// Whether it removes a directory.
    pub(crate) fn removes_dir(&self) -> bool {
        self.after.is_none() && matches!(self.before, Some(Thing::Object { .. }))
    }

    /// Whether files or directories of others are moved.
    pub(crate) fn moves_objects(&self) -> bool {
        matches!(self.there, There::Named(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staged_name_is_the_number() {
        for number in [0, 9, 10, 99_999, usize::MAX] {
            assert_eq!(*StagedName::from(number), *number.to_string());
        }
    }
}
