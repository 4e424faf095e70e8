//! The tree at one moment, by identity: which directory has what under which name.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::support::snapshot::{Node, Tree, tree};

/// Device and inode. It is one's own while a descriptor holds the object.
pub(crate) type Id = (u64, u64);

/// A directory, and a name in it.
pub(crate) type Slot = (Id, OsString);

#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) rows: BTreeMap<Slot, Id>,
    pub(crate) nodes: BTreeMap<Id, Node>,
    pub(crate) top: Id,
}

/// The kind bits of a mode.
const KIND: u32 = 0o170_000;

pub(crate) fn is_dir(node: &Node) -> bool {
    node.mode & KIND == 0o040_000
}

pub(crate) fn is_link(node: &Node) -> bool {
    node.text.is_some()
}

impl View {
    /// Looks at everything below a directory.
    pub(crate) fn of(ground: &Path) -> View {
        View::from_tree(&tree(ground))
    }

    fn from_tree(tree: &Tree) -> View {
        let top = tree[Path::new("")].id;
        let mut view = View { rows: BTreeMap::new(), nodes: BTreeMap::new(), top };
        for (path, node) in tree {
            view.nodes.insert(node.id, node.clone());
            if let (Some(parent), Some(name)) = (path.parent(), path.file_name())
                && let Some(parent) = tree.get(parent)
            {
                view.rows.insert((parent.id, name.to_owned()), node.id);
            }
        }
        view
    }

    pub(crate) fn get(&self, dir: Id, name: impl AsRef<OsStr>) -> Option<Id> {
        self.rows.get(&(dir, name.as_ref().to_owned())).copied()
    }

    /// The directory that a path of plain names leads to from another.
    pub(crate) fn walk(&self, from: Id, path: &str) -> Option<Id> {
        let names = path.split('/').filter(|name| !name.is_empty());
        names.into_iter().try_fold(from, |dir, name| self.get(dir, name))
    }

    pub(crate) fn node(&self, id: Id) -> Option<&Node> {
        self.nodes.get(&id)
    }

    pub(crate) fn text(&self, id: Id) -> Option<&OsStr> {
        self.node(id).and_then(|node| node.text.as_deref())
    }

    pub(crate) fn is_link(&self, id: Id) -> bool {
        self.node(id).is_some_and(is_link)
    }

    pub(crate) fn is_dir(&self, id: Id) -> bool {
        self.node(id).is_some_and(is_dir)
    }

    /// Where an object is named first.
    pub(crate) fn place(&self, object: Id) -> Option<&Slot> {
        self.rows.iter().find(|(_, id)| **id == object).map(|(slot, _)| slot)
    }

    /// Whether a directory is another or below it.
    pub(crate) fn is_below(&self, dir: Id, other: Id) -> bool {
        let mut at = dir;
        loop {
            if at == other {
                return true;
            }
            match self.place(at) {
                Some((above, _)) => at = *above,
                None => return false,
            }
        }
    }

    /// The path of an object from the top.
    pub(crate) fn path(&self, object: Id) -> Option<PathBuf> {
        if object == self.top {
            return Some(PathBuf::new());
        }
        let (above, name) = self.place(object)?;
        Some(self.path(*above)?.join(name))
    }

    /// The slots in which another view differs: what was there, and what is there now.
    pub(crate) fn differences(&self, later: &View) -> Vec<Changed> {
        let mut slots: Vec<&Slot> = self.rows.keys().chain(later.rows.keys()).collect();
        slots.sort();
        slots.dedup();
        let changed = |slot: &Slot| Changed {
            dir: slot.0,
            name: slot.1.clone(),
            before: self.rows.get(slot).copied(),
            after: later.rows.get(slot).copied(),
        };
        slots.into_iter().map(changed).filter(|changed| changed.before != changed.after).collect()
    }
}

/// A name that was given to another object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) dir: Id,
    pub(crate) name: OsString,
    pub(crate) before: Option<Id>,
    pub(crate) after: Option<Id>,
}
