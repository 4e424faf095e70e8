//! The moves that the attacker's actions consist of.

use std::ffi::OsStr;

use caplink::FileKind;
use rustix::io::Errno;

use super::attacker::{Attacker, Calls, Done, Id, slot};
use super::scenario::STATE;
use super::trees::Places;
use super::view::{Slot, View as _};

impl<T: Calls> Attacker<'_, T> {
    /// The directory of the first link.
    pub(super) fn parent(&self) -> Id<T> {
        let Places { base, q, p, .. } = self.target.places;
        if self.target.verb.makes_parents() { self.view().directory(base, "q/n1/n2").unwrap_or(q) } else { p }
    }

    /// The name of the second link.
    pub(super) fn second(&self) -> Result<Slot<'static, Id<T>>, Errno> {
        let path = self.target.verb.second().ok_or(Errno::NOENT)?;
        let Places { p, r, .. } = self.target.places;
        Ok(slot(if path.starts_with("q/r") { r } else { p }, "m"))
    }

    /// The first directory on the way that is missing.
    pub(super) fn missing(&self) -> Result<Slot<'static, Id<T>>, Errno> {
        if !self.target.verb.makes_parents() {
            return Err(Errno::NOENT);
        }
        let Places { base, q, .. } = self.target.places;
        let n1 = self.view().directory(base, "q/n1").unwrap_or(q);
        let names = [slot(q, "n1"), slot(n1, "n2")];
        names.into_iter().find(|name| self.free(*name).is_ok()).ok_or(Errno::EXIST)
    }

    /// The last directory on the way that is there.
    pub(super) fn made(&self) -> Result<Slot<'static, Id<T>>, Errno> {
        if !self.target.verb.makes_parents() {
            return Err(Errno::NOENT);
        }
        let Places { base, q, .. } = self.target.places;
        let n1 = self.view().directory(base, "q/n1").ok_or(Errno::NOENT)?;
        Ok(if self.view().directory(n1, "n2").is_some() { slot(n1, "n2") } else { slot(q, "n1") })
    }

    /// Whether the attacker touches a name: one of the executor's own user spares what is the executor's.
    pub(super) fn allowed(&self, (dir, name): Slot<'_, Id<T>>) -> Done {
        self.tree.may_change(dir)?;
        let name = name.to_string_lossy();
        let own = name.starts_with(STATE) || name.starts_with("l.backup");
        let state = || self.view().get(self.target.places.base, OsStr::new(STATE));
        let spared = own || state().is_some_and(|state| self.view().is_below(dir, state));
        if self.target.layout.is_same_user() && spared { Err(Errno::PERM) } else { Ok(()) }
    }

    pub(super) fn free<'a>(&self, at: Slot<'a, Id<T>>) -> Result<Slot<'a, Id<T>>, Errno> {
        if self.view().get(at.0, at.1).is_some() { Err(Errno::EXIST) } else { Ok(at) }
    }

    /// Brings something that was made in the yard to a name; what had the name is replaced, or exchanged with it.
    pub(super) fn place(&mut self, fresh: &str, to: Slot<'_, Id<T>>) -> Done {
        self.allowed(to)?;
        let from = slot(self.target.places.yard, fresh);
        let is_dir = |view: &T::View, at: Slot<'_, Id<T>>| {
            view.get(at.0, at.1).is_some_and(|found| view.kind(found) == FileKind::Dir)
        };
        let new = is_dir(self.view(), from);
        let placed = match self.view().get(to.0, to.1) {
            None => self.tree.rename_new(from, to),
            Some(_) if new || is_dir(self.view(), to) => self.tree.exchange(from, to),
            Some(_) => self.tree.rename_over(from, to),
        };
        if placed.is_err() && !new {
            let _cleaned = self.tree.unlink(from);
        }
        placed
    }

    pub(super) fn put(&mut self, kind: FileKind, at: Slot<'_, Id<T>>) -> Done {
        let fresh = self.tree.fresh();
        self.tree.make(slot(self.target.places.yard, &fresh), kind)?;
        self.place(&fresh, at)
    }

    pub(super) fn put_link(&mut self, text: &str, at: Slot<'_, Id<T>>) -> Done {
        let fresh = self.tree.fresh();
        self.tree.symlink(OsStr::new(text), slot(self.target.places.yard, &fresh))?;
        self.place(&fresh, at)
    }

    pub(super) fn exchange(&mut self, a: Slot<'_, Id<T>>, b: Slot<'_, Id<T>>) -> Done {
        self.allowed(a)?;
        self.allowed(b)?;
        self.tree.exchange(a, b)
    }

    pub(super) fn exchange_for(&mut self, kind: FileKind, at: Slot<'_, Id<T>>) -> Done {
        self.allowed(at)?;
        let fresh = self.tree.fresh();
        let made = slot(self.target.places.yard, &fresh);
        self.tree.make(made, kind)?;
        self.exchange(made, at)
    }

    pub(super) fn exchange_link_for(&mut self, text: &str, at: Slot<'_, Id<T>>) -> Done {
        self.allowed(at)?;
        let fresh = self.tree.fresh();
        let made = slot(self.target.places.yard, &fresh);
        self.tree.symlink(OsStr::new(text), made)?;
        self.exchange(made, at)
    }

    pub(super) fn exchange_dir_for_link(&mut self, text: &str, dir: Id<T>) -> Done {
        let (above, name) = self.named_anywhere(dir)?;
        self.exchange_link_for(text, slot(above, &name))
    }

    pub(super) fn over(&mut self, from: Slot<'_, Id<T>>, to: Slot<'_, Id<T>>) -> Done {
        self.allowed(from)?;
        self.allowed(to)?;
        self.tree.rename_over(from, to)
    }

    pub(super) fn remove(&mut self, at: Slot<'_, Id<T>>) -> Done {
        self.allowed(at)?;
        match self.tree.unlink(at) {
            Err(Errno::ISDIR) => self.tree.remove_dir(at),
            result => result,
        }
    }

    pub(super) fn steal(&mut self, at: Slot<'_, Id<T>>) -> Done {
        self.move_to(at, self.target.places.yard)
    }

    pub(super) fn second_name(&mut self, of: Slot<'_, Id<T>>) -> Done {
        self.allowed(of)?;
        let fresh = self.tree.fresh();
        self.tree.hard_link(of, slot(self.target.places.yard, &fresh))
    }

    pub(super) fn move_to(&mut self, from: Slot<'_, Id<T>>, to: Id<T>) -> Done {
        self.allowed(from)?;
        let fresh = format!("{}-{}", self.tree.fresh(), from.1.display());
        self.allowed(slot(to, &fresh))?;
        self.tree.rename_new(from, slot(to, &fresh))
    }

    pub(super) fn move_dir(&mut self, dir: Id<T>, to: Id<T>) -> Done {
        let (above, name) = self.named_anywhere(dir)?;
        self.move_to(slot(above, &name), to)
    }

    pub(super) fn move_second_parent(&mut self, to: Id<T>) -> Done {
        let (dir, _) = self.second()?;
        if dir == self.target.places.p { Err(Errno::NOENT) } else { self.move_dir(dir, to) }
    }

    pub(super) fn on_staged(&mut self, act: impl FnOnce(&mut Self, Slot<'_, Id<T>>) -> Done) -> Done {
        let parent = self.parent();
        let staged = |name: &str| name.starts_with(".caplink-") || name.starts_with("l.backup");
        let name = self.names(parent).into_iter().rev().find(|name| staged(name)).ok_or(Errno::NOENT)?;
        act(self, slot(parent, &name))
    }

    pub(super) fn names(&self, dir: Id<T>) -> Vec<String> {
        self.view().entries(dir).filter_map(|(name, _)| name.to_str().map(str::to_owned)).collect()
    }

    /// The name that an object has in a directory.
    pub(super) fn named(&self, above: Id<T>, object: Id<T>) -> Result<String, Errno> {
        let named = self.view().entries(above).find(|(_, found)| *found == object);
        named.and_then(|(name, _)| name.to_str().map(str::to_owned)).ok_or(Errno::NOENT)
    }

    /// The name of an object, in whatever place it was put.
    pub(super) fn named_anywhere(&self, object: Id<T>) -> Result<(Id<T>, String), Errno> {
        let Places { home, base, q, p, r, yard, beyond, .. } = self.target.places;
        let mut places = vec![q, base, yard, beyond, home, p, r];
        places.extend(self.view().directory(base, "q/n1"));
        let named = |above: Id<T>| Some((above, self.named(above, object).ok()?));
        places.into_iter().find_map(named).ok_or(Errno::NOENT)
    }

    /// Another directory in the place of the link's, with a link of the same name.
    pub(super) fn twin(&mut self, text: Option<&str>) -> Done {
        let fresh = self.tree.fresh();
        let made = slot(self.target.places.yard, &fresh);
        let twin = self.tree.make(made, FileKind::Dir)?;
        if let Some(text) = text {
            self.tree.symlink(OsStr::new(text), slot(twin, "l"))?;
        }
        let (above, name) = self.named_anywhere(self.parent())?;
        self.exchange(made, slot(above, &name))
    }

    pub(super) fn seal(&mut self, dir: Id<T>, mode: u32) -> Done {
        self.tree.may_change(dir)?;
        self.tree.set_mode(dir, mode)
    }

    /// The locks of both directories: one of them is enough.
    pub(super) fn on_locks(&mut self, act: fn(&mut T, Id<T>) -> Done) -> Done {
        let Places { p, r, .. } = self.target.places;
        let (one, two) = (act(self.tree, p), act(self.tree, r));
        one.or(two)
    }

    pub(super) fn put_back(&mut self) -> Done {
        let mut done = Err(Errno::NOENT);
        for (dir, name, object) in &self.target.homes {
            if self.view().get(*dir, OsStr::new(name)) != Some(*object) {
                done = done.or(self.bring_back(*object, slot(*dir, name)));
            }
        }
        done
    }

    fn bring_back(&mut self, object: Id<T>, to: Slot<'_, Id<T>>) -> Done {
        let (dir, name) = self.named_anywhere(object)?;
        let from = slot(dir, &name);
        self.allowed(from)?;
        self.allowed(to)?;
        match self.view().get(to.0, to.1) {
            Some(_) => self.tree.exchange(from, to),
            None => self.tree.rename_new(from, to),
        }
    }
}
