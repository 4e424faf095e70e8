//! The attacker on the kernel, while the program is stopped.
//!
//! Every directory is worked in by its descriptor, so that an action does what it says wherever an earlier one moved it.
//! Each call is entered into the tree as it is made. The attacker has the user of the program; what another user could
//! not do in a layout is refused here.

use std::ffi::OsStr;

use caplink::FileKind;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::scene::Scene;
use crate::support::action::Action;
use crate::support::attacker::{Calls, Done, act};
use crate::support::scenario::Layout;
use crate::support::trees::Places;
use crate::support::view::{Actor, Change, Changed, Slot, Step, View as _};
use crate::view::{Id, KernelTree};

/// What lasts from one action to the next.
#[derive(Default)]
pub(crate) struct Memory {
    /// How many names were made up.
    made: usize,
    locks: Vec<(Id, OwnedFd)>,
}

struct Hands<'a> {
    scene: &'a mut Scene,
    tree: &'a mut KernelTree,
    memory: &'a mut Memory,
    changes: Vec<Change<Id>>,
}

/// Does the action: whether it had an effect, and what it changed.
pub(crate) fn acts(
    scene: &mut Scene,
    tree: &mut KernelTree,
    memory: &mut Memory,
    action: Action,
) -> (bool, Vec<Change<Id>>) {
    let target = scene.target.clone();
    let mut hands = Hands { scene, tree, memory, changes: Vec::new() };
    let done = act(&target, &mut hands, action).is_ok();
    (done, hands.changes)
}

impl Hands<'_> {
    fn dir(&self, dir: Id) -> Result<rustix::fd::BorrowedFd<'_>, Errno> {
        self.scene.dir(dir).ok_or(Errno::BADF)
    }

    fn enter(&mut self, step: Step, names: Vec<Changed<Id>>) {
        self.changes.push(Change { actor: Actor::Others, step, names });
    }

    /// Holds what was just made, and enters it.
    fn made(&mut self, (dir, name): Slot<'_, Id>, kind: FileKind, text: Option<&OsStr>) -> Result<Id, Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = rustix::fs::openat(self.dir(dir)?, name, flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&made)?;
        let id = (stat.st_dev, stat.st_ino);
        self.scene.hold_as(id, made);
        self.tree.note(id, kind, text);
        let changed = self.tree.set((dir, name), Some(id));
        self.enter(Step::Make, vec![changed]);
        Ok(id)
    }

    fn rename(&mut self, from: Slot<'_, Id>, to: Slot<'_, Id>, flags: RenameFlags, step: Step) -> Done {
        // The attacker does not leave its places either.
        self.may_change(from.0)?;
        self.may_change(to.0)?;
        rustix::fs::renameat_with(self.dir(from.0)?, from.1, self.dir(to.0)?, to.1, flags)?;
        let [one, two] = [from, to].map(|(dir, name)| self.tree.get(dir, name));
        // Two names of one object: nothing is done.
        if one != two {
            let back = if step == Step::Exchange { two } else { None };
            let names = vec![self.tree.set(from, back), self.tree.set(to, one)];
            self.enter(step, names);
            return Ok(());
        }
        if step == Step::Exchange { Err(Errno::INVAL) } else { Ok(()) }
    }
}

impl Calls for Hands<'_> {
    type View = KernelTree;

    fn view(&self) -> &KernelTree {
        self.tree
    }

    fn fresh(&mut self) -> String {
        self.memory.made += 1;
        format!("n{}", self.memory.made)
    }

    fn make(&mut self, at: Slot<'_, Id>, kind: FileKind) -> Result<Id, Errno> {
        let content = format!("of the attacker: {}", self.memory.made);
        let dir = self.dir(at.0)?;
        match kind {
            FileKind::Dir => rustix::fs::mkdirat(dir, at.1, Mode::from_raw_mode(0o755))?,
            FileKind::Fifo => rustix::fs::mknodat(dir, at.1, FileType::Fifo, Mode::from_raw_mode(0o644), 0)?,
            _ => {
                let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
                let file = rustix::fs::openat(dir, at.1, flags, Mode::from_raw_mode(0o644))?;
                rustix::io::write(&file, content.as_bytes())?;
            }
        }
        self.made(at, kind, None)
    }

    fn symlink(&mut self, text: &OsStr, at: Slot<'_, Id>) -> Done {
        rustix::fs::symlinkat(text, self.dir(at.0)?, at.1)?;
        self.made(at, FileKind::Symlink, Some(text)).map(drop)
    }

    fn hard_link(&mut self, from: Slot<'_, Id>, to: Slot<'_, Id>) -> Done {
        rustix::fs::linkat(self.dir(from.0)?, from.1, self.dir(to.0)?, to.1, AtFlags::empty())?;
        let object = self.tree.get(from.0, from.1);
        let changed = self.tree.set(to, object);
        self.enter(Step::Link, vec![changed]);
        Ok(())
    }

    fn rename_new(&mut self, from: Slot<'_, Id>, to: Slot<'_, Id>) -> Done {
        self.rename(from, to, RenameFlags::NOREPLACE, Step::RenameNew)
    }

    fn rename_over(&mut self, from: Slot<'_, Id>, to: Slot<'_, Id>) -> Done {
        self.rename(from, to, RenameFlags::empty(), Step::RenameOver)
    }

    fn exchange(&mut self, a: Slot<'_, Id>, b: Slot<'_, Id>) -> Done {
        self.rename(a, b, RenameFlags::EXCHANGE, Step::Exchange)
    }

    fn unlink(&mut self, at: Slot<'_, Id>) -> Done {
        rustix::fs::unlinkat(self.dir(at.0)?, at.1, AtFlags::empty())?;
        let changed = self.tree.set(at, None);
        self.enter(Step::Unlink, vec![changed]);
        Ok(())
    }

    fn remove_dir(&mut self, at: Slot<'_, Id>) -> Done {
        rustix::fs::unlinkat(self.dir(at.0)?, at.1, AtFlags::REMOVEDIR)?;
        let changed = self.tree.set(at, None);
        self.enter(Step::RemoveDir, vec![changed]);
        Ok(())
    }

    /// Permissions would bind the attacker as much as the program, or neither.
    fn set_mode(&mut self, _dir: Id, _mode: u32) -> Done {
        Err(Errno::PERM)
    }

    fn lock(&mut self, dir: Id) -> Done {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(self.dir(dir)?, ".", flags, Mode::empty())?;
        rustix::fs::flock(opened.as_fd(), FlockOperation::NonBlockingLockExclusive)?;
        self.memory.locks.push((dir, opened));
        Ok(())
    }

    fn unlock(&mut self, dir: Id) -> Done {
        let before = self.memory.locks.len();
        self.memory.locks.retain(|(of, _)| *of != dir);
        if self.memory.locks.len() < before { Ok(()) } else { Err(Errno::NOLCK) }
    }

    fn may_change(&self, dir: Id) -> Done {
        let Places { home, base: _, yard, beyond, out, q, p, r } = self.scene.places;
        let theirs = [home, yard, q, p, r, beyond].contains(&dir) || self.tree.is_below(dir, yard);
        let allowed = match self.scene.scenario.layout {
            Layout::Private => dir != self.tree.top,
            _ => theirs,
        };
        if allowed && !self.tree.is_below(dir, out) { Ok(()) } else { Err(Errno::PERM) }
    }
}
