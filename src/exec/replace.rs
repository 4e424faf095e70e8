//! Replaces a link, if it still is what the edit expects.
//!
//! Under the lock: the present link is looked at, the new one is staged and pinned, both are traded in one kernel call,
//! and what was displaced is looked at where nobody else can touch it. If it is a link that fits, the result is read
//! back from the root and the displaced link is unlinked. If not, the trade is undone.
//!
//! Between the trade and its undoing other processes can see the new target.

use std::ffi::OsStr;

use super::area::Area;
use super::over::rename_over;
use super::undo::undo;
use super::verify;
use super::{Attempt, Changed, guarantee};
use crate::entry::{Entry, look};
use crate::error::{Error, Found, Result};
use crate::model::{Edit, Effect, fits};
use crate::sys::{self, Fault};

/// `held` is the lock under which the edit was decided, if there is one.
pub(super) fn replace(
    entry: &Entry,
    held: Option<&Area<'_>>,
    edit: &Edit,
    text: &OsStr,
    directory: bool,
) -> Result<Attempt> {
    Area::with(entry, held, |area| trade(entry, area, held.is_some(), edit, (text, directory)))
}

fn trade(
    entry: &Entry,
    area: &Area<'_>,
    decided: bool,
    edit: &Edit,
    (text, directory): (&OsStr, bool),
) -> Result<Attempt> {
    let calls = entry.root.calls();
    let as_decided =
        |found: &Found| fits(edit.change.expected(), found) && found.text().is_some_and(|found| found != text);
    // Another holder may have replaced it while this one waited for the lock.
    if !decided && !as_decided(&entry.look()?) {
        return Ok(Attempt::Again);
    }
    let staged = area.stage(text, directory)?;
    let mut changed = Changed { staging: area.kind(), ..Changed::new(Effect::Replaced) };
    match calls.exchange(staged.at(), entry.at()) {
        Ok(()) => {}
        Err(source) if sys::fault(&source) == Fault::Missing => {
            return staged.discard(text).again();
        }
        Err(source) if sys::fault(&source) == Fault::Unsupported => {
            if area.can_trade(text).map_err(|error| staged.take_back(text, error))? {
                return staged.discard(text).again();
            }
            changed.guarantee = guarantee(&entry.root, false).map_err(|error| staged.take_back(text, error))?;
            return rename_over(entry, area, &staged, &as_decided, text, changed);
        }
        // A call can fail that was carried out.
        Err(source) if staged.is_published(entry) => return undo(entry, &staged, text, Some(Error::from_io(source))),
        Err(source) => return staged.give_up(text, verify::not_moved(entry, &[entry], source)),
    }
    // The text proves it: what is compared is the text, and nobody else can reach the displaced entry.
    let displaced = match look(calls, staged.at()) {
        Ok(found) if as_decided(&found) => found,
        Ok(_) => return undo(entry, &staged, text, None),
        Err(error) => return undo(entry, &staged, text, Some(error)),
    };
    if !entry.root.policy().unverified {
        match verify::read_back(entry, &staged) {
            Ok(()) => changed.verified = true,
            Err(error) => return undo(entry, &staged, text, Some(error)),
        }
    }
    changed.shortfalls.extend(staged.drop_displaced().into_shortfall());
    changed.previous = displaced.into_text();
    Ok(Attempt::Done(changed))
}
