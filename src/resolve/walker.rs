//! Walks one component at a time; every link is looked at before it is gone through.
//!
//! The walker holds the descriptors of the directory it is in and of the last few on the way down. A `..` goes back
//! along the way that the walk itself came, never through the `..` of a directory that may have been moved; the directory
//! it leaves must be one that may be searched, as for the kernel. Each component is pinned without being followed; a
//! link's text is put in front of what is left to walk.
//!
//! A walk is bounded: 40 links, and a number of lookups from the root for its `..`. A step costs as much as its name is
//! long, however deep it is. What a walk says is true of the moment it looked: between two components others may rename.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::overlay::{Laid, Position};
use super::walk::{Hop, Stop, WalkOptions};
use super::way::{Way, What};
use crate::error::{FileKind, Kind};
use crate::model::{ObjectId, Spelling, Start};
use crate::root::Root;
use crate::sys::{self, Access, Fault, Handle, Stat};

/// The most links that the kernel follows in one lookup.
const HOPS_MAX: usize = 40;

/// How many directories on the way down are kept open, so that a `..` soon after needs no new lookup.
const TRAIL_MAX: usize = 8;

/// How many lookups from the root one walk may take for its `..`; each can be as long as the tree is deep.
const REOPENED_MAX: usize = 256;

/// How many components of one walk are remembered for a report.
const REMEMBERED_MAX: usize = 4096;

/// How long the paths of what is remembered may be together, in bytes. A few links can lead as deep as a hundred thousand
/// bytes, and to and fro there; a report has each path several times.
const REMEMBERED_BYTES: usize = 2 << 20;

/// An open directory.
enum Open<'a> {
    Own(Handle),
    /// The caller's, in which the walk begins.
    Given(&'a Handle),
}

impl Open<'_> {
    fn handle(&self) -> &Handle {
        match self {
            Open::Own(handle) => handle,
            Open::Given(handle) => handle,
        }
    }
}

enum Here<'a> {
    /// The directory at the path walked so far, not opened yet.
    Unopened,
    Dir(Open<'a>, Stat),
    /// Something that is no directory.
    Object(Stat),
}

pub(super) struct Walker<'a> {
    root: &'a Root,
    going: WalkOptions<'a>,
    way: Way,
    /// The physical place walked to so far.
    at: Position<'a>,
    here: Here<'a>,
    /// The directory here was entered, and nothing was looked up in it yet.
    unsearched: bool,
    /// A `..` stayed at the root.
    clamped: bool,
    /// The directories above, the nearest last.
    trail: VecDeque<(Open<'a>, Stat)>,
    reopened: usize,
    hops: Vec<Hop>,
    /// How long their paths are together.
    remembered: usize,
    links: usize,
}

impl<'a> Walker<'a> {
    /// A walker along `text` from the directory `from`, which may be open.
    pub(super) fn new(
        root: &'a Root,
        (from, start): (&Path, Option<&'a Handle>),
        text: &OsStr,
        going: WalkOptions<'a>,
    ) -> Walker<'a> {
        let open = start.and_then(|dir| root.calls().stat(dir).ok().map(|stat| Here::Dir(Open::Given(dir), stat)));
        Walker {
            root,
            going,
            way: Way::new(text),
            at: Position::new(going.overlay, from),
            here: open.unwrap_or(Here::Unopened),
            unsearched: false,
            clamped: false,
            trail: VecDeque::new(),
            reopened: 0,
            hops: Vec::new(),
            remembered: 0,
            links: going.links,
        }
    }

    pub(super) fn links(&self) -> usize {
        self.links
    }

    pub(super) fn is_clamped(&self) -> bool {
        self.clamped
    }

    pub(super) fn run(&mut self, text: &OsStr) -> Result<Stat, Stop> {
        self.enter(text)?;
        while let Some(what) = self.way.next() {
            match what {
                What::Directory { searched } => self.be_directory(searched)?,
                What::Parent => self.climb()?,
                What::Name(name) => self.go(name)?,
            }
        }
        match &self.here {
            Here::Object(stat) | Here::Dir(_, stat) => Ok(*stat),
            Here::Unopened => match self.open_here() {
                Ok((_, stat)) => Ok(stat),
                Err(stop) => self.made().filter(|_| self.is_to_be_made(&stop)).ok_or(stop),
            },
        }
    }

    /// The directory here, if an edit that comes before creates it.
    fn made(&self) -> Option<Stat> {
        // No device has this number: it is told from all that are there, and from others that are yet to be made.
        let id = ObjectId { device: u64::MAX, inode: self.at.made()? };
        let uid = self.root.calls().user();
        Some(Stat { id, kind: FileKind::Dir, mode: 0o755, uid, gid: 0, links: 2, size: 0, changed: 0 })
    }

    /// What was walked over and where the walk is.
    pub(super) fn into_parts(self) -> (Vec<Hop>, PathBuf) {
        (self.hops, self.at.into_path())
    }

    /// Goes on along a text. An absolute one begins at the root or leads outside.
    fn enter(&mut self, text: &OsStr) -> Result<(), Stop> {
        let spelling = Spelling::new(text);
        if !spelling.is_absolute() {
            self.way.lay(None);
            return Ok(());
        }
        let Start::Absolute(inside) = spelling.start(self.at.path(), self.root.anchor()) else {
            return Err(self.way.stop(Kind::Escape, None));
        };
        self.restart();
        self.way.lay(Some(&inside));
        Ok(())
    }

    fn restart(&mut self) {
        self.at.restart();
        self.here = Here::Unopened;
        self.unsearched = false;
        self.trail.clear();
    }

    /// Goes to the parent, by the way that the walk came.
    fn climb(&mut self) -> Result<(), Stop> {
        if let Here::Object(_) = self.here {
            // This `..` is among what is left to be judged by its spelling.
            self.way.put_back_parent();
            return Err(self.missing(None));
        }
        self.search()?;
        if self.at.leave() {
            self.here = match self.trail.pop_back() {
                Some((dir, stat)) => Here::Dir(dir, stat),
                None => Here::Unopened,
            };
        } else if self.root.anchor().is_top {
            self.clamped = true;
        } else {
            return Err(self.way.stop(Kind::Escape, None));
        }
        let stat = match &self.here {
            Here::Dir(_, stat) => Some(*stat),
            _ => None,
        };
        self.remember("..".into(), stat.as_ref(), None);
        Ok(())
    }

    /// A directory that the walk leaves, or ends within, must let its names be looked up, though none is.
    fn search(&mut self) -> Result<(), Stop> {
        if let (true, Here::Dir(dir, _)) = (std::mem::take(&mut self.unsearched), &self.here) {
            let searched = self.root.calls().open_dir(dir.handle(), Path::new(""), true, Access::Search);
            searched.map(drop).map_err(|source| self.refused(source))?;
        }
        Ok(())
    }

    fn go(&mut self, name: OsString) -> Result<(), Stop> {
        match self.at.laid(&name) {
            Some(Laid::Link(text)) => return self.follow(name, None, text.to_os_string()),
            Some(Laid::Nothing) => {
                self.at.enter(&name);
                return Err(self.missing(None));
            }
            Some(Laid::Dir) => return self.pass(&name),
            None => {}
        }
        if let Here::Object(_) = self.here {
            self.at.enter(&name);
            return Err(self.missing(None));
        }
        let root = self.root;
        let cross = self.going.cross;
        let dir = match self.open_here() {
            Ok((dir, _)) => dir,
            Err(stop) => return self.would_be_made(&name, stop),
        };
        let opened = root.calls().reach_entry(dir, Path::new(&name), cross).and_then(|entry| {
            let stat = root.calls().stat(&entry)?;
            Ok((entry, stat))
        });
        self.unsearched = false;
        let (entry, stat) = match opened {
            Ok(opened) => opened,
            Err(source) => {
                self.at.enter(&name);
                self.remember(name.clone(), None, None);
                let stop = self.refused(source);
                self.at.leave();
                return self.would_be_made(&name, stop);
            }
        };
        if stat.kind == FileKind::Symlink {
            let text = root.calls().read_pinned(&entry).map_err(|source| self.refused(source))?;
            self.may_follow(&entry, &stat, (&name, &text))?;
            return self.follow(name, Some(&stat), text);
        }
        self.at.enter(&name);
        self.remember(name, Some(&stat), None);
        self.unsearched = stat.kind == FileKind::Dir;
        let next = if self.unsearched { Here::Dir(Open::Own(entry), stat) } else { Here::Object(stat) };
        if let Here::Dir(above, above_stat) = std::mem::replace(&mut self.here, next) {
            self.trail.push_back((above, above_stat));
            if self.trail.len() > TRAIL_MAX {
                self.trail.pop_front();
            }
        }
        Ok(())
    }

    fn be_directory(&mut self, searched: bool) -> Result<(), Stop> {
        match self.open_here().map(drop) {
            Err(stop) if !self.is_to_be_made(&stop) => Err(stop),
            Ok(()) if searched => self.search(),
            _ => Ok(()),
        }
    }

    /// Whether what was missing is a directory that is yet to be made for a link of the overlay.
    fn is_to_be_made(&self, stop: &Stop) -> bool {
        // What the disk has in its place may be a link.
        matches!(stop.kind, Kind::NotFound | Kind::Escape | Kind::Contended)
            && self.going.overlay.is_above(self.at.path())
    }

    /// Passes through a directory that is yet to be made, in one that is there or not.
    fn would_be_made(&mut self, name: &OsStr, stop: Stop) -> Result<(), Stop> {
        let is_below_made = self.is_to_be_made(&stop);
        self.at.enter(name);
        let is_made = self.is_to_be_made(&stop);
        self.at.leave();
        if !is_made && !is_below_made {
            return Err(stop);
        }
        self.pass(name)?;
        if is_made { Ok(()) } else { Err(self.missing(stop.source)) }
    }

    /// Enters a directory that is not there yet.
    fn pass(&mut self, name: &OsStr) -> Result<(), Stop> {
        self.at.enter(name);
        self.here = Here::Unopened;
        self.unsearched = false;
        self.trail.clear();
        Ok(())
    }

    fn follow(&mut self, name: OsString, stat: Option<&Stat>, text: OsString) -> Result<(), Stop> {
        self.at.enter(&name);
        self.remember(name, stat, Some(&text));
        self.at.leave();
        self.links += 1;
        if text.is_empty() && self.links <= HOPS_MAX {
            return Err(self.way.stop(Kind::NotFound, None));
        }
        self.way.turn(text.clone());
        if self.links > HOPS_MAX {
            return Err(self.way.stop(Kind::Loop, None));
        }
        self.enter(&text)
    }

    /// The rules that the kernel has beyond the text: `fs.protected_symlinks`, `nosymfollow`, magic links.
    fn may_follow(&mut self, link: &Handle, stat: &Stat, (name, text): (&OsStr, &OsStr)) -> Result<(), Stop> {
        let root = self.root;
        let own_mount = stat.id.device == root.id().device && !self.going.cross;
        let rules = if own_mount { root.link_rules() } else { root.calls().link_rules(link).unwrap_or_default() };
        if rules.never_followed {
            return Err(self.way.stop(Kind::MountPolicy, None));
        }
        // The plain links of `proc` are relative.
        if rules.on_proc && Spelling::new(text).is_absolute() {
            return Err(self.way.stop(Kind::MagicLink, None));
        }
        let (dir, dir_stat) = self.open_here()?;
        let protected = dir_stat.is_sticky_for_all() && dir_stat.uid != stat.uid;
        if !protected && !rules.on_proc {
            return Ok(());
        }
        match root.calls().try_follow(dir, name) {
            Err(source) if protected && sys::fault(&source) == Fault::Denied => {
                Err(self.way.stop(Kind::Permission, Some(source)))
            }
            Err(source) if rules.on_proc && sys::fault(&source) == Fault::Link => {
                Err(self.way.stop(Kind::MagicLink, None))
            }
            _ => Ok(()),
        }
    }

    /// Opens the directory the walk is in, unless it is open.
    fn open_here(&mut self) -> Result<(&Handle, Stat), Stop> {
        if let Here::Unopened = self.here {
            self.reopened += 1;
            if self.reopened > REOPENED_MAX {
                return Err(self.way.stop(Kind::TooLong, None));
            }
            if self.at.is_cleared() {
                return Err(self.missing(None));
            }
            let calls = self.root.calls();
            let opened = calls.open_dir(self.root.handle(), self.at.path(), self.going.cross, Access::Search);
            match opened.and_then(|dir| calls.stat(&dir).map(|stat| (dir, stat))) {
                Ok((dir, stat)) => self.here = Here::Dir(Open::Own(dir), stat),
                Err(source) => return Err(self.refused(source)),
            }
        }
        match self.here {
            Here::Dir(ref dir, stat) => Ok((dir.handle(), stat)),
            Here::Object(_) | Here::Unopened => Err(self.missing(None)),
        }
    }

    fn refused(&self, source: io::Error) -> Stop {
        let kind = match sys::fault(&source) {
            Fault::Missing | Fault::NotDirectory | Fault::TooLong => return self.missing(Some(source)),
            Fault::Crossing => Kind::CrossMount,
            Fault::Denied => Kind::Permission,
            // A directory on the way back up became a link.
            Fault::Link => Kind::Contended,
            _ => Kind::of(&source),
        };
        self.way.stop(kind, Some(source))
    }

    fn missing(&self, source: Option<io::Error>) -> Stop {
        self.way.missing(self.at.path().components().count(), self.root.anchor().is_top, source)
    }

    fn remember(&mut self, component: OsString, stat: Option<&Stat>, target: Option<&OsStr>) {
        if !self.going.remember || self.hops.len() >= REMEMBERED_MAX {
            return;
        }
        self.remembered = self.remembered.saturating_add(self.at.path().as_os_str().len());
        if self.remembered > REMEMBERED_BYTES {
            return;
        }
        let kind = stat.map(|stat| stat.kind).or(target.is_some().then_some(FileKind::Symlink));
        let (uid, mode) = (stat.map(|stat| stat.uid), stat.map(|stat| stat.mode));
        let at = self.at.path().to_path_buf();
        self.hops.push(Hop { component, at, kind, target: target.map(OsStr::to_os_string), uid, mode });
    }
}
