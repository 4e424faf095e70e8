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

/// A file that was read, and whether others than the caller and the superuser can write it or its directory.
pub(crate) struct Judged {
    pub(crate) bytes: Vec<u8>,
    pub(crate) open_to_others: bool,
}

/// Reads a file, and judges who can write it.
pub(crate) fn read_judged(path: &Path, longest: u64) -> io::Result<Judged> {
    let bytes = read(path, longest)?;
    if path.as_os_str() == "-" {
        return Ok(Judged { bytes, open_to_others: false });
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = File::open_ambient(path, ambient_authority())?.metadata()?;
    let dir = cap_std::fs::Dir::open_ambient_dir(above, ambient_authority())?.dir_metadata()?;
    Ok(Judged { bytes, open_to_others: is_open(&file) || is_open(&dir) })
}

#[cfg(unix)]
fn is_open(metadata: &cap_std::fs::Metadata) -> bool {
    use cap_std::fs::MetadataExt as _;

    let own = caplink::records::Actor::of_this_process().uid;
    metadata.mode() & 0o022 != 0 || (metadata.uid() != 0 && Some(metadata.uid()) != own)
}

#[cfg(not(unix))]
fn is_open(_: &cap_std::fs::Metadata) -> bool {
    false
}
