//! New directories for tests that hold theirs as a capability.

use cap_tempfile::TempDir;

/// A new directory, removed with the value.
pub(crate) fn temp_dir() -> TempDir {
    #[cfg(unix)]
    super::umask::set_umask();
    cap_tempfile::tempdir(cap_std::ambient_authority()).expect("the temporary directory is writable")
}
