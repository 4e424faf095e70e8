//! A directory that the caller has open, taken by the number of its descriptor.
//!
//! The descriptor stays the caller's: what is kept is one of its own on the same directory. A number alone is no
//! descriptor in Rust; the kernel hands over a copy of this process's own, or opens it by its name below `/dev/fd`.

use std::io;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

/// Opens what is behind a descriptor once more; a copy can be made of any.
pub(crate) fn open(descriptor: i32) -> io::Result<Dir> {
    if descriptor < 0 {
        return Err(io::Error::from_raw_os_error(BAD_DESCRIPTOR));
    }
    duplicate(descriptor).unwrap_or_else(|| by_name(descriptor))
}

/// The error for a descriptor of something else than a directory.
pub(crate) fn not_a_directory() -> io::Error {
    io::Error::from_raw_os_error(NOT_A_DIRECTORY)
}

/// Opens it by the name that it has in this process; without one it is no descriptor.
fn by_name(descriptor: i32) -> io::Result<Dir> {
    let opened = Dir::open_ambient_dir(format!("/dev/fd/{descriptor}"), ambient_authority());
    opened.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::from_raw_os_error(BAD_DESCRIPTOR),
        _ => error,
    })
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
const BAD_DESCRIPTOR: i32 = rustix::io::Errno::BADF.raw_os_error();
#[cfg(unix)]
const NOT_A_DIRECTORY: i32 = rustix::io::Errno::NOTDIR.raw_os_error();

/// `ERROR_INVALID_HANDLE` and `ERROR_DIRECTORY`.
#[cfg(not(unix))]
const BAD_DESCRIPTOR: i32 = 6;
#[cfg(not(unix))]
const NOT_A_DIRECTORY: i32 = 267;
