//! What is under a name: nothing, a link with its text, or something else.

use std::ffi::OsString;
use std::fmt;

use super::printable;
use super::words::words;

words! {
    "kind of entry":
    /// The kind of an entry.
    #[non_exhaustive]
    pub enum FileKind {
        /// A symbolic link.
        Symlink = "symlink",
        /// A regular file.
        File = "file",
        /// A directory.
        Dir = "dir",
        /// A named pipe.
        Fifo = "fifo",
        /// A socket.
        Socket = "socket",
        /// A character device.
        CharDevice = "char_device",
        /// A block device.
        BlockDevice = "block_device",
    }
}

impl FileKind {
    /// The kind in a sentence.
    fn described(self) -> &'static str {
        match self {
            FileKind::Symlink => "a symbolic link",
            FileKind::File => "a regular file",
            FileKind::Dir => "a directory",
            FileKind::Fifo => "a fifo",
            FileKind::Socket => "a socket",
            FileKind::CharDevice => "a character device",
            FileKind::BlockDevice => "a block device",
        }
    }
}

/// What is under a name.
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
            Found::Other(kind) => f.write_str(kind.described()),
        }
    }
}
