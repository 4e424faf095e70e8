//! Where the trees of the tests stand.

use std::path::PathBuf;

use tempfile::TempDir;

use super::umask::set_umask;

/// The directory below which trees are built; `CAPLINK_TEST_DIR` puts them on another file system.
pub(crate) fn ground() -> PathBuf {
    set_umask();
    std::env::var_os("CAPLINK_TEST_DIR").map_or_else(std::env::temp_dir, PathBuf::from)
}

/// A new directory on the ground, removed with the value.
pub(crate) fn temp_dir() -> TempDir {
    tempfile::tempdir_in(ground()).expect("the ground is writable")
}
