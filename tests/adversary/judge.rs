//! Holds the laws over one run: what others put where, what the executor did, and what it says it did.
//!
//! The books say where every object of others is by the will of others. A change of theirs changes the books, one of the
//! executor's does not; what differs at the end must follow from the answer. An object of others whose name was given
//! to another while the executor had moved it is adrift: it may go back or be kept and named, but not be dropped.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use caplink::FileKind;
use caplink::adversary::{Actor, Call, Change as Written, Name, Object, Slot, Step, Tree};

use crate::scene::{Fate, GONE, STATE, Scene, Verb};

/// The most calls of one run; waiting for a lock takes most of them, or trying a thousand names for a backup.
const CALLS_MAX: usize = 10_000;

pub(crate) type Row = (Object, Name, Object);

/// What the walk from the root found at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Moment {
    /// How many changes had been made.
    pub(crate) changes: usize,
    /// For each link: its directory, and what has its name there.
    pub(crate) links: Vec<(Option<Object>, Option<Object>)>,
}

pub(crate) struct Judge {
    pub(crate) scene: Scene,
    pub(crate) books: Vec<Row>,
    pub(crate) live: Vec<Row>,
    pub(crate) adrift: Vec<Row>,
    pub(crate) outside: Vec<Object>,
    /// Every name that a directory ever had.
    pub(crate) named: Vec<(Object, Name)>,
    pub(crate) moments: Vec<Moment>,
    pub(crate) changes: usize,
    pub(crate) calls: usize,
    /// Whether others changed anything.
    pub(crate) disturbed: bool,
    /// How many deeds had an effect.
    pub(crate) deeds: usize,
    /// Whether a lock was held by a stranger.
    pub(crate) locked: bool,
    /// Whether others took the place where the executor takes back what it made: its private directory, or the name of
    /// one.
    pub(crate) unhoused: bool,
    /// Whether others changed something just before the present call.
    pub(crate) meddled: bool,
    /// After how many calls others changed something last.
    pub(crate) last_meddled: Option<usize>,
    pub(crate) excused: Vec<Object>,
    /// Whether the executor changed something that was outside the root at that moment.
    pub(crate) reached_outside: bool,
    /// Whether it moved or removed something of others that is no link, which it was not asked to.
    pub(crate) moved_others: bool,
    /// Whether the kernel said what is not so.
    pub(crate) told_false: bool,
    /// Whether the file system refused a second name.
    pub(crate) no_second_names: bool,
    /// Names that a host without exchange renamed over while others took them.
    pub(crate) overwritten: Vec<(Object, Name)>,
    /// What the executor made and others put somewhere: it is theirs.
    pub(crate) adopted: Vec<Object>,
    /// What others put under the name of a backup, where they can reach it: it may be moved, but not lost.
    pub(crate) loose: Vec<Object>,
    /// What others took from names.
    pub(crate) taken: Vec<Row>,
    /// What ever had which name.
    pub(crate) ever: Vec<Row>,
    /// The executor could not look into a directory at some moment.
    pub(crate) sealed: bool,
    pub(crate) wrongs: Vec<String>,
}

pub(crate) fn row(rows: &[Row], slot: (Object, &OsStr)) -> Option<Object> {
    rows.iter().find(|(dir, name, _)| *dir == slot.0 && **name == *slot.1).map(|(_, _, object)| *object)
}

fn set(rows: &mut Vec<Row>, dir: Object, name: &Name, object: Option<Object>) {
    rows.retain(|(d, n, _)| (*d, n) != (dir, name));
    rows.extend(object.map(|object| (dir, name.clone(), object)));
}

impl Judge {
    /// Begins with this tree, which may be another than the scene's first.
    pub(crate) fn of(scene: &Scene, tree: &Tree) -> Judge {
        let mut books = Vec::new();
        for dir in tree.objects().filter(|dir| tree.node(*dir).links > 0) {
            books.extend(tree.entries(dir).iter().map(|(name, object)| (dir, name.clone(), *object)));
        }
        let named = books.iter().map(|(_, name, object)| (*object, name.clone())).collect();
        let mut judge = Judge {
            scene: scene.clone(),
            live: books.clone(),
            books: books.clone(),
            adrift: Vec::new(),
            outside: scene.outside.clone(),
            named,
            moments: Vec::new(),
            changes: 0,
            calls: 0,
            disturbed: false,
            deeds: 0,
            locked: false,
            unhoused: false,
            meddled: false,
            last_meddled: None,
            excused: Vec::new(),
            reached_outside: false,
            moved_others: false,
            told_false: false,
            no_second_names: false,
            overwritten: Vec::new(),
            adopted: Vec::new(),
            loose: Vec::new(),
            taken: Vec::new(),
            ever: books.clone(),
            sealed: false,
            wrongs: Vec::new(),
        };
        judge.look(tree);
        judge
    }

    pub(crate) fn wrong(&mut self, law: &str, what: impl Into<String>) {
        let what = what.into();
        self.wrongs.push(format!("{law}: {what}"));
    }

    /// Before a call: what others did.
    pub(crate) fn before(&mut self, tree: &Tree) {
        self.meddled = tree.log().len() > self.changes;
        if self.meddled {
            self.last_meddled = Some(self.calls);
        }
        // Where a confined executor's directory is moved out of the root, it reaches it no more.
        let below = |dir: Object| tree.is_below(dir, self.scene.base);
        self.unhoused |= self.scene.scenario.confined && ![self.scene.p, self.scene.r].into_iter().all(below);
        let sealed = || tree.objects().any(|dir| tree.node(dir).mode == 0);
        self.sealed |= self.scene.scenario.executor() != 0 && sealed();
        self.read(tree);
    }

    /// After a call: what the executor did.
    pub(crate) fn after(&mut self, tree: &Tree, call: Call, failed: bool) {
        self.no_second_names |= failed && call == Call::HardLink;
        self.calls += 1;
        if self.calls == CALLS_MAX {
            self.wrong("bounded", "too many calls");
        }
        assert!(self.calls < 2 * CALLS_MAX, "it does not end");
        self.read(tree);
    }

    fn read(&mut self, tree: &Tree) {
        if tree.log().len() == self.changes {
            return;
        }
        for change in &tree.log()[self.changes..] {
            self.changes += 1;
            for slot in &change.slots {
                if let Some(object) = slot.after {
                    self.named.push((object, slot.name.clone()));
                }
                if let Some(object) = slot.before.filter(|_| change.actor == Actor::Other) {
                    self.taken.push((slot.dir, slot.name.clone(), object));
                }
                self.ever.extend(slot.after.map(|object| (slot.dir, slot.name.clone(), object)));
            }
            match change.actor {
                Actor::Other => self.others(tree, change),
                Actor::Executor => self.executor(tree, change),
            }
            for slot in &change.slots {
                set(&mut self.live, slot.dir, &slot.name, slot.after);
            }
        }
        self.look(tree);
    }

    fn look(&mut self, tree: &Tree) {
        let links = self.scene.scenario.links().iter().map(|link| {
            let (dir, name) = link.rsplit_once('/').unwrap_or(("", link));
            let dir = tree.dir(self.scene.base, dir);
            (dir, dir.and_then(|dir| tree.get(dir, OsStr::new(name))))
        });
        let moment = Moment { changes: self.changes, links: links.collect() };
        if self.moments.last() != Some(&moment) {
            self.moments.push(moment);
        }
    }

    fn others(&mut self, tree: &Tree, change: &Written) {
        self.disturbed = true;
        let own_dir = |dir: Object| tree.node(dir).kind == FileKind::Dir && tree.node(dir).maker == Actor::Executor;
        self.unhoused |=
            change.slots.iter().any(|slot| slot.before.is_some_and(own_dir) || *slot.name == *OsStr::new(STATE));
        for slot in &change.slots {
            let Some(object) = slot.before else { continue };
            let at_home = row(&self.books, (slot.dir, &slot.name)) == Some(object);
            if !at_home {
                // The executor had put it there; others took it, and where it was at home does not count any more.
                let away = |(dir, name, o): &Row| *o == object && row(&self.live, (*dir, name)) != Some(object);
                if let Some(at) = self.books.iter().position(away) {
                    self.books.remove(at);
                }
                self.adrift.retain(|(_, _, o)| *o != object);
            }
        }
        for slot in &change.slots {
            // A second name takes nothing from anybody.
            self.adopted.extend(slot.after.filter(|_| change.step != Step::Link));
            if slot.name.to_string_lossy().starts_with("l.backup") {
                self.loose.extend(slot.after);
            }
            let home = row(&self.books, (slot.dir, &slot.name));
            if let Some(home) = home
                && slot.before != Some(home)
                && slot.after != Some(home)
            {
                self.adrift.push((slot.dir, slot.name.clone(), home));
            }
            set(&mut self.books, slot.dir, &slot.name, slot.after);
            self.adrift.retain(|(_, _, object)| Some(*object) != slot.after || change.step == Step::Link);
            if let Some(made) = slot.after
                && tree.node(made).kind == FileKind::Dir
                && change.step == Step::Make
                && self.outside.contains(&slot.dir)
            {
                self.outside.push(made);
            }
        }
    }

    fn executor(&mut self, tree: &Tree, change: &Written) {
        let kind = |object: Object| tree.node(object).kind;
        for slot in &change.slots {
            if self.outside.contains(&slot.dir) {
                self.wrong("nothing_outside", format!("{:?} of `{}`", change.step, slot.name.display()));
            }
        }
        self.reached_outside |= change.slots.iter().any(|slot| !tree.is_below(slot.dir, self.scene.base));
        let no_link = |object: Object| kind(object) != FileKind::Symlink && tree.node(object).maker == Actor::Other;
        self.moved_others |=
            !self.scene.scenario.backs_up() && change.slots.iter().any(|slot| slot.before.is_some_and(no_link));
        let victim = match change.step {
            Step::Unlink => change.slots[0].before,
            Step::RenameOver => change.slots[1].before,
            _ => None,
        };
        // WalkOptions back by a second name is no removal, and nobody keeps what others removed from where it was at home.
        let kept = |victim: Object| self.books.iter().chain(&self.adrift).any(|(_, _, object)| *object == victim);
        let gone = |victim: &Object| tree.node(*victim).links == 0 && kept(*victim);
        if let Some(victim) = victim.filter(|victim| kind(*victim) != FileKind::Symlink && gone(victim)) {
            // Between the last look and the renaming of a host without exchange: a limit that is written down.
            if change.step == Step::RenameOver && self.meddled {
                self.excused.push(victim);
            } else {
                self.wrong("only_links", format!("{:?} of a {:?}", change.step, kind(victim)));
            }
        }
        // Without exchange and without a second name a replaced link cannot be put back: a limit that is written down.
        if change.step == Step::RenameOver && (self.meddled || self.no_second_names) {
            self.excused.extend(victim);
            self.overwritten.push((change.slots[1].dir, change.slots[1].name.clone()));
        }
        if change.step == Step::RemoveDir {
            let removed = change.slots[0].before;
            // An empty directory that is put in the place of the executor's own at that very instant: a limit.
            if let Some(removed) = removed.filter(|dir| tree.node(*dir).maker != Actor::Executor) {
                if self.meddled {
                    self.excused.push(removed);
                } else {
                    self.wrong("only_links", "a directory of others was removed");
                }
            }
        }
        self.never_absent(tree, change);
    }

    fn never_absent(&mut self, tree: &Tree, change: &Written) {
        // A change that others met is taken back: what is to be moved is looked at, or was refused once, and then it is
        // moved. What others put in its place in between is moved and put back. Nothing else is ever renamed away.
        let just_now = self.last_meddled.is_some_and(|at| self.calls <= at + 3);
        if matches!(change.step, Step::RenameNew | Step::RenameOver) && just_now {
            return;
        }
        for slot in &change.slots {
            let (Some(before), None) = (slot.before, slot.after) else { continue };
            let fate = self.link_index(slot.dir, &slot.name).map(|index| self.scene.scenario.fate(index));
            // Where others emptied one of two names, the other link goes back to it.
            let home = |to: &Slot| row(&self.books, (to.dir, &to.name)) == Some(before);
            let adrift = |to: &Slot| row(&self.adrift, (to.dir, &to.name)) == Some(before);
            let renamed = change.slots.iter().any(|to| to.after == Some(before) && (home(to) || adrift(to)));
            let at_home = |(dir, name, object): &&Row| {
                *object == before
                    && (*dir, name) != (slot.dir, &slot.name)
                    && row(&self.live, (*dir, name)) == Some(before)
            };
            let goes_home = renamed || self.books.iter().chain(&self.adrift).any(|row| at_home(&row));
            // A repair removes what dangles, also where others or the kernel made it so.
            let repairs = self.scene.scenario.verb == Verb::Repair;
            let dangles = repairs && (self.disturbed || self.told_false || tree.text(before) == Some(OsStr::new(GONE)));
            if fate == Some(Fate::Replaced) && !dangles && !goes_home && tree.node(before).maker != Actor::Executor {
                self.wrong(
                    "never_absent",
                    format!("{:?} left `{}` without anything", change.step, slot.name.display()),
                );
            }
        }
    }

    /// Which link a name is that the edits are about, in a directory that was ever in its place.
    pub(crate) fn link_index(&self, dir: Object, name: &OsStr) -> Option<usize> {
        let named = |path: &str| path.rsplit('/').next().is_some_and(|last| OsStr::new(last) == name);
        let links = self.scene.scenario.links().iter().enumerate();
        let mut places = links.filter(|(_, path)| named(path)).map(|(index, _)| index);
        places.find(|index| self.moments.iter().any(|moment| moment.links[*index].0 == Some(dir)))
    }

    /// Whether a path of a report is this name: the directory ever had the name that the path gives it.
    pub(crate) fn is_reported(&self, paths: &[PathBuf], dir: Object, name: &OsStr) -> bool {
        paths.iter().any(|path| {
            let above = path.parent().and_then(Path::file_name);
            path.file_name() == Some(name)
                && above.map_or(dir == self.scene.base, |above| {
                    self.named.iter().any(|(object, named)| *object == dir && **named == *above)
                })
        })
    }
}
