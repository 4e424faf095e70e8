//! Replaces a link, if it still is what the edit expects.
//!
//! Under the lock: the present link is pinned and checked, the new one is staged, both are traded in one kernel call,
//! and what was displaced is looked at. If it is a link that fits, the result is read back from the root and the
//! displaced link is unlinked. If not, the trade is undone.
//!
//! Between the trade and its undoing other processes can see the new target. Where the host cannot trade, the new
//! link is renamed over the pinned one after a last look at it, and the guarantee is `cooperative`.

use std::ffi::{OsStr, OsString};

use super::staging::{Area, Leftover, Ours, Spare, Staged, put_back};
use super::verify::{self, ReadBack};
use super::{Attempt, Changed, guarantee};
use crate::entry::Entry;
use crate::error::{Error, FileKind, Found, Result};
use crate::model::{Change, Edit, fits};
use crate::sys::{self, Fault, Handle, Stat};

/// How often a trade is turned round when a third program takes the name at the same time.
const TURNS: usize = 4;

pub(super) fn replace(entry: &Entry, edit: &Edit, text: &OsStr, directory: bool) -> Result<Attempt> {
    let area = Area::lock(entry)?;
    // Another holder may have replaced it while this one waited for the lock.
    let Some(present) = Pinned::at(entry, entry.at())? else { return Ok(Attempt::Again) };
    let as_decided = |link: &Pinned| fits(&edit.expected, &Found::Link(link.text.clone())) && link.text != text;
    if !as_decided(&present) {
        return Ok(Attempt::Again);
    }
    let staged = area.stage(text, directory)?;
    let mut changed = Changed { staging: area.kind(), ..Changed::new(Change::Replaced) };
    match entry.root.calls().exchange(staged.at(), entry.at()) {
        Ok(()) => {}
        Err(source) if sys::fault(&source) == Fault::Missing => {
            let leftover = staged.discard(text);
            return if leftover.is_empty() { Ok(Attempt::Again) } else { Err(leftover.on(verify::taken())) };
        }
        Err(source) if sys::fault(&source) == Fault::Unsupported => {
            changed.guarantee = guarantee(&entry.root, false).map_err(|error| staged.take_back(text, error))?;
            return rename_over(entry, &area, &staged, &present, text, changed);
        }
        Err(source) => return Err(staged.take_back(text, verify::refused(entry, source))),
    }
    let displaced = match displaced(entry, staged.at(), present) {
        Ok(Some(link)) if as_decided(&link) => link,
        Ok(_) => return undo(entry, &staged, text, None),
        Err(error) => return undo(entry, &staged, text, Some(error)),
    };
    if !entry.root.policy().unverified {
        match verify::read_back(entry, staged.id(), text) {
            Ok(ReadBack::Stands) => changed.verified = true,
            Ok(ReadBack::Taken) => return undo(entry, &staged, text, Some(verify::taken())),
            Ok(ReadBack::Moved) => return undo(entry, &staged, text, Some(verify::parent_moved())),
            Err(error) => return undo(entry, &staged, text, Some(error)),
        }
    }
    let (dir, name) = staged.at();
    let leftover = area.discard(dir, name, Ours::Object(displaced.stat.id));
    changed.shortfalls.extend(leftover.into_shortfall());
    changed.previous = Some(displaced.text);
    Ok(Attempt::Done(changed))
}

/// What is out of the way now: the link that was pinned before, or another one, pinned; none if it is no link.
pub(super) fn displaced(entry: &Entry, at: (&Handle, &OsStr), expected: Pinned) -> Result<Option<Pinned>> {
    match entry.root.calls().stat_at(at.0, at.1) {
        Ok(stat) if stat.id == expected.stat.id => Ok(Some(expected)),
        Ok(_) => Pinned::at(entry, at),
        Err(source) => Err(Error::from_io(source)),
    }
}

/// A link that is pinned, with its text.
pub(super) struct Pinned {
    pub(super) stat: Stat,
    pub(super) text: OsString,
    /// While it is open the inode number is not given to another.
    _pin: Handle,
}

impl Pinned {
    /// Pins the link of this name; none where nothing or something else has it.
    pub(super) fn at(entry: &Entry, (dir, name): (&Handle, &OsStr)) -> Result<Option<Pinned>> {
        let calls = entry.root.calls();
        let pin = match calls.pin(dir, name) {
            Ok(pin) => pin,
            Err(source) if sys::fault(&source) == Fault::Missing => return Ok(None),
            Err(source) => return Err(Error::from_io(source)),
        };
        let stat = calls.stat(&pin).map_err(Error::from_io)?;
        if stat.kind != FileKind::Symlink {
            return Ok(None);
        }
        let text = calls.read_pinned(&pin).map_err(Error::from_io)?;
        Ok(Some(Pinned { stat, text, _pin: pin }))
    }
}

/// Trades back what was displaced, and removes the staged link.
///
/// A third program can take the name at any moment. What it put there stays; what then cannot go back is kept under
/// the staged name and reported.
pub(super) fn undo(entry: &Entry, staged: &Staged<'_>, text: &OsStr, cause: Option<Error>) -> Result<Attempt> {
    let leftover = trade_back(entry, staged, text);
    match cause {
        Some(cause) => Err(leftover.on(cause)),
        None if leftover.is_empty() => Ok(Attempt::Again),
        None => Err(leftover.on(verify::taken())),
    }
}

fn trade_back(entry: &Entry, staged: &Staged<'_>, text: &OsStr) -> Leftover {
    let calls = entry.root.calls();
    let kept = || Leftover::preserved(staged.path());
    let mut third = false;
    for _ in 0..TURNS {
        match calls.exchange(staged.at(), entry.at()) {
            Ok(()) => {}
            // The third program removed or moved the name: the displaced entry goes back there.
            Err(source) if sys::fault(&source) == Fault::Missing => {
                if put_back(entry, staged.at(), entry.at()) {
                    return Leftover::default();
                }
                continue;
            }
            Err(_) => return kept(),
        }
        match calls.stat_at(staged.at().0, staged.at().1) {
            Ok(stat) if stat.id == staged.id() => return staged.discard(text),
            // The third program's entry was traded out: it goes back, and what was displaced is kept.
            Ok(_) if third => return kept(),
            Ok(_) => third = true,
            Err(source) if sys::fault(&source) == Fault::Missing => return Leftover::default(),
            Err(_) => return kept(),
        }
    }
    kept()
}

/// The way of a host without exchange: the last look and the renaming are two calls.
///
/// A second name for the present link, taken before, lets this very link be put back.
fn rename_over(
    entry: &Entry,
    area: &Area<'_>,
    staged: &Staged<'_>,
    present: &Pinned,
    text: &OsStr,
    mut changed: Changed,
) -> Result<Attempt> {
    let calls = entry.root.calls();
    let give_up = |error| Err(staged.take_back(text, error));
    if !verify::parent_in_place(entry).map_err(|error| staged.take_back(text, error))? {
        return give_up(verify::parent_moved());
    }
    let spare = area.spare().map_err(|error| staged.take_back(text, error))?;
    let kept = calls.hard_link(entry.at(), spare.at()).is_ok();
    let drop_kept = || match kept {
        true => area.discard(spare.at().0, spare.at().1, Ours::Object(present.stat.id)),
        false => Leftover::default(),
    };
    let same = calls.stat_at(&entry.parent, entry.name()).is_ok_and(|stat| stat.id == present.stat.id);
    if !same {
        let leftover = staged.discard(text).and(drop_second_name(entry, &spare, kept));
        return if leftover.is_empty() { Ok(Attempt::Again) } else { Err(leftover.on(verify::taken())) };
    }
    if let Err(source) = calls.rename_over(staged.at(), entry.at()) {
        return Err(drop_kept().on(staged.take_back(text, verify::refused(entry, source))));
    }
    if !entry.root.policy().unverified {
        let restore = |error: Error| match kept && calls.rename_over(spare.at(), entry.at()).is_ok() {
            true => Err(error),
            false => Err(Leftover::left(entry.physical.clone()).on(error)),
        };
        match verify::read_back(entry, staged.id(), text) {
            Ok(ReadBack::Stands) => changed.verified = true,
            Ok(ReadBack::Taken) => return Err(drop_kept().on(verify::taken())),
            Ok(ReadBack::Moved) => return restore(verify::parent_moved()),
            Err(error) => return restore(error),
        }
    }
    changed.shortfalls.extend(drop_kept().into_shortfall());
    changed.previous = Some(present.text.clone());
    Ok(Attempt::Done(changed))
}

/// The second name may be one of something that came in between: only a link's is removed.
fn drop_second_name(entry: &Entry, spare: &Spare<'_>, kept: bool) -> Leftover {
    if !kept {
        return Leftover::default();
    }
    let calls = entry.root.calls();
    match calls.stat_at(spare.at().0, spare.at().1) {
        Ok(stat) if stat.kind == FileKind::Symlink => match calls.unlink(spare.at().0, spare.at().1) {
            Ok(()) => Leftover::default(),
            Err(_) => Leftover::left(spare.path()),
        },
        Ok(_) => Leftover::preserved(spare.path()),
        Err(_) => Leftover::default(),
    }
}
