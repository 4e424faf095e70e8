//! From what a manifest asks for to every link by itself.
//!
//! Directories are listed one at a time, each opened from the root by its path, through no link and across no mount. What
//! cannot be read is an error: a list that is shorter than the truth would have links removed. Names are bytes.
//!
//! The tree may change meanwhile. A directory that is gone when its turn comes is an error as well; one that takes its place
//! is read, as it could have been there before.

mod each;
mod listing;
mod merge;
mod tree;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

pub use listing::Listing;

use super::entries::ENTRIES_MAX;
use super::parse::Manifest;
use super::problem::{Lines, Problem, Problems};
use super::vars::TEXT_MAX;
use crate::error::{Error, FileKind, Kind};
use crate::model::LinkPath;
use crate::plan::{Declared, Position, Unwanted};

/// How many names are looked at, and how long the paths that are kept may be together, in bytes.
const NAMES_MAX: usize = 10_000_000;
const PATHS_MAX: usize = 256 << 20;

/// Every link of a manifest, in the order of a walk: what is below a directory comes right after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expanded {
    /// The links that are to be there.
    pub links: Vec<Declared>,
    /// The links that shall not be there.
    pub unwanted: Vec<Unwanted>,
    /// The links of a tree that a `[[link]]` has another target for.
    pub overridden: Vec<Overridden>,
}

/// A link that a tree would have made, and a `[[link]]` makes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overridden {
    /// The link.
    pub link: LinkPath,
    /// Where the tree is declared.
    pub tree: Position,
    /// Where the link is declared.
    pub by: Position,
}

/// Why a manifest could not be expanded.
#[derive(Debug)]
pub enum Trouble {
    /// It is the manifest's fault.
    Problem(Problem),
    /// Something that an entry asks for cannot be read, or is nothing that a link can be made to.
    Unread {
        /// What, and why.
        error: Error,
        /// Where the entry is declared.
        at: Position,
    },
}

impl Trouble {
    /// Returns the kind of the error.
    pub fn kind(&self) -> Kind {
        match self {
            Trouble::Problem(problem) => problem.kind(),
            Trouble::Unread { error, .. } => error.kind(),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Problem(problem) => problem.fmt(f),
            Trouble::Unread { error, at } => write!(f, "line {}, column {}: {error}", at.line, at.column),
        }
    }
}

impl std::error::Error for Trouble {}

impl Manifest {
    /// Looks for what `[[tree]]` and `[[each]]` ask for, and returns every link by itself.
    ///
    /// # Errors
    ///
    /// All that is wrong, not only the first: `invalid_manifest` for what is declared twice or below another link after all,
    /// and for more than 1,000,000 entries; `invalid_target` for a fifo, socket or device in a tree; and what kept a directory
    /// from being read: `not_found`, `symlink_in_path`, `cross_mount`, `permission`.
    ///
    /// At most 10,000,000 names are looked at, and at most 256 MiB of paths are kept.
    pub fn expand(&self, listing: &dyn Listing) -> Result<Expanded, Vec<Trouble>> {
        self.expanded(listing, self.links().to_vec(), self.unwanted().to_vec())
    }

    /// The same for a manifest that is not needed any more: its links are not copied.
    ///
    /// # Errors
    ///
    /// Those of [`expand`](Manifest::expand).
    pub fn into_expanded(mut self, listing: &dyn Listing) -> Result<Expanded, Vec<Trouble>> {
        let (links, unwanted) = self.take_links();
        self.expanded(listing, links, unwanted)
    }

    fn expanded(
        &self,
        listing: &dyn Listing,
        links: Vec<Declared>,
        unwanted: Vec<Unwanted>,
    ) -> Result<Expanded, Vec<Trouble>> {
        let mut walk = Walk::new(listing, links.len() + unwanted.len());
        for tree in &self.trees {
            tree::expand(&mut walk, tree);
        }
        for each in &self.each {
            each::expand(&mut walk, each, self.source());
        }
        let Walk { from_trees, from_each, troubles, over, .. } = walk;
        let mut troubles: Vec<Trouble> =
            troubles.into_iter().map(|(error, at)| Trouble::Unread { error, at }).collect();
        let lines = (!troubles.is_empty() || over.is_some()).then(|| Lines::new(self.text()));
        let mut problems = Problems::default();
        if let (Some((at, why)), Some(lines)) = (over, &lines) {
            problems.add(lines.token(self.text(), at), why);
        }
        let merged = merge::merge(self, (links, unwanted), from_trees, from_each);
        if merged.clashes.is_empty() && troubles.is_empty() && problems.is_empty() {
            return Ok(merged.expanded);
        }
        let lines = lines.unwrap_or_else(|| Lines::new(self.text()));
        for (at, message) in merged.clashes {
            problems.add(lines.token(self.text(), at), message);
        }
        troubles.extend(problems.finish(self.text(), &lines).into_iter().map(Trouble::Problem));
        Err(troubles)
    }
}

/// How many directories and entries that cannot be read are told.
const TROUBLES_MAX: usize = 1000;

/// What was found so far, and how much more may be.
struct Walk<'l> {
    listing: &'l dyn Listing,
    from_trees: Vec<Declared>,
    from_each: Vec<Declared>,
    troubles: Vec<(Error, Position)>,
    /// The limit that was reached, and for which entry.
    over: Option<(Position, String)>,
    entries: usize,
    names: usize,
    paths: usize,
}

impl<'l> Walk<'l> {
    fn new(listing: &'l dyn Listing, entries: usize) -> Walk<'l> {
        let (from_trees, from_each, troubles) = (Vec::new(), Vec::new(), Vec::new());
        Walk { listing, from_trees, from_each, troubles, over: None, entries, names: 0, paths: 0 }
    }

    /// Whether nobody reads on.
    fn is_over(&self) -> bool {
        self.over.is_some() || self.troubles.len() >= TROUBLES_MAX
    }

    fn trouble(&mut self, error: Error, at: Position) {
        if self.troubles.len() < TROUBLES_MAX {
            self.troubles.push((error, at));
        }
    }

    /// The names in a directory, sorted; none where it cannot be read.
    fn names(&mut self, dir: &Path, at: Position) -> Option<Vec<(OsString, FileKind)>> {
        if dir.as_os_str().len() > TEXT_MAX {
            let error = Error::new(Kind::TooLong).on("expand", dir);
            self.trouble(error.because(format!("its path is longer than {TEXT_MAX} bytes")), at);
            return None;
        }
        let mut names = Vec::new();
        let (mut count, mut length) = (self.names, self.paths);
        let mut visit = |name: &OsStr, kind: FileKind| {
            count += 1;
            length += name.len();
            if count > NAMES_MAX || length > PATHS_MAX {
                return ControlFlow::Break(());
            }
            names.push((name.to_owned(), kind));
            ControlFlow::Continue(())
        };
        let listed = self.listing.list(dir, &mut visit);
        self.names = count;
        if count > NAMES_MAX || length > PATHS_MAX {
            self.over.get_or_insert((at, format!("it leads to more than {NAMES_MAX} names, or very long ones")));
            return None;
        }
        if let Err(error) = listed {
            self.trouble(error.on("expand", dir), at);
            return None;
        }
        names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Some(names)
    }

    /// Counts a path that is kept.
    fn keep(&mut self, path: &Path, at: Position) -> bool {
        self.paths += path.as_os_str().len();
        if self.paths > PATHS_MAX {
            self.over.get_or_insert((at, "it leads to more paths than can be kept".to_owned()));
        }
        !self.is_over()
    }

    /// Counts an entry.
    fn entry(&mut self, link: &Path, at: Position) -> bool {
        self.entries += 1;
        if self.entries > ENTRIES_MAX {
            self.over.get_or_insert((at, format!("with it there are more than {ENTRIES_MAX} entries")));
        }
        self.keep(link, at)
    }
}

/// A path below a directory, whatever that is spelled like; the root is empty.
fn joined(dir: &Path, name: &OsStr) -> PathBuf {
    if dir.as_os_str().is_empty() { PathBuf::from(name) } else { dir.join(name) }
}
