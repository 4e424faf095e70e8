//! A tree that descriptors share, and who watches the calls on it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;

use super::tree::{Object, Tree};

/// The calls, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Call {
    OpenDir,
    Reach,
    ReachEntry,
    Pin,
    Stat,
    StatAt,
    ReadPinned,
    ReadLink,
    LinkRules,
    TryFollow,
    LeadsSomewhere,
    List,
    Symlink,
    MakeDir,
    RemoveDir,
    Exchange,
    RenameNew,
    RenameOver,
    HardLink,
    Unlink,
    TryLock,
    SyncDir,
    SyncFileSystem,
    Random,
}

/// Sees each call.
pub trait Watch: Send {
    /// Is asked before a call, and may change the tree. With an error the call is not made, and fails.
    fn before(&mut self, tree: &mut Tree, call: Call) -> Option<Errno>;
    /// Is asked after a call that was made. With an error it fails all the same, as one whose answer got lost does.
    fn late(&mut self, _call: Call) -> Option<Errno> {
        None
    }
    /// Is told after a call what the tree is like now.
    fn after(&mut self, tree: &mut Tree, call: Call, result: Result<(), Errno>);
    /// Is told everything that the executor learns, in this order: what each call answers, before it is told that the
    /// call was made, and what is looked up without one. What the executor does follows from nothing else.
    fn told(&mut self, _answer: &dyn fmt::Debug) {}
}

/// A file system in memory, shared with the descriptors in it.
#[derive(Clone)]
pub struct World(Arc<Mutex<Shared>>);

struct Shared {
    tree: Tree,
    watch: Option<Box<dyn Watch>>,
}

impl World {
    pub fn new(tree: Tree) -> World {
        World(Arc::new(Mutex::new(Shared { tree, watch: None })))
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        // The executor may have panicked in a watch; what the tree is like then is of interest.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the tree or changes it, between two calls.
    pub fn with<T>(&self, act: impl FnOnce(&mut Tree) -> T) -> T {
        act(&mut self.shared().tree)
    }

    /// Has every call watched from now on.
    pub fn watch(&self, watch: Box<dyn Watch>) {
        self.shared().watch = Some(watch);
    }

    /// Ends the watching.
    pub fn unwatch(&self) -> Option<Box<dyn Watch>> {
        self.shared().watch.take()
    }

    pub(super) fn call<T: fmt::Debug>(
        &self,
        call: Call,
        act: impl FnOnce(&mut Tree) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let Shared { tree, watch } = &mut *self.shared();
        let Some(watch) = watch else { return act(tree) };
        let result = match watch.before(tree, call) {
            Some(error) => Err(error),
            None => act(tree).and_then(|done| watch.late(call).map_or(Ok(done), Err)),
        };
        watch.told(&result);
        watch.after(tree, call, result.as_ref().map(drop).map_err(|error| *error));
        result
    }

    /// Tells the executor something that no call answers, and nothing can come before.
    pub(super) fn ask<T: fmt::Debug>(&self, look: impl FnOnce(&Tree) -> T) -> T {
        let Shared { tree, watch } = &mut *self.shared();
        let answer = look(tree);
        if let Some(watch) = watch {
            watch.told(&answer);
        }
        answer
    }

    pub(super) fn pinned(&self, tree: &mut Tree, object: Object, readable: bool) -> Pin {
        Pin { world: self.clone(), object, descriptor: tree.pin(object), readable }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

/// A descriptor in the memory: it holds the inode number of its object.
pub(crate) struct Pin {
    world: World,
    pub(super) object: Object,
    pub(super) descriptor: u64,
    pub(super) readable: bool,
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({}, {}, {})", self.object.0, self.descriptor, self.readable)
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.world.shared().tree.unpin(self.object, self.descriptor);
    }
}
