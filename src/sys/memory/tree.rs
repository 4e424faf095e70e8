//! The objects, their inode numbers, and lookups with the permissions of a user.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;

use super::change::Change;
use crate::error::FileKind;
use crate::model::ObjectId;
use crate::sys::Stat;

/// How many links a lookup follows.
const HOPS_MAX: usize = 40;

pub type Name = Arc<OsStr>;

/// An object. Unlike its inode number this is never given to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Object(pub(super) u32);

/// Who made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    Executor,
    Other,
}

/// Who asks, with the permissions of which user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    pub actor: Actor,
    pub uid: u32,
}

#[derive(Clone, Debug, Hash)]
pub struct Node {
    pub kind: FileKind,
    pub uid: u32,
    pub mode: u32,
    pub inode: u64,
    pub device: u64,
    /// Names, for what is no directory; 1 for a directory that has its name, 0 once it is removed.
    pub links: u32,
    /// Open descriptors.
    pub pins: u32,
    pub maker: Actor,
    pub body: Body,
    pub(super) lock: Option<u64>,
}

#[derive(Clone, Debug, Hash)]
pub enum Body {
    Dir { entries: Vec<(Name, Object)>, parent: Object },
    Link(Name),
    Other,
}

/// A file system.
#[derive(Clone, Debug, Hash)]
pub struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) free: Vec<u64>,
    pub(super) next_inode: u64,
    pub(super) log: Vec<Change>,
    /// The directories as they were when the log began, by object.
    pub(super) first: Arc<Vec<Vec<(Name, Object)>>>,
    pub(super) descriptors: usize,
    pub(super) next_descriptor: u64,
    pub(super) drawn: u128,
    pub(super) clock: Duration,
    pub(super) umask: u32,
    /// Who owns what is made, where a server maps users.
    pub(super) owner: Option<u32>,
}

impl Tree {
    pub const ROOT: Object = Object(0);

    pub fn new() -> Tree {
        let root = Node {
            kind: FileKind::Dir,
            uid: 0,
            mode: 0o755,
            inode: 2,
            device: 1,
            links: 1,
            pins: 0,
            maker: Actor::Other,
            body: Body::Dir { entries: Vec::new(), parent: Object(0) },
            lock: None,
        };
        Tree {
            nodes: vec![root],
            free: Vec::new(),
            next_inode: 11,
            log: Vec::new(),
            first: Arc::default(),
            descriptors: 0,
            next_descriptor: 1,
            drawn: 0,
            clock: Duration::ZERO,
            umask: 0o022,
            owner: None,
        }
    }

    pub fn node(&self, of: Object) -> &Node {
        &self.nodes[of.0 as usize]
    }

    pub(super) fn node_mut(&mut self, of: Object) -> &mut Node {
        &mut self.nodes[of.0 as usize]
    }

    pub fn objects(&self) -> impl Iterator<Item = Object> + use<> {
        (0..u32::try_from(self.nodes.len()).expect("BUG: too many objects")).map(Object)
    }

    /// Open descriptors of the executor.
    pub fn descriptors(&self) -> usize {
        self.descriptors
    }

    /// The changes since the tree was set up.
    pub fn log(&self) -> &[Change] {
        &self.log
    }

    /// Lets time go by.
    #[cfg(test)]
    pub(crate) fn pass(&mut self, time: Duration) {
        self.clock += time;
    }

    /// How long the executor has slept.
    pub fn clock(&self) -> Duration {
        self.clock
    }

    pub fn entries(&self, dir: Object) -> &[(Name, Object)] {
        match &self.node(dir).body {
            Body::Dir { entries, .. } => entries,
            _ => &[],
        }
    }

    /// What has a name, whoever asks.
    pub fn get(&self, dir: Object, name: &OsStr) -> Option<Object> {
        self.entries(dir).iter().find(|(other, _)| **other == *name).map(|(_, object)| *object)
    }

    pub fn text(&self, link: Object) -> Option<&OsStr> {
        match &self.node(link).body {
            Body::Link(text) => Some(text),
            _ => None,
        }
    }

    /// The directory at a path of real directories below `from`, whoever asks.
    pub fn dir(&self, from: Object, path: &str) -> Option<Object> {
        let found = path
            .split('/')
            .filter(|name| !name.is_empty())
            .try_fold(from, |dir, name| self.get(dir, OsStr::new(name)))?;
        (self.node(found).kind == FileKind::Dir).then_some(found)
    }

    pub(super) fn parent(&self, dir: Object) -> Object {
        match self.node(dir).body {
            Body::Dir { parent, .. } => parent,
            _ => dir,
        }
    }

    /// Whether `dir` is `above` or below it.
    pub fn is_below(&self, dir: Object, above: Object) -> bool {
        let mut at = dir;
        loop {
            if at == above {
                return true;
            }
            let parent = self.parent(at);
            if parent == at || self.node(at).links == 0 {
                return false;
            }
            at = parent;
        }
    }

    pub(super) fn stat(&self, of: Object) -> Stat {
        let node = self.node(of);
        let below = self.entries(of).iter().filter(|(_, object)| self.node(*object).kind == FileKind::Dir).count();
        let links = match node.kind {
            FileKind::Dir if node.links > 0 => 2 + below as u64,
            _ => u64::from(node.links),
        };
        Stat {
            id: ObjectId { device: node.device, inode: node.inode },
            kind: node.kind,
            mode: node.mode,
            uid: node.uid,
            gid: node.uid,
            links,
            size: 0,
            changed: 0,
        }
    }

    /// Whether `who` has the permission bits (`4` read, `2` write, `1` search) on an object.
    pub fn may(&self, who: Subject, on: Object, bits: u32) -> bool {
        let node = self.node(on);
        let has = if who.uid == node.uid { node.mode >> 6 } else { node.mode };
        who.uid == 0 || has & bits == bits
    }

    /// Looks a name up, as `who` may.
    pub fn lookup(&self, who: Subject, dir: Object, name: &OsStr) -> Result<Object, Errno> {
        if self.node(dir).kind != FileKind::Dir {
            return Err(Errno::NOTDIR);
        }
        if !self.may(who, dir, 1) {
            return Err(Errno::ACCESS);
        }
        if name.len() > 255 {
            return Err(Errno::NAMETOOLONG);
        }
        self.get(dir, name).ok_or(Errno::NOENT)
    }

    /// Walks normal components without following a link.
    pub(super) fn walk(&self, who: Subject, base: Object, path: &Path, cross: bool) -> Result<Object, Errno> {
        let mut at = base;
        for name in path {
            if self.node(at).kind == FileKind::Symlink {
                return Err(Errno::LOOP);
            }
            at = self.lookup(who, at, name)?;
            if !cross && self.node(at).device != self.node(base).device {
                return Err(Errno::XDEV);
            }
        }
        Ok(at)
    }

    /// Walks as the kernel does, following every link.
    pub(super) fn follow(&self, who: Subject, from: Object, text: &OsStr) -> Result<Object, Errno> {
        let mut at = from;
        let mut hops = 0;
        let mut rest: Vec<OsString> = Path::new(text).components().rev().map(|c| c.as_os_str().into()).collect();
        while let Some(name) = rest.pop() {
            match Path::new(&name).components().next() {
                Some(Component::RootDir) => at = Tree::ROOT,
                Some(Component::ParentDir) => at = self.parent(at),
                Some(Component::Normal(name)) => {
                    let found = self.lookup(who, at, name)?;
                    let Some(text) = self.text(found) else {
                        at = found;
                        continue;
                    };
                    hops += 1;
                    if hops > HOPS_MAX {
                        return Err(Errno::LOOP);
                    }
                    rest.extend(Path::new(text).components().rev().map(|c| OsString::from(c.as_os_str())));
                }
                _ => {}
            }
        }
        Ok(at)
    }

    pub(super) fn pin(&mut self, object: Object) -> u64 {
        self.node_mut(object).pins += 1;
        self.descriptors += 1;
        self.next_descriptor += 1;
        self.next_descriptor
    }

    pub(super) fn unpin(&mut self, object: Object, descriptor: u64) {
        self.descriptors -= 1;
        let node = self.node_mut(object);
        node.pins -= 1;
        self.unlock(object, descriptor);
        self.release(object);
    }

    pub(super) fn unlock(&mut self, object: Object, descriptor: u64) {
        let node = self.node_mut(object);
        if node.lock == Some(descriptor) {
            node.lock = None;
        }
    }

    /// Gives the inode number away once neither a name nor a descriptor holds it.
    pub(super) fn release(&mut self, object: Object) {
        let node = self.node(object);
        if node.links == 0 && node.pins == 0 {
            self.free.push(node.inode);
        }
    }

    pub(super) fn allocate(&mut self, who: Subject, kind: FileKind, mode: u32, device: u64, body: Body) -> Object {
        let inode = self.free.pop().unwrap_or_else(|| {
            self.next_inode += 1;
            self.next_inode
        });
        let object = Object(u32::try_from(self.nodes.len()).expect("BUG: too many objects"));
        let (uid, maker) = (self.owner.unwrap_or(who.uid), who.actor);
        self.nodes.push(Node { kind, uid, mode, inode, device, links: 1, pins: 0, maker, body, lock: None });
        object
    }

    /// Takes the lock of a directory for a stranger, who needs to be able to open it.
    pub fn lock_as_stranger(&mut self, who: Subject, dir: Object) -> bool {
        let free = self.may(who, dir, 4) && self.node(dir).lock.is_none();
        if free {
            self.node_mut(dir).lock = Some(0);
        }
        free
    }

    /// Gives the stranger's lock back.
    pub fn unlock_as_stranger(&mut self, dir: Object) -> bool {
        let held = self.node(dir).lock == Some(0);
        if held {
            self.node_mut(dir).lock = None;
        }
        held
    }

    /// How many directories are locked, and by strangers, and the sum of all modes: what changes without a record.
    pub fn locks(&self) -> (usize, usize, u32) {
        let locks = self.nodes.iter().filter_map(|node| node.lock);
        (locks.clone().count(), locks.filter(|holder| *holder == 0).count(), self.nodes.iter().map(|n| n.mode).sum())
    }

    /// Changes the permission bits, as the owner may.
    pub fn set_mode(&mut self, who: Subject, of: Object, mode: u32) -> Result<(), Errno> {
        let node = self.node_mut(of);
        if who.uid != 0 && who.uid != node.uid {
            return Err(Errno::PERM);
        }
        node.mode = mode;
        Ok(())
    }

    /// Gives what is made from now on to a user, whoever makes it, as a server does that maps users.
    pub fn map_owners(&mut self, to: u32) {
        self.owner = Some(to);
    }

    /// Gives an object to a user, and a directory a device of its own; for setting up.
    pub fn set_up(&mut self, of: Object, uid: u32, mode: u32, device: u64) {
        let node = self.node_mut(of);
        (node.uid, node.mode, node.device) = (uid, mode, device);
    }
}

impl Default for Tree {
    fn default() -> Tree {
        Tree::new()
    }
}
