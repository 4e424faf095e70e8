//! Removes a link, and only a link.
//!
//! Under the lock: the link is moved aside without replacing anything, looked at where nobody else can touch it, and
//! unlinked only if it is a link that fits. Anything else is put back. Between the move and the putting back its name is
//! absent.
//!
//! In a directory that is kept for a series of edits it is unlinked when the directory is proven to be in its place.

use std::io;

use super::displaced::{Displaced, moved_back};
use super::halt::OrHalt;
use super::read_back;
use super::site::Site;
use super::stage::Spare;
use super::{Attempt, Changed, guarantee};
use crate::entry::{Opened, look};
use crate::error::{Error, Found, Result};
use crate::model::{Edit, Effect, fits};
use crate::sys::{self, Fault};

pub(super) fn remove(site: &Site<'_>, edit: &Edit) -> OrHalt<Attempt> {
    let entry = site.entry;
    let calls = entry.root.calls();
    let as_decided = |found: &Found| fits(edit.change.expected(), found);
    let spare = site.spare()?;
    let mut changed = Changed { staging: site.kind(), ..Changed::new(Effect::Removed) };
    if !site.still_excludes()? {
        return Err(super::halt::state_contended().into());
    }
    // The call may have taken effect despite an error.
    match calls.rename_new(entry.at(), spare.slot().at()) {
        Ok(()) => {}
        Err(source) if spare.is_used() => return Ok(put_back(entry, &spare, Some(Error::from_io(source)))?),
        Err(source) if sys::fault(&source) == Fault::Missing => {
            site.notice_loss();
            return Ok(Attempt::Again);
        }
        Err(source) if sys::fault(&source) == Fault::Unsupported => {
            changed.guarantee = guarantee(&entry.root, false)?;
            // The new name is random: nothing has it that could be replaced.
            if let Err(source) = calls.rename_over(entry.at(), spare.slot().at()) {
                if spare.is_used() {
                    return Ok(put_back(entry, &spare, Some(Error::from_io(source)))?);
                }
                // The name belongs to the private directory itself by now, which cannot be moved into itself.
                if source.kind() == io::ErrorKind::InvalidInput {
                    return Ok(Attempt::Again);
                }
                return Ok(read_back::not_moved(entry, &[entry], source)?);
            }
        }
        Err(source) => return Ok(read_back::not_moved(entry, &[entry], source)?),
    }
    let aside = match look(calls, spare.slot().at()) {
        Ok(found) if as_decided(&found) => found,
        Ok(_) => return Ok(put_back(entry, &spare, None)?),
        Err(error) => return Ok(put_back(entry, &spare, Some(error))?),
    };
    let waits = site.keeps_displaced();
    if !entry.root.policy().unverified {
        match if waits { Ok(true) } else { site.parent_in_place() } {
            Ok(true) => changed.verified = true,
            Ok(false) => return Ok(put_back(entry, &spare, Some(read_back::parent_moved()))?),
            Err(error) => return Ok(put_back(entry, &spare, Some(error))?),
        }
    }
    match waits && changed.verified {
        true => changed.displaced = Some(Displaced::removed(spare)),
        false => changed.shortfalls.extend(spare.unlink().into_shortfall()),
    }
    changed.previous = aside.into_text();
    Ok(Attempt::Done(changed))
}

/// Puts back what was moved aside; where its name was taken meanwhile it is kept and reported.
fn put_back(entry: &Opened<'_>, spare: &Spare<'_, '_>, cause: Option<Error>) -> Result<Attempt> {
    let residue = moved_back(entry, spare.slot());
    match cause {
        Some(cause) => Err(residue.on(cause)),
        None => residue.again(),
    }
}
