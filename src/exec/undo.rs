//! Takes a trade back.

use std::ffi::OsStr;

use super::Attempt;
use super::leftover::{Leftover, put_back};
use super::staging::Staged;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::model::ObjectId;
use crate::sys::{self, Fault, Handle};

/// How often a trade is turned round when a third program takes the name at the same time.
const TURNS: usize = 64;

/// Trades back what was displaced, and removes the staged link.
///
/// A third program can take the name at any moment. What it put there stays; what then cannot go back is kept under
/// the staged name and reported.
pub(super) fn undo(entry: &Entry, staged: &Staged<'_>, text: &OsStr, cause: Option<Error>) -> Result<Attempt> {
    let leftover = trade_back(entry, staged, text);
    match cause {
        Some(cause) => Err(leftover.on(cause)),
        None => leftover.again(),
    }
}

fn trade_back(entry: &Entry, staged: &Staged<'_>, text: &OsStr) -> Leftover {
    let calls = entry.root.calls();
    let mut third = false;
    for _ in 0..TURNS {
        match calls.exchange(staged.at(), entry.at()) {
            Ok(()) => {}
            // The third program removed or moved the name: the displaced entry goes back there.
            Err(source) if sys::fault(&source) == Fault::Missing => {
                // From where others can reach it nothing is moved but in one call.
                let back = match staged.is_exposed() {
                    true => calls.rename_new(staged.at(), entry.at()).is_ok(),
                    false => put_back(entry, staged.at(), entry.at()),
                };
                if back {
                    return Leftover::default();
                }
                if is(entry, staged.at(), |_| true) == Some(false) {
                    break;
                }
                continue;
            }
            // Refused: somebody may have put something there that may not be moved, or it is the new link still.
            Err(_) => match is(entry, entry.at(), |id| id == staged.id()) {
                Some(true) => continue,
                Some(false) => return what_is_kept(entry, staged, text),
                None => break,
            },
        }
        match is(entry, staged.at(), |id| id == staged.id()) {
            Some(true) => return staged.discard(text),
            // The third program's entry was traded out: it goes back, and what was displaced is kept.
            Some(false) if !third => third = true,
            // It stays, unless the third program gave the name to the new link again: then all is as in the beginning.
            Some(false) => match is(entry, entry.at(), |id| id == staged.id()) {
                Some(true) => third = false,
                Some(false) => return what_is_kept(entry, staged, text),
                None => break,
            },
            None => break,
        }
    }
    what_remains(entry, staged, text)
}

/// Where the trade could not be taken back: what is kept under the staged name, and whether the new link still stands.
fn what_remains(entry: &Entry, staged: &Staged<'_>, text: &OsStr) -> Leftover {
    let kept = what_is_kept(entry, staged, text);
    match is(entry, entry.at(), |id| id == staged.id()) {
        Some(false) => kept,
        // What it took the place of is gone: others have it.
        Some(true) if kept.is_empty() => staged.discard_published(entry),
        // If it cannot be looked at it is told as being there.
        _ => kept.and(Leftover::left(entry.physical().to_path_buf())),
    }
}

/// What is under the staged name.
fn what_is_kept(entry: &Entry, staged: &Staged<'_>, text: &OsStr) -> Leftover {
    match (is(entry, staged.at(), |_| true), is(entry, staged.at(), |id| id == staged.id())) {
        (Some(false), _) => Leftover::default(),
        (_, Some(true)) => staged.discard(text),
        (_, Some(false)) => Leftover::preserved(staged.path()),
        // It cannot be looked at: it may be the new link, and it may be what was displaced.
        (_, None) => Leftover::preserved(staged.path()).and(Leftover::left(staged.path())),
    }
}

/// Whether what has the name is so; false where nothing has it, none where it cannot be looked at.
fn is(entry: &Entry, at: (&Handle, &OsStr), so: impl Fn(ObjectId) -> bool) -> Option<bool> {
    match entry.root.calls().stat_at(at.0, at.1) {
        Ok(stat) => Some(so(stat.id)),
        Err(source) if sys::fault(&source) == Fault::Missing => Some(false),
        Err(_) => None,
    }
}
