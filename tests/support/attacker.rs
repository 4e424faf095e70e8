//! The attacker: each action in terms of a few calls, whichever tree answers them.
//!
//! An action that the permissions forbid, or that finds nothing to act on, has no effect. An attacker of the executor's
//! own user keeps away from the executor's staged names and from its state directory.

use std::ffi::OsStr;

use caplink::FileKind;
use rustix::io::Errno;

use super::action::Action;
use super::scenario::{Layout, NEW, OLD, STATE, Verb};
use super::trees::Places;
use super::view::{Slot, View};

pub(crate) type Done = Result<(), Errno>;

/// The calls that an attacker makes, with the permissions of its user.
pub(crate) trait Calls {
    type View: View;

    /// The tree as it is now.
    fn view(&self) -> &Self::View;
    /// A name that is free in the yard.
    fn fresh(&mut self) -> String;
    /// Makes what is no link: a file, a directory or a fifo.
    fn make(&mut self, at: Slot<'_, Id<Self>>, kind: FileKind) -> Result<Id<Self>, Errno>;
    fn symlink(&mut self, text: &OsStr, at: Slot<'_, Id<Self>>) -> Done;
    fn hard_link(&mut self, from: Slot<'_, Id<Self>>, to: Slot<'_, Id<Self>>) -> Done;
    fn rename_new(&mut self, from: Slot<'_, Id<Self>>, to: Slot<'_, Id<Self>>) -> Done;
    fn rename_over(&mut self, from: Slot<'_, Id<Self>>, to: Slot<'_, Id<Self>>) -> Done;
    /// Fails if both names are those of one object.
    fn exchange(&mut self, a: Slot<'_, Id<Self>>, b: Slot<'_, Id<Self>>) -> Done;
    fn unlink(&mut self, at: Slot<'_, Id<Self>>) -> Done;
    fn remove_dir(&mut self, at: Slot<'_, Id<Self>>) -> Done;
    /// Fails if the directory has this mode already.
    fn set_mode(&mut self, dir: Id<Self>, mode: u32) -> Done;
    fn lock(&mut self, dir: Id<Self>) -> Done;
    fn unlock(&mut self, dir: Id<Self>) -> Done;
    /// Refuses what the layout forbids and the tree does not.
    fn may_change(&self, dir: Id<Self>) -> Done;
}

/// What tells the objects of the attacker's tree apart.
pub(crate) type Id<T> = <<T as Calls>::View as View>::Id;

/// The scenario as the attacker knows it.
#[derive(Clone, Debug)]
pub(crate) struct Target<Id> {
    pub(crate) verb: Verb,
    pub(crate) layout: Layout,
    pub(crate) places: Places<Id>,
    /// The path of the canary, for texts that lead to it.
    pub(crate) outside: String,
    /// The names to put back, from the top down, and what had them.
    pub(crate) homes: Vec<(Id, &'static str, Id)>,
}

impl<Id: Copy> Target<Id> {
    pub(crate) fn new<V: View<Id = Id>>(
        view: &V,
        (verb, layout): (Verb, Layout),
        places: Places<Id>,
        outside: String,
    ) -> Target<Id> {
        let Places { home, base, q, p, r, .. } = places;
        let mut homes = vec![(home, "base", base), (base, "q", q), (q, "p", p), (q, "r", r)];
        for (dir, name) in [(p, "l"), (p, "m"), (r, "m"), (q, "t2")] {
            homes.extend(view.get(dir, OsStr::new(name)).map(|found| (dir, name, found)));
        }
        Target { verb, layout, places, outside, homes }
    }
}

/// Acts once; an error says that there was no effect, or only a part of it.
pub(crate) fn act<T: Calls>(target: &Target<Id<T>>, tree: &mut T, action: Action) -> Done {
    Attacker { target, tree }.act(action)
}

pub(super) struct Attacker<'a, T: Calls> {
    pub(super) target: &'a Target<Id<T>>,
    pub(super) tree: &'a mut T,
}

pub(super) fn slot<Id>(dir: Id, name: &str) -> Slot<'_, Id> {
    (dir, OsStr::new(name))
}

impl<T: Calls> Attacker<'_, T> {
    pub(super) fn view(&self) -> &T::View {
        self.tree.view()
    }

    fn act(&mut self, action: Action) -> Done {
        use FileKind::{Dir, Fifo, File};
        let Places { base, home, q, yard, beyond, .. } = self.target.places;
        let parent = self.parent();
        let name = slot(parent, "l");
        let [canary, out] = ["/yard", ""].map(|below| format!("{}{below}", self.target.outside));
        match action {
            Action::NameFile => self.put(File, name),
            Action::NameDir => self.put(Dir, name),
            Action::NameFullDir => {
                let full = self.tree.fresh();
                let dir = self.tree.make(slot(yard, &full), Dir)?;
                self.tree.make(slot(dir, "inside"), File)?;
                self.place(&full, name)
            }
            Action::NameFifo => self.put(Fifo, name),
            Action::NameLinkOther => self.put_link("../t3", name),
            Action::NameLinkOld => self.put_link(OLD, name),
            Action::NameLinkNew => self.put_link(NEW, name),
            Action::NameRemoved => self.remove(name),
            Action::NameStolen => self.steal(name),
            Action::NameHardLinked => self.second_name(name),
            Action::NameExchangedWithFile => self.exchange_for(File, name),
            Action::NameExchangedWithDir => self.exchange_for(Dir, name),
            Action::NameSecondOfOther => {
                let one = self.tree.fresh();
                let two = format!("{one}-second");
                self.tree.symlink(OsStr::new("../t3"), slot(yard, &one))?;
                self.tree.hard_link(slot(yard, &one), slot(yard, &two))?;
                self.place(&two, name)
            }
            Action::SecondFile => self.second().and_then(|second| self.put(File, second)),
            Action::SecondDir => self.second().and_then(|second| self.put(Dir, second)),
            Action::SecondLinkOther => self.second().and_then(|second| self.put_link("../t3", second)),
            Action::SecondRemoved => self.second().and_then(|second| self.remove(second)),
            Action::SecondStolen => self.second().and_then(|second| self.steal(second)),
            Action::SecondExchangedWithFirst => self.second().and_then(|second| self.exchange(second, name)),
            Action::StagedRemoved => self.on_staged(|it, staged| it.remove(staged)),
            Action::StagedStolen => self.on_staged(|it, staged| it.steal(staged)),
            Action::StagedHardLinked => self.on_staged(|it, staged| it.second_name(staged)),
            Action::StagedFile => self.on_staged(|it, staged| it.put(File, staged)),
            Action::StagedDir => self.on_staged(|it, staged| it.put(Dir, staged)),
            Action::StagedLinkNew => self.on_staged(|it, staged| it.put_link(NEW, staged)),
            Action::StagedLinkOther => self.on_staged(|it, staged| it.put_link("../t3", staged)),
            Action::StagedExchangedWithName => self.on_staged(|it, staged| it.exchange(staged, name)),
            Action::StagedOverName => self.on_staged(|it, staged| it.over(staged, name)),
            Action::NameOverStaged => self.on_staged(|it, staged| it.over(name, staged)),
            Action::BackupNameTaken => self.free(slot(parent, "l.backup")).and_then(|free| self.put(File, free)),
            Action::ParentExchangedWithLinkOutside => self.exchange_dir_for_link(&canary, parent),
            Action::ParentExchangedWithLinkInside => self.exchange_dir_for_link("r", parent),
            Action::ParentMovedInside => self.move_dir(parent, yard),
            Action::ParentMovedOutside => self.move_dir(parent, beyond),
            Action::ParentRemoved => {
                let (dir, own) = self.named_anywhere(parent)?;
                for name in self.names(parent) {
                    self.steal(slot(parent, &name))?;
                }
                self.tree.remove_dir(slot(dir, &own))
            }
            Action::ParentTwinOld => self.twin(Some(OLD)),
            Action::ParentTwinNew => self.twin(Some(NEW)),
            Action::ParentTwinEmpty => self.twin(None),
            Action::ParentFile => {
                let (dir, own) = self.named_anywhere(parent)?;
                self.exchange_for(File, slot(dir, &own))
            }
            Action::ParentSealed => self.seal(parent, 0),
            Action::ParentUnsealed => self.seal(parent, 0o777),
            Action::SecondParentMovedInside => self.move_second_parent(yard),
            Action::SecondParentMovedOutside => self.move_second_parent(beyond),
            Action::GrandMovedInside => self.move_dir(q, yard),
            Action::GrandMovedOutside => self.move_dir(q, beyond),
            Action::GrandExchangedWithLink => self.exchange_dir_for_link(&canary, q),
            Action::RootMoved => self.move_to(slot(home, &self.named(home, base)?), home),
            Action::RootReplaced => {
                self.move_to(slot(home, &self.named(home, base)?), beyond)?;
                let mut dir = home;
                for name in ["base", "q", "p"] {
                    dir = self.tree.make(slot(dir, name), Dir)?;
                }
                self.tree.symlink(OsStr::new(OLD), slot(dir, "l"))
            }
            Action::TargetOutside => self.exchange_link_for(&out, slot(q, "t2")),
            Action::TargetStolen => self.steal(slot(q, "t2")),
            Action::TargetFile => self.exchange_for(File, slot(q, "t2")),
            Action::MissingDir => self.missing().and_then(|free| self.put(Dir, free)),
            Action::MissingLinkOutside => self.missing().and_then(|free| self.put_link(&canary, free)),
            Action::MissingLinkInside => self.missing().and_then(|free| self.put_link("../yard", free)),
            Action::MissingFile => self.missing().and_then(|free| self.put(File, free)),
            Action::MadeExchangedWithLink => self.made().and_then(|made| self.exchange_link_for(&canary, made)),
            Action::MadeRemoved => self.made().and_then(|made| self.remove(made)),
            Action::MadeMovedAway => self.made().and_then(|made| self.steal(made)),
            Action::LockTaken => self.on_locks(T::lock),
            Action::LockReleased => self.on_locks(T::unlock),
            Action::StateMoved => self.allowed(slot(base, STATE)).and_then(|()| self.move_to(slot(base, STATE), yard)),
            Action::StateReplaced => self.exchange_for(Dir, slot(base, STATE)),
            Action::StateLink => self.exchange_link_for("yard", slot(base, STATE)),
            Action::StateTaken => self.free(slot(base, STATE)).and_then(|free| self.put(Dir, free)),
            Action::PutBack => self.put_back(),
        }
    }
}
