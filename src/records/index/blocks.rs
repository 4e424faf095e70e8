//! The index's file: blocks with a checksum each, so that a damaged page is an error before anything takes it for a page.
//!
//! Before the blocks stands a head, which says up to where the log was known. A block that was never written is all zeros.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use redb::StorageBackend;
use sha2::{Digest as _, Sha256};

use crate::sys::OpenFile;

/// What redb takes for a page, in bytes.
const BLOCK: u64 = 4096;

/// A block with its checksum.
const STORED: u64 = BLOCK + SUM as u64;

/// The length of a checksum, in bytes.
const SUM: usize = 8;

/// The room of the head.
pub(super) const HEAD: u64 = 4096;

/// Blocks in a file.
#[derive(Debug)]
pub(super) struct Blocks {
    file: Arc<OpenFile>,
    /// A part of a block is written by reading it first.
    writing: Mutex<()>,
}

impl Blocks {
    pub(super) fn new(file: Arc<OpenFile>) -> Blocks {
        Blocks { file, writing: Mutex::new(()) }
    }

    fn load(&self, number: u64) -> io::Result<[u8; STORED as usize]> {
        let mut stored = [0; STORED as usize];
        let count = self.file.read_at(HEAD + number * STORED, &mut stored)?;
        if count != stored.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (block, sum) = stored.split_at(BLOCK as usize);
        let fits = sum == checksum(number, block) || stored.iter().all(|byte| *byte == 0);
        if fits { Ok(stored) } else { Err(io::Error::new(io::ErrorKind::InvalidData, "a block is damaged")) }
    }
}

fn checksum(number: u64, block: &[u8]) -> [u8; SUM] {
    let mut hasher = Sha256::new();
    hasher.update(number.to_le_bytes());
    hasher.update(block);
    let mut sum = [0; SUM];
    sum.copy_from_slice(&hasher.finalize()[..SUM]);
    sum
}

/// The pieces of the blocks that a range covers: number, where in the block, how much.
fn pieces(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let (mut at, mut left) = (offset, length);
    std::iter::from_fn(move || {
        let within = (at % BLOCK) as usize;
        let count = left.min(BLOCK as usize - within);
        let piece = (count > 0).then_some((at / BLOCK, within, count));
        at += count as u64;
        left -= count;
        piece
    })
}

impl StorageBackend for Blocks {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.len()?.saturating_sub(HEAD) / STORED * BLOCK)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut done = 0;
        for (number, within, count) in pieces(offset, out.len()) {
            let stored = self.load(number)?;
            out[done..done + count].copy_from_slice(&stored[within..within + count]);
            done += count;
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        if !length.is_multiple_of(BLOCK) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.file.set_len(HEAD + length / BLOCK * STORED)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stored = Vec::with_capacity(data.len() / BLOCK as usize * STORED as usize + 2 * STORED as usize);
        let mut done = 0;
        for (number, within, count) in pieces(offset, data.len()) {
            let mut block = if count == BLOCK as usize { [0; STORED as usize] } else { self.load(number)? };
            block[within..within + count].copy_from_slice(&data[done..done + count]);
            let sum = checksum(number, &block[..BLOCK as usize]);
            block[BLOCK as usize..].copy_from_slice(&sum);
            stored.extend_from_slice(&block);
            done += count;
        }
        self.file.write_at(HEAD + offset / BLOCK * STORED, &stored)
    }
}
