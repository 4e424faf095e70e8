//! What interrupted work left in the root's own directory and in the state directory: links that were staged and never
//! published.
//!
//! The rest of the tree is not searched; `caplink repair --remove-leftovers` does that.

use std::path::{Path, PathBuf};

use caplink::{Error, Kind, Root, ScanOptions};

use crate::cli::context::open_to_look;

/// The name of the state directory below the root.
const STATE: &str = ".caplink";

/// Links with the names of staged ones, and whether everything could be looked at.
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
        let elsewhere =
            |path: &Path| !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".caplink-"));
        let under_state = Path::new(STATE);
        let options = ScanOptions::default().sorted(true).exclude(move |path| path != under_state && elsewhere(path));
        let scan = match root.scan(dir, options.max_depth(1)) {
            Ok(scan) => scan,
            Err(error) => return self.missed(&error),
        };
        for found in scan {
            match found {
                Ok(finding) if finding.is_staged() => self.names.push(shown_below.join(finding.link)),
                Ok(_) => {}
                Err(error) => self.missed(&error),
            }
        }
    }

    /// What is not there holds nothing.
    fn missed(&mut self, error: &Error) {
        self.complete &= matches!(error.kind(), Kind::NotFound | Kind::RootGone);
    }
}
