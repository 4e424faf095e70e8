//! The state directory: private to the caller, made when it is first needed.
//!
//! It is a second capability: a directory and one name in it. Nothing but its privacy is trusted.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, FileKind, Kind, Result, printable, words};
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
    /// It is the default one, which another user's edit may have made at the same moment.
    default: bool,
}

/// The state directory, opened.
pub(crate) struct OpenState {
    pub(crate) dir: Handle,
    pub(crate) id: ObjectId,
    /// Its name in the place's directory.
    pub(crate) name: OsString,
    /// It was made now, by this operation, which removes it again.
    pub(crate) made: bool,
}

/// What comes of opening the state directory for an edit.
pub(crate) enum StateAccess {
    Open(OpenState),
    /// It cannot be made.
    Unavailable,
    /// A confined thread cannot make it, or is not allowed into it.
    Wanted,
}

words! {
    "state of a state directory":
    /// What the state directory is like.
    #[non_exhaustive]
    pub enum StateCheck {
        /// Not there; it is made when it is needed.
        Absent = "absent",
        /// Only the caller can enter it.
        Private = "private",
        /// Others can enter it, or it is no directory; an edit that needs it is refused.
        Unsafe = "unsafe",
    }
}

impl StatePlace {
    pub(crate) fn new(base: Arc<Handle>, name: OsString, below: Option<PathBuf>) -> StatePlace {
        StatePlace { base, name, below, default: false }
    }

    /// The one that is used unless the caller names another.
    pub(crate) fn default_of(base: Arc<Handle>, name: &str) -> StatePlace {
        StatePlace { default: true, ..StatePlace::new(base, name.into(), Some(name.into())) }
    }

    /// The same directory, for a root that it is not below.
    pub(crate) fn elsewhere(&self) -> StatePlace {
        StatePlace { base: Arc::clone(&self.base), name: self.name.clone(), below: None, default: self.default }
    }

    /// Opens the directory, or makes it; `None` where it cannot be made.
    ///
    /// Where another user stages in the default one at this moment, this user has one of its own.
    pub(crate) fn open(&self, calls: &dyn Calls) -> Result<Option<OpenState>> {
        match self.make(calls) {
            Err(error) if error.kind() == Kind::UnsafeState => match self.of_this_user(calls) {
                Some(own) => own.make(calls),
                None => Err(error),
            },
            opened => opened,
        }
    }

    /// The one of this user, where the default one is private to another.
    fn of_this_user(&self, calls: &dyn Calls) -> Option<StatePlace> {
        let there = calls.stat_at(&self.base, &self.name).ok().filter(|_| self.default)?;
        let is_private = there.kind == FileKind::Dir && there.mode & OPEN_TO_OTHERS == 0;
        (is_private && there.uid != calls.user()).then(|| {
            let mut name = self.name.clone();
            name.push(format!("-{}", calls.user()));
            let below = self.below.as_ref().map(|below| below.with_file_name(&name));
            StatePlace { base: Arc::clone(&self.base), name, below, default: false }
        })
    }

    /// Whether a path below the root leads into the directory, or into that of any user.
    pub(crate) fn holds(&self, path: &Path) -> bool {
        let Some(state) = &self.below else { return false };
        // Nearly no path begins with these bytes, which is less to ask than its components.
        if !path.as_os_str().as_encoded_bytes().starts_with(state.as_os_str().as_encoded_bytes()) {
            return false;
        }
        let is_of_user = |name: &OsStr| {
            let number = name.as_encoded_bytes().strip_prefix(self.name.as_encoded_bytes());
            let digits = number.and_then(|number| number.strip_prefix(b"-"));
            // A staged name is longer than any number of a user.
            digits.is_some_and(|digits| (1..=10).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit))
        };
        let at = state.components().count();
        let named = || path.components().nth(at.saturating_sub(1)).is_some_and(|named| is_of_user(named.as_os_str()));
        path.starts_with(state) || self.default && named()
    }

    /// Opens the very directory of this place, or makes it; `None` where it cannot be made.
    pub(crate) fn make(&self, calls: &dyn Calls) -> Result<Option<OpenState>> {
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
                    // The call may have taken effect despite the error.
                    _ if self.check(calls) == StateCheck::Private => *made = true,
                    _ => return Err(Error::from_io(source)),
                },
            }
        }
        Err(Error::new(Kind::Contended).because("the state directory keeps changing"))
    }

    /// Opens the directory as it is; `None` where it is not there.
    pub(crate) fn open_there(&self, calls: &dyn Calls) -> Result<Option<OpenState>> {
        match calls.open_dir(&self.base, self.name.as_ref(), true, Access::Read) {
            Ok(dir) => {
                let stat = calls.stat(&dir).map_err(Error::from_io)?;
                let there = OpenState { dir, id: stat.id, name: self.name.clone(), made: false };
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
    pub(crate) fn open_within(&self, calls: &dyn Calls, within: Option<ObjectId>) -> Result<StateAccess> {
        if self.below.is_none() {
            let there = calls.stat_at(&self.base, &self.name).ok().map(|stat| stat.id);
            if there.is_none() || there != within {
                return Ok(StateAccess::Wanted);
            }
        }
        let there = match self.open_there(calls) {
            Err(error) if error.kind() == Kind::UnsafeState => match self.of_this_user(calls) {
                Some(own) => own.open_there(calls)?,
                None => return Err(error),
            },
            opened => opened?,
        };
        Ok(there.map_or(StateAccess::Wanted, StateAccess::Open))
    }

    /// Looks at the directory, without making it.
    pub(crate) fn check(&self, calls: &dyn Calls) -> StateCheck {
        match calls.stat_at(&self.base, &self.name) {
            Ok(stat) if stat.kind == FileKind::Dir && is_private(calls, &stat) => StateCheck::Private,
            Err(source) if sys::fault(&source) == Fault::Missing => StateCheck::Absent,
            _ => self.of_this_user(calls).map_or(StateCheck::Unsafe, |own| own.check(calls)),
        }
    }

    pub(crate) fn not_private(&self) -> Error {
        let name = printable(&self.name);
        Error::new(Kind::UnsafeState).because(format!(
            "the state directory `{name}` is needed here, and it is not one that only the caller can enter"
        ))
    }
}

pub(crate) fn is_private(calls: &dyn Calls, stat: &Stat) -> bool {
    stat.uid == calls.user() && stat.mode & OPEN_TO_OTHERS == 0
}
