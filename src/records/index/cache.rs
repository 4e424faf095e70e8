//! The index's file in use: read as it is where it knows the log up to its end, by any number at a time; brought up to date
//! under its lock otherwise, and thrown away where it is of no use.

use std::ffi::OsStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use redb::{Builder, ReadableDatabase};

use super::blocks::{self, Blocks};
use super::known::Known;
use super::tables::{Source, UP_TO, Useless};
use super::up_to::UpTo;
use super::update;
use crate::error::Result;
use crate::records::log_file::{damaged, io, open_own};
use crate::records::tree::Tree;
use crate::sys::{FileUse, OpenFile};

/// The name of the index in the state directory.
pub(in crate::records) const INDEX_NAME: &str = "index.redb";

/// A log shorter than this, in bytes, is read sooner than an index is opened.
const SHORT: u64 = 256 * 1024;

/// The memory that is used for pages, in bytes.
const CACHE: usize = 16 * 1024 * 1024;

/// An index that is up to date with its log, as far as that was when it was asked for.
pub(in crate::records) struct Index {
    pub(super) database: Box<dyn ReadableDatabase>,
    /// The tree over the entries up to where it is.
    pub(in crate::records) tree: Tree,
}

impl Source<'_> {
    /// Runs `look` on an index that is up to date; `None` where none is available.
    pub(in crate::records) fn indexed<T>(self, look: impl Fn(&Index) -> std::result::Result<T, Useless>) -> Option<T> {
        if self.end < SHORT {
            return None;
        }
        if let Some(found) = self.look_as_it_is(&look) {
            return Some(found);
        }
        for _ in 0..2 {
            let file = Arc::new(self.file()?);
            if !file.try_lock().unwrap_or(false) {
                // Somebody else is at it.
                return None;
            }
            let found = use_redb(|| look(&Index::brought_up(Arc::clone(&file), self)?));
            if found.is_err() && self.is_named(&file) {
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

    /// Runs `look` on an index that knows the log up to its end. Nothing is written, and others can look at the same time;
    /// where that does not succeed nothing is thrown away: whoever goes on under the exclusive lock finds out why.
    fn look_as_it_is<T>(self, look: impl Fn(&Index) -> std::result::Result<T, Useless>) -> Option<T> {
        let file = Arc::new(open_own(self.calls, self.dir, INDEX_NAME, FileUse::Read).ok()??);
        if !file.try_lock_shared().unwrap_or(false) {
            return None;
        }
        let found = use_redb(|| look(&Index::as_it_is(Arc::clone(&file), self)?));
        file.unlock();
        found.ok()
    }

    /// Whether the state directory still has this file as its index.
    fn is_named(self, file: &OpenFile) -> bool {
        let named = self.calls.stat_at(self.dir, OsStr::new(INDEX_NAME)).map(|stat| stat.id);
        named.is_ok_and(|id| file.stat().is_ok_and(|stat| stat.id == id))
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

/// redb can panic over pages that make no sense; the checksums leave that to whoever forges them.
fn use_redb<T>(using: impl FnOnce() -> std::result::Result<T, Useless>) -> std::result::Result<T, Useless> {
    catch_unwind(AssertUnwindSafe(using)).unwrap_or(Err(Useless))
}

impl Index {
    /// One that knows the log up to its end, and was closed by whoever brought it up to date.
    fn as_it_is(file: Arc<OpenFile>, source: Source<'_>) -> std::result::Result<Index, Useless> {
        let known = Known::read(&file).filter(|known| known.id == source.id && known.end == source.end);
        let known = known.ok_or(Useless)?;
        if !known.is_last_of(source)? {
            return Err(Useless);
        }
        let database = builder().open_read_only_with_backend(Blocks::new(file))?;
        let up_to = UpTo::of(&database.begin_read()?.open_table(UP_TO)?)?.ok_or(Useless)?;
        if up_to.known(source) != known {
            return Err(Useless);
        }
        Ok(Index { database: Box::new(database), tree: up_to.tree })
    }

    fn brought_up(file: Arc<OpenFile>, source: Source<'_>) -> std::result::Result<Index, Useless> {
        let known = Known::read(&file);
        if known.is_none() || known.is_some_and(|known| known.id != source.id) {
            file.set_len(0)?;
            file.set_len(blocks::HEAD)?;
        }
        let database = builder().create_with_backend(Blocks::new(Arc::clone(&file)))?;
        let up_to = update::bring_up(&database, source)?;
        up_to.known(source).write(&file)?;
        Ok(Index { database: Box::new(database), tree: up_to.tree })
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    builder
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
    match known.is_last_of(source).map_err(io)? {
        true => Ok(()),
        false => Err(damaged(known.entries - 1, "the log is another than it was known to be")),
    }
}
