//! Groups against the adversary in memory: stopped before each call, met by others there, on hosts with less.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::*;
use crate::confine::Enforcement;
use crate::error::FileKind;
use crate::model::{Durability, Edit, Group, GroupStep, LinkPath, Policy, Target};
use crate::root::Root;
use crate::sys::Abilities;
use crate::sys::memory::{Actor, Call, Errno, Object, Subject, Tree, Watch, World};

const USER: u32 = 1000;
const ALL: Abilities = Abilities::ALL;
const HOSTS: [Abilities; 4] = [
    ALL,
    Abilities { no_replace: false, ..ALL },
    Abilities { exchange: false, ..ALL },
    Abilities { exchange: false, no_replace: false, ..ALL },
];

/// How far what is written down has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Staging,
    Announced,
    Ended,
}

type Names = BTreeMap<PathBuf, String>;

/// What others do.
type Act = fn(&mut Tree, Object);

/// How far a run was before a call, what the tree was then, and whether that call was to change it.
type Point = (Phase, Tree, bool);

/// Sees each call, keeps the tree before it, and may change it.
struct Seer {
    seen: Arc<Mutex<Vec<Point>>>,
    phase: Arc<Mutex<Phase>>,
    act: Option<(usize, Act)>,
    calls: usize,
}

impl Watch for Seer {
    fn before(&mut self, tree: &mut Tree, call: Call) -> Option<Errno> {
        let changes =
            [Call::Exchange, Call::RenameNew, Call::RenameOver, Call::HardLink, Call::Unlink, Call::RemoveDir];
        self.seen.lock().unwrap().push((*self.phase.lock().unwrap(), tree.clone(), changes.contains(&call)));
        if let Some((at, act)) = self.act
            && at == self.calls
        {
            let base = tree.dir(Tree::ROOT, "base").unwrap();
            act(tree, base);
        }
        self.calls += 1;
        None
    }

    fn after(&mut self, _tree: &mut Tree, _call: Call, _result: Result<(), Errno>) {}
}

fn others() -> Subject {
    Subject { actor: Actor::Other, uid: USER }
}

fn first_tree() -> Tree {
    let mut tree = Tree::new();
    let base = tree.make(others(), Tree::ROOT, "base", FileKind::Dir).or_else(|_| {
        let made = tree.make(Subject { actor: Actor::Other, uid: 0 }, Tree::ROOT, "base", FileKind::Dir);
        made.inspect(|base| tree.set_up(*base, USER, 0o755, 1))
    });
    let base = base.unwrap();
    for dir in [".caplink", "v1", "v2", "sub", "empty", "lent"] {
        let made = tree.make(others(), base, dir, FileKind::Dir).unwrap();
        tree.set_up(made, USER, if dir == ".caplink" { 0o700 } else { 0o755 }, 1);
    }
    for file in ["way", "kept.backup"] {
        tree.make(others(), base, file, FileKind::File).unwrap();
    }
    let [sub, lent] = ["sub", "lent"].map(|dir| tree.dir(base, dir).unwrap());
    tree.make(others(), lent, "thing", FileKind::File).unwrap();
    let links = [(base, "current", "v1"), (base, "old", "v1"), (sub, "l", "../v1"), (base, "kept", "v1")];
    for (dir, name, text) in links.into_iter().chain([(base, "thing", "lent/thing")]) {
        tree.symlink(others(), OsStr::new(text), dir, OsStr::new(name)).unwrap();
    }
    tree.settle();
    tree
}

fn path(path: &str) -> LinkPath {
    LinkPath::new(path).unwrap()
}

fn group(exchange: bool) -> Group {
    let to = |target: &str| Target::relative(target);
    let mut group = Group::new("batch");
    group.push(Edit::swap(path("current"), to("v2"), "v1"));
    group.push(Edit::ensure(path("sub/l"), to("v2")));
    group.push(Edit::create(path("new/deep/link"), to("v2")).parents(true));
    group.push(Edit::remove(path("old")));
    group.push(GroupStep::RemoveDir(path("empty")));
    group.push(GroupStep::MakeDir(path("made")));
    if exchange {
        group.push(Edit::ensure(path("way"), to("v2")).backup(true));
        group.push(Edit::remove(path("kept")).expect("v1"));
        group.push(GroupStep::Restore { from: path("kept.backup"), to: path("kept") });
    }
    group.push(Edit::create(path("last"), to("current")));
    group
}

/// What moves files to a directory that it makes, and from one that it removes.
fn moves() -> Group {
    let mut group = Group::new("adopt");
    group.push(GroupStep::MakeDir(path("store")));
    group.push(GroupStep::Adopt { link: path("way"), to: path("store/way") });
    group.push(Edit::remove(path("thing")).expect("lent/thing"));
    group.push(GroupStep::Restore { from: path("lent/thing"), to: path("thing") });
    group.push(GroupStep::RemoveDir(path("lent")));
    group
}

/// What has which name, but for the state directory.
fn names(tree: &Tree) -> Names {
    let mut names = Names::new();
    let mut open = vec![(PathBuf::new(), tree.dir(Tree::ROOT, "base").unwrap())];
    while let Some((above, dir)) = open.pop() {
        for (name, object) in tree.entries(dir) {
            let path = above.join(&**name);
            let kind = tree.node(*object).kind;
            if path == Path::new(".caplink") {
                continue;
            }
            let text = tree.text(*object).map(|text| text.to_string_lossy().into_owned());
            names.insert(path.clone(), text.unwrap_or_else(|| format!("{kind:?} {}", tree.node(*object).inode)));
            if kind == FileKind::Dir {
                open.push((path, *object));
            }
        }
    }
    names
}

/// The same without the numbers of what was made.
fn plain(names: &Names) -> Names {
    let plain = |text: &String| text.split(' ').next().unwrap_or_default().to_owned();
    names.iter().map(|(path, text)| (path.clone(), plain(text))).collect()
}

fn staged(tree: &Tree) -> usize {
    let state = tree.dir(Tree::ROOT, "base/.caplink").unwrap();
    tree.entries(state).len()
}

fn root(world: &World, abilities: Abilities, confined: bool) -> Root {
    let root = Root::in_memory(world, "/base", USER, abilities, Policy::default()).unwrap();
    if confined { root.confined(Enforcement::Require).unwrap() } else { root }
}

struct Played {
    seen: Vec<Point>,
    parts: Vec<Part>,
    end: Tree,
    stands: bool,
    /// What could not be settled, or was left to others.
    told: Vec<String>,
}

/// Applies a group, and writes down how far it is.
fn play(group: &Group, abilities: Abilities, confined: bool, act: Option<(usize, Act)>) -> Played {
    let world = World::new(first_tree());
    let root = root(&world, abilities, confined);
    let (seen, phase) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Phase::Staging)));
    world.watch(Box::new(Seer { seen: Arc::clone(&seen), phase: Arc::clone(&phase), act, calls: 0 }));
    let mut parts = Vec::new();
    let mut told = Vec::new();
    let mut stands = false;
    let Judged { results, parts: judged } = judge(&root, group);
    if results.iter().all(Result::is_ok) {
        match Work::begin(&root, &root, "g", judged, Durability::Dir) {
            Err((_, error)) => told.push(format!("{error:?}")),
            Ok(mut work) => {
                parts = work.parts().to_vec();
                *phase.lock().unwrap() = Phase::Announced;
                let published = work.publish();
                stands = published.iter().all(Result::is_ok);
                told.extend(published.iter().filter_map(|result| Some(format!("{:?}", result.as_ref().err()?))));
                if !stands {
                    let backs = work.take_back();
                    told.extend(backs.iter().filter_map(|back| match back {
                        Ok(Back::Old | Back::Taken) => None,
                        other => Some(format!("{other:?}")),
                    }));
                }
                *phase.lock().unwrap() = Phase::Ended;
                told.extend(work.close().err().map(|error| format!("{error:?}")));
            }
        }
    } else {
        told.extend(results.iter().filter_map(|result| Some(format!("{:?}", result.as_ref().err()?))));
    }
    world.unwatch();
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    Played { seen, parts, end: world.with(|tree| tree.after_kill()), stands, told }
}

/// Settles what a stop left. Returns the tree after it, what was told, and each tree before a call of it.
fn recovered(tree: Tree, phase: Phase, parts: &[Part], abilities: Abilities) -> (Tree, Vec<String>, Vec<Point>) {
    let world = World::new(tree);
    let root = root(&world, abilities, false);
    let (seen, at) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(phase)));
    world.watch(Box::new(Seer { seen: Arc::clone(&seen), phase: Arc::clone(&at), act: None, calls: 0 }));
    let parts = if phase == Phase::Announced { parts.to_vec() } else { Vec::new() };
    let mut work = Work::open(&root, "g", parts).unwrap().expect("nobody else is at work");
    let mut told = Vec::new();
    if phase == Phase::Announced {
        let settled = work.settle();
        for back in settled.parts {
            match back.expect("it is settled") {
                Back::Theirs(found) => told.push(format!("{found:?}")),
                Back::Old | Back::Taken => {}
            }
        }
        *at.lock().unwrap() = Phase::Ended;
    }
    if let Err(error) = work.close() {
        told.push(format!("{error:?}"));
    }
    world.unwatch();
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    (world.with(|tree| tree.after_kill()), told, seen)
}

/// Of how many stops and attacks one is played: of all where `CAPLINK_SCHEDULES` is set.
fn step(usually: usize) -> usize {
    if std::env::var_os("CAPLINK_SCHEDULES").is_some() { 1 } else { usually }
}

/// The numbers of the calls that are played: those that change names, the ones after them, and of the others some.
fn played_of(seen: &[Point], usually: usize, first: usize) -> Vec<usize> {
    let near = |at: usize| seen[at].2 || at > 0 && seen[at - 1].2;
    (0..seen.len()).filter(|at| near(*at) || at % step(usually) == first % step(usually)).collect()
}

#[test]
fn a_group_that_is_stopped_before_any_call_is_all_old_or_all_new_once_it_is_settled() {
    let old = names(&first_tree());
    for abilities in HOSTS {
        let group = || group(abilities.exchange);
        let mut groups = vec![(false, group()), (true, group())];
        if abilities.exchange {
            groups.extend([(false, moves()), (true, moves())]);
        }
        for (confined, group) in groups {
            let played = play(&group, abilities, confined, None);
            assert!(played.stands && played.told.is_empty(), "{abilities:?}: {:?}", played.told);
            let new = names(&played.end);
            assert!(old != new && staged(&played.end) == 0);
            let (mut olds, mut news) = (0, 0);
            for point in played_of(&played.seen, 7, 0) {
                let (phase, tree, _) = &played.seen[point];
                let what = format!("{abilities:?} confined {confined}, stopped before call {point}");
                let now = names(tree);
                if abilities.exchange {
                    for name in ["current", "sub/l", "way", "kept", "thing"] {
                        assert!(now.contains_key(Path::new(name)), "{what}: law 3: `{name}` is absent");
                    }
                }
                let (end, told, again) = recovered(tree.after_kill(), *phase, &played.parts, abilities);
                let end_names = names(&end);
                assert!(end_names == old || end_names == new, "{what}: law 12: {end_names:#?}");
                assert!(told.is_empty() && staged(&end) == 0, "{what}: {told:?}");
                if end_names == old {
                    olds += 1
                } else {
                    news += 1
                }
                // Recovery is stopped, too.
                for (phase, tree, _) in again.iter().skip(point % 7).step_by(step(37)) {
                    let (end, told, _) = recovered(tree.after_kill(), *phase, &played.parts, abilities);
                    assert!(
                        names(&end) == end_names && told.is_empty(),
                        "{what}: recover twice is recover once: {told:?}"
                    );
                }
            }
            assert!(olds > 0 && news > 0);
        }
    }
}

#[test]
fn what_a_power_cut_leaves_of_a_group_is_settled() {
    let old = plain(&names(&first_tree()));
    let played = play(&group(true), ALL, false, None);
    let new = plain(&names(&played.end));
    let mut images = 0;
    let announced = |at: &usize| played.seen[*at].0 == Phase::Announced;
    for point in (0..played.seen.len()).filter(announced).step_by(step(9)) {
        let (phase, tree, _) = &played.seen[point];
        for image in tree.images().iter().step_by(step(37)) {
            let (end, told, _) = recovered(tree.after(image), *phase, &played.parts, ALL);
            let end = plain(&names(&end));
            assert!(end == old || end == new, "cut before call {point}: {end:#?} {told:?}");
            // Where what was moved into a directory is brought back, and the move of the directory is not, it stays staged.
            assert!(told.iter().all(|told| told.contains("(residue); left: `.caplink/undo-g/")), "{told:?}");
            images += 1;
        }
    }
    assert!(images > 100, "{images}");
}

fn put(tree: &mut Tree, base: Object, name: &str, kind: FileKind) {
    let (dir, name) = match name.rsplit_once('/') {
        Some((dir, name)) => match tree.dir(base, dir) {
            Some(dir) => (dir, name),
            None => return,
        },
        None => (base, name),
    };
    let beside = OsStr::new("theirs");
    match kind {
        FileKind::Symlink => drop(tree.symlink(others(), OsStr::new("theirs"), base, beside)),
        kind => drop(tree.make(others(), base, "theirs", kind)),
    }
    // In one step where something is there, which they keep.
    if tree.exchange(others(), (base, beside), (dir, OsStr::new(name))).is_err() {
        let _ = tree.rename_new(others(), (base, beside), (dir, OsStr::new(name)));
    }
}

#[test]
fn what_others_do_at_any_call_of_a_group_stays_theirs() {
    let old = plain(&names(&first_tree()));
    let attacks: [(&str, Act); 9] = [
        ("current", |tree, base| put(tree, base, "current", FileKind::Symlink)),
        ("current", |tree, base| put(tree, base, "current", FileKind::File)),
        ("sub/l", |tree, base| put(tree, base, "sub/l", FileKind::Symlink)),
        ("old", |tree, base| put(tree, base, "old", FileKind::Symlink)),
        ("last", |tree, base| put(tree, base, "last", FileKind::File)),
        ("new/deep/link", |tree, base| put(tree, base, "new/deep/link", FileKind::Symlink)),
        ("way", |tree, base| put(tree, base, "way", FileKind::Symlink)),
        ("way.backup", |tree, base| put(tree, base, "way.backup", FileKind::File)),
        ("current", |tree, base| {
            let _ = tree.unlink(others(), base, OsStr::new("current"));
        }),
    ];
    for abilities in [HOSTS[0], HOSTS[1], HOSTS[3]] {
        let group = group(abilities.exchange);
        let quiet = play(&group, abilities, false, None);
        let new = plain(&names(&quiet.end));
        for (number, (name, attack)) in attacks.into_iter().enumerate() {
            // Without an exchange a link that others put there in that very moment can be replaced: it is cooperative.
            if !abilities.exchange && !matches!(name, "last" | "new/deep/link") {
                continue;
            }
            for at in played_of(&quiet.seen, 29, number) {
                let played = play(&group, abilities, false, Some((at, attack)));
                let what = format!("{abilities:?}, attack {number} on `{name}` before call {at}: {:?}", played.told);
                let theirs = |tree: &Names| -> Names {
                    let is_it = |path: &Path| path == Path::new(name) || path == Path::new("theirs");
                    let related = |path: &Path| is_it(path) || Path::new(name).starts_with(path);
                    let is_backup = |path: &Path| name.starts_with("way") && path.to_string_lossy().starts_with("way");
                    let kept = tree.iter().filter(|(path, _)| !related(path) && !is_backup(path));
                    kept.map(|(path, text)| (path.clone(), text.clone())).collect()
                };
                let end = plain(&names(&played.end));
                let (is_old, is_new) = (theirs(&end) == theirs(&old), theirs(&end) == theirs(&new));
                assert!(is_old || is_new, "{what}: law 12: {end:#?}");
                assert!(!played.stands || is_new, "{what}: it stands");
                // Every object of others is still there.
                let made = played.end.objects().filter(|object| {
                    let node = played.end.node(*object);
                    node.maker == Actor::Other && node.kind == FileKind::File && node.links == 0
                });
                assert_eq!(made.count(), 0, "{what}: law 1: a file of others is gone");
                let lost = played.end.objects().filter(|object| {
                    played.end.text(*object) == Some(OsStr::new("theirs")) && played.end.node(*object).links == 0
                });
                // One that was there when it was judged is replaced as any other.
                let judged = played.parts.iter().any(|part| part.before == Some(Thing::Link("theirs".into())));
                assert!(lost.count() == 0 || judged, "{what}: law 6: a link of others is gone");
                // A stop at any later call is settled as well.
                for (phase, tree, _) in played.seen.iter().skip(at + 1).step_by(step(29)) {
                    let (end, _, _) = recovered(tree.after_kill(), *phase, &played.parts, abilities);
                    let end = plain(&names(&end));
                    let settled = theirs(&end) == theirs(&old) || theirs(&end) == theirs(&new);
                    assert!(settled, "{what}, then stopped: law 12: {end:#?}");
                }
            }
        }
    }
}
