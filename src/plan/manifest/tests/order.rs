//! The order of the steps, and directories.

use super::*;

const LINK: fn(usize) -> Way = |depth| Way::Link { depth, text: "src".into() };

/// A directory that a link stood for becomes a real one.
#[test]
fn a_removal_that_is_a_parent_of_a_new_entry_comes_first() {
    let to = Leads::To(FileKind::File);
    let scene = || {
        Scene::default()
            .declare(entry("a"))
            .declare(entry("d/x"))
            .declare(entry("d/y/z"))
            .see("a", Found::Missing)
            .see("d", link("src"))
            .see("e", link("old"))
            .look("d/x", LINK(0), Found::Missing, to)
            .look("d/y/z", LINK(0), Found::Missing, to)
    };
    let steps = ["remove d", "create a", "mkdir d", "create d/x", "mkdir d/y", "create d/y/z", "remove e"];
    assert_eq!(scene().own("d", "src").own("e", "old").steps(), steps);
    assert_eq!(scene().unwant(absent("d", Some("src"))).own("e", "old").steps(), steps);
    let refused = ["create a", "conflict d/x symlink_in_path", "conflict d/y/z symlink_in_path"];
    assert_eq!(scene().steps(), refused);
    assert_eq!(scene().unwant(absent("d", Some("x"))).steps(), ["create a", "skip d", refused[1], refused[2]]);
    // Somebody changed it, or it is not to be pruned.
    assert_eq!(scene().own("d", "other").steps(), ["create a", "skip d", refused[1], refused[2]]);
    assert_eq!(
        Scene { no_prune: true, ..scene().own("d", "src") }.steps(),
        ["create a", "keep d", refused[1], refused[2]]
    );
}

/// Links in a directory that was made for them give way to a link to the whole.
#[test]
fn a_directory_that_was_made_gives_way_to_a_link() {
    let scene = || {
        Scene::default()
            .declare(entry("d"))
            .see("d", Found::Other(FileKind::Dir))
            .own("d/x", "old")
            .see("d/x", link("old"))
            .own("d/s/y", "old")
            .see("d/s/y", link("old"))
            .list("d/s", &["y"])
    };
    assert_eq!(
        scene().list("d", &["x", "s"]).steps(),
        ["remove d/s/y", "remove d/x", "rmdir d/s", "rmdir d", "create d"]
    );
    // Something of somebody else's is in it.
    let refused = ["conflict d not_a_link", "remove d/s/y", "remove d/x", "rmdir d/s"];
    assert_eq!(scene().list("d", &["x", "s", "mine"]).steps(), refused);
    // It was there before.
    assert_eq!(scene().steps(), refused);
}

/// A directory that moves aside takes nothing of this manifest or another along.
#[test]
fn what_is_made_below_a_directory_that_moves_aside_does_not_move() {
    let scene = || Scene { on_conflict: OnConflict::Backup, ..Scene::default() };
    let scene = || scene().declare(entry("d")).see("d", Found::Other(FileKind::Dir));
    assert_eq!(scene().own("d/x", "old").see("d/x", link("old")).steps(), ["remove d/x", "backup d"]);
    let others = scene().other("d/e/x", "old");
    assert_eq!(others.steps(), ["conflict d exists"]);
    assert_eq!(others.plan().steps[0].conflict.as_ref().unwrap().owner.as_deref(), Some("other"));
    assert_eq!(scene().other("d.x", "old").other("e", "old").steps(), ["backup d"]);
}

#[test]
fn directories_that_were_made_go_when_they_are_empty_the_deepest_first() {
    let scene = || {
        Scene::default()
            .own("a/b/c/l", "old")
            .see("a/b/c/l", link("old"))
            .list("a/b/c", &["l"])
            .list("a/b", &["c"])
            .list("a", &["b"])
    };
    assert_eq!(scene().steps(), ["remove a/b/c/l", "rmdir a/b/c", "rmdir a/b", "rmdir a"]);
    assert_eq!(scene().list("a/b", &["c", "mine"]).steps(), ["remove a/b/c/l", "rmdir a/b/c"]);
    let declared = scene().declare(entry("a/l")).see("a/l", Found::Missing);
    assert_eq!(declared.steps(), ["create a/l", "remove a/b/c/l", "rmdir a/b/c", "rmdir a/b"]);
    // An entry that was not chosen keeps its directory all the same.
    let left_out = Scene { tags: vec!["t".into()], ..scene().declare(entry("a/b/l")).see("a/b/l", Found::Missing) };
    assert_eq!(left_out.steps(), ["remove a/b/c/l", "rmdir a/b/c"]);
    let kept = Scene { no_prune: true, ..scene() };
    assert_eq!(kept.steps(), ["keep a/b/c/l"]);
    let mut unread = scene();
    unread.seen.dirs.insert("a/b".into(), Contents::More);
    assert_eq!(unread.steps(), ["remove a/b/c/l", "rmdir a/b/c"]);
    unread.seen.dirs.insert("a/b/c".into(), Contents::Gone);
    assert_eq!(unread.steps(), ["remove a/b/c/l"]);
}

#[test]
fn a_directory_is_made_once_and_before_what_needs_it() {
    let mut scene = Scene::default();
    for at in ["x/a", "x/b", "x/y/c", "z"] {
        scene = scene.declare(entry(at));
        let way = if at == "z" { Way::Open } else { Way::Missing(0) };
        scene = scene.look(at, way, Found::Missing, Leads::To(FileKind::File));
    }
    assert_eq!(scene.steps(), ["mkdir x", "create x/a", "create x/b", "mkdir x/y", "create x/y/c", "create z"]);
}

#[test]
fn no_directory_is_made_for_a_conflict() {
    let scene = Scene::default().declare(entry("x/a")).look("x/a", Way::Missing(0), Found::Missing, Leads::Dangling);
    assert_eq!(scene.steps(), ["conflict x/a dangling"]);
}

#[test]
fn every_conflict_is_found_at_once() {
    let mut scene = Scene::default();
    for (at, found) in [("a", link("x")), ("b", Found::Other(FileKind::File)), ("c", Found::Missing)] {
        scene = scene.declare(entry(at)).see(at, found);
    }
    let plan = scene.plan();
    assert_eq!(plan.conflicts().map(shown).collect::<Vec<_>>(), ["conflict a mismatch", "conflict b not_a_link"]);
    assert!(!plan.is_empty());
}

#[test]
fn an_entry_that_nothing_was_seen_of_is_missing() {
    let scene = Scene::default().declare(Declared { allow_dangling: true, ..entry("a/l") });
    assert_eq!(scene.steps(), ["mkdir a", "create a/l"]);
}

#[test]
fn equal_requests_give_equal_plans() {
    let scene = || {
        let mut scene = Scene { on_conflict: OnConflict::Backup, ..Scene::default() };
        for number in 0..200 {
            let at = format!("d{}/l{number}", number % 7);
            scene = scene.declare(entry(&at)).look(&at, Way::Missing(0), Found::Missing, Leads::To(FileKind::File));
            let own = format!("o{number}");
            scene = scene.own(&own, "old").see(&own, link("old"));
        }
        scene
    };
    assert_eq!(scene().plan(), scene().plan());
}
