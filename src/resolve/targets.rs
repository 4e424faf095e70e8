//! The directory that texts lead into, kept open while those that are judged one after the other lead into the same one.
//!
//! Where a text leads straight to a name in it, one call tells what is there. A link, another mount and whatever cannot be seen
//! are left to the whole way, as is a text that leads elsewhere. After at most [`TOGETHER_MAX`] looks, and when [`TIME_MAX`] is
//! over, a new walk from the root proves that the path leads to this directory: then so it did at each look. Where it does not,
//! nothing that was seen since the last proof counts: whoever asked [is told](Targets::are_proven), and judges anew without.

use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::{ObjectId, Target};
use crate::root::Root;
use crate::sys::{self, Access, Fault, Handle, Stat};

/// How many looks at a directory that is kept open share a proof.
pub(crate) const TOGETHER_MAX: usize = 64;

/// How long after a directory was opened, or proven to be in its place, it is looked into.
pub(crate) const TIME_MAX: Duration = Duration::from_millis(10);

/// How many texts to come make it worth while: to keep a directory takes six calls, and each text that leads into it one less.
const WORTH: usize = 6;

/// The directory that texts lead into.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    kept: RefCell<Option<Dir>>,
    /// How many of the texts to come lead into the same directory as the next one.
    ahead: Cell<usize>,
    /// What was seen does not count, and nothing more is kept.
    lost: Cell<bool>,
    /// One call does not tell what a name is.
    unable: Cell<bool>,
}

#[derive(Debug)]
struct Dir {
    path: PathBuf,
    handle: Handle,
    id: ObjectId,
    /// When it was opened, or last proven to be in its place, and how often it was looked into since then.
    begun: Duration,
    looks: usize,
}

/// What one look tells of a path.
pub(super) enum Look {
    Missing,
    There(Stat),
    /// The whole way is to be walked.
    Untold,
}

impl Targets {
    /// Says which targets come next, the first of them for the next text. It opens nothing.
    pub(crate) fn expect<'t>(&self, mut targets: impl Iterator<Item = &'t Target>) {
        match self.ahead.get().checked_sub(1) {
            Some(left) if left > 0 => self.ahead.set(left),
            _ => {
                let Some(dir) = targets.next().map(above) else { return self.ahead.set(0) };
                let beside = targets.take(TOGETHER_MAX).take_while(|target| above(target) == dir);
                self.ahead.set(beside.count());
            }
        }
    }

    /// Looks at a path below the root.
    pub(super) fn look(&self, root: &Root, path: &Path) -> Look {
        let Some((above, name)) = divided(path).filter(|_| !self.lost.get() && !self.unable.get()) else {
            return Look::Untold;
        };
        let (calls, cross) = (root.calls(), root.policy().cross_mounts);
        // No walk leads to the root, and none can lead elsewhere.
        let looked = if above.as_os_str().is_empty() {
            calls.stat_end(root.handle(), name, cross)
        } else {
            let mut kept = self.kept.borrow_mut();
            if !self.keep(root, &mut kept, above) {
                return Look::Untold;
            }
            let dir = kept.as_mut().expect("BUG: the directory is kept");
            dir.looks += 1;
            calls.stat_end(&dir.handle, name, cross)
        };
        match looked {
            Ok(Some(stat)) => Look::There(stat),
            Ok(None) => Look::Untold,
            Err(source) => match sys::fault(&source) {
                Fault::Missing => Look::Missing,
                fault => {
                    self.unable.set(fault == Fault::Unsupported);
                    Look::Untold
                }
            },
        }
    }

    /// Whether this directory is kept, or was opened for being worth it, and can be looked into.
    fn keep(&self, root: &Root, kept: &mut Option<Dir>, path: &Path) -> bool {
        let is_it = |dir: &Dir| dir.path.as_os_str() == path.as_os_str();
        if kept.as_ref().is_some_and(|dir| !is_it(dir) || !dir.is_fresh(root)) && !self.prove(root, kept) {
            return false;
        }
        if kept.as_ref().is_none_or(|dir| !is_it(dir)) {
            *kept = if self.ahead.get() < WORTH { None } else { Dir::open(root, path).ok() };
        }
        kept.is_some()
    }

    /// Whether everything that was seen counts. Where it does not, the texts are to be judged anew, without this.
    #[must_use]
    pub(crate) fn are_proven(&self, root: &Root) -> bool {
        self.prove(root, &mut self.kept.borrow_mut())
    }

    /// Proves that the directory is in its place, if it was looked into.
    fn prove(&self, root: &Root, kept: &mut Option<Dir>) -> bool {
        if kept.as_mut().is_some_and(|dir| !dir.prove(root)) {
            *kept = None;
            self.lost.set(true);
        }
        !self.lost.get()
    }
}

impl Dir {
    fn open(root: &Root, path: &Path) -> io::Result<Dir> {
        let begun = root.calls().clock();
        let handle = root.calls().open_dir(root.handle(), path, root.policy().cross_mounts, Access::Search)?;
        let id = root.calls().stat(&handle)?.id;
        Ok(Dir { path: path.to_path_buf(), handle, id, begun, looks: 0 })
    }

    fn is_fresh(&self, root: &Root) -> bool {
        self.looks < TOGETHER_MAX && root.calls().clock().saturating_sub(self.begun) < TIME_MAX
    }

    /// Whether its path leads to it. What cannot be looked at is no proof.
    fn prove(&mut self, root: &Root) -> bool {
        if self.looks == 0 {
            return true;
        }
        match Dir::open(root, &self.path) {
            Ok(there) if there.id == self.id => {
                (self.begun, self.looks) = (there.begun, 0);
                true
            }
            _ => false,
        }
    }
}

/// The directory that a target is in, by its spelling: where two have the same, their texts nearly always lead there.
fn above(target: &Target) -> Option<&OsStr> {
    divided(Path::new(target.as_os_str())).map(|(above, _)| above.as_os_str())
}

/// The directory of a path, and the last name.
#[cfg(unix)]
fn divided(path: &Path) -> Option<(&Path, &OsStr)> {
    use std::os::unix::ffi::OsStrExt as _;
    let bytes = path.as_os_str().as_bytes();
    match bytes.iter().rposition(|byte| *byte == b'/') {
        None if !bytes.is_empty() => Some((Path::new(""), path.as_os_str())),
        Some(at) if at > 0 && at + 1 < bytes.len() => {
            Some((Path::new(OsStr::from_bytes(&bytes[..at])), OsStr::from_bytes(&bytes[at + 1..])))
        }
        _ => None,
    }
}

#[cfg(not(unix))]
fn divided(path: &Path) -> Option<(&Path, &OsStr)> {
    Some((path.parent()?, path.file_name()?))
}
