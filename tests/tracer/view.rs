//! The kernel's tree at one moment, by identity: which directory has what under which name.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use caplink::FileKind;

use crate::support::snapshot::{Node, tree};
use crate::support::view::{Actor, Changed, View};

/// Device and inode. It is one's own while a descriptor holds the object.
pub(crate) type Id = (u64, u64);

/// A directory, and a name in it.
pub(crate) type Slot = (Id, OsString);

/// What stays known of an object that is gone.
#[derive(Clone, Debug)]
struct Known {
    kind: FileKind,
    text: Option<OsString>,
    maker: Actor,
}

#[derive(Clone, Debug)]
pub(crate) struct KernelTree {
    pub(crate) rows: BTreeMap<Slot, Id>,
    pub(crate) nodes: BTreeMap<Id, Node>,
    pub(crate) top: Id,
    known: BTreeMap<Id, Known>,
}

fn kind(node: &Node) -> FileKind {
    match node.mode & 0o170_000 {
        0o040_000 => FileKind::Dir,
        0o120_000 => FileKind::Symlink,
        0o010_000 => FileKind::Fifo,
        _ => FileKind::File,
    }
}

impl KernelTree {
    /// Looks at everything below a directory, which others made.
    pub(crate) fn of(ground: &Path) -> KernelTree {
        let tree = tree(ground);
        let top = tree[Path::new("")].id;
        let mut view = KernelTree { rows: BTreeMap::new(), nodes: BTreeMap::new(), top, known: BTreeMap::new() };
        for (path, node) in &tree {
            view.nodes.insert(node.id, node.clone());
            if let (Some(parent), Some(name)) = (path.parent(), path.file_name())
                && let Some(parent) = tree.get(parent)
            {
                view.rows.insert((parent.id, name.to_owned()), node.id);
            }
        }
        view.learn(Actor::Others);
        view
    }

    fn learn(&mut self, maker: Actor) {
        for (id, node) in &self.nodes {
            let known = || Known { kind: kind(node), text: node.text.clone(), maker };
            self.known.entry(*id).or_insert_with(known);
        }
    }

    /// Becomes what is there now; what is new in it was made by this one.
    pub(crate) fn become_now(&mut self, now: KernelTree, maker: Actor) {
        let KernelTree { rows, nodes, .. } = now;
        (self.rows, self.nodes) = (rows, nodes);
        self.learn(maker);
    }

    /// Takes note of an object that others just made, which is not looked at yet.
    pub(crate) fn note(&mut self, made: Id, kind: FileKind, text: Option<&OsStr>) {
        let known = Known { kind, text: text.map(OsStr::to_owned), maker: Actor::Others };
        self.known.insert(made, known);
    }

    /// Gives a name to an object, or takes it away.
    pub(crate) fn set(&mut self, (dir, name): (Id, &OsStr), object: Option<Id>) -> Changed<Id> {
        let slot = (dir, name.to_owned());
        let before = match object {
            Some(object) => self.rows.insert(slot, object),
            None => self.rows.remove(&slot),
        };
        Changed { dir, name: name.into(), before, after: object }
    }

    /// What a path of plain names leads to from a directory.
    pub(crate) fn walk(&self, from: Id, path: &str) -> Option<Id> {
        let mut names = path.split('/').filter(|name| !name.is_empty());
        names.try_fold(from, |dir, name| self.get(dir, OsStr::new(name)))
    }

    pub(crate) fn node(&self, id: Id) -> Option<&Node> {
        self.nodes.get(&id)
    }

    /// Where an object is named first.
    pub(crate) fn place(&self, object: Id) -> Option<&Slot> {
        self.rows.iter().find(|(_, id)| **id == object).map(|(slot, _)| slot)
    }

    /// The path of an object from the top.
    pub(crate) fn path(&self, object: Id) -> Option<PathBuf> {
        if object == self.top {
            return Some(PathBuf::new());
        }
        let (above, name) = self.place(object)?;
        Some(self.path(*above)?.join(name))
    }

    /// The names at which a later tree differs: what was there, and what is there now.
    pub(crate) fn differences(&self, later: &KernelTree) -> Vec<Changed<Id>> {
        let mut slots: Vec<&Slot> = self.rows.keys().chain(later.rows.keys()).collect();
        slots.sort();
        slots.dedup();
        let changed = |slot: &Slot| Changed {
            dir: slot.0,
            name: slot.1.as_os_str().into(),
            before: self.rows.get(slot).copied(),
            after: later.rows.get(slot).copied(),
        };
        slots.into_iter().map(changed).filter(|changed| changed.before != changed.after).collect()
    }
}

impl View for KernelTree {
    type Id = Id;

    fn entries(&self, dir: Id) -> impl DoubleEndedIterator<Item = (&OsStr, Id)> {
        let from = (dir, OsString::new());
        let of_dir = self.rows.range(from..).take_while(move |((of, _), _)| *of == dir);
        of_dir.map(|((_, name), id)| (name.as_os_str(), *id)).collect::<Vec<_>>().into_iter()
    }

    fn get(&self, dir: Id, name: &OsStr) -> Option<Id> {
        self.rows.get(&(dir, name.to_owned())).copied()
    }

    fn directories(&self) -> impl Iterator<Item = Id> {
        self.nodes.iter().filter(|(_, node)| kind(node) == FileKind::Dir).map(|(id, _)| *id)
    }

    fn kind(&self, object: Id) -> FileKind {
        self.known.get(&object).map_or(FileKind::File, |known| known.kind)
    }

    fn text(&self, object: Id) -> Option<&OsStr> {
        self.known.get(&object).and_then(|known| known.text.as_deref())
    }

    fn maker(&self, object: Id) -> Actor {
        self.known.get(&object).map_or(Actor::Others, |known| known.maker)
    }

    /// The program and its attacker have one user here.
    fn owner(&self, _object: Id) -> u32 {
        rustix::process::geteuid().as_raw()
    }

    fn is_reachable(&self, object: Id) -> bool {
        self.place(object).is_some()
    }

    fn is_below(&self, dir: Id, above: Id) -> bool {
        let mut at = dir;
        while at != above {
            match self.place(at) {
                Some((next, _)) => at = *next,
                None => return false,
            }
        }
        true
    }

    fn has_sealed(&self) -> bool {
        false
    }
}
