//! The scan as the fewest calls that give the same answer: `getdents64`, and for each link `readlinkat`, one confined
//! `openat2` and `close`. No paths are kept, nothing is reported, nothing is done about a tree that changes.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, openat, openat2, readlinkat_raw, statat};
use rustix::io::Errno;

use crate::Result;
use crate::tree::Counts;

const BUFFER: usize = 64 * 1024;

/// Scans with one thread.
pub(super) fn scan(dir: &Path) -> Result<Counts> {
    let mut scan = Scan::default();
    scan.walk(vec![std::fs::File::open(dir)?.into()])?;
    Ok(scan.counts)
}

/// Scans with several threads, each taking a directory below the first.
pub(super) fn scan_together(dir: &Path, threads: usize) -> Result<Counts> {
    let tops: Mutex<Vec<_>> = Mutex::new(std::fs::read_dir(dir)?.collect::<std::io::Result<Vec<_>>>()?);
    let entries = tops.lock().map_err(|_| "poisoned")?.len() as u64;
    let work = || -> std::result::Result<Counts, Errno> {
        let mut scan = Scan::default();
        while let Some(top) = tops.lock().ok().and_then(|mut tops| tops.pop()) {
            let root = openat(rustix::fs::CWD, dir, FLAGS, Mode::empty())?;
            let below = openat(&root, top.file_name(), FLAGS, Mode::empty())?;
            scan.walk(vec![root, below])?;
        }
        Ok(scan.counts)
    };
    let counts = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread panicked")).collect::<Vec<_>>()
    });
    counts.into_iter().try_fold(Counts { entries, ..Counts::default() }, |mut all, counts| {
        let counts = counts?;
        all.entries += counts.entries;
        all.ok += counts.ok;
        all.dangling += counts.dangling;
        all.escape += counts.escape;
        all.chain += counts.chain;
        Ok(all)
    })
}

const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

#[derive(Default)]
struct Scan {
    counts: Counts,
}

impl Scan {
    /// Reads the last directory of `way`, then those below it.
    fn walk(&mut self, way: Vec<OwnedFd>) -> std::result::Result<Vec<OwnedFd>, Errno> {
        let mut way = way;
        let mut below = Vec::new();
        let mut buffer = [MaybeUninit::<u8>::uninit(); BUFFER];
        let last = way.len() - 1;
        let dir = way[last].as_fd();
        let mut entries = RawDir::new(dir, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            self.counts.entries += 1;
            match entry.file_type() {
                FileType::Directory => below.push(name.to_owned()),
                FileType::Symlink => self.link(&way, dir, name)?,
                _ => {}
            }
        }
        for name in below {
            way.push(openat(&way[last], &*name, FLAGS, Mode::empty())?);
            way = self.walk(way)?;
            way.pop();
        }
        Ok(way)
    }

    fn link(&mut self, way: &[OwnedFd], dir: BorrowedFd<'_>, name: &std::ffi::CStr) -> std::result::Result<(), Errno> {
        let mut text = [MaybeUninit::<u8>::uninit(); 4096];
        let text = &*readlinkat_raw(dir, name, &mut text)?.0;
        let (mut rest, mut base) = (text, way.len() - 1);
        while let Some(after) = rest.strip_prefix(b"../") {
            rest = after;
            if base == 0 {
                rest = b"/";
                break;
            }
            base -= 1;
        }
        if rest.starts_with(b"/") {
            self.counts.escape += 1;
            // Whether anything is there.
            let _there = statat(dir, text, AtFlags::empty());
            return Ok(());
        }
        let inside = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
        let open = |resolve| openat2(&way[base], rest, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve);
        match open(inside | ResolveFlags::NO_SYMLINKS) {
            Ok(_) => self.counts.ok += 1,
            Err(Errno::NOENT) => self.counts.dangling += 1,
            Err(Errno::LOOP) => {
                open(inside)?;
                self.counts.chain += 1;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
