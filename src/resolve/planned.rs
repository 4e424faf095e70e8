//! What earlier edits of a preview leave, by physical path.
//!
//! A tree of names, so that a path costs as much as it is long, however many edits there are and however deep they are.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::error::{FileKind, Found};

/// What earlier edits of a preview leave at physical paths: a link with this text, or nothing.
#[derive(Debug)]
pub(crate) struct Planned {
    /// The first is the root's. They are in a list because the tree may be as deep as the one that is edited.
    nodes: Vec<Node>,
}

/// There are as many as there are edits, and nearly all of them are links with nothing below.
#[derive(Debug, Default)]
struct Node {
    #[expect(clippy::box_collection, reason = "nearly no node has one")]
    below: Option<Box<HashMap<Box<OsStr>, u32>>>,
    /// The last edit about this path leaves a link or nothing there.
    is_edited: bool,
    /// The text of that link.
    text: Option<Box<OsStr>>,
    /// An edit creates this directory.
    is_made: bool,
    /// What the disk has there is removed by an edit before that.
    replaces: bool,
    /// An edit renames what is of this kind to here.
    backup: Option<FileKind>,
}

impl Node {
    fn below(&self, name: &OsStr) -> Option<usize> {
        self.below.as_ref()?.get(name).map(|at| *at as usize)
    }

    /// What is left here: a text, or nothing; the outer none is no edit.
    fn left(&self) -> Option<Option<&OsStr>> {
        self.is_edited.then_some(self.text.as_deref())
    }

    /// Whether nothing of what the disk has is left here.
    fn is_cleared(&self) -> bool {
        self.left() == Some(None) || self.replaces
    }

    /// Whether an edit is about this very path.
    fn is_about(&self) -> bool {
        self.is_edited || self.is_made
    }
}

impl Planned {
    pub(crate) fn new() -> Planned {
        Planned { nodes: vec![Node::default()] }
    }

    /// Whether no edit leaves anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.len() == 1
    }

    /// An edit leaves a link with this text at the path, or nothing: whatever earlier ones left there or below is gone.
    pub(crate) fn insert(&mut self, path: &Path, left: Option<OsString>) {
        let at = self.node_at(path);
        let text = left.map(OsString::into_boxed_os_str);
        self.nodes[at] = Node { is_edited: true, text, ..Node::default() };
    }

    /// An edit creates a directory at the path.
    pub(crate) fn insert_dir(&mut self, path: &Path) {
        let at = self.node_at(path);
        let node = &mut self.nodes[at];
        node.is_made = true;
        // A link that had the name was removed before it.
        if node.is_edited {
            (node.is_edited, node.text) = (false, None);
            node.replaces = true;
        }
    }

    /// An edit renames a file or directory to the path, where nothing is.
    pub(crate) fn insert_backup(&mut self, path: &Path, kind: FileKind) {
        let at = self.node_at(path);
        self.nodes[at] = Node { backup: Some(kind), ..Node::default() };
    }

    fn node_at(&mut self, path: &Path) -> usize {
        let mut at = 0;
        for name in path {
            at = match self.below(at, name) {
                Some(below) => below,
                None => {
                    let next = self.nodes.len();
                    let number = u32::try_from(next).expect("BUG: there are fewer edits");
                    self.nodes[at].below.get_or_insert_default().insert(name.into(), number);
                    self.nodes.push(Node::default());
                    next
                }
            };
        }
        at
    }

    fn find(&self, path: &Path) -> Option<&Node> {
        let at = path.iter().try_fold(Planned::top(), |node, name| self.below(node, name))?;
        Some(&self.nodes[at])
    }

    /// What is left at a path: a text, or nothing; the outer none is no edit.
    #[cfg(any(feature = "records", test))]
    pub(crate) fn left_at(&self, path: &Path) -> Option<Option<&OsStr>> {
        self.find(path)?.left()
    }

    /// What is under the name at a path; `None` where it is what the disk has.
    pub(crate) fn found_at(&self, path: &Path) -> Option<Found> {
        let node = self.find(path)?;
        match node.left() {
            Some(left) => Some(left.map_or(Found::Missing, |text| Found::Link(text.to_os_string()))),
            None => node.is_made.then_some(FileKind::Dir).or(node.backup).map(Found::Other),
        }
    }

    /// Whether an edit creates a directory at a node, in place of what the disk has there.
    pub(super) fn is_replaced_by_dir(&self, node: usize) -> bool {
        self.nodes[node].replaces
    }

    /// Whether an edit creates a directory at the path.
    pub(crate) fn is_made(&self, path: &Path) -> bool {
        self.find(path).is_some_and(|node| node.is_made)
    }

    /// Whether an edit creates a directory at a node.
    pub(super) fn is_made_at(&self, node: usize) -> bool {
        self.nodes[node].is_made
    }

    /// The first parent on the way to a path that earlier edits leave otherwise than the disk has it: which one, and the text
    /// of the link that it is, if it is not missing. A directory that one of them creates has what they put there alone.
    pub(crate) fn left_on_the_way(&self, parents: &Path) -> Option<(usize, Option<&OsStr>)> {
        let (mut at, mut is_made) = (Planned::top(), false);
        for (index, name) in parents.iter().enumerate() {
            let Some(next) = self.below(at, name) else { return is_made.then_some((index, None)) };
            at = next;
            match &self.nodes[at] {
                Node { is_made: true, .. } => is_made = true,
                Node { is_edited: true, text, .. } => return Some((index, text.as_deref())),
                Node { is_edited: false, .. } if is_made => return Some((index, None)),
                Node { is_edited: false, .. } => {}
            }
        }
        None
    }

    /// Whether nothing of what the disk has at a path is left there.
    pub(crate) fn is_cleared(&self, path: &Path) -> bool {
        self.find(path).is_some_and(Node::is_cleared)
    }

    /// The same of a node.
    pub(super) fn is_cleared_at(&self, node: usize) -> bool {
        self.nodes[node].is_cleared()
    }

    /// The node of the root.
    pub(super) fn top() -> usize {
        0
    }

    /// The node of this name below another, if there is an edit there or further down.
    pub(super) fn below(&self, node: usize, name: &OsStr) -> Option<usize> {
        self.nodes[node].below(name)
    }

    /// What is left at a node: a text, or nothing; the outer none is no edit.
    pub(super) fn left(&self, node: usize) -> Option<Option<&OsStr>> {
        self.nodes[node].left()
    }

    /// Whether an edit is about the path, or about one of the directories above it.
    pub(super) fn is_on_the_way(&self, path: &Path) -> bool {
        let mut at = 0;
        for name in path {
            if self.nodes[at].is_about() {
                return true;
            }
            match self.below(at, name) {
                Some(below) => at = below,
                None => return false,
            }
        }
        self.nodes[at].is_about()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left<'p>(planned: &'p Planned, path: &Path) -> Option<Option<&'p OsStr>> {
        planned.left(path.iter().try_fold(Planned::top(), |node, name| planned.below(node, name))?)
    }

    #[test]
    fn an_edit_is_on_the_way_of_its_path_and_of_those_below() {
        let names = ["a", "a/b", "a-b", "a/b/c", "b", "a/bb", "a/b.c", "c/d/e", "c"];
        let paths = ["", "a", "a/b", "a/b/c/d", "a/bb/c", "a-b/c", "a-", "b/c", "c/d", "c/d/e", "c/d/f", "d"];
        for (first, second) in names.iter().flat_map(|first| names.map(|second| (*first, second))) {
            let mut planned = Planned::new();
            planned.insert(Path::new(first), Some("t".into()));
            planned.insert(Path::new(second), None);
            for path in paths.map(Path::new) {
                let above = [first, second].iter().any(|edited| path.starts_with(edited));
                assert_eq!(planned.is_on_the_way(path), above, "{path:?} after {first} and {second}");
            }
            assert_eq!(left(&planned, Path::new(second)), Some(None), "the later one counts");
            assert_eq!(left(&planned, Path::new("c/d")), None);
        }
    }

    #[test]
    fn what_is_left_below_a_name_goes_with_it() {
        let mut planned = Planned::new();
        let (dir, link) = (Path::new("a"), Path::new("a/l"));
        planned.insert_dir(dir);
        planned.insert(link, Some("t".into()));
        planned.insert(dir, Some("elsewhere".into()));
        assert!(!planned.is_made(dir), "it was renamed, and a link has its name");
        assert_eq!(planned.left_on_the_way(Path::new("a/b")), Some((0, Some(OsStr::new("elsewhere")))));
        assert_eq!(planned.left_at(link), None);
        planned.insert(dir, None);
        planned.insert_dir(dir);
        assert_eq!((planned.is_made(dir), planned.left_at(link)), (true, None), "the new one is empty");
    }

    #[test]
    fn a_directory_that_an_edit_creates_is_known_and_is_on_the_way() {
        let mut planned = Planned::new();
        planned.insert_dir(Path::new("a/b"));
        assert_eq!(["a", "a/b", "a/b/c"].map(|path| planned.is_made(Path::new(path))), [false, true, false]);
        assert_eq!(["a", "a/b", "a/b/c"].map(|path| planned.is_on_the_way(Path::new(path))), [false, true, true]);
        assert_eq!(planned.left_at(Path::new("a/b")), None);
        planned.insert(Path::new("a/b/l"), Some("t".into()));
        assert_eq!(planned.left_at(Path::new("a/b/l")), Some(Some(OsStr::new("t"))));
    }
}
