//! The file in a root that says that its records are in a state directory elsewhere.
//!
//! It guards against forgetting where, and nothing else: whoever writes below the root can remove it.

use std::ffi::OsStr;

use crate::error::{Error, FileKind, Kind, Result};
use crate::root::Root;
use crate::sys::{self, Access, Fault, FileUse, Stat};

/// Its name. It holds the id of the records and a newline.
const NAME: &str = ".caplink-records";

/// The longest id that is read, in bytes.
const LONGEST: usize = 64;

/// Leaves the file in a root whose state directory is elsewhere.
pub(super) fn leave(root: &Root, id: &str) -> Result<()> {
    if root.state().below.is_some() || read(root)?.as_deref() == Some(id) {
        return Ok(());
    }
    let calls = root.calls();
    let failed = |source| Error::from_io(source).on("make", NAME);
    let new = format!("{NAME}-{:032x}", calls.random().map_err(failed)?);
    let file = calls.open_file(root.handle(), OsStr::new(&new), FileUse::WriteNew).map_err(failed)?;
    let left = file
        .append(format!("{id}\n").as_bytes())
        .and_then(|()| file.sync())
        .and_then(|()| calls.rename_over((root.handle(), OsStr::new(&new)), (root.handle(), OsStr::new(NAME))));
    if let Err(source) = left {
        let _gone = calls.unlink(root.handle(), OsStr::new(&new));
        return Err(failed(source));
    }
    match calls.open_dir(root.handle(), OsStr::new("").as_ref(), true, Access::Read) {
        Ok(dir) => calls.sync_dir(&dir).map_err(failed),
        // It may be searched only.
        Err(_) => Ok(()),
    }
}

/// Checks that a mutation was given the records of which the file tells, if it is there.
pub(super) fn check(root: &Root, given: Option<&str>) -> Result<()> {
    if root.state().below.is_some() && given.is_some() {
        return Ok(());
    }
    match read(root)? {
        Some(id) if given != Some(&id) => Err(Error::new(Kind::UnsafeState).during("use the records").because(
            format!("the root has the records `{id}` in another state directory; give that one with `--state`"),
        )),
        _ => Ok(()),
    }
}

/// The id in the file; `None` if it is missing, or somebody else's.
fn read(root: &Root) -> Result<Option<String>> {
    let calls = root.calls();
    let is_trusted = |stat: Stat| stat.kind == FileKind::File && (stat.uid == calls.user() || stat.uid == 0);
    // Whoever writes the root can put anything there: what is no file of the caller's is not opened.
    match calls.stat_at(root.handle(), OsStr::new(NAME)) {
        Ok(stat) if is_trusted(stat) => {}
        Ok(_) => return Ok(None),
        Err(source) if sys::fault(&source) == Fault::Missing => return Ok(None),
        Err(source) => return Err(Error::from_io(source).on("read", NAME)),
    }
    let file = match calls.open_file(root.handle(), OsStr::new(NAME), FileUse::Read) {
        Ok(file) => file,
        Err(source) if matches!(sys::fault(&source), Fault::Missing | Fault::Link | Fault::Unsupported) => {
            return Ok(None);
        }
        Err(source) => return Err(Error::from_io(source).on("read", NAME)),
    };
    let failed = |source| Error::from_io(source).on("read", NAME);
    if !is_trusted(file.stat().map_err(failed)?) {
        return Ok(None);
    }
    let mut id = [0; LONGEST];
    let length = file.read_at(0, &mut id).map_err(failed)?;
    Ok(Some(String::from_utf8_lossy(&id[..length]).trim_end().to_owned()))
}
