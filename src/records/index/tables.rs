//! The tables of the index, and what it is made from.

use std::ffi::OsString;

use redb::TableDefinition;

use crate::sys::{Calls, Handle, OpenFile};
use crate::wire::Text;

/// [Keys](link_key) of a link and the number of an intent that names it.
pub(super) const LINKS: TableDefinition<'_, &[u8], ()> = TableDefinition::new("links");

/// The id of a group and the first number of mutations of it without a gap, to the last.
pub(super) const GROUPS: TableDefinition<'_, (&str, u64), u64> = TableDefinition::new("groups");

/// The number of what is shown as a mutation, to its [places](super::places) and those of some behind it.
pub(super) const MUTATIONS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("mutations");

/// A manifest's name, NUL and a path, to what the manifest made or found there.
pub(super) const MADE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("made");

/// The same with a number, to what it had made there before.
pub(super) const BEFORE: TableDefinition<'_, (&[u8], u64), &[u8]> = TableDefinition::new("made before");

/// A manifest, to the place where it was read.
pub(super) const SOURCES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("sources");

/// The numbers of the intents of manifests whose result is still to come, to their places.
pub(super) const ANNOUNCED: TableDefinition<'_, u64, u64> = TableDefinition::new("announced");

/// Entries, place of the last, end, leaf hash, subtrees.
pub(super) type UpToValue<'a> = (u64, u64, u64, &'a [u8], &'a [u8]);

/// Up to where all that is taken from, under the key 0.
pub(super) const UP_TO: TableDefinition<'_, u8, UpToValue<'_>> = TableDefinition::new("up to");

/// Why an index cannot be used; never an error of the records.
pub(in crate::records) struct Useless;

impl<E: std::error::Error> From<E> for Useless {
    fn from(_: E) -> Useless {
        Useless
    }
}

/// What a log is read by: its file, and its id.
#[derive(Clone, Copy)]
pub(in crate::records) struct Source<'a> {
    pub(in crate::records) calls: &'a dyn Calls,
    pub(in crate::records) dir: &'a Handle,
    pub(in crate::records) log: &'a OpenFile,
    pub(in crate::records) id: &'a str,
    /// Up to where it is read.
    pub(in crate::records) end: u64,
}

/// Adds the key of a link and a number: the bytes of its path, NUL, and the number, so that it sorts by both.
pub(super) fn link_key(to: &mut Vec<u8>, link: &[u8], seq: u64) {
    to.extend_from_slice(link);
    to.push(0);
    to.extend_from_slice(&seq.to_be_bytes());
}

/// The link and the number of a key. A path has no NUL, unless a log was forged: what counts is the last.
pub(super) fn of_link_key(key: &[u8]) -> Option<(&[u8], u64)> {
    let (rest, seq) = key.split_last_chunk()?;
    Some((rest.strip_suffix(&[0])?, u64::from_be_bytes(*seq)))
}

/// A link as the index has it.
pub(super) fn bytes(link: &Text) -> &[u8] {
    link.0.as_encoded_bytes()
}

/// The bytes of a name; `None` where names are not bytes, and these are no text.
#[cfg(unix)]
pub(super) fn from_bytes(bytes: Vec<u8>) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt as _;
    Some(OsString::from_vec(bytes))
}

#[cfg(not(unix))]
pub(super) fn from_bytes(bytes: Vec<u8>) -> Option<OsString> {
    String::from_utf8(bytes).ok().map(OsString::from)
}
