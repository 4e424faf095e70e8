//! What an adversary does while the program is stopped, with the permissions of its user.
//!
//! Every directory is worked in by its descriptor, so that a deed does what it says wherever an earlier one moved it. A
//! deed that the permissions forbid, or that finds nothing to be done to, has no effect.

use std::ffi::OsString;

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::scene::{Layout, NEW, OLD, Scene};
use crate::view::{Id, Slot, View};

macro_rules! deeds {
    ($($deed:ident,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Deed { $($deed,)* }
        pub(crate) const DEEDS: &[Deed] = &[$(Deed::$deed,)*];
    };
}

deeds! {
    // The name of the link.
    NameFile, NameDir, NameFullDir, NameLinkOther, NameLinkOld, NameLinkNew, NameGone, NameStolen, NameHardLinked,
    NameTradedForFile, NameTradedForDir,
    // The second name of an exchange.
    SecondFile, SecondLinkOther, SecondGone, SecondTradedWithFirst,
    // What the program staged or moved aside, where it can be touched.
    StagedGone, StagedStolen, StagedHardLinked, StagedFile, StagedLinkOther, StagedTradedWithName,
    // The link's directory, the one above, and the root.
    ParentTradedForLinkOutside, ParentTradedForLinkInside, ParentMovedInside, ParentMovedOutside, ParentTwinOld,
    ParentTwinNew, ParentTwinEmpty, ParentFile, GrandMovedOutside, GrandTradedForLink, RootMoved, RootReplaced,
    // What the link is to lead to.
    TargetOutside, TargetGone, TargetFile,
    // Directories that are missing.
    MissingDir, MissingLinkOutside, MissingFile,
    // Everything as it was.
    PutBack,
}

type Done = Result<(), Errno>;

/// Does the deed; false where it had no effect. `made` counts what was made, for names that nothing has.
pub(crate) fn does(scene: &Scene, view: &View, deed: Deed, made: &mut usize) -> bool {
    Foe { scene, view, made }.act(deed).is_ok()
}

struct Foe<'a> {
    scene: &'a Scene,
    view: &'a View,
    made: &'a mut usize,
}

fn slot(dir: Id, name: &str) -> Slot {
    (dir, name.into())
}

impl Foe<'_> {
    fn act(&mut self, deed: Deed) -> Done {
        let places = self.scene.places;
        let parent = self.parent();
        let name = slot(parent, "l");
        match deed {
            Deed::NameFile => self.file().and_then(|made| self.place(&made, &name)),
            Deed::NameDir => self.directory().and_then(|made| self.place(&made, &name)),
            Deed::NameFullDir => {
                let made = self.directory()?;
                let fd = self.open(&made)?;
                rustix::fs::mkdirat(&fd, "inside", Mode::from_raw_mode(0o755))?;
                self.place(&made, &name)
            }
            Deed::NameLinkOther => self.link("../t3").and_then(|made| self.place(&made, &name)),
            Deed::NameLinkOld => self.link(OLD).and_then(|made| self.place(&made, &name)),
            Deed::NameLinkNew => self.link(NEW).and_then(|made| self.place(&made, &name)),
            Deed::NameGone => self.remove(&name),
            Deed::NameStolen => self.steal(&name),
            Deed::NameHardLinked => self.second_name(&name),
            Deed::NameTradedForFile => self.file().and_then(|made| self.trade(&made, &name)),
            Deed::NameTradedForDir => self.directory().and_then(|made| self.trade(&made, &name)),
            Deed::SecondFile => self.file().and_then(|made| self.place(&made, &self.second()?)),
            Deed::SecondLinkOther => self.link("../t3").and_then(|made| self.place(&made, &self.second()?)),
            Deed::SecondGone => self.remove(&self.second()?),
            Deed::SecondTradedWithFirst => self.trade(&name, &self.second()?),
            Deed::StagedGone => self.remove(&self.staged()?),
            Deed::StagedStolen => self.steal(&self.staged()?),
            Deed::StagedHardLinked => self.second_name(&self.staged()?),
            Deed::StagedFile => self.file().and_then(|made| self.place(&made, &self.staged()?)),
            Deed::StagedLinkOther => self.link("../t3").and_then(|made| self.place(&made, &self.staged()?)),
            Deed::StagedTradedWithName => self.trade(&self.staged()?, &name),
            Deed::ParentTradedForLinkOutside => self.trade_for_link(&self.outside("yard"), parent),
            Deed::ParentTradedForLinkInside => self.trade_for_link("r", parent),
            Deed::ParentMovedInside => self.move_to(parent, places.yard),
            Deed::ParentMovedOutside => self.move_to(parent, places.beyond),
            Deed::ParentTwinOld => self.twin(parent, Some(OLD)),
            Deed::ParentTwinNew => self.twin(parent, Some(NEW)),
            Deed::ParentTwinEmpty => self.twin(parent, None),
            Deed::ParentFile => self.file().and_then(|made| self.trade(&made, &self.named(parent)?)),
            Deed::GrandMovedOutside => self.move_to(places.q, places.beyond),
            Deed::GrandTradedForLink => self.trade_for_link(&self.outside("yard"), places.q),
            Deed::RootMoved => self.move_to(places.base, places.home),
            Deed::RootReplaced => {
                self.move_to(places.base, places.beyond)?;
                let made = self.directory()?;
                let new = self.open(&made)?;
                let mode = Mode::from_raw_mode(0o755);
                ["q", "q/p"].into_iter().try_for_each(|path| rustix::fs::mkdirat(&new, path, mode))?;
                rustix::fs::symlinkat(OLD, &new, "q/p/l")?;
                self.rename(&made, &slot(places.home, "base"), RenameFlags::NOREPLACE)
            }
            Deed::TargetOutside => self.trade_for_link(&self.outside(""), self.target()?),
            Deed::TargetGone => self.steal(&slot(places.q, "t2")),
            Deed::TargetFile => self.file().and_then(|made| self.trade(&made, &slot(places.q, "t2"))),
            Deed::MissingDir => self.directory().and_then(|made| self.place(&made, &self.missing()?)),
            Deed::MissingLinkOutside => {
                self.link(&self.outside("yard")).and_then(|made| self.place(&made, &self.missing()?))
            }
            Deed::MissingFile => self.file().and_then(|made| self.place(&made, &self.missing()?)),
            Deed::PutBack => self.put_back(),
        }
    }

    /// The link's directory, or the deepest that is there.
    fn parent(&self) -> Id {
        let scene = self.scene;
        let above = scene.scenario.verb.links()[0].rsplit_once('/').map_or("", |(above, _)| above);
        match above {
            "q/p" => scene.places.p,
            _ => self.view.walk(scene.places.base, above).unwrap_or(scene.places.q),
        }
    }

    fn second(&self) -> Result<Slot, Errno> {
        let places = self.scene.places;
        match self.scene.scenario.verb.links().get(1) {
            Some(path) => Ok(slot(if path.starts_with("q/r") { places.r } else { places.p }, "m")),
            None => Err(Errno::NOENT),
        }
    }

    /// What the program keeps beside the link for now.
    fn staged(&self) -> Result<Slot, Errno> {
        let parent = self.parent();
        let is_staged = |(dir, name): &&Slot| {
            let name = name.to_string_lossy();
            *dir == parent && (name.starts_with(".caplink-") || name.starts_with("l.backup"))
        };
        self.view.rows.keys().find(is_staged).cloned().ok_or(Errno::NOENT)
    }

    /// The first directory on the way that is missing.
    fn missing(&self) -> Result<Slot, Errno> {
        let places = self.scene.places;
        if self.scene.scenario.verb.links()[0] != "q/n1/n2/l" {
            return Err(Errno::NOENT);
        }
        let free = |slot: &Slot| !self.view.rows.contains_key(slot);
        let n1 = self.view.get(places.q, "n1").unwrap_or(places.q);
        [slot(places.q, "n1"), slot(n1, "n2")].into_iter().find(free).ok_or(Errno::EXIST)
    }

    fn target(&self) -> Result<Id, Errno> {
        self.view.get(self.scene.places.q, "t2").ok_or(Errno::NOENT)
    }

    /// A path to the canary.
    fn outside(&self, below: &str) -> String {
        self.scene.ground.join("out").join(below).to_string_lossy().into_owned()
    }

    fn named(&self, object: Id) -> Result<Slot, Errno> {
        self.view.place(object).cloned().ok_or(Errno::NOENT)
    }

    /// Whether the adversary may change this name.
    fn allowed(&self, (dir, name): &Slot) -> Done {
        let scene = self.scene;
        let name = name.to_string_lossy();
        let own = name.starts_with(".caplink") || name.starts_with("l.backup");
        let places = scene.places;
        let allowed = match scene.scenario.layout {
            Layout::Private => !own && *dir != self.view.top && !self.in_state(*dir),
            Layout::Open => {
                let writable = [places.home, places.yard, places.q, places.p, places.r, places.beyond];
                writable.contains(dir) || self.view.is_below(*dir, places.yard)
            }
        };
        if allowed && !self.view.is_below(*dir, places.out) { Ok(()) } else { Err(Errno::PERM) }
    }

    fn in_state(&self, dir: Id) -> bool {
        let state = self.view.get(self.scene.places.base, ".caplink");
        state.is_some_and(|state| self.view.is_below(dir, state))
    }

    fn open(&self, (dir, name): &Slot) -> Result<rustix::fd::OwnedFd, Errno> {
        let fd = self.scene.dir(*dir).ok_or(Errno::BADF)?;
        rustix::fs::openat(fd, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
    }

    fn fresh(&mut self) -> Slot {
        *self.made += 1;
        slot(self.scene.places.yard, &format!("n{}", self.made))
    }

    fn file(&mut self) -> Result<Slot, Errno> {
        let fresh = self.fresh();
        let fd = self.scene.dir(fresh.0).ok_or(Errno::BADF)?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(fd, &fresh.1, flags, Mode::from_raw_mode(0o644))?;
        rustix::io::write(&file, format!("of the adversary: {}", self.made).as_bytes())?;
        Ok(fresh)
    }

    fn directory(&mut self) -> Result<Slot, Errno> {
        let fresh = self.fresh();
        rustix::fs::mkdirat(self.scene.dir(fresh.0).ok_or(Errno::BADF)?, &fresh.1, Mode::from_raw_mode(0o755))?;
        Ok(fresh)
    }

    fn link(&mut self, text: &str) -> Result<Slot, Errno> {
        let fresh = self.fresh();
        rustix::fs::symlinkat(text, self.scene.dir(fresh.0).ok_or(Errno::BADF)?, &fresh.1)?;
        Ok(fresh)
    }

    fn rename(&self, from: &Slot, to: &Slot, flags: RenameFlags) -> Done {
        self.allowed(from)?;
        self.allowed(to)?;
        let dir = |slot: &Slot| self.scene.dir(slot.0).ok_or(Errno::BADF);
        rustix::fs::renameat_with(dir(from)?, &from.1, dir(to)?, &to.1, flags)
    }

    /// Brings something to a name; what had the name is replaced, or traded for it.
    fn place(&self, made: &Slot, to: &Slot) -> Done {
        let is_dir = |fd: rustix::fd::OwnedFd| {
            rustix::fs::fstat(&fd).is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir())
        };
        let new = is_dir(self.open(made)?);
        match self.view.rows.get(to) {
            None => self.rename(made, to, RenameFlags::NOREPLACE),
            Some(old) if new || self.view.is_dir(*old) => self.rename(made, to, RenameFlags::EXCHANGE),
            Some(_) => self.rename(made, to, RenameFlags::empty()),
        }
    }

    fn trade(&self, a: &Slot, b: &Slot) -> Done {
        self.rename(a, b, RenameFlags::EXCHANGE)
    }

    fn trade_for_link(&mut self, text: &str, dir: Id) -> Done {
        let place = self.named(dir)?;
        self.link(text).and_then(|made| self.trade(&made, &place))
    }

    fn remove(&self, slot: &Slot) -> Done {
        self.allowed(slot)?;
        let dir = self.scene.dir(slot.0).ok_or(Errno::BADF)?;
        match rustix::fs::unlinkat(dir, &slot.1, AtFlags::empty()) {
            Err(Errno::ISDIR) => rustix::fs::unlinkat(dir, &slot.1, AtFlags::REMOVEDIR),
            result => result,
        }
    }

    fn steal(&mut self, from: &Slot) -> Done {
        let fresh = self.fresh();
        self.rename(from, &fresh, RenameFlags::NOREPLACE)
    }

    fn second_name(&mut self, of: &Slot) -> Done {
        self.allowed(of)?;
        let fresh = self.fresh();
        let dir = |slot: &Slot| self.scene.dir(slot.0).ok_or(Errno::BADF);
        rustix::fs::linkat(dir(of)?, &of.1, dir(&fresh)?, &fresh.1, AtFlags::empty())
    }

    fn move_to(&mut self, object: Id, to: Id) -> Done {
        let from = self.named(object)?;
        *self.made += 1;
        let name: OsString = format!("n{}-{}", self.made, from.1.display()).into();
        self.rename(&from, &(to, name), RenameFlags::NOREPLACE)
    }

    /// Another directory in the place of the link's, with a link of the same name.
    fn twin(&mut self, parent: Id, text: Option<&str>) -> Done {
        let made = self.directory()?;
        if let Some(text) = text {
            rustix::fs::symlinkat(text, self.open(&made)?, "l")?;
        }
        self.trade(&made, &self.named(parent)?)
    }

    /// Puts the root, the directories, the links and the target back where they were.
    fn put_back(&mut self) -> Done {
        let scene = self.scene;
        let mut done = Err(Errno::NOENT);
        let mut objects: Vec<(&Slot, Id)> = scene.first.rows.iter().map(|(slot, id)| (slot, *id)).collect();
        // From the top down.
        objects.sort_by_key(|(_, id)| scene.first.path(*id).map_or(0, |path| path.components().count()));
        for (home, object) in objects {
            let now = scene.view();
            if now.rows.get(home) == Some(&object) {
                continue;
            }
            let Some(place) = now.place(object).cloned() else { continue };
            let flags = if now.rows.contains_key(home) { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
            let back = Foe { scene, view: &now, made: self.made }.rename(&place, home, flags);
            done = done.or(back);
        }
        done
    }
}
