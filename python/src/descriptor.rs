//! A directory that the caller has open, taken by the number of its descriptor.
//!
//! The descriptor stays the caller's: what is kept is one of its own on the same directory. A number alone is no
//! descriptor in Rust; the kernel hands over a copy of this process's own, or opens it by its name below `/dev/fd`.

use std::io;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

/// Opens the directory behind a descriptor once more.
pub(crate) fn open(descriptor: i32) -> io::Result<Dir> {
    if descriptor < 0 {
        return Err(io::Error::from_raw_os_error(bad_descriptor()));
    }
    match duplicate(descriptor) {
        Some(duplicated) => duplicated,
        None => Dir::open_ambient_dir(format!("/dev/fd/{descriptor}"), ambient_authority()),
    }
}

/// A copy of the descriptor; `None` where the kernel does not give one (Linux 5.6 has the call).
#[cfg(target_os = "linux")]
fn duplicate(descriptor: i32) -> Option<io::Result<Dir>> {
    use rustix::io::Errno;
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

    let process = pidfd_open(getpid(), PidfdFlags::empty()).ok()?;
    match pidfd_getfd(process, descriptor, PidfdGetfdFlags::empty()) {
        Ok(duplicated) => Some(Ok(Dir::from_std_file(duplicated.into()))),
        Err(Errno::BADF) => Some(Err(Errno::BADF.into())),
        Err(_) => None,
    }
}

#[cfg(not(target_os = "linux"))]
fn duplicate(_: i32) -> Option<io::Result<Dir>> {
    None
}

#[cfg(unix)]
fn bad_descriptor() -> i32 {
    rustix::io::Errno::BADF.raw_os_error()
}

#[cfg(not(unix))]
fn bad_descriptor() -> i32 {
    6
}
