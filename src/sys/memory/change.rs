//! The changes of names: what the kernel checks, and one record each.

use std::ffi::OsStr;

use rustix::io::Errno;

use super::tree::{Actor, Body, Name, Object, Subject, Tree};
use crate::error::FileKind;

/// What was done to names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Make,
    Link,
    Unlink,
    RemoveDir,
    RenameNew,
    RenameOver,
    Exchange,
}

/// One change, of one or two names.
#[derive(Clone, Debug, Hash)]
pub struct Change {
    pub actor: Actor,
    pub step: Step,
    pub slots: Vec<Slot>,
    pub(super) durable: bool,
}

/// A name, what had it and what has it now.
#[derive(Clone, Debug, Hash)]
pub struct Slot {
    pub dir: Object,
    pub name: Name,
    pub before: Option<Object>,
    pub after: Option<Object>,
}

type Place<'a> = (Object, &'a OsStr);

impl Tree {
    fn writable(&self, who: Subject, dir: Object) -> Result<(), Errno> {
        if self.node(dir).kind != FileKind::Dir {
            return Err(Errno::NOTDIR);
        }
        if self.node(dir).links == 0 {
            return Err(Errno::NOENT);
        }
        if self.may(who, dir, 3) { Ok(()) } else { Err(Errno::ACCESS) }
    }

    /// Whether a name may be taken from an object: in a sticky directory only by an owner.
    fn removable(&self, who: Subject, dir: Object, victim: Object) -> Result<(), Errno> {
        self.writable(who, dir)?;
        let (dir, victim) = (self.node(dir), self.node(victim));
        let owner = who.uid == 0 || who.uid == dir.uid || who.uid == victim.uid;
        if dir.mode & 0o1000 != 0 && !owner { Err(Errno::PERM) } else { Ok(()) }
    }

    fn free_name(&self, who: Subject, (dir, name): Place<'_>) -> Result<(), Errno> {
        match self.lookup(who, dir, name) {
            Ok(_) => Err(Errno::EXIST),
            Err(Errno::NOENT) => self.writable(who, dir),
            Err(error) => Err(error),
        }
    }

    fn set(&mut self, (dir, name): Place<'_>, object: Option<Object>) -> Slot {
        let name: Name = name.into();
        let Body::Dir { entries, .. } = &mut self.node_mut(dir).body else {
            unreachable!("BUG: names are set in directories")
        };
        let at = entries.iter().position(|(other, _)| *other == name);
        let before = at.map(|at| entries[at].1);
        match (at, object) {
            (Some(at), Some(object)) => entries[at].1 = object,
            (Some(at), None) => drop(entries.remove(at)),
            (None, Some(object)) => entries.push((name.clone(), object)),
            (None, None) => {}
        }
        Slot { dir, name, before, after: object }
    }

    fn record(&mut self, who: Subject, step: Step, slots: Vec<Slot>) {
        self.log.push(Change { actor: who.actor, step, slots, durable: false });
    }

    fn drop_link(&mut self, object: Object) {
        self.node_mut(object).links -= 1;
        self.release(object);
    }

    pub fn make(&mut self, who: Subject, dir: Object, name: &str, kind: FileKind) -> Result<Object, Errno> {
        let body = match kind {
            FileKind::Dir => Body::Dir { entries: Vec::new(), parent: dir },
            _ => Body::Other,
        };
        self.make_node(who, (dir, name.as_ref()), kind, if kind == FileKind::Dir { 0o755 } else { 0o644 }, body)
    }

    pub(super) fn make_dir(&mut self, who: Subject, at: Place<'_>, mode: u32) -> Result<Object, Errno> {
        let mode = mode & !self.umask;
        self.make_node(who, at, FileKind::Dir, mode, Body::Dir { entries: Vec::new(), parent: at.0 })
    }

    pub fn symlink(&mut self, who: Subject, text: &OsStr, dir: Object, name: &OsStr) -> Result<Object, Errno> {
        match text.len() {
            0 => return Err(Errno::NOENT),
            4096.. => return Err(Errno::NAMETOOLONG),
            _ => {}
        }
        self.make_node(who, (dir, name), FileKind::Symlink, 0o777, Body::Link(text.into()))
    }

    fn make_node(
        &mut self,
        who: Subject,
        at: Place<'_>,
        kind: FileKind,
        mode: u32,
        body: Body,
    ) -> Result<Object, Errno> {
        self.free_name(who, at)?;
        let device = self.node(at.0).device;
        let object = self.allocate(who, kind, mode, device, body);
        let slot = self.set(at, Some(object));
        self.record(who, Step::Make, vec![slot]);
        Ok(object)
    }

    pub fn hard_link(&mut self, who: Subject, from: Place<'_>, to: Place<'_>) -> Result<(), Errno> {
        let object = self.lookup(who, from.0, from.1)?;
        self.free_name(who, to)?;
        if self.node(object).device != self.node(to.0).device {
            return Err(Errno::XDEV);
        }
        if self.node(object).kind == FileKind::Dir {
            return Err(Errno::PERM);
        }
        self.node_mut(object).links += 1;
        let slot = self.set(to, Some(object));
        self.record(who, Step::Link, vec![slot]);
        Ok(())
    }

    pub fn unlink(&mut self, who: Subject, dir: Object, name: &OsStr) -> Result<(), Errno> {
        let object = self.lookup(who, dir, name)?;
        self.removable(who, dir, object)?;
        if self.node(object).kind == FileKind::Dir {
            return Err(Errno::ISDIR);
        }
        let slot = self.set((dir, name), None);
        self.record(who, Step::Unlink, vec![slot]);
        self.drop_link(object);
        Ok(())
    }

    pub fn remove_dir(&mut self, who: Subject, dir: Object, name: &OsStr) -> Result<(), Errno> {
        let object = self.lookup(who, dir, name)?;
        self.removable(who, dir, object)?;
        if self.node(object).kind != FileKind::Dir {
            return Err(Errno::NOTDIR);
        }
        if !self.entries(object).is_empty() {
            return Err(Errno::NOTEMPTY);
        }
        let slot = self.set((dir, name), None);
        self.record(who, Step::RemoveDir, vec![slot]);
        self.drop_link(object);
        Ok(())
    }

    /// Looks both names of a rename up; the second may be free.
    fn both(&self, who: Subject, from: Place<'_>, to: Place<'_>) -> Result<(Object, Option<Object>), Errno> {
        if self.node(from.0).device != self.node(to.0).device {
            return Err(Errno::XDEV);
        }
        let object = self.lookup(who, from.0, from.1)?;
        match self.lookup(who, to.0, to.1) {
            Ok(other) => Ok((object, Some(other))),
            Err(Errno::NOENT) => Ok((object, None)),
            Err(error) => Err(error),
        }
    }

    /// A directory cannot go below itself.
    fn not_into_itself(&self, object: Object, to: Object) -> Result<(), Errno> {
        let dir = self.node(object).kind == FileKind::Dir;
        if dir && self.is_below(to, object) { Err(Errno::INVAL) } else { Ok(()) }
    }

    fn may_move(&self, who: Subject, from: Object, object: Object, to: Object) -> Result<(), Errno> {
        self.removable(who, from, object)?;
        // The `..` of a directory is written.
        let dir = self.node(object).kind == FileKind::Dir;
        if dir && from != to && !self.may(who, object, 2) { Err(Errno::ACCESS) } else { Ok(()) }
    }

    fn adopt(&mut self, object: Object, dir: Object) {
        if let Body::Dir { parent, .. } = &mut self.node_mut(object).body {
            *parent = dir;
        }
    }

    pub fn rename_new(&mut self, who: Subject, from: Place<'_>, to: Place<'_>) -> Result<(), Errno> {
        let (object, other) = self.both(who, from, to)?;
        if other.is_some() {
            return Err(Errno::EXIST);
        }
        self.not_into_itself(object, to.0)?;
        self.may_move(who, from.0, object, to.0)?;
        self.writable(who, to.0)?;
        let slots = vec![self.set(from, None), self.set(to, Some(object))];
        self.adopt(object, to.0);
        self.record(who, Step::RenameNew, slots);
        Ok(())
    }

    pub fn rename_over(&mut self, who: Subject, from: Place<'_>, to: Place<'_>) -> Result<(), Errno> {
        let (object, victim) = self.both(who, from, to)?;
        self.not_into_itself(object, to.0)?;
        match victim {
            Some(victim) if self.node(victim).kind == FileKind::Dir && self.is_below(from.0, victim) => {
                return Err(Errno::NOTEMPTY);
            }
            // Two names of one object: nothing is done.
            Some(victim) if victim == object => return Ok(()),
            _ => {}
        }
        self.may_move(who, from.0, object, to.0)?;
        self.writable(who, to.0)?;
        if let Some(victim) = victim {
            self.removable(who, to.0, victim)?;
            let is_dir = |of| self.node(of).kind == FileKind::Dir;
            match (is_dir(object), is_dir(victim)) {
                (true, false) => return Err(Errno::NOTDIR),
                (false, true) => return Err(Errno::ISDIR),
                (true, true) if !self.entries(victim).is_empty() => return Err(Errno::NOTEMPTY),
                _ => {}
            }
        }
        let slots = vec![self.set(from, None), self.set(to, Some(object))];
        self.adopt(object, to.0);
        self.record(who, Step::RenameOver, slots);
        if let Some(victim) = victim {
            self.drop_link(victim);
        }
        Ok(())
    }

    pub fn exchange(&mut self, who: Subject, a: Place<'_>, b: Place<'_>) -> Result<(), Errno> {
        let (one, two) = self.both(who, a, b)?;
        let two = two.ok_or(Errno::NOENT)?;
        self.not_into_itself(one, b.0)?;
        self.not_into_itself(two, a.0)?;
        if one == two {
            return Ok(());
        }
        self.may_move(who, a.0, one, b.0)?;
        self.may_move(who, b.0, two, a.0)?;
        let slots = vec![self.set(a, Some(two)), self.set(b, Some(one))];
        self.adopt(one, b.0);
        self.adopt(two, a.0);
        self.record(who, Step::Exchange, slots);
        Ok(())
    }
}
