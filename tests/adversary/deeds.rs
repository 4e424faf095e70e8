//! What an adversary can do between two calls, with the permissions of its user.
//!
//! A deed that the permissions forbid, or that finds nothing to be done to, has no effect. An adversary of the
//! executor's own user keeps away from the executor's staged names and from its state directory.

use std::ffi::OsStr;

use caplink::FileKind;
use caplink::adversary::{Errno, Object, Tree};

use crate::scene::{NEW, OLD, STATE, Scene, Verb};

macro_rules! deeds {
    ($($deed:ident,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Deed { $($deed,)* }
        pub(crate) const DEEDS: &[Deed] = &[$(Deed::$deed,)*];
    };
}

deeds! {
    // The name of the link.
    NameFile, NameDir, NameFullDir, NameFifo, NameLinkOther, NameLinkOld, NameLinkNew, NameGone, NameStolen,
    NameHardLinked, NameTradedForFile, NameTradedForDir, NameSecondOfOther,
    // The second name of an exchange.
    SecondFile, SecondDir, SecondLinkOther, SecondGone, SecondStolen, SecondTradedWithFirst,
    // What the executor staged or moved aside, where it can be touched.
    StagedGone, StagedStolen, StagedHardLinked, StagedFile, StagedDir, StagedLinkNew, StagedLinkOther,
    StagedTradedWithName, StagedOverName, NameOverStaged, BackupNameTaken,
    // The link's directory.
    ParentTradedForLinkOutside, ParentTradedForLinkInside, ParentMovedInside, ParentMovedOutside, ParentRemoved,
    ParentTwinOld, ParentTwinNew, ParentTwinEmpty, ParentFile, ParentSealed, ParentUnsealed,
    SecondParentMovedInside, SecondParentMovedOutside,
    // The directory above, and the root.
    GrandMovedInside, GrandMovedOutside, GrandTradedForLink, RootMoved, RootReplaced,
    // What the link is to lead to.
    TargetOutside, TargetGone, TargetFile,
    // Directories that are missing or were just made.
    MissingDir, MissingLinkOutside, MissingLinkInside, MissingFile, MadeTradedForLink, MadeGone, MadeMovedAway,
    // The lock and the state directory.
    LockTaken, LockGivenBack, StateMoved, StateReplaced, StateLink, StateTaken,
    // Everything as it was.
    PutBack,
}

type Slot<'a> = (Object, &'a str);
type Done = Result<(), Errno>;

/// One adversary at one moment.
struct Foe<'a> {
    scene: &'a Scene,
    tree: &'a mut Tree,
}

/// Does the deed; false where it had no effect.
pub(crate) fn does(scene: &Scene, tree: &mut Tree, deed: Deed) -> bool {
    let before = tree.log().len();
    let done = Foe { scene, tree }.act(deed).is_ok();
    // One that fails half-way had an effect, too, unless it only made something in its own yard.
    done || tree.log()[before..].iter().any(|change| change.slots.iter().any(|slot| slot.dir != scene.yard))
}

/// The deeds that have an effect on this tree.
pub(crate) fn possible<'a>(scene: &'a Scene, tree: &'a Tree) -> impl Iterator<Item = Deed> + 'a {
    DEEDS.iter().copied().filter(|deed| does(scene, &mut tree.clone(), *deed))
}

impl Foe<'_> {
    fn parent(&self) -> Object {
        match self.scene.scenario.verb {
            Verb::Parents => self.tree.dir(self.scene.base, "q/n1/n2").unwrap_or(self.scene.q),
            _ => self.scene.p,
        }
    }

    fn second(&self) -> Result<Slot<'static>, Errno> {
        match self.scene.scenario.verb {
            Verb::Exchange => Ok((self.scene.p, "m")),
            Verb::ExchangeAcross | Verb::Plan | Verb::Repair => Ok((self.scene.r, "m")),
            _ => Err(Errno::NOENT),
        }
    }

    fn act(&mut self, deed: Deed) -> Done {
        let Scene { base, home, q, p, r, yard, beyond, foe, .. } = *self.scene;
        let parent = self.parent();
        let name: Slot<'_> = (parent, "l");
        match deed {
            Deed::NameFile => self.put(FileKind::File, name),
            Deed::NameDir => self.put(FileKind::Dir, name),
            Deed::NameFullDir => {
                let full = self.fresh();
                let dir = self.tree.make(foe, yard, &full, FileKind::Dir)?;
                self.tree.make(foe, dir, "inside", FileKind::File)?;
                self.place(&full, name)
            }
            Deed::NameFifo => self.put(FileKind::Fifo, name),
            Deed::NameLinkOther => self.put_link("../t3", name),
            Deed::NameLinkOld => self.put_link(OLD, name),
            Deed::NameLinkNew => self.put_link(NEW, name),
            Deed::NameGone => self.remove(name),
            Deed::NameStolen => self.steal(name),
            Deed::NameHardLinked => self.second_name(name),
            Deed::NameTradedForFile => self.trade_for(FileKind::File, name),
            Deed::NameTradedForDir => self.trade_for(FileKind::Dir, name),
            Deed::NameSecondOfOther => {
                let (one, two) = (self.fresh(), format!("{}-second", self.fresh()));
                self.tree.symlink(foe, OsStr::new("../t3"), yard, OsStr::new(&one))?;
                self.tree.hard_link(foe, (yard, OsStr::new(&one)), (yard, OsStr::new(&two)))?;
                self.place(&two, name)
            }
            Deed::SecondFile => self.second().and_then(|second| self.put(FileKind::File, second)),
            Deed::SecondDir => self.second().and_then(|second| self.put(FileKind::Dir, second)),
            Deed::SecondLinkOther => self.second().and_then(|second| self.put_link("../t3", second)),
            Deed::SecondGone => self.second().and_then(|second| self.remove(second)),
            Deed::SecondStolen => self.second().and_then(|second| self.steal(second)),
            Deed::SecondTradedWithFirst => self.second().and_then(|second| self.trade(second, name)),
            Deed::StagedGone => self.on_staged(|foe, staged| foe.remove(staged)),
            Deed::StagedStolen => self.on_staged(|foe, staged| foe.steal(staged)),
            Deed::StagedHardLinked => self.on_staged(|foe, staged| foe.second_name(staged)),
            Deed::StagedFile => self.on_staged(|foe, staged| foe.put(FileKind::File, staged)),
            Deed::StagedDir => self.on_staged(|foe, staged| foe.put(FileKind::Dir, staged)),
            Deed::StagedLinkNew => self.on_staged(|foe, staged| foe.put_link(NEW, staged)),
            Deed::StagedLinkOther => self.on_staged(|foe, staged| foe.put_link("../t3", staged)),
            Deed::StagedTradedWithName => self.on_staged(|foe, staged| foe.trade(staged, name)),
            Deed::StagedOverName => self.on_staged(|foe, staged| foe.over(staged, name)),
            Deed::NameOverStaged => self.on_staged(|foe, staged| foe.over(name, staged)),
            Deed::BackupNameTaken => self.free((parent, "l.backup")).and_then(|slot| self.put(FileKind::File, slot)),
            Deed::ParentTradedForLinkOutside => self.trade_for_link("/out/yard", self.named(q, parent)?),
            Deed::ParentTradedForLinkInside => self.trade_for_link("r", self.named(q, parent)?),
            Deed::ParentMovedInside => self.move_to(self.named_anywhere(parent)?, yard),
            Deed::ParentMovedOutside => self.move_to(self.named_anywhere(parent)?, beyond),
            Deed::ParentRemoved => {
                let slot = self.named_anywhere(parent)?;
                for (name, _) in self.tree.entries(parent).to_vec() {
                    self.steal((parent, name.to_str().ok_or(Errno::INVAL)?))?;
                }
                self.tree.remove_dir(foe, slot.0, OsStr::new(&slot.1))
            }
            Deed::ParentTwinOld => self.twin(Some(OLD)),
            Deed::ParentTwinNew => self.twin(Some(NEW)),
            Deed::ParentTwinEmpty => self.twin(None),
            Deed::ParentFile => {
                let (above, name) = self.named(q, parent)?;
                self.trade_for(FileKind::File, (above, &name))
            }
            Deed::ParentSealed => self.seal(parent, 0),
            Deed::ParentUnsealed => self.seal(parent, 0o777),
            Deed::SecondParentMovedInside => self.second_parent(yard),
            Deed::SecondParentMovedOutside => self.second_parent(beyond),
            Deed::GrandMovedInside => self.move_to(self.named_anywhere(q)?, yard),
            Deed::GrandMovedOutside => self.move_to(self.named_anywhere(q)?, beyond),
            Deed::GrandTradedForLink => self.trade_for_link("/out/yard", self.named(base, q)?),
            Deed::RootMoved => self.move_to(self.named(home, base)?, home),
            Deed::RootReplaced => {
                self.move_to(self.named(home, base)?, beyond)?;
                let new = self.tree.make(foe, home, "base", FileKind::Dir)?;
                let q = self.tree.make(foe, new, "q", FileKind::Dir)?;
                let p = self.tree.make(foe, q, "p", FileKind::Dir)?;
                self.tree.symlink(foe, OsStr::new(OLD), p, OsStr::new("l")).map(drop)
            }
            Deed::TargetOutside => self.trade_for_link("/out", (q, "t2".into())),
            Deed::TargetGone => self.steal((q, "t2")),
            Deed::TargetFile => self.trade_for(FileKind::File, (q, "t2")),
            Deed::MissingDir => self.missing().and_then(|(dir, name)| self.put(FileKind::Dir, (dir, name))),
            Deed::MissingLinkOutside => self.missing().and_then(|slot| self.put_link("/out/yard", slot)),
            Deed::MissingLinkInside => self.missing().and_then(|slot| self.put_link("../yard", slot)),
            Deed::MissingFile => self.missing().and_then(|slot| self.put(FileKind::File, slot)),
            Deed::MadeTradedForLink => self.made().and_then(|slot| self.trade_for_link("/out/yard", slot)),
            Deed::MadeGone => self.made().and_then(|(dir, name)| self.remove((dir, &name))),
            Deed::MadeMovedAway => self.made().and_then(|(dir, name)| self.steal((dir, &name))),
            Deed::LockTaken => {
                let taken = self.tree.lock_as_stranger(foe, p);
                let also = r != p && self.tree.lock_as_stranger(foe, r);
                if taken || also { Ok(()) } else { Err(Errno::AGAIN) }
            }
            Deed::LockGivenBack => {
                let given = self.tree.unlock_as_stranger(p);
                let also = self.tree.unlock_as_stranger(r);
                if given || also { Ok(()) } else { Err(Errno::NOLCK) }
            }
            Deed::StateMoved => self.on_state(|foe, state| foe.move_to((state.0, state.1.into()), yard)),
            Deed::StateReplaced => self.on_state(|foe, state| foe.trade_for(FileKind::Dir, state)),
            Deed::StateLink => self.on_state(|foe, state| foe.trade_for_link("yard", (state.0, state.1.into()))),
            Deed::StateTaken => self.free((base, STATE)).and_then(|slot| self.put(FileKind::Dir, slot)),
            Deed::PutBack => self.put_back(),
        }
    }

    /// Whether the adversary keeps away from a name.
    fn spares(&self, (dir, name): Slot<'_>) -> bool {
        let own = name.starts_with(STATE) || name.starts_with("l.backup");
        self.scene.scenario.same_user() && (own || self.tree.is_below(dir, self.scene.base) && self.in_state(dir))
    }

    fn in_state(&self, dir: Object) -> bool {
        self.tree.get(self.scene.base, OsStr::new(STATE)).is_some_and(|state| self.tree.is_below(dir, state))
    }

    fn fresh(&self) -> String {
        format!("n{}", self.tree.objects().count())
    }

    fn allowed(&self, slot: Slot<'_>) -> Done {
        if self.spares(slot) { Err(Errno::PERM) } else { Ok(()) }
    }

    fn free<'a>(&self, slot: Slot<'a>) -> Result<Slot<'a>, Errno> {
        if self.tree.get(slot.0, OsStr::new(slot.1)).is_some() { Err(Errno::EXIST) } else { Ok(slot) }
    }

    /// Brings something that was made in the yard to a name; what had the name is replaced, or traded for it.
    fn place(&mut self, fresh: &str, slot: Slot<'_>) -> Done {
        self.allowed(slot)?;
        let (foe, yard) = (self.scene.foe, self.scene.yard);
        let (from, to) = ((yard, OsStr::new(fresh)), (slot.0, OsStr::new(slot.1)));
        let is_dir = |tree: &Tree, object: Option<Object>| object.is_some_and(|o| tree.node(o).kind == FileKind::Dir);
        let new = is_dir(self.tree, self.tree.get(from.0, from.1));
        let placed = match self.tree.get(to.0, to.1) {
            None => self.tree.rename_new(foe, from, to),
            old if new || is_dir(self.tree, old) => self.tree.exchange(foe, from, to),
            Some(_) => self.tree.rename_over(foe, from, to),
        };
        if placed.is_err() && !new {
            let _cleaned = self.tree.unlink(foe, from.0, from.1);
        }
        placed
    }

    fn put(&mut self, kind: FileKind, slot: Slot<'_>) -> Done {
        let fresh = self.fresh();
        self.tree.make(self.scene.foe, self.scene.yard, &fresh, kind)?;
        self.place(&fresh, slot)
    }

    fn put_link(&mut self, text: &str, slot: Slot<'_>) -> Done {
        let fresh = self.fresh();
        self.tree.symlink(self.scene.foe, OsStr::new(text), self.scene.yard, OsStr::new(&fresh))?;
        self.place(&fresh, slot)
    }

    fn trade(&mut self, a: Slot<'_>, b: Slot<'_>) -> Done {
        self.allowed(a)?;
        self.allowed(b)?;
        let before = self.tree.log().len();
        self.tree.exchange(self.scene.foe, (a.0, OsStr::new(a.1)), (b.0, OsStr::new(b.1)))?;
        if self.tree.log().len() > before { Ok(()) } else { Err(Errno::INVAL) }
    }

    fn trade_for(&mut self, kind: FileKind, slot: Slot<'_>) -> Done {
        let fresh = self.fresh();
        self.tree.make(self.scene.foe, self.scene.yard, &fresh, kind)?;
        self.trade((self.scene.yard, &fresh), slot)
    }

    fn trade_for_link(&mut self, text: &str, (dir, name): (Object, String)) -> Done {
        let fresh = self.fresh();
        self.tree.symlink(self.scene.foe, OsStr::new(text), self.scene.yard, OsStr::new(&fresh))?;
        self.trade((self.scene.yard, &fresh), (dir, &name))
    }

    fn over(&mut self, from: Slot<'_>, to: Slot<'_>) -> Done {
        self.allowed(from)?;
        self.allowed(to)?;
        self.tree.rename_over(self.scene.foe, (from.0, OsStr::new(from.1)), (to.0, OsStr::new(to.1)))
    }

    fn remove(&mut self, slot: Slot<'_>) -> Done {
        self.allowed(slot)?;
        let (foe, name) = (self.scene.foe, OsStr::new(slot.1));
        match self.tree.unlink(foe, slot.0, name) {
            Err(Errno::ISDIR) => self.tree.remove_dir(foe, slot.0, name),
            result => result,
        }
    }

    fn steal(&mut self, slot: Slot<'_>) -> Done {
        self.allowed(slot)?;
        self.move_to((slot.0, slot.1.into()), self.scene.yard)
    }

    fn second_name(&mut self, slot: Slot<'_>) -> Done {
        self.allowed(slot)?;
        let fresh = self.fresh();
        self.tree.hard_link(self.scene.foe, (slot.0, OsStr::new(slot.1)), (self.scene.yard, OsStr::new(&fresh)))
    }

    fn move_to(&mut self, (dir, name): (Object, String), to: Object) -> Done {
        self.allowed((dir, &name))?;
        let fresh = format!("{}-{name}", self.fresh());
        self.tree.rename_new(self.scene.foe, (dir, OsStr::new(&name)), (to, OsStr::new(&fresh)))
    }

    fn on_staged(&mut self, act: impl FnOnce(&mut Self, Slot<'_>) -> Done) -> Done {
        let parent = self.parent();
        let staged = |name: &str| name.starts_with(".caplink-") || name.starts_with("l.backup");
        let names = self.tree.entries(parent).iter().filter_map(|(name, _)| name.to_str());
        let name = names.rev().find(|name| staged(name)).ok_or(Errno::NOENT)?.to_owned();
        act(self, (parent, &name))
    }

    fn on_state(&mut self, act: impl FnOnce(&mut Self, Slot<'_>) -> Done) -> Done {
        self.allowed((self.scene.base, STATE))?;
        act(self, (self.scene.base, STATE))
    }

    /// The name that a directory has in another.
    fn named(&self, above: Object, dir: Object) -> Result<(Object, String), Errno> {
        let named = self.tree.entries(above).iter().find(|(_, object)| *object == dir);
        let name = named.and_then(|(name, _)| name.to_str()).ok_or(Errno::NOENT)?;
        Ok((above, name.to_owned()))
    }

    fn named_anywhere(&self, dir: Object) -> Result<(Object, String), Errno> {
        let Scene { q, base, yard, beyond, .. } = *self.scene;
        let mut places = vec![q, base, yard, beyond];
        places.extend(self.tree.dir(base, "q/n1"));
        places.into_iter().find_map(|above| self.named(above, dir).ok()).ok_or(Errno::NOENT)
    }

    /// Another directory in the place of the link's, with a link of the same name.
    fn twin(&mut self, text: Option<&str>) -> Done {
        let foe = self.scene.foe;
        let fresh = self.fresh();
        let twin = self.tree.make(foe, self.scene.yard, &fresh, FileKind::Dir)?;
        if let Some(text) = text {
            self.tree.symlink(foe, OsStr::new(text), twin, OsStr::new("l"))?;
        }
        let (above, name) = self.named_anywhere(self.parent())?;
        self.trade((self.scene.yard, &fresh), (above, &name))
    }

    fn seal(&mut self, dir: Object, mode: u32) -> Done {
        if self.tree.node(dir).mode == mode {
            return Err(Errno::INVAL);
        }
        self.tree.set_mode(self.scene.foe, dir, mode)
    }

    fn second_parent(&mut self, to: Object) -> Done {
        let (dir, _) = self.second()?;
        if dir == self.scene.p {
            return Err(Errno::NOENT);
        }
        self.move_to(self.named_anywhere(dir)?, to)
    }

    /// The first directory on the way that is missing.
    fn missing(&self) -> Result<Slot<'static>, Errno> {
        if self.scene.scenario.verb != Verb::Parents {
            return Err(Errno::NOENT);
        }
        let n1 = self.tree.dir(self.scene.base, "q/n1");
        let slots = [(self.scene.q, "n1"), (n1.unwrap_or(self.scene.q), "n2")];
        slots.into_iter().find(|slot| self.free(*slot).is_ok()).ok_or(Errno::EXIST)
    }

    /// The last directory on the way that is there.
    fn made(&self) -> Result<(Object, String), Errno> {
        if self.scene.scenario.verb != Verb::Parents {
            return Err(Errno::NOENT);
        }
        let n1 = self.tree.dir(self.scene.base, "q/n1").ok_or(Errno::NOENT)?;
        if self.tree.dir(n1, "n2").is_some() { Ok((n1, "n2".into())) } else { Ok((self.scene.q, "n1".into())) }
    }

    /// Puts the root, the directories and the link back where they were.
    fn put_back(&mut self) -> Done {
        let Scene { base, home, q, p, r, .. } = *self.scene;
        let mut done = Err(Errno::NOENT);
        for (dir, slot) in [(base, (home, "base")), (q, (base, "q")), (p, (q, "p")), (r, (q, "r"))] {
            if self.tree.get(slot.0, OsStr::new(slot.1)) != Some(dir) && self.bring_back(dir, slot).is_ok() {
                done = Ok(());
            }
        }
        let link = self.scene.tree.get(p, OsStr::new("l"));
        if let Some(link) = link
            && self.tree.get(p, OsStr::new("l")) != Some(link)
            && self.bring_back(link, (p, "l")).is_ok()
        {
            done = Ok(());
        }
        done
    }

    fn bring_back(&mut self, object: Object, slot: Slot<'_>) -> Done {
        self.allowed(slot)?;
        let Scene { home, base, yard, beyond, foe, .. } = *self.scene;
        let places = [home, base, yard, beyond];
        let from = places.into_iter().find_map(|above| self.named(above, object).ok()).ok_or(Errno::NOENT)?;
        self.allowed((from.0, &from.1))?;
        let (from, to) = ((from.0, OsStr::new(&from.1)), (slot.0, OsStr::new(slot.1)));
        match self.tree.get(to.0, to.1) {
            Some(_) => self.tree.exchange(foe, from, to),
            None => self.tree.rename_new(foe, from, to),
        }
    }
}
