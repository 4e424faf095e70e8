//! A confined executor, and a name that others flip between a link and a directory, in step with it.

use super::*;

/// Puts a directory at the name before each exchange, and the link back before each look; the first unlinking can fail.
struct Flips {
    scene: Scene,
    calls: Arc<Mutex<Vec<Call>>>,
    unlinks: bool,
}

impl Watch for Flips {
    fn before(&mut self, tree: &mut Tree, call: Call) -> Option<Errno> {
        let mut calls = self.calls.lock().unwrap();
        calls.push(call);
        let fails = call == Call::Unlink && !self.unlinks && calls.iter().filter(|made| **made == call).count() == 1;
        match call {
            Call::Exchange => assert!(acts(&self.scene, tree, Action::NameExchangedWithDir)),
            Call::ReadLink => drop(acts(&self.scene, tree, Action::PutBack)),
            _ => {}
        }
        fails.then_some(Errno::IO)
    }

    fn after(&mut self, _: &mut Tree, _: Call, _: Result<(), Errno>) {}
}

fn replace(unlinks: bool) -> (Error, Vec<Call>, Tree) {
    let scene = Scene::new(Scenario { confined: true, ..Scenario::new(Verb::EnsureOld, Layout::Private) });
    let world = World::new(Tree::clone(&scene.tree));
    let root = scene.scenario.root(&world);
    let calls = Arc::new(Mutex::new(Vec::new()));
    world.watch(Box::new(Flips { scene: scene.clone(), calls: calls.clone(), unlinks }));
    let answer = root.ensure("q/p/l", Target::relative("q/t2"));
    drop(world.unwatch());
    drop(root);
    let calls = calls.lock().unwrap().clone();
    (answer.unwrap_err(), calls, world.with(|tree| tree.clone()))
}

#[test]
fn it_tries_as_often_as_anybody_and_breaks_the_step_after_the_second_time() {
    let (error, calls, tree) = replace(true);
    let count = |call: Call| calls.iter().filter(|made| **made == call).count();
    assert_eq!((error.kind(), count(Call::Exchange)), (Kind::Permission, 64));
    assert_eq!(count(Call::Random), 64 + 62, "a name each time, and how long to wait but twice");
    assert!(!tree.clock().is_zero());
}

#[test]
fn what_it_staged_and_cannot_remove_ends_its_tries() {
    let (error, calls, _) = replace(false);
    assert_eq!(calls.iter().filter(|call| **call == Call::Exchange).count(), 1);
    assert_eq!(error.left().len(), 1);
}
