//! The state directory: private to the caller, made when it is first needed.
//!
//! It is a second capability: a directory and one name in it. Nothing but its privacy is trusted.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Error, FileKind, Kind, Result, printable};
use crate::model::ObjectId;
use crate::sys::{self, Access, Calls, Fault, Handle, Stat};

/// Tries of a state directory that others of this user remove when they are done.
pub(crate) const TRIES: usize = 64;

/// Another user may enter, read or write.
const OPEN_TO_OTHERS: u32 = 0o077;

/// Where the state directory is, or will be made when it is needed.
pub(crate) struct StatePlace {
    pub(crate) base: Arc<Handle>,
    pub(crate) name: OsString,
    /// Its path below the root, where it is there.
    pub(crate) below: Option<PathBuf>,
    /// The caller named it: locks that a stranger could hold are taken there too.
    pub(crate) chosen: bool,
}

/// The state directory, opened.
pub(crate) struct OpenState {
    pub(crate) dir: Handle,
    pub(crate) id: ObjectId,
    /// It was made now, by this operation, which removes it again.
    pub(crate) made: bool,
}

/// What the state directory is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateCheck {
    /// Not there; it is made when it is needed.
    Absent,
    /// Only the caller can enter it.
    Private,
    /// Others can enter it, or it is no directory; an edit that needs it is refused.
    Unsafe,
}

impl StatePlace {
    pub(crate) fn new(base: Arc<Handle>, name: OsString, below: Option<PathBuf>) -> StatePlace {
        StatePlace { base, name, below, chosen: false }
    }

    /// The same place, named by the caller.
    pub(crate) fn chosen(self) -> StatePlace {
        StatePlace { chosen: true, ..self }
    }

    /// The same directory, for a root that it is not below.
    pub(crate) fn elsewhere(&self) -> StatePlace {
        StatePlace { base: Arc::clone(&self.base), name: self.name.clone(), below: None, chosen: self.chosen }
    }

    /// Opens the directory, or makes it; none where it cannot be made.
    pub(crate) fn open(&self, calls: &dyn Calls) -> Result<Option<OpenState>> {
        let mut made = false;
        let opened = self.open_or_make(calls, &mut made);
        // It is told by its mode: a server that maps users gives it to another one.
        let is_ours = |stat: Stat| stat.kind == FileKind::Dir && stat.mode & OPEN_TO_OTHERS == 0;
        if made && !matches!(opened, Ok(Some(_))) && calls.stat_at(&self.base, &self.name).is_ok_and(is_ours) {
            // Where somebody else uses it by now it is not empty, or they notice that it has lost its name.
            let _kept = calls.remove_dir(&self.base, &self.name);
        }
        Ok(opened?.map(|there| OpenState { made, ..there }))
    }

    fn open_or_make(&self, calls: &dyn Calls, made: &mut bool) -> Result<Option<OpenState>> {
        for _ in 0..TRIES {
            if let Some(there) = self.open_there(calls)? {
                return Ok(Some(there));
            }
            match calls.make_dir(&self.base, &self.name, 0o700) {
                Ok(()) => *made = true,
                Err(source) if sys::fault(&source) == Fault::Exists => *made = false,
                Err(source) => match Kind::of(&source) {
                    Kind::Permission | Kind::NotFound => return Ok(None),
                    // A call can fail that was carried out.
                    _ if self.check(calls) == StateCheck::Private => *made = true,
                    _ => return Err(Error::from_io(source)),
                },
            }
        }
        Err(Error::new(Kind::Contended).because("the state directory keeps changing"))
    }

    /// Opens the directory as it is; none where it is not there.
    pub(crate) fn open_there(&self, calls: &dyn Calls) -> Result<Option<OpenState>> {
        match calls.open_dir(&self.base, self.name.as_ref(), true, Access::Read) {
            Ok(dir) => {
                let stat = calls.stat(&dir).map_err(Error::from_io)?;
                let there = OpenState { dir, id: stat.id, made: false };
                if is_private(calls, &stat) { Ok(Some(there)) } else { Err(self.not_private()) }
            }
            Err(source) => match sys::fault(&source) {
                Fault::Missing => Ok(None),
                Fault::Link | Fault::NotDirectory | Fault::Denied => Err(self.not_private()),
                _ => Err(Error::from_io(source)),
            },
        }
    }

    /// Opens the directory on a thread that may not make it; `within` is the one elsewhere that its domain allows.
    ///
    /// The error [is told](StateWanted::is_cause) from others where another thread has to make it, or to allow it.
    pub(crate) fn open_within(&self, calls: &dyn Calls, within: Option<ObjectId>) -> Result<OpenState> {
        let wanted = || StateWanted::Here.into_error();
        if self.below.is_none() {
            let there = calls.stat_at(&self.base, &self.name).ok().map(|stat| stat.id);
            if there.is_none() || there != within {
                return Err(wanted());
            }
        }
        self.open_there(calls)?.ok_or_else(wanted)
    }

    /// Looks at the directory, without making it.
    pub(crate) fn check(&self, calls: &dyn Calls) -> StateCheck {
        match calls.stat_at(&self.base, &self.name) {
            Ok(stat) if stat.kind == FileKind::Dir && is_private(calls, &stat) => StateCheck::Private,
            Err(source) if sys::fault(&source) == Fault::Missing => StateCheck::Absent,
            _ => StateCheck::Unsafe,
        }
    }

    pub(crate) fn not_private(&self) -> Error {
        let name = printable(&self.name);
        Error::new(Kind::UnsafeState).because(format!(
            "the state directory `{name}` is needed here, and it is not one that only the caller can enter"
        ))
    }
}

/// What a confined thread needs to stage links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StateWanted {
    /// The state directory, which it cannot make, or is not allowed into.
    Here,
    /// Another directory beside the links, which it is not allowed to make: the state directory is on another mount.
    Beside,
}

impl StateWanted {
    pub(crate) fn by(error: &Error) -> Option<StateWanted> {
        error.io_error().and_then(io::Error::get_ref).and_then(|cause| cause.downcast_ref().copied())
    }

    pub(crate) fn is_cause(error: &Error) -> bool {
        StateWanted::by(error).is_some()
    }

    pub(crate) fn into_error(self) -> Error {
        Error::from_io(io::Error::other(self))
    }
}

impl fmt::Display for StateWanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the state directory is needed")
    }
}

impl std::error::Error for StateWanted {}

pub(crate) fn is_private(calls: &dyn Calls, stat: &Stat) -> bool {
    stat.uid == calls.user() && stat.mode & OPEN_TO_OTHERS == 0
}
