//! A preview changes nothing and says what the edit comes to.

use caplink::Kind;
use caplink::adversary::{Tree, World};

use crate::answers::Answers;
use crate::attacker::{acts, possible};
use crate::linear::answer_of;
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
        let left_out = |action: &Action| matches!(action, Action::RootMoved | Action::RootReplaced | Action::LockTaken);
        let actions = possible(&scene, &scene.tree).filter(|action| !left_out(action)).map(Some);
        for action in actions.chain([None]) {
            let mut tree = Tree::clone(&scene.tree);
            action.map(|action| acts(&scene, &mut tree, action));
            let changes = tree.log().len();
            let world = World::new(tree);
            let root = scenario.root(&world);
            let previewed = scenario.preview(&root);
            assert_eq!(world.with(|tree| tree.log().len()), changes, "{} {action:?}", scenario.name());
            let applied = scenario.run(&root);
            if !(is_refused(&previewed) && is_refused(&applied)) {
                assert_eq!(answer_of(Some(&previewed)), answer_of(Some(&applied)), "{} {action:?}", scenario.name());
            }
        }
    }
}
