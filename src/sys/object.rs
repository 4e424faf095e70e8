//! The identity of an object as it is shown.

use std::fmt;

use crate::model::ObjectId;

/// `major:minor:inode`, as the command line prints it.
impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = device_numbers(self.device);
        write!(f, "{major}:{minor}:{}", self.inode)
    }
}

#[cfg(unix)]
use super::posix::device_numbers;

/// A volume has a serial number instead.
#[cfg(windows)]
fn device_numbers(device: u64) -> (u32, u32) {
    ((device >> 32) as u32, device as u32)
}
