//! The descriptors of a walk: the last directories on the way down are open, and one that was closed is opened again.
//!
//! Further up a few stay open as landmarks, each twice as far from the next as that is from the one after: from the nearest
//! the way down to a closed one is at most twice as long as the way that the walk came up since. So the lookups of a scan
//! grow with its directories, however deep they are; from the root each would be as long as the tree is deep.
//!
//! A directory is compared with what it was. Another directory, or a link, that has its name by now is not read.

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
const OPEN_MAX: usize = 12;

/// Tries of a call where no descriptors are left; other threads give theirs back.
pub(super) const ROOM_TRIES: u32 = 16;

impl Walker {
    /// The last directory on the way down; opened again if it was closed.
    pub(super) fn directory(&mut self) -> Option<Arc<Handle>> {
        if let Some(dir) = &self.top().dir {
            return Some(Arc::clone(dir));
        }
        // Those above will be needed next, on the way up.
        let mut opened = self.open_again(OPEN_MAX);
        for _ in 0..ROOM_TRIES {
            if opened.as_ref().is_err_and(|source| Kind::of(source) == Kind::FdExhausted) {
                self.make_room();
                opened = self.open_again(1);
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

    /// Opens so many of the last directories on the way down again, from the nearest landmark or from the root.
    ///
    /// False where one is not the directory any more that it was.
    fn open_again(&mut self, count: usize) -> io::Result<bool> {
        let ground = Arc::clone(&self.ground);
        let calls = ground.root.calls();
        let cross = ground.root.policy().cross_mounts;
        let last = self.frames.len() - 1;
        let window = last.saturating_sub(count - 1);
        let (mut above, first) = match self.landmarks.last() {
            Some(landmark) => (self.frames[*landmark].dir.clone(), landmark + 1),
            None => (None, window),
        };
        // All of the way from the root to the first is one lookup.
        let way = above.is_none().then(|| self.path.ancestors().nth(last - first).expect("BUG: a frame has a path"));
        let names = self.path.iter().rev().take(last + 1 - first - usize::from(way.is_some()));
        let names: Vec<&OsStr> = names.chain(way.map(Path::as_os_str)).collect();
        let mut opened = Vec::new();
        for (index, name) in (first..=last).zip(names.into_iter().rev()) {
            let frame = &self.frames[index];
            let stays = index >= window || is_landmark(index, last);
            let access = if stays { Access::Read } else { Access::Search };
            let dir = above.as_deref().unwrap_or(ground.root.handle());
            let dir = Arc::new(calls.open_dir(dir, Path::new(name), cross, access)?);
            if calls.stat(&dir)?.id != frame.id {
                return Ok(false);
            }
            if let (true, Listing::At(place)) = (stays, frame.listing) {
                calls.list_from(&dir, place)?;
            }
            above = Some(Arc::clone(&dir));
            opened.extend(stays.then_some((index, dir)));
        }
        for (index, dir) in opened {
            self.frames[index].dir = Some(dir);
            self.landmarks.extend((index < window).then_some(index));
        }
        self.open_from = first.max(window);
        Ok(true)
    }

    /// Closes what is too far up by now, after one more directory was opened.
    pub(super) fn close_above(&mut self) {
        let Walker { frames, landmarks, .. } = self;
        let last = frames.len() - 1;
        if last - self.open_from >= OPEN_MAX {
            landmarks.push(self.open_from);
            self.open_from += 1;
        }
        landmarks.retain(|index| {
            let stays = is_landmark(*index, last);
            if !stays {
                frames[*index].dir = None;
            }
            stays
        });
    }

    /// Forgets the last directory.
    pub(super) fn forget_last(&mut self) {
        self.frames.pop();
        self.open_from = self.open_from.min(self.frames.len());
        self.landmarks.pop_if(|index| *index >= self.frames.len());
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
        let open = self.landmarks.drain(..).chain(self.open_from..last);
        let closed = open.map(|index| self.frames[index].dir = None).count();
        self.open_from = self.open_from.max(last);
        if closed == 0 {
            // Another thread, or another program, may give some back.
            self.ground.root.calls().sleep(Duration::from_millis(1));
        }
    }
}

/// Whether a directory stays open while the walk is this far below it: the more often its depth can be halved, the longer.
fn is_landmark(index: usize, last: usize) -> bool {
    index == 0 || last - index <= 2 << index.trailing_zeros()
}
