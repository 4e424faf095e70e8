//! The attacker on the tree in memory.

use std::ffi::OsStr;

use caplink::FileKind;
use caplink::adversary::{Errno, Object, Subject, Tree};

use crate::scene::Scene;
use crate::support::action::{ACTIONS, Action};
use crate::support::attacker::{Calls, act};
use crate::support::view::Slot;

/// The tree, and who changes it.
struct Hands<'a> {
    tree: &'a mut Tree,
    who: Subject,
}

/// Does the action; false if it had no effect.
pub(crate) fn acts(scene: &Scene, tree: &mut Tree, action: Action) -> bool {
    let before = tree.log().len();
    let done = act(&scene.target, &mut Hands { tree, who: scene.attacker }, action).is_ok();
    // One that fails half-way had an effect, too, unless it only made something in its own yard.
    let yard = scene.places.yard;
    done || tree.log()[before..].iter().any(|change| change.slots.iter().any(|slot| slot.dir != yard))
}

/// The actions that have an effect on this tree.
pub(crate) fn possible<'a>(scene: &'a Scene, tree: &'a Tree) -> impl Iterator<Item = Action> + 'a {
    ACTIONS.iter().copied().filter(|action| acts(scene, &mut tree.clone(), *action))
}

impl Calls for Hands<'_> {
    type View = Tree;

    fn view(&self) -> &Tree {
        self.tree
    }

    fn fresh(&mut self) -> String {
        format!("n{}", self.tree.objects().count())
    }

    fn make(&mut self, (dir, name): Slot<'_, Object>, kind: FileKind) -> Result<Object, Errno> {
        self.tree.make(self.who, dir, name.to_str().ok_or(Errno::INVAL)?, kind)
    }

    fn symlink(&mut self, text: &OsStr, (dir, name): Slot<'_, Object>) -> Result<(), Errno> {
        self.tree.symlink(self.who, text, dir, name).map(drop)
    }

    fn hard_link(&mut self, from: Slot<'_, Object>, to: Slot<'_, Object>) -> Result<(), Errno> {
        self.tree.hard_link(self.who, from, to)
    }

    fn rename_new(&mut self, from: Slot<'_, Object>, to: Slot<'_, Object>) -> Result<(), Errno> {
        self.tree.rename_new(self.who, from, to)
    }

    fn rename_over(&mut self, from: Slot<'_, Object>, to: Slot<'_, Object>) -> Result<(), Errno> {
        self.tree.rename_over(self.who, from, to)
    }

    fn exchange(&mut self, a: Slot<'_, Object>, b: Slot<'_, Object>) -> Result<(), Errno> {
        let before = self.tree.log().len();
        self.tree.exchange(self.who, a, b)?;
        if self.tree.log().len() > before { Ok(()) } else { Err(Errno::INVAL) }
    }

    fn unlink(&mut self, (dir, name): Slot<'_, Object>) -> Result<(), Errno> {
        self.tree.unlink(self.who, dir, name)
    }

    fn remove_dir(&mut self, (dir, name): Slot<'_, Object>) -> Result<(), Errno> {
        self.tree.remove_dir(self.who, dir, name)
    }

    fn set_mode(&mut self, dir: Object, mode: u32) -> Result<(), Errno> {
        if self.tree.node(dir).mode == mode {
            return Err(Errno::INVAL);
        }
        self.tree.set_mode(self.who, dir, mode)
    }

    fn lock(&mut self, dir: Object) -> Result<(), Errno> {
        if self.tree.lock_as_stranger(self.who, dir) { Ok(()) } else { Err(Errno::AGAIN) }
    }

    fn unlock(&mut self, dir: Object) -> Result<(), Errno> {
        if self.tree.unlock_as_stranger(dir) { Ok(()) } else { Err(Errno::NOLCK) }
    }

    /// The tree itself knows who may do what.
    fn may_change(&self, _dir: Object) -> Result<(), Errno> {
        Ok(())
    }
}
