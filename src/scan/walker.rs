//! The walk of one thread: down into a directory, back up, on to the next.
//!
//! A stack holds the directories on the way down, each with the names below it that wait to be entered. A directory is
//! opened by its name from its parent's descriptor, never through a link; the last few on the way down stay open, and
//! one that was closed is opened again from the root and compared with what it was. So the walk needs few descriptors
//! however deep it goes, and reads nothing of a directory that took the place of another.
//!
//! A directory with very many directories in it is read in parts, so that their names are not held all at once.
//!
//! A directory that is moved out of the root while it is open is read to its end. What is in it was put there by
//! somebody who could have put it below the root as well.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::descriptors::ROOM_TRIES;
use super::frame::{Frame, Job, Listing, Waiting};
use super::progress::{ScanProgress, Tally};
use super::seen::{Admission, Seen};
use super::{ScanOptions, look};
use crate::error::{Error, FileKind, Kind, Result};
use crate::model::{Finding, is_staged_name};
use crate::resolve::LinkSite;
use crate::root::Root;
use crate::sys::{self, Access, Fault, Handle, LIST_BUFFER, Listed};

/// The longest path of a directory that is entered, in bytes: 2,000 names of 255 bytes and more.
const PATH_MAX: usize = 640 * 1024;

/// From this length of its path on, few entries of a directory are listed at once: each finding holds such a path.
const LONG_PATH: usize = 4096;

/// The buffer for few entries, in bytes.
const SMALL_BUFFER: usize = 1024;

/// A directory is read in parts once this many names in it wait.
const WAITING_MAX: usize = 4096;

/// How many findings may wait to be handed out before a directory is read on.
const FOUND_MAX: usize = 256;

/// Giving work away takes about as long as one step for so many levels, or bytes of the path, at most a twentieth of the
/// steps in between; those of a shallow directory cost nothing.
const LEVELS_A_STEP: usize = 4;
const BYTES_A_STEP: usize = 256;
const STEPS_FREE: usize = 16;

/// What all threads of one scan share.
pub(super) struct Ground {
    pub(super) root: Root,
    pub(super) options: ScanOptions,
    pub(super) progress: ScanProgress,
    pub(super) seen: Seen,
}

pub(super) struct Walker {
    pub(super) ground: Arc<Ground>,
    /// The directories on the way down; the last one is being read.
    pub(super) frames: Vec<Frame>,
    /// From here on they are open.
    pub(super) open_from: usize,
    /// Those before it that are open, too.
    pub(super) landmarks: Vec<usize>,
    /// How deep the first of them is below the scanned directory.
    depth: usize,
    /// Nothing waits in those before this one.
    waiting_from: usize,
    /// The steps since work was given away.
    steps: usize,
    /// The path of the last one.
    pub(super) path: PathBuf,
    buffer: Vec<u8>,
    found: VecDeque<Result<Finding>>,
    /// The directory that the last step was about, if its name is that of a staging one and they are noticed.
    pub(super) stale: Option<PathBuf>,
    tally: Tally,
}

/// What an entry was before it was looked at as a link.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Was {
    Link,
    /// A directory, which could not be entered because a link had its name.
    Dir,
}

impl Walker {
    pub(super) fn new(ground: Arc<Ground>) -> Walker {
        Walker {
            ground,
            frames: Vec::new(),
            open_from: 0,
            landmarks: Vec::new(),
            depth: 0,
            waiting_from: 0,
            steps: 0,
            path: PathBuf::new(),
            buffer: Vec::new(),
            found: VecDeque::new(),
            stale: None,
            tally: Tally::default(),
        }
    }

    pub(super) fn begin(&mut self, job: Job) {
        self.depth = job.depth;
        self.waiting_from = 0;
        self.path = job.path;
        self.open_from = 0;
        self.landmarks.clear();
        self.frames.clear();
        self.frames.push(job.frame);
    }

    pub(super) fn is_done(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn found(&mut self) -> &mut VecDeque<Result<Finding>> {
        &mut self.found
    }

    /// Takes one step: enters a directory and reads it, looks at one link, or goes back up.
    pub(super) fn step(&mut self) {
        let Some(top) = self.frames.last_mut() else { return };
        self.steps = self.steps.saturating_add(1);
        match (top.waiting.pop(), top.listing) {
            (Some(Waiting::Dir(name)), _) => self.enter(&name),
            (Some(Waiting::Link(name)), _) => {
                if let Some(dir) = self.directory() {
                    self.link(&dir, &name);
                }
            }
            (None, Listing::At(_) | Listing::Start) => self.list(),
            (None, Listing::End) => self.leave(),
        }
        self.ground.progress.add(std::mem::take(&mut self.tally));
    }

    /// Gives away half of the directories that wait highest up; none so soon that giving would be much of the work.
    ///
    /// What is given away is named by its path and opened again by it, which takes as long as it is deep.
    pub(super) fn share(&mut self) -> Option<Job> {
        let last = self.frames.len().checked_sub(1)?;
        let worth = (last / LEVELS_A_STEP + self.path.as_os_str().len() / BYTES_A_STEP).saturating_sub(STEPS_FREE);
        if self.steps < worth {
            return None;
        }
        let from = self.waiting_from.min(last);
        let found = self.frames[from..].iter().zip(from..).position(|(frame, index)| {
            // The last one is kept, unless there is more to do than that.
            frame.waiting.len() > usize::from(index == last && frame.listing == Listing::End)
        });
        let index = found.map_or(last, |found| from + found);
        self.waiting_from = index;
        found?;
        self.steps = 0;
        let path = self.path.ancestors().nth(last - index).expect("BUG: a frame has a path").to_path_buf();
        Some(Job { path, depth: self.depth + index, frame: self.frames[index].split() })
    }

    fn enter(&mut self, name: &OsStr) {
        let ground = Arc::clone(&self.ground);
        let Some(parent) = self.directory() else { return };
        if ground.options.notices_stale && is_staged_name(name) {
            self.stale = Some(self.path.join(name));
        }
        if self.path.as_os_str().len() + name.len() >= PATH_MAX {
            return self.unread(name, Error::new(Kind::TooLong).because("its path is longer than 640 KiB"));
        }
        let calls = ground.root.calls();
        let cross = ground.root.policy().cross_mounts;
        let opened = self.with_room(|| {
            let dir = calls.open_dir(&parent, Path::new(name), cross, Access::Read)?;
            let stat = calls.stat(&dir)?;
            Ok((dir, stat))
        });
        let (dir, stat) = match opened {
            Ok(opened) => opened,
            Err(source) => return self.not_entered(&parent, name, source),
        };
        match ground.seen.admit(&stat, || self.frames.last().is_some_and(|frame| frame.is_in(stat.id))) {
            Admission::Enter => {}
            Admission::Below => return,
            Admission::Moved => {
                self.tally.moved += 1;
                return;
            }
            Admission::TooMany => {
                let reason = "too many directories are made or moved while they are scanned";
                return self.unread(name, Error::new(Kind::Contended).because(reason));
            }
        }
        self.path.push(name);
        let top = self.top();
        let above = top.above.below(top.id);
        self.frames.push(Frame::new(Arc::new(dir), &stat, above));
        self.close_above();
        self.list();
    }

    fn leave(&mut self) {
        self.forget_last();
        self.path.pop();
    }

    /// What is under the name is not what was listed, or cannot be read.
    fn not_entered(&mut self, parent: &Handle, name: &OsStr, source: io::Error) {
        match sys::fault(&source) {
            // It was removed, or something else that holds no links has its name by now.
            Fault::Missing | Fault::NotDirectory => {}
            // A link has its name by now.
            Fault::Link => self.look(parent, name, Was::Dir),
            Fault::Crossing => self.tally.mounts += 1,
            _ => self.unread(name, Error::from_io(source).because("the directory cannot be read")),
        }
    }

    pub(super) fn unread(&mut self, name: &OsStr, error: Error) {
        self.tally.dirs_unread += 1;
        // The directory that is read has no name in itself.
        let dir = if name.is_empty() { super::shown(&self.path).to_path_buf() } else { self.path.join(name) };
        self.found.push_back(Err(error.on("scan", &dir).denied_at(&dir)));
    }

    /// Reads the last directory on the way down, or a part of it.
    fn list(&mut self) {
        let Some(dir) = self.directory() else { return };
        let ground = Arc::clone(&self.ground);
        let is_long = self.path.as_os_str().len() > LONG_PATH;
        let mut buffer = match std::mem::take(&mut self.buffer) {
            _ if is_long => Vec::with_capacity(SMALL_BUFFER),
            unused if unused.capacity() < LIST_BUFFER => Vec::with_capacity(LIST_BUFFER),
            buffer => buffer,
        };
        if self.top().listing == Listing::Start {
            self.tally.dirs += 1;
            if let Some(entering) = &ground.options.entering {
                entering(&self.path, &dir);
            }
        }
        let listing = loop {
            let next = ground.root.calls().list_next(&dir, &mut buffer, &mut |listed| self.entry(&dir, &listed));
            match next {
                Ok(None) => break Listing::End,
                Ok(Some(place)) => {
                    let much = self.top().waiting.len() >= WAITING_MAX || self.found.len() >= FOUND_MAX || is_long;
                    if much && !ground.options.sorted {
                        break Listing::At(place);
                    }
                }
                Err(source) => {
                    // A directory that was removed meanwhile is empty.
                    if sys::fault(&source) != Fault::Missing {
                        self.unread(OsStr::new(""), Error::from_io(source).because("the directory cannot be read"));
                    }
                    break Listing::End;
                }
            }
        };
        self.buffer = buffer;
        let sorted = ground.options.sorted;
        let top = self.top();
        top.listing = listing;
        top.order(sorted);
    }

    pub(super) fn top(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("BUG: a directory is being read")
    }

    fn entry(&mut self, dir: &Handle, listed: &Listed<'_>) {
        if self.is_excluded(listed.name) {
            return;
        }
        self.tally.entries += 1;
        match listed.kind {
            Some(FileKind::Symlink) if self.ground.options.sorted => self.wait(Waiting::Link(listed.name.into())),
            Some(FileKind::Symlink) => self.link(dir, listed.name),
            Some(FileKind::Dir) => self.wait(Waiting::Dir(listed.name.into())),
            Some(_) => {}
            None => self.unknown(dir, listed.name),
        }
    }

    fn wait(&mut self, waiting: Waiting) {
        let deepest = self.ground.options.max_depth.unwrap_or(usize::MAX);
        let is_too_deep = matches!(waiting, Waiting::Dir(_)) && self.depth + self.frames.len() >= deepest;
        if !is_too_deep {
            self.top().waiting.push(waiting);
        }
    }

    fn is_excluded(&mut self, name: &OsStr) -> bool {
        let Some(exclude) = &self.ground.options.exclude else { return false };
        self.path.push(name);
        let excluded = exclude(&self.path);
        self.path.pop();
        excluded
    }

    /// An entry of which the directory does not say what it is, or says so no more.
    fn unknown(&mut self, dir: &Handle, name: &OsStr) {
        match self.ground.root.calls().stat_at(dir, name) {
            Ok(stat) if stat.kind == FileKind::Symlink => self.link(dir, name),
            Ok(stat) if stat.kind == FileKind::Dir => self.wait(Waiting::Dir(name.into())),
            Ok(_) => {}
            Err(source) if sys::fault(&source) == Fault::Missing => {}
            Err(source) => self.failed(name, Error::from_io(source)),
        }
    }

    fn link(&mut self, dir: &Handle, name: &OsStr) {
        self.look(dir, name, Was::Link);
    }

    fn look(&mut self, dir: &Handle, name: &OsStr, was: Was) {
        let ground = Arc::clone(&self.ground);
        for _ in 0..ROOM_TRIES {
            let above = |levels: usize| {
                let index = self.frames.len().checked_sub(levels + 1)?;
                if levels == 0 { Some(dir) } else { self.frames[index].dir.as_deref() }
            };
            let device = self.frames.last().map(|frame| frame.id.device);
            let sticky = self.frames.last().is_some_and(|frame| frame.sticky);
            let at = LinkSite { dir, name, from: &self.path, above: &above, device, sticky };
            match look::at(&ground.root, at) {
                Ok(look::Seen::Link(finding)) => {
                    self.tally.links += 1;
                    return self.found.push_back(Ok(finding));
                }
                Ok(look::Seen::Unreadable(finding, error)) => {
                    self.tally.links += 1;
                    self.failed(name, error);
                    return self.found.push_back(Ok(finding));
                }
                Ok(look::Seen::Gone) => return,
                Ok(look::Seen::Other) => return self.no_link(dir, name, was),
                Err(error) if error.kind() == Kind::FdExhausted => self.make_room(),
                Err(error) => return self.failed(name, error),
            }
        }
        self.failed(name, Error::new(Kind::FdExhausted));
    }

    /// What was taken for a link is none; a directory that took its place is entered.
    fn no_link(&mut self, dir: &Handle, name: &OsStr, was: Was) {
        if !self.ground.root.calls().stat_at(dir, name).is_ok_and(|stat| stat.kind == FileKind::Dir) {
            return;
        }
        match was {
            Was::Link => self.wait(Waiting::Dir(name.into())),
            // Whoever exchanges the two for ever would keep the scan here.
            Was::Dir => self.unread(name, Error::new(Kind::Contended).because("it keeps changing to a link and back")),
        }
    }

    fn failed(&mut self, name: &OsStr, error: Error) {
        self.tally.failed += 1;
        self.found.push_back(Err(error.on("scan", self.path.join(name))));
    }
}
