//! The removal of a private directory that was left, while others change it or the kernel refuses.

use std::ffi::OsStr;
use std::path::Path;

use caplink::adversary::{Actor, Call, Errno, Object, Subject, Tree, Watch, World};
use caplink::{Abilities, Effect, Error, FileKind, Kind, Outcome, Policy, Repair, Root};

use crate::scene::{Layout, ROOT, Scenario, Scene, Verb};
use crate::support::trees::Places;

const LEFT: &str = ".caplink-eeeeeeeeeeeeeeeeeeeeeeeec925d4fd";

/// Does something before the first call of a kind, which may then fail.
struct Before(Call, Option<fn(&mut Tree, Object)>, Option<Errno>, Object);

impl Watch for Before {
    fn before(&mut self, tree: &mut Tree, call: Call) -> Option<Errno> {
        let act = self.1.take_if(|_| call == self.0)?;
        act(tree, self.3);
        self.2
    }

    fn after(&mut self, _: &mut Tree, _: Call, _: Result<(), Errno>) {}
}

const SUPERUSER: Subject = Subject { actor: Actor::Other, uid: 0 };

/// Removes what was left in a directory that everybody may write, while `act` comes before the first of these calls.
fn remove(
    policy: Policy,
    (call, act, error): (Call, fn(&mut Tree, Object), Option<Errno>),
) -> (Result<Outcome, Error>, Option<FileKind>) {
    let scenario = Scenario::new(Verb::Create, Layout::Open);
    let Scene { tree, places: Places { p, .. }, .. } = Scene::new(scenario);
    let mut tree = Tree::clone(&tree);
    let left = tree.make(SUPERUSER, p, LEFT, FileKind::Dir).unwrap();
    tree.set_up(left, scenario.executor(), 0o700, 1);
    let world = World::new(tree);
    let root = Root::in_memory(&world, &format!("/{ROOT}"), scenario.executor(), Abilities::ALL, policy).unwrap();
    let edit = Repair::default().remove_leftovers(true).plan_directory(Path::new(&format!("q/p/{LEFT}"))).unwrap();
    world.watch(Box::new(Before(call, Some(act), error, p)));
    let answer = root.apply(&edit);
    let there = world.with(|tree| tree.get(p, OsStr::new(LEFT)).map(|found| tree.node(found).kind));
    (answer, there)
}

fn nothing(_: &mut Tree, _: Object) {}

fn move_away(tree: &mut Tree, p: Object) {
    tree.rename_new(SUPERUSER, (p, OsStr::new(LEFT)), (p, OsStr::new("away"))).unwrap();
}

fn refusal(answer: Result<Outcome, Error>) -> (Kind, String) {
    let error = answer.unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn a_directory_that_was_left_is_removed_and_that_is_verified() {
    let (answer, there) = remove(Policy::default(), (Call::RemoveDir, nothing, None));
    let outcome = answer.unwrap();
    assert_eq!((outcome.effect, outcome.verified, there), (Effect::Removed, true, None));
    let (answer, there) = remove(Policy::default().unverified(true), (Call::RemoveDir, nothing, None));
    let outcome = answer.unwrap();
    assert_eq!((outcome.effect, outcome.verified, there), (Effect::Removed, false, None), "it was not looked for");
}

#[test]
fn what_is_put_into_it_before_it_goes_keeps_it() {
    let put = |tree: &mut Tree, p: Object| {
        let left = tree.get(p, OsStr::new(LEFT)).unwrap();
        tree.make(SUPERUSER, left, "precious", FileKind::File).unwrap();
    };
    let (answer, there) = remove(Policy::default(), (Call::RemoveDir, put, None));
    let (kind, text) = refusal(answer);
    assert_eq!((kind, there), (Kind::Mismatch, Some(FileKind::Dir)));
    assert!(text.contains("it is not empty"), "{text}");
}

#[test]
fn where_it_goes_by_itself_nothing_is_to_be_done() {
    let (answer, there) = remove(Policy::default(), (Call::RemoveDir, move_away, None));
    assert_eq!((answer.unwrap().effect, there), (Effect::Unchanged, None));
}

#[test]
fn what_takes_its_name_stays() {
    let replace = |tree: &mut Tree, p: Object| {
        move_away(tree, p);
        tree.make(SUPERUSER, p, LEFT, FileKind::File).unwrap();
    };
    let (answer, there) = remove(Policy::default(), (Call::RemoveDir, replace, None));
    assert_eq!((refusal(answer).0, there), (Kind::NotALink, Some(FileKind::File)));
}

#[test]
fn a_refusal_of_the_kernel_is_reported_as_it_is() {
    let (answer, there) = remove(Policy::default(), (Call::RemoveDir, nothing, Some(Errno::IO)));
    assert_eq!((refusal(answer).0, there), (Kind::Io, Some(FileKind::Dir)));
    let (answer, there) = remove(Policy::default(), (Call::RemoveDir, nothing, Some(Errno::ROFS)));
    assert_eq!((refusal(answer).0, there), (Kind::ReadOnly, Some(FileKind::Dir)));
}
