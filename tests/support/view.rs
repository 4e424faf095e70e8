//! A directory tree at one moment: what the attacker, the ledger and the judge know of it.
//!
//! Two trees answer: the file system in memory, and the kernel's, looked at from outside while the program is stopped.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use caplink::FileKind;

pub(crate) type Name = Arc<OsStr>;

/// Who made an object or a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Actor {
    Executor,
    Others,
}

pub(crate) trait View {
    /// What tells an object from every other one that ever was.
    type Id: Copy + Debug + Eq + Hash;

    /// The entries of a directory; none of anything else.
    fn entries(&self, dir: Self::Id) -> impl DoubleEndedIterator<Item = (&OsStr, Self::Id)>;
    fn get(&self, dir: Self::Id, name: &OsStr) -> Option<Self::Id>;
    /// The directories that can be reached.
    fn directories(&self) -> impl Iterator<Item = Self::Id>;

    // These are known of an object that is gone as well.
    fn kind(&self, object: Self::Id) -> FileKind;
    fn text(&self, object: Self::Id) -> Option<&OsStr>;
    fn maker(&self, object: Self::Id) -> Actor;
    fn owner(&self, object: Self::Id) -> u32;

    /// Whether the object has a name.
    fn is_reachable(&self, object: Self::Id) -> bool;
    /// Whether a directory is another one or below it.
    fn is_below(&self, dir: Self::Id, above: Self::Id) -> bool;
    /// Whether there is a directory in which its owner, too, may do nothing.
    fn has_sealed(&self) -> bool;

    /// The directory at a path of plain names.
    fn directory(&self, from: Self::Id, path: &str) -> Option<Self::Id> {
        let mut names = path.split('/').filter(|name| !name.is_empty());
        let found = names.try_fold(from, |dir, name| self.get(dir, OsStr::new(name)))?;
        (self.kind(found) == FileKind::Dir).then_some(found)
    }

    fn is_link(&self, object: Self::Id) -> bool {
        self.kind(object) == FileKind::Symlink
    }
}

/// A name in a directory.
pub(crate) type Slot<'a, Id> = (Id, &'a OsStr);

/// What one call does to names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Make,
    Link,
    Unlink,
    RemoveDir,
    RenameNew,
    RenameOver,
    Exchange,
}

/// One change, of one or two names. The first one of a rename is the one that it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Change<Id> {
    pub(crate) actor: Actor,
    pub(crate) step: Step,
    pub(crate) names: Vec<Changed<Id>>,
}

/// A name, what had it and what has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed<Id> {
    pub(crate) dir: Id,
    pub(crate) name: Name,
    pub(crate) before: Option<Id>,
    pub(crate) after: Option<Id>,
}
