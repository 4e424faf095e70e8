//! An edit in a directory that was opened before.

use super::*;

fn ensure_again(policy: Policy, moved: bool) -> Result<Outcome, Error> {
    let scene = Scene::new(Scenario::new(Verb::EnsureSame, Layout::Private));
    let world = World::new(Tree::clone(&scene.tree));
    let root = Root::in_memory(&world, &format!("/{ROOT}"), scene.scenario.executor(), Abilities::ALL, policy).unwrap();
    let entry = root.entry("q/p/l").unwrap();
    if moved {
        assert!(world.with(|tree| acts(&scene, tree, Action::ParentMovedInside)));
    }
    entry.apply(&Edit::ensure(link(), Target::relative("q/t2")))
}

#[test]
fn that_nothing_is_to_be_done_is_verified_by_a_walk() {
    let outcome = ensure_again(Policy::default(), false).unwrap();
    assert_eq!((outcome.effect, outcome.verified), (Effect::Unchanged, true));
    let outcome = ensure_again(Policy::default().unverified(true), false).unwrap();
    assert_eq!((outcome.effect, outcome.verified), (Effect::Unchanged, false));
}

#[test]
fn where_the_directory_was_moved_it_is_not_there() {
    assert_eq!(ensure_again(Policy::default(), true).unwrap_err().kind(), Kind::ParentMoved);
    let outcome = ensure_again(Policy::default().unverified(true), true).unwrap();
    assert_eq!((outcome.effect, outcome.verified), (Effect::Unchanged, false));
}
