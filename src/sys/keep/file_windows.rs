//! Files of the state directory on Windows: unavailable.
//!
//! Who may open a file there is told by access control lists, which nothing here reads. So there are no records.

use std::io;

use crate::sys::Stat;

/// There is none.
#[derive(Debug)]
pub(crate) enum OpenFile {}

impl OpenFile {
    pub(crate) fn stat(&self) -> io::Result<Stat> {
        match *self {}
    }

    pub(crate) fn len(&self) -> io::Result<u64> {
        match *self {}
    }

    pub(crate) fn read_at(&self, _offset: u64, _buffer: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }

    pub(crate) fn append(&self, _bytes: &[u8]) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn write_at(&self, _offset: u64, _bytes: &[u8]) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn set_len(&self, _length: u64) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn reserve(&self, _offset: u64, _length: u64) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn try_lock(&self) -> io::Result<bool> {
        match *self {}
    }

    pub(crate) fn try_lock_shared(&self) -> io::Result<bool> {
        match *self {}
    }

    pub(crate) fn unlock(&self) {
        match *self {}
    }
}
