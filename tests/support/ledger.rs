//! The ledger of one run: where others want each of their objects, and what the executor does to them.
//!
//! A change of others changes where an object is at home; a change of the executor's does not. What is not at home at
//! the end must follow from what is reported. An object whose home others gave to another one, while the executor had
//! moved it, is *homeless*: it may go back or be kept and reported, but not be dropped.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use caplink::FileKind;

use super::scenario::{Layout, STATE, Verb};
use super::trees::Places;
use super::view::{Actor, Change, Changed, Name, Slot, Step, View};

/// A directory, a name in it, and what is under the name.
pub(crate) type Row<Id> = (Id, Name, Id);

/// What does not change during a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting<Id> {
    pub(crate) verb: Verb,
    pub(crate) layout: Layout,
    pub(crate) places: Places<Id>,
    /// The user of the executor.
    pub(crate) executor: u32,
    /// The kernel confines the executor's changes to the root.
    pub(crate) confined: bool,
    /// The most calls of one run.
    pub(crate) calls_max: usize,
}

/// What a walk from the root finds at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Moment<Id> {
    /// How many changes were made before.
    pub(crate) changes: usize,
    /// For each link: its directory, and what has its name there.
    pub(crate) links: Vec<(Option<Id>, Option<Id>)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Ledger<Id> {
    pub(crate) setting: Setting<Id>,
    pub(crate) home: Vec<Row<Id>>,
    pub(crate) live: Vec<Row<Id>>,
    pub(crate) homeless: Vec<Row<Id>>,
    /// Every name that was ever taken, and what others took from a name.
    pub(crate) ever: Vec<Row<Id>>,
    pub(crate) taken: Vec<Row<Id>>,
    /// Directories outside the root from the beginning, and those that others made in them.
    pub(crate) outside: Vec<Id>,
    pub(crate) moments: Vec<Moment<Id>>,
    pub(crate) log: Vec<Change<Id>>,
    pub(crate) calls: usize,
    /// Whether others changed anything, and how many of their actions had an effect.
    pub(crate) disturbed: bool,
    pub(crate) actions: usize,
    /// Whether others changed something just before the present call, and after how many calls they last did.
    pub(crate) interfered: bool,
    pub(crate) last_interfered: Option<usize>,
    /// Whether a stranger held a lock.
    pub(crate) locked: bool,
    /// Whether the place is gone to which the executor takes back what it made: others took its private directory or
    /// the name of one, or the link's directory left the root of a confined executor.
    pub(crate) unhoused: bool,
    /// Whether the executor could not look into a directory at some moment.
    pub(crate) sealed: bool,
    /// Whether the kernel said what is not so, or the file system refused a second name.
    pub(crate) misinformed: bool,
    pub(crate) no_second_names: bool,
    /// Whether the executor changed something that was outside the root at that moment.
    pub(crate) reached_outside: bool,
    /// Whether it moved or removed something of others that is no link, unasked.
    pub(crate) moved_others: bool,
    /// What is lost by a documented limit, and names at which a host without exchange renamed over what others put there.
    pub(crate) excused: Vec<Id>,
    pub(crate) overwritten: Vec<(Id, Name)>,
    /// What the executor made and others put somewhere: it is theirs.
    pub(crate) adopted: Vec<Id>,
    /// What others put under the name of a backup, where they can reach it: it may be moved, but not lost.
    pub(crate) loose: Vec<Id>,
    pub(crate) violations: Vec<String>,
}

pub(crate) fn row<Id: Copy + PartialEq>(rows: &[Row<Id>], at: Slot<'_, Id>) -> Option<Id> {
    rows.iter().find(|(dir, name, _)| *dir == at.0 && **name == *at.1).map(|(_, _, object)| *object)
}

fn set<Id: Copy + PartialEq>(rows: &mut Vec<Row<Id>>, changed: &Changed<Id>) {
    rows.retain(|(dir, name, _)| (*dir, name) != (changed.dir, &changed.name));
    rows.extend(changed.after.map(|object| (changed.dir, changed.name.clone(), object)));
}

impl<Id> Changed<Id> {
    pub(super) fn slot(&self) -> Slot<'_, Id>
    where
        Id: Copy,
    {
        (self.dir, &self.name)
    }
}

impl<Id: Copy + Eq + std::fmt::Debug + std::hash::Hash> Ledger<Id> {
    /// Begins with a tree in which everything is where others want it.
    pub(crate) fn new<V: View<Id = Id>>(setting: Setting<Id>, view: &V, outside: Vec<Id>) -> Ledger<Id> {
        let mut home = Vec::new();
        for dir in view.directories() {
            home.extend(view.entries(dir).map(|(name, object)| (dir, Name::from(name), object)));
        }
        let mut ledger = Ledger {
            setting,
            live: home.clone(),
            ever: home.clone(),
            home,
            homeless: Vec::new(),
            taken: Vec::new(),
            outside,
            moments: Vec::new(),
            log: Vec::new(),
            calls: 0,
            disturbed: false,
            actions: 0,
            interfered: false,
            last_interfered: None,
            locked: false,
            unhoused: false,
            sealed: false,
            misinformed: false,
            no_second_names: false,
            reached_outside: false,
            moved_others: false,
            excused: Vec::new(),
            overwritten: Vec::new(),
            adopted: Vec::new(),
            loose: Vec::new(),
            violations: Vec::new(),
        };
        ledger.look(view);
        ledger
    }

    pub(crate) fn violation(&mut self, law: &str, what: impl AsRef<str>) {
        self.violations.push(format!("{law}: {}", what.as_ref()));
    }

    /// Before a call: the changes that others made since the last one.
    pub(crate) fn before_call<V: View<Id = Id>>(&mut self, view: &V, changes: impl IntoIterator<Item = Change<Id>>) {
        self.interfered = false;
        self.enter(view, changes);
        if self.interfered {
            self.last_interfered = Some(self.calls);
        }
        let Places { base, p, r, .. } = self.setting.places;
        self.unhoused |= self.setting.confined && ![p, r].iter().all(|dir| view.is_below(*dir, base));
        self.sealed |= self.setting.executor != 0 && view.has_sealed();
    }

    /// After a call: the changes that it made.
    pub(crate) fn after_call<V: View<Id = Id>>(&mut self, view: &V, changes: impl IntoIterator<Item = Change<Id>>) {
        self.calls += 1;
        if self.calls == self.setting.calls_max {
            self.violation("bounded", "too many calls");
        }
        assert!(self.calls < 2 * self.setting.calls_max, "it does not end");
        self.enter(view, changes);
    }

    fn enter<V: View<Id = Id>>(&mut self, view: &V, changes: impl IntoIterator<Item = Change<Id>>) {
        let entered = self.log.len();
        for change in changes {
            self.log.push(change.clone());
            for changed in &change.names {
                let taken = changed.before.filter(|_| change.actor == Actor::Others);
                self.taken.extend(taken.map(|object| (changed.dir, changed.name.clone(), object)));
                self.ever.extend(changed.after.map(|object| (changed.dir, changed.name.clone(), object)));
            }
            match change.actor {
                Actor::Others => self.others(view, &change),
                Actor::Executor => self.executor(view, &change),
            }
            change.names.iter().for_each(|changed| set(&mut self.live, changed));
        }
        if self.log.len() > entered {
            self.look(view);
        }
    }

    fn look<V: View<Id = Id>>(&mut self, view: &V) {
        let links = self.setting.verb.links().iter().map(|link| {
            let (dir, name) = link.rsplit_once('/').unwrap_or(("", link));
            let dir = view.directory(self.setting.places.base, dir);
            (dir, dir.and_then(|dir| view.get(dir, OsStr::new(name))))
        });
        let moment = Moment { changes: self.log.len(), links: links.collect() };
        if self.moments.last() != Some(&moment) {
            self.moments.push(moment);
        }
    }

    fn others<V: View<Id = Id>>(&mut self, view: &V, change: &Change<Id>) {
        (self.disturbed, self.interfered) = (true, true);
        // A second name takes nothing from anybody.
        let linked = change.step == Step::Link;
        for changed in &change.names {
            let Some(object) = changed.before else { continue };
            let own = view.kind(object) == FileKind::Dir && view.maker(object) == Actor::Executor;
            self.unhoused |= own;
            if row(&self.home, changed.slot()) != Some(object) {
                // The executor had put it there; others took it, and where it was at home does not count any more.
                let away = |(dir, name, o): &Row<Id>| *o == object && row(&self.live, (*dir, name)) != Some(object);
                if let Some(at) = self.home.iter().position(away) {
                    self.home.remove(at);
                }
                self.homeless.retain(|(_, _, o)| *o != object);
            }
        }
        for changed in &change.names {
            self.unhoused |= *changed.name == *OsStr::new(STATE);
            self.adopted.extend(changed.after.filter(|_| !linked));
            if changed.name.to_string_lossy().starts_with("l.backup") {
                self.loose.extend(changed.after);
            }
            let home = row(&self.home, changed.slot());
            if let Some(home) = home.filter(|home| ![changed.before, changed.after].contains(&Some(*home))) {
                self.homeless.push((changed.dir, changed.name.clone(), home));
            }
            set(&mut self.home, changed);
            self.homeless.retain(|(_, _, object)| Some(*object) != changed.after || linked);
            if let Some(made) = changed.after.filter(|made| view.kind(*made) == FileKind::Dir)
                && change.step == Step::Make
                && self.outside.contains(&changed.dir)
            {
                self.outside.push(made);
            }
        }
    }

    /// Which link of the edit a name is, in a directory that was ever in its place.
    pub(crate) fn link_index(&self, (dir, name): Slot<'_, Id>) -> Option<usize> {
        let named = |path: &str| path.rsplit('/').next().is_some_and(|last| OsStr::new(last) == name);
        let links = self.setting.verb.links().iter().enumerate();
        let mut places = links.filter(|(_, path)| named(path)).map(|(index, _)| index);
        places.find(|index| self.moments.iter().any(|moment| moment.links[*index].0 == Some(dir)))
    }

    /// Whether a reported path is this name: the directory ever had the name that the path gives it.
    pub(crate) fn is_reported(&self, paths: &[PathBuf], (dir, name): Slot<'_, Id>) -> bool {
        paths.iter().any(|path| {
            let above = path.parent().and_then(Path::file_name);
            path.file_name() == Some(name)
                && above.map_or(dir == self.setting.places.base, |above| {
                    self.ever.iter().any(|(_, named, object)| *object == dir && **named == *above)
                })
        })
    }
}
