//! inotify, and what wakes its reader.
//!
//! A directory is watched through its descriptor, by the name that the kernel gives that in `/proc`: whatever has its path
//! by then, it is this directory and no other. Where `/proc` is not mounted nothing is watched.

use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::Hint;
use crate::sys::Handle;

/// What is read at once, in bytes; some hundred hints.
const BUFFER: usize = 32 * 1024;

/// Wakes a thread that waits; may be rung from any other.
#[derive(Debug)]
pub(crate) struct Bell(OwnedFd);

impl Bell {
    pub(crate) fn new() -> io::Result<Bell> {
        Ok(Bell(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    pub(crate) fn ring(&self) {
        // It can only fail where it was rung so often that it rings anyhow.
        let _rung = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Waits until it is rung, a hint comes, or the time has passed. Returns whether it was rung, and whether hints wait.
    pub(crate) fn wait(&self, notify: Option<&Notify>, time: Duration) -> (bool, bool) {
        let mut waited = vec![PollFd::new(&self.0, PollFlags::IN)];
        waited.extend(notify.map(|notify| PollFd::new(&notify.0, PollFlags::IN)));
        let time =
            Timespec { tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX), tv_nsec: time.subsec_nanos().into() };
        if poll(&mut waited, Some(&time)).is_err() {
            return (false, false);
        }
        let is_ready = |index: usize| waited.get(index).is_some_and(|fd: &PollFd<'_>| !fd.revents().is_empty());
        let (rung, hints) = (is_ready(0), is_ready(1));
        if rung {
            let _counted = rustix::io::read(&self.0, &mut [0_u8; 8]);
        }
        (rung, hints)
    }
}

/// Hints about directories.
#[derive(Debug)]
pub(crate) struct Notify(OwnedFd);

impl Notify {
    /// Fails where the kernel has none, or the user has too many already.
    pub(crate) fn new() -> io::Result<Notify> {
        Ok(Notify(inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?))
    }

    /// Watches the names in a directory, and with `content` what is written to its files. The same directory again has the
    /// same number again.
    pub(crate) fn add(&self, dir: &Handle, content: bool) -> io::Result<i32> {
        let names = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVED_FROM | WatchFlags::MOVED_TO;
        let itself = WatchFlags::ATTRIB | WatchFlags::DELETE_SELF | WatchFlags::ONLYDIR | WatchFlags::EXCL_UNLINK;
        let content = if content { WatchFlags::MODIFY } else { WatchFlags::empty() };
        let path = format!("/proc/self/fd/{}", dir.as_fd().as_raw_fd());
        Ok(inotify::add_watch(&self.0, path, names | itself | content)?)
    }

    /// Ends a watch. Its number is not given to another.
    pub(crate) fn remove(&self, watch: i32) {
        // It may have ended with its directory.
        let _ended = inotify::remove_watch(&self.0, watch);
    }

    /// Hands out the hints that wait, some hundred at most. Returns whether there may be more.
    pub(crate) fn read(&self, hint: &mut dyn FnMut(Hint<'_>)) -> io::Result<bool> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = Reader::new(&self.0, &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN | Errno::INTR) => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            let flags = event.events();
            let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
            hint(match name {
                _ if flags.contains(ReadFlags::QUEUE_OVERFLOW) => Hint::Overflow,
                _ if flags.contains(ReadFlags::IGNORED) => Hint::Ended(event.wd()),
                None => Hint::Itself(event.wd()),
                Some(name) => Hint::Name {
                    watch: event.wd(),
                    name,
                    is_dir: flags.contains(ReadFlags::ISDIR),
                    // The time of a directory or file, its owner, its mode: it is still what it was.
                    is_same: flags.intersects(ReadFlags::ATTRIB | ReadFlags::MODIFY),
                },
            });
            if reader.is_buffer_empty() {
                return Ok(true);
            }
        }
    }
}

/// How many directories a user may watch.
pub(crate) fn most_watches() -> Option<u64> {
    let limit = rustix::fs::open("/proc/sys/fs/inotify/max_user_watches", OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut text = [0; 24];
    let length = rustix::io::read(limit, &mut text).ok()?;
    std::str::from_utf8(text.get(..length)?).ok()?.trim().parse().ok()
}
