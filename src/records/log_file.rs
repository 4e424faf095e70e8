//! Files of the records: opened at the state directory as nothing but the caller's own, and locked.

use std::ffi::OsStr;
use std::time::Duration;

use crate::error::{Error, FileKind, Holder, Kind, Result};
use crate::root::Root;
use crate::sys::{self, Calls, Fault, FileUse, Handle, OpenFile};

/// The name of the log in the state directory.
pub(super) const LOG_NAME: &str = "log.jsonl";

/// The error for records that do not fit.
pub(super) fn damaged(seq: u64, reason: &str) -> Error {
    let reason = format!("entry {seq} of the log does not fit: {reason}");
    Error::new(Kind::Integrity).during("read the records").because(reason).at_entry(seq)
}

pub(super) fn io(source: std::io::Error) -> Error {
    Error::from_io(source).during("use the records")
}

/// Opens a file of the state directory; `None` if it is missing.
///
/// It must be a regular file of the caller's, for nobody else, that has this name alone.
pub(super) fn open_own(calls: &dyn Calls, dir: &Handle, name: &str, how: FileUse) -> Result<Option<OpenFile>> {
    let wrong = |what: &str| {
        let reason = format!("`{name}` in the state directory is {what}");
        Err(Error::new(Kind::Integrity).during("open the records").because(reason).at_entry(0))
    };
    let file = match calls.open_file(dir, OsStr::new(name), how) {
        Ok(file) => file,
        Err(source) => match sys::fault(&source) {
            Fault::Missing => return Ok(None),
            Fault::Link => return wrong("a symbolic link"),
            _ if source.kind() == std::io::ErrorKind::IsADirectory => return wrong("a directory"),
            // A socket, or a fifo that nobody reads.
            _ if is_no_file(calls, dir, name) => return wrong("no regular file"),
            _ => return Err(io(source)),
        },
    };
    let stat = file.stat().map_err(io)?;
    if stat.kind != FileKind::File {
        return wrong("no regular file");
    }
    if stat.uid != calls.user() {
        return wrong("another user's");
    }
    if stat.mode & 0o7077 != 0 {
        return wrong("open to others");
    }
    if stat.links != 1 {
        return wrong("a file that has another name as well");
    }
    Ok(Some(file))
}

fn is_no_file(calls: &dyn Calls, dir: &Handle, name: &str) -> bool {
    calls.stat_at(dir, OsStr::new(name)).is_ok_and(|stat| stat.kind != FileKind::File)
}

/// Takes the lock of a file, and waits for another holder as long as this.
pub(super) fn lock(root: &Root, file: &OpenFile, wait: Duration) -> Result<()> {
    const LONGEST_NAP: Duration = Duration::from_millis(4);
    let calls = root.calls();
    let mut nap = Duration::from_micros(50);
    let mut deadline = None;
    while !file.try_lock().map_err(io)? {
        let now = calls.clock();
        if now >= *deadline.get_or_insert(now.saturating_add(wait)) {
            let holder = file.stat().ok().and_then(|stat| sys::lock_holder(&stat));
            let holder = holder.map(|(pid, program)| Holder { pid, program, since: None });
            let reason = format!("another holder had their lock for more than {} ms", wait.as_millis());
            return Err(Error::new(Kind::Busy).during("use the records").because(reason).held_by(holder));
        }
        calls.sleep(nap);
        nap = (nap * 2).min(LONGEST_NAP);
    }
    Ok(())
}
