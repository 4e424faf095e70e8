//! Walks one component at a time; every link is looked at before it is gone through.
//!
//! The walker holds the descriptors of the directory it is in and of the last few on the way down. A `..` goes back
//! along the way that the walk itself came, never through the `..` of a directory that may have been moved. Each
//! component is pinned without being followed; a link's text is put in front of what is left to walk.
//!
//! A walk is bounded: 40 links, and a number of lookups from the root for its `..`. What it says is true of the moment
//! it looked: between two components others may rename.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};

use super::overlay::Laid;
use super::walk::{Hop, Reached, Stop, WalkOptions};
use crate::error::{FileKind, Kind};
use crate::model::{Spelling, Start};
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
/// bytes, and to and fro there.
const REMEMBERED_BYTES: usize = 16 << 20;

/// A component that is still to be walked, and the component of the walked path that it came from.
struct Step {
    what: What,
    origin: usize,
}

enum What {
    Name(OsString),
    Parent,
    /// What was reached must be a directory.
    Directory,
}

enum Here {
    /// The directory at the path walked so far, not opened yet.
    Unopened,
    Dir(Handle, Stat),
    /// Something that is no directory.
    Object(Stat),
}

pub(super) struct Walker<'a> {
    root: &'a Root,
    going: WalkOptions<'a>,
    /// The components of the walked path.
    origins: Vec<OsString>,
    /// What is left, the next one last.
    rest: Vec<Step>,
    /// The physical path walked so far.
    at: PathBuf,
    here: Here,
    /// The directories above, the nearest last.
    trail: VecDeque<(Handle, Stat)>,
    reopened: usize,
    hops: Vec<Hop>,
    /// How long their paths are together.
    remembered: usize,
    links: usize,
    via: Option<OsString>,
}

impl<'a> Walker<'a> {
    pub(super) fn new(root: &'a Root, from: &Path, going: WalkOptions<'a>) -> Walker<'a> {
        Walker {
            root,
            going,
            origins: Vec::new(),
            rest: Vec::new(),
            at: from.to_path_buf(),
            here: Here::Unopened,
            trail: VecDeque::new(),
            reopened: 0,
            hops: Vec::new(),
            remembered: 0,
            links: going.links,
            via: None,
        }
    }

    pub(super) fn links(&self) -> usize {
        self.links
    }

    pub(super) fn into_hops(self) -> Vec<Hop> {
        self.hops
    }

    pub(super) fn run(&mut self, text: &OsStr) -> Result<Reached, Stop> {
        self.origins = names(Path::new(text)).map(|c| c.as_os_str().to_os_string()).collect();
        if Spelling::new(text).is_absolute() {
            self.origins[0] = "/".into();
        }
        self.enter(text, None)?;
        while let Some(step) = self.rest.pop() {
            match step.what {
                What::Directory => self.be_directory(step.origin)?,
                What::Parent => self.climb(step.origin)?,
                What::Name(name) => self.go(name, step.origin)?,
            }
        }
        let stat = match &self.here {
            Here::Object(stat) | Here::Dir(_, stat) => *stat,
            Here::Unopened => self.open_here(self.origins.len().saturating_sub(1))?.1,
        };
        Ok(Reached { path: std::mem::take(&mut self.at), stat })
    }

    /// Puts the components of a text in front of what is left. An absolute text begins at the root or leads outside.
    fn enter(&mut self, text: &OsStr, origin: Option<usize>) -> Result<(), Stop> {
        let spelling = Spelling::new(text);
        let relative = if spelling.is_absolute() {
            let Start::Absolute(rest) = spelling.start(&self.at, self.root.physical_path()) else {
                return Err(self.stop(Kind::Escape, origin.unwrap_or(0), None));
            };
            self.at = PathBuf::new();
            self.here = Here::Unopened;
            self.trail.clear();
            rest
        } else {
            PathBuf::from(text)
        };
        let first = self.rest.len();
        let skipped = self.origins.len().saturating_sub(names(&relative).count());
        for (index, component) in names(&relative).enumerate() {
            let what = match component {
                Component::ParentDir => What::Parent,
                other => What::Name(other.as_os_str().to_os_string()),
            };
            self.rest.push(Step { what, origin: origin.unwrap_or(skipped + index) });
        }
        if spelling.wants_directory() {
            let origin = origin.unwrap_or(self.origins.len().saturating_sub(1));
            self.rest.push(Step { what: What::Directory, origin });
        }
        self.rest[first..].reverse();
        Ok(())
    }

    /// Goes to the parent, by the way that the walk came.
    fn climb(&mut self, origin: usize) -> Result<(), Stop> {
        if let Here::Object(_) = self.here {
            // This `..` is among what is left to be judged by its spelling.
            self.rest.push(Step { what: What::Parent, origin });
            return Err(self.missing(origin, None));
        }
        if !self.at.pop() {
            return Err(self.stop(Kind::Escape, origin, None));
        }
        self.here = match self.trail.pop_back() {
            Some((dir, stat)) => Here::Dir(dir, stat),
            None => Here::Unopened,
        };
        let stat = match &self.here {
            Here::Dir(_, stat) => Some(*stat),
            _ => None,
        };
        self.remember("..".into(), stat.as_ref(), None);
        Ok(())
    }

    fn go(&mut self, name: OsString, origin: usize) -> Result<(), Stop> {
        let at = self.at.join(&name);
        match self.going.overlay.at(&at) {
            Some(Laid::Link(text)) => return self.follow(name, None, text.to_os_string(), origin),
            Some(Laid::Nothing) => {
                self.at = at;
                return Err(self.missing(origin, None));
            }
            None => {}
        }
        if let Here::Object(_) = self.here {
            self.at = at;
            return Err(self.missing(origin, None));
        }
        let root = self.root;
        let cross = self.going.cross;
        let dir = match self.open_here(origin) {
            Ok((dir, _)) => dir,
            Err(stop) => return self.would_be_made(at, origin, stop),
        };
        let opened = root.calls().reach_entry(dir, Path::new(&name), cross).and_then(|entry| {
            let stat = root.calls().stat(&entry)?;
            Ok((entry, stat))
        });
        let (entry, stat) = match opened {
            Ok(opened) => opened,
            Err(source) => {
                let here = std::mem::replace(&mut self.at, at.clone());
                self.remember(name, None, None);
                let stop = self.refused(source, origin);
                self.at = here;
                return self.would_be_made(at, origin, stop);
            }
        };
        if stat.kind == FileKind::Symlink {
            let text = root.calls().read_pinned(&entry).map_err(|source| self.refused(source, origin))?;
            self.may_follow(&entry, &stat, (&name, &text), origin)?;
            return self.follow(name, Some(&stat), text, origin);
        }
        self.at = at;
        self.remember(name, Some(&stat), None);
        let next = if stat.kind == FileKind::Dir { Here::Dir(entry, stat) } else { Here::Object(stat) };
        if let Here::Dir(above, above_stat) = std::mem::replace(&mut self.here, next) {
            self.trail.push_back((above, above_stat));
            if self.trail.len() > TRAIL_MAX {
                self.trail.pop_front();
            }
        }
        Ok(())
    }

    fn be_directory(&mut self, origin: usize) -> Result<(), Stop> {
        match self.open_here(origin).map(drop) {
            Err(stop) if !self.is_to_be_made(&stop) => Err(stop),
            _ => Ok(()),
        }
    }

    /// Whether what was missing is a directory that is yet to be made for a link of the overlay.
    fn is_to_be_made(&self, stop: &Stop) -> bool {
        matches!(stop.kind, Kind::NotFound | Kind::Escape) && self.going.overlay.is_above(&self.at)
    }

    /// Passes through a directory that is yet to be made.
    fn would_be_made(&mut self, at: PathBuf, origin: usize, stop: Stop) -> Result<(), Stop> {
        let overlay = self.going.overlay;
        if !self.is_to_be_made(&stop) {
            return Err(stop);
        }
        self.at = at;
        self.here = Here::Unopened;
        self.trail.clear();
        if overlay.is_above(&self.at) { Ok(()) } else { Err(self.missing(origin, stop.source)) }
    }

    fn follow(&mut self, name: OsString, stat: Option<&Stat>, text: OsString, origin: usize) -> Result<(), Stop> {
        let link = self.at.join(&name);
        let dir = std::mem::replace(&mut self.at, link);
        self.remember(name, stat, Some(text.clone()));
        self.at = dir;
        self.links += 1;
        if self.links > HOPS_MAX {
            return Err(self.stop(Kind::Loop, origin, None));
        }
        if text.is_empty() {
            return Err(self.stop(Kind::NotFound, origin, None));
        }
        self.via = Some(text.clone());
        self.enter(&text, Some(origin))
    }

    /// The rules that the kernel has beyond the text: `fs.protected_symlinks`, `nosymfollow`, magic links.
    fn may_follow(
        &mut self,
        link: &Handle,
        stat: &Stat,
        (name, text): (&OsStr, &OsStr),
        origin: usize,
    ) -> Result<(), Stop> {
        let root = self.root;
        let own_mount = stat.id.device == root.id().device && !self.going.cross;
        let rules = if own_mount { root.link_rules() } else { root.calls().link_rules(link).unwrap_or_default() };
        if rules.never_followed {
            return Err(self.stop(Kind::MountPolicy, origin, None));
        }
        // The plain links of `proc` are relative.
        if rules.on_proc && Spelling::new(text).is_absolute() {
            return Err(self.stop(Kind::MagicLink, origin, None));
        }
        let (dir, dir_stat) = self.open_here(origin)?;
        let protected = dir_stat.is_sticky_for_all() && dir_stat.uid != stat.uid;
        if !protected && !rules.on_proc {
            return Ok(());
        }
        match root.calls().try_follow(dir, name) {
            Err(source) if protected && sys::fault(&source) == Fault::Denied => {
                Err(self.stop(Kind::Permission, origin, Some(source)))
            }
            Err(source) if rules.on_proc && sys::fault(&source) == Fault::Link => {
                Err(self.stop(Kind::MagicLink, origin, None))
            }
            _ => Ok(()),
        }
    }

    /// Opens the directory the walk is in, unless it is open.
    fn open_here(&mut self, origin: usize) -> Result<(&Handle, Stat), Stop> {
        if let Here::Unopened = self.here {
            self.reopened += 1;
            if self.reopened > REOPENED_MAX {
                return Err(self.stop(Kind::TooLong, origin, None));
            }
            let calls = self.root.calls();
            let opened = calls.open_dir(self.root.handle(), &self.at, self.going.cross, Access::Search);
            match opened.and_then(|dir| calls.stat(&dir).map(|stat| (dir, stat))) {
                Ok((dir, stat)) => self.here = Here::Dir(dir, stat),
                Err(source) => return Err(self.refused(source, origin)),
            }
        }
        match self.here {
            Here::Dir(ref dir, stat) => Ok((dir, stat)),
            Here::Object(_) | Here::Unopened => Err(self.missing(origin, None)),
        }
    }

    fn refused(&self, source: io::Error, origin: usize) -> Stop {
        let kind = match sys::fault(&source) {
            Fault::Missing | Fault::NotDirectory | Fault::TooLong => return self.missing(origin, Some(source)),
            Fault::Crossing => Kind::CrossMount,
            Fault::Denied => Kind::Permission,
            // A directory on the way back up became a link.
            Fault::Link => Kind::Contended,
            _ => Kind::of(&source),
        };
        self.stop(kind, origin, Some(source))
    }

    /// A missing component: what is left is judged by spelling, and may still lead out.
    fn missing(&self, origin: usize, source: Option<io::Error>) -> Stop {
        let mut depth = self.at.components().count();
        for step in self.rest.iter().rev() {
            match step.what {
                What::Name(_) => depth += 1,
                What::Directory => {}
                What::Parent if depth == 0 => return self.stop(Kind::Escape, step.origin, None),
                What::Parent => depth -= 1,
            }
        }
        self.stop(Kind::NotFound, origin, source)
    }

    fn stop(&self, kind: Kind, origin: usize, source: Option<io::Error>) -> Stop {
        let component = self.origins.get(origin).cloned().unwrap_or_else(|| ".".into());
        Stop { kind, component, index: origin, via: self.via.clone(), source }
    }

    fn remember(&mut self, component: OsString, stat: Option<&Stat>, target: Option<OsString>) {
        if !self.going.remember || self.hops.len() >= REMEMBERED_MAX {
            return;
        }
        self.remembered = self.remembered.saturating_add(self.at.as_os_str().len());
        if self.remembered > REMEMBERED_BYTES {
            return;
        }
        let kind = stat.map(|stat| stat.kind).or(target.is_some().then_some(FileKind::Symlink));
        let (uid, mode) = (stat.map(|stat| stat.uid), stat.map(|stat| stat.mode));
        self.hops.push(Hop { component, at: self.at.clone(), kind, target, uid, mode });
    }
}

/// The components of a path, without `.` and, for an absolute one, with its beginning as the first.
fn names(path: &Path) -> impl Iterator<Item = Component<'_>> {
    path.components().filter(|component| *component != Component::CurDir)
}
