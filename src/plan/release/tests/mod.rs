//! The decisions about releases, case by case.

mod alarms;
mod choosing;
mod pruning;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::error::FileKind;

const SECOND: i128 = 1_000_000_000;

/// When everything happened, unless said otherwise, and a reading of the clock a day later.
const THEN: i128 = 1_800_000_000 * SECOND;
const NOW: i128 = THEN + 86_400 * SECOND;

/// An app: its ledger, and a tree that is as the ledger says.
#[derive(Clone)]
struct App {
    ledger: Ledger,
    sight: ReleaseSight,
}

fn id(name: &str) -> DirectoryId {
    DirectoryId::new(format!("inode of {name}"))
}

fn points(name: &str) -> Occupant {
    Occupant::Link { text: format!("releases/{name}").into(), leads: Pointing::Release(name.into()) }
}

fn leads(leads: Pointing) -> Occupant {
    Occupant::Link { text: "text".into(), leads }
}

impl App {
    /// Releases that became active one after the other, all confirmed.
    fn with(names: &[&str]) -> App {
        let sight = ReleaseSight { current: Occupant::Missing, dirs: BTreeMap::new() };
        let app = App { ledger: Ledger::default(), sight };
        names.iter().fold(app, |app, name| app.prepared(name).activated(name))
    }

    fn prepared(mut self, name: &str) -> App {
        self.ledger.releases.push(ReleaseRecord {
            name: name.into(),
            state: ReleaseState::Prepared,
            bad: false,
            pinned: false,
            confirmed: false,
            directory: id(name),
            changed: THEN,
        });
        self.sight.dirs.insert(name.into(), ReleaseDir::Dir(id(name)));
        self
    }

    fn activated(mut self, name: &str) -> App {
        for release in &mut self.ledger.releases {
            if release.state == ReleaseState::Active {
                release.state = ReleaseState::Superseded;
            }
        }
        let displaced = self.sight.text().cloned();
        self.ledger.activations.push(Activation { release: name.into(), displaced, withdrawn: false });
        self.sight.current = points(name);
        self.change(name, |release| {
            release.state = ReleaseState::Active;
            release.confirmed = true;
        })
    }

    fn change(mut self, name: &str, change: impl FnOnce(&mut ReleaseRecord)) -> App {
        change(self.ledger.releases.iter_mut().find(|release| release.name == name).unwrap());
        self
    }

    fn state(self, name: &str, state: ReleaseState) -> App {
        self.change(name, |release| release.state = state)
    }

    fn bad(self, name: &str) -> App {
        self.change(name, |release| release.bad = true)
    }

    fn see(mut self, name: &str, dir: Option<ReleaseDir>) -> App {
        match dir {
            Some(dir) => self.sight.dirs.insert(name.into(), dir),
            None => self.sight.dirs.remove(name),
        };
        self
    }

    /// Another directory is under the name.
    fn replaced(self, name: &str) -> App {
        self.see(name, Some(ReleaseDir::Dir(DirectoryId::new("another"))))
    }

    fn current(mut self, current: Occupant) -> App {
        self.sight.current = current;
        self
    }

    fn open(mut self) -> App {
        self.ledger.open = true;
        let name = self.ledger.activations.last().unwrap().release.clone();
        self.change(&name, |release| release.confirmed = false)
    }
}
