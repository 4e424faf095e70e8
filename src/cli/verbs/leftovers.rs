//! What interrupted work left in the root's own directory and in the state directory: links that were staged and never
//! published, and staging directories.
//!
//! The rest of the tree is not searched; `caplink repair --remove-leftovers` does that. Names without a check, as earlier
//! versions made them, are listed, and removed by no repair: nothing proves whose they are.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use caplink::{Error, FileKind, Kind, LinkPath, Root, ScanOptions};

use crate::cli::context::open_to_look;

/// The name of the state directory below the root.
const STATE: &str = ".caplink";

/// How many names are listed of one directory.
const LISTED_MAX: usize = 1000;

/// Links and directories with the names of staged ones, and whether all of them are there: everything could be looked at,
/// and there were no more than are listed.
pub(super) struct Leftovers {
    pub(super) names: Vec<PathBuf>,
    pub(super) complete: bool,
}

/// Looks into the root and the state directory, which is at `state` if it is not below the root.
pub(super) fn find(root: &Root, state: Option<&Path>) -> Leftovers {
    let mut found = Leftovers { names: Vec::new(), complete: true };
    found.look(root, ".", Path::new(""));
    match state {
        None => found.look(root, STATE, Path::new("")),
        Some(path) => match open_to_look(path) {
            Ok(elsewhere) => found.look(&elsewhere, ".", path),
            Err(error) => found.missed(&error),
        },
    }
    found
}

impl Leftovers {
    fn look(&mut self, root: &Root, dir: &str, shown_below: &Path) {
        let before = self.names.len();
        let staged = Staged::default();
        let noticed = staged.clone();
        let under_state = Path::new(STATE);
        let exclude = move |path: &Path| path != under_state && !noticed.is_staged(path);
        let options = ScanOptions::default().sorted(true).exclude(exclude);
        let scan = match root.scan(dir, options.max_depth(1)) {
            Ok(scan) => scan,
            Err(error) => return self.missed(&error),
        };
        for found in scan {
            match found {
                Ok(finding) if finding.is_staged() && self.names.len() - before < LISTED_MAX => {
                    self.names.push(shown_below.join(finding.link));
                }
                Ok(finding) if finding.is_staged() => self.complete = false,
                Ok(_) => {}
                Err(error) => self.missed(&error),
            }
        }
        let (dirs, all) = staged.directories(root);
        self.complete &= all;
        self.names.extend(dirs.iter().map(|dir| shown_below.join(dir)));
        self.names[before..].sort();
    }

    /// What is not there holds nothing.
    fn missed(&mut self, error: &Error) {
        self.complete &= matches!(error.kind(), Kind::NotFound | Kind::RootGone);
    }
}

/// The paths with the names of staged links that a scan came by.
#[derive(Clone, Default)]
pub(super) struct Staged(Arc<Mutex<Vec<PathBuf>>>);

impl Staged {
    /// Whether the path has such a name; then it is noticed.
    fn is_staged(&self, path: &Path) -> bool {
        let staged = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".caplink-"));
        if staged && LinkPath::new(path).is_ok_and(|path| path.is_staged()) {
            let mut noticed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // One too many shows that there are more.
            if noticed.len() <= LISTED_MAX {
                noticed.push(path.to_path_buf());
            }
        }
        staged
    }

    /// Those that are directories now, with the name of a staging one; and whether that is all of them.
    fn directories(&self, root: &Root) -> (Vec<PathBuf>, bool) {
        let noticed = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let all = noticed.len() <= LISTED_MAX;
        let is_dir = |path: &PathBuf| root.inspect(path).is_ok_and(|seen| seen.kind == Some(FileKind::Dir));
        (noticed.into_iter().take(LISTED_MAX).filter(is_dir).collect(), all)
    }
}
