//! The privilege that Windows asks for before a link can be made.

use std::io;

/// `ERROR_PRIVILEGE_NOT_HELD` (winerror.h).
const NOT_HELD: i32 = 1314;

/// The account may not make symbolic links.
#[derive(Debug, thiserror::Error)]
#[error(
    "Windows does not let this account make symbolic links; turn on Developer Mode, or grant it the privilege \
     SeCreateSymbolicLinkPrivilege"
)]
pub(super) struct Missing(#[source] io::Error);

/// Names the missing privilege, where that is why a link could not be made.
pub(super) fn explain(error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(NOT_HELD) {
        return io::Error::new(io::ErrorKind::PermissionDenied, Missing(error));
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Kind};

    #[test]
    fn a_missing_privilege_is_named_with_both_ways_out() {
        let error = Error::from_io(explain(io::Error::from_raw_os_error(NOT_HELD))).on("create", "l");
        assert_eq!(error.kind(), Kind::Permission);
        let message = error.to_string();
        for way_out in ["Developer Mode", "SeCreateSymbolicLinkPrivilege"] {
            assert!(message.contains(way_out), "{message}");
        }
        let other = explain(io::Error::from_raw_os_error(5));
        assert_eq!(other.raw_os_error(), Some(5));
    }
}
