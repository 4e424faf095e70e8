//! Replaces a link, if it still is what the edit expects.
//!
//! Under the lock: the new link is staged and pinned, both are exchanged in one kernel call, and what was displaced is
//! looked at where nobody else can touch it. If it is a link that fits, the result is read back from the root and the
//! displaced link is unlinked. If not, the exchange is taken back.
//!
//! Between the exchange and its taking back other processes can see the new target.

use std::ffi::OsStr;

use super::halt::OrHalt;
use super::over::rename_over;
use super::read_back;
use super::reverse::At;
use super::site::Site;
use super::slot::Slot;
use super::stage::Staged;
use super::transfer::Transfer;
use super::{Attempt, Changed, guarantee};
use crate::entry::{Opened, look};
use crate::error::{Error, Found, Kind, Result};
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
    if !entry.root.policy().unverified {
        match read_back::published(entry, staged.id()) {
            Ok(()) => changed.verified = true,
            Err(error) => return Ok(take_back(entry, &staged, text, Some(error))?),
        }
    }
    changed.shortfalls.extend(staged.unlink().into_shortfall());
    changed.previous = displaced.into_text();
    Ok(Attempt::Done(changed))
}

fn is_moved(cause: Option<&Error>) -> bool {
    cause.is_some_and(|cause| cause.kind() == Kind::ParentMoved)
}

/// Takes the exchange with a staged link back, and removes the link.
pub(super) fn take_back(
    entry: &Opened<'_>,
    staged: &Staged<'_, '_>,
    text: &OsStr,
    cause: Option<Error>,
) -> Result<Attempt> {
    let (here, there) = (Slot::of(entry), staged.slot());
    let transfer = Transfer {
        calls: entry.root.calls(),
        here,
        there,
        new: Some(staged.id()),
        exposed: staged.is_exposed(),
        can_exchange: true,
    };
    let ended = transfer.take_back();
    let residue = match (ended.here, ended.there) {
        (_, At::Home) => transfer.residue(ended).and(staged.discard(text)),
        // Others took what was displaced from where they can reach it, or the directory was moved: the new link goes.
        // Anywhere else it stays, or the name would be absent.
        (At::Brought, At::Nothing) if staged.is_exposed() || is_moved(cause.as_ref()) => {
            staged.discard_published(entry)
        }
        _ => transfer.residue(ended),
    };
    match cause {
        Some(cause) => Err(residue.on(cause)),
        None => residue.again(),
    }
}
