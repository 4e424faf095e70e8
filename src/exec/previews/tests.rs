//! Previews that share directories, against the adversary in memory, who acts before each call.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use super::*;
use crate::error::FileKind;
use crate::exec::tests::{Act, OLD, dir, move_and_replace, move_out, others, path, root, texts, tree, watch};
use crate::model::{LinkPath, Target};
use crate::resolve::{TIME_MAX, TOGETHER_MAX};
use crate::sys::memory::{Call, Object, Tree, World};

/// So many links in `sub` lead to as many files in `to`.
const LINKS: usize = 12;

fn ground(there: bool) -> Tree {
    let links: Vec<String> = (0..if there { LINKS } else { 0 }).map(|number| format!("l{number}")).collect();
    let mut tree = tree(0o755, &links.iter().map(String::as_str).collect::<Vec<_>>());
    let base = tree.dir(Tree::ROOT, "base").unwrap();
    let to = dir(&mut tree, base, "to", 0o755);
    make_targets(&mut tree, to);
    tree
}

fn make_targets(tree: &mut Tree, to: Object) {
    for number in 0..LINKS {
        tree.make(others(), to, &format!("t{number}"), FileKind::File).unwrap();
    }
}

fn edits(count: usize, edit: fn(LinkPath, Target) -> Edit) -> Vec<Edit> {
    let target = |number| Target::relative(format!("to/t{}", number % LINKS));
    (0..count).map(|number| edit(path(&format!("l{number}")), target(number))).collect()
}

fn create(path: LinkPath, target: Target) -> Edit {
    Edit::create(path, target).into()
}

fn ensure(path: LinkPath, target: Target) -> Edit {
    Edit::ensure(path, target).into()
}

fn swap(path: LinkPath, target: Target) -> Edit {
    Edit::swap(path, target, OLD).into()
}

/// What each edit comes to, in words, and the calls.
fn play(tree: Tree, edits: &[Edit], shared: bool, act: Option<(usize, Act)>) -> (Vec<String>, Vec<Call>) {
    let world = World::new(tree);
    let root = root(&world, false);
    let seen = watch(&world, act);
    let came = if shared {
        root.preview_all(edits)
    } else {
        let mut previews = Previews::new(&root);
        edits.iter().map(|edit| previews.next(edit)).collect()
    };
    drop(world.unwatch());
    let words = |came: &Result<Outcome>| match came {
        Ok(outcome) => format!("{:?} {:?} {:?}", outcome.effect, outcome.target, outcome.previous),
        Err(error) => error.kind().as_str().to_owned(),
    };
    let seen = seen.lock().unwrap().clone();
    (came.iter().map(words).collect(), seen)
}

#[test]
fn previews_of_one_directory_open_it_once_and_prove_it_once() {
    use Call::{OpenDir, Reach, ReadLink, Stat, StatAt};
    let opened = [OpenDir, Stat];
    // Whether a link can be made in it is a look of its own.
    let first = [&opened[..], &[Stat, ReadLink], &opened, &[StatAt]].concat();
    let proofs = [opened, opened].concat();
    let created = [first.clone(), [ReadLink, StatAt].repeat(LINKS - 1), proofs.clone()].concat();
    assert_eq!(play(ground(false), &edits(LINKS, create), true, None).1, created);
    // Whether a link may be moved is asked for each.
    assert_eq!(play(ground(true), &edits(LINKS, ensure), true, None).1, created);
    assert_eq!(play(ground(true), &edits(LINKS, swap), true, None).1, created);
    // What is not worth while is left.
    let alone = [OpenDir, ReadLink, Reach, Stat].to_vec();
    assert_eq!(play(ground(false), &edits(1, create), true, None).1, alone);
    assert_eq!(play(ground(false), &edits(2, create), true, None).1, alone.repeat(2));
    let few = [&opened[..], &[Stat], &[ReadLink, Reach].repeat(3), &opened].concat();
    assert_eq!(play(ground(false), &edits(3, create), true, None).1, few);
}

#[test]
#[cfg(feature = "records")]
fn a_group_is_judged_by_the_same_calls() {
    for (edit, there) in [(create as fn(LinkPath, Target) -> Edit, false), (swap, true)] {
        let edits = edits(LINKS, edit);
        let previewed = play(ground(there), &edits, true, None).1;
        let world = World::new(ground(there));
        let (root, mut group) = (root(&world, false), crate::model::Group::new("batch"));
        group.extend(edits);
        let seen = watch(&world, None);
        assert!(!crate::exec::judge(&root, &group).has_failed());
        assert_eq!(*seen.lock().unwrap(), previewed);
    }
}

#[test]
fn a_proof_comes_after_so_many_previews_and_after_so_much_time() {
    let edits = edits(2 * TOGETHER_MAX + 3, create);
    let opened = |act| play(ground(false), &edits, true, act).1.iter().filter(|call| **call == Call::OpenDir).count();
    assert_eq!(opened(None), 3 * 2 + 4);
    // The last one is by itself.
    assert_eq!(opened(Some((7, |tree| tree.pass(TIME_MAX)))), 3 * 2 + 1 + 5);
}

fn base(tree: &Tree) -> Object {
    tree.dir(Tree::ROOT, "base").unwrap()
}

/// Moves the directory of the targets out, and puts something in its place.
fn replace_targets(tree: &mut Tree, put: fn(&mut Tree)) {
    let (base, outside) = (base(tree), tree.dir(Tree::ROOT, "outside").unwrap());
    tree.rename_new(others(), (base, OsStr::new("to")), (outside, OsStr::new("to"))).unwrap();
    put(tree);
}

fn link(tree: &mut Tree, at: &str, name: &str, text: &str) {
    let at = tree.dir(Tree::ROOT, at).unwrap();
    let _had = tree.unlink(others(), at, OsStr::new(name));
    tree.symlink(others(), OsStr::new(text), at, OsStr::new(name)).unwrap();
}

/// Mounts another file system over what is at a path.
fn mount(tree: &mut Tree, at: &str) {
    let (above, name) = at.rsplit_once('/').unwrap();
    let above = tree.dir(Tree::ROOT, above).unwrap();
    let over = tree.get(above, OsStr::new(name)).unwrap();
    tree.set_up(over, 1000, 0o755, 2);
}

/// What others do to the directories, and to what is in them.
const ACTS: &[(&str, Act)] = &[
    ("the targets are moved out", |tree| replace_targets(tree, |_| {})),
    ("a link that leads after them takes their place", |tree| {
        replace_targets(tree, |tree| link(tree, "base", "to", "../outside/to"));
    }),
    ("a link to nothing takes their place", |tree| replace_targets(tree, |tree| link(tree, "base", "to", "gone"))),
    ("an empty directory takes their place", |tree| {
        replace_targets(tree, |tree| {
            let base = base(tree);
            dir(tree, base, "to", 0o755);
        });
    }),
    ("they are moved, and a link leads to them", |tree| {
        let base = base(tree);
        tree.rename_new(others(), (base, OsStr::new("to")), (base, OsStr::new("moved"))).unwrap();
        link(tree, "base", "to", "moved");
    }),
    ("something is mounted over them", |tree| mount(tree, "base/to")),
    ("something is mounted over one of them", |tree| mount(tree, "base/to/t7")),
    ("one becomes a link that leads out", |tree| link(tree, "base/to", "t7", "../../outside")),
    ("one becomes a link that leads to another", |tree| link(tree, "base/to", "t7", "t8")),
    ("one is removed", |tree| {
        let to = tree.dir(Tree::ROOT, "base/to").unwrap();
        tree.unlink(others(), to, OsStr::new("t7")).unwrap();
    }),
    ("they may not be searched any more", |tree| {
        let to = tree.dir(Tree::ROOT, "base/to").unwrap();
        tree.set_mode(others(), to, 0o600).unwrap();
    }),
    ("the links are moved out", move_out),
    ("an empty directory takes the place of the links", move_and_replace),
    ("a link takes the place of the links", |tree| {
        move_out(tree);
        link(tree, "base", "sub", "../outside/sub");
    }),
    ("something is mounted over the links", |tree| mount(tree, "base/sub")),
    ("a link is made", |tree| link(tree, "base/sub", "l7", "theirs")),
    // What is done in a directory that was moved away is nothing to the one that is in its place.
    ("the same targets take their place, and one of those that are moved out is removed", |tree| {
        replace_targets(tree, |tree| {
            let base = base(tree);
            let to = dir(tree, base, "to", 0o755);
            make_targets(tree, to);
        });
        let moved = tree.dir(Tree::ROOT, "outside/to").unwrap();
        tree.unlink(others(), moved, OsStr::new("t7")).unwrap();
    }),
    // A preview by itself can see one of them, between its two calls.
    ("the same links take their place, and two are made beside those that are moved out", |tree| {
        move_and_replace(tree);
        for (name, text) in texts(tree, "outside/sub") {
            link(tree, "base/sub", &name, &text);
        }
        link(tree, "outside/sub", "l7", "theirs");
        link(tree, "outside/sub", "l8", "theirs");
    }),
];

#[test]
fn whatever_others_do_a_preview_says_what_it_would_say_by_itself() {
    for (edit, there) in [(create as fn(LinkPath, Target) -> Edit, false), (ensure, true), (swap, true)] {
        let (edits, mut different) = (edits(LINKS, edit), 0);
        for (what, act) in ACTS {
            let by_itself = |point| play(ground(there), &edits, false, Some((point, *act))).0;
            let quiet = play(ground(there), &edits, false, None).1.len();
            let known: BTreeSet<Vec<String>> = (0..=quiet).map(by_itself).collect();
            different += known.len() - 1;
            let calls = play(ground(there), &edits, true, None).1.len();
            for point in 0..=calls {
                let (came, seen) = play(ground(there), &edits, true, Some((point, *act)));
                assert!(known.contains(&came), "{what}, before call {point} of {seen:?}: {came:?}");
            }
        }
        assert!(different > 8 * LINKS, "{different}");
    }
}

#[test]
fn a_link_to_another_link_and_what_is_outside_are_judged_as_by_themselves() {
    let mut tree = ground(false);
    for (name, text) in [("t2", "t3"), ("t4", "../../outside"), ("t5", "gone"), ("t6", "t6")] {
        link(&mut tree, "base/to", name, text);
    }
    mount(&mut tree, "base/to/t7");
    let edits = edits(LINKS, create);
    let (came, _) = play(tree.clone(), &edits, true, None);
    assert_eq!(came, play(tree, &edits, false, None).0);
    assert_eq!([&came[4], &came[5], &came[6], &came[7]], ["escape", "dangling", "loop", "cross_mount"]);
    assert!(came[2].starts_with("Created") && came[8].starts_with("Created"), "{came:?}");
}
