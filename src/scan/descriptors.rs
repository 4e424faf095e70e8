//! The descriptors of a walk: the last directories on the way down are open, and one that was closed is opened again.
//!
//! It is opened from the root by its path, and compared with what it was. Another directory, or a link, that has the
//! path by now is not read.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::frame::Listing;
use super::walker::Walker;
use crate::error::{Error, Kind};
use crate::sys::{Access, Handle};

/// How many directories on the way down each walk keeps open.
pub(super) const OPEN_MAX: usize = 12;

/// Tries of a call where no descriptors are left; other threads give theirs back.
pub(super) const ROOM_TRIES: u32 = 16;

impl Walker {
    /// The last directory on the way down; opened again if it was closed.
    pub(super) fn directory(&mut self) -> Option<Arc<Handle>> {
        if let Some(dir) = &self.top().dir {
            return Some(Arc::clone(dir));
        }
        let last = self.frames.len() - 1;
        // Those above will be needed next, on the way up.
        let mut opened = self.open_again(last.saturating_sub(OPEN_MAX - 1));
        for _ in 0..ROOM_TRIES {
            if opened.as_ref().is_err_and(|source| Kind::of(source) == Kind::FdExhausted) {
                self.make_room();
                opened = self.open_again(last);
            }
        }
        let error = match opened {
            Ok(true) => return self.top().dir.clone(),
            Err(source) if Kind::of(&source) == Kind::FdExhausted => Error::from_io(source),
            _ => Error::new(Kind::Contended).because("the directory was moved or replaced while it was scanned"),
        };
        let top = self.top();
        top.waiting.clear();
        top.listing = Listing::End;
        self.unread(OsStr::new(""), error);
        None
    }

    /// Opens the last directories on the way down again, the first of them from the root. False where one is not the
    /// directory any more that it was.
    fn open_again(&mut self, first: usize) -> io::Result<bool> {
        let ground = Arc::clone(&self.ground);
        let calls = ground.root.calls();
        let cross = ground.root.policy().cross_mounts;
        let last = self.frames.len() - 1;
        let mut opened: Vec<Arc<Handle>> = Vec::with_capacity(last + 1 - first);
        let top = self.path.ancestors().nth(last - first).expect("BUG: a frame has a path");
        let below = self.path.strip_prefix(top).expect("BUG: an ancestor is a prefix");
        for (frame, name) in self.frames[first..].iter().zip(std::iter::once(top.as_os_str()).chain(below)) {
            let above = opened.last().map_or(ground.root.handle(), Arc::as_ref);
            let dir = calls.open_dir(above, Path::new(name), cross, Access::Read)?;
            if calls.stat(&dir)?.id != frame.id {
                return Ok(false);
            }
            if let Listing::At(place) = frame.listing {
                calls.list_from(&dir, place)?;
            }
            opened.push(Arc::new(dir));
        }
        self.open_from = first;
        self.frames[first..].iter_mut().zip(opened).for_each(|(frame, dir)| frame.dir = Some(dir));
        Ok(true)
    }

    /// Makes a call that takes a descriptor; where none is left the directories above are closed.
    pub(super) fn with_room<T>(&mut self, mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        for _ in 1..ROOM_TRIES {
            match call() {
                Err(source) if Kind::of(&source) == Kind::FdExhausted => self.make_room(),
                result => return result,
            }
        }
        call()
    }

    pub(super) fn make_room(&mut self) {
        let last = self.frames.len().saturating_sub(1);
        if self.open_from < last {
            self.frames[self.open_from..last].iter_mut().for_each(|frame| frame.dir = None);
            self.open_from = last;
        } else {
            // Another thread, or another program, may give some back.
            self.ground.root.calls().sleep(Duration::from_millis(1));
        }
    }
}
