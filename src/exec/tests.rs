//! The ground of the tests of several links in one directory: a tree in memory, and others who act before one call.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::confine::Enforcement;
use crate::error::FileKind;
use crate::model::{LinkPath, Policy};
use crate::root::Root;
use crate::sys::Abilities;
use crate::sys::memory::{Actor, Call, Object, Subject, Tree, World, acting};

pub(super) const USER: u32 = 1000;

/// The links that are edited together, and the text of those that are there from the beginning.
pub(super) const LINKS: [&str; 3] = ["a", "b", "c"];
pub(super) const OLD: &str = "old";

/// What others do.
pub(super) type Act = fn(&mut Tree);

/// Keeps the names of the calls from now on, and acts before one of them.
pub(super) fn watch(world: &World, act: Option<(usize, Act)>) -> Arc<Mutex<Vec<Call>>> {
    acting(world, act)
}

pub(super) fn root(world: &World, confined: bool) -> Root {
    let root = Root::in_memory(world, "/base", USER, Abilities::ALL, Policy::default()).unwrap();
    if confined { root.confined(Enforcement::Require).unwrap() } else { root }
}

pub(super) fn others() -> Subject {
    Subject { actor: Actor::Other, uid: USER }
}

pub(super) fn dir(tree: &mut Tree, above: Object, name: &str, mode: u32) -> Object {
    let made = tree.make(Subject { actor: Actor::Other, uid: 0 }, above, name, FileKind::Dir).unwrap();
    tree.set_up(made, USER, mode, 1);
    made
}

/// `base/sub`, with these links, `outside` beside `base`, and a state directory.
pub(super) fn tree(mode: u32, links: &[&str]) -> Tree {
    let mut tree = Tree::new();
    dir(&mut tree, Tree::ROOT, "outside", 0o755);
    let base = dir(&mut tree, Tree::ROOT, "base", 0o755);
    dir(&mut tree, base, ".caplink", 0o700);
    let sub = dir(&mut tree, base, "sub", mode);
    for link in links {
        tree.symlink(others(), OsStr::new(OLD), sub, OsStr::new(link)).unwrap();
    }
    tree
}

/// The path of a link in `sub`, below the root.
pub(super) fn path(link: &str) -> LinkPath {
    LinkPath::new(Path::new("sub").join(link)).unwrap()
}

pub(super) fn move_out(tree: &mut Tree) {
    let (base, outside) = (tree.dir(Tree::ROOT, "base").unwrap(), tree.dir(Tree::ROOT, "outside").unwrap());
    tree.rename_new(others(), (base, OsStr::new("sub")), (outside, OsStr::new("sub"))).unwrap();
}

pub(super) fn move_and_replace(tree: &mut Tree) {
    move_out(tree);
    let base = tree.dir(Tree::ROOT, "base").unwrap();
    dir(tree, base, "sub", 0o755);
}

/// The names in a directory, with the texts of links; none where it is missing.
pub(super) fn texts(tree: &Tree, path: &str) -> BTreeMap<String, String> {
    let Some(dir) = tree.dir(Tree::ROOT, path) else { return BTreeMap::new() };
    let text = |object| tree.text(object).unwrap_or_default().to_string_lossy().into_owned();
    let entries = tree.entries(dir).iter();
    entries.map(|(name, object)| (Path::new(&**name).display().to_string(), text(*object))).collect()
}
