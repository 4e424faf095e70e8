//! Pruning: which releases are removed, and their removal.
//!
//! A release is moved in one step to a private place, looked at there, and only then taken down. What is announced in the
//! ledger before the move says where it is, so that a removal that was stopped goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use super::app::Releases;
use super::app_ledger::{nanos, time};
use super::in_use::{self, Used};
use super::noted::Event;
use super::private_place::{self, PrivatePlace};
use super::progress::Step;
use super::report::{Pruned, Settled, Settlement};
use super::session::{Session, WithoutRecords};
use super::sight::{identity, open_releases};
use super::take_down::{Taken, take_down};
use super::view::ReleaseView;
use super::weigh::weigh;
use crate::error::{Error, Kind, Result};
use crate::plan::{DirectoryId, InUse, KeptBecause, PruneRequest, Pruning, ReleaseState, plan_prune};
use crate::records::Time;
use crate::sys::{self, Access, Fault};

/// Others may write, and remove what is not theirs.
const OPEN: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// The name of a release within its private place.
const WITHIN: &str = "release";

/// What pruning is asked for.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Prune {
    /// How many confirmed good ones are kept; none: as many as was set, or 5.
    pub keep: Option<usize>,
    /// How long a release is left alone after its state changed; none: as was set, or 10 minutes.
    pub grace: Option<Duration>,
}

impl Releases {
    /// Removes old releases, and says what is kept and why.
    ///
    /// The active one, the one before it, what the link leads to, what is pinned, prepared or in use, and what is not the
    /// directory that was entered are never removed.
    ///
    /// # Security
    ///
    /// Nothing outside the release is touched: it is taken down by descriptors, across no link and no mount.
    ///
    /// # Errors
    ///
    /// `no_records`, `busy`; `unsafe_state` where others can rename what is in the directory of the releases. What cannot
    /// be taken down is [`residue`](Pruned::residue) of its release.
    pub fn prune(&self, options: &Prune) -> Result<Vec<Pruned>> {
        let mut app = self.clone();
        app.keep = options.keep.or(app.keep);
        app.grace = options.grace.unwrap_or(app.grace);
        let mut session = Session::begin(&app, "release prune", WithoutRecords::Refuse)?;
        Ok(session.prune()?.0)
    }
}

impl Session<'_> {
    /// Removes what may be removed; returns what became of each, and what could not be taken down.
    pub(super) fn prune(&mut self) -> Result<(Vec<Pruned>, Vec<Error>)> {
        let app = self.app;
        let sight = self.look_at_all()?;
        let survey = in_use::survey(&app.root, &self.layout)?;
        let app_ledger = self.app_ledger();
        let mut used = BTreeMap::new();
        for held in app_ledger.releases.iter().filter(|held| sight.dirs.contains_key(&held.name)) {
            used.insert(held.name.clone(), survey.of(&app.root, &self.layout, &held.name)?);
        }
        let in_use: BTreeMap<String, InUse> = used.iter().map(|(name, used)| (name.clone(), used.decides())).collect();
        let ledger = self.ledger();
        let others = self.needed_by_others();
        let items = plan_prune(&PruneRequest {
            ledger: &ledger,
            sight: &sight,
            in_use: &in_use,
            others: &others,
            keep: app.kept(),
            grace: app.grace,
            now: nanos(Time::now()).into(),
        });
        let mut pruned = Vec::new();
        let mut residues = Vec::new();
        for item in items {
            let mut view = ReleaseView::named(&app.name, &item.release, &app_ledger, &sight);
            view.in_use = used.get(&item.release).cloned();
            let came = match item.pruning {
                Pruning::Keep(reason) => kept(view, reason.as_str()),
                Pruning::Gone => kept(view, "gone"),
                Pruning::Remove { directory, unsure } => match self.remove(view.clone(), &directory, unsure) {
                    Ok(came) => came,
                    // It is the same for every other.
                    Err(error) if matches!(error.kind(), Kind::UnsafeState | Kind::NoSpace | Kind::Integrity) => {
                        return Err(error);
                    }
                    Err(error) => Pruned { residue: Some(error), ..kept(view, "error") },
                },
            };
            app.progress.step(&Step::Pruned(&came));
            residues.extend(came.residue.clone());
            pruned.push(came);
        }
        Ok((pruned, residues))
    }

    /// The directories that other apps have as prepared, active or before.
    fn needed_by_others(&self) -> BTreeSet<DirectoryId> {
        let mut needed = BTreeSet::new();
        for (_, app_ledger) in self.ledgers().apps.iter().filter(|(name, _)| **name != self.app.name) {
            let ledger = app_ledger.ledger();
            let states = [ReleaseState::Prepared, ReleaseState::Active];
            let of_state = ledger.releases.iter().filter(|release| states.contains(&release.state));
            needed.extend(of_state.chain(ledger.before_active()).map(|release| release.directory.clone()));
        }
        needed
    }

    fn remove(&mut self, mut view: ReleaseView, directory: &DirectoryId, unsure: bool) -> Result<Pruned> {
        let app = self.app;
        let root = &app.root;
        let missing = || Error::new(Kind::NotFound).on("prune", &view.release);
        let above = open_releases(root, &self.layout)?.ok_or_else(missing)?;
        let stat = root.calls().stat(&above).map_err(Error::from_io)?;
        let trusted = stat.uid == 0 || stat.uid == root.calls().user();
        if !trusted || (stat.mode & OPEN != 0 && stat.mode & STICKY == 0) {
            let reason = "others can rename what is in the directory of the releases";
            return Err(Error::new(Kind::UnsafeState).on("prune", &view.release).because(reason));
        }
        if app.dry {
            let cross = root.policy().cross_mounts;
            let dir = root.calls().open_dir(&above, Path::new(&view.release), cross, Access::Read);
            view.bytes = dir.ok().and_then(|dir| weigh(root, &dir));
            view.state = Some(ReleaseState::Removed);
            view.present = false;
            return Ok(Pruned { view, removed: true, unsure, residue: None });
        }
        let records = self.records.clone().ok_or_else(|| Error::new(Kind::NoRecords).during("prune"))?;
        let place = private_place::choose(root, &records, &above)?;
        let name = private_place::name(root)?;
        let release = view.release.clone();
        self.tell(Event::Removing {
            release: release.clone(),
            directory: directory.as_str().to_owned(),
            place,
            name: name.clone(),
        })?;
        let private = match PrivatePlace::make(root, &records, &above, place, &name) {
            Ok(private) => private,
            Err(error) => {
                self.tell(Event::Kept { release, name })?;
                return Err(error);
            }
        };
        let kept_here = |session: &mut Self, view: ReleaseView, reason: &str| {
            private.remove(root);
            session.tell(Event::Kept { release: view.release.clone(), name: name.clone() })?;
            Ok(kept(view, reason))
        };
        let from = (&above, OsStr::new(&release));
        let to = (&private.dir, OsStr::new(WITHIN));
        if let Err(source) = private_place::rename(root, from, to) {
            let gone = sys::fault(&source) == Fault::Missing;
            if gone {
                return kept_here(self, view, "gone");
            }
            private.remove(root);
            self.tell(Event::Kept { release: release.clone(), name: name.clone() })?;
            return Err(Error::from_io(source).on("prune", &release));
        }
        // Now nobody else can put another in its place.
        let moved = private.open_within(root, WITHIN);
        let is_it = moved.as_ref().is_ok_and(|dir| identity(root, dir).is_ok_and(|id| id == *directory));
        let used = match &moved {
            Ok(dir) if is_it => in_use::uses(root, dir)?,
            _ => Used::By(Vec::new()),
        };
        if !is_it || used.decides() == InUse::Yes {
            private_place::rename(root, to, from).map_err(|source| {
                let left = vec![private.path(&self.app.root, &self.layout).join(WITHIN)];
                let reason = format!("it could not be moved back: {source}");
                Error::new(Kind::Residue).on("prune", &release).because(reason).leaving(left, Vec::new())
            })?;
            let reason = if is_it { KeptBecause::InUse } else { KeptBecause::Replaced };
            view.in_use = Some(used);
            return kept_here(self, view, reason.as_str());
        }
        drop(moved);
        let taken = self.take_down(&private, &release);
        view.bytes = Some(taken.bytes);
        let residue = (!taken.complete || !private.remove(root)).then(|| self.residue(&private, &release, &taken));
        self.tell(Event::Removed { release: release.clone(), name, left: residue.is_some() })?;
        let removed = self.app_ledger().held(&release).and_then(|held| held.removed).map(time);
        view.state = Some(ReleaseState::Removed);
        view.present = false;
        view.times.removed = removed;
        Ok(Pruned { view, removed: true, unsure, residue })
    }

    fn take_down(&self, private: &PrivatePlace, release: &str) -> Taken {
        let progress = &*self.app.progress;
        take_down(&self.app.root, &private.dir, &mut |entries| {
            progress.step(&Step::Removing { release, entries });
        })
    }

    fn residue(&self, private: &PrivatePlace, release: &str, taken: &Taken) -> Error {
        let left = vec![private.path(&self.app.root, &self.layout)];
        let why = taken.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        let reason = format!("not all of it could be taken down{why}; `recover` goes on");
        Error::new(Kind::Residue).on("prune", release).because(reason).leaving(left, Vec::new())
    }

    /// Goes on with removals that were stopped, or that left something.
    pub(super) fn settle_removals(&mut self) -> Result<Vec<Result<Settled>>> {
        let root = &self.app.root;
        let mut settled = Vec::new();
        for (name, removal) in self.app_ledger().removing {
            let release = removal.release.clone();
            let done =
                |how| Settled { app: self.app.name.clone(), release: removal.release.clone(), how, outcome: None };
            let above = open_releases(root, &self.layout)?;
            let private = match (&self.records, &above) {
                (Some(records), _) => PrivatePlace::open(root, records, above.as_ref(), removal.place, &name)?,
                (None, _) => None,
            };
            if self.app.dry {
                settled.push(Ok(done(Settlement::Removed)));
                continue;
            }
            let Some(private) = private else {
                // Either nothing was moved, or everything is gone.
                let there = above
                    .as_ref()
                    .is_some_and(|above| private.is_none() && is_there(root, above, &release, &removal.directory));
                let (how, event) = if there {
                    (Settlement::Kept, Event::Kept { release, name })
                } else {
                    (Settlement::Removed, Event::Removed { release, name, left: false })
                };
                let done = done(how);
                self.tell(event)?;
                settled.push(Ok(done));
                continue;
            };
            let not_moved = above.as_ref().is_some_and(|above| is_there(root, above, &release, &removal.directory));
            if not_moved {
                private.remove(root);
                let done = done(Settlement::Kept);
                self.tell(Event::Kept { release, name })?;
                settled.push(Ok(done));
                continue;
            }
            let done = done(Settlement::Removed);
            let taken = self.take_down(&private, &release);
            if !taken.complete || !private.remove(root) {
                settled.push(Err(self.residue(&private, &release, &taken)));
                if self.app_ledger().held(&release).is_some_and(|held| held.state() != ReleaseState::Removed) {
                    self.tell(Event::Removed { release, name, left: true })?;
                }
                continue;
            }
            self.tell(Event::Removed { release, name, left: false })?;
            settled.push(Ok(done));
        }
        Ok(settled)
    }
}

fn is_there(root: &crate::root::Root, above: &sys::Handle, release: &str, directory: &str) -> bool {
    let pinned = root.calls().pin(above, OsStr::new(release));
    pinned.and_then(|dir| identity(root, &dir)).is_ok_and(|id| id.as_str() == directory)
}

fn kept(mut view: ReleaseView, reason: &str) -> Pruned {
    view.reason = Some(reason.to_owned());
    Pruned { view, removed: false, unsure: false, residue: None }
}
