//! A manifest that is taken back.

use super::*;

fn steps(scene: &Scene) -> Vec<String> {
    plan_unapply(&scene.seen, &scene.holdings).steps.iter().map(shown).collect()
}

fn displacing(mut scene: Scene, at: &str, displaced: Option<&str>, backup: Option<&str>) -> Scene {
    let own = scene.holdings.owned.get_mut(&path(at)).unwrap();
    own.displaced = displaced.map(|text| OsStr::new(text).into());
    own.backup = backup.map(Into::into);
    scene
}

#[test]
fn what_was_made_goes_and_what_it_displaced_comes_back() {
    let scene = |found| Scene::default().own("l", "old").see("l", found);
    let there = || scene(link("old"));
    assert_eq!(steps(&there()), ["remove l"]);
    let replaced = displacing(there(), "l", Some("before"), None);
    let plan = plan_unapply(&replaced.seen, &replaced.holdings);
    assert_eq!(plan.steps.iter().map(shown).collect::<Vec<_>>(), ["replace l"]);
    assert_eq!(plan.steps[0].target.as_deref(), Some("before".as_ref()));
    assert_eq!(plan.steps[0].previous.as_deref(), Some("old".as_ref()));
    let backup = displacing(there(), "l", None, Some("l.backup"));
    let plan = plan_unapply(&backup.seen, &backup.holdings);
    assert_eq!(plan.steps.iter().map(shown).collect::<Vec<_>>(), ["remove l"]);
    assert_eq!(plan.steps[0].restore.as_deref(), Some(Path::new("l.backup")));
    // Somebody took the link away: the name is free.
    assert_eq!(steps(&scene(Found::Missing)), Vec::<String>::new());
    assert_eq!(steps(&displacing(scene(Found::Missing), "l", Some("before"), None)), ["create l"]);
    assert_eq!(steps(&displacing(scene(Found::Missing), "l", None, Some("l.backup"))), ["create l"]);
}

#[test]
fn what_others_changed_or_rely_on_is_left_alone() {
    let scene = |found| Scene::default().own("l", "old").see("l", found);
    for found in [link("mine"), Found::Other(FileKind::File), Found::Other(FileKind::Dir)] {
        for backup in [None, Some("l.backup")] {
            let changed = displacing(scene(found.clone()), "l", None, backup);
            let plan = plan_unapply(&changed.seen, &changed.holdings);
            assert_eq!((plan.steps[0].action, plan.steps[0].note), (Action::Skip, Note::Modified), "{found:?}");
        }
    }
    let claimed = scene(link("old")).other("l", "old");
    let plan = plan_unapply(&claimed.seen, &claimed.holdings);
    assert_eq!((plan.steps[0].action, plan.steps[0].note), (Action::Skip, Note::Claimed));
    let way = Way::Link { depth: 0, text: "x".into() };
    let away = Scene::default().own("d/l", "old").look("d/l", way, Found::Missing, Leads::NotAsked);
    assert_eq!(steps(&away), ["skip d/l"]);
    let gone = Scene::default().own("d/l", "old").look("d/l", Way::Missing(0), Found::Missing, Leads::NotAsked);
    assert_eq!((steps(&gone), plan_unapply(&gone.seen, &gone.holdings).gone), (Vec::new(), vec![path("d/l")]));
}

#[test]
fn a_link_that_was_removed_is_made_again_where_the_name_is_free() {
    let scene = |way, found| {
        let mut scene = Scene::default().look("d/l", way, found, Leads::NotAsked);
        scene.holdings.removed.insert(path("d/l"), "text".into());
        scene
    };
    let free = scene(Way::Open, Found::Missing);
    assert_eq!(steps(&free), ["create d/l"]);
    let plan = plan_unapply(&free.seen, &free.holdings);
    assert_eq!(plan.steps[0].target.as_deref(), Some("text".as_ref()));
    for (way, found) in [
        (Way::Open, link("x")),
        (Way::Open, Found::Other(FileKind::Dir)),
        (Way::Missing(0), Found::Missing),
        (Way::Link { depth: 0, text: "x".into() }, Found::Missing),
    ] {
        assert_eq!(steps(&scene(way, found)), ["skip d/l"]);
    }
}

#[test]
fn directories_that_were_made_go_unless_something_is_in_them() {
    let scene = || Scene::default().own("a/b/l", "old").see("a/b/l", link("old")).list("a", &["b"]).list("a/b", &["l"]);
    assert_eq!(steps(&scene()), ["remove a/b/l", "rmdir a/b", "rmdir a"]);
    assert_eq!(steps(&scene().list("a", &["b", "mine"])), ["remove a/b/l", "rmdir a/b"]);
    let kept = displacing(scene(), "a/b/l", Some("before"), None);
    assert_eq!(steps(&kept), ["replace a/b/l"]);
    let restored = displacing(scene(), "a/b/l", None, Some("a/b/l.backup"));
    assert_eq!(steps(&restored), ["remove a/b/l"]);
}

/// A directory that gave way to a link is made again by nobody: what was in it was this manifest's.
#[test]
fn a_removed_link_that_became_a_directory_comes_back_once_that_is_gone() {
    let mut scene = Scene::default().own("d/l", "old").see("d/l", link("old")).list("d", &["l"]);
    scene.holdings.removed.insert(path("d"), "src".into());
    scene = scene.see("d", Found::Other(FileKind::Dir));
    assert_eq!(steps(&scene), ["remove d/l", "rmdir d", "create d"]);
    // Something of somebody else's is in it.
    assert_eq!(steps(&scene.list("d", &["l", "mine"])), ["skip d", "remove d/l"]);
}
