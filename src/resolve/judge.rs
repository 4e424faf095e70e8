//! Judging a link's text: one confined open where its spelling allows, a walk otherwise.
//!
//! A text whose `..` all stand in front is rewritten to a path from the root by the physical path of the link's
//! directory. If the kernel reaches it without any link, that is the answer; if it misses a name, the answer is
//! `dangling`, since no `..` is left that could lead out. Only a link on the way needs the walk.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use super::overlay::Overlay;
use super::walk::{End, Reached, Stop, WalkOptions, walk_near};
use crate::error::Kind;
use crate::model::{Spelling, Start};
use crate::root::Root;
use crate::sys::{self, Fault, Handle};

/// A directory that is open already, this many levels above the link's own.
pub(crate) type Above<'a> = &'a dyn Fn(usize) -> Option<&'a Handle>;

/// Where a text leads.
#[derive(Debug)]
pub(crate) enum Judged {
    /// To the object at this path, without going through another link.
    Direct { path: PathBuf, object: Handle },
    /// To this object, through this many links, the judged one included.
    Through { reached: Reached, links: usize, clamped: bool },
    /// To a name that is missing, by a way without links and without a `..`.
    Missing,
    /// Nowhere, or it cannot be known.
    Stopped { stop: Stop, links: usize },
}

/// Judges the text of a link in the physical directory `from`.
pub(crate) fn judge(root: &Root, from: &Path, text: &OsStr, cross: bool, overlay: Overlay<'_>) -> Judged {
    judge_near(root, from, text, cross, overlay, None)
}

/// Judges a text beginning the lookup at a directory that is open, where there is one on its way.
pub(super) fn judge_near(
    root: &Root,
    from: &Path,
    text: &OsStr,
    cross: bool,
    overlay: Overlay<'_>,
    above: Option<Above<'_>>,
) -> Judged {
    let spelling = Spelling::new(text);
    let escape = |component: &str, index| {
        let via = Some(text.to_os_string());
        let stop = Stop { kind: Kind::Escape, component: component.into(), index, via, inner: None, source: None };
        Judged::Stopped { stop, links: 1 }
    };
    let walked = || walked(root, (from, above.and_then(|above| above(0))), text, cross, overlay);
    let path = match spelling.start(from, root.anchor()) {
        Start::Outside => return escape("/", 0),
        Start::Climbs(index) => return escape("..", index),
        // Whether a directory may be searched shows in the walk.
        Start::Plain(_) | Start::Absolute(_) if spelling.ends_within() => return walked(),
        Start::Plain(path) if !overlay.touches(&path) => path,
        Start::Absolute(path) if is_plain(&path) && !overlay.touches(&path) => path.components().collect(),
        Start::Plain(path) | Start::Absolute(path) if is_plain(&path) => {
            return match walked() {
                Judged::Stopped { stop, links: 1 } if stop.kind == Kind::NotFound => Judged::Missing,
                judged => judged,
            };
        }
        Start::Plain(_) | Start::Winding | Start::Absolute(_) => return walked(),
    };
    let near = above.and_then(|above| spelling.descent().and_then(|(climbs, rest)| Some((above(climbs)?, rest))));
    let (base, rest) = near.unwrap_or((root.handle(), &path));
    match root.calls().reach(base, rest, spelling.wants_directory(), cross) {
        Ok(object) => Judged::Direct { path, object },
        Err(source) => match sys::fault(&source) {
            Fault::Missing | Fault::NotDirectory => Judged::Missing,
            _ => walked(),
        },
    }
}

/// Whether no `..` is left that could lead out.
fn is_plain(path: &Path) -> bool {
    path.components().all(|component| component != Component::ParentDir)
}

fn walked(root: &Root, from: (&Path, Option<&Handle>), text: &OsStr, cross: bool, overlay: Overlay<'_>) -> Judged {
    let walk = walk_near(root, from, text, WalkOptions { cross, links: 1, overlay, remember: false });
    match walk.end {
        End::Reached(reached) => Judged::Through { reached, links: walk.links, clamped: walk.clamped },
        End::Stopped(mut stop) => {
            stop.via.get_or_insert_with(|| OsString::from(text));
            Judged::Stopped { stop, links: walk.links }
        }
    }
}
