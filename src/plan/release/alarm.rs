//! What is wrong with an app at a glance.

use super::ledger::{Ledger, Occupant, Pointing, ReleaseSight};
use crate::error::words;

words! {
    "alarm":
    /// What is wrong with an app.
    #[derive(PartialOrd, Ord)]
    pub enum Alarm {
        /// There is no link.
        Missing = "missing",
        /// Something that is no link has the link's name.
        NotALink = "not_a_link",
        /// The link leads to nothing.
        Dangling = "dangling",
        /// The link leads out of the root.
        Escape = "escape",
        /// The link leads to something that is no release of the ledger.
        UnknownRelease = "unknown_release",
        /// The link leads to another release than the active one of the ledger.
        Drift = "drift",
        /// The link leads to another directory than the one that was entered.
        ReplacedRelease = "replaced_release",
        /// The active release is marked bad.
        BadRelease = "bad_release",
        /// A deploy was stopped before it was confirmed.
        Interrupted = "interrupted",
    }
}

/// Returns the first alarm that holds.
pub fn alarm(ledger: &Ledger, sight: &ReleaseSight) -> Option<Alarm> {
    let name = match &sight.current {
        Occupant::Missing => return Some(Alarm::Missing),
        Occupant::Other(_) => return Some(Alarm::NotALink),
        Occupant::Link { leads: Pointing::Dangling, .. } => return Some(Alarm::Dangling),
        Occupant::Link { leads: Pointing::Escape, .. } => return Some(Alarm::Escape),
        Occupant::Link { leads: Pointing::Elsewhere, .. } => return Some(Alarm::UnknownRelease),
        Occupant::Link { leads: Pointing::Release(name), .. } => name,
    };
    let Some(release) = ledger.entered(name) else { return Some(Alarm::UnknownRelease) };
    if ledger.active().is_none_or(|active| active.name != *name) {
        return Some(Alarm::Drift);
    }
    if !sight.is_present(release) {
        return Some(Alarm::ReplacedRelease);
    }
    if release.bad {
        return Some(Alarm::BadRelease);
    }
    ledger.open.then_some(Alarm::Interrupted)
}
