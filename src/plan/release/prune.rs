//! Which releases are removed, and why the others are not.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::ledger::{DirectoryId, InUse, Ledger, ReleaseDir, ReleaseRecord, ReleaseSight, ReleaseState};
use super::switch::rollback_choice;
use crate::error::words;

words! {
    "reason to keep a release":
    /// Why a release is not removed; the first that holds.
    #[derive(PartialOrd, Ord)]
    pub enum KeptBecause {
        /// It is active, as the ledger knows.
        Active = "active",
        /// It was active before, and is what is rolled back to.
        Before = "before",
        /// The link leads to it.
        Current = "current",
        /// It is pinned.
        Pinned = "pinned",
        /// It is prepared.
        Prepared = "prepared",
        /// Another app has it as prepared, active or before.
        OtherApp = "other_app",
        /// A process uses it.
        InUse = "in_use",
        /// Its state changed less than the grace time ago.
        Recent = "recent",
        /// Its state changed at a time that the clock has not reached.
        Ahead = "ahead",
        /// It is one of the confirmed good ones that are kept.
        Good = "good",
        /// The directory is not entered.
        NotEntered = "not_entered",
        /// The directory is not the one that was entered.
        Replaced = "replaced",
    }
}

/// What pruning is asked for.
#[derive(Clone, Copy, Debug)]
pub struct PruneRequest<'r> {
    /// The ledger of the app.
    pub ledger: &'r Ledger,
    /// What was seen.
    pub sight: &'r ReleaseSight,
    /// Which releases processes use.
    pub in_use: &'r BTreeMap<String, InUse>,
    /// The directories that other apps have as prepared, active or before.
    pub others: &'r BTreeSet<DirectoryId>,
    /// How many confirmed good ones are kept beside the active one.
    pub keep: usize,
    /// How long a release is left alone after its state changed.
    pub grace: Duration,
    /// The clock reading, in nanoseconds since 1970.
    pub now: i128,
}

/// What is done about one release or directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pruning {
    /// It is removed. `unsure` says that not every process could be looked into, so that the grace time decided.
    Remove {
        /// The directory that was entered; no other is removed.
        directory: DirectoryId,
        /// Whether not every process could be looked into.
        unsure: bool,
    },
    /// It is kept.
    Keep(KeptBecause),
    /// It is entered, and its directory is gone.
    Gone,
}

/// A release or directory, and what is done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PruneItem {
    /// Its name.
    pub release: String,
    /// What is done.
    pub pruning: Pruning,
}

/// Decides about every release, in the order in which they were entered, then about directories that are not entered.
pub fn plan_prune(request: &PruneRequest<'_>) -> Vec<PruneItem> {
    let PruneRequest { ledger, sight, .. } = *request;
    let before = protected(request);
    let good = good(request, &before);
    let entered = ledger.releases.iter().enumerate().filter(|(index, release)| {
        let later = ledger.releases[index + 1..].iter().any(|other| other.name == release.name);
        release.state != ReleaseState::Removed && !later
    });
    let mut items: Vec<PruneItem> = entered
        .map(|(_, release)| {
            let pruning = decide(request, release, &before, &good);
            PruneItem { release: release.name.clone(), pruning }
        })
        .collect();
    for (name, dir) in &sight.dirs {
        if matches!(dir, ReleaseDir::Dir(_)) && ledger.entered(name).is_none() {
            items.push(PruneItem { release: name.clone(), pruning: Pruning::Keep(KeptBecause::NotEntered) });
        }
    }
    items
}

/// The release that was active before, and the one that would be rolled back to: mostly the same.
fn protected<'r>(request: &PruneRequest<'r>) -> HashSet<&'r str> {
    let PruneRequest { ledger, sight, .. } = *request;
    let back = ledger.active().and_then(|active| rollback_choice(ledger, sight, active));
    ledger.before_active().into_iter().chain(back).map(|release| &*release.name).collect()
}

/// The latest confirmed good releases, as many as are kept; those that were active before are counted.
fn good<'r>(request: &PruneRequest<'r>, before: &HashSet<&str>) -> HashSet<&'r str> {
    let PruneRequest { ledger, sight, keep, .. } = *request;
    let is_good = |release: &&ReleaseRecord| {
        release.state == ReleaseState::Superseded && release.confirmed && !release.bad && sight.is_present(release)
    };
    let all: Vec<&ReleaseRecord> = ledger.releases.iter().rev().filter(is_good).collect();
    let counted = all.iter().filter(|release| before.contains(&*release.name)).count();
    let others = all.into_iter().filter(|release| !before.contains(&*release.name));
    others.take(keep.saturating_sub(counted)).map(|release| &*release.name).collect()
}

fn decide(
    request: &PruneRequest<'_>,
    release: &ReleaseRecord,
    before: &HashSet<&str>,
    good: &HashSet<&str>,
) -> Pruning {
    use KeptBecause::{
        Active, Ahead, Before, Current, Good, InUse as Used, OtherApp, Pinned, Prepared, Recent, Replaced,
    };
    let name = &*release.name;
    match request.sight.dirs.get(name) {
        None => return Pruning::Gone,
        Some(_) if !request.sight.is_present(release) => return Pruning::Keep(Replaced),
        Some(_) => {}
    }
    let in_use = request.in_use.get(name).copied().unwrap_or_default();
    let age = request.now.saturating_sub(release.changed);
    // A duration has at most 2^64 seconds.
    let grace = i128::try_from(request.grace.as_nanos()).unwrap_or(i128::MAX);
    let reasons = [
        (release.state == ReleaseState::Active, Active),
        (before.contains(name), Before),
        (request.sight.pointed() == Some(name), Current),
        (release.pinned, Pinned),
        (release.state == ReleaseState::Prepared, Prepared),
        (request.others.contains(&release.directory), OtherApp),
        (in_use == InUse::Yes, Used),
        (age < 0, Ahead),
        (age < grace, Recent),
        (good.contains(name), Good),
    ];
    match reasons.iter().find(|(holds, _)| *holds) {
        Some((_, reason)) => Pruning::Keep(*reason),
        None => Pruning::Remove { directory: release.directory.clone(), unsure: in_use == InUse::Unknown },
    }
}
