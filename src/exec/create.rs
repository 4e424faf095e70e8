//! Creates a link: one exclusive call, nothing staged.
//!
//! The link is then looked up from the root. If it is not found there, its directory was moved meanwhile and the link
//! is taken back, or another program took the name.

use std::ffi::OsStr;

use super::halt::{Halt, OrHalt, TakeBack};
use super::read_back::{self, ReadBack};
use super::residue::Residue;
use super::site::Site;
use super::slot::{Ours, Slot};
use super::{Attempt, Changed};
use crate::entry::Opened;
use crate::error::{Error, Kind};
use crate::model::Effect;
use crate::sys::{self, Fault};

/// `held` has the lock of the link's directory, if it is held.
pub(super) fn create(entry: &Opened<'_>, held: Option<&Site<'_>>, text: &OsStr, directory: bool) -> OrHalt<Attempt> {
    let calls = entry.root.calls();
    match calls.symlink(text, &entry.parent, entry.name(), directory) {
        Ok(()) => {}
        Err(source) if sys::fault(&source) == Fault::Exists => return Ok(Attempt::Again),
        // Whose link it is that is there then cannot be told.
        Err(source) if read_back::may_be_done(&source) => {
            return Err(still_there(entry, text).on(read_back::refused(entry, source)).into());
        }
        Err(source) => return Err(read_back::refused(entry, source).into()),
    }
    let mut changed = Changed::new(Effect::Created);
    if entry.root.policy().unverified {
        return Ok(Attempt::Done(changed));
    }
    if is_as_made(entry, text) {
        changed.verified = true;
        return Ok(Attempt::Done(changed));
    }
    // What is at the name is compared with what a new walk finds; both must be the link with this text.
    let read_back = match calls.stat_at(&entry.parent, entry.name()) {
        Ok(made) if made.uid != calls.user() => {
            let reason = "a link of another user is under the name: somebody took it meanwhile, or a server maps users";
            return Err(Error::new(Kind::Contended).because(reason).into());
        }
        Ok(made) => read_back::created(entry, made.id, text),
        Err(source) if sys::fault(&source) == Fault::Missing => match read_back::parent_in_place(entry) {
            Ok(true) => return Err(read_back::taken().into()),
            Ok(false) => return Err(read_back::parent_moved().into()),
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
        Ok(ReadBack::Taken) => Err(read_back::taken().into()),
        Ok(ReadBack::Moved) => Err(take_back(entry, held, text, read_back::parent_moved())),
        Err(error) => Err(take_back(entry, held, text, error)),
    }
}

/// Whether the link is under the name, in a directory that is kept: the proof that this one is in its place comes later.
fn is_as_made(entry: &Opened<'_>, text: &OsStr) -> bool {
    let (calls, (dir, name)) = (entry.root.calls(), entry.at());
    let is_own = match entry.kept {
        None => false,
        Some(kept) if kept.is_private => true,
        Some(_) => calls.stat_at(dir, name).is_ok_and(|made| made.uid == calls.user()),
    };
    is_own && calls.read_link(dir, name).is_ok_and(|found| found.as_deref() == Some(text))
}

/// Removes the link that was just made, if it is still what is under the name. Returns the cause, with what is left.
///
/// Others know the name, so the link is moved to where they cannot reach it, looked at there, and unlinked. A confined
/// thread that lacks such a place asks for it, and goes on from here.
pub(super) fn take_back(entry: &Opened<'_>, held: Option<&Site<'_>>, text: &OsStr, cause: Error) -> Halt {
    let discard = |site: &Site<'_>| -> OrHalt<Residue> {
        site.dir()?;
        Ok(site.discard(Slot::of(entry), Ours::Text(text)))
    };
    let discarded = match held {
        Some(site) => discard(site),
        None => Site::lock(entry).and_then(|site| match discard(&site) {
            Ok(residue) => Ok(residue.and(site.close())),
            Err(halt) => Err(halt.map(|error| site.close().on(error))),
        }),
    };
    match discarded {
        Ok(residue) => residue.on(cause).into(),
        // A private directory that cannot be removed may have been made for this.
        Err(Halt::Failed(error)) => still_there(entry, text).and(Residue::named_by(&error)).on(cause).into(),
        Err(Halt::Wanted(mut wanted)) => {
            let entry = entry.owned();
            wanted.unfinished = Some(TakeBack { entry, text: text.to_os_string(), cause });
            Halt::Wanted(wanted)
        }
    }
}

/// The error of a link that nothing can take back: nobody is there who could make a place for it.
pub(super) fn left(unfinished: TakeBack) -> Error {
    still_there(&unfinished.entry, &unfinished.text).on(unfinished.cause)
}

/// Where nothing is taken back: whether the link is there at all. One that cannot be looked at is treated as present.
fn still_there(entry: &Opened<'_>, text: &OsStr) -> Residue {
    match Slot::of(entry).has_ours(entry.root.calls(), Ours::Text(text)) {
        Ok(false) => Residue::default(),
        _ => Residue::left(entry.physical().to_path_buf()).changed(),
    }
}
