//! The index's file in use: opened under its lock, brought up to date, and thrown away where it is of no use.

use std::ffi::OsStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use redb::{Builder, Database};

use super::blocks::{self, Blocks};
use super::known::Known;
use super::tables::{Source, Useless};
use super::update;
use crate::error::Result;
use crate::records::lines::line_at;
use crate::records::log_file::{damaged, io, open_own};
use crate::records::tree::{Hash, Tree};
use crate::sys::{FileUse, OpenFile};

/// The name of the index in the state directory.
pub(in crate::records) const INDEX_NAME: &str = "index.redb";

/// A log shorter than this, in bytes, is read sooner than an index is opened.
const SHORT: u64 = 256 * 1024;

/// The memory that is used for pages, in bytes.
const CACHE: usize = 16 * 1024 * 1024;

/// An index that is up to date with its log, as far as that was when it was asked for.
pub(in crate::records) struct Index {
    pub(super) database: Database,
    file: Arc<OpenFile>,
    /// The tree over the entries up to `end`.
    pub(in crate::records) tree: Tree,
}

impl Source<'_> {
    /// Runs `look` on an index that is up to date; `None` where none is available.
    pub(in crate::records) fn indexed<T>(self, look: impl Fn(&Index) -> std::result::Result<T, Useless>) -> Option<T> {
        if self.end < SHORT {
            return None;
        }
        for _ in 0..2 {
            let file = Arc::new(self.file()?);
            if !file.try_lock().unwrap_or(false) {
                // Somebody else is at it.
                return None;
            }
            // redb can panic over pages that make no sense; the checksums leave that to whoever forges them.
            let used = catch_unwind(AssertUnwindSafe(|| {
                let index = Index::open(Arc::clone(&file), self)?;
                let found = look(&index);
                index.close();
                found
            }));
            let found = used.unwrap_or(Err(Useless));
            if found.is_err() {
                // Under the lock: nobody else uses it.
                let _gone = self.calls.unlink(self.dir, OsStr::new(INDEX_NAME));
            }
            file.unlock();
            if let Ok(found) = found {
                return Some(found);
            }
        }
        None
    }

    /// The index's file, made if it is missing; what is no file of the caller's is left alone.
    fn file(self) -> Option<OpenFile> {
        match open_own(self.calls, self.dir, INDEX_NAME, FileUse::Write) {
            Ok(Some(file)) => Some(file),
            Ok(None) => self.calls.open_file(self.dir, OsStr::new(INDEX_NAME), FileUse::WriteNew).ok(),
            Err(_) => None,
        }
    }
}

impl Index {
    fn open(file: Arc<OpenFile>, source: Source<'_>) -> std::result::Result<Index, Useless> {
        let known = Known::read(&file);
        if known.is_none() || known.is_some_and(|known| known.id != source.id) {
            file.set_len(0)?;
            file.set_len(blocks::HEAD)?;
        }
        let database = Builder::new().set_cache_size(CACHE).create_with_backend(Blocks::new(Arc::clone(&file)))?;
        let up_to = update::bring_up(&database, source)?;
        let index = Index { database, file, tree: up_to.tree };
        let known = Known {
            id: source.id.to_owned(),
            entries: index.tree.size(),
            last: up_to.last,
            end: up_to.end,
            leaf: up_to.leaf,
        };
        known.write(&index.file)?;
        Ok(index)
    }

    fn close(self) {
        drop(self.database);
    }
}

/// Checks that a log has what the index knew of it.
///
/// # Errors
///
/// `integrity` where it has become shorter, or another.
pub(in crate::records) fn check_known(source: Source<'_>) -> Result<()> {
    let Ok(Some(file)) = open_own(source.calls, source.dir, INDEX_NAME, FileUse::Read) else { return Ok(()) };
    let Some(known) = Known::read(&file).filter(|known| known.id == source.id && known.entries > 0) else {
        return Ok(());
    };
    if source.end < known.end {
        return Err(damaged(known.entries - 1, "the log has become shorter than it was known to be"));
    }
    let line = line_at(source.log, known.last, known.end).map_err(io)?;
    let same =
        line.is_some_and(|line| known.last + line.len() as u64 + 1 == known.end && Hash::of_leaf(&line) == known.leaf);
    if same { Ok(()) } else { Err(damaged(known.entries - 1, "the log is another than it was known to be")) }
}
