//! Links that a series replaces: what they displaced waits for the proof that the directory is in its place.

use super::*;
use crate::model::change::RemoveStale;

/// Whether the name is one of a link that is staged, or waits.
fn is_staged(name: &str) -> bool {
    name.starts_with(".caplink-")
}

fn sub(tree: &Tree, at: &str) -> Object {
    tree.dir(Tree::ROOT, &format!("{at}/sub")).unwrap()
}

/// Where no call of the proof was made yet.
fn proof_of(calls: &[Call]) -> usize {
    calls.iter().rposition(|call| *call == Call::OpenDir).unwrap()
}

/// Edits of one link each, while others do something before the proof.
fn play_before_proof(edits: &[Edit], act: Act) -> (Vec<Result<Outcome>>, Tree) {
    let proof = proof_of(&play(tree(0o755, &LINKS), edits, false, None).1);
    let (came, _, after) = play(tree(0o755, &LINKS), edits, false, Some((proof, act)));
    (came, after)
}

#[test]
fn replaced_links_share_an_opening_a_lock_and_a_proof() {
    use Call::{Exchange, OpenDir, Random, ReadLink, Stat, StatAt, Symlink, TryLock, Unlink};
    let replaced = [ReadLink, Random, Symlink, StatAt, Exchange, ReadLink, StatAt].repeat(3);
    let calls = [&[OpenDir, Stat, TryLock][..], &replaced, &[OpenDir, Stat], &[Unlink; 3]].concat();
    let (came, seen, after) = play(tree(0o755, &LINKS), &edits(replace), false, None);
    assert_eq!(seen, calls);
    for outcome in came.into_iter().map(Result::unwrap) {
        let says = (outcome.effect, outcome.previous, outcome.verified, outcome.staging);
        assert_eq!(says, (Effect::Replaced, Some(OLD.into()), true, Staging::Beside));
    }
    assert_eq!(texts(&after, "base/sub"), LINKS.map(|link| (link.to_owned(), NEW.to_owned())).into());
}

#[test]
fn a_directory_that_is_moved_out_before_the_proof_keeps_every_link_that_was_replaced() {
    for confined in [false, true] {
        let before = tree(0o755, &LINKS);
        let links = objects(&before, "base/sub");
        let calls = play(before.clone(), &edits(replace), confined, None).1;
        let proof = proof_of(&calls);
        assert!(calls.iter().position(|call| *call == Call::Exchange).is_some_and(|at| at < proof), "{calls:?}");
        for point in 0..=proof {
            let (came, seen, after) = play(before.clone(), &edits(replace), confined, Some((point, move_out)));
            let what = format!("confined {confined}, before call {point} of {seen:?}: {came:?}");
            let known = [Kind::ParentMoved, Kind::NotFound];
            assert!(came.iter().all(|came| came.as_ref().is_err_and(|error| known.contains(&error.kind()))), "{what}");
            let now = objects(&after, "outside/sub");
            assert!(links.iter().all(|link| now.contains(link)), "{what}");
            // Under confinement the kernel refuses to put anything back there.
            assert!(confined || now == links, "{what}");
            let texts = texts(&after, "outside/sub");
            let is_stray = |(name, text): &(&String, &String)| is_staged(name) || *text == NEW;
            let strays: Vec<String> = texts.iter().filter(is_stray).map(|(name, _)| format!("sub/{name}")).collect();
            assert!(confined || strays.is_empty(), "{what}");
            assert_eq!(named(&came), strays, "{what}");
        }
    }
}

#[test]
fn whichever_call_fails_a_replaced_link_is_old_or_new_as_it_is_said_and_what_is_left_is_named() {
    let before = tree(0o755, &LINKS);
    let calls = play(before.clone(), &edits(replace), false, None).1;
    for at in 1..=calls.len() {
        let world = World::new(before.clone());
        let root = root(&world, false);
        world.watch(Box::new(Failing { seen: Arc::default(), at }));
        let came = root.apply_all(&edits(replace));
        drop(world.unwatch());
        let after = world.with(|tree| tree.clone());
        let what = format!("call {at}, {:?}: {came:?}", calls[at - 1]);
        let texts = texts(&after, "base/sub");
        for (came, link) in came.iter().zip(LINKS) {
            assert_eq!(texts[link], if came.is_ok() { NEW } else { OLD }, "{link}, {what}");
        }
        assert_eq!(named(&came), strays(&after, "base/sub"), "{what}");
    }
}

#[test]
fn what_is_replaced_waits_for_the_proof_only_where_nobody_else_can_touch_it() {
    for (mode, waits) in [(0o755, true), (0o1777, true), (0o777, false)] {
        let (came, calls, after) = play(tree(mode, &LINKS), &edits(replace), false, None);
        assert!(came.iter().all(Result::is_ok), "mode {mode:o}: {came:?}");
        assert!(texts(&after, "base/sub").values().all(|text| text == NEW), "mode {mode:o}");
        let exchanged = calls.iter().rposition(|call| *call == Call::Exchange).unwrap();
        let unlinked = calls.iter().position(|call| *call == Call::Unlink).unwrap();
        assert_eq!(exchanged < unlinked, waits, "mode {mode:o}: {calls:?}");
        assert_eq!(calls.contains(&Call::Pin), !waits, "mode {mode:o}: {calls:?}");
    }
}

#[test]
fn links_that_are_replaced_and_removed_under_one_name_go_back_in_turn() {
    let third = Edit::swap(path("a"), Target::verbatim("third"), NEW).unjudged(true).into();
    let edits = [replace(path("a")), third, remove(path("b")), remove(path("a")), replace(path("c"))];
    let before = tree(0o755, &LINKS);
    let (came, calls, after) = play(before.clone(), &edits, false, None);
    assert!(came.iter().all(Result::is_ok), "{came:?}");
    assert_eq!(texts(&after, "base/sub"), [("c".to_owned(), NEW.to_owned())].into());
    for point in 0..=proof_of(&calls) {
        let (came, seen, after) = play(before.clone(), &edits, false, Some((point, move_out)));
        let what = format!("before call {point} of {seen:?}: {came:?}");
        assert!(came.iter().all(Result::is_err), "{what}");
        assert_eq!(objects(&after, "outside/sub"), objects(&before, "base/sub"), "{what}");
        assert_eq!(names(&after, "outside/sub"), LINKS, "{what}");
        assert!(named(&came).is_empty(), "{what}");
    }
}

/// The number of a new link is given to the next one as soon as it is removed.
#[test]
fn a_link_that_others_put_in_the_place_of_a_new_one_is_kept_though_it_has_its_number() {
    fn put_another_and_move_out(tree: &mut Tree) {
        let (dir, a) = (sub(tree, "base"), OsStr::new("a"));
        let number = tree.node(tree.get(dir, a).unwrap()).inode;
        tree.unlink(others(), dir, a).unwrap();
        let put = tree.symlink(others(), OsStr::new("theirs"), dir, a).unwrap();
        assert_eq!(tree.node(put).inode, number);
        move_out(tree);
    }
    let (came, after) = play_before_proof(&edits(replace), put_another_and_move_out);
    assert!(came.iter().all(|came| came.as_ref().is_err_and(|error| error.kind() == Kind::ParentMoved)), "{came:?}");
    let mut texts = texts(&after, "outside/sub");
    let strays = strays(&after, "outside/sub");
    assert_eq!(LINKS.map(|link| texts.remove(link).unwrap()), ["theirs", OLD, OLD]);
    assert_eq!((texts.into_values().collect::<Vec<_>>(), strays.len()), (vec![OLD.to_owned()], 1));
    assert_eq!(came[0].as_ref().unwrap_err().preserved().len(), 1);
    assert_eq!(named(&came), strays);
}

fn remove_staged(tree: &mut Tree) {
    let dir = sub(tree, "base");
    for name in names(tree, "base/sub").iter().filter(|name| is_staged(name)) {
        tree.unlink(others(), dir, OsStr::new(name)).unwrap();
    }
}

#[test]
fn a_displaced_link_that_others_removed_is_no_residue() {
    let (came, after) = play_before_proof(&edits(replace), remove_staged);
    assert!(came.iter().all(|came| came.as_ref().is_ok_and(|outcome| outcome.shortfalls.is_empty())), "{came:?}");
    assert_eq!(texts(&after, "base/sub"), LINKS.map(|link| (link.to_owned(), NEW.to_owned())).into());
}

/// What was displaced is gone, and the new link may not stay where the directory was moved to.
#[test]
fn a_new_link_goes_where_others_removed_what_it_displaced_and_moved_the_directory() {
    fn remove_staged_and_move_out(tree: &mut Tree) {
        remove_staged(tree);
        move_out(tree);
    }
    let (came, after) = play_before_proof(&edits(replace), remove_staged_and_move_out);
    assert!(came.iter().all(|came| came.as_ref().is_err_and(|error| error.kind() == Kind::ParentMoved)), "{came:?}");
    assert!(names(&after, "outside/sub").is_empty(), "{came:?}");
    assert!(named(&came).is_empty(), "{came:?}");
}

/// A file system that has room for so many staged links.
struct Full {
    room: usize,
}

impl Watch for Full {
    fn before(&mut self, tree: &mut Tree, call: Call) -> Option<Errno> {
        let staged = names(tree, "base/sub").iter().filter(|name| is_staged(name)).count();
        (call == Call::Symlink && staged >= self.room).then_some(Errno::NOSPC)
    }

    fn after(&mut self, _tree: &mut Tree, _call: Call, _result: std::result::Result<(), Errno>) {}
}

#[test]
fn a_link_that_finds_no_room_beside_what_waits_is_made_once_that_is_unlinked() {
    for room in [0, 1, 2] {
        let world = World::new(tree(0o755, &LINKS));
        let root = root(&world, false);
        world.watch(Box::new(Full { room }));
        let came = root.apply_all(&edits(replace));
        drop(world.unwatch());
        let texts = world.with(|tree| texts(tree, "base/sub"));
        let (kind, text) = if room == 0 { (Some(Kind::NoSpace), OLD) } else { (None, NEW) };
        assert!(came.iter().all(|came| came.as_ref().err().map(Error::kind) == kind), "room {room}: {came:?}");
        assert_eq!(texts, LINKS.map(|link| (link.to_owned(), text.to_owned())).into(), "room {room}");
    }
}

/// Keeps the tree as a crash would leave it that comes where most links are staged.
struct Crashing {
    most: Arc<Mutex<(usize, Tree)>>,
}

impl Watch for Crashing {
    fn before(&mut self, tree: &mut Tree, _call: Call) -> Option<Errno> {
        let staged = names(tree, "base/sub").iter().filter(|name| is_staged(name)).count();
        let mut most = self.most.lock().unwrap();
        if staged > most.0 {
            *most = (staged, tree.after_kill());
        }
        None
    }

    fn after(&mut self, _tree: &mut Tree, _call: Call, _result: std::result::Result<(), Errno>) {}
}

#[test]
fn a_crash_leaves_as_many_links_as_share_a_proof_and_each_is_removed_as_stale() {
    let links: Vec<String> = (0..2 * TOGETHER_MAX).map(|number| format!("l{number}")).collect();
    let links: Vec<&str> = links.iter().map(String::as_str).collect();
    for edit in [replace, remove] {
        let world = World::new(tree(0o755, &links));
        let root = root(&world, false);
        let most = Arc::new(Mutex::new((0, Tree::new())));
        world.watch(Box::new(Crashing { most: Arc::clone(&most) }));
        let edits: Vec<Edit> = links.iter().map(|link| edit(path(link))).collect();
        assert!(root.apply_all(&edits).iter().all(Result::is_ok));
        drop(world.unwatch());
        let (staged, left) = most.lock().unwrap().clone();
        assert_eq!(staged, TOGETHER_MAX);
        let world = World::new(left.clone());
        let stale = texts(&left, "base/sub").into_iter().filter(|(name, _)| is_staged(name));
        let stale = stale.map(|(name, text)| Edit::remove_stale(path(&name), RemoveStale::Link(text.into())).into());
        let edits: Vec<Edit> = stale.collect();
        let came = super::root(&world, false).apply_all(&edits);
        let removed = came.iter().filter(|came| came.as_ref().is_ok_and(|came| came.effect == Effect::Removed)).count();
        assert_eq!(removed, TOGETHER_MAX, "{came:?}");
        let mut others = texts(&left, "base/sub");
        others.retain(|name, _| !is_staged(name));
        assert_eq!(world.with(|tree| texts(tree, "base/sub")), others);
    }
}
