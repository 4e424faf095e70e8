//! The file mode creation mask that every expectation of a mode assumes.

use rustix::fs::Mode;

/// Sets the mask of the caller, and of the programs that it starts, to `022`, whatever the shell has.
///
/// Every tree builder calls it first: a root with files that only their owner can read is another scenario. Not once a
/// process: a thread with mounts of its own has a mask of its own as well.
pub(crate) fn set_umask() {
    let _of_the_shell = rustix::process::umask(Mode::WGRP | Mode::WOTH);
}
