//! A tree of names, without a file system.

use std::collections::BTreeMap;
use std::path::Path;

use super::dice::Dice;

pub(crate) type Names = Vec<String>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Dir,
    /// What is in it tells it from every other file.
    File(String),
    Link(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct World {
    /// The absolute path of the root.
    pub(crate) root: String,
    nodes: BTreeMap<Names, Node>,
}

/// The names that trees and paths are made of.
pub(crate) const NAMES: &[&str] = &["a", "b", "c", "d"];

pub(crate) fn names(path: &str) -> Names {
    path.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

impl World {
    pub(crate) fn new(root: &Path) -> World {
        World { root: root.to_str().expect("the root has a plain name").to_owned(), nodes: BTreeMap::new() }
    }

    pub(crate) fn get(&self, path: &[String]) -> Option<&Node> {
        if path.is_empty() { Some(&Node::Dir) } else { self.nodes.get(path) }
    }

    pub(crate) fn is_dir(&self, path: &[String]) -> bool {
        self.get(path) == Some(&Node::Dir)
    }

    pub(crate) fn put(&mut self, path: Names, node: Node) {
        assert!(self.is_dir(&path[..path.len() - 1]), "the parent of {path:?} is a directory");
        self.nodes.insert(path, node);
    }

    pub(crate) fn take(&mut self, path: &[String]) -> Option<Node> {
        self.nodes.remove(path)
    }

    /// Gives an entry, with everything below it, another name.
    pub(crate) fn rename(&mut self, from: &[String], to: &[String]) {
        let moved: Vec<Names> = self.nodes.keys().filter(|path| path.starts_with(from)).cloned().collect();
        for path in moved {
            let node = self.nodes.remove(&path).expect("it was just listed");
            self.nodes.insert([to, &path[from.len()..]].concat(), node);
        }
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = (&Names, &Node)> {
        self.nodes.iter()
    }

    /// A small tree with links of every sort.
    pub(crate) fn grown(root: &Path, dice: &mut Dice<'_>) -> World {
        let mut world = World::new(root);
        for _ in 0..dice.roll(12) {
            let mut path = Names::new();
            for _ in 0..=dice.roll(3) {
                path.push(dice.pick(NAMES).to_owned());
                if !world.is_dir(&path) {
                    break;
                }
            }
            if world.get(&path).is_none() {
                let node = match dice.roll(5) {
                    0 | 1 => Node::Dir,
                    2 => Node::File(path.concat()),
                    _ => Node::Link(text(dice, root)),
                };
                world.put(path, node);
            }
        }
        world
    }
}

/// The text of a link: mostly short ways through the tree, now and then out of it.
pub(crate) fn text(dice: &mut Dice<'_>, root: &Path) -> String {
    // The bare name of a neighbour, the plainest text there is.
    if dice.one_in(3) {
        return dice.pick(NAMES).to_owned();
    }
    let mut text = match dice.roll(12) {
        0 => format!("{}/", root.display()),
        1 => "/".to_owned(),
        2 => format!("{}x/", root.display()),
        _ => String::new(),
    };
    for step in 0..=dice.roll(5) {
        if step > 0 {
            text.push_str(dice.pick(&["/", "/", "/", "//", "/./"]));
        }
        text.push_str(match dice.roll(8) {
            0 | 1 => "..",
            2 => ".",
            _ => dice.pick(NAMES),
        });
    }
    text.push_str(dice.pick(&["", "", "", "/", "/."]));
    text
}

/// A path as somebody would write it: most of the time one that may be used, and often one that is there.
pub(crate) fn written(dice: &mut Dice<'_>, world: &World) -> String {
    let there = world.nodes.len();
    let mut path = if dice.one_in(16) { dice.pick(&["./", "./", "/", "../"]) } else { "" }.to_owned();
    if there > 0 && dice.roll(3) > 0 {
        // Links are what most of the verbs are about.
        let links: Vec<&Names> =
            world.nodes().filter(|(_, node)| matches!(node, Node::Link(_))).map(|(path, _)| path).collect();
        let all: Vec<&Names> = world.nodes.keys().collect();
        let names = if links.is_empty() || dice.one_in(2) { dice.pick(&all) } else { dice.pick(&links) };
        path.push_str(&names.join(dice.pick(&["/", "/", "/", "//", "/./"])));
        if dice.one_in(4) {
            path.push('/');
            path.push_str(dice.pick(NAMES));
        }
    } else {
        for step in 0..=dice.roll(3) {
            if step > 0 {
                path.push_str(dice.pick(&["/", "/", "/", "//", "/./"]));
            }
            path.push_str(if dice.one_in(24) { ".." } else { dice.pick(NAMES) });
        }
    }
    path.push_str(if dice.one_in(16) { dice.pick(&["/", "/."]) } else { "" });
    path
}
