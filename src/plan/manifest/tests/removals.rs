//! Links that go, and those that stay although nobody declares them.

use super::*;
use crate::error::Kind;

#[test]
fn an_owned_link_goes_only_while_it_is_what_was_made_and_nobody_else_relies_on_it() {
    let gone = Way::Missing(0);
    let away = Way::Link { depth: 0, text: "x".into() };
    let refused = Way::Refused { depth: 0, kind: Kind::Permission };
    for (way, found, step, status) in [
        (Way::Open, link("old"), Some("remove d/l"), Some("orphan")),
        (Way::Open, link("x"), Some("skip d/l"), Some("orphan_modified")),
        (Way::Open, Found::Other(FileKind::File), Some("skip d/l"), Some("orphan_modified")),
        (Way::Open, Found::Other(FileKind::Dir), Some("skip d/l"), Some("orphan_modified")),
        (Way::Open, Found::Missing, None, None),
        (gone, Found::Missing, None, None),
        (away, Found::Missing, Some("skip d/l"), Some("orphan_modified")),
        (Way::NotADirectory(0), Found::Missing, Some("skip d/l"), Some("orphan_modified")),
        (refused, Found::Missing, Some("skip d/l"), Some("orphan_modified")),
    ] {
        let leads = Leads::Dangling;
        let scene = || Scene::default().own("d/l", "old").look("d/l", way.clone(), found.clone(), leads);
        assert_eq!(scene().steps(), Vec::from_iter(step), "{way:?} {found:?}");
        assert_eq!(scene().states().get(Path::new("d/l")).copied(), status, "{way:?} {found:?}");
        assert_eq!(scene().plan().gone.len(), usize::from(step.is_none()));
        let removes = |scene: Scene| scene.steps().contains(&"remove d/l".to_owned());
        assert!(!removes(scene().other("d/l", "old")), "another manifest relies on it");
        assert!(!removes(scene().other("d/l", "x")), "another manifest claims it");
        assert!(!removes(Scene { no_prune: true, ..scene() }));
        assert!(!removes(scene().declare(entry("d/l"))), "it is declared");
        assert!(!removes(Scene { tags: vec!["t".into()], ..scene().declare(entry("d/l")) }), "it was not chosen");
    }
}

#[test]
fn what_is_not_pruned_is_kept_or_left_alone() {
    let scene = || Scene::default().own("l", "old").see("l", link("old"));
    assert_eq!(Scene { no_prune: true, ..scene() }.steps(), ["keep l"]);
    let claimed = scene().other("l", "old");
    assert_eq!(claimed.steps(), ["skip l"]);
    assert_eq!(claimed.plan().steps[0].note, Note::Claimed);
    // Also where it is to be absent as well, and the other manifest made it with another text.
    let both = Scene { unwanted: vec![absent("l", None)], ..scene().other("l", "theirs") };
    assert_eq!(both.steps(), ["skip l"]);
    let modified = Scene::default().own("l", "old").see("l", link("mine"));
    assert_eq!(modified.plan().steps[0].note, Note::Modified);
}

#[test]
fn a_link_that_was_there_before_is_kept_and_never_pruned() {
    let scene = Scene::default().declare(entry("l")).see("l", link("new"));
    let plan = scene.plan();
    assert_eq!((plan.steps[0].action, plan.steps[0].note), (Action::Keep, Note::Found));
    // It was not declared any more later: nothing says that it was made.
    assert_eq!(Scene::default().see("l", link("new")).steps(), Vec::<String>::new());
}

#[test]
fn a_link_that_shall_be_absent_goes_only_if_its_text_is_meant() {
    let missing = Way::Missing(0);
    for (if_to, way, found, step, status) in [
        (None, Way::Open, link("any"), "remove d/l", "present"),
        (Some("*/dotfiles/*"), Way::Open, link("../dotfiles/rc"), "remove d/l", "present"),
        (Some("*/dotfiles/*"), Way::Open, link("../other/rc"), "skip d/l", "ok"),
        (None, Way::Open, Found::Missing, "skip d/l", "ok"),
        (None, Way::Open, Found::Other(FileKind::File), "skip d/l", "ok"),
        (None, Way::Open, Found::Other(FileKind::Dir), "skip d/l", "ok"),
        (None, missing, Found::Missing, "skip d/l", "ok"),
        (None, Way::NotADirectory(0), Found::Missing, "skip d/l", "ok"),
        (None, Way::Link { depth: 0, text: "x".into() }, Found::Missing, "conflict d/l symlink_in_path", "present"),
        (None, Way::Refused { depth: 0, kind: Kind::Permission }, Found::Missing, "conflict d/l permission", "present"),
    ] {
        let scene =
            Scene::default().unwant(absent("d/l", if_to)).look("d/l", way.clone(), found.clone(), Leads::Dangling);
        assert_eq!(scene.steps(), [step], "{way:?} {found:?}");
        assert_eq!(scene.states()[Path::new("d/l")], status, "{way:?} {found:?}");
    }
}

#[test]
fn a_link_of_another_manifest_is_not_taken_away() {
    let scene = || Scene::default().unwant(absent("l", None)).see("l", link("old"));
    assert_eq!(scene().other("l", "old").steps(), ["conflict l exists"]);
    // It is not what the other one made any more.
    assert_eq!(scene().other("l", "x").steps(), ["remove l"]);
}

#[test]
fn an_owned_link_that_shall_be_absent_now_goes_once() {
    let scene = |if_to| Scene::default().own("l", "old").unwant(absent("l", if_to)).see("l", link("old"));
    assert_eq!(scene(None).steps(), ["remove l"]);
    assert_eq!(scene(Some("other")).steps(), ["remove l"], "it is pruned");
    assert_eq!(Scene { no_prune: true, ..scene(None) }.steps(), ["remove l"]);
    assert_eq!(Scene { no_prune: true, ..scene(Some("other")) }.steps(), ["keep l"]);
    assert_eq!(scene(None).plan().states.len(), 1);
}

#[test]
fn tags_choose_entries_and_what_is_left_out_is_kept() {
    let scene = |tags: &[&str]| {
        let scene = Scene { tags: tags.iter().map(|tag| (*tag).into()).collect(), ..Scene::default() };
        let editor = Declared { label: tagged(&["editor", "all"]), ..entry("a") };
        let shell = Declared { label: tagged(&["shell"]), ..entry("b") };
        let gone = Unwanted { label: tagged(&["editor"]), ..absent("d", None) };
        let scene = scene.declare(editor).declare(shell).declare(entry("c")).unwant(gone);
        ["a", "b", "c"].iter().fold(scene, |scene, at| scene.see(at, Found::Missing)).see("d", link("x"))
    };
    assert_eq!(scene(&[]).steps(), ["create a", "create b", "create c", "remove d"]);
    assert_eq!(scene(&["editor"]).steps(), ["create a", "remove d"]);
    assert_eq!(scene(&["all"]).steps(), ["create a"]);
    assert_eq!(scene(&["editor", "shell"]).steps(), ["create a", "create b", "remove d"]);
    assert_eq!(scene(&["none"]).steps(), Vec::<String>::new());
}
