//! What is in the way of an entry beside the target of it: the same bytes or not.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::Manifests;
use crate::entry::open_dir;
use crate::error::{FileKind, Found};
use crate::plan::{Action, ManifestStep};
use crate::resolve::{Judged, Overlay, judge};
use crate::root::Root;
use crate::sys::{Access, FileUse, Handle, OpenFile};

/// So many bytes of each file are compared at once.
const CHUNK: usize = 64 * 1024;

/// What is in the way, compared with the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compared {
    /// Whether both hold the same bytes, or are one object; none where that cannot be known, as of two directories.
    pub equal: Option<bool>,
    /// The bytes of the file that is in the way, or that a link in the way leads to.
    pub size: Option<u64>,
    /// The bytes of the file that is the target.
    pub target_size: Option<u64>,
}

/// One of both.
enum Side {
    File(OpenFile, u64),
    Other(FileKind),
    Unknown,
}

impl Manifests {
    /// Compares what is in the way of an entry with the target of the entry: of a conflict, of what is left alone, and of
    /// what will be renamed beside or replaced. None for other steps, and where nothing is in the way.
    ///
    /// Both files are read as a whole where they are of one size. What cannot be read, or is outside the root, is not known.
    #[must_use]
    pub fn compare(&self, step: &ManifestStep) -> Option<Compared> {
        let target = step.target.as_deref()?;
        if !matches!(step.action, Action::Conflict | Action::Skip | Action::Backup | Action::Replace) {
            return None;
        }
        let root = &self.root;
        let (parent, name) = (step.link.parent(), step.link.name());
        let (dir, physical) = open_dir(root, parent, Access::Search).ok()?;
        let from = physical.as_deref().unwrap_or(parent);
        let way = match crate::entry::look(root.calls(), (&dir, name)).ok()? {
            Found::Missing => return None,
            Found::Link(text) => led_to(root, from, &text),
            Found::Other(FileKind::File) => file(root, &dir, name),
            Found::Other(kind) => Side::Other(kind),
        };
        Some(compared(&way, &led_to(root, from, target)))
    }
}

/// Where a text leads, without leaving the root.
fn led_to(root: &Root, from: &Path, text: &OsStr) -> Side {
    let (path, kind): (PathBuf, FileKind) =
        match judge(root, from, text, root.policy().cross_mounts, Overlay::default()) {
            Judged::Direct { path, object } => match object.stat(root.calls()) {
                Ok(stat) => (path, stat.kind),
                Err(_) => return Side::Unknown,
            },
            Judged::Through { reached, .. } => (reached.path, reached.stat.kind),
            Judged::Missing | Judged::Stopped { .. } => return Side::Unknown,
        };
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Side::Other(kind) };
    match kind {
        FileKind::File => {
            open_dir(root, parent, Access::Search).map_or(Side::Unknown, |(dir, _)| file(root, &dir, name))
        }
        kind => Side::Other(kind),
    }
}

/// The file of this name; it is opened without following a link.
fn file(root: &Root, dir: &Handle, name: &OsStr) -> Side {
    let opened = root.calls().open_file(dir, name, FileUse::Read).and_then(|file| {
        let (kind, size) = (file.stat()?.kind, file.len()?);
        Ok(if kind == FileKind::File { Side::File(file, size) } else { Side::Other(kind) })
    });
    opened.unwrap_or(Side::Unknown)
}

fn compared(way: &Side, target: &Side) -> Compared {
    let size = |side: &Side| match side {
        Side::File(_, size) => Some(*size),
        Side::Other(_) | Side::Unknown => None,
    };
    let equal = match (way, target) {
        (Side::File(_, a), Side::File(_, b)) if a != b => Some(false),
        (Side::File(a, size), Side::File(b, _)) => same_bytes(a, b, *size).ok(),
        (Side::Other(a), Side::Other(b)) if a == b => None,
        (Side::Unknown, _) | (_, Side::Unknown) => None,
        _ => Some(false),
    };
    Compared { equal, size: size(way), target_size: size(target) }
}

/// Whether two files hold the same bytes up to a size.
fn same_bytes(a: &OpenFile, b: &OpenFile, size: u64) -> io::Result<bool> {
    if a.stat()?.id == b.stat()?.id {
        return Ok(true);
    }
    let (mut one, mut other) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut offset = 0;
    while offset < size {
        let (count, as_many) = (a.read_at(offset, &mut one)?, b.read_at(offset, &mut other)?);
        if count != as_many || one[..count] != other[..count] {
            return Ok(false);
        }
        if count == 0 {
            break;
        }
        offset += count as u64;
    }
    Ok(true)
}
