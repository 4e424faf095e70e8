//! A repair of what a scan found, and what changed since.

use super::*;

/// Scans, lets `act` change the tree, and carries out what was planned.
fn repair(act: impl FnOnce(&mut Tree, &Scene)) -> (Vec<Result<Outcome, Error>>, Tree, Scene) {
    let scene = Scene::new(Scenario::new(Verb::Repair, Layout::Private));
    let world = World::new(Tree::clone(&scene.tree));
    let root = scene.scenario.root(&world);
    let repair = Repair::default().remove_dangling(true);
    let found = root.scan("q", ScanOptions::default().sorted(true).jobs(1)).unwrap();
    let edits: Vec<Edit> = found.filter_map(|found| repair.plan(&found.unwrap(), None)).collect();
    world.with(|tree| act(tree, &scene));
    let answers = root.apply_all(&edits);
    (answers, world.with(|tree| tree.clone()), scene)
}

#[test]
fn a_link_that_leads_to_nothing_is_removed() {
    let (answers, tree, scene) = repair(|_, _| {});
    assert_eq!(answers.into_iter().map(|answer| answer.unwrap().effect).collect::<Vec<_>>(), [Effect::Removed]);
    assert_eq!(tree.get(scene.places.r, OsStr::new("m")), None);
}

#[test]
fn a_link_that_leads_to_something_by_now_is_left_alone() {
    let (answers, tree, scene) = repair(|tree, scene| {
        tree.make(scene.attacker, scene.places.q, "gone", FileKind::File).unwrap();
    });
    let kinds: Vec<Kind> = answers.into_iter().map(|answer| answer.unwrap_err().kind()).collect();
    assert_eq!(kinds, [Kind::Mismatch]);
    assert!(tree.get(scene.places.r, OsStr::new("m")).is_some());
}
