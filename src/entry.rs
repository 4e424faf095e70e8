//! An opened parent directory and one name in it.
//!
//! The parent is opened once, below the root. From then on only (parent, name) is spoken of.

use std::ffi::OsStr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, FileKind, Found, Kind, Result};
use crate::model::LinkPath;
use crate::resolve::{End, Stop, WalkOptions, walk};
use crate::root::{Root, not_state};
use crate::sys::{self, Access, Calls, Fault, Handle, Stat};

/// Tries of a lookup whose directories others rename at the same time.
const TRIES: usize = 16;

/// One name in an opened directory below a root.
///
/// Holding it saves the lookup of the directory; what is done through it is still checked and read back from the root.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
/// # dir.create_dir_all("srv/v1")?;
/// use caplink::{Edit, Policy, Root, Target};
///
/// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
/// let current = root.entry("srv/current")?;
/// let _ = current.apply(&Edit::ensure(current.path().clone(), Target::relative("srv/v1")))?;
/// assert_eq!(current.read()?.text(), Some(std::ffi::OsStr::new("v1")));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Entry(pub(crate) Opened<'static>);

/// One name in an opened directory. It borrows what it is for, if that outlives it: an edit needs it for a moment.
#[derive(Debug)]
pub(crate) struct Opened<'a> {
    pub(crate) root: Held<'a, Root>,
    pub(crate) path: Held<'a, LinkPath>,
    /// Where links were followed on the way: the physical path.
    followed: Option<PathBuf>,
    pub(crate) parent: Arc<Handle>,
    /// The directory was opened for reading, for this edit alone: it can be locked as it is.
    pub(crate) lockable: bool,
    /// Where the directory is kept open for more edits.
    pub(crate) kept: Option<Kept>,
}

/// What several edits share of the directory that is kept open for them: a look at it, its lock, and a proof at their end
/// that it is in its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) stat: Stat,
    /// A name in it can be made, but not renamed or removed.
    pub(crate) is_append_only: bool,
    /// Only the caller can make names in it.
    pub(crate) is_private: bool,
    /// Its lock is held until the proof.
    pub(crate) is_locked: bool,
}

/// What is lent by somebody who keeps it, or owned.
#[derive(Debug)]
pub(crate) enum Held<'a, T> {
    Lent(&'a T),
    Own(T),
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Held::Lent(lent) => lent,
            Held::Own(own) => own,
        }
    }
}

impl Root {
    /// Opens the directory of a link.
    ///
    /// # Errors
    ///
    /// Those of a link path; `symlink_in_path`, `not_found`, `cross_mount`, `permission` with the component.
    pub fn entry(&self, path: impl AsRef<OsStr>) -> Result<Entry> {
        let path = LinkPath::new(path)?;
        let opened = Opened::open(self, &path).map(|at| Entry(at.owned()));
        opened.map_err(|error| self.or_gone(error.on("open", &path)))
    }
}

impl Root {
    /// Opens a directory below this root as a root of its own, with the same policy and observer.
    ///
    /// # Security
    ///
    /// The state directory stays that of this root, out of the reach of whoever writes below the narrower one.
    ///
    /// # Errors
    ///
    /// Those of a path below the root; `not_found` where it is no directory, `policy` where it is the state directory.
    pub fn subroot(&self, path: impl AsRef<OsStr>) -> Result<Root> {
        let place = LinkPath::new(path)?;
        let open = || {
            let (handle, physical) = open_dir(self, place.as_path(), Access::Search)?;
            let physical = physical.as_deref().unwrap_or(place.as_path());
            not_state(self, physical)?;
            self.at(handle, physical).map_err(Error::from_io)
        };
        open().map_err(|error| self.or_gone(error.on("open", &place)))
    }
}

impl Entry {
    /// Returns the path of the link.
    pub fn path(&self) -> &LinkPath {
        &self.0.path
    }

    /// Returns what is under the name now.
    ///
    /// # Errors
    ///
    /// `permission`, `io`.
    pub fn read(&self) -> Result<Found> {
        self.0.look().map_err(|error| error.on("read", self.path()))
    }
}

impl<'a> Opened<'a> {
    pub(crate) fn open(root: &'a Root, path: &'a LinkPath) -> Result<Opened<'a>> {
        Opened::open_for(root, path, Access::Search)
    }

    /// Opens the directory; for reading where it is likely to be locked next, and where that is permitted.
    pub(crate) fn open_for(root: &'a Root, path: &'a LinkPath, access: Access) -> Result<Opened<'a>> {
        let (parent, followed) = match open_dir(root, path.parent(), access) {
            Err(error) if access == Access::Read && error.kind() == Kind::Permission => {
                return Opened::open_for(root, path, Access::Search);
            }
            opened => opened?,
        };
        let followed = followed.map(|dir| dir.join(path.name()));
        let (parent, lockable) = (Arc::new(parent), access == Access::Read);
        Ok(Opened { followed, lockable, ..Opened::of(root, path, parent) })
    }

    /// An entry of the root's own directory, which is open.
    pub(crate) fn in_root(root: &'a Root, path: &'a LinkPath) -> Opened<'a> {
        Opened::of(root, path, root.shared_handle())
    }

    /// An entry of a directory that is open, to which no link was followed.
    pub(crate) fn of(root: &'a Root, path: &'a LinkPath, parent: Arc<Handle>) -> Opened<'a> {
        let (root, path) = (Held::Lent(root), Held::Lent(path));
        Opened { root, path, followed: None, parent, lockable: false, kept: None }
    }
}

impl Opened<'_> {
    /// The same in a directory that is kept.
    pub(crate) fn kept(self, kept: Kept, lockable: bool) -> Self {
        Opened { kept: Some(kept), lockable, ..self }
    }

    /// Whether its directory is the root's own: no walk leads to it, and none can lead elsewhere.
    pub(crate) fn is_in_root(&self) -> bool {
        self.path.parent().as_os_str().is_empty()
    }

    /// The same, for longer than what it borrows lives.
    pub(crate) fn owned(&self) -> Opened<'static> {
        self.used_by(Root::clone(&self.root))
    }

    /// The same entry, in the same opened directory, for the same root as another uses it. Nobody keeps the directory then.
    pub(crate) fn used_by(&self, root: Root) -> Opened<'static> {
        let path = Held::Own(LinkPath::clone(&self.path));
        let (followed, parent) = (self.followed.clone(), Arc::clone(&self.parent));
        Opened { root: Held::Own(root), path, followed, parent, lockable: self.lockable, kept: None }
    }

    /// The physical path of the entry, if links were followed to it.
    pub(crate) fn followed(&self) -> Option<PathBuf> {
        self.followed.clone()
    }

    /// The physical path of the entry, below the root.
    pub(crate) fn physical(&self) -> &Path {
        self.followed.as_deref().unwrap_or(self.path.as_path())
    }

    /// The physical path of the directory, below the root.
    pub(crate) fn dir(&self) -> &Path {
        match &self.followed {
            Some(physical) => physical.parent().expect("BUG: an entry has a name"),
            None => self.path.parent(),
        }
    }

    pub(crate) fn name(&self) -> &OsStr {
        self.path.name()
    }

    pub(crate) fn at(&self) -> (&Handle, &OsStr) {
        (&self.parent, self.name())
    }

    pub(crate) fn look(&self) -> Result<Found> {
        look(self.root.calls(), self.at())
    }
}

/// What is under the name now.
pub(crate) fn look(calls: &dyn Calls, (dir, name): (&Handle, &OsStr)) -> Result<Found> {
    for _ in 0..TRIES {
        match calls.read_link(dir, name) {
            Ok(Some(text)) => return Ok(Found::Link(text)),
            Ok(None) => {}
            Err(source) if sys::fault(&source) == Fault::Missing => return Ok(Found::Missing),
            Err(source) => return Err(Error::from_io(source)),
        }
        match calls.stat_at(dir, name) {
            // It became a link after it was read as something else.
            Ok(stat) if stat.kind == FileKind::Symlink => {}
            Ok(stat) => return Ok(Found::Other(stat.kind)),
            Err(source) if sys::fault(&source) == Fault::Missing => return Ok(Found::Missing),
            Err(source) => return Err(Error::from_io(source)),
        }
    }
    Err(Error::new(Kind::Contended))
}

/// Opens a directory below the root; returns it with its physical path, where links were followed to it.
pub(crate) fn open_dir(root: &Root, path: &Path, access: Access) -> Result<(Handle, Option<PathBuf>)> {
    for _ in 0..TRIES {
        let source = match root.calls().open_dir(root.handle(), path, root.policy().cross_mounts, access) {
            Ok(dir) => return Ok((dir, None)),
            Err(source) => source,
        };
        if sys::fault(&source) == Fault::Link && root.policy().follow {
            if let Some((dir, physical)) = open_followed(root, path, access)? {
                return Ok((dir, Some(physical)));
            }
        } else if let Some(error) = diagnose(root, path) {
            // A link that may be followed is not at fault: the kernel asked for another try.
            if error.kind() == Kind::SymlinkInPath && root.policy().follow {
                continue;
            }
            return Err(error);
        } else if !matches!(sys::fault(&source), Fault::Missing | Fault::NotDirectory | Fault::Link | Fault::Crossing) {
            return Err(Error::from_io(source));
        }
        // The way was changed between the refusal and the look at it.
    }
    Err(Error::new(Kind::Contended))
}

/// Goes through links that stay below the root; none if the directory moved away meanwhile.
fn open_followed(root: &Root, path: &Path, access: Access) -> Result<Option<(Handle, PathBuf)>> {
    let cross = root.policy().cross_mounts;
    let reached = match walk(root, Path::new(""), path.as_os_str(), WalkOptions { cross, ..WalkOptions::default() }).end
    {
        End::Reached(reached) => reached,
        End::Stopped(stop) => return Err(without_directory(root, path, &stop).unwrap_or_else(|| stop.into_error())),
    };
    if reached.stat.kind != FileKind::Dir {
        return Err(no_directory_at(path));
    }
    match root.calls().open_dir(root.handle(), &reached.path, cross, access) {
        Ok(dir) => Ok(Some((dir, reached.path))),
        Err(source) if matches!(sys::fault(&source), Fault::Missing | Fault::Link | Fault::NotDirectory) => Ok(None),
        Err(source) => Err(Error::from_io(source)),
    }
}

/// Where a component is missing because what comes before it is no directory: that is the one to be named.
fn without_directory(root: &Root, path: &Path, stop: &Stop) -> Option<Error> {
    if stop.kind != Kind::NotFound || stop.index == 0 {
        return None;
    }
    let before: PathBuf = path.components().take(stop.index).collect();
    let going = WalkOptions { cross: root.policy().cross_mounts, ..WalkOptions::default() };
    match walk(root, Path::new(""), before.as_os_str(), going).end {
        End::Reached(reached) if reached.stat.kind != FileKind::Dir => Some(no_directory_at(&before)),
        _ => None,
    }
}

/// The last component of the path is no directory.
pub(crate) fn no_directory_at(path: &Path) -> Error {
    not_a_directory(path.file_name().unwrap_or_default(), path.components().count().saturating_sub(1))
}

fn not_a_directory(name: &OsStr, index: usize) -> Error {
    Error::new(Kind::NotFound).because("a parent is no directory").at(name, index)
}

/// Opens one component at a time, to name the one that a confined open was refused at.
///
/// None if everything opens: then it was changed meanwhile.
fn diagnose(root: &Root, path: &Path) -> Option<Error> {
    let calls = root.calls();
    let mut dir: Option<Handle> = None;
    for (index, component) in path.components().enumerate() {
        let name = component.as_os_str();
        let at = dir.as_ref().unwrap_or(root.handle());
        let source = match calls.open_dir(at, Path::new(name), root.policy().cross_mounts, Access::Search) {
            Ok(next) => {
                dir = Some(next);
                continue;
            }
            Err(source) => source,
        };
        let text = calls.read_link(at, name);
        return Some(match sys::fault(&source) {
            _ if matches!(text, Ok(Some(_))) => {
                let text = text.ok().flatten().unwrap_or_default();
                Error::new(Kind::SymlinkInPath).at(name, index).via(text)
            }
            Fault::Missing => Error::from_io(source).because("a parent is missing").at(name, index),
            Fault::NotDirectory => not_a_directory(name, index),
            Fault::Link => return None,
            _ => Error::from_io(source).at(name, index),
        });
    }
    None
}
