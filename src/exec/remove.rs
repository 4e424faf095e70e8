//! Removes a link, and only a link.
//!
//! Under the lock: the link is looked at, moved aside without replacing anything, looked at where nobody else can touch
//! it, and unlinked only if it is a link that fits. Anything else is put back. Between the move and the putting back
//! its name is absent.

use std::io;

use super::area::Area;
use super::leftover::{Leftover, put_back};
use super::staging::Spare;
use super::{Attempt, Changed, guarantee, verify};
use crate::entry::{Entry, look};
use crate::error::{Error, Found, Result};
use crate::model::{Edit, Effect, fits};
use crate::sys::{self, Fault};

/// `held` is the lock under which the edit was decided, if there is one.
pub(super) fn remove(entry: &Entry, held: Option<&Area<'_>>, edit: &Edit) -> Result<Attempt> {
    Area::with(entry, held, |area| take_out(entry, area, held.is_some(), edit))
}

fn take_out(entry: &Entry, area: &Area<'_>, decided: bool, edit: &Edit) -> Result<Attempt> {
    let calls = entry.root.calls();
    let as_decided = |found: &Found| fits(edit.change.expected(), found);
    // Another holder may have replaced it while this one waited for the lock.
    if !decided && !as_decided(&entry.look()?) {
        return Ok(Attempt::Again);
    }
    let mut changed = Changed { staging: area.kind(), ..Changed::new(Effect::Removed) };
    let spare = area.spare().map_err(Error::from_io)?;
    // A call can fail that was carried out.
    match calls.rename_new(entry.at(), spare.at()) {
        Ok(()) => {}
        Err(source) if spare.is_used() => return restore(entry, &spare, Some(Error::from_io(source))),
        Err(source) if sys::fault(&source) == Fault::Missing => return Ok(Attempt::Again),
        Err(source) if sys::fault(&source) == Fault::Unsupported => {
            changed.guarantee = guarantee(&entry.root, false)?;
            // The new name is random: nothing has it that could be replaced.
            if let Err(source) = calls.rename_over(entry.at(), spare.at()) {
                if spare.is_used() {
                    return restore(entry, &spare, Some(Error::from_io(source)));
                }
                // The name belongs to the private directory itself by now, which cannot be moved into itself.
                if source.kind() == io::ErrorKind::InvalidInput {
                    return Ok(Attempt::Again);
                }
                return verify::not_moved(entry, &[entry], source);
            }
        }
        Err(source) => return verify::not_moved(entry, &[entry], source),
    }
    let aside = match look(calls, spare.at()) {
        Ok(found) if as_decided(&found) => found,
        Ok(_) => return restore(entry, &spare, None),
        Err(error) => return restore(entry, &spare, Some(error)),
    };
    if !entry.root.policy().unverified {
        match verify::parent_in_place(entry) {
            Ok(true) => changed.verified = true,
            Ok(false) => return restore(entry, &spare, Some(verify::parent_moved())),
            Err(error) => return restore(entry, &spare, Some(error)),
        }
    }
    changed.shortfalls.extend(spare.drop_displaced().into_shortfall());
    changed.previous = aside.into_text();
    Ok(Attempt::Done(changed))
}

/// Puts back what was moved aside; where its name was taken meanwhile it is kept and reported.
fn restore(entry: &Entry, spare: &Spare<'_>, cause: Option<Error>) -> Result<Attempt> {
    let back = put_back(entry, spare.at(), entry.at());
    let leftover = if back { Leftover::default() } else { Leftover::preserved(spare.path()) };
    match cause {
        Some(cause) => Err(leftover.on(cause)),
        None if back => Ok(Attempt::Again),
        None => Err(leftover.on(verify::taken())),
    }
}
