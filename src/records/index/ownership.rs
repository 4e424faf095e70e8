//! Ownership in the index: what is known of each name of a manifest, so that the log need not be read for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use redb::{ReadableTable, Table, WriteTransaction};

use super::places::find;
use super::tables::{ANNOUNCED, BEFORE, MADE, SOURCES, Source, Useless, bytes, from_bytes};
use crate::records::entry::Body;
use crate::records::head::Head;
use crate::records::held::Added;
use crate::records::lines::line_at;
use crate::records::moved::Moved;
use crate::records::owned::{Backing, Key, Made, Ownership, Promised, Row};
use crate::wire::Text;

/// Intents of manifests whose result is still to come.
pub(super) type Announced = HashMap<u64, Promised>;

/// What the entries up to some place came to.
pub(super) struct Kept<'t> {
    made: Table<'t, &'static [u8], &'static [u8]>,
    before: Table<'t, (&'static [u8], u64), &'static [u8]>,
    /// The last key of what was made, as a rule before all that are new.
    last: Vec<u8>,
}

impl Kept<'_> {
    fn see_last(&mut self) -> Result<(), Useless> {
        self.last = self.made.last()?.map(|(key, _)| key.value().to_vec()).unwrap_or_default();
        Ok(())
    }
}

impl Backing for Kept<'_> {
    type Error = Useless;

    fn row(&self, key: &Key) -> Result<Option<Row>, Useless> {
        let key = key_bytes(key);
        if key > self.last {
            return Ok(None);
        }
        let Some(value) = self.made.get(&*key)? else { return Ok(None) };
        let mut pieces = Pieces(value.value());
        let (made, kept, below) = (pieces.made()?, pieces.text()?, pieces.number()?);
        Ok(Some(Row { made, kept, below, stored: below, before: Vec::new() }))
    }

    fn before(&self, key: &Key, number: u64) -> Result<Made, Useless> {
        let value = self.before.get((&*key_bytes(key), number))?.ok_or(Useless)?;
        Pieces(value.value()).made()?.ok_or(Useless)
    }
}

/// What is owned up to the place where the index is, to go on from there. `announced`: as the transaction before had it.
pub(super) fn begin<'t>(
    transaction: &'t WriteTransaction,
    source: Source<'_>,
    announced: Option<Announced>,
) -> Result<Ownership<Kept<'t>>, Useless> {
    let (made, before) = (transaction.open_table(MADE)?, transaction.open_table(BEFORE)?);
    let mut kept = Kept { made, before, last: Vec::new() };
    kept.see_last()?;
    if let Some(announced) = announced {
        return Ok(Ownership::after(kept, announced));
    }
    let mut ownership = Ownership::after(kept, Announced::new());
    let places = transaction.open_table(ANNOUNCED)?;
    for entry in places.iter()? {
        let (seq, place) = entry?;
        let line = line_at(source.log, place.value(), source.end)?.ok_or(Useless)?;
        let head = Head::of_entry(&line).map_err(|_| Useless)?;
        match head.body(&line).map_err(|_| Useless)? {
            body @ Body::Intent(_) if head.seq == seq.value() => ownership.take(head.seq, body)?,
            _ => return Err(Useless),
        }
    }
    Ok(ownership)
}

/// Writes down what was learned of names, which need not be in memory any more.
pub(super) fn write(ownership: &mut Ownership<Kept<'_>>) -> Result<(), Useless> {
    let rows = std::mem::take(&mut ownership.rows);
    let Kept { made, before, .. } = &mut ownership.backing;
    write_rows(made, before, rows)?;
    ownership.backing.see_last()
}

/// Writes down the rest. `first` is the number of the first entry of this transaction, `ended` those before it whose results
/// came. Returns what is still announced.
pub(super) fn end(
    transaction: &WriteTransaction,
    ownership: Ownership<Kept<'_>>,
    places: &impl ReadableTable<u64, &'static [u8]>,
    first: u64,
    ended: &[u64],
) -> Result<Announced, Useless> {
    let Ownership { sources: new_sources, announced, .. } = ownership;
    let mut sources = transaction.open_table(SOURCES)?;
    for (owner, source) in new_sources {
        sources.insert(&*owner, bytes(&source))?;
    }
    let mut kept = transaction.open_table(ANNOUNCED)?;
    for seq in ended {
        kept.remove(seq)?;
    }
    for seq in announced.keys().copied().filter(|seq| *seq >= first).collect::<BTreeSet<u64>>() {
        kept.insert(seq, find(places, seq)?.ok_or(Useless)?.place)?;
    }
    Ok(announced)
}

fn write_rows(
    made: &mut Table<'_, &'static [u8], &'static [u8]>,
    before: &mut Table<'_, (&'static [u8], u64), &'static [u8]>,
    rows: BTreeMap<Key, Row>,
) -> Result<(), Useless> {
    let mut value = Vec::new();
    for (key, row) in rows {
        let key = key_bytes(&key);
        let below = row.below + row.before.len() as u64;
        // What an undo took from there.
        for number in below..row.stored {
            before.remove((&*key, number))?;
        }
        for (number, earlier) in (row.below..).zip(&row.before) {
            value.clear();
            put_made(&mut value, Some(earlier));
            before.insert((&*key, number), &*value)?;
        }
        if row.made.is_none() && row.kept.is_none() && below == 0 {
            made.remove(&*key)?;
            continue;
        }
        value.clear();
        put_made(&mut value, row.made.as_ref());
        put(&mut value, row.kept.as_ref().map(bytes));
        value.extend_from_slice(&below.to_le_bytes());
        made.insert(&*key, &*value)?;
    }
    Ok(())
}

/// The manifest's name, which has no NUL, and the path.
fn key_bytes((owner, link): &Key) -> Vec<u8> {
    [owner.as_bytes(), &[0], bytes(link)].concat()
}

pub(super) fn key_parts(key: &[u8]) -> Result<(&str, Text), Useless> {
    let end = key.iter().position(|byte| *byte == 0).ok_or(Useless)?;
    Ok((std::str::from_utf8(&key[..end])?, text(&key[end + 1..])?))
}

pub(super) fn text(bytes: &[u8]) -> Result<Text, Useless> {
    from_bytes(bytes.to_vec()).map(Text).ok_or(Useless)
}

/// Adds bytes with their length, or that there are none.
fn put(to: &mut Vec<u8>, piece: Option<&[u8]>) {
    let length = piece.map_or(u32::MAX, |piece| u32::try_from(piece.len()).unwrap_or(u32::MAX));
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(piece.unwrap_or_default());
}

fn put_made(to: &mut Vec<u8>, made: Option<&Made>) {
    to.push(u8::from(made.is_some()));
    let Some(Made { target, previous, backup, moved, group }) = made else { return };
    for text in [target, previous, backup] {
        put(to, text.as_ref().map(bytes));
    }
    put(to, group.as_deref().map(str::as_bytes));
    match moved {
        None => to.push(0),
        Some(Moved { dir, inode, brought }) => {
            to.push(1 | u8::from(*dir) << 1 | u8::from(*brought) << 2);
            to.extend_from_slice(&inode.to_le_bytes());
        }
    }
}

/// The rest of a value.
pub(super) struct Pieces<'v>(pub(super) &'v [u8]);

impl<'v> Pieces<'v> {
    fn next(&mut self, length: usize) -> Result<&'v [u8], Useless> {
        let (piece, rest) = self.0.split_at_checked(length).ok_or(Useless)?;
        self.0 = rest;
        Ok(piece)
    }

    fn number(&mut self) -> Result<u64, Useless> {
        Ok(u64::from_le_bytes(self.next(8)?.try_into()?))
    }

    fn piece(&mut self) -> Result<Option<&'v [u8]>, Useless> {
        match u32::from_le_bytes(self.next(4)?.try_into()?) {
            u32::MAX => Ok(None),
            length => self.next(length as usize).map(Some),
        }
    }

    pub(super) fn text(&mut self) -> Result<Option<Text>, Useless> {
        self.piece()?.map(text).transpose()
    }

    fn made(&mut self) -> Result<Option<Made>, Useless> {
        Ok(self.added()?.map(|Added { target, previous, backup, moved, group }| {
            let group = group.map(Arc::from);
            Made { target, previous, backup, moved, group }
        }))
    }

    pub(super) fn added(&mut self) -> Result<Option<Added<'v>>, Useless> {
        if self.next(1)? == [0] {
            return Ok(None);
        }
        let (target, previous, backup) = (self.text()?, self.text()?, self.text()?);
        let group = self.piece()?.map(std::str::from_utf8).transpose()?;
        let moved = match self.next(1)? {
            [0] => None,
            [kind] => Some(Moved { dir: kind & 2 != 0, inode: self.number()?, brought: kind & 4 != 0 }),
            _ => return Err(Useless),
        };
        Ok(Some(Added { target, previous, backup, moved, group }))
    }
}
