//! The calls, on the memory.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;

use super::confine::{Rules, To, check};
use super::tree::{Actor, Object, Subject, Tree};
use super::world::{Call, World};
use crate::error::FileKind;
use crate::sys::{Abilities, Access, Calls, Domain, Handle, LinkRules, Listed, Rights, Stat};

#[derive(Debug)]
pub(crate) struct Memory {
    world: World,
    who: Subject,
    abilities: Abilities,
}

impl Memory {
    /// The calls of user `uid` in this world, and a handle to the directory at `path`.
    pub(crate) fn open(world: &World, path: &str, uid: u32, abilities: Abilities) -> io::Result<(Handle, Arc<Memory>)> {
        let handle = world.with(|tree| {
            let dir = tree.dir(Tree::ROOT, path).ok_or(Errno::NOENT)?;
            Ok::<_, Errno>(Handle::from(world.pinned(tree, dir, false)))
        })?;
        let who = Subject { actor: Actor::Executor, uid };
        Ok((handle, Arc::new(Memory { world: world.clone(), who, abilities })))
    }

    fn call<T: fmt::Debug>(&self, call: Call, act: impl FnOnce(&mut Tree) -> Result<T, Errno>) -> io::Result<T> {
        self.world.call(call, act).map_err(|error| match error {
            // As for the kernel's calls: the flag is unknown to the file system.
            Errno::INVAL if matches!(call, Call::Exchange | Call::RenameNew) => io::ErrorKind::Unsupported.into(),
            error => error.into(),
        })
    }

    fn open_as(
        &self,
        call: Call,
        (base, path, cross): (&Handle, &Path, bool),
        fits: impl FnOnce(&Tree, Object) -> Result<(), Errno>,
        readable: bool,
    ) -> io::Result<Handle> {
        self.call(call, |tree| {
            let found = tree.walk(self.who, base.pin().object, path, cross)?;
            fits(tree, found)?;
            Ok(self.world.pinned(tree, found, readable).into())
        })
    }

    /// What is at both names of a renaming may leave them, and be made at the other one.
    fn may_exchange(tree: &Tree, a: Place<'_>, b: Place<'_>) -> Result<(), Errno> {
        let kind = |at: Place<'_>| tree.get(at.0, at.1).map(|object| tree.node(object).kind);
        match (kind(a), kind(b)) {
            (Some(one), Some(two)) => check(
                tree,
                [(a.0, To::Remove(one)), (a.0, To::Make(two)), (b.0, To::Remove(two)), (b.0, To::Make(one))],
            ),
            _ => Ok(()),
        }
    }

    /// What is under the name may be moved; what it replaces may be removed.
    fn may_move(tree: &Tree, from: Place<'_>, to: Place<'_>) -> Result<(), Errno> {
        let kind = |at: Place<'_>| tree.get(at.0, at.1).map(|object| tree.node(object).kind);
        let Some(moved) = kind(from) else { return Ok(()) };
        check(tree, [(from.0, To::Remove(moved)), (to.0, To::Make(moved))])?;
        kind(to).map_or(Ok(()), |replaced| check(tree, [(to.0, To::Remove(replaced))]))
    }

    /// A free name may be given to something of this kind; that it is taken is told first.
    fn may_make(tree: &Tree, at: Place<'_>, kind: FileKind) -> Result<(), Errno> {
        if tree.get(at.0, at.1).is_some() { Ok(()) } else { check(tree, [(at.0, To::Make(kind))]) }
    }

    fn may_remove(tree: &Tree, at: Place<'_>, kind: FileKind) -> Result<(), Errno> {
        if tree.get(at.0, at.1).is_none() { Ok(()) } else { check(tree, [(at.0, To::Remove(kind))]) }
    }

    fn able(&self, ability: bool) -> Result<(), Errno> {
        if ability { Ok(()) } else { Err(Errno::NOSYS) }
    }
}

type Place<'a> = (Object, &'a OsStr);

fn place<'a>((dir, name): (&Handle, &'a OsStr)) -> Place<'a> {
    (dir.pin().object, name)
}

fn readable(dir: &Handle) -> Result<Object, Errno> {
    let pin = dir.pin();
    if pin.readable { Ok(pin.object) } else { Err(Errno::BADF) }
}

impl Calls for Memory {
    fn abilities(&self, _dir: &Handle) -> Abilities {
        self.abilities
    }

    fn narrowed(&self, to: Abilities) -> Arc<dyn Calls> {
        Arc::new(Memory { world: self.world.clone(), who: self.who, abilities: self.abilities.narrow(to) })
    }

    fn open_dir(&self, base: &Handle, path: &Path, cross: bool, access: Access) -> io::Result<Handle> {
        let read = access == Access::Read;
        let fits = |tree: &Tree, found| match tree.node(found).kind {
            FileKind::Dir if read && !tree.may(self.who, found, 4) => Err(Errno::ACCESS),
            FileKind::Dir if read => check(tree, [(found, To::Read)]),
            FileKind::Dir => Ok(()),
            FileKind::Symlink => Err(Errno::LOOP),
            _ => Err(Errno::NOTDIR),
        };
        self.open_as(Call::OpenDir, (base, path, cross), fits, read)
    }

    fn reach(&self, base: &Handle, path: &Path, directory: bool, cross: bool) -> io::Result<Handle> {
        let fits = |tree: &Tree, found| match tree.node(found).kind {
            FileKind::Symlink => Err(Errno::LOOP),
            kind if directory && kind != FileKind::Dir => Err(Errno::NOTDIR),
            _ => Ok(()),
        };
        self.open_as(Call::Reach, (base, path, cross), fits, false)
    }

    fn reach_entry(&self, base: &Handle, path: &Path, cross: bool) -> io::Result<Handle> {
        self.open_as(Call::ReachEntry, (base, path, cross), |_, _| Ok(()), false)
    }

    fn pin(&self, parent: &Handle, name: &OsStr) -> io::Result<Handle> {
        self.call(Call::Pin, |tree| {
            let found = tree.lookup(self.who, parent.pin().object, name)?;
            Ok(self.world.pinned(tree, found, false).into())
        })
    }

    fn stat(&self, handle: &Handle) -> io::Result<Stat> {
        self.call(Call::Stat, |tree| Ok(tree.stat(handle.pin().object)))
    }

    fn stat_at(&self, parent: &Handle, name: &OsStr) -> io::Result<Stat> {
        self.call(Call::StatAt, |tree| Ok(tree.stat(tree.lookup(self.who, parent.pin().object, name)?)))
    }

    fn stat_end(&self, parent: &Handle, name: &OsStr, cross: bool) -> io::Result<Option<Stat>> {
        self.call(Call::StatAt, |tree| {
            let (dir, found) = (parent.pin().object, tree.lookup(self.who, parent.pin().object, name)?);
            let is_end = cross || tree.node(found).device == tree.node(dir).device;
            Ok((is_end && tree.node(found).kind != FileKind::Symlink).then(|| tree.stat(found)))
        })
    }

    fn read_pinned(&self, link: &Handle) -> io::Result<OsString> {
        self.call(Call::ReadPinned, |tree| Ok(tree.text(link.pin().object).ok_or(Errno::NOENT)?.to_os_string()))
    }

    fn read_link(&self, parent: &Handle, name: &OsStr) -> io::Result<Option<OsString>> {
        self.call(Call::ReadLink, |tree| {
            let found = tree.lookup(self.who, parent.pin().object, name)?;
            Ok(tree.text(found).map(OsStr::to_os_string))
        })
    }

    fn link_rules(&self, _link: &Handle) -> io::Result<LinkRules> {
        self.call(Call::LinkRules, |_| Ok(LinkRules::default()))
    }

    fn try_follow(&self, parent: &Handle, name: &OsStr) -> io::Result<()> {
        self.call(Call::TryFollow, |tree| tree.follow(self.who, parent.pin().object, name).map(drop))
    }

    fn leads_somewhere(&self, parent: &Handle, text: &OsStr) -> io::Result<bool> {
        self.call(Call::LeadsSomewhere, |tree| match tree.follow(self.who, parent.pin().object, text) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG) => Ok(false),
            Err(error) => Err(error),
        })
    }

    fn list(&self, dir: &Handle, visit: &mut dyn FnMut(Listed<'_>) -> ControlFlow<()>) -> io::Result<()> {
        let listed = self.call(Call::List, |tree| {
            let entries = tree.entries(readable(dir)?);
            Ok(entries.iter().map(|(name, object)| (name.clone(), tree.stat(*object))).collect::<Vec<_>>())
        })?;
        for (name, stat) in listed {
            if visit(Listed { name: &name, kind: Some(stat.kind) }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn symlink(&self, text: &OsStr, parent: &Handle, name: &OsStr, _directory: bool) -> io::Result<()> {
        self.call(Call::Symlink, |tree| {
            Memory::may_make(tree, place((parent, name)), FileKind::Symlink)?;
            tree.symlink(self.who, text, parent.pin().object, name).map(drop)
        })
    }

    fn make_dir(&self, parent: &Handle, name: &OsStr, mode: u32) -> io::Result<()> {
        self.call(Call::MakeDir, |tree| {
            Memory::may_make(tree, place((parent, name)), FileKind::Dir)?;
            tree.make_dir(self.who, place((parent, name)), mode).map(drop)
        })
    }

    fn remove_dir(&self, parent: &Handle, name: &OsStr) -> io::Result<()> {
        self.call(Call::RemoveDir, |tree| {
            Memory::may_remove(tree, place((parent, name)), FileKind::Dir)?;
            tree.remove_dir(self.who, parent.pin().object, name)
        })
    }

    fn exchange(&self, a: (&Handle, &OsStr), b: (&Handle, &OsStr)) -> io::Result<()> {
        self.call(Call::Exchange, |tree| {
            self.able(self.abilities.exchange)?;
            Memory::may_exchange(tree, place(a), place(b))?;
            tree.exchange(self.who, place(a), place(b))
        })
    }

    fn rename_new(&self, from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> io::Result<()> {
        self.call(Call::RenameNew, |tree| {
            self.able(self.abilities.no_replace)?;
            if tree.get(to.0.pin().object, to.1).is_none() {
                Memory::may_move(tree, place(from), place(to))?;
            }
            tree.rename_new(self.who, place(from), place(to))
        })
    }

    fn rename_over(&self, from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> io::Result<()> {
        self.call(Call::RenameOver, |tree| {
            Memory::may_move(tree, place(from), place(to))?;
            tree.rename_over(self.who, place(from), place(to))
        })
    }

    fn hard_link(&self, from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> io::Result<()> {
        self.call(Call::HardLink, |tree| {
            if let Some(object) = tree.get(from.0.pin().object, from.1) {
                Memory::may_make(tree, place(to), tree.node(object).kind)?;
            }
            tree.hard_link(self.who, place(from), place(to))
        })
    }

    fn unlink(&self, parent: &Handle, name: &OsStr) -> io::Result<()> {
        self.call(Call::Unlink, |tree| {
            Memory::may_remove(tree, place((parent, name)), FileKind::File)?;
            tree.unlink(self.who, parent.pin().object, name)
        })
    }

    fn try_lock(&self, dir: &Handle) -> io::Result<bool> {
        self.call(Call::TryLock, |tree| {
            let object = readable(dir)?;
            let descriptor = dir.pin().descriptor;
            let lock = &mut tree.node_mut(object).lock;
            Ok(*lock.get_or_insert(descriptor) == descriptor)
        })
    }

    fn unlock(&self, dir: &Handle) {
        let (object, descriptor) = (dir.pin().object, dir.pin().descriptor);
        self.world.with(|tree| tree.unlock(object, descriptor));
    }

    fn sync_dir(&self, dir: &Handle) -> io::Result<()> {
        self.call(Call::SyncDir, |tree| {
            tree.sync_dir(readable(dir)?);
            Ok(())
        })
    }

    fn sync_file_system(&self, dir: &Handle) -> io::Result<()> {
        self.call(Call::SyncFileSystem, |tree| {
            readable(dir)?;
            tree.sync_all();
            Ok(())
        })
    }

    fn may_change_names(&self, dir: &Handle) -> io::Result<bool> {
        Ok(self.world.ask(|tree| tree.may(self.who, dir.pin().object, 3)))
    }

    fn domain(&self, root: &Handle, state: Option<&Handle>, grant: Rights) -> io::Result<Domain> {
        let object = |handle: &Handle| handle.pin().object;
        Ok(Domain::of_memory(Rules { root: object(root), state: state.map(object), grant }))
    }

    fn random(&self) -> io::Result<u128> {
        self.call(Call::Random, |tree| {
            tree.drawn += 1;
            Ok(tree.drawn)
        })
    }

    fn user(&self) -> u32 {
        self.who.uid
    }

    fn clock(&self) -> Duration {
        self.world.ask(|tree| tree.clock)
    }

    fn sleep(&self, time: Duration) {
        self.world.with(|tree| tree.clock += time);
    }
}
