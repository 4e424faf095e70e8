//! Moves a file or directory in the way aside, and puts a link in its place.
//!
//! The link is staged, moved beside to the name of the backup, and traded with what is in the way: the name is never
//! absent, and what was there has its new name in the same instant. Nothing is removed.

use std::ffi::{OsStr, OsString};

use super::area::Area;
use super::staging::Staged;
use super::undo::undo;
use super::verify;
use super::{Attempt, Changed};
use crate::entry::Entry;
use crate::error::{Error, FileKind, Kind, Result};
use crate::model::Effect;
use crate::sys::{self, Fault, Handle, Stat};

/// The longest name, in bytes.
const NAME_MAX: usize = 255;

/// How many backups of one name can stand side by side.
const BACKUPS_MAX: usize = 1000;

pub(super) fn move_aside(entry: &Entry, text: &OsStr, directory: bool) -> Result<Attempt> {
    Area::with(entry, None, |area| trade(entry, area, text, directory))
}

fn trade(entry: &Entry, area: &Area<'_>, text: &OsStr, directory: bool) -> Result<Attempt> {
    let calls = entry.root.calls();
    let Some((present, _pin)) = pin_in_the_way(entry)? else { return Ok(Attempt::Again) };
    let staged = stage(entry, area, text, directory)?;
    let mut changed = Changed { staging: area.kind(), ..Changed::new(Effect::Created) };
    match calls.exchange(staged.at(), entry.at()) {
        Ok(()) => {}
        Err(source) if sys::fault(&source) == Fault::Missing => {
            return staged.discard(text).again();
        }
        Err(source) if sys::fault(&source) == Fault::Unsupported => {
            return match area.can_trade(text) {
                Ok(true) => staged.discard(text).again(),
                Ok(false) => Err(staged.take_back(text, unsupported())),
                Err(error) => Err(staged.take_back(text, error)),
            };
        }
        // A call can fail that was carried out.
        Err(source) if staged.is_published(entry) => return undo(entry, &staged, text, Some(Error::from_io(source))),
        Err(source) => return staged.give_up(text, verify::not_moved(entry, &[entry], source)),
    }
    match calls.stat_at(staged.at().0, staged.at().1) {
        Ok(stat) if stat.id == present.id => {}
        Ok(_) => return undo(entry, &staged, text, None),
        Err(source) if sys::fault(&source) == Fault::Missing => return undo(entry, &staged, text, None),
        Err(source) => return undo(entry, &staged, text, Some(Error::from_io(source))),
    }
    if !entry.root.policy().unverified {
        match verify::read_back(entry, &staged) {
            Ok(()) => changed.verified = true,
            Err(error) => return undo(entry, &staged, text, Some(error)),
        }
    }
    changed.backup = Some(staged.path());
    Ok(Attempt::Done(changed))
}

/// Without an exchange there is no other way: the name is never absent.
pub(super) fn unsupported() -> Error {
    let reason = "this host cannot exchange two names, so the name would be absent for a moment";
    Error::new(Kind::Unsupported).because(reason)
}

/// Pins the file or directory that has the name; none where it is something else by now.
fn pin_in_the_way(entry: &Entry) -> Result<Option<(Stat, Handle)>> {
    let calls = entry.root.calls();
    let pin = match calls.pin(&entry.parent, entry.name()) {
        Ok(pin) => pin,
        Err(source) if sys::fault(&source) == Fault::Missing => return Ok(None),
        Err(source) => return Err(Error::from_io(source)),
    };
    let stat = calls.stat(&pin).map_err(Error::from_io)?;
    Ok(matches!(stat.kind, FileKind::File | FileKind::Dir).then_some((stat, pin)))
}

fn stage<'a>(entry: &Entry, area: &'a Area<'_>, text: &OsStr, directory: bool) -> Result<Staged<'a>> {
    for index in 0..BACKUPS_MAX {
        let name = backup_name(entry.name(), index);
        match area.stage_beside(name, text, directory) {
            Ok(None) => {}
            Ok(Some(staged)) => return Ok(staged),
            Err(error) => return Err(error),
        }
    }
    Err(Error::new(Kind::Exists).because(format!("{BACKUPS_MAX} backups of this name are there already")))
}

/// The first name for a backup that nothing has.
pub(super) fn free_backup_name(entry: &Entry) -> OsString {
    let taken = |name: &OsString| entry.root.calls().stat_at(&entry.parent, name).is_ok();
    (0..BACKUPS_MAX).map(|index| backup_name(entry.name(), index)).find(|name| !taken(name)).unwrap_or_default()
}

/// `NAME.backup`, `NAME.backup-1` and so on; a long name is cut so that it fits.
fn backup_name(name: &OsStr, index: usize) -> OsString {
    let suffix = if index == 0 { ".backup".to_owned() } else { format!(".backup-{index}") };
    let room = NAME_MAX - suffix.len();
    let mut backup = OsString::new();
    if name.len() <= room {
        backup.push(name);
    } else {
        let text = name.to_string_lossy();
        backup.push(&text[..text.floor_char_boundary(room)]);
    }
    backup.push(suffix);
    backup
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_name_fits() {
        assert_eq!(backup_name(OsStr::new("conf"), 0), "conf.backup");
        assert_eq!(backup_name(OsStr::new("conf"), 7), "conf.backup-7");
        for long in ["x".repeat(255), "ß".repeat(127), "x".repeat(248)] {
            assert!(backup_name(OsStr::new(&long), 12).len() <= NAME_MAX, "{long}");
        }
        assert_eq!(backup_name(OsStr::new(&"x".repeat(248)), 0).len(), 255);
    }
}
