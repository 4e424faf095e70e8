//! What can be left after a crash.

use std::ffi::OsStr;

use super::change::{Change, Slot, Step};
use super::tree::{Body, Name, Object, Tree};
use crate::error::FileKind;

/// The most images of one crash that are looked at.
const IMAGES_MAX: usize = 4096;

/// The directories as a crash left them.
#[derive(Clone, Debug)]
pub struct Image {
    dirs: Vec<Vec<(Name, Object)>>,
    /// Which changes of the log survived.
    pub survived: Vec<bool>,
}

impl Image {
    pub fn get(&self, dir: Object, name: &OsStr) -> Option<Object> {
        self.entries(dir).iter().find(|(other, _)| **other == *name).map(|(_, object)| *object)
    }

    pub fn entries(&self, dir: Object) -> &[(Name, Object)] {
        self.dirs.get(dir.0 as usize).map_or(&[], Vec::as_slice)
    }

    fn set(&mut self, dir: Object, name: &Name, object: Option<Object>) {
        let index = dir.0 as usize;
        if self.dirs.len() <= index {
            self.dirs.resize(index + 1, Vec::new());
        }
        let entries = &mut self.dirs[index];
        entries.retain(|(other, _)| other != name);
        entries.extend(object.map(|object| (name.clone(), object)));
    }
}

impl Change {
    fn touches(&self, dir: Object) -> bool {
        self.slots.iter().any(|slot| slot.dir == dir)
    }

    fn objects(&self) -> impl Iterator<Item = Object> + '_ {
        self.slots.iter().flat_map(|slot| [slot.before, slot.after]).flatten()
    }

    /// The same name or the same object.
    fn follows(&self, earlier: &Change) -> bool {
        let same_name = |slot: &Slot| earlier.slots.iter().any(|e| e.dir == slot.dir && e.name == slot.name);
        self.slots.iter().any(same_name) || self.objects().any(|object| earlier.objects().any(|e| e == object))
    }

    /// What a journal brings back first, too.
    fn is_journaled_after(&self, earlier: &Change) -> bool {
        let made = earlier.step == Step::Make;
        let made_its_directory = made && earlier.slots.iter().any(|e| e.after.is_some_and(|dir| self.touches(dir)));
        let removed = self.step == Step::RemoveDir;
        let emptied = removed && self.slots.iter().any(|s| s.before.is_some_and(|dir| earlier.touches(dir)));
        made_its_directory || emptied || self.follows(earlier)
    }
}

impl Tree {
    /// Begins the log: what is there now is durable.
    pub fn settle(&mut self) {
        self.log.clear();
        self.first = std::sync::Arc::new(self.objects().map(|dir| self.entries(dir).to_vec()).collect());
    }

    pub(super) fn sync_dir(&mut self, dir: Object) {
        for index in (0..self.log.len()).rev() {
            let (earlier, later) = self.log.split_at_mut(index + 1);
            let change = &mut earlier[index];
            let needed = later.iter().any(|later| later.durable && later.follows(change));
            change.durable |= needed || change.touches(dir);
        }
    }

    pub(super) fn sync_all(&mut self) {
        self.log.iter_mut().for_each(|change| change.durable = true);
    }

    /// Every way in which the directories can be after a power cut now.
    pub fn images(&self) -> Vec<Image> {
        let mut images = Vec::new();
        let mut survived = Vec::with_capacity(self.log.len());
        self.choose(&mut survived, &mut images);
        images
    }

    fn choose(&self, survived: &mut Vec<bool>, images: &mut Vec<Image>) {
        let index = survived.len();
        if images.len() >= IMAGES_MAX {
            return;
        }
        let Some(change) = self.log.get(index) else {
            images.push(self.image(survived.clone()));
            return;
        };
        let lost = |(earlier, survived): (&Change, &bool)| !survived && change.is_journaled_after(earlier);
        let possible = change.durable || !self.log.iter().zip(survived.iter()).any(lost);
        for choice in [true, false] {
            if choice && possible || !choice && !change.durable {
                survived.push(choice);
                self.choose(survived, images);
                survived.pop();
            }
        }
    }

    fn image(&self, survived: Vec<bool>) -> Image {
        let mut image = Image { dirs: self.first.to_vec(), survived: Vec::new() };
        for (change, survives) in self.log.iter().zip(&survived) {
            for slot in change.slots.iter().filter(|_| *survives) {
                image.set(slot.dir, &slot.name, slot.after);
            }
        }
        image.survived = survived;
        image
    }

    /// The tree after a power cut that left this image: no descriptor, no lock, everything durable.
    pub fn after(&self, image: &Image) -> Tree {
        let mut tree = self.clone();
        for dir in self.objects() {
            if let Body::Dir { entries, .. } = &mut tree.node_mut(dir).body {
                *entries = image.entries(dir).to_vec();
            }
        }
        tree.forget_descriptors();
        let mut names = vec![0; tree.nodes.len()];
        names[0] = 1;
        let mut open = vec![Tree::ROOT];
        while let Some(dir) = open.pop() {
            for (_, object) in tree.entries(dir).to_vec() {
                names[object.0 as usize] += 1;
                if tree.node(object).kind == FileKind::Dir {
                    tree.adopted_by(object, dir);
                    open.push(object);
                }
            }
        }
        for (node, names) in tree.nodes.iter_mut().zip(names) {
            node.links = names;
        }
        tree.settle();
        tree
    }

    fn adopted_by(&mut self, dir: Object, by: Object) {
        if let Body::Dir { parent, .. } = &mut self.node_mut(dir).body {
            *parent = by;
        }
    }

    /// The tree after the executor was killed.
    pub fn after_kill(&self) -> Tree {
        let mut tree = self.clone();
        tree.forget_descriptors();
        tree.settle();
        tree
    }

    fn forget_descriptors(&mut self) {
        self.descriptors = 0;
        for node in &mut self.nodes {
            node.pins = 0;
            node.lock = node.lock.filter(|holder| *holder == 0);
        }
    }
}
