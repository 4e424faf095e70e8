//! What the index knows of manifests, all of it.

use redb::{ReadOnlyTable, ReadableTable as _};

use super::cache::Index;
use super::ownership::{Pieces, key_parts, text};
use super::tables::{MADE, SOURCES, Useless};
use crate::records::held::Held;

impl Index {
    /// Everything about manifests.
    pub(in crate::records) fn held(&self) -> Result<Held, Useless> {
        let reading = self.database.begin_read()?;
        let mut held = Held::default();
        let made: ReadOnlyTable<&[u8], &[u8]> = reading.open_table(MADE)?;
        for entry in made.iter()? {
            let (key, value) = entry?;
            let mut pieces = Pieces(value.value());
            let (owner, link) = key_parts(key.value())?;
            let (added, kept) = (pieces.added()?, pieces.text()?);
            held.add(owner, link, added, kept);
        }
        for entry in reading.open_table(SOURCES)?.iter()? {
            let (owner, source) = entry?;
            held.sources.insert(owner.value().to_owned(), text(source.value())?);
        }
        Ok(held)
    }
}
