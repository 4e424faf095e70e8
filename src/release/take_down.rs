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
use crate::sys::{self, Access, Fault, Handle, Listed};

/// Directories that are open at once.
const DEPTH_MAX: usize = 32;

/// How often a directory is listed that is not empty afterwards.
const ROUNDS: usize = 8;

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
    let mut going = Going { root, private, tell, taken: Taken::default(), at_round: false };
    let mut rounds = 0;
    // What was moved up is found by the next listing.
    loop {
        going.at_round = false;
        let before = going.taken.entries;
        let empty = going.empty(private, 0);
        let moved_up = going.at_round;
        rounds += 1;
        if empty && !moved_up {
            going.taken.complete = true;
            break;
        }
        let progress = going.taken.entries > before || moved_up;
        if !progress || (rounds >= ROUNDS && !moved_up) {
            break;
        }
    }
    going.taken
}

struct Going<'a> {
    root: &'a Root,
    private: &'a Handle,
    tell: &'a mut dyn FnMut(u64),
    taken: Taken,
    /// Something was moved up to the private place.
    at_round: bool,
}

impl Going<'_> {
    /// Empties a directory; returns whether nothing was left in it that was seen.
    fn empty(&mut self, dir: &Handle, depth: usize) -> bool {
        let calls = self.root.calls();
        let mut clean = true;
        for round in 0..ROUNDS {
            match calls.list_from(dir, 0) {
                Err(source) if sys::fault(&source) != Fault::Unsupported => {
                    self.failed(source);
                    return false;
                }
                _ => {}
            }
            clean = true;
            let mut seen = false;
            let listed = calls.list(dir, &mut |listed: Listed<'_>| {
                seen = true;
                clean &= self.entry(dir, &listed, depth);
                ControlFlow::Continue(())
            });
            if let Err(source) = listed {
                self.failed(source);
                return false;
            }
            // An entry can be passed over while others are removed: a listing that shows none is the end.
            if !seen {
                return true;
            }
            if !clean && round > 0 {
                return false;
            }
        }
        clean
    }

    /// Removes one entry; returns whether it is gone.
    fn entry(&mut self, dir: &Handle, listed: &Listed<'_>, depth: usize) -> bool {
        let calls = self.root.calls();
        let name = listed.name;
        let stat = match listed.kind {
            Some(FileKind::Dir) => None,
            _ => calls.stat_at(dir, name).ok(),
        };
        if listed.kind == Some(FileKind::Dir) || stat.is_some_and(|stat| stat.kind == FileKind::Dir) {
            return self.directory(dir, name, depth);
        }
        match calls.unlink(dir, name) {
            Ok(()) => {
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
        match calls.remove_dir(above, name) {
            Ok(()) => {
                self.gone();
                return true;
            }
            Err(source) if sys::fault(&source) == Fault::Missing => return true,
            Err(source) if source.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            Err(source) if sys::fault(&source) == Fault::Exists => {}
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
        if !self.empty(&dir, depth + 1) {
            return false;
        }
        drop(dir);
        match calls.remove_dir(above, name) {
            Ok(()) => {
                self.gone();
                true
            }
            Err(source) if sys::fault(&source) == Fault::Missing => true,
            Err(source) => self.failed(source),
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
                self.at_round = true;
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
