//! Looking at one entry, and at where a path leads.
//!
//! Nothing is opened but directories on the way and, with `O_PATH`, the entry itself.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::entry::Opened;
use crate::error::{Error, FileKind, Found, Kind, Result};
use crate::model::{LinkPath, ObjectId, Place};
use crate::resolve::{Detail, End, Hop, LinkSite, LinkView, WalkOptions, view, walk};
use crate::root::Root;
use crate::sys::{self, Fault, Stat};

/// An entry that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspected {
    /// The path, normalised; empty for the root itself.
    pub path: PathBuf,
    /// Its kind; `None` where nothing is under the name.
    pub kind: Option<FileKind>,
    /// Device and inode.
    pub id: Option<ObjectId>,
    /// The owner.
    pub uid: Option<u32>,
    /// The permission bits.
    pub mode: Option<u32>,
    /// Where it leads, if it is a link.
    pub link: Option<LinkView>,
}

/// Where a path leads below the root.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolved {
    /// The path of what it leads to; empty for the root itself.
    pub path: PathBuf,
    /// The kind of what it leads to.
    pub kind: FileKind,
    /// Device and inode of what it leads to.
    pub id: ObjectId,
}

/// A path, hop by hop.
#[derive(Debug)]
#[non_exhaustive]
pub struct Explained {
    /// Each component that was walked over, up to a bound.
    pub hops: Vec<Hop>,
    /// Where it leads, or why it leads nowhere.
    pub end: Result<Resolved>,
}

impl Root {
    /// Looks at the entry itself, not at what it may lead to.
    ///
    /// A link that leads nowhere is an answer, and so is a missing name.
    ///
    /// # Errors
    ///
    /// Those of the path; `symlink_in_path`, `cross_mount`, `permission`.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.symlink("gone", "l")?;
    /// use caplink::{Policy, Root, Status};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let link = root.inspect("l")?.link.expect("it is a link");
    /// assert_eq!((link.status, link.target.as_os_str()), (Status::Dangling, "gone".as_ref()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn inspect(&self, path: impl AsRef<OsStr>) -> Result<Inspected> {
        let path = path.as_ref();
        let place = Place::new(path).map_err(|error| error.during("inspect"))?;
        let named = |error: Error| error.on("inspect", path).denied_at(&place.path);
        self.look_at(&place).map_err(|error| self.or_gone(named(error)))
    }

    fn look_at(&self, place: &Place) -> Result<Inspected> {
        if place.path.as_os_str().is_empty() {
            let stat = self.calls().stat(self.handle()).map_err(Error::from_io)?;
            if stat.links == 0 {
                return Err(Error::new(Kind::RootGone));
            }
            return Ok(seen(PathBuf::new(), &stat, None));
        }
        let path = LinkPath::new(&place.path)?;
        let entry = match Opened::open(self, &path) {
            Ok(entry) => entry,
            Err(error) if error.kind() == Kind::NotFound && self.is_there() => return Ok(missing(&path)),
            Err(error) => return Err(error),
        };
        for _ in 0..LOOKS {
            let stat = match self.calls().stat_at(&entry.parent, entry.name()) {
                Ok(stat) => stat,
                Err(source) if sys::fault(&source) == Fault::Missing && self.is_there() => return Ok(missing(&path)),
                Err(source) => return Err(Error::from_io(source)),
            };
            match stat.kind {
                FileKind::Symlink if place.directory => {
                    let reason = "a trailing `/` names a directory, and this is a link";
                    return Err(Error::new(Kind::InvalidPath).because(reason));
                }
                FileKind::Symlink => {
                    let Found::Link(text) = entry.look()? else { continue };
                    let sticky = self.calls().stat(&entry.parent).map_err(Error::from_io)?.is_sticky_for_all();
                    let at = LinkSite::new(&entry.parent, entry.name(), entry.dir(), sticky);
                    let link = view(self, at, text, Detail::WhereAndKind)?;
                    return Ok(seen(place.path.clone(), &stat, Some(link)));
                }
                FileKind::Dir => return Ok(seen(place.path.clone(), &stat, None)),
                _ if place.directory => return Ok(missing(&path)),
                _ => return Ok(seen(place.path.clone(), &stat, None)),
            }
        }
        Err(Error::new(Kind::Contended))
    }

    fn is_there(&self) -> bool {
        self.calls().stat(self.handle()).is_ok_and(|stat| stat.links > 0)
    }

    /// Returns where a path leads below the root, following every link as the kernel would.
    ///
    /// # Errors
    ///
    /// `not_found`, `loop`, `escape`, `permission`, `magic_link`, `mount_policy`, `cross_mount`, each with the component.
    pub fn resolve(&self, path: impl AsRef<OsStr>) -> Result<Resolved> {
        self.walked(path, false)?.end
    }

    /// Walks a path hop by hop, and returns each, also where the path leads nowhere.
    ///
    /// Of a very long way the first 4096 hops are returned, or as many as take 2 MiB for the paths where they stand.
    ///
    /// # Errors
    ///
    /// Those of the spelling. Why a well-spelled path leads nowhere is in [`Explained::end`].
    pub fn explain(&self, path: impl AsRef<OsStr>) -> Result<Explained> {
        self.walked(path, true)
    }

    fn walked(&self, path: impl AsRef<OsStr>, remember: bool) -> Result<Explained> {
        let path = path.as_ref();
        Place::new(path).map_err(|error| error.during("resolve"))?;
        let going = WalkOptions { cross: self.policy().cross_mounts, remember, ..WalkOptions::default() };
        let walk = walk(self, Path::new(""), path, going);
        let end = match walk.end {
            End::Reached(reached) if reached.stat.links == 0 && reached.path.as_os_str().is_empty() => {
                Err(self.or_gone(Error::new(Kind::NotFound).on("resolve", path)))
            }
            End::Reached(reached) => Ok(Resolved { path: reached.path, kind: reached.stat.kind, id: reached.stat.id }),
            // What is missing may be a component of a link's text.
            End::Stopped(stop) if stop.kind == Kind::NotFound => {
                Err(self.or_gone(stop.named_within().into_error().on("resolve", path)))
            }
            End::Stopped(stop) => Err(self.or_gone(stop.into_error().on("resolve", path))),
        };
        Ok(Explained { hops: walk.hops, end })
    }

    /// Returns the text of a link.
    ///
    /// # Errors
    ///
    /// `not_found`, `not_a_link`; those of the path.
    pub fn read_link(&self, path: impl AsRef<OsStr>) -> Result<OsString> {
        let path = LinkPath::new(path).map_err(|error| error.during("read"))?;
        let read = || match Opened::open(self, &path)?.look()? {
            Found::Link(text) => Ok(text),
            Found::Missing => Err(Error::new(Kind::NotFound).found_instead(Found::Missing)),
            found @ Found::Other(_) => Err(Error::new(Kind::NotALink).found_instead(found)),
        };
        read().map_err(|error| self.or_gone(error.on("read", &path)))
    }

    /// Returns whether the path leads to something below the root.
    ///
    /// # Errors
    ///
    /// Those of [`resolve`](Root::resolve) but `not_found` and `loop`.
    pub fn exists(&self, path: impl AsRef<OsStr>) -> Result<bool> {
        match self.resolve(path) {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Loop) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns whether there is an entry, a link that leads nowhere included.
    ///
    /// # Errors
    ///
    /// Those of [`inspect`](Root::inspect).
    pub fn lexists(&self, path: impl AsRef<OsStr>) -> Result<bool> {
        Ok(self.inspect(path)?.kind.is_some())
    }

    /// Returns whether the entry is a symbolic link.
    ///
    /// # Errors
    ///
    /// Those of [`inspect`](Root::inspect).
    pub fn is_link(&self, path: impl AsRef<OsStr>) -> Result<bool> {
        Ok(self.inspect(path)?.kind == Some(FileKind::Symlink))
    }
}

/// How often an entry that changes between two looks is looked at again.
const LOOKS: usize = 16;

fn seen(path: PathBuf, stat: &Stat, link: Option<LinkView>) -> Inspected {
    Inspected { path, kind: Some(stat.kind), id: Some(stat.id), uid: Some(stat.uid), mode: Some(stat.mode), link }
}

fn missing(path: &LinkPath) -> Inspected {
    Inspected { path: path.as_path().to_path_buf(), kind: None, id: None, uid: None, mode: None, link: None }
}
