//! What has a name: nothing, a link with its text, or something else.

use std::ffi::OsString;
use std::fmt;

use super::printable;

/// The kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// A symbolic link.
    Symlink,
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
}

impl FileKind {
    /// Returns the stable name that the command line prints, for instance `char_device`.
    pub fn as_str(self) -> &'static str {
        match self {
            FileKind::Symlink => "symlink",
            FileKind::File => "file",
            FileKind::Dir => "dir",
            FileKind::Fifo => "fifo",
            FileKind::Socket => "socket",
            FileKind::CharDevice => "char_device",
            FileKind::BlockDevice => "block_device",
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FileKind::Symlink => "a symbolic link",
            FileKind::File => "a regular file",
            FileKind::Dir => "a directory",
            FileKind::Fifo => "a fifo",
            FileKind::Socket => "a socket",
            FileKind::CharDevice => "a character device",
            FileKind::BlockDevice => "a block device",
        })
    }
}

/// What has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Missing,
    /// A symbolic link with this text.
    Link(OsString),
    /// Something that is no symbolic link.
    Other(FileKind),
}

impl Found {
    /// Returns the text, where a link was found.
    pub fn text(&self) -> Option<&std::ffi::OsStr> {
        match self {
            Found::Link(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn into_text(self) -> Option<OsString> {
        match self {
            Found::Link(text) => Some(text),
            _ => None,
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Missing => f.write_str("nothing there"),
            Found::Link(text) => write!(f, "a link to `{}`", printable(text)),
            Found::Other(kind) => kind.fmt(f),
        }
    }
}
