//! Replaces a link on a host that cannot trade two names.
//!
//! Under the lock: the present link is pinned and given a second name, looked at once more, and the new link is renamed
//! over it. The last look and the renaming are two calls, so this is right among holders of the lock only. The second
//! name lets the very link be put back where the read-back fails.

use std::ffi::OsStr;
use std::io;

use super::area::Area;
use super::leftover::{Leftover, put_back};
use super::pinned::Pinned;
use super::staging::{Ours, Spare, Staged};
use super::verify;
use super::{Attempt, Changed};
use crate::entry::Entry;
use crate::error::{Error, FileKind, Found, Result};
use crate::sys::{self, Fault, Handle};

/// How often the name is looked at when others take it at the same time.
const TURNS: usize = 4;

pub(super) fn rename_over(
    entry: &Entry,
    area: &Area<'_>,
    staged: &Staged<'_>,
    as_decided: &dyn Fn(&Found) -> bool,
    text: &OsStr,
    mut changed: Changed,
) -> Result<Attempt> {
    let calls = entry.root.calls();
    let has = |at: (&Handle, &OsStr), id| calls.stat_at(at.0, at.1).is_ok_and(|stat| stat.id == id);
    let give_up = |error| Err(staged.take_back(text, error));
    let present = match Pinned::at(entry, entry.at()) {
        Ok(Some(present)) => present,
        Ok(None) => return staged.discard(text).again(),
        Err(error) => return give_up(error),
    };
    let found = Found::Link(present.text.clone());
    if !as_decided(&found) {
        return staged.discard(text).again();
    }
    if !verify::parent_in_place(entry).map_err(|error| staged.take_back(text, error))? {
        return give_up(verify::parent_moved());
    }
    let spare = area.spare().map_err(|source| staged.take_back(text, Error::from_io(source)))?;
    // A call can fail that was carried out.
    let kept = calls.hard_link(entry.at(), spare.at()).is_ok() || has(spare.at(), present.stat.id);
    // Something else may have had the name at that moment, and not any more.
    if kept && !has(spare.at(), present.stat.id) {
        return staged.discard(text).and(drop_second_name(entry, &spare, kept)).again();
    }
    let drop_kept = || match kept {
        true => area.discard(spare.at().0, spare.at().1, Ours::Object(present.stat.id)),
        false => Leftover::default(),
    };
    if !has(entry.at(), present.stat.id) {
        return staged.discard(text).and(drop_second_name(entry, &spare, kept)).again();
    }
    match calls.rename_over(staged.at(), entry.at()) {
        Ok(()) => {}
        Err(source) if staged.is_published(entry) => {
            return Err(restore(entry, staged, kept.then_some(&spare)).on(Error::from_io(source)));
        }
        // A directory has the name by now.
        Err(source) if matches!(source.kind(), io::ErrorKind::IsADirectory | io::ErrorKind::DirectoryNotEmpty) => {
            return staged.discard(text).and(drop_kept()).again();
        }
        Err(source) => return Err(drop_kept().on(staged.take_back(text, verify::refused(entry, source)))),
    }
    if !entry.root.policy().unverified {
        match verify::read_back(entry, staged) {
            Ok(()) => changed.verified = true,
            Err(error) => return Err(restore(entry, staged, kept.then_some(&spare)).on(error)),
        }
    }
    changed.shortfalls.extend(drop_kept().into_shortfall());
    changed.previous = found.into_text();
    Ok(Attempt::Done(changed))
}

/// Puts the link that was replaced back by its second name; where the name was taken meanwhile it is kept there.
fn restore(entry: &Entry, staged: &Staged<'_>, second: Option<&Spare<'_>>) -> Leftover {
    let calls = entry.root.calls();
    let kept = || second.map_or(Leftover::default(), |spare| Leftover::preserved(spare.path()));
    for _ in 0..TURNS {
        match (calls.stat_at(&entry.parent, entry.name()), second) {
            (Ok(stat), Some(spare)) if stat.id == staged.id() => {
                if calls.rename_over(spare.at(), entry.at()).is_ok() {
                    return Leftover::default();
                }
            }
            (Ok(_), Some(_)) => return kept(),
            (Err(source), Some(spare)) if sys::fault(&source) == Fault::Missing => {
                if put_back(entry, spare.at(), entry.at()) {
                    return Leftover::default();
                }
            }
            (_, None) | (Err(_), _) => break,
        }
    }
    kept().and(staged.if_published(entry))
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
        Err(source) if sys::fault(&source) == Fault::Missing => Leftover::default(),
        Err(_) => Leftover::left(spare.path()),
    }
}
