//! Replaces a link on a host that cannot trade two names.
//!
//! Under the lock: the present link is pinned and given a second name, looked at once more, and the new link is renamed
//! over it. The last look and the renaming are two calls, so this is right among holders of the lock only. The second
//! name lets the very link be put back where the read-back fails.

use std::ffi::OsStr;

use super::area::Area;
use super::leftover::Leftover;
use super::pinned::Pinned;
use super::staging::{Ours, Spare, Staged};
use super::verify::{self, ReadBack};
use super::{Attempt, Changed};
use crate::entry::Entry;
use crate::error::{Error, FileKind, Found, Result};

pub(super) fn rename_over(
    entry: &Entry,
    area: &Area<'_>,
    staged: &Staged<'_>,
    as_decided: &dyn Fn(&Found) -> bool,
    text: &OsStr,
    mut changed: Changed,
) -> Result<Attempt> {
    let calls = entry.root.calls();
    let give_up = |error| Err(staged.take_back(text, error));
    let present = match Pinned::at(entry, entry.at()) {
        Ok(Some(present)) => present,
        Ok(None) => return again(staged.discard(text)),
        Err(error) => return give_up(error),
    };
    let found = Found::Link(present.text.clone());
    if !as_decided(&found) {
        return again(staged.discard(text));
    }
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
        return again(staged.discard(text).and(drop_second_name(entry, &spare, kept)));
    }
    if let Err(source) = calls.rename_over(staged.at(), entry.at()) {
        return Err(drop_kept().on(staged.take_back(text, verify::refused(entry, source))));
    }
    if !entry.root.policy().unverified {
        // Only the new link is replaced by the old one, never what somebody else put there.
        let new_is_there = || calls.stat_at(&entry.parent, entry.name()).is_ok_and(|stat| stat.id == staged.id());
        let second = || if kept { Leftover::preserved(spare.path()) } else { Leftover::default() };
        let restore = |error: Error| match new_is_there() {
            true if kept && calls.rename_over(spare.at(), entry.at()).is_ok() => Err(error),
            true => Err(second().and(Leftover::left(entry.physical().to_path_buf())).on(error)),
            false => Err(second().on(error)),
        };
        match verify::read_back(entry, staged) {
            Ok(ReadBack::Stands) => changed.verified = true,
            Ok(ReadBack::Taken) => return Err(second().on(verify::taken())),
            Ok(ReadBack::Moved) => return restore(verify::parent_moved()),
            Err(error) => return restore(error),
        }
    }
    changed.shortfalls.extend(drop_kept().into_shortfall());
    changed.previous = found.into_text();
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

fn again(leftover: Leftover) -> Result<Attempt> {
    if leftover.is_empty() { Ok(Attempt::Again) } else { Err(leftover.on(verify::taken())) }
}
