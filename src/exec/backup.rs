//! Moves a file or directory in the way to a backup name, and puts a link in its place.
//!
//! The link is staged, moved to the name of the backup, and exchanged with what is in the way: the name is never absent,
//! and what was there has its new name in the same instant. Nothing is removed.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::halt::OrHalt;
use super::read_back;
use super::replace::take_back;
use super::site::Site;
use super::stage::Staged;
use super::{Attempt, Changed};
use crate::entry::Opened;
use crate::error::{Error, FileKind, Kind, Result};
use crate::model::{BACKUPS_MAX, Effect, backup_names};
use crate::sys::{self, Fault, Handle, Stat};

pub(super) fn back_up(site: &Site<'_>, text: &OsStr, directory: bool) -> OrHalt<Attempt> {
    let entry = site.entry;
    let calls = entry.root.calls();
    let Some((present, _pin)) = pin_in_the_way(entry)? else { return Ok(Attempt::Again) };
    let Some(staged) = stage(site, text, directory)? else { return Ok(Attempt::Again) };
    let mut changed = Changed { staging: site.kind(), ..Changed::new(Effect::Created) };
    if !site.still_excludes().map_err(|error| staged.give_up(text, error))? {
        return Err(staged.give_up(text, super::halt::state_contended()).into());
    }
    match calls.exchange(staged.slot().at(), entry.at()) {
        Ok(()) => {}
        Err(source) if sys::fault(&source) == Fault::Missing => return Ok(staged.discard(text).again()?),
        Err(source) if sys::fault(&source) == Fault::Unsupported => {
            return match site.can_exchange(text) {
                Ok(true) => Ok(staged.discard(text).again()?),
                Ok(false) => Err(staged.give_up(text, unsupported()).into()),
                Err(halt) => Err(halt.map(|error| staged.give_up(text, error))),
            };
        }
        // The call may have taken effect despite the error.
        Err(source) if staged.is_published(entry) => {
            return Ok(take_back(entry, &staged, text, Some(Error::from_io(source)))?);
        }
        Err(source) => return Ok(staged.after(text, read_back::not_moved(entry, &[entry], source))?),
    }
    let kept = match staged.slot().now(calls) {
        Ok(Some(now)) if now.id == present.id => true,
        Ok(Some(_)) => return Ok(take_back(entry, &staged, text, None)?),
        // Others took it from there: it is theirs, and the link stands.
        Ok(None) => staged.slot().has(calls, present.id),
        Err(source) => return Ok(take_back(entry, &staged, text, Some(Error::from_io(source)))?),
    };
    if !entry.root.policy().unverified {
        match read_back::published(entry, staged.id()) {
            Ok(()) => changed.verified = true,
            Err(error) => return Ok(take_back(entry, &staged, text, Some(error))?),
        }
    }
    changed.backup = kept.then(|| staged.path());
    Ok(Attempt::Done(changed))
}

/// Without an exchange there is no other way: the name is never absent.
pub(super) fn unsupported() -> Error {
    let reason = "this host cannot exchange two names, so the name would be absent for a moment";
    Error::new(Kind::Unsupported).because(reason)
}

/// Pins the file or directory under the name; `None` where it is something else by now.
fn pin_in_the_way(entry: &Opened<'_>) -> Result<Option<(Stat, Handle)>> {
    let calls = entry.root.calls();
    let pin = match calls.pin(&entry.parent, entry.name()) {
        Ok(pin) => pin,
        Err(source) if sys::fault(&source) == Fault::Missing => return Ok(None),
        Err(source) => return Err(Error::from_io(source)),
    };
    let stat = calls.stat(&pin).map_err(Error::from_io)?;
    Ok(matches!(stat.kind, FileKind::File | FileKind::Dir).then_some((stat, pin)))
}

/// Stages the link under the first name for a backup that is free; `None` where the directory to stage in is gone.
fn stage<'s, 'a>(site: &'s Site<'a>, text: &OsStr, directory: bool) -> OrHalt<Option<Staged<'s, 'a>>> {
    for name in backup_names(site.entry.name()) {
        let staged = site.stage_beside(name, text, directory)?;
        if staged.is_some() || site.is_lost() {
            return Ok(staged);
        }
    }
    Err(all_taken().into())
}

fn all_taken() -> Error {
    Error::new(Kind::Exists).because(format!("{BACKUPS_MAX} backups of this name are there already"))
}

/// The first path for a backup of what is at a path that nothing has.
pub(super) fn free_backup(path: &Path, is_taken: &dyn Fn(&Path, &OsStr) -> bool) -> Result<PathBuf> {
    let names = backup_names(path.file_name().unwrap_or_default());
    let mut free = names.map(|name| (path.with_file_name(&name), name)).filter(|(path, name)| !is_taken(path, name));
    free.next().map(|(path, _)| path).ok_or_else(all_taken)
}
