//! What the log's events about an app come to. Pure: events in, app_ledger out.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::noted::{By, Event, Layout, Place};
use crate::plan::{Activation, DirectoryId, Ledger, ReleaseRecord, ReleaseState};
use crate::records::Time;
use crate::wire::Text;

/// A moment, in nanoseconds since 1970.
pub(super) type Nanos = i64;

/// What the log says of one app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AppLedger {
    pub(super) layout: Option<Layout>,
    /// In the order in which they were entered.
    pub(super) releases: Vec<Held>,
    activations: Vec<Activated>,
    /// A switch that nothing confirmed.
    pub(super) pending: Option<Waiting>,
    /// Removals under way, by the names of their private places.
    pub(super) removing: BTreeMap<String, Removal>,
}

/// A release that was entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub(super) struct Held {
    pub(super) name: String,
    state: u8,
    pub(super) bad: bool,
    pub(super) pinned: bool,
    pub(super) confirmed: bool,
    pub(super) directory: String,
    changed: Nanos,
    pub(super) entered: Nanos,
    pub(super) activated: Option<Nanos>,
    pub(super) superseded: Option<Nanos>,
    pub(super) removed: Option<Nanos>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Activated {
    release: String,
    displaced: Option<Text>,
}

/// A switch that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) release: String,
    pub(super) by: By,
    pub(super) checked: bool,
    /// What the two releases were before.
    before: Held,
    former: Option<Held>,
}

/// A removal that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Removal {
    pub(super) release: String,
    pub(super) directory: String,
    pub(super) place: Place,
    /// It was compared there, and is being unlinked. Before that what is there may be another directory.
    #[serde(default)]
    pub(super) emptying: bool,
}

/// A release as it is kept: a thousand of them are read each time that somebody looks, and names of keys are half of what there
/// would be to read. In the order of the fields, with the marks as bits.
#[derive(Serialize, Deserialize)]
struct Row(String, u8, u8, String, [Nanos; 2], [Option<Nanos>; 3]);

impl From<Held> for Row {
    fn from(held: Held) -> Row {
        let marks = u8::from(held.bad) | u8::from(held.pinned) << 1 | u8::from(held.confirmed) << 2;
        let others = [held.activated, held.superseded, held.removed];
        Row(held.name, held.state, marks, held.directory, [held.changed, held.entered], others)
    }
}

impl From<Row> for Held {
    fn from(row: Row) -> Held {
        let Row(name, state, marks, directory, [changed, entered], [activated, superseded, removed]) = row;
        let (bad, pinned, confirmed) = (marks & 1 != 0, marks & 2 != 0, marks & 4 != 0);
        Held { name, state, bad, pinned, confirmed, directory, changed, entered, activated, superseded, removed }
    }
}

impl Waiting {
    /// The release that was active before, where the switch marks it bad.
    pub(super) fn marks_bad(&self) -> Option<&str> {
        self.former.as_ref().filter(|_| self.by == By::Rollback).map(|former| former.name.as_str())
    }
}

impl Held {
    pub(super) fn state(&self) -> ReleaseState {
        ReleaseState::ALL.get(usize::from(self.state)).copied().unwrap_or(ReleaseState::Removed)
    }

    /// Takes back what a switch made of it. What was said of it since, a mark or a pin, stays.
    fn takes_back(&mut self, before: &Held) {
        self.state = before.state;
        self.confirmed = before.confirmed;
        self.changed = before.changed;
        (self.activated, self.superseded) = (before.activated, before.superseded);
    }

    fn becomes(&mut self, state: ReleaseState, at: Nanos) {
        let place = ReleaseState::ALL.iter().position(|of| *of == state).unwrap_or_default();
        self.state = u8::try_from(place).unwrap_or_default();
        self.changed = at;
        match state {
            ReleaseState::Prepared | ReleaseState::Failed => {}
            ReleaseState::Active => self.activated = Some(at),
            ReleaseState::Superseded => self.superseded = Some(at),
            ReleaseState::Removed => self.removed = Some(at),
        }
    }
}

impl AppLedger {
    /// Takes an event that was told at this time.
    pub(super) fn take(&mut self, event: &Event, at: Nanos) {
        match event {
            Event::Entered { release, directory, active, layout } => {
                if self.layout.is_none() {
                    self.layout.clone_from(layout);
                }
                self.enter(release, directory, *active, at);
            }
            Event::Activating { release, displaced, by, checked } => {
                self.activate(release, displaced.clone(), (*by, *checked), at);
            }
            Event::Confirmed { release } => {
                self.pending = None;
                self.change(release, |held| held.confirmed = true);
            }
            Event::Withdrawn { release, failed } => self.withdraw(release, *failed, at),
            Event::Failed { release } => self.change(release, |held| held.becomes(ReleaseState::Failed, at)),
            Event::Marked { release, bad } => self.change(release, |held| held.bad = *bad),
            Event::Pinned { release, pinned } => self.change(release, |held| held.pinned = *pinned),
            Event::Removing { release, directory, place, name } => {
                let (release, directory) = (release.clone(), directory.clone());
                self.removing.insert(name.clone(), Removal { release, directory, place: *place, emptying: false });
            }
            Event::Emptying { name, .. } => {
                if let Some(removal) = self.removing.get_mut(name) {
                    removal.emptying = true;
                }
            }
            Event::Kept { name, .. } => drop(self.removing.remove(name)),
            Event::Rebound { directories } => {
                for (name, directory) in directories {
                    self.change(name, |held| held.directory.clone_from(directory));
                }
            }
            Event::Removed { release, name, left } => self.remove(release, name, *left, at),
        }
    }

    fn enter(&mut self, name: &str, directory: &str, active: bool, at: Nanos) {
        // The link leads here, so others took it away from a switch that waits.
        if let Some(waiting) = self.pending.clone().filter(|_| active) {
            self.withdraw(&waiting.release, waiting.by == By::Deploy, at);
        }
        // Under this name it begins anew.
        self.releases.retain(|held| held.name != name);
        self.activations.retain(|activated| activated.release != name);
        self.releases.push(Held {
            name: name.to_owned(),
            state: 0,
            bad: false,
            pinned: false,
            confirmed: active,
            directory: directory.to_owned(),
            changed: at,
            entered: at,
            activated: None,
            superseded: None,
            removed: None,
        });
        if active {
            self.replace_active(name, at);
            self.activations.push(Activated { release: name.to_owned(), displaced: None });
        }
    }

    /// Makes one active, and the one that was active superseded.
    fn replace_active(&mut self, name: &str, at: Nanos) {
        for held in &mut self.releases {
            if held.name == name {
                held.becomes(ReleaseState::Active, at);
            } else if held.state() == ReleaseState::Active {
                held.becomes(ReleaseState::Superseded, at);
            }
        }
    }

    fn activate(&mut self, name: &str, displaced: Option<Text>, (by, checked): (By, bool), at: Nanos) {
        let Some(before) = self.held(name).cloned() else { return };
        let former = self.releases.iter().find(|held| held.state() == ReleaseState::Active && held.name != name);
        self.pending = Some(Waiting { release: name.to_owned(), by, checked, before, former: former.cloned() });
        self.replace_active(name, at);
        // Before this one comes to them: it may be withdrawn, and then what was the last of its release is so again.
        if self.activations.len() >= 4 * self.releases.len().max(16) {
            self.forget_activations();
        }
        self.activations.push(Activated { release: name.to_owned(), displaced });
    }

    /// Keeps of each release its first activation, by which it is chosen, and its last, which says what was before.
    fn forget_activations(&mut self) {
        let mut last = HashMap::new();
        let mut first = HashMap::new();
        for (index, activated) in self.activations.iter().enumerate() {
            first.entry(activated.release.clone()).or_insert(index);
            last.insert(activated.release.clone(), index);
        }
        let mut index = 0;
        self.activations.retain(|activated| {
            let at = Some(&index);
            let keep = first.get(&activated.release) == at || last.get(&activated.release) == at;
            index += 1;
            keep
        });
    }

    fn withdraw(&mut self, name: &str, failed: bool, at: Nanos) {
        let Some(waiting) = self.pending.take().filter(|waiting| waiting.release == name) else { return };
        self.activations.pop();
        for held in &mut self.releases {
            if held.name == name {
                held.takes_back(&waiting.before);
                if failed {
                    held.becomes(ReleaseState::Failed, at);
                }
            } else if let Some(former) = waiting.former.as_ref().filter(|former| former.name == held.name) {
                held.takes_back(former);
            }
        }
    }

    fn remove(&mut self, release: &str, name: &str, left: bool, at: Nanos) {
        let Some(removal) = self.removing.get(name).cloned() else { return };
        if !left {
            self.removing.remove(name);
        }
        // Another directory of the same name may have been entered meanwhile.
        let held = self.releases.iter_mut().find(|held| held.name == release && held.directory == removal.directory);
        if let Some(held) = held.filter(|held| held.state() != ReleaseState::Removed) {
            held.becomes(ReleaseState::Removed, at);
        }
    }

    fn change(&mut self, name: &str, change: impl FnOnce(&mut Held)) {
        if let Some(held) = self.releases.iter_mut().find(|held| held.name == name) {
            change(held);
        }
    }

    /// A release that was ever entered.
    pub(super) fn held(&self, name: &str) -> Option<&Held> {
        self.releases.iter().find(|held| held.name == name)
    }

    /// The release that is active as the log knows.
    pub(super) fn active(&self) -> Option<&Held> {
        self.releases.iter().find(|held| held.state() == ReleaseState::Active)
    }

    /// The ledger that decisions are made from.
    pub(super) fn ledger(&self) -> Ledger {
        let record = |held: &Held| ReleaseRecord {
            name: held.name.clone(),
            state: held.state(),
            bad: held.bad,
            pinned: held.pinned,
            confirmed: held.confirmed,
            directory: DirectoryId::new(held.directory.clone()),
            changed: held.changed.into(),
        };
        let activation = |activated: &Activated| Activation {
            release: activated.release.clone(),
            displaced: activated.displaced.clone().map(|text| text.0),
            withdrawn: false,
        };
        Ledger {
            releases: self.releases.iter().map(record).collect(),
            activations: self.activations.iter().map(activation).collect(),
            open: self.pending.is_some(),
        }
    }
}

/// A time in nanoseconds since 1970.
pub(super) fn nanos(time: Time) -> Nanos {
    let since = time.to_system_time().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| Nanos::try_from(since.as_nanos()).unwrap_or(Nanos::MAX))
}

/// The time of so many nanoseconds since 1970.
pub(super) fn time(nanos: Nanos) -> Time {
    Time::from(std::time::UNIX_EPOCH + std::time::Duration::from_nanos(u64::try_from(nanos).unwrap_or(0)))
}
