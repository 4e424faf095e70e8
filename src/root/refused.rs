//! Why a directory cannot be a root.

use std::io;
use std::path::Path;

use crate::error::{Error, Kind};
use crate::sys::{self, Fault};

/// The error of opening a root at a path.
pub(super) fn root_error(path: &Path, source: io::Error) -> Error {
    let error = match source.kind() {
        io::ErrorKind::NotFound => {
            Error::from_io(source).with_kind(Kind::RootGone).because("there is no such directory")
        }
        io::ErrorKind::NotADirectory => {
            Error::from_io(source).with_kind(Kind::Usage).because("the root is not a directory")
        }
        _ if sys::fault(&source) == Fault::Link => {
            Error::from_io(source).with_kind(Kind::RootGone).because("the links on its way cannot be followed")
        }
        _ => Error::from_io(source),
    };
    error.on("open", path)
}
