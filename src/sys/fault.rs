//! What an error number of the calls says of a lookup.

use std::io;

/// Why a lookup was refused, where an error number says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A name is missing.
    Missing,
    /// A name on the way is no directory.
    NotDirectory,
    /// A link is on the way, or following links is not allowed here.
    Link,
    /// A mount point, or the edge of the root.
    Crossing,
    /// The caller may not search or read.
    Denied,
    /// A name or text is too long.
    TooLong,
    /// The call or its flag is unavailable here.
    Unsupported,
    /// The name is taken.
    Exists,
    /// The file system found its own records of the entry to be damaged.
    Damaged,
    /// Anything else.
    Other,
}

/// Sorts an error of the calls.
pub(crate) fn fault(error: &io::Error) -> Fault {
    use io::ErrorKind as E;
    match error.kind() {
        E::NotFound => Fault::Missing,
        E::NotADirectory => Fault::NotDirectory,
        E::CrossesDevices => Fault::Crossing,
        E::PermissionDenied => Fault::Denied,
        E::InvalidFilename => Fault::TooLong,
        E::AlreadyExists => Fault::Exists,
        E::Unsupported => Fault::Unsupported,
        _ if super::platform::is_link_fault(error) => Fault::Link,
        _ if is_damage(error) => Fault::Damaged,
        _ => Fault::Other,
    }
}

/// `EUCLEAN`: the file system's word for an inode that makes no sense.
#[cfg(target_os = "linux")]
fn is_damage(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::UCLEAN)
}

#[cfg(not(target_os = "linux"))]
fn is_damage(_error: &io::Error) -> bool {
    false
}
