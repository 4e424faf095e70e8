//! Creates a link: one exclusive call, nothing staged.
//!
//! The link is then looked up from the root. If it is not found there, its directory was moved meanwhile and the link
//! is taken back, or another program took the name.

use std::ffi::OsStr;

use super::area::Area;
use super::leftover::Leftover;
use super::staging::Ours;
use super::verify::{self, ReadBack};
use super::{Attempt, Changed};
use crate::entry::Entry;
use crate::error::{Error, Kind, Result};
use crate::model::Effect;
use crate::state::StateWanted;
use crate::sys::{self, Fault};

pub(super) fn create(entry: &Entry, text: &OsStr, directory: bool) -> Result<Attempt> {
    let calls = entry.root.calls();
    match calls.symlink(text, &entry.parent, entry.name(), directory) {
        Ok(()) => {}
        Err(source) if sys::fault(&source) == Fault::Exists => return Ok(Attempt::Again),
        // Whose link it is that is there then cannot be told.
        Err(source) if verify::may_be_done(&source) => {
            return Err(still_there(entry, text).on(verify::refused(entry, source)));
        }
        Err(source) => return Err(verify::refused(entry, source)),
    }
    let mut changed = Changed::new(Effect::Created);
    if entry.root.policy().unverified {
        return Ok(Attempt::Done(changed));
    }
    // What is at the name is compared with what a new walk finds; both must be the link with this text.
    let read_back = match calls.stat_at(&entry.parent, entry.name()) {
        Ok(made) if made.uid != calls.user() => {
            let reason = "a link of another user has the name: somebody took it meanwhile, or a server maps users";
            return Err(Error::new(Kind::Contended).because(reason));
        }
        Ok(made) => verify::read_back_created(entry, made.id, text),
        Err(source) if sys::fault(&source) == Fault::Missing => match verify::parent_in_place(entry) {
            Ok(true) => return Err(verify::taken()),
            Ok(false) => return Err(verify::parent_moved()),
            Err(error) => Err(error),
        },
        Err(source) => Err(Error::from_io(source)),
    };
    match read_back {
        Ok(ReadBack::Stands) => {
            changed.verified = true;
            Ok(Attempt::Done(changed))
        }
        // Something else had the name in the very directory. An equal link that has it is theirs.
        Ok(ReadBack::Taken) => Err(verify::taken()),
        Ok(ReadBack::Moved) => Err(take_back(entry, text).on(verify::parent_moved())),
        Err(error) => Err(take_back(entry, text).on(error)),
    }
}

/// Removes the link that was just made, if it is still what has the name.
fn take_back(entry: &Entry, text: &OsStr) -> Leftover {
    let area = match Area::lock(entry) {
        // A confined thread cannot make the state directory, and handing over the edit again would make the link anew.
        Err(error) if StateWanted::is_cause(&error) => Area::lock_beside(entry),
        area => area,
    };
    let area = match area {
        Ok(area) => area,
        // A private directory that cannot be removed may have been made for this.
        Err(error) => return still_there(entry, text).and(Leftover::named_by(&error)),
    };
    let leftover = area.discard(&entry.parent, entry.name(), Ours::Text(text));
    leftover.and(area.close_alone())
}

/// Where nothing is taken back: whether the link is there at all. If it cannot be looked at it is told as there.
fn still_there(entry: &Entry, text: &OsStr) -> Leftover {
    match Ours::Text(text).is_at(entry.root.calls(), entry.at()) {
        Ok(false) => Leftover::default(),
        Err(source) if sys::fault(&source) == Fault::Missing => Leftover::default(),
        _ => Leftover::left(entry.physical().to_path_buf()),
    }
}
