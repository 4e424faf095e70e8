//! A preview changes nothing and says what the edit comes to.

use caplink::Kind;
use caplink::adversary::{Tree, World};

use crate::answers::Answers;
use crate::attacker::{acts, possible};
use crate::linear::told;
use crate::scene::{Scenario, Scene};
use crate::support::action::Action;

/// Which of two reasons to refuse comes first is not the same.
fn is_refused(answers: &Answers) -> bool {
    let kind = answers.errors.first().map(caplink::Error::kind);
    matches!(kind, Some(Kind::Unsupported | Kind::UnsafeState))
}

#[test]
fn a_preview_says_what_the_edit_comes_to() {
    for scenario in Scenario::all().into_iter().filter(|scenario| !scenario.is_plan()) {
        let scene = Scene::new(scenario);
        // A root that was moved away cannot be opened here. A preview takes no lock.
        let left_out = |deed: &Action| matches!(deed, Action::RootMoved | Action::RootReplaced | Action::LockTaken);
        let deeds = possible(&scene, &scene.tree).filter(|deed| !left_out(deed)).map(Some);
        for deed in deeds.chain([None]) {
            let mut tree = Tree::clone(&scene.tree);
            deed.map(|deed| acts(&scene, &mut tree, deed));
            let changes = tree.log().len();
            let world = World::new(tree);
            let root = scenario.root(&world);
            let previewed = scenario.preview(&root);
            assert_eq!(world.with(|tree| tree.log().len()), changes, "{} {deed:?}", scenario.name());
            let applied = scenario.run(&root);
            if !(is_refused(&previewed) && is_refused(&applied)) {
                assert_eq!(told(Some(&previewed)), told(Some(&applied)), "{} {deed:?}", scenario.name());
            }
        }
    }
}
