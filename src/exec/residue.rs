//! What could not be cleaned up or put back.

use std::path::PathBuf;

use super::{Attempt, read_back};
use crate::error::{Error, Kind, Result};

/// What could not be cleaned up or put back.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Residue {
    left: Vec<PathBuf>,
    preserved: Vec<PathBuf>,
    /// The link's name is not as it was before the edit, because of the edit.
    changed: bool,
}

impl Residue {
    pub(super) fn left(path: PathBuf) -> Residue {
        Residue { left: vec![path], ..Residue::default() }
    }

    pub(super) fn preserved(path: PathBuf) -> Residue {
        Residue { preserved: vec![path], ..Residue::default() }
    }

    /// What an error reports as residue.
    pub(super) fn named_by(error: &Error) -> Residue {
        Residue { left: error.left().to_vec(), preserved: error.preserved().to_vec(), changed: error.is_changed() }
    }

    pub(super) fn and(mut self, other: Residue) -> Residue {
        self.left.extend(other.left);
        self.preserved.extend(other.preserved);
        self.changed |= other.changed;
        self
    }

    pub(super) fn changed(self) -> Residue {
        Residue { changed: true, ..self }
    }

    /// The error with the residue.
    pub(super) fn on(self, error: Error) -> Error {
        let error = error.leaving(self.left, self.preserved);
        if self.changed { error.having_changed() } else { error }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty() && self.preserved.is_empty()
    }

    /// The attempt came to nothing because others changed the name: it is decided anew, unless there is residue.
    pub(super) fn again<T>(self) -> Result<Attempt<T>> {
        if self.is_empty() { Ok(Attempt::Again) } else { Err(self.on(read_back::taken())) }
    }

    /// The error that is reported beside a change that stands.
    pub(super) fn into_shortfall(self) -> Option<Error> {
        if self.is_empty() {
            return None;
        }
        Some(self.on(Error::new(Kind::Residue).because("the change stands, but something could not be cleaned up")))
    }
}
