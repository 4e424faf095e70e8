//! What says where something may have changed, as far as the platform has it.

use std::ffi::OsStr;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod none;

#[cfg(target_os = "linux")]
pub(crate) use linux::{Bell, Notify, most_watches};
#[cfg(not(target_os = "linux"))]
pub(crate) use none::{Bell, Notify, most_watches};

/// Where something may have changed. A hint says where to look, and nothing of what is there.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nothing gives any there"))]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hint<'a> {
    /// A name in a watched directory.
    Name {
        watch: i32,
        name: &'a OsStr,
        /// It was a directory.
        is_dir: bool,
        /// It is said to be the same entry as before.
        is_same: bool,
    },
    /// The watched directory itself.
    Itself(i32),
    /// The watch has ended.
    Ended(i32),
    /// Hints were lost.
    Overflow,
}
