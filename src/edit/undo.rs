//! Takes a trade back.

use std::ffi::OsStr;

use super::leftover::{Leftover, put_back};
use super::staging::Staged;
use super::{Attempt, verify};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::sys::{self, Fault};

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
        None if leftover.is_empty() => Ok(Attempt::Again),
        None => Err(leftover.on(verify::taken())),
    }
}

fn trade_back(entry: &Entry, staged: &Staged<'_>, text: &OsStr) -> Leftover {
    let calls = entry.root.calls();
    let kept = || Leftover::preserved(staged.path());
    let published = || calls.stat_at(&entry.parent, entry.name()).is_ok_and(|stat| stat.id == staged.id());
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
            // A confined thread is refused while the name belongs to something that is no link.
            Err(_) if published() => continue,
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
    // Nor can it reach into a directory that was moved out of the root: the new link stays there.
    if published() { kept().and(Leftover::left(entry.physical().to_path_buf())) } else { kept() }
}
