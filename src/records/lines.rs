//! The lines of the log's file, from one place to another.

use std::io::{self, BufRead as _, BufReader, Read};

use super::entry::LINE_MAX;
use crate::sys::OpenFile;

/// What one call reads, in bytes.
const CHUNK: usize = 256 * 1024;

/// A piece of a file, from a place up to where it ended when it was asked for.
struct Piece<'a> {
    file: &'a OpenFile,
    at: u64,
    end: u64,
}

impl Read for Piece<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        let count = self.file.read_at(self.at, &mut buffer[..most])?;
        self.at += count as u64;
        Ok(count)
    }
}

/// The lines of a file, one after the other.
pub(super) struct Lines<'a> {
    reader: BufReader<Piece<'a>>,
    line: Vec<u8>,
}

/// What is read next.
pub(super) enum Next<'a> {
    /// A line without its newline.
    Line(&'a [u8]),
    /// What stands behind the last newline; nothing, usually.
    Rest(&'a [u8]),
}

impl<'a> Lines<'a> {
    pub(super) fn new(file: &'a OpenFile, from: u64, end: u64) -> Lines<'a> {
        let length = usize::try_from(end.saturating_sub(from)).unwrap_or(CHUNK);
        let piece = Piece { file, at: from.min(end), end };
        Lines { reader: BufReader::with_capacity(length.clamp(1, CHUNK), piece), line: Vec::new() }
    }

    /// Reads the next line. A longer one than can be is given as it is so far: it is no entry.
    pub(super) fn next(&mut self) -> io::Result<Next<'_>> {
        self.line.clear();
        let mut limited = (&mut self.reader).take(LINE_MAX as u64 + 1);
        limited.read_until(b'\n', &mut self.line)?;
        Ok(match self.line.strip_suffix(b"\n") {
            Some(line) => Next::Line(line),
            None if self.line.len() > LINE_MAX => Next::Line(&self.line),
            None => Next::Rest(&self.line),
        })
    }
}

/// The line that begins at a place; `None` if none ends there.
pub(super) fn line_at(file: &OpenFile, place: u64, end: u64) -> io::Result<Option<Vec<u8>>> {
    match Lines::new(file, place, end.min(place.saturating_add(4096))).next()? {
        Next::Line(line) => return Ok(Some(line.to_vec())),
        Next::Rest(_) if end <= place.saturating_add(4096) => return Ok(None),
        Next::Rest(_) => {}
    }
    Ok(match Lines::new(file, place, end).next()? {
        Next::Line(line) => Some(line.to_vec()),
        Next::Rest(_) => None,
    })
}

/// The line that ends right before a place; `None` if none ends there.
pub(super) fn line_before(file: &OpenFile, place: u64) -> io::Result<Option<Vec<u8>>> {
    let mut size = 4096;
    loop {
        let from = place.saturating_sub(size);
        let mut bytes = vec![0; usize::try_from(place - from).unwrap_or(usize::MAX)];
        let count = file.read_at(from, &mut bytes)?;
        let Some(line) = bytes[..count].strip_suffix(b"\n").filter(|_| count as u64 == place - from) else {
            return Ok(None);
        };
        let begins = line.iter().rposition(|byte| *byte == b'\n').map(|newline| newline + 1);
        match begins.or((from == 0).then_some(0)) {
            Some(begins) => return Ok(Some(line[begins..].to_vec())),
            None if size > LINE_MAX as u64 => return Ok(None),
            None => size *= 8,
        }
    }
}
