//! Files that the caller names by an option or argument: its own, opened with its rights, relative to the working directory.

use std::io::{self, Read as _};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::File;

/// Reads a file, or standard input where it is `-`; longer ones are refused.
pub(crate) fn read(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let count = if path.as_os_str() == "-" {
        io::stdin().lock().take(longest + 1).read_to_end(&mut bytes)?
    } else {
        File::open_ambient(path, ambient_authority())?.take(longest + 1).read_to_end(&mut bytes)?
    };
    if count as u64 > longest {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {longest} bytes")));
    }
    Ok(bytes)
}
