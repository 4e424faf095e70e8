//! A walk, what it goes over and what it comes to.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::Overlay;
use super::walker::Walker;
use crate::error::{Error, FileKind, Kind};
use crate::root::Root;
use crate::sys::{Handle, Stat};

/// One component that was walked over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hop {
    /// The component as it was written in the path or in a link's text.
    pub component: OsString,
    /// Where it stands, below the root; empty for the root itself.
    pub at: PathBuf,
    /// Its kind; `None` where it could not be seen.
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
    /// What it went over, where that was to be remembered.
    pub(crate) hops: Vec<Hop>,
    /// How many links were gone through.
    pub(crate) links: usize,
    /// Whether a `..` stayed at the root on the way.
    pub(crate) clamped: bool,
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
    /// The text of a link that it stopped in, where it did.
    pub(crate) via: Option<OsString>,
    /// The component of that text, with its place there.
    pub(crate) inner: Option<Box<(OsString, usize)>>,
    pub(crate) source: Option<io::Error>,
}

impl Stop {
    /// Names the component of the text that the walk stopped in, rather than the one of the walked path that led there.
    pub(crate) fn named_within(mut self) -> Stop {
        if let Some(inner) = self.inner.take() {
            (self.component, self.index) = *inner;
        }
        self
    }

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

/// How a text is walked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WalkOptions<'a> {
    /// Mount points may be crossed.
    pub(crate) cross: bool,
    /// Links that were gone through already.
    pub(crate) links: usize,
    /// Each component is remembered.
    pub(crate) remember: bool,
    /// Links as they would be after an edit.
    pub(crate) overlay: Overlay<'a>,
}

/// Walks `text` from the physical directory `from`, following every link.
pub(crate) fn walk(root: &Root, from: &Path, text: &OsStr, going: WalkOptions<'_>) -> Walk {
    walk_near(root, (from, None), text, going)
}

/// The same from a directory that may be open.
pub(super) fn walk_near(
    root: &Root,
    (from, start): (&Path, Option<&Handle>),
    text: &OsStr,
    going: WalkOptions<'_>,
) -> Walk {
    let mut walker = Walker::new(root, (from, start), text, going);
    let ended = walker.run(text);
    let (links, clamped) = (walker.links(), walker.is_clamped());
    let (hops, path) = walker.into_parts();
    let end = match ended {
        Ok(stat) => End::Reached(Reached { path, stat }),
        Err(stop) => End::Stopped(stop),
    };
    Walk { hops, links, clamped, end }
}
