//! The places of mutations in the log, some at a time under the number of the first: they come in order, and a row for each
//! would cost more than reading its entry.

use redb::{ReadableTable, Table};

use super::tables::Useless;

/// How many are together, as long as more come.
const TOGETHER: usize = 64;

/// The length of one, in bytes.
const LENGTH: usize = 24;

/// The number of a mutation, and the places of its entry and of its result; 0 where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) seq: u64,
    pub(super) place: u64,
    pub(super) result: u64,
}

impl Places {
    fn read(bytes: &[u8; LENGTH]) -> Places {
        let [seq, place, result] = [0, 8, 16].map(|at| {
            let number = bytes[at..at + 8].try_into().expect("BUG: eight bytes are not eight");
            u64::from_le_bytes(number)
        });
        Places { seq, place, result }
    }
}

/// Those of a row, in order.
pub(super) fn of_row(value: &[u8]) -> Result<Vec<Places>, Useless> {
    match value.as_chunks() {
        (all, []) if !all.is_empty() => Ok(all.iter().map(Places::read).collect()),
        _ => Err(Useless),
    }
}

/// The row that has the places of a mutation, if any has.
fn row_of(table: &impl ReadableTable<u64, &'static [u8]>, seq: u64) -> Result<Option<(u64, Vec<Places>)>, Useless> {
    let Some(row) = table.range(..=seq)?.next_back() else { return Ok(None) };
    let (first, value) = row?;
    Ok(Some((first.value(), of_row(value.value())?)))
}

/// The places of a mutation.
pub(super) fn find(table: &impl ReadableTable<u64, &'static [u8]>, seq: u64) -> Result<Option<Places>, Useless> {
    let row = row_of(table, seq)?.map(|(_, row)| row).unwrap_or_default();
    Ok(row.binary_search_by_key(&seq, |places| places.seq).ok().map(|at| row[at]))
}

/// Keeps the place of a result, unless there is one: a second comes too late.
pub(super) fn end(of_all: &mut [Places], of: u64, place: u64) {
    if let Ok(at) = of_all.binary_search_by_key(&of, |places| places.seq)
        && of_all[at].result == 0
    {
        of_all[at].result = place;
    }
}

fn write(table: &mut Table<'_, u64, &'static [u8]>, row: &[Places]) -> Result<(), Useless> {
    let Some(first) = row.first() else { return Ok(()) };
    let value: Vec<u8> = row
        .iter()
        .flat_map(|Places { seq, place, result }| [seq, place, result])
        .flat_map(|number| number.to_le_bytes())
        .collect();
    table.insert(first.seq, &*value)?;
    Ok(())
}

/// Keeps the places of results of mutations that were written before, and forgets them here.
pub(super) fn write_results(
    table: &mut Table<'_, u64, &'static [u8]>,
    results: &mut Vec<(u64, u64)>,
) -> Result<(), Useless> {
    // Of two for the same the first stays before the second.
    results.sort_by_key(|(of, _)| *of);
    let mut left = &results[..];
    while let Some((of, _)) = left.first() {
        let mut row = row_of(table, *of)?.map(|(_, row)| row).unwrap_or_default();
        let end_of_row = row.last().map_or(*of, |last| last.seq.max(*of));
        let (here, behind) = left.split_at(left.partition_point(|(of, _)| *of <= end_of_row));
        for (of, place) in here {
            end(&mut row, *of, *place);
        }
        write(table, &row)?;
        left = behind;
    }
    results.clear();
    Ok(())
}

/// Adds mutations behind those that were written before, and forgets them here.
pub(super) fn write_new(table: &mut Table<'_, u64, &'static [u8]>, new: &mut Vec<Places>) -> Result<(), Useless> {
    let last = match table.last()? {
        Some((_, row)) => of_row(row.value())?,
        None => Vec::new(),
    };
    let room = if last.is_empty() { 0 } else { TOGETHER.saturating_sub(last.len()).min(new.len()) };
    if room > 0 {
        write(table, &[&last[..], &new[..room]].concat())?;
    }
    for row in new[room..].chunks(TOGETHER) {
        write(table, row)?;
    }
    new.clear();
    Ok(())
}
