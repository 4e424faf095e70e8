//! What is asked of a scan.

use std::ffi::OsString;

use clap::ValueEnum;

use super::only::Only;
use super::standing::Standing;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A line a link, for people
    Text,
    /// One document
    Json,
    /// One object a line: links, then `{"error":{}}`, at last `{"summary":{}}`
    Ndjson,
    /// Nothing but the paths of the links, byte for byte
    Paths,
    /// One page that needs nothing else
    Html,
}

/// What is asked for.
pub(crate) struct Asked {
    pub(crate) dir: OsString,
    pub(crate) only: Vec<Only>,
    pub(crate) format: Format,
    pub(crate) null: bool,
    pub(crate) exit_code: bool,
    /// Whether everything below the directory is looked at.
    pub(crate) is_whole: bool,
    /// What stands over the links, where that is shown too.
    pub(crate) standing: Standing,
}
