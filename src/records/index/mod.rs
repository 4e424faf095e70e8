//! The index: what a long log tells of links, kept so that it need not be read as a whole. It is a cache.
//!
//! The log alone is believed. The index is brought up to date from it under the index's own lock, by whoever looks and
//! finds nobody else at it. It can be stale, locked, damaged or gone; then it is built anew, or the log is read instead.
//! Where the log is short there is none. A mutation never waits for it: it reads the head alone.

mod batch;
mod blocks;
mod cache;
mod find;
mod held;
mod known;
mod ownership;
mod places;
mod said;
mod tables;
#[cfg(test)]
mod tests;
mod up_to;
mod update;

pub(super) use cache::{INDEX_NAME, Index, check_known};
pub(super) use tables::Source;
