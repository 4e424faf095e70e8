//! What a release may be entered as, switched to, rolled back to, and settled as after a stop.

use std::ffi::OsString;

use super::ledger::{Ledger, Occupant, ReleaseDir, ReleaseRecord, ReleaseSight, ReleaseState};
use crate::error::{Error, FileKind, Found, Kind, Result};
use crate::model::LinkPath;

/// Checks the name of a release: one component of UTF-8 without control characters and leading `.`.
///
/// # Errors
///
/// `invalid_path`, `escape`, `too_long`, as for a link path.
pub fn release_name(name: &str) -> Result<()> {
    let path = LinkPath::new(name)?;
    let refuse = |reason: &str| Err(Error::new(Kind::InvalidPath).on("use", name).because(reason));
    if path.as_path().as_os_str() != name || !path.parent().as_os_str().is_empty() {
        return refuse("the name of a release is one component");
    }
    if name.starts_with('.') || name.chars().any(char::is_control) {
        return refuse("the name of a release has no control characters and does not begin with `.`");
    }
    Ok(())
}

/// What adding a release comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entering {
    /// It is entered already.
    Unchanged,
    /// It is entered as `prepared`.
    Prepared,
    /// It is entered as `active` and confirmed: the link leads to it already.
    Active,
}

/// Decides whether a release can be entered, and as what.
///
/// # Errors
///
/// `not_found`, `not_a_directory`; `replaced_release` where another directory than the one that was entered has its name,
/// and what was entered has been active.
pub fn plan_add(ledger: &Ledger, sight: &ReleaseSight, name: &str) -> Result<Entering> {
    let refuse = |kind| Err(Error::new(kind).on("add", name));
    release_name(name).map_err(|error| error.during("add"))?;
    let directory = match sight.dirs.get(name) {
        None => return refuse(Kind::NotFound),
        Some(ReleaseDir::Other(kind)) => return Err(no_directory("add", name, *kind)),
        Some(ReleaseDir::Dir(directory)) => directory,
    };
    let anew = if sight.pointed() == Some(name) { Entering::Active } else { Entering::Prepared };
    match ledger.known(name) {
        None => Ok(anew),
        Some(known) if known.state == ReleaseState::Removed => Ok(anew),
        Some(known) if known.directory == *directory => Ok(Entering::Unchanged),
        Some(known) if matches!(known.state, ReleaseState::Prepared | ReleaseState::Failed) => Ok(anew),
        Some(_) => refuse(Kind::ReplacedRelease),
    }
}

fn no_directory(verb: &'static str, name: &str, kind: FileKind) -> Error {
    let error = Error::new(Kind::NotADirectory).on(verb, name).found_instead(Found::Other(kind));
    error.because(format!("a release is a directory, and this is {kind}"))
}

/// What switching comes to. Whatever it is, it is carried out as a compare-and-swap on the text that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Switching {
    /// The link leads there, and the ledger knows.
    Unchanged,
    /// The link leads there, and only the ledger has to be told.
    Enter,
    /// The link is made.
    Create,
    /// The link is replaced.
    Replace {
        /// The text that it has.
        expected: OsString,
    },
}

/// Decides whether the link can be switched to a release.
///
/// `expect` is the release that it has to lead to.
///
/// # Errors
///
/// `unknown_release` where it is not entered, `not_found`, `not_a_directory` or `replaced_release` where it is not the
/// directory that was entered, `bad_release` where it is marked so and that is not accepted; `not_a_link` where something
/// else has the link's name, `mismatch` where it does not lead to the expected release.
pub fn plan_switch(
    ledger: &Ledger,
    sight: &ReleaseSight,
    name: &str,
    expect: Option<&str>,
    even_bad: bool,
) -> Result<Switching> {
    let release = usable(ledger, sight, "switch", name)?;
    if release.bad && !even_bad {
        return Err(Error::new(Kind::BadRelease).on("switch", name));
    }
    if let Some(expected) = expect
        && sight.pointed() != Some(expected)
    {
        let reason = match sight.pointed() {
            Some(pointed) => format!("the link leads to the release `{pointed}`, expected `{expected}`"),
            None => format!("the link does not lead to the release `{expected}`"),
        };
        let error = Error::new(Kind::Mismatch).on("switch", name).because(reason);
        return Err(match &sight.current {
            Occupant::Missing => error.found_instead(Found::Missing),
            Occupant::Other(kind) => error.found_instead(Found::Other(*kind)),
            Occupant::Link { text, .. } => error.found_instead(Found::Link(text.clone())),
        });
    }
    let active = ledger.active().is_some_and(|active| active.name == name);
    match &sight.current {
        Occupant::Missing => Ok(Switching::Create),
        Occupant::Other(kind) => Err(Error::new(Kind::NotALink).on("switch", name).found_instead(Found::Other(*kind))),
        Occupant::Link { .. } if sight.pointed() == Some(name) && active && !ledger.open => Ok(Switching::Unchanged),
        Occupant::Link { .. } if sight.pointed() == Some(name) => Ok(Switching::Enter),
        Occupant::Link { text, .. } => Ok(Switching::Replace { expected: text.clone() }),
    }
}

/// A release that is entered and is the directory that was entered.
fn usable<'l>(ledger: &'l Ledger, sight: &ReleaseSight, verb: &'static str, name: &str) -> Result<&'l ReleaseRecord> {
    let refuse = |kind| Err(Error::new(kind).on(verb, name));
    let Some(release) = ledger.entered(name) else { return refuse(Kind::UnknownRelease) };
    match sight.dirs.get(name) {
        None => refuse(Kind::NotFound),
        Some(ReleaseDir::Other(kind)) => Err(no_directory(verb, name, *kind)),
        Some(ReleaseDir::Dir(directory)) if *directory != release.directory => refuse(Kind::ReplacedRelease),
        Some(ReleaseDir::Dir(_)) => Ok(release),
    }
}

/// Chooses the release to roll back to: the one that is named, or the latest of the confirmed, present, not bad ones whose
/// first activation was before the active one's.
///
/// # Errors
///
/// `not_found` where there is none, or nothing is active; for one that is named those of [`plan_switch`].
pub fn plan_rollback<'l>(ledger: &'l Ledger, sight: &ReleaseSight, to: Option<&str>) -> Result<&'l ReleaseRecord> {
    if let Some(name) = to {
        let release = usable(ledger, sight, "roll back to", name)?;
        return match release.bad {
            true => Err(Error::new(Kind::BadRelease).on("roll back to", name)),
            false => Ok(release),
        };
    }
    let none = |reason: &str| Error::new(Kind::NotFound).during("roll back").because(reason);
    let active = ledger.active().ok_or_else(|| none("no release is active"))?;
    rollback_choice(ledger, sight, active)
        .ok_or_else(|| none("there is no confirmed good release that was active before this one"))
}

pub(super) fn rollback_choice<'l>(
    ledger: &'l Ledger,
    sight: &ReleaseSight,
    active: &ReleaseRecord,
) -> Option<&'l ReleaseRecord> {
    let bound = ledger.first_activation(&active.name)?;
    let good = |release: &&ReleaseRecord| release.confirmed && !release.bad && sight.is_present(release);
    let earlier = |release: &&ReleaseRecord| {
        ledger.first_activation(&release.name).is_some_and(|first| first < bound) && release.name != active.name
    };
    let candidates = ledger.releases.iter().filter(|release| release.state != ReleaseState::Removed);
    candidates.filter(good).filter(earlier).max_by_key(|release| ledger.first_activation(&release.name))
}

/// What a deploy comes to that was stopped between switch and confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settling {
    /// There is none.
    Nothing,
    /// The link leads to the release that was not confirmed: it gets its text from before, or is removed.
    SwitchBack {
        /// The text that the link has.
        expected: OsString,
        /// The text that it had; none: there was no link.
        text: Option<OsString>,
    },
    /// Others changed the link since: it is left as it is, and the release counts as failed.
    Leave,
}

/// Decides how a deploy is settled that was stopped between switch and confirmation.
pub fn settle(ledger: &Ledger, sight: &ReleaseSight) -> Settling {
    let Some(last) = ledger.activations.last().filter(|last| ledger.open && !last.withdrawn) else {
        return Settling::Nothing;
    };
    match &sight.current {
        Occupant::Link { text, .. } if sight.pointed() == Some(&last.release) => {
            Settling::SwitchBack { expected: text.clone(), text: last.displaced.clone() }
        }
        _ => Settling::Leave,
    }
}
