//! What is to be looked at, within a bound. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a hint says of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hinted {
    /// A directory came or went.
    pub(super) dir_moved: bool,
    /// A directory has another mode or owner, perhaps.
    pub(super) dir_changed: bool,
    /// Something that is no directory came or went.
    pub(super) moved: bool,
}

impl Hinted {
    pub(super) fn add(&mut self, other: Hinted) {
        self.dir_moved |= other.dir_moved;
        self.dir_changed |= other.dir_changed;
        self.moved |= other.moved;
    }
}

/// What is to be looked at.
#[derive(Debug)]
pub(super) struct Todo {
    most: usize,
    /// Names of which hints came.
    names: BTreeMap<PathBuf, Hinted>,
    /// Directories that are to be looked at with all below them.
    trees: BTreeSet<PathBuf>,
    links: BTreeSet<Arc<Path>>,
    /// There was more than is kept: everything is to be looked at.
    pub(super) overflowed: bool,
}

impl Todo {
    pub(super) fn new(most: usize) -> Todo {
        Todo { most, names: BTreeMap::new(), trees: BTreeSet::new(), links: BTreeSet::new(), overflowed: false }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.trees.is_empty() && self.links.is_empty()
    }

    pub(super) fn name(&mut self, path: PathBuf, hinted: Hinted) {
        if self.names.len() >= self.most && !self.names.contains_key(&path) {
            self.overflowed = true;
            return;
        }
        self.names.entry(path).or_default().add(hinted);
    }

    pub(super) fn next_name(&mut self) -> Option<(PathBuf, Hinted)> {
        self.names.pop_first()
    }

    pub(super) fn tree(&mut self, dir: PathBuf) {
        if self.trees.len() >= self.most {
            self.overflowed = true;
        } else {
            self.trees.insert(dir);
        }
    }

    /// The next directory, without those that lie in it.
    pub(super) fn next_tree(&mut self) -> Option<PathBuf> {
        let dir = self.trees.pop_first()?;
        while self.trees.first().is_some_and(|next| next.starts_with(&dir)) {
            self.trees.pop_first();
        }
        Some(dir)
    }

    pub(super) fn link(&mut self, link: Arc<Path>) {
        if self.links.len() >= self.most {
            self.overflowed = true;
        } else {
            self.links.insert(link);
        }
    }

    pub(super) fn next_link(&mut self) -> Option<Arc<Path>> {
        self.links.pop_first()
    }

    /// What waits is covered by a look at everything that begins now.
    pub(super) fn clear(&mut self) {
        *self = Todo::new(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_is_kept_asks_for_a_look_at_everything() {
        let mut todo = Todo::new(2);
        for name in ["a", "b", "a"] {
            todo.name(name.into(), Hinted::default());
        }
        assert!(!todo.overflowed);
        todo.name("c".into(), Hinted::default());
        assert!(todo.overflowed);
        todo.clear();
        assert!(todo.is_empty() && !todo.overflowed);
    }

    #[test]
    fn a_directory_covers_those_in_it() {
        let mut todo = Todo::new(8);
        for dir in ["a/b", "a", "a!", "a/c/d"] {
            todo.tree(dir.into());
        }
        assert_eq!(todo.next_tree(), Some("a".into()));
        assert_eq!(todo.next_tree(), Some("a!".into()));
        assert_eq!(todo.next_tree(), None);
    }

    #[test]
    fn what_hints_say_of_a_name_adds_up() {
        let mut todo = Todo::new(8);
        todo.name("a".into(), Hinted { moved: true, ..Hinted::default() });
        todo.name("a".into(), Hinted { dir_moved: true, ..Hinted::default() });
        assert_eq!(todo.next_name(), Some(("a".into(), Hinted { moved: true, dir_moved: true, dir_changed: false })));
    }
}
