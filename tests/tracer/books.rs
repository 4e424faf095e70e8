//! The books: whose every object is, and where it is by the will of others, while the program runs.
//!
//! A change of others changes the books, one of the program's does not; what differs at the end must follow from the
//! answer. An object of others whose name was given to another while the program had moved it is adrift: it may go back
//! or be kept and named, but not be dropped.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use crate::scene::{Places, Scenario, Verb};
use crate::view::{Changed, Id, Slot, View};

/// The most calls of one run that concern the file system.
const CALLS_MAX: usize = 4000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Program,
    Others,
}

/// What the walk from the root found at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// How many changes had been made.
    pub(crate) changes: usize,
    /// For each link: its directory, and what has its name there.
    pub(crate) links: Vec<(Option<Id>, Option<Id>)>,
}

pub(crate) struct Books {
    pub(crate) scenario: Scenario,
    pub(crate) places: Places,
    pub(crate) live: View,
    /// Where others put what.
    pub(crate) home: BTreeMap<Slot, Id>,
    pub(crate) adrift: Vec<(Slot, Id)>,
    pub(crate) maker: BTreeMap<Id, Whose>,
    /// What the program made and others put somewhere: it is theirs.
    pub(crate) adopted: Vec<Id>,
    /// What others put under the name of a backup, where they can reach it: it may be moved, but not lost.
    pub(crate) loose: Vec<Id>,
    /// What others took from names, and what ever had which name.
    pub(crate) taken: Vec<(Slot, Id)>,
    pub(crate) ever: Vec<(Slot, Id)>,
    /// The text of every link that ever was.
    pub(crate) texts: BTreeMap<Id, OsString>,
    /// What is lost by a limit that is written down.
    pub(crate) excused: Vec<Id>,
    pub(crate) moments: Vec<Moment>,
    /// Every change: whether the program made it, and what changed.
    pub(crate) log: Vec<(Whose, Vec<Changed>)>,
    pub(crate) calls: usize,
    pub(crate) disturbed: bool,
    /// Whether a directory of the links was outside the root for a while.
    pub(crate) moved_out: bool,
    /// Whether others changed something just before the present call.
    meddled: bool,
    pub(crate) wrongs: Vec<String>,
}

impl Books {
    pub(crate) fn of(scenario: Scenario, places: Places, view: &View) -> Books {
        let mut books = Books {
            scenario,
            places,
            live: view.clone(),
            home: view.rows.clone(),
            adrift: Vec::new(),
            maker: view.nodes.keys().map(|id| (*id, Whose::Others)).collect(),
            adopted: Vec::new(),
            loose: Vec::new(),
            taken: Vec::new(),
            ever: view.rows.iter().map(|(slot, id)| (slot.clone(), *id)).collect(),
            texts: BTreeMap::new(),
            excused: Vec::new(),
            moments: Vec::new(),
            log: Vec::new(),
            calls: 0,
            disturbed: false,
            moved_out: false,
            meddled: false,
            wrongs: Vec::new(),
        };
        books.read(view);
        books.look();
        books
    }

    pub(crate) fn wrong(&mut self, law: &str, what: impl AsRef<str>) {
        self.wrongs.push(format!("{law}: {}", what.as_ref()));
    }

    /// Before a call, in which others may have done something.
    pub(crate) fn before(&mut self) {
        self.meddled = false;
        self.calls += 1;
        if self.calls == CALLS_MAX {
            self.wrong("bounded", "too many calls");
        }
    }

    /// Others did something; `linked` says that they gave something a second name.
    pub(crate) fn others(&mut self, view: View, linked: bool) {
        let changes = self.enter(&view, Whose::Others);
        self.disturbed = true;
        self.meddled = true;
        for changed in &changes {
            self.taken.extend(changed.before.map(|object| (slot(changed), object)));
            let Some(object) = changed.before else { continue };
            if self.home.get(&slot(changed)) != Some(&object) {
                // The program had put it there; others took it, and where it was at home does not count any more.
                let away = |(slot, id): (&Slot, &Id)| *id == object && self.live.rows.get(slot) != Some(&object);
                let at = self.home.iter().find(|(slot, id)| away((slot, id))).map(|(slot, _)| slot.clone());
                at.map(|at| self.home.remove(&at));
                self.adrift.retain(|(_, id)| *id != object);
            }
        }
        for changed in &changes {
            self.adopted.extend(changed.after.filter(|_| !linked));
            if changed.name.to_string_lossy().starts_with("l.backup") {
                self.loose.extend(changed.after);
            }
            if let Some(home) = self.home.get(&slot(changed)).copied()
                && changed.before != Some(home)
                && changed.after != Some(home)
            {
                self.adrift.push((slot(changed), home));
            }
            match changed.after {
                Some(after) => self.home.insert(slot(changed), after),
                None => self.home.remove(&slot(changed)),
            };
            self.adrift.retain(|(_, object)| Some(*object) != changed.after || linked);
        }
        let Places { base, q, p, r, .. } = self.places;
        self.moved_out |= [q, p, r].iter().any(|dir| !view.is_below(*dir, base));
        self.arrive(view, Whose::Others, changes);
    }

    /// The program made a call that changed something.
    pub(crate) fn program(&mut self, view: View, call: &str) {
        let changes = self.enter(&view, Whose::Program);
        if changes.is_empty() {
            return;
        }
        for changed in &changes {
            self.inside(call, changed);
            self.only_links(&view, call, changed);
        }
        if !matches!(self.scenario.verb, Verb::Remove | Verb::RemoveExpected) {
            self.never_absent(call, &changes);
        }
        self.arrive(view, Whose::Program, changes);
    }

    fn enter(&mut self, view: &View, whose: Whose) -> Vec<Changed> {
        let changes = self.live.differences(view);
        for id in view.nodes.keys() {
            self.maker.entry(*id).or_insert(whose);
        }
        self.read(view);
        self.ever.extend(changes.iter().filter_map(|changed| Some((slot(changed), changed.after?))));
        changes
    }

    fn read(&mut self, view: &View) {
        self.texts.extend(view.nodes.iter().filter_map(|(id, node)| Some((*id, node.text.clone()?))));
    }

    fn arrive(&mut self, view: View, whose: Whose, changes: Vec<Changed>) {
        self.live = view;
        self.log.push((whose, changes));
        self.look();
    }

    fn look(&mut self) {
        let links = self.scenario.verb.links().iter().map(|link| {
            let (dir, name) = link.rsplit_once('/').unwrap_or(("", link));
            let dir = self.live.walk(self.places.base, dir).filter(|dir| self.live.is_dir(*dir));
            (dir, dir.and_then(|dir| self.live.get(dir, name)))
        });
        let moment = Moment { changes: self.log.len(), links: links.collect() };
        self.moments.push(moment);
    }

    /// Nothing outside the root; what was moved out of it is no place to work in either, where the kernel forbids it.
    fn inside(&mut self, call: &str, changed: &Changed) {
        let base = self.places.base;
        let is_out = self.live.is_below(changed.dir, self.places.out);
        let moved_out = !self.live.is_below(changed.dir, base);
        let was_below = self.places_inside().contains(&changed.dir)
            || self.maker.get(&changed.dir) == Some(&Whose::Program)
            || self.ever.iter().any(|((dir, _), id)| *id == changed.dir && self.ever_inside(*dir));
        if is_out || moved_out && (self.scenario.host.confined || !was_below) {
            self.wrong("nothing_outside", format!("{call} of `{}`", plain(&changed.name)));
        }
    }

    fn places_inside(&self) -> [Id; 5] {
        let Places { base, yard, q, p, r, .. } = self.places;
        [base, yard, q, p, r]
    }

    fn ever_inside(&self, dir: Id) -> bool {
        self.places_inside().contains(&dir)
    }

    fn only_links(&mut self, view: &View, call: &str, changed: &Changed) {
        let Some(object) = changed.before.filter(|object| !self.live.is_link(*object)) else { return };
        let kind = if self.live.is_dir(object) { "directory" } else { "file" };
        let gone = view.place(object).is_none();
        if gone && (kind == "file" || self.maker.get(&object) != Some(&Whose::Program)) {
            // Between the last look and the renaming of a host without exchange, and an empty directory in the place of
            // the program's own at that very instant: limits that are written down.
            let limit = matches!(call, "renameat" | "rename") || kind == "directory";
            if self.meddled && limit {
                self.excused.push(object);
            } else {
                self.wrong("only_links", format!("{call} of a {kind}"));
            }
        }
        // Under Landlock nothing but links is ever moved, unless something is to be moved aside.
        if !gone && self.scenario.host.confined && !self.scenario.verb.is_backup() {
            self.wrong("only_links", format!("{call} moved a {kind}, which Landlock forbids"));
        }
    }

    fn never_absent(&mut self, call: &str, changes: &[Changed]) {
        for changed in changes {
            let (Some(before), None) = (changed.before, changed.after) else { continue };
            // Where others emptied one of two names, the other link goes back to it.
            let back = |at: &Slot, id: Id| {
                id == before && (self.home.get(at) == Some(&id) || self.adrift.iter().any(|(a, i)| (a, *i) == (at, id)))
            };
            let renamed = changes.iter().any(|to| to.after.is_some_and(|id| back(&slot(to), id)));
            let at_home = self.live.rows.iter().any(|(at, id)| *at != slot(changed) && back(at, *id));
            let theirs = self.maker.get(&before) == Some(&Whose::Others);
            let makes = matches!(self.scenario.verb, Verb::Create | Verb::EnsureNew | Verb::Parents);
            let limit = self.meddled && matches!(call, "renameat" | "rename");
            if self.link_index(&slot(changed)).is_some() && theirs && !makes && !renamed && !at_home && !limit {
                self.wrong("never_absent", format!("{call} left `{}` without anything", plain(&changed.name)));
            }
        }
        for changed in changes {
            // What a renaming replaced while others meddled.
            let replaced = changed.before.filter(|_| changed.after.is_some() && self.meddled);
            if matches!(call, "renameat" | "rename") {
                self.excused.extend(replaced);
            }
        }
    }

    /// Which of the edit's links a name is, in a directory that was ever in its place.
    pub(crate) fn link_index(&self, (dir, name): &Slot) -> Option<usize> {
        let named = |path: &str| path.rsplit('/').next().is_some_and(|last| OsStr::new(last) == name);
        let links = self.scenario.verb.links().iter().enumerate();
        let mut places = links.filter(|(_, path)| named(path)).map(|(index, _)| index);
        places.find(|index| self.moments.iter().any(|moment| moment.links[*index].0 == Some(*dir)))
    }
}

pub(crate) fn slot(changed: &Changed) -> Slot {
    (changed.dir, changed.name.clone())
}

/// A name without what is random.
pub(crate) fn plain(name: &OsString) -> String {
    let name = name.to_string_lossy();
    if name.starts_with(".caplink-") { ".caplink-…".into() } else { name.into_owned() }
}
