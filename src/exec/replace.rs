//! Replaces a link, if it still is what the edit expects.
//!
//! Under the lock: the new link is staged and pinned, both are exchanged in one kernel call, and what was displaced is
//! looked at where nobody else can touch it. If it is a link that fits, the result is read back from the root and the
//! displaced link is unlinked. If not, the exchange is taken back.
//!
//! In a directory that is kept for a series of edits the new link is looked at under its name, and the displaced one is
//! unlinked when the directory is proven to be in its place.
//!
//! Between the exchange and its taking back other processes can see the new target.

use std::ffi::OsStr;

use super::displaced::{Displaced, exchanged_back};
use super::halt::OrHalt;
use super::over::rename_over;
use super::read_back;
use super::site::Site;
use super::stage::Staged;
use super::{Attempt, Changed, guarantee};
use crate::entry::{Opened, look};
use crate::error::{Error, Found, Result};
use crate::model::{Edit, Effect, fits};
use crate::sys::{self, Fault};

pub(super) fn replace(site: &Site<'_>, edit: &Edit, text: &OsStr, directory: bool) -> OrHalt<Attempt> {
    let entry = site.entry;
    let calls = entry.root.calls();
    let as_decided =
        |found: &Found| fits(edit.change.expected(), found) && found.text().is_some_and(|found| found != text);
    let Some(staged) = site.stage(text, directory)? else { return Ok(Attempt::Again) };
    let mut changed = Changed { staging: site.kind(), ..Changed::new(Effect::Replaced) };
    if !site.still_excludes().map_err(|error| staged.give_up(text, error))? {
        return Err(staged.give_up(text, super::halt::state_contended()).into());
    }
    match calls.exchange(staged.slot().at(), entry.at()) {
        Ok(()) => {}
        Err(source) if sys::fault(&source) == Fault::Missing => return Ok(staged.discard(text).again()?),
        Err(source) if sys::fault(&source) == Fault::Unsupported => {
            if site.can_exchange(text).map_err(|halt| halt.map(|error| staged.give_up(text, error)))? {
                return Ok(staged.discard(text).again()?);
            }
            changed.guarantee = guarantee(&entry.root, false).map_err(|error| staged.give_up(text, error))?;
            return rename_over(site, &staged, &as_decided, text, changed);
        }
        // The call may have taken effect despite the error.
        Err(source) if staged.is_published(entry) => {
            return Ok(take_back(entry, &staged, text, Some(Error::from_io(source)))?);
        }
        Err(source) => return Ok(staged.after(text, read_back::not_moved(entry, &[entry], source))?),
    }
    // The text proves it: what is compared is the text, and nobody else can reach the displaced entry.
    let displaced = match look(calls, staged.slot().at()) {
        Ok(found) if as_decided(&found) => found,
        Ok(_) => return Ok(take_back(entry, &staged, text, None)?),
        Err(error) => return Ok(take_back(entry, &staged, text, Some(error))?),
    };
    let waits = site.keeps_displaced();
    if !entry.root.policy().unverified {
        let published = if waits { read_back::published_in_kept } else { read_back::published };
        match published(entry, staged.id()) {
            Ok(()) => changed.verified = true,
            Err(error) => return Ok(take_back(entry, &staged, text, Some(error))?),
        }
    }
    match waits && changed.verified {
        true => changed.displaced = Some(Displaced::replaced(staged)),
        false => changed.shortfalls.extend(staged.unlink().into_shortfall()),
    }
    changed.previous = displaced.into_text();
    Ok(Attempt::Done(changed))
}

/// Takes the exchange with a staged link back, and removes the link.
pub(super) fn take_back(
    entry: &Opened<'_>,
    staged: &Staged<'_, '_>,
    text: &OsStr,
    cause: Option<Error>,
) -> Result<Attempt> {
    let residue = exchanged_back(entry, staged, text, cause.as_ref());
    match cause {
        Some(cause) => Err(residue.on(cause)),
        None => residue.again(),
    }
}
