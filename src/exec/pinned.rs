//! A link that is held, so that it can be told from any other.

use std::ffi::{OsStr, OsString};

use crate::entry::Opened;
use crate::error::{Error, FileKind, Result};
use crate::sys::{self, Fault, Handle, Stat};

/// A link that is pinned, with its text.
pub(super) struct Pinned {
    pub(super) stat: Stat,
    pub(super) text: OsString,
    /// While it is open the inode number is not given to another.
    _pin: Handle,
}

impl Pinned {
    /// Pins the link of this name; none where nothing or something else has it.
    pub(super) fn at(entry: &Opened<'_>, (dir, name): (&Handle, &OsStr)) -> Result<Option<Pinned>> {
        let calls = entry.root.calls();
        let pin = match calls.pin(dir, name) {
            Ok(pin) => pin,
            Err(source) if sys::fault(&source) == Fault::Missing => return Ok(None),
            Err(source) => return Err(Error::from_io(source)),
        };
        let stat = calls.stat(&pin).map_err(Error::from_io)?;
        if stat.kind != FileKind::Symlink {
            return Ok(None);
        }
        let text = calls.read_pinned(&pin).map_err(Error::from_io)?;
        Ok(Some(Pinned { stat, text, _pin: pin }))
    }
}
