//! The directory that an edit stages in, and what others do with it.

use caplink::adversary::{Actor, Object, Subject};

use super::*;

const STATE: &str = ".caplink";
const OWN: &str = ".caplink-1000";
const ANOTHER: u32 = 3000;

/// Renames the state directory before the first call of this kind.
struct Renames {
    scene: Scene,
    before: Option<Call>,
}

impl Watch for Renames {
    fn before(&mut self, tree: &mut Tree, call: Call) -> Option<Errno> {
        if self.before.take_if(|before| *before == call).is_some() {
            let at = |name| (self.scene.places.base, OsStr::new(name));
            tree.rename_new(self.scene.attacker, at(STATE), at("junk")).unwrap();
        }
        None
    }

    fn after(&mut self, _: &mut Tree, _: Call, _: Result<(), Errno>) {}
}

/// Replaces a link that is staged in the state directory, after others made directories in the root.
fn ensure_beside(others: &[(&str, u32)], renamed_before: Option<Call>) -> (Result<Outcome, Error>, Tree, Scene) {
    let scene = Scene::new(Scenario::new(Verb::EnsureOld, Layout::OpenRoot));
    let mut tree = Tree::clone(&scene.tree);
    for (name, mode) in others {
        let made = tree.make(Subject { actor: Actor::Other, uid: 0 }, scene.places.base, name, FileKind::Dir).unwrap();
        tree.set_up(made, ANOTHER, *mode, 1);
    }
    let world = World::new(tree);
    let root = scene.scenario.root(&world);
    world.watch(Box::new(Renames { scene: scene.clone(), before: renamed_before }));
    let answer = root.ensure("q/p/l", Target::relative("q/t2"));
    drop(world.unwatch());
    drop(root);
    (answer, world.with(|tree| tree.clone()), scene)
}

fn there(tree: &Tree, dir: Object, name: &str) -> bool {
    tree.get(dir, OsStr::new(name)).is_some()
}

#[test]
fn two_users_who_stage_at_the_same_time_have_a_directory_each() {
    let (answer, tree, scene) = ensure_beside(&[(STATE, 0o700)], None);
    assert_eq!(answer.unwrap().effect, Effect::Replaced);
    assert!(there(&tree, scene.places.base, STATE), "it is the other's");
    assert!(!there(&tree, scene.places.base, OWN), "it was made for the edit");
}

#[test]
fn a_directory_that_others_can_enter_is_refused_under_either_name() {
    for others in [&[(STATE, 0o777)][..], &[(STATE, 0o700), (OWN, 0o700)], &[(STATE, 0o755)]] {
        let (answer, tree, scene) = ensure_beside(others, None);
        assert_eq!(answer.unwrap_err().kind(), Kind::UnsafeState, "{others:?}");
        assert_eq!(tree.entries(scene.places.base).len(), scene.tree.entries(scene.places.base).len() + others.len());
    }
}

#[test]
fn a_directory_that_was_renamed_meanwhile_is_reported() {
    let (answer, tree, scene) = ensure_beside(&[], Some(Call::Exchange));
    let outcome = answer.unwrap();
    assert_eq!(outcome.effect, Effect::Replaced);
    let left: Vec<&Path> =
        outcome.shortfalls.iter().flat_map(|error| error.left()).map(|path| path.as_path()).collect();
    assert_eq!((outcome.shortfalls[0].kind(), left), (Kind::Residue, vec![Path::new(STATE)]));
    assert!(!there(&tree, scene.places.base, STATE));
}

#[test]
fn where_the_directory_cannot_be_read_the_lock_is_that_of_the_state_directory() {
    // Where its name leads elsewhere right before the exchange another holder can have one of this name.
    for (renamed_before, kind) in [(None, None), (Some(Call::Pin), Some(Kind::Contended))] {
        let scene = Scene::new(Scenario::new(Verb::EnsureOld, Layout::OpenRoot));
        let mut tree = Tree::clone(&scene.tree);
        tree.set_up(scene.places.p, scene.scenario.executor(), 0o333, 1);
        let world = World::new(tree);
        let root = scene.scenario.root(&world);
        let edit = Edit::ensure(link(), Target::relative("q/t2"));
        let previewed = root.preview(&edit).unwrap();
        world.watch(Box::new(Renames { scene: scene.clone(), before: renamed_before }));
        let answer = root.apply(&edit);
        drop(world.unwatch());
        match kind {
            None => assert_eq!(previewed.staging, answer.unwrap().staging),
            Some(kind) => assert_eq!(answer.unwrap_err().kind(), kind),
        }
    }
}

#[test]
fn a_dry_run_in_a_directory_that_cannot_be_read_says_where_the_link_is_staged() {
    let scene = Scene::new(Scenario::new(Verb::EnsureOld, Layout::Private));
    let mut tree = Tree::clone(&scene.tree);
    tree.set_up(scene.places.p, scene.scenario.executor(), 0o300, 1);
    let world = World::new(tree);
    let root = scene.scenario.root(&world);
    let edit = Edit::ensure(link(), Target::relative("q/t2"));
    let previewed = root.preview(&edit).unwrap().staging;
    assert_eq!(previewed, root.apply(&edit).unwrap().staging);
}

#[test]
fn a_refusal_before_the_lock_names_the_directory_that_was_made_for_it() {
    const MOMENTS: &[Moment] = &[
        Moment(&[Call::OpenDir], &[Action::ParentSealed], None),
        Moment(&[Call::TryLock], &[], Some(Errno::ACCESS)),
        Moment(&[Call::TryLock, Call::TryLock], &[], Some(Errno::ACCESS)),
    ];
    let remove = |root: &Root| root.apply(&Edit::remove(link()).expect(OLD));
    let exchange = |root: &Root| root.exchange("q/p/l", "q/p/m");
    for came in [
        Came::of(Scenario::new(Verb::RemoveExpected, Layout::OpenSame), MOMENTS, remove),
        Came::of(Scenario::new(Verb::Exchange, Layout::OpenSame), MOMENTS, exchange),
    ] {
        assert!(there(&came.tree, came.scene.places.base, STATE));
        let error = came.error();
        assert_eq!((error.kind(), error.left()), (Kind::Permission, &[Path::new(STATE).to_owned()][..]));
    }
}
