//! What a Landlock domain refuses, on the memory: every change but those that links need below the root.
//!
//! As the kernel does it: a right counts in every directory that is below one of the domain's now, wherever it was
//! opened; an entry that is renamed or exchanged takes the right to remove one of its kind where it is and the right to
//! make one where it goes; looking is free, opening a directory for reading is not. A domain holds for the thread that
//! entered it, until it ends.

use std::cell::Cell;

use rustix::io::Errno;

use super::tree::{Object, Tree};
use crate::error::FileKind;
use crate::sys::Rights;

thread_local! {
    static ENTERED: Cell<Option<Rules>> = const { Cell::new(None) };
}

/// A domain that no thread is held to yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(super) root: Object,
    /// A state directory elsewhere.
    pub(super) state: Option<Object>,
    pub(super) grant: Rights,
}

impl Rules {
    /// Holds the calling thread to the rules.
    pub(crate) fn enter(self) {
        ENTERED.set(Some(self));
    }

    fn grants(self, tree: &Tree, (dir, right): Right) -> bool {
        let in_state = self.state.is_some_and(|state| tree.is_below(dir, state));
        match (tree.is_below(dir, self.root), in_state) {
            (true, _) => right.is_in(self.grant),
            (false, true) => right.is_in(self.grant.in_state()),
            (false, false) => false,
        }
    }
}

/// A right in a directory.
pub(super) type Right = (Object, To);

#[derive(Clone, Copy, Debug)]
pub(super) enum To {
    Make(FileKind),
    Remove(FileKind),
    Read,
}

impl To {
    fn is_in(self, grant: Rights) -> bool {
        match (self, grant) {
            (To::Read | To::Make(FileKind::Symlink), _) => true,
            (To::Remove(FileKind::Dir), grant) => matches!(grant, Rights::Directories | Rights::Backups),
            (To::Remove(_), _) => true,
            (To::Make(FileKind::Dir), grant) => grant != Rights::Links,
            (To::Make(FileKind::File), grant) => grant == Rights::Backups,
            (To::Make(_), _) => false,
        }
    }
}

/// `EACCES` where the calling thread is in a domain that lacks one of the rights.
pub(super) fn check<const N: usize>(tree: &Tree, rights: [Right; N]) -> Result<(), Errno> {
    match ENTERED.get() {
        Some(rules) if !rights.iter().all(|right| rules.grants(tree, *right)) => Err(Errno::ACCESS),
        _ => Ok(()),
    }
}
