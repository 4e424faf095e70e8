//! The walk: one component at a time, every link looked at before it is gone through.
//!
//! The walk holds one descriptor, that of the directory it is in. A `..` goes to the parent by the path that the walk
//! itself came along, opened anew from the root, so a directory that was moved outside meanwhile leads nowhere. Each
//! component is pinned without being followed; a link's text is put in front of what is left to walk.
//!
//! What it says is true of the moment it looked. Between two components others may rename.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};

use super::Overlay;
use crate::error::{Error, FileKind, Kind};
use crate::model::{Spelling, Start};
use crate::root::Root;
use crate::sys::{self, Access, Fault, Handle, Stat};

/// The most links that the kernel follows in one lookup.
const HOPS_MAX: usize = 40;

/// One component that was walked over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hop {
    /// The component as it was written in the path or in a link's text.
    pub component: OsString,
    /// Where it stands, below the root; empty for the root itself.
    pub at: PathBuf,
    /// Its kind; none where it could not be seen.
    pub kind: Option<FileKind>,
    /// The text, where it is a link.
    pub target: Option<OsString>,
    /// Its owner.
    pub uid: Option<u32>,
    /// Its permission bits.
    pub mode: Option<u32>,
}

/// What a walk came to.
#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) hops: Vec<Hop>,
    /// How many links were gone through.
    pub(crate) links: usize,
    pub(crate) end: End,
}

#[derive(Debug)]
pub(crate) enum End {
    Reached(Reached),
    Stopped(Stop),
}

/// The object a walk ended at.
#[derive(Debug)]
pub(crate) struct Reached {
    pub(crate) path: PathBuf,
    pub(crate) stat: Stat,
}

/// Why a walk could not go on.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) kind: Kind,
    /// The component of the walked path, not of a link's text in between.
    pub(crate) component: OsString,
    pub(crate) index: usize,
    /// The text of the last link that was gone through.
    pub(crate) via: Option<OsString>,
    pub(crate) source: Option<io::Error>,
}

impl Stop {
    pub(crate) fn into_error(self) -> Error {
        let error = match self.source {
            Some(source) => Error::from_io(source).with_kind(self.kind),
            None => Error::new(self.kind),
        };
        let error = error.at(self.component, self.index);
        match self.via {
            Some(via) => error.via(via),
            None => error,
        }
    }
}

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

/// Walks `text` from the physical directory `from`, following every link; `gone_through` links count already.
pub(crate) fn walk(
    root: &Root,
    from: &Path,
    text: &OsStr,
    cross: bool,
    gone_through: usize,
    overlay: Overlay<'_>,
) -> Walk {
    let mut walker = Walker {
        root,
        cross,
        overlay,
        origins: Vec::new(),
        rest: Vec::new(),
        at: from.to_path_buf(),
        here: Here::Unopened,
        hops: Vec::new(),
        links: gone_through,
        via: None,
    };
    let end = match walker.run(text) {
        Ok(reached) => End::Reached(reached),
        Err(stop) => End::Stopped(stop),
    };
    Walk { hops: walker.hops, links: walker.links, end }
}

struct Walker<'a> {
    root: &'a Root,
    cross: bool,
    overlay: Overlay<'a>,
    /// The components of the walked path.
    origins: Vec<OsString>,
    /// What is left, the next one last.
    rest: Vec<Step>,
    /// The physical path walked so far.
    at: PathBuf,
    here: Here,
    hops: Vec<Hop>,
    links: usize,
    via: Option<OsString>,
}

enum Here {
    /// A directory at `at`, not opened yet.
    Unopened,
    /// A directory.
    Dir(Handle, Stat),
    /// Something else.
    Object(Stat),
}

impl Walker<'_> {
    fn run(&mut self, text: &OsStr) -> Result<Reached, Stop> {
        let absolute = Spelling::new(text).is_absolute();
        let mut components = Path::new(text).components().filter(|c| *c != Component::CurDir).peekable();
        if absolute {
            components.next();
            self.origins.push("/".into());
        }
        self.origins.extend(components.map(|c| c.as_os_str().to_os_string()));
        self.enter(text, None)?;
        while let Some(step) = self.rest.pop() {
            match step.what {
                What::Directory => self.open_here(step.origin).map(drop)?,
                What::Parent => self.climb(step.origin)?,
                What::Name(name) => self.go(name, step.origin)?,
            }
        }
        let last = self.origins.len().saturating_sub(1);
        let stat = match &self.here {
            Here::Object(stat) | Here::Dir(_, stat) => *stat,
            Here::Unopened => self.open_here(last)?.1,
        };
        Ok(Reached { path: std::mem::take(&mut self.at), stat })
    }

    /// Puts the components of a text in front of what is left. An absolute text begins at the root or leads outside.
    fn enter(&mut self, text: &OsStr, origin: Option<usize>) -> Result<(), Stop> {
        let spelling = Spelling::new(text);
        let text_path;
        let text = if spelling.is_absolute() {
            match spelling.start(&self.at, self.root.physical_path()) {
                Start::Absolute(rest) => {
                    self.at = PathBuf::new();
                    self.here = Here::Unopened;
                    text_path = rest;
                    text_path.as_path()
                }
                _ => return Err(self.stop(Kind::Escape, origin.unwrap_or(0), None)),
            }
        } else {
            Path::new(text)
        };
        let skipped = self.origins.len().saturating_sub(text.components().filter(|c| *c != Component::CurDir).count());
        let first = self.rest.len();
        let names = text.components().filter(|c| *c != Component::CurDir).enumerate();
        for (index, component) in names {
            let what = match component {
                Component::ParentDir => What::Parent,
                other => What::Name(other.as_os_str().to_os_string()),
            };
            self.rest.push(Step { what, origin: origin.unwrap_or(skipped + index) });
        }
        if spelling.wants_directory() {
            self.rest
                .push(Step { what: What::Directory, origin: origin.unwrap_or(self.origins.len().saturating_sub(1)) });
        }
        self.rest[first..].reverse();
        Ok(())
    }

    /// Goes to the parent, by the way that the walk came.
    fn climb(&mut self, origin: usize) -> Result<(), Stop> {
        if !matches!(self.here, Here::Unopened) {
            self.open_here(origin)?;
        }
        if !self.at.pop() {
            return Err(self.stop(Kind::Escape, origin, None));
        }
        self.here = Here::Unopened;
        self.record("..".into(), None, None);
        Ok(())
    }

    fn go(&mut self, name: OsString, origin: usize) -> Result<(), Stop> {
        let at = self.at.join(&name);
        if let Some(text) = self.overlay.text_at(&at) {
            let text = text.to_os_string();
            return self.follow(name, None, text, origin);
        }
        let calls = self.root.calls();
        let cross = self.cross;
        let (dir, dir_stat) = self.open_here(origin)?;
        let opened = calls.reach_entry(dir, Path::new(&name), cross).and_then(|entry| {
            let stat = calls.stat(&entry)?;
            Ok((entry, stat))
        });
        let (entry, stat) = match opened {
            Ok(opened) => opened,
            Err(source) => {
                self.at = at;
                self.record(name, None, None);
                return Err(self.refused(source, origin));
            }
        };
        match stat.kind {
            FileKind::Symlink => {
                let sticky = dir_stat.mode & 0o1002 == 0o1002 && dir_stat.uid != stat.uid;
                let probed = if sticky { calls.try_follow(dir, &name) } else { Ok(()) };
                let text = calls.read_pinned(&entry).map_err(|source| self.refused(source, origin))?;
                self.check_rules(&entry, &stat, &name, origin)?;
                match probed {
                    // `fs.protected_symlinks`: the kernel would not follow it for this caller.
                    Err(source) if sys::fault(&source) == Fault::Denied => {
                        self.at = at;
                        self.record(name, Some(&stat), Some(text));
                        return Err(self.stop(Kind::Permission, origin, Some(source)));
                    }
                    _ => {}
                }
                self.follow(name, Some(&stat), text, origin)
            }
            FileKind::Dir => {
                self.at = at;
                self.here = Here::Dir(entry, stat);
                self.record(name, Some(&stat), None);
                Ok(())
            }
            _ => {
                self.at = at;
                self.here = Here::Object(stat);
                self.record(name, Some(&stat), None);
                Ok(())
            }
        }
    }

    fn follow(&mut self, name: OsString, stat: Option<&Stat>, text: OsString, origin: usize) -> Result<(), Stop> {
        let dir = std::mem::take(&mut self.at);
        self.at = dir.join(&name);
        self.record(name, stat, Some(text.clone()));
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

    fn check_rules(&mut self, link: &Handle, stat: &Stat, name: &OsStr, origin: usize) -> Result<(), Stop> {
        let rules = if stat.id.device == self.root.id().device && !self.cross {
            self.root.link_rules()
        } else {
            self.root.calls().link_rules(link).unwrap_or_default()
        };
        if rules.never_followed {
            return Err(self.stop(Kind::MountPolicy, origin, None));
        }
        if rules.on_proc {
            let root = self.root;
            let (dir, _) = self.open_here(origin)?;
            let followed = root.calls().try_follow(dir, name);
            if followed.is_err_and(|source| sys::fault(&source) == Fault::Link) {
                return Err(self.stop(Kind::MagicLink, origin, None));
            }
        }
        Ok(())
    }

    /// Opens the directory the walk is in, unless it is open.
    fn open_here(&mut self, origin: usize) -> Result<(&Handle, Stat), Stop> {
        if let Here::Unopened = self.here {
            let calls = self.root.calls();
            let opened = calls.open_dir(self.root.handle(), &self.at, self.cross, Access::Search).and_then(|dir| {
                let stat = calls.stat(&dir)?;
                Ok((dir, stat))
            });
            match opened {
                Ok((dir, stat)) => self.here = Here::Dir(dir, stat),
                Err(source) => return Err(self.refused(source, origin)),
            }
        }
        if let Here::Object(_) = self.here {
            return Err(self.missing(origin, None));
        }
        match &self.here {
            Here::Dir(dir, stat) => Ok((dir, *stat)),
            _ => unreachable!("BUG: the directory was opened above"),
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

    fn record(&mut self, component: OsString, stat: Option<&Stat>, target: Option<OsString>) {
        let kind = stat.map(|stat| stat.kind).or(target.is_some().then_some(FileKind::Symlink));
        let (uid, mode) = (stat.map(|stat| stat.uid), stat.map(|stat| stat.mode));
        self.hops.push(Hop { component, at: self.at.clone(), kind, target, uid, mode });
    }
}
