//! Reading back: a new walk from the root must find the very link that was made.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use super::Attempt;
use super::slot::Slot;
use crate::entry::{Opened, open_dir};
use crate::error::{Error, FileKind, Kind, Result};
use crate::model::ObjectId;
use crate::resolve::{End, Overlay, Planned, WalkOptions, walk};
use crate::sys::{self, Access, Fault, Handle};

/// Tries of a walk whose directories others exchange for links and back.
const TRIES: usize = 16;

/// What a new walk to the link found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadBack {
    /// The very link.
    Stands,
    /// The directory is in its place, but something else is under the name.
    Taken,
    /// The directory is no longer where the link's path leads.
    Moved,
}

/// Walks to a staged link anew, which was published; the error says why it does not stand.
///
/// It is pinned, and the text of a link never changes: the object proves the text.
pub(super) fn published(entry: &Opened<'_>, id: ObjectId) -> Result<()> {
    // A walk of one name is a look at it.
    if entry.is_in_root() && Slot::of(entry).has(entry.root.calls(), id) {
        return Ok(());
    }
    match find(entry, |found| Ok(entry.root.calls().stat(found)?.id == id))? {
        ReadBack::Stands => Ok(()),
        ReadBack::Taken => Err(taken()),
        ReadBack::Moved => Err(parent_moved()),
    }
}

/// The same in a directory that is kept: this one is proven to be in its place later.
pub(super) fn published_in_kept(entry: &Opened<'_>, id: ObjectId) -> Result<()> {
    if Slot::of(entry).has(entry.root.calls(), id) { Ok(()) } else { published(entry, id) }
}

/// Walks to a link that was made in place, and compares it with what is under the name in the directory it was made in.
pub(super) fn created(entry: &Opened<'_>, made: ObjectId, text: &OsStr) -> Result<ReadBack> {
    let calls = entry.root.calls();
    find(entry, |found| {
        let stat = calls.stat(found)?;
        Ok(stat.id == made && stat.kind == FileKind::Symlink && calls.read_pinned(found)? == text)
    })
}

fn find(entry: &Opened<'_>, is_ours: impl Fn(&Handle) -> io::Result<bool>) -> Result<ReadBack> {
    for _ in 0..TRIES {
        match reach(entry) {
            Ok(found) if is_ours(&found).map_err(Error::from_io)? => return Ok(ReadBack::Stands),
            Ok(_) => {}
            // What could not be looked at is not known to be somebody else's.
            Err(error) if proves_nothing(&error) && error.kind() != Kind::Contended => return Err(error),
            Err(_) => {}
        }
        if !parent_in_place(entry)? {
            return Ok(ReadBack::Moved);
        }
        let there = match entry.root.calls().pin(&entry.parent, entry.name()) {
            Ok(there) => is_ours(&there).map_err(Error::from_io)?,
            Err(source) if sys::fault(&source) == Fault::Missing => false,
            Err(source) => return Err(Error::from_io(source)),
        };
        if !there {
            return Ok(ReadBack::Taken);
        }
        // A directory on the way was something else for a moment.
    }
    Err(Error::new(Kind::Contended).because("its directory keeps changing"))
}

/// Pins what a walk from the root finds at the link's path.
pub(super) fn reach(entry: &Opened<'_>) -> Result<Handle> {
    let root = &entry.root;
    let calls = root.calls();
    if root.policy().follow {
        let (parent, _) = open_dir(root, entry.path.parent(), Access::Search)?;
        return calls.pin(&parent, entry.name()).map_err(Error::from_io);
    }
    calls.reach_entry(root.handle(), entry.path.as_path(), root.policy().cross_mounts).map_err(Error::from_io)
}

/// Whether the directory that was opened is the one that the link's path leads to now.
pub(super) fn parent_in_place(entry: &Opened<'_>) -> Result<bool> {
    if entry.is_in_root() {
        return Ok(true);
    }
    let opened = match entry.kept {
        Some(kept) => kept.stat.id,
        None => entry.root.calls().stat(&entry.parent).map_err(Error::from_io)?.id,
    };
    leads_to(entry, opened)
}

/// The same where it was told before which directory that is: an open one stays the same.
pub(super) fn leads_to(entry: &Opened<'_>, opened: ObjectId) -> Result<bool> {
    if entry.is_in_root() {
        return Ok(true);
    }
    let calls = entry.root.calls();
    let there = match open_dir(&entry.root, entry.path.parent(), Access::Search) {
        Ok((there, _)) => calls.stat(&there).map_err(Error::from_io)?,
        Err(error) if proves_nothing(&error) => return Err(error),
        Err(_) => return Ok(false),
    };
    Ok(there.id == opened)
}

/// Refuses what would be taken back: a path that leads through the very links that change, and elsewhere then.
pub(super) fn would_stay(entry: &Opened<'_>, left: &[(&Path, Option<&OsStr>)]) -> Result<()> {
    if entry.followed().is_none() {
        return Ok(());
    }
    let mut planned = Planned::new();
    left.iter().for_each(|(link, text)| planned.insert(link, text.map(OsStr::to_os_string)));
    let overlay = Overlay::default().after(Some(&planned));
    let going = WalkOptions { cross: entry.root.policy().cross_mounts, overlay, ..WalkOptions::default() };
    match walk(&entry.root, Path::new(""), entry.path.parent().as_os_str(), going).end {
        End::Reached(reached) if reached.path == entry.dir() => Ok(()),
        _ => Err(parent_moved()),
    }
}

/// Whether a walk failed so that it does not tell what is there.
fn proves_nothing(error: &Error) -> bool {
    match error.io_error() {
        Some(source) => {
            !matches!(sys::fault(source), Fault::Missing | Fault::NotDirectory | Fault::Link | Fault::Crossing)
        }
        None => error.kind() == Kind::Contended,
    }
}

/// Whether a call that failed may have been carried out. An error of a device or of a server does not tell; a refusal
/// does.
pub(super) fn may_be_done(source: &io::Error) -> bool {
    matches!(Kind::of(source), Kind::Corrupt | Kind::Io)
}

/// The error for a directory that was moved away; what was made there has been taken back.
pub(super) fn parent_moved() -> Error {
    Error::new(Kind::ParentMoved)
}

/// The error for a name that another program took during the operation.
pub(super) fn taken() -> Error {
    Error::new(Kind::Contended).because("another program took the name meanwhile")
}

/// Turns a refusal of the kernel into `parent_moved` where the directory is no longer in its place.
///
/// Under Landlock a directory that was moved outside refuses the change itself.
pub(super) fn refused(entry: &Opened<'_>, source: io::Error) -> Error {
    match parent_in_place(entry) {
        Ok(false) => parent_moved(),
        _ => Error::from_io(source),
    }
}

/// What an attempt came to whose exchange or renaming the kernel refused.
///
/// A confined thread may not move what is no link. Where it was that, and not the permissions of the directory, the
/// name has to be looked at anew. It may be a link again by then: other programs that exchange names take the same lock
/// of the directory, so that one exchange after another can meet the same wrong moment.
pub(super) fn not_moved<T>(entry: &Opened<'_>, changed: &[&Opened<'_>], source: io::Error) -> Result<Attempt<T>> {
    let calls = entry.root.calls();
    let by_domain = entry.root.is_on_thread()
        && sys::refused_by_domain(&source)
        && changed.iter().all(|entry| calls.may_change_names(&entry.parent).unwrap_or(true));
    let error = refused(entry, source);
    if by_domain && error.kind() != Kind::ParentMoved { Ok(Attempt::Refused(error)) } else { Err(error) }
}
