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
use super::in_use;
use super::noted::Event;
use super::private_place::{self, Moved, PrivatePlace, WITHIN};
use super::progress::Step;
use super::report::Pruned;
use super::session::{Session, WithoutRecords};
use super::sight::open_releases;
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
            view.times.removed = Some(Time::now());
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
        let from = (&above, OsStr::new(&release));
        if let Err(source) = private_place::rename(root, from, (&private.dir, OsStr::new(WITHIN))) {
            self.keep(&private, &release, &name)?;
            return match sys::fault(&source) {
                Fault::Missing => Ok(kept(view, "gone")),
                _ => Err(Error::from_io(source).on("prune", &release)),
            };
        }
        // Now nobody else can put another in its place.
        let judged = private.judge(root, directory.as_str());
        if !matches!(judged, Ok(Moved::Fit)) {
            if !matches!(judged, Ok(Moved::Nothing)) {
                self.move_back(&private, &above, &release)?;
            }
            self.keep(&private, &release, &name)?;
            let reason = match judged.map_err(|error| error.on("prune", &release))? {
                Moved::Used(used) => {
                    view.in_use = Some(used);
                    KeptBecause::InUse
                }
                _ => KeptBecause::Replaced,
            };
            return Ok(kept(view, reason.as_str()));
        }
        if let Err(error) = self.announce_emptying(&private, &above, (&release, &name)) {
            self.move_back(&private, &above, &release)?;
            return Err(error);
        }
        let taken = self.take_down(&private, &release);
        view.bytes = Some(taken.bytes);
        let residue =
            (!taken.complete || !private.remove_durably(root)).then(|| self.residue(&private, &release, &taken));
        self.tell(Event::Removed { release: release.clone(), name, left: residue.is_some() })?;
        let removed = self.app_ledger().held(&release).and_then(|held| held.removed).map(time);
        view.state = Some(ReleaseState::Removed);
        view.present = false;
        view.times.removed = removed;
        Ok(Pruned { view, removed: true, unsure, residue })
    }

    pub(super) fn take_down(&self, private: &PrivatePlace, release: &str) -> Taken {
        let progress = &*self.app.progress;
        take_down(&self.app.root, &private.dir, &mut |entries| {
            progress.step(&Step::Removing { release, entries });
        })
    }

    pub(super) fn residue(&self, private: &PrivatePlace, release: &str, taken: &Taken) -> Error {
        let left = vec![private.path(&self.app.root, &self.layout)];
        let why = taken.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        let reason = format!("not all of it could be taken down{why}; `recover` goes on");
        Error::new(Kind::Residue).on("prune", release).because(reason).leaving(left, Vec::new())
    }
}

fn kept(mut view: ReleaseView, reason: &str) -> Pruned {
    view.reason = Some(reason.to_owned());
    Pruned { view, removed: false, unsure: false, residue: None }
}
