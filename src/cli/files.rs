//! Files that the caller names by an option or argument: its own, opened with its rights, relative to the working directory.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata, OpenOptions};
use caplink::Kind;

/// Reads a file, or standard input where it is `-`; longer ones are refused.
pub(crate) fn read(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    match path.as_os_str() == "-" {
        true => whole(io::stdin().lock(), longest),
        false => opened(path, longest).map(|(_, bytes)| bytes),
    }
}

/// Reads a file, with what it was like when it was opened.
fn opened(path: &Path, longest: u64) -> io::Result<(Metadata, Vec<u8>)> {
    let file = File::open_ambient(path, ambient_authority())?;
    let read = file.metadata().and_then(|metadata| Ok((metadata, whole(file, longest)?)));
    #[cfg(unix)]
    super::inherited::close_named(path);
    read
}

fn whole(from: impl Read, longest: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if from.take(longest + 1).read_to_end(&mut bytes)? as u64 > longest {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {longest} bytes")));
    }
    Ok(bytes)
}

/// A file that is written whole again and again: made beside and renamed, so that who reads it reads one state of it.
#[derive(Debug)]
pub(crate) struct Replaced {
    dir: Dir,
    name: OsString,
}

impl Replaced {
    /// Opens the directory of the file. What is there and is no file is not replaced: a directory, a device, a pipe.
    pub(crate) fn at(path: &Path) -> io::Result<Replaced> {
        let is_bare = path.components().as_path().as_os_str().len() == path.as_os_str().len();
        match std::fs::metadata(path) {
            Ok(there) if there.is_dir() => return Err(no_file("it is a directory")),
            Ok(there) if !there.is_file() => return Err(no_file("it is no file")),
            _ if !is_bare => return Err(no_file("it names a directory")),
            _ => {}
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let Some(name) = path.file_name() else { return Err(no_file("it names a directory")) };
        Ok(Replaced { dir: Dir::open_ambient_dir(parent, ambient_authority())?, name: name.to_owned() })
    }

    /// Tries whether files can be made beside it.
    pub(crate) fn try_out(&self) -> io::Result<()> {
        let beside = beside();
        self.write_new(&beside, &[])?;
        self.dir.remove_file(beside)
    }

    /// Replaces the file by one with this content, which anybody may read.
    pub(crate) fn write(&self, content: &[u8]) -> io::Result<()> {
        let beside = beside();
        let written = self.write_new(&beside, content);
        let renamed = written.and_then(|()| self.dir.rename(&beside, &self.dir, &self.name));
        if renamed.is_err() {
            let _gone = self.dir.remove_file(&beside);
        }
        renamed
    }

    fn write_new(&self, name: &OsStr, content: &[u8]) -> io::Result<()> {
        let mut file = self.dir.open_with(name, OpenOptions::new().write(true).create_new(true))?;
        file.write_all(content)?;
        #[cfg(unix)]
        {
            use cap_std::fs::PermissionsExt as _;
            file.set_permissions(cap_std::fs::Permissions::from_mode(0o644))?;
        }
        Ok(())
    }
}

/// A name for the file that is renamed; who collects files by their ending is to pass it over.
fn beside() -> OsString {
    format!(".caplink-new-{:x}-{:x}", std::process::id(), number()).into()
}

fn no_file(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::IsADirectory, reason)
}

/// The kind of what kept a file from being written: naming no file is wrong usage.
pub(crate) fn kind(source: &io::Error) -> Kind {
    match source.kind() {
        io::ErrorKind::IsADirectory => Kind::Usage,
        _ => Kind::from(source),
    }
}

/// A number that this process has not given out before, and hardly any before it.
fn number() -> u64 {
    static GIVEN: AtomicU64 = AtomicU64::new(0);
    let time = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(time.as_nanos()).unwrap_or_default().wrapping_add(GIVEN.fetch_add(1, Relaxed))
}

/// A file that was read, and whether others than the caller and the superuser can write it or its directory.
pub(crate) struct Judged {
    pub(crate) bytes: Vec<u8>,
    pub(crate) open_to_others: bool,
}

/// Whether no file is there.
pub(crate) fn is_missing(path: &Path) -> bool {
    File::open_ambient(path, ambient_authority()).is_err_and(|source| source.kind() == io::ErrorKind::NotFound)
}

/// Reads a file, and judges who can write it.
pub(crate) fn read_judged(path: &Path, longest: u64) -> io::Result<Judged> {
    if path.as_os_str() == "-" {
        return Ok(Judged { bytes: read(path, longest)?, open_to_others: false });
    }
    let (file, bytes) = opened(path, longest)?;
    // Of a link, who can write its own directory can name another file, and so can who writes that of the file.
    let mut open_to_others = is_open(&file) || is_open(&directory(path)?);
    if let Ok(real) = std::fs::canonicalize(path) {
        open_to_others |= is_open(&directory(&real)?);
    }
    Ok(Judged { bytes, open_to_others })
}

/// The directory that a path names its last component in.
fn directory(path: &Path) -> io::Result<Metadata> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Dir::open_ambient_dir(above, ambient_authority())?.dir_metadata()
}

#[cfg(unix)]
fn is_open(metadata: &Metadata) -> bool {
    use cap_std::fs::MetadataExt as _;

    let own = caplink::records::Actor::of_this_process().uid;
    metadata.mode() & 0o022 != 0 || (metadata.uid() != 0 && Some(metadata.uid()) != own)
}

#[cfg(not(unix))]
fn is_open(_: &Metadata) -> bool {
    false
}
