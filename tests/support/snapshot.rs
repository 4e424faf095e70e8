//! The state of a tree at one moment, to be compared with a later one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// One entry with every attribute that an attack could change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) id: (u64, u64),
    pub(crate) mode: u32,
    pub(crate) owner: (u32, u32),
    pub(crate) names: u64,
    pub(crate) modified: (i64, i64),
    pub(crate) text: Option<OsString>,
    pub(crate) content: Option<Vec<u8>>,
}

pub(crate) type Tree = BTreeMap<PathBuf, Node>;

/// Everything below `base`, and `base` itself under the empty path. Other mounts are listed and not entered.
pub(crate) fn tree(base: &Path) -> Tree {
    let mut nodes = Tree::new();
    let device = fs::symlink_metadata(base).expect("the tree is there").dev();
    let mut open = vec![PathBuf::new()];
    while let Some(path) = open.pop() {
        let full = base.join(&path);
        let Ok(meta) = fs::symlink_metadata(&full) else { continue };
        let kind = meta.file_type();
        if kind.is_dir() && meta.dev() == device {
            let entries = fs::read_dir(&full).into_iter().flatten().flatten();
            open.extend(entries.map(|entry| path.join(entry.file_name())));
        }
        let node = Node {
            id: (meta.dev(), meta.ino()),
            mode: meta.mode(),
            owner: (meta.uid(), meta.gid()),
            names: if kind.is_dir() { 0 } else { meta.nlink() },
            modified: (meta.mtime(), meta.mtime_nsec()),
            text: kind.is_symlink().then(|| fs::read_link(&full).expect("the link is read").into()),
            content: kind.is_file().then(|| fs::read(&full).unwrap_or_default()),
        };
        debug_assert!(!kind.is_fifo() || node.content.is_none());
        nodes.insert(path, node);
    }
    nodes
}

/// The same without the times of directories, which an undone change leaves behind.
pub(crate) fn without_directory_times(mut tree: Tree) -> Tree {
    const DIRECTORY: u32 = 0o040_000;
    for node in tree.values_mut().filter(|node| node.mode & 0o170_000 == DIRECTORY) {
        node.modified = (0, 0);
    }
    tree
}

/// Names that only this library makes: residue of a run that is over.
pub(crate) fn residue(tree: &Tree) -> Vec<PathBuf> {
    let own = |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".caplink"));
    tree.keys().filter(|path| own(path)).cloned().collect()
}
