//! Series against the adversary in memory, who moves their directory before each call.

mod replaced;

use std::ffi::OsStr;
use std::sync::{Arc, Mutex};

use super::*;
use crate::error::{Error, Kind};
use crate::exec::tests::{Act, LINKS, OLD, move_and_replace, move_out, others, path, root, texts, tree, watch};
use crate::model::{LinkPath, Target};
use crate::sys::memory::{Call, Errno, Object, Tree, Watch, World};

/// The text of a link that replaced one.
const NEW: &str = "new";

/// Carries the edits out; returns what each came to, the calls, and the tree.
fn play(
    tree: Tree,
    edits: &[Edit],
    confined: bool,
    act: Option<(usize, Act)>,
) -> (Vec<Result<Outcome>>, Vec<Call>, Tree) {
    let world = World::new(tree);
    let root = root(&world, confined);
    let seen = watch(&world, act);
    let results = root.apply_all(edits);
    drop(world.unwatch());
    let seen = seen.lock().unwrap().clone();
    (results, seen, world.with(|tree| tree.clone()))
}

fn edits(edit: fn(LinkPath) -> Edit) -> Vec<Edit> {
    LINKS.iter().map(|link| edit(path(link))).collect()
}

fn create(path: LinkPath) -> Edit {
    Edit::create(path, Target::verbatim(OLD)).unjudged(true).into()
}

fn ensure(path: LinkPath) -> Edit {
    Edit::ensure(path, Target::verbatim(OLD)).unjudged(true).into()
}

fn remove(path: LinkPath) -> Edit {
    Edit::remove(path).into()
}

fn replace(path: LinkPath) -> Edit {
    Edit::swap(path, Target::verbatim(NEW), OLD).unjudged(true).into()
}

fn names(tree: &Tree, path: &str) -> Vec<String> {
    texts(tree, path).into_keys().collect()
}

#[test]
fn edits_of_one_directory_open_it_once_and_prove_it_once() {
    use Call::{OpenDir, ReadLink, RenameNew, Stat, StatAt, Symlink, TryLock, Unlink};
    let proof = [OpenDir, Stat];
    let created = [&[OpenDir, Stat][..], &[Symlink, ReadLink].repeat(3), &proof].concat();
    assert_eq!(play(tree(0o755, &[]), &edits(create), false, None).1, created);
    let beside_others = [&[OpenDir, Stat][..], &[Symlink, StatAt, ReadLink].repeat(3), &proof].concat();
    assert_eq!(play(tree(0o777, &[]), &edits(create), false, None).1, beside_others);
    let unchanged = [&[OpenDir, Stat][..], &[ReadLink].repeat(3), &proof].concat();
    assert_eq!(play(tree(0o755, &LINKS), &edits(ensure), false, None).1, unchanged);
    let moved = [ReadLink, Call::Random, RenameNew, ReadLink].repeat(3);
    let removed = [&[OpenDir, Stat, TryLock][..], &moved, &proof, &[Unlink; 3]].concat();
    assert_eq!(play(tree(0o755, &LINKS), &edits(remove), false, None).1, removed);
}

/// What is in a directory, as objects.
fn objects(tree: &Tree, path: &str) -> Vec<Object> {
    let dir = tree.dir(Tree::ROOT, path).unwrap();
    let mut objects: Vec<Object> = tree.entries(dir).iter().map(|(_, object)| *object).collect();
    objects.sort();
    objects
}

/// Names in a directory that no link of these tests has, as their paths were.
fn strays(tree: &Tree, path: &str) -> Vec<String> {
    let strays = names(tree, path).into_iter().filter(|name| !LINKS.contains(&&**name));
    strays.map(|name| format!("sub/{name}")).collect()
}

/// What the results say of links that are not where they were.
fn named(came: &[Result<Outcome>]) -> Vec<String> {
    let errors = came.iter().flat_map(|came| match came {
        Ok(outcome) => outcome.shortfalls.iter().collect(),
        Err(error) => vec![error],
    });
    let paths = errors.flat_map(|error| error.left().iter().chain(error.preserved()));
    let mut named: Vec<String> = paths.map(|path| path.display().to_string()).collect();
    named.sort();
    named.dedup();
    named
}

#[test]
fn a_directory_that_is_moved_out_before_the_proof_keeps_every_link_that_was_removed() {
    for confined in [false, true] {
        let before = tree(0o755, &LINKS);
        let links = objects(&before, "base/sub");
        let (came, calls, _) = play(before.clone(), &edits(remove), confined, None);
        assert!(came.iter().all(|came| came.as_ref().is_ok_and(|outcome| outcome.verified)));
        let proof = calls.iter().rposition(|call| *call == Call::OpenDir).unwrap();
        assert!(calls.iter().position(|call| *call == Call::RenameNew).is_some_and(|moved| moved < proof), "{calls:?}");
        for point in 0..=proof {
            let (came, seen, after) = play(before.clone(), &edits(remove), confined, Some((point, move_out)));
            let what = format!("confined {confined}, before call {point} of {seen:?}: {came:?}");
            let known = [Kind::ParentMoved, Kind::NotFound];
            assert!(came.iter().all(|came| came.as_ref().is_err_and(|error| known.contains(&error.kind()))), "{what}");
            assert_eq!(objects(&after, "outside/sub"), links, "{what}");
            // Under confinement the kernel refuses to put anything back there.
            let strays = strays(&after, "outside/sub");
            assert!(confined || strays.is_empty(), "{what}");
            assert_eq!(named(&came), strays, "{what}");
        }
    }
}

#[test]
fn a_link_that_is_made_where_one_was_removed_does_not_keep_that_one_from_going_back() {
    let edits = [remove(path("a")), Edit::ensure(path("a"), Target::verbatim("u")).unjudged(true).into()];
    let before = tree(0o755, &LINKS);
    let links = objects(&before, "base/sub");
    let (came, calls, _) = play(before.clone(), &edits, false, None);
    assert!(came.iter().all(Result::is_ok), "{came:?}");
    let proof = calls.iter().position(|call| *call == Call::Unlink).unwrap();
    for point in 0..proof - 1 {
        let (came, seen, after) = play(before.clone(), &edits, false, Some((point, move_out)));
        assert!(came.iter().all(Result::is_err), "before call {point} of {seen:?}: {came:?}");
        assert_eq!(objects(&after, "outside/sub"), links, "before call {point} of {seen:?}: {came:?}");
        assert_eq!(names(&after, "outside/sub"), LINKS, "before call {point} of {seen:?}: {came:?}");
    }
}

/// Lets one call fail.
struct Failing {
    seen: Arc<Mutex<usize>>,
    at: usize,
}

impl Watch for Failing {
    fn before(&mut self, _tree: &mut Tree, _call: Call) -> Option<Errno> {
        let mut seen = self.seen.lock().unwrap();
        *seen += 1;
        (*seen == self.at).then_some(Errno::IO)
    }

    fn after(&mut self, _tree: &mut Tree, _call: Call, _result: std::result::Result<(), Errno>) {}
}

#[test]
fn whichever_call_fails_what_was_removed_is_gone_or_where_it_was_or_named() {
    let before = tree(0o755, &LINKS);
    let calls = play(before.clone(), &edits(remove), false, None).1;
    for at in 1..=calls.len() {
        let world = World::new(before.clone());
        let root = root(&world, false);
        world.watch(Box::new(Failing { seen: Arc::default(), at }));
        let came = root.apply_all(&edits(remove));
        drop(world.unwatch());
        let after = world.with(|tree| tree.clone());
        let what = format!("call {at}, {:?}: {came:?}", calls[at - 1]);
        let there = names(&after, "base/sub");
        for (came, link) in came.iter().zip(LINKS) {
            assert_eq!(came.is_err(), there.iter().any(|name| name == link), "{what}");
        }
        assert_eq!(named(&came), strays(&after, "base/sub"), "{what}");
    }
}

#[test]
fn what_was_displaced_waits_for_the_proof_under_the_lock() {
    fn is_locked_while_a_link_waits(tree: &mut Tree) {
        let sub = tree.dir(Tree::ROOT, "base/sub").unwrap();
        let waits = names(tree, "base/sub").iter().any(|name| name.starts_with(".caplink-"));
        let taken = tree.lock_as_stranger(others(), sub) && tree.unlock_as_stranger(sub);
        assert!(!(waits && taken));
    }
    let create_last = |first: Vec<Edit>| [first, vec![create(path("d"))]].concat();
    for edits in [edits(remove), create_last(edits(remove)), edits(replace), create_last(edits(replace))] {
        let calls = play(tree(0o755, &LINKS), &edits, false, None).1;
        let waited = calls.iter().position(|call| [Call::RenameNew, Call::Exchange].contains(call)).unwrap();
        assert!(waited > 0);
        for point in 0..calls.len() {
            let acted = Some((point, is_locked_while_a_link_waits as Act));
            let (came, ..) = play(tree(0o755, &LINKS), &edits, false, acted);
            assert!(came.iter().all(Result::is_ok), "before call {point}: {came:?}");
        }
    }
}

#[test]
fn a_lock_that_another_holder_has_is_waited_for_edit_by_edit() {
    fn hold(tree: &mut Tree) {
        let sub = tree.dir(Tree::ROOT, "base/sub").unwrap();
        assert!(tree.lock_as_stranger(others(), sub));
    }
    let calls = play(tree(0o755, &LINKS), &edits(remove), false, None).1;
    let lock = calls.iter().position(|call| *call == Call::TryLock).unwrap();
    let (came, _, after) = play(tree(0o755, &LINKS), &edits(remove), false, Some((lock, hold)));
    assert!(came.iter().all(|came| came.as_ref().is_err_and(|error| error.kind() == Kind::Busy)), "{came:?}");
    assert_eq!(names(&after, "base/sub"), LINKS);
}

#[test]
fn a_directory_that_is_moved_out_before_any_call_keeps_nothing_that_was_created() {
    for (mode, confined) in [(0o755, false), (0o777, false), (0o755, true), (0o777, true)] {
        let (came, calls, _) = play(tree(mode, &[]), &edits(create), confined, None);
        assert!(came.iter().all(|came| came.as_ref().is_ok_and(|outcome| outcome.verified)));
        let proof = calls.iter().rposition(|call| *call == Call::OpenDir).unwrap();
        for point in 0..=proof {
            let (came, _, after) = play(tree(mode, &[]), &edits(create), confined, Some((point, move_out)));
            let what = format!("mode {mode:o}, confined {confined}, before call {point}");
            // There the kernel refuses to take anything back.
            let left: Vec<String> = match confined {
                true => names(&after, "outside/sub").iter().map(|name| format!("sub/{name}")).collect(),
                false => Vec::new(),
            };
            let mut told = Vec::new();
            for came in &came {
                let error = came.as_ref().expect_err(&what);
                let known = [Kind::ParentMoved, Kind::NotFound, Kind::Contended];
                assert!(known.contains(&error.kind()), "{what}: {error:?}");
                told.extend(error.left().iter().map(|path| path.display().to_string()));
            }
            assert_eq!(told, left, "{what}");
            assert!(confined || names(&after, "outside/sub").is_empty(), "{what}: {:?}", names(&after, "outside/sub"));
        }
    }
}

#[test]
fn what_is_reported_of_a_directory_that_is_replaced_is_true_of_the_new_one() {
    for (edit, links) in
        [(create as fn(LinkPath) -> Edit, &[][..]), (ensure, &LINKS), (ensure, &LINKS[1..]), (remove, &LINKS)]
    {
        let calls = play(tree(0o755, links), &edits(edit), false, None).1;
        let proof = calls.iter().rposition(|call| *call == Call::OpenDir).unwrap();
        for point in 0..=proof {
            let (came, seen, after) = play(tree(0o755, links), &edits(edit), false, Some((point, move_and_replace)));
            let what = format!("before call {point} of {seen:?}: {came:?}");
            let there = names(&after, "base/sub");
            for (came, link) in came.iter().zip(LINKS) {
                let is_there = there.iter().any(|name| name == link);
                match came {
                    Ok(outcome) if outcome.effect == Effect::Removed => assert!(!is_there, "{what}"),
                    Ok(_) => assert!(is_there, "{link} {what}"),
                    Err(error) => {
                        let known = [Kind::ParentMoved, Kind::NotFound, Kind::Contended];
                        assert!(known.contains(&error.kind()) && !is_there, "{what}");
                    }
                }
            }
            assert!(there.iter().all(|name| LINKS.contains(&&**name)), "{what}");
            let away = names(&after, "outside/sub");
            assert!(away.iter().all(|name| links.contains(&&**name)), "{what}: {away:?}");
        }
    }
}

/// Lets the second removal fail after its link was moved, keeps that one from going back, and moves the directory out.
#[derive(Default)]
struct FailingAndMoving {
    moved: usize,
}

impl Watch for FailingAndMoving {
    fn before(&mut self, tree: &mut Tree, call: Call) -> Option<Errno> {
        match (call, self.moved) {
            (Call::RenameNew, 0 | 1) => self.moved += 1,
            (Call::ReadLink | Call::RenameNew, 2) => return Some(Errno::IO),
            (Call::OpenDir, 2) => {
                self.moved += 1;
                move_out(tree);
            }
            _ => {}
        }
        None
    }

    fn after(&mut self, _tree: &mut Tree, _call: Call, _result: std::result::Result<(), Errno>) {}
}

#[test]
fn what_a_failed_removal_left_is_named_also_where_its_directory_was_moved_out() {
    let world = World::new(tree(0o755, &LINKS));
    let root = root(&world, false);
    world.watch(Box::new(FailingAndMoving::default()));
    let came = root.apply_all(&edits(remove));
    drop(world.unwatch());
    let strays = world.with(|tree| strays(tree, "outside/sub"));
    assert_eq!((strays.len(), named(&came)), (1, strays), "{came:?}");
}

#[test]
fn what_is_removed_waits_for_the_proof_only_where_nobody_else_can_touch_it() {
    for (mode, waits) in [(0o755, true), (0o1777, true), (0o777, false)] {
        let (came, calls, after) = play(tree(mode, &LINKS), &edits(remove), false, None);
        assert!(came.iter().all(Result::is_ok), "mode {mode:o}: {came:?}");
        assert!(names(&after, "base/sub").is_empty(), "mode {mode:o}");
        let moved = calls.iter().rposition(|call| *call == Call::RenameNew).unwrap();
        let unlinked = calls.iter().position(|call| *call == Call::Unlink).unwrap();
        assert_eq!(moved < unlinked, waits, "mode {mode:o}: {calls:?}");
    }
}

/// Lets the proof fail, and makes a link where one was to be removed.
#[derive(Default)]
struct Unprovable {
    opened: usize,
}

impl Watch for Unprovable {
    fn before(&mut self, tree: &mut Tree, call: Call) -> Option<Errno> {
        self.opened += usize::from(call == Call::OpenDir);
        if call != Call::OpenDir || self.opened != 2 {
            return None;
        }
        let sub = tree.dir(Tree::ROOT, "base/sub").unwrap();
        tree.symlink(others(), OsStr::new(OLD), sub, OsStr::new("a")).unwrap();
        Some(Errno::IO)
    }

    fn after(&mut self, _tree: &mut Tree, _call: Call, _result: std::result::Result<(), Errno>) {}
}

#[test]
fn what_is_tried_anew_does_not_find_the_lock_of_the_series_held() {
    let edits: Vec<Edit> = ["a", "b"].map(|link| Edit::remove(path(link)).missing_ok(true).into()).into();
    let world = World::new(tree(0o755, &["b"]));
    let root = root(&world, false);
    world.watch(Box::new(Unprovable::default()));
    let came = root.apply_all(&edits);
    drop(world.unwatch());
    assert_eq!(came[0].as_ref().map(|outcome| outcome.effect).ok(), Some(Effect::Removed), "{came:?}");
    assert_eq!(came[1].as_ref().map_err(Error::kind).err(), Some(Kind::Io), "{came:?}");
    assert_eq!(world.with(|tree| names(tree, "base/sub")), ["b"]);
}

#[test]
fn a_series_ends_after_so_many_edits_and_after_so_much_time() {
    let links = 2 * TOGETHER_MAX + 3;
    let edits: Vec<Edit> = (0..links).map(|number| create(path(&format!("l{number}")))).collect();
    let opened = |act| {
        let calls = play(tree(0o755, &[]), &edits, false, act).1;
        calls.iter().filter(|call| **call == Call::OpenDir).count()
    };
    assert_eq!(opened(None), 3 * 2);
    assert_eq!(opened(Some((3, |tree| tree.pass(TIME_MAX)))), 4 * 2);
}

#[test]
fn a_link_that_was_created_and_replaced_is_proven_before_the_next_edit() {
    let edits = [create(path("a")), replace(path("a")), create(path("b"))];
    for mode in [0o755, 0o777] {
        let calls = play(tree(mode, &[]), &edits, false, None).1;
        let last = calls.iter().rposition(|call| *call == Call::Symlink).unwrap();
        let (came, ..) = play(tree(mode, &[]), &edits, false, Some((last, move_out)));
        assert_eq!([0, 1, 2].map(|at| came[at].is_ok()), [true, true, false], "mode {mode:o}: {came:?}");
    }
}
