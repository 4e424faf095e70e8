//! The executor stops before each call, and what is left is what the kernel had done, or what a power cut leaves of it.
//!
//! A name that is replaced has something; a link is as it was or as it was to be; nothing of others is lost; only what
//! has a staged name, the state directory, and parents that were asked for are there besides; the same command succeeds
//! afterwards, and the leftovers are removed by the repair that is for them.

use std::ffi::OsStr;

use caplink::adversary::{Actor, Call, Object, Tree, World};
use caplink::{FileKind, Kind, Repair};

use crate::answers::Answers;
use crate::explore::Findings;
use crate::run::{Keep, Played, Schedule, play, play_on};
use crate::scene::{Fate, Scenario, Scene, Verb};
use crate::support::scenario::{STALE, STATE};
use crate::sweep::{Group, of_singles, sweep};

#[test]
fn a_crash_before_any_call_breaks_no_law() {
    sweep(Group::Crashes, |scene, draw, findings| {
        let one_of = of_singles(scene);
        for scene in [scene.clone(), scene.synced()] {
            crashes(&scene, findings, || draw.one_of(one_of));
        }
    });
}

pub(crate) fn crashes(scene: &Scene, findings: &mut Findings, mut choose: impl FnMut() -> bool) {
    let quiet = play(scene, &Schedule::default(), Keep::trees_from(0));
    let ends = [(None, &quiet.end)].into_iter();
    let points = quiet.points.iter().map(|call| Some(*call)).zip(&quiet.trees).chain(ends);
    for (point, (call, tree)) in points.enumerate() {
        let cut = tree.images();
        let killed = std::iter::once_with(|| tree.after_kill());
        for tree in cut.iter().map(|image| tree.after(image)).chain(killed).filter(|_| choose()) {
            let mut wrongs = Aftermath { scene, quiet: &quiet, tree: &tree }.wrongs();
            let promised = scene.is_synced() && call.is_none();
            if promised && links(scene, &tree) != links(scene, &quiet.end) {
                wrongs.push("durable: what was synced is lost".into());
            }
            findings.count(&scene.scenario, wrongs, || in_words(scene, point, call, &tree));
        }
    }
}

fn in_words(scene: &Scene, point: usize, call: Option<Call>, tree: &Tree) -> String {
    let before = call.map_or("after the end".to_owned(), |call| format!("before {call:?} ({point})"));
    let entries =
        |dir: Object| tree.entries(dir).iter().map(|(name, _)| name.display().to_string()).collect::<Vec<_>>();
    format!(
        "{}; crash {before}: root {:?}, directory {:?}",
        scene.scenario.name(),
        entries(scene.places.base),
        entries(scene.places.p)
    )
}

/// What is under the name of each link: kind and text.
fn links(scene: &Scene, tree: &Tree) -> Vec<Option<(FileKind, String)>> {
    let link = |path: &&str| {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        let found = tree.get(tree.dir(scene.places.base, dir)?, OsStr::new(name))?;
        Some((tree.node(found).kind, tree.text(found).unwrap_or_default().display().to_string()))
    };
    scene.scenario.links().iter().map(link).collect()
}

fn is_staged(name: &OsStr) -> bool {
    name.to_str().and_then(|name| name.strip_prefix(".caplink-")).is_some_and(|digits| digits.len() == 32)
}

/// A tree after a crash.
struct Aftermath<'a> {
    scene: &'a Scene,
    quiet: &'a Played,
    tree: &'a Tree,
}

impl Aftermath<'_> {
    fn wrongs(&self) -> Vec<String> {
        let mut wrongs = self.names();
        wrongs.extend(self.others());
        wrongs.extend(self.leftovers());
        wrongs.extend(self.again());
        wrongs.extend(self.cleaned());
        wrongs
    }

    fn scenario(&self) -> Scenario {
        self.scene.scenario
    }

    /// Every link is as it was or as it was to be; of an exchange both are.
    fn names(&self) -> Vec<String> {
        let (before, after) = (links(self.scene, &self.scene.tree), links(self.scene, &self.quiet.end));
        let now = links(self.scene, self.tree);
        let mut wrongs = Vec::new();
        for (index, now) in now.iter().enumerate() {
            if now.is_none() && self.scenario().fate(index) == Fate::Replaced {
                wrongs.push("never_absent: a replaced name is absent".to_owned());
            } else if *now != before[index] && *now != after[index] {
                wrongs.push(format!("old_or_new: link {index} is {now:?}"));
            }
        }
        if self.scenario().exchanges() && now != before && now != after {
            wrongs.push("old_or_new: an exchange was made by half".into());
        }
        wrongs
    }

    /// Everything of others is there; a link that was to be replaced or removed may be gone.
    fn others(&self) -> Vec<String> {
        let everything = || self.tree.objects().flat_map(|dir| self.tree.entries(dir));
        let there =
            |object: Object| self.tree.node(object).links > 0 && everything().any(|(_, other)| *other == object);
        let objects = self.scene.tree.objects().filter(|object| *object != Tree::ROOT && !there(*object));
        let is_subject = |object: Object| {
            let row = |path: &&str| {
                let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
                self.scene
                    .tree
                    .dir(self.scene.places.base, dir)
                    .and_then(|dir| self.scene.tree.get(dir, OsStr::new(name)))
            };
            let subject = self.scenario().links().iter().any(|path| row(path) == Some(object));
            subject && self.scene.tree.node(object).kind == FileKind::Symlink && !self.scenario().exchanges()
        };
        let lost = objects.filter(|object| !is_subject(*object));
        lost.map(|object| format!("nothing_lost: {:?} of others is gone", self.scene.tree.node(object).kind)).collect()
    }

    /// Whether a link of somebody else's has a staged name.
    fn foreign_entry_moved(&self) -> bool {
        let mut everything = self.tree.objects().flat_map(|dir| self.tree.entries(dir));
        everything.any(|(name, object)| is_staged(name) && self.tree.node(*object).uid != self.scenario().executor())
    }

    /// What is there besides has a name by which it is known.
    fn leftovers(&self) -> Vec<String> {
        let mut wrongs = Vec::new();
        let before: Vec<Object> = self.scene.tree.objects().collect();
        for dir in self.tree.objects().filter(|dir| self.tree.node(*dir).links > 0) {
            for (name, object) in self.tree.entries(dir) {
                let (kind, ours) = (self.tree.node(*object).kind, self.tree.node(*object).maker == Actor::Executor);
                let at_home = before.contains(&dir) && self.scene.tree.get(dir, name) == Some(*object);
                let link = kind == FileKind::Symlink;
                let known = match name.to_str().unwrap_or_default() {
                    STATE if dir == self.scene.places.base => ours && kind == FileKind::Dir,
                    "n1" | "n2" => ours && self.scenario().verb.makes_parents(),
                    "l" | "m" | "c" => true,
                    // The backup, or the link that was about to be exchanged for what becomes the backup.
                    "l.backup" => self.scenario().backs_up() && (!ours || link),
                    _ => is_staged(name) && (link || ours && kind == FileKind::Dir),
                };
                if !at_home && !known {
                    wrongs.push(format!("known_leftovers: {kind:?} `{}` is there", name.display()));
                }
            }
        }
        wrongs
    }

    /// The same command again comes to the same end, and leaves nothing more.
    fn again(&self) -> Vec<String> {
        let played = play_on(self.scene, self.tree.clone(), &Schedule::default(), Keep::default());
        // A repair removes what the first one left.
        let removes = self.scenario().verb == Verb::Repair;
        let wrongs = played.judge.violations.iter().filter(|wrong| !(removes && wrong.contains("`.caplink-")));
        let mut wrongs: Vec<String> = wrongs.map(|wrong| format!("the same command again: {wrong}")).collect();
        let end = links(self.scene, &self.quiet.end);
        let quietly: Vec<Kind> = self.quiet.answers.iter().flat_map(|a| &a.errors).map(caplink::Error::kind).collect();
        let done = links(self.scene, self.tree).iter().zip(&end).any(|(now, end)| now == end);
        for error in played.answers.iter().flat_map(|answers| &answers.errors) {
            // What was done before the crash cannot be done once more.
            let as_done = done && matches!(error.kind(), Kind::Exists | Kind::Mismatch | Kind::NotFound);
            let foreign = removes && error.kind() == Kind::Mismatch && self.foreign_entry_moved();
            if !as_done && !foreign && !quietly.contains(&error.kind()) {
                wrongs.push(format!("the same command again: {}", error.kind()));
            }
        }
        let exchanged_back =
            self.scenario().exchanges() && links(self.scene, &played.end) == links(self.scene, &self.scene.tree);
        if links(self.scene, &played.end) != end && !exchanged_back {
            wrongs.push("the same command again: it comes to another end".into());
        }
        wrongs
    }

    /// The repair for leftovers removes every staged link of the caller's.
    fn cleaned(&self) -> Vec<String> {
        let world = World::new(self.tree.clone());
        let root = self.scenario().root(&world);
        let mut answers = Answers::default();
        self.scenario().repair(&root, ".", &Repair::default().remove_leftovers(true), &mut answers);
        drop(root);
        let tree = world.with(|tree| tree.clone());
        // A link of somebody else's that was displaced stays theirs.
        let foreign = self.foreign_entry_moved();
        let errors = answers.errors.iter().filter(|error| !(foreign && error.kind() == Kind::Mismatch));
        let mut wrongs: Vec<String> = errors.map(|error| format!("remove_leftovers: {}", error.kind())).collect();
        for dir in tree.objects().filter(|dir| tree.node(*dir).links > 0 && tree.is_below(*dir, self.scene.places.base))
        {
            for (name, object) in tree.entries(dir) {
                let node = tree.node(*object);
                let own = node.uid == self.scenario().executor() && node.kind == FileKind::Symlink;
                if own && is_staged(name) {
                    wrongs.push("remove_leftovers: a staged link is left".into());
                }
            }
        }
        let is_stale = self.scenario().links().contains(&STALE);
        if links(self.scene, &tree) != links(self.scene, self.tree) && !is_stale {
            wrongs.push("remove_leftovers: a link was changed".into());
        }
        wrongs
    }
}
