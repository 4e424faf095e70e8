//! A regular file of the state directory: opened at its directory, never by a path, never through a link.
//!
//! Opening does not wait for a fifo, and what was opened is looked at before it is used: that is the caller's work.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

#[cfg(target_os = "linux")]
use rustix::fs::FallocateFlags;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::FileUse;
use crate::sys::{Stat, posix};

/// A file that was opened at a directory.
#[derive(Debug)]
pub(crate) struct OpenFile(OwnedFd);

pub(super) fn open(dir: BorrowedFd<'_>, name: &std::ffi::OsStr, how: FileUse) -> io::Result<OpenFile> {
    let access = match how {
        FileUse::Read => OFlags::RDONLY,
        FileUse::Append => OFlags::RDWR | OFlags::APPEND,
        FileUse::Write => OFlags::RDWR,
        FileUse::WriteNew => OFlags::RDWR | OFlags::CREATE | OFlags::EXCL,
    };
    let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    Ok(OpenFile(rustix::io::retry_on_intr(|| rustix::fs::openat(dir, name, flags, mode))?))
}

impl OpenFile {
    pub(crate) fn stat(&self) -> io::Result<Stat> {
        posix::stat(self.0.as_fd())
    }

    /// The length in bytes.
    pub(crate) fn len(&self) -> io::Result<u64> {
        Ok(u64::try_from(rustix::fs::fstat(&self.0)?.st_size).unwrap_or(0))
    }

    /// Reads what is there from `offset` on, up to the length of the buffer; less only at the end of the file.
    pub(crate) fn read_at(&self, mut offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            match rustix::io::pread(&self.0, &mut buffer[done..], offset) {
                Ok(0) => break,
                Ok(count) => {
                    done += count;
                    offset += count as u64;
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(done)
    }

    /// Writes at the end. An error can leave a part of it there.
    pub(crate) fn append(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match rustix::io::write(&self.0, bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    pub(crate) fn write_at(&self, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match rustix::io::pwrite(&self.0, bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    bytes = &bytes[count..];
                    offset += count as u64;
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    pub(crate) fn set_len(&self, length: u64) -> io::Result<()> {
        Ok(rustix::io::retry_on_intr(|| rustix::fs::ftruncate(&self.0, length))?)
    }

    /// Makes sure that bytes behind the end will find space, where the file system can promise it. Elsewhere than on Linux
    /// nothing can be promised without making the file longer.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn reserve(&self, _offset: u64, _length: u64) -> io::Result<()> {
        Ok(())
    }

    /// Makes sure that bytes behind the end will find space, where the file system can promise it.
    #[cfg(target_os = "linux")]
    pub(crate) fn reserve(&self, offset: u64, length: u64) -> io::Result<()> {
        let reserve = || rustix::fs::fallocate(&self.0, FallocateFlags::KEEP_SIZE, offset, length);
        match rustix::io::retry_on_intr(reserve) {
            // The write will tell.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::PERM) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Data and length survive a power cut once this returns.
    pub(crate) fn sync(&self) -> io::Result<()> {
        #[cfg(target_vendor = "apple")]
        let synced = rustix::fs::fcntl_fullfsync(&self.0);
        #[cfg(not(target_vendor = "apple"))]
        let synced = rustix::fs::fdatasync(&self.0);
        Ok(synced?)
    }

    /// Takes the exclusive lock of the file if nobody has it.
    pub(crate) fn try_lock(&self) -> io::Result<bool> {
        posix::try_lock(self.0.as_fd())
    }

    /// Takes a lock that others can have as well, if nobody has the exclusive one.
    pub(crate) fn try_lock_shared(&self) -> io::Result<bool> {
        posix::try_lock_shared(self.0.as_fd())
    }

    pub(crate) fn unlock(&self) {
        posix::unlock(self.0.as_fd());
    }
}
