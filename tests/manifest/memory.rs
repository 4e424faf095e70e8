//! A tree in memory, as [`Listing`] shows one.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use caplink::manage::Listing;
use caplink::{FileKind, Result};

/// Every entry by its path; directories have an entry of their own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree(pub(crate) BTreeMap<PathBuf, FileKind>);

impl Tree {
    /// Files at these paths, a `/` at the end makes a directory; what is above each is made, too.
    pub(crate) fn of(paths: &[&str]) -> Tree {
        let mut tree = Tree::default();
        for path in paths {
            let kind = if path.ends_with('/') { FileKind::Dir } else { FileKind::File };
            tree.put(path.trim_end_matches('/'), kind);
        }
        tree
    }

    pub(crate) fn put(&mut self, path: impl AsRef<Path>, kind: FileKind) {
        for dir in path.as_ref().ancestors().skip(1).filter(|dir| !dir.as_os_str().is_empty()) {
            self.0.insert(dir.to_path_buf(), FileKind::Dir);
        }
        self.0.insert(path.as_ref().to_path_buf(), kind);
    }
}

impl Listing for Tree {
    fn list(&self, dir: &Path, visit: &mut dyn FnMut(&OsStr, FileKind) -> ControlFlow<()>) -> Result<()> {
        let missing = caplink::LinkPath::new("");
        if !dir.as_os_str().is_empty() && self.0.get(dir) != Some(&FileKind::Dir) {
            return missing.map(drop);
        }
        for (path, kind) in self.0.iter().rev().filter(|(path, _)| path.parent() == Some(dir)) {
            if visit(path.file_name().unwrap(), *kind).is_break() {
                break;
            }
        }
        Ok(())
    }
}
