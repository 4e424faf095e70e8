//! Removals that were stopped, or that left something: what is in the private place decides how they end.
//!
//! Only what was compared is taken down. What was moved and not compared may be a directory that took the name of the release
//! in the last moment, or may be in use by now: it is compared now, or moved back.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::app_ledger::Removal;
use super::noted::Event;
use super::private_place::{self, Moved, PrivatePlace, WITHIN};
use super::report::{Settled, Settlement};
use super::session::Session;
use super::sight::{identity, open_releases};
use crate::error::{Error, Kind, Result};
use crate::plan::ReleaseState;
use crate::root::Root;
use crate::sys::Handle;

/// How a removal that was stopped ends.
enum End {
    /// The release is where it was.
    Stays,
    /// What was moved is moved back.
    Back,
    /// It was not compared so far and is what was entered: it is taken down.
    Begin,
    /// It goes on.
    GoOn,
    /// Everything is gone.
    Gone,
}

impl Session<'_> {
    /// Goes on with removals that were stopped, or that left something.
    pub(super) fn settle_removals(&mut self) -> Vec<Result<Settled>> {
        let removing = self.app_ledger().removing;
        removing.into_iter().map(|(name, removal)| self.settle_removal(&name, &removal)).collect()
    }

    fn settle_removal(&mut self, name: &str, removal: &Removal) -> Result<Settled> {
        let root = &self.app.root;
        let release = &removal.release;
        let above = open_releases(root, &self.layout)?;
        let private = match &self.records {
            Some(records) => PrivatePlace::open(root, records, above.as_ref(), removal.place, name)?,
            None => None,
        };
        let end = end(root, above.as_ref(), private.as_ref(), removal);
        let how = if matches!(end, End::Stays | End::Back) { Settlement::Kept } else { Settlement::Removed };
        let settled = Settled { app: self.app.name.clone(), release: release.clone(), how, outcome: None };
        if self.app.dry {
            return Ok(settled);
        }
        match (end, &private, &above) {
            (End::Stays, Some(private), _) => self.keep(private, release, name)?,
            (End::Stays, ..) => self.tell(Event::Kept { release: release.clone(), name: name.to_owned() })?,
            (End::Back, Some(private), above) => {
                let above = above.as_ref().ok_or_else(|| Error::new(Kind::NotFound).on("move back", release))?;
                self.move_back(private, above, release)?;
                self.keep(private, release, name)?;
            }
            (End::Begin, Some(private), Some(above)) => {
                self.announce_emptying(private, above, (release, name))?;
                self.end_removal(private, release, name)?;
            }
            (End::Begin | End::GoOn, Some(private), _) => self.end_removal(private, release, name)?,
            _ => self.tell(Event::Removed { release: release.clone(), name: name.to_owned(), left: false })?,
        }
        Ok(settled)
    }

    fn end_removal(&mut self, private: &PrivatePlace, release: &str, name: &str) -> Result<()> {
        let taken = self.take_down(private, release);
        let left = !taken.complete || !private.remove_durably(&self.app.root);
        let is_told = self.app_ledger().held(release).is_none_or(|held| held.state() == ReleaseState::Removed);
        if !left || !is_told {
            self.tell(Event::Removed { release: release.to_owned(), name: name.to_owned(), left })?;
        }
        if left { Err(self.residue(private, release, &taken)) } else { Ok(()) }
    }

    /// Tells that a release was not removed after all; nothing of it is in its private place.
    pub(super) fn keep(&mut self, private: &PrivatePlace, release: &str, name: &str) -> Result<()> {
        private.remove(&self.app.root);
        self.tell(Event::Kept { release: release.to_owned(), name: name.to_owned() })
    }

    /// Moves what is in a private place to the name that it had.
    pub(super) fn move_back(&self, private: &PrivatePlace, above: &Handle, release: &str) -> Result<()> {
        let (from, to) = ((&private.dir, OsStr::new(WITHIN)), (above, OsStr::new(release)));
        private_place::rename(&self.app.root, from, to).map_err(|source| {
            let left: Vec<PathBuf> = vec![private.path(&self.app.root, &self.layout).join(WITHIN)];
            let reason = format!("what was moved could not be moved back: {source}; `recover` tries again");
            Error::new(Kind::Residue).on("prune", release).because(reason).leaving(left, Vec::new())
        })
    }

    /// Tells that what was moved was compared. Before that the move survives a power cut: else half of a release could come
    /// back under its name.
    pub(super) fn announce_emptying(
        &mut self,
        private: &PrivatePlace,
        above: &Handle,
        (release, name): (&str, &str),
    ) -> Result<()> {
        private.sync(&self.app.root, above).map_err(|source| Error::from_io(source).on("prune", release))?;
        self.tell(Event::Emptying { release: release.to_owned(), name: name.to_owned() })
    }
}

fn end(root: &Root, above: Option<&Handle>, private: Option<&PrivatePlace>, removal: &Removal) -> End {
    let is_there = above.is_some_and(|above| {
        let pinned = root.calls().pin(above, OsStr::new(&removal.release));
        pinned.and_then(|dir| identity(root, &dir)).is_ok_and(|id| id.as_str() == removal.directory)
    });
    let Some(private) = private.filter(|_| !is_there || !removal.emptying) else {
        return if removal.emptying && !is_there { End::Gone } else { End::Stays };
    };
    if removal.emptying {
        return End::GoOn;
    }
    match private.judge(root, &removal.directory) {
        Ok(Moved::Nothing) => End::Stays,
        Ok(Moved::Fit) => End::Begin,
        // Where it cannot be compared it is not removed.
        Ok(Moved::Used(_) | Moved::Other) | Err(_) => End::Back,
    }
}
