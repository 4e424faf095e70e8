//! Takes a directory tree down, by descriptors, across no link and no mount.
//!
//! Every directory is opened at the one above it, never by a path, and never through a link or onto another mount. What
//! lies deeper than so many levels is moved up to the private place first, so that the number of open descriptors does not
//! grow with the depth. Nothing is kept in memory of a tree but what is open.
//!
//! Somebody who has a directory of it open can go on to fill it. What is not gone after so many rounds is left.

use std::ffi::OsStr;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use crate::error::FileKind;
use crate::model::staged_name;
use crate::root::Root;
use crate::sys::{self, Access, Fault, Handle, Listed, Stat};

/// Directories that are open at once.
const DEPTH_MAX: usize = 32;

/// How often a directory is listed that is not empty afterwards.
const ROUNDS: usize = 8;

/// How often that is done with the private place, where what lies deep is moved to. Each time a tree becomes shorter by as many
/// levels as are open at once, so that two million levels are taken down, and whoever makes new ones meanwhile comes to an end.
const MOVES: usize = 1 << 16;

/// How often it is told how far this is: each time so many entries are gone.
const TELL: u64 = 4096;

/// What was taken down.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// How many entries are gone.
    pub(super) entries: u64,
    /// How many bytes the files had that are gone and have no other name.
    pub(super) bytes: u64,
    /// Whether nothing is left.
    pub(super) complete: bool,
    /// The first thing that went wrong.
    pub(super) error: Option<io::Error>,
}

/// Takes down everything in a private directory.
pub(super) fn take_down(root: &Root, private: &Handle, tell: &mut dyn FnMut(u64)) -> Taken {
    let mut work = Work { root, private, tell, taken: Taken::default(), moved_up: false };
    let mut moves = 0;
    for round in 0.. {
        work.moved_up = false;
        let before = work.taken.entries;
        match work.empty(private, round, 0) {
            Some(Emptied { seen: false, .. }) => {
                work.taken.complete = true;
                break;
            }
            // What was moved up is found by the next listing.
            Some(_) if work.moved_up && moves < MOVES => moves += 1,
            Some(_) if work.taken.entries > before && round - moves < ROUNDS => {}
            _ => break,
        }
    }
    work.taken
}

struct Work<'a> {
    root: &'a Root,
    private: &'a Handle,
    tell: &'a mut dyn FnMut(u64),
    taken: Taken,
    /// Something was moved up to the private place.
    moved_up: bool,
}

/// What a listing of a directory came to.
struct Emptied {
    /// Whether there was an entry.
    seen: bool,
    /// Whether nothing is left of those that were seen.
    clean: bool,
}

impl Work<'_> {
    /// Lists a directory for the so manyeth time, and removes what is in it; `None` where it cannot be listed.
    fn empty(&mut self, dir: &Handle, round: usize, depth: usize) -> Option<Emptied> {
        let calls = self.root.calls();
        let again = if round == 0 { Ok(()) } else { calls.list_from(dir, 0) };
        let mut emptied = Emptied { seen: false, clean: true };
        let listed = match again {
            Err(source) if sys::fault(&source) != Fault::Unsupported => Err(source),
            _ => calls.list(dir, &mut |listed: Listed<'_>| {
                emptied.seen = true;
                emptied.clean &= self.entry(dir, &listed, depth);
                ControlFlow::Continue(())
            }),
        };
        match listed {
            Ok(()) => Some(emptied),
            Err(source) => {
                self.failed(source);
                None
            }
        }
    }

    /// Removes one entry; returns whether it is gone.
    fn entry(&mut self, dir: &Handle, listed: &Listed<'_>, depth: usize) -> bool {
        let calls = self.root.calls();
        let name = listed.name;
        // Files alone have bytes to give back.
        let stat = match listed.kind {
            Some(FileKind::File) | None => calls.stat_at(dir, name).ok(),
            Some(_) => None,
        };
        if listed.kind == Some(FileKind::Dir) || stat.is_some_and(|stat| stat.kind == FileKind::Dir) {
            return self.directory(dir, name, depth);
        }
        match calls.unlink(dir, name) {
            Ok(()) => {
                self.taken.bytes += stat.map_or(0, |stat| bytes(&stat));
                self.gone();
                true
            }
            Err(source) if sys::fault(&source) == Fault::Missing => true,
            Err(source) => self.failed(source),
        }
    }

    fn directory(&mut self, above: &Handle, name: &OsStr, depth: usize) -> bool {
        let calls = self.root.calls();
        // Many are empty, and one that is not says so.
        match self.remove_dir(above, name) {
            Ok(true) => return true,
            Ok(false) => {}
            Err(source) => return self.failed(source),
        }
        if depth + 1 >= DEPTH_MAX {
            return self.move_up(above, name);
        }
        // Neither a link nor a mount that took the name meanwhile is opened.
        let dir = match calls.open_dir(above, Path::new(name), false, Access::Read) {
            Ok(dir) => dir,
            Err(source) if sys::fault(&source) == Fault::Missing => return true,
            Err(source) => return self.failed(source),
        };
        if !calls.is_same_mount(above, &dir).unwrap_or(false) {
            return self.failed(io::Error::other("something is mounted in it"));
        }
        for round in 0..ROUNDS {
            let Some(emptied) = self.empty(&dir, round, depth + 1) else { return false };
            match self.remove_dir(above, name) {
                Ok(true) => return true,
                // A listing can pass over an entry while others are removed.
                Ok(false) if emptied.clean || round == 0 => {}
                Ok(false) => return false,
                Err(source) => return self.failed(source),
            }
        }
        self.failed(io::ErrorKind::DirectoryNotEmpty.into())
    }

    /// Removes a directory if it is empty, and says whether it is gone.
    fn remove_dir(&mut self, above: &Handle, name: &OsStr) -> io::Result<bool> {
        match self.root.calls().remove_dir(above, name) {
            Ok(()) => {
                self.gone();
                Ok(true)
            }
            Err(source) if sys::fault(&source) == Fault::Missing => Ok(true),
            Err(source) if source.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(false),
            Err(source) if sys::fault(&source) == Fault::Exists => Ok(false),
            Err(source) => Err(source),
        }
    }

    /// Moves a directory that lies deep to the private place, where it lies no deeper than what was there.
    fn move_up(&mut self, above: &Handle, name: &OsStr) -> bool {
        let calls = self.root.calls();
        let moved = calls.random().and_then(|random| {
            super::private_place::rename(self.root, (above, name), (self.private, &staged_name(random)))
        });
        match moved {
            Ok(()) => {
                self.moved_up = true;
                true
            }
            Err(source) if sys::fault(&source) == Fault::Missing => true,
            Err(source) => self.failed(source),
        }
    }

    fn gone(&mut self) {
        self.taken.entries += 1;
        if self.taken.entries.is_multiple_of(TELL) {
            (self.tell)(self.taken.entries);
        }
    }

    fn failed(&mut self, source: io::Error) -> bool {
        self.taken.error.get_or_insert(source);
        false
    }
}

/// How many bytes a file gives back that is removed: those that have no other name.
pub(super) fn bytes(stat: &Stat) -> u64 {
    if stat.kind == FileKind::File && stat.links == 1 { stat.size } else { 0 }
}
