//! Replaces a link on a host that cannot exchange two names.
//!
//! Under the lock: the present link is pinned and given a second name, looked at once more, and the new link is renamed
//! over it. The last look and the renaming are two calls, so this is right among holders of the lock only. The second
//! name lets the very link be put back where the read-back fails.

use std::ffi::OsStr;
use std::io;

use super::halt::OrHalt;
use super::pinned::Pinned;
use super::read_back;
use super::residue::Residue;
use super::reverse::At;
use super::site::Site;
use super::slot::{Ours, Slot};
use super::stage::{Spare, Staged};
use super::transfer::Transfer;
use super::{Attempt, Changed};
use crate::entry::Opened;
use crate::error::{Error, FileKind, Found};

pub(super) fn rename_over(
    site: &Site<'_>,
    staged: &Staged<'_, '_>,
    as_decided: &dyn Fn(&Found) -> bool,
    text: &OsStr,
    mut changed: Changed,
) -> OrHalt<Attempt> {
    let entry = site.entry;
    let calls = entry.root.calls();
    let give_up = |error| Err(staged.give_up(text, error).into());
    let present = match Pinned::at(entry, entry.at()) {
        Ok(Some(present)) => present,
        Ok(None) => return Ok(staged.discard(text).again()?),
        Err(error) => return give_up(error),
    };
    let found = Found::Link(present.text.clone());
    if !as_decided(&found) {
        return Ok(staged.discard(text).again()?);
    }
    if !read_back::parent_in_place(entry).map_err(|error| staged.give_up(text, error))? {
        return give_up(read_back::parent_moved());
    }
    let spare = site.spare().map_err(|halt| halt.map(|error| staged.give_up(text, error)))?;
    let linked = calls.hard_link(entry.at(), spare.slot().at());
    // The call may have taken effect despite an error.
    let second = match spare.slot().now(calls) {
        Ok(second) => second,
        Err(source) => {
            let residue = if linked.is_ok() { Residue::left(spare.slot().path()) } else { Residue::default() };
            return Err(residue.on(staged.give_up(text, Error::from_io(source))).into());
        }
    };
    let kept = second.is_some_and(|second| second.id == present.stat.id);
    // Something else may have had the name at that moment, and not any more.
    if second.is_some() && !kept {
        return Ok(staged.discard(text).and(drop_second_name(entry, site, &spare, true)).again()?);
    }
    let drop_kept = || match kept {
        true => site.discard(spare.slot(), Ours::Object(present.stat.id)),
        false => Residue::default(),
    };
    let now = match Slot::of(entry).now(calls) {
        Ok(now) => now,
        Err(source) => return Err(drop_kept().on(staged.give_up(text, Error::from_io(source))).into()),
    };
    if now.is_none_or(|now| now.id != present.stat.id) {
        return Ok(staged.discard(text).and(drop_second_name(entry, site, &spare, kept)).again()?);
    }
    match calls.rename_over(staged.slot().at(), entry.at()) {
        Ok(()) => {}
        Err(source) if staged.is_published(entry) => {
            return Err(restore(site, staged, kept.then_some(&spare)).on(Error::from_io(source)).into());
        }
        // A directory is under the name by now.
        Err(source) if matches!(source.kind(), io::ErrorKind::IsADirectory | io::ErrorKind::DirectoryNotEmpty) => {
            return Ok(staged.discard(text).and(drop_kept()).again()?);
        }
        Err(source) => return Err(drop_kept().on(staged.give_up(text, read_back::refused(entry, source))).into()),
    }
    if !entry.root.policy().unverified {
        match read_back::published(entry, staged.id()) {
            Ok(()) => changed.verified = true,
            Err(error) => return Err(restore(site, staged, kept.then_some(&spare)).on(error).into()),
        }
    }
    changed.shortfalls.extend(drop_kept().into_shortfall());
    changed.previous = found.into_text();
    Ok(Attempt::Done(changed))
}

/// Puts the link that was replaced back by its second name; where the name was taken meanwhile it is kept there.
fn restore(site: &Site<'_>, staged: &Staged<'_, '_>, second: Option<&Spare<'_, '_>>) -> Residue {
    let (calls, here) = (site.entry.root.calls(), Slot::of(site.entry));
    let Some(second) = second else {
        let ours = Ours::Object(staged.id());
        // Another look, since one can fail for a moment.
        let is_left = !matches!(here.has_ours(calls, ours).or_else(|_| here.has_ours(calls, ours)), Ok(false));
        return if is_left { Residue::left(here.path()).changed() } else { Residue::default() };
    };
    let there = second.slot();
    let transfer = Transfer { calls, here, there, new: Some(staged.id()), exposed: false, can_exchange: false };
    let ended = transfer.take_back();
    match (ended.here, ended.there) {
        // It is one link under both names.
        (At::Home, At::Brought) => site.unlink(there),
        _ => transfer.residue(ended),
    }
}

/// The second name may be one of something that came in between: only a link's is removed.
fn drop_second_name(entry: &Opened<'_>, site: &Site<'_>, spare: &Spare<'_, '_>, kept: bool) -> Residue {
    if !kept {
        return Residue::default();
    }
    match spare.slot().now(entry.root.calls()) {
        Ok(Some(now)) if now.kind == FileKind::Symlink => site.unlink(spare.slot()),
        Ok(Some(_)) => Residue::preserved(spare.slot().path()),
        Ok(None) => Residue::default(),
        Err(_) => Residue::left(spare.slot().path()),
    }
}
