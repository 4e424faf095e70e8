//! Takes a transfer back: an exchange, a renaming over, or a move to a slot of this edit.
//!
//! [`reverse`] decides each step from a new look at both slots; here they are carried out. A call that fails may have
//! taken effect despite the error (lost NFS reply, EINTR), so only the next look tells.

use std::io;

use super::residue::Residue;
use super::retry::break_step;
use super::reverse::{self, At, Side, Step};
use super::slot::Slot;
use crate::error::FileKind;
use crate::model::ObjectId;
use crate::sys::{self, Calls, Fault, Stat};

/// How often another step is tried when other programs take the name at the same time.
const TURNS: usize = 64;

/// A transfer between the link's name and a slot of this edit.
pub(super) struct Transfer<'a> {
    pub(super) calls: &'a dyn Calls,
    /// The link's name.
    pub(super) here: Slot<'a>,
    /// The slot of this edit.
    pub(super) there: Slot<'a>,
    /// The new link, which was brought here; `None` for a removal.
    pub(super) new: Option<ObjectId>,
    /// Others can reach what is there: from there an entry is moved only with a single atomic call.
    pub(super) exposed: bool,
    pub(super) can_exchange: bool,
}

/// Where a transfer ended that was taken back as far as could be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) here: At,
    pub(super) there: At,
}

impl Transfer<'_> {
    /// Takes the transfer back, as far as others let it.
    pub(super) fn take_back(&self) -> Ended {
        // What is there first is what was displaced.
        let mut old = None;
        let mut unseen = false;
        for turn in 0..TURNS {
            // Whoever exchanges the name all the time does so once between each look and the step after it.
            break_step(self.calls, turn);
            let ended = self.look(&mut old);
            if !unseen && [ended.here, ended.there].contains(&At::Unknown) {
                // A look can fail for a moment; the second answer counts.
                unseen = true;
                continue;
            }
            match reverse::next(ended.here, ended.there, self.can_exchange) {
                // What the step comes to is seen by the next look.
                Step::Exchange => drop(self.calls.exchange(self.there.at(), self.here.at())),
                Step::Overwrite => drop(self.calls.rename_over(self.there.at(), self.here.at())),
                Step::Return(Side::There) if self.exposed => {
                    if self.calls.rename_new(self.there.at(), self.here.at()).is_err_and(|source| is_lacking(&source)) {
                        return ended;
                    }
                }
                Step::Return(_) => drop(move_new(self.calls, self.there, self.here)),
                Step::Stop => return ended,
            }
        }
        self.look(&mut old)
    }

    /// What cannot be put back or cleaned up where the transfer ended, but for the new link *there*.
    pub(super) fn residue(&self, ended: Ended) -> Residue {
        let (here, there) = (self.here, self.there);
        let kept = match ended.there {
            At::Nothing | At::Home => Residue::default(),
            At::Brought | At::Foreign => Residue::preserved(there.path()),
            // It may be the new link, and it may be what was displaced.
            At::Unknown if self.new.is_some() => Residue::preserved(there.path()).and(Residue::left(there.path())),
            At::Unknown => Residue::preserved(there.path()),
        };
        let residue = match ended.here {
            At::Brought | At::Unknown if self.new.is_some() => kept.and(Residue::left(here.path())),
            _ => kept,
        };
        if reverse::is_changed(ended.here, ended.there) { residue.changed() } else { residue }
    }

    fn look(&self, old: &mut Option<ObjectId>) -> Ended {
        let there = self.there.now(self.calls);
        if let (None, Ok(Some(now))) = (&old, &there)
            && Some(now.id) != self.new
        {
            *old = Some(now.id);
        }
        let classed = |now: &io::Result<Option<Stat>>, new: At, other: At| match now {
            Err(_) => At::Unknown,
            Ok(None) => At::Nothing,
            Ok(Some(now)) if Some(now.id) == self.new => new,
            Ok(Some(now)) if Some(now.id) == *old => other,
            Ok(Some(_)) => At::Foreign,
        };
        let there = classed(&there, At::Home, At::Brought);
        Ended { here: classed(&self.here.now(self.calls), At::Brought, At::Home), there }
    }
}

/// The host has no call that moves an entry to a free name.
fn is_lacking(source: &io::Error) -> bool {
    sys::fault(source) == Fault::Unsupported
}

/// Moves an entry to a name that nothing has. Nobody else may reach it where it is.
pub(super) fn move_new(calls: &dyn Calls, from: Slot<'_>, to: Slot<'_>) -> io::Result<()> {
    match calls.rename_new(from.at(), to.at()) {
        Err(source) if is_lacking(&source) => {}
        moved => return moved,
    }
    let taken = || io::Error::from(io::ErrorKind::AlreadyExists);
    match from.now(calls)? {
        None => Err(io::ErrorKind::NotFound.into()),
        // Directories have no second names.
        Some(now) if now.kind == FileKind::Dir => match to.now(calls)? {
            None => calls.rename_over(from.at(), to.at()),
            Some(_) => Err(taken()),
        },
        // A second name fails where the name is taken, as the renaming would.
        Some(_) => {
            calls.hard_link(from.at(), to.at())?;
            calls.unlink(from.dir, from.name)
        }
    }
}
