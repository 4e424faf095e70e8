//! Why an edit does not go on: it failed, or a confined thread lacks what only its caller can give.

use std::path::PathBuf;

use crate::entry::Opened;
use crate::error::{Error, Kind};

/// Why an edit does not go on.
pub(super) enum Halt {
    Failed(Error),
    /// Nothing was changed yet, or the change can be taken back later.
    Wanted(Box<Wanted>),
}

pub(super) type OrHalt<T> = std::result::Result<T, Halt>;

/// What a confined thread lacks to stage links.
pub(super) struct Wanted {
    pub(super) lack: Lack,
    /// The parent directories that were made before.
    pub(super) made: Vec<PathBuf>,
    /// The link that was made before, and is to be taken back.
    pub(super) unfinished: Option<TakeBack>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// The state directory, which the thread cannot make, or is not allowed into.
    State,
    /// A private directory beside the link, which it is not allowed to make: the state directory is on another mount.
    Beside,
}

/// A link that was created where it may not stay.
pub(super) struct TakeBack {
    pub(super) entry: Opened<'static>,
    pub(super) text: std::ffi::OsString,
    /// Why it may not stay.
    pub(super) cause: Error,
}

impl Halt {
    pub(super) fn wanted(lack: Lack) -> Halt {
        Halt::Wanted(Box::new(Wanted { lack, made: Vec::new(), unfinished: None }))
    }

    /// Whether it is the caller's rights that keep it from going on, and it left nothing: then what is decided without them
    /// comes first.
    pub(super) fn is_forbidden(&self) -> bool {
        let of_rights = |error: &Error| matches!(error.kind(), Kind::Permission | Kind::UnsafeState);
        matches!(self, Halt::Failed(error) if of_rights(error)) && !self.has_effect()
    }

    /// Whether it left something behind, which it names.
    pub(super) fn has_effect(&self) -> bool {
        matches!(self, Halt::Failed(error) if !error.left().is_empty() || !error.preserved().is_empty() || error.is_changed())
    }

    /// Whether the file system has no room for what it would make.
    pub(super) fn lacks_space(&self) -> bool {
        matches!(self, Halt::Failed(error) if error.kind() == Kind::NoSpace)
    }

    /// The same, with what is done to an error.
    pub(super) fn map(self, change: impl FnOnce(Error) -> Error) -> Halt {
        match self {
            Halt::Failed(error) => Halt::Failed(change(error)),
            wanted @ Halt::Wanted(_) => wanted,
        }
    }

    /// The error; where something is wanted there is nobody who could give it.
    pub(super) fn into_error(self) -> Error {
        match self {
            Halt::Failed(error) => error,
            Halt::Wanted(_) => state_contended(),
        }
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Halt {
        Halt::Failed(error)
    }
}

/// The directory to stage in was removed or renamed each time.
pub(super) fn state_contended() -> Error {
    Error::new(Kind::Contended).because("the state directory keeps changing")
}
