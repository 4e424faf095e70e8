//! A server that gives whatever is made to another user.

use super::*;

const NOBODY: u32 = 65534;

fn where_owners_are_mapped(
    scenario: Scenario,
    act: fn(&Root) -> Result<Outcome, Error>,
) -> (Result<Outcome, Error>, Tree, Scene) {
    let scene = Scene::new(scenario);
    let mut tree = Tree::clone(&scene.tree);
    tree.map_owners(NOBODY);
    let world = World::new(tree);
    let root = scene.scenario.root(&world);
    let answer = act(&root);
    drop(root);
    (answer, world.with(|tree| tree.clone()), scene)
}

#[test]
fn a_state_directory_that_belongs_to_another_is_not_used_and_not_left() {
    for layout in [Layout::Open, Layout::Tenant] {
        let scenario = Scenario::new(Verb::EnsureOld, layout);
        let (answer, tree, scene) =
            where_owners_are_mapped(scenario, |root| root.ensure("q/p/l", Target::relative("q/t2")));
        assert_eq!(answer.unwrap_err().kind(), Kind::UnsafeState);
        assert_eq!(tree.entries(scene.places.base).len(), scene.tree.entries(scene.places.base).len());
        assert_eq!(tree.get(scene.places.p, OsStr::new("l")), scene.tree.get(scene.places.p, OsStr::new("l")));
    }
}
