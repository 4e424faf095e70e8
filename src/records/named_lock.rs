//! Locks by name in the state directory: `flock` on a file that says who has it and since when.
//!
//! The kernel drops the lock with its holder. A program that the holder starts does not keep it: its descriptor is closed
//! when another program takes its place.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::log_file::{io, open_own};
use super::store::Records;
use super::time::Time;
use crate::error::{Error, Holder, Kind, Result};
use crate::sys::{self, FileUse, OpenFile};

/// The longest sleep between two tries.
const LONGEST_NAP: Duration = Duration::from_millis(20);

/// How often the file is opened anew where it is replaced meanwhile.
const TRIES: usize = 16;

/// A lock that is held until it is dropped.
pub(crate) struct NamedLock {
    file: OpenFile,
    /// The process that took it. In a child that was forked it is the parent's.
    process: u32,
}

impl Drop for NamedLock {
    fn drop(&mut self) {
        if std::process::id() == self.process {
            self.file.unlock();
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Held {
    pid: u32,
    program: Option<String>,
    since: String,
}

impl Records {
    /// Takes the lock of a name; `what` says in an error what it is of.
    ///
    /// # Errors
    ///
    /// `busy` with the holder, where another one keeps it beyond the wait; `integrity`, `permission`, `no_space`, `io`.
    pub(crate) fn lock_named(&self, name: &str, what: &str, wait: Duration) -> Result<NamedLock> {
        let calls = self.root().calls();
        let deadline = calls.clock().saturating_add(wait);
        for _ in 0..TRIES {
            let file = self.lock_file(name)?;
            let mut nap = Duration::from_micros(100);
            while !file.try_lock().map_err(io)? {
                if calls.clock() >= deadline {
                    let reason = format!("another holder had the lock of {what} for more than {} ms", wait.as_millis());
                    return Err(Error::new(Kind::Busy).during("begin").because(reason).held_by(holder(&file)));
                }
                calls.sleep(nap);
                nap = (nap * 2).min(LONGEST_NAP);
            }
            // Whoever cleans up may have unlinked it meanwhile: then it excludes nobody.
            let named = calls.stat_at(self.dir(), OsStr::new(name)).map(|stat| stat.id);
            if named.is_ok_and(|id| file.stat().is_ok_and(|stat| stat.id == id)) {
                sign(&file);
                return Ok(NamedLock { file, process: std::process::id() });
            }
        }
        Err(Error::new(Kind::Contended).during("begin").because(format!("the lock of {what} keeps being replaced")))
    }

    /// Whether somebody has the lock of a name. Nothing is made or written for it.
    pub(crate) fn is_locked(&self, name: &str) -> Result<bool> {
        let Some(file) = open_own(self.root().calls(), self.dir(), name, FileUse::Read)? else { return Ok(false) };
        let free = file.try_lock().map_err(io)?;
        if free {
            file.unlock();
        }
        Ok(!free)
    }

    fn lock_file(&self, name: &str) -> Result<OpenFile> {
        let calls = self.root().calls();
        for _ in 0..TRIES {
            if let Some(file) = open_own(calls, self.dir(), name, FileUse::Write)? {
                return Ok(file);
            }
            match calls.open_file(self.dir(), OsStr::new(name), FileUse::WriteNew) {
                Ok(file) => return Ok(file),
                Err(source) if source.kind() == ErrorKind::AlreadyExists => {}
                Err(source) => return Err(io(source)),
            }
        }
        Err(Error::new(Kind::Contended).during("use the records"))
    }
}

/// Says in the file who holds its lock. Where that cannot be written the lock is held all the same.
fn sign(file: &OpenFile) {
    let (pid, program) = sys::this_process();
    let held = Held { pid, program, since: Time::now().to_string() };
    if let Ok(bytes) = serde_json::to_vec(&held) {
        let _signed = file.set_len(0).and_then(|()| file.write_at(0, &bytes));
    }
}

/// Who holds the lock: as the file says, if the kernel knows of no other.
fn holder(file: &OpenFile) -> Option<Holder> {
    let mut bytes = [0; 4096];
    let count = file.read_at(0, &mut bytes).ok()?;
    let said: Option<Held> = serde_json::from_slice(&bytes[..count]).ok();
    let known = file.stat().ok().and_then(|stat| sys::lock_holder(&stat));
    match (said, known) {
        (Some(said), Some((pid, program))) if said.pid != pid => Some(Holder { pid, program, since: None }),
        (Some(said), _) => Some(Holder { pid: said.pid, program: said.program, since: Some(said.since) }),
        (None, known) => known.map(|(pid, program)| Holder { pid, program, since: None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Author, Settings};
    use crate::{Policy, Root};

    #[test]
    fn a_wait_without_end_is_none_that_overflows() {
        let dir = cap_tempfile::tempdir(cap_std::ambient_authority()).unwrap();
        let root = Root::from_dir(dir.try_clone().unwrap(), Policy::default()).unwrap();
        let (records, _) = Records::init(&root, Settings::default(), &Author::default()).unwrap();
        let held = records.lock_named("lock", "it", Duration::MAX).unwrap();
        assert!(records.is_locked("lock").unwrap());
        drop(held);
        assert!(!records.is_locked("lock").unwrap());
    }
}
