//! Every entry against everything that can be there.

use super::*;
use crate::error::Kind;
use crate::model::ObjectId;

/// Whose the link is, as the records say.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Whose {
    Nobodys,
    /// This manifest made it with the text `old`.
    Own,
    /// Another manifest made it, or kept it, with the text `old`.
    Others,
}

const POLICIES: [OnConflict; 4] = [OnConflict::Refuse, OnConflict::Replace, OnConflict::Backup, OnConflict::Skip];

#[test]
fn every_policy_against_everything_that_can_have_the_name() {
    use Whose::{Nobodys, Others, Own};
    let conflict = |kind: &'static str| ["conflict l ", kind].concat();
    let plain = |action: &str| format!("{action} l");
    let rows: [(Found, Whose, [String; 4]); 18] = [
        // What is there, whose, then: refuse, replace, backup, skip.
        (Found::Missing, Nobodys, [plain("create"), plain("create"), plain("create"), plain("create")]),
        (Found::Missing, Own, [plain("create"), plain("create"), plain("create"), plain("create")]),
        (Found::Missing, Others, [plain("create"), plain("create"), plain("create"), plain("create")]),
        (link("new"), Nobodys, [plain("keep"), plain("keep"), plain("keep"), plain("keep")]),
        (link("new"), Own, [plain("keep"), plain("keep"), plain("keep"), plain("keep")]),
        (link("new"), Others, [plain("keep"), plain("keep"), plain("keep"), plain("keep")]),
        (link("old"), Nobodys, [conflict("mismatch"), plain("replace"), plain("replace"), plain("skip")]),
        (link("old"), Own, [plain("replace"), plain("replace"), plain("replace"), plain("replace")]),
        (link("old"), Others, [conflict("exists"), conflict("exists"), conflict("exists"), conflict("exists")]),
        (link("else"), Nobodys, [conflict("mismatch"), plain("replace"), plain("replace"), plain("skip")]),
        (link("else"), Own, [conflict("mismatch"), plain("replace"), plain("replace"), plain("skip")]),
        (link("else"), Others, [conflict("mismatch"), plain("replace"), plain("replace"), plain("skip")]),
        (
            Found::Other(FileKind::File),
            Nobodys,
            [conflict("not_a_link"), conflict("not_a_link"), plain("backup"), plain("skip")],
        ),
        (
            Found::Other(FileKind::Dir),
            Own,
            [conflict("not_a_link"), conflict("not_a_link"), plain("backup"), plain("skip")],
        ),
        (
            Found::Other(FileKind::Dir),
            Others,
            [conflict("not_a_link"), conflict("not_a_link"), plain("backup"), plain("skip")],
        ),
        (
            Found::Other(FileKind::Fifo),
            Nobodys,
            [conflict("not_a_link"), conflict("not_a_link"), conflict("not_a_link"), plain("skip")],
        ),
        (
            Found::Other(FileKind::Socket),
            Own,
            [conflict("not_a_link"), conflict("not_a_link"), conflict("not_a_link"), plain("skip")],
        ),
        (
            Found::Other(FileKind::CharDevice),
            Others,
            [conflict("not_a_link"), conflict("not_a_link"), conflict("not_a_link"), plain("skip")],
        ),
    ];
    for (found, whose, expected) in rows {
        for (policy, expected) in POLICIES.iter().zip(expected) {
            let mut scene = Scene { on_conflict: *policy, ..Scene::default() };
            scene = scene.declare(entry("l")).see("l", found.clone());
            scene = match whose {
                Nobodys => scene,
                Own => scene.own("l", "old"),
                Others => scene.other("l", "old"),
            };
            assert_eq!(scene.steps(), [expected], "{found:?} of {whose:?} with {policy:?}");
        }
    }
}

#[test]
fn what_an_entry_says_itself_comes_before_what_is_asked_for_all() {
    for own in POLICIES {
        for all in POLICIES {
            let declared = Declared { on_conflict: Some(own), ..entry("l") };
            let said = Scene { on_conflict: all, ..Scene::default() }.declare(declared).see("l", link("x"));
            let alone = Scene { on_conflict: own, ..Scene::default() }.declare(entry("l")).see("l", link("x"));
            assert_eq!(said.steps(), alone.steps(), "{own:?} {all:?}");
        }
    }
}

#[test]
fn a_target_that_will_not_do_is_a_conflict_unless_the_entry_allows_it() {
    let lenient = Declared { allow_dangling: true, allow_outside: true, ..entry("l") };
    let file = Declared { kind: TargetKind::File, ..entry("l") };
    let dir = Declared { kind: TargetKind::Dir, ..entry("l") };
    let rows: [(Leads, [Option<Kind>; 4]); 8] = [
        // By default, with all that can be allowed, for a file, for a directory.
        (Leads::To(FileKind::File), [None, None, None, Some(Kind::InvalidTarget)]),
        (Leads::To(FileKind::Dir), [None, None, Some(Kind::InvalidTarget), None]),
        (Leads::To(FileKind::Fifo), [None, None, Some(Kind::InvalidTarget), Some(Kind::InvalidTarget)]),
        (Leads::Dangling, [Some(Kind::Dangling), None, Some(Kind::Dangling), Some(Kind::Dangling)]),
        (Leads::Escape, [Some(Kind::Escape), None, Some(Kind::Escape), Some(Kind::Escape)]),
        (Leads::Loop, [Some(Kind::Loop); 4]),
        (Leads::CrossMount, [Some(Kind::CrossMount); 4]),
        (Leads::Denied, [Some(Kind::Permission); 4]),
    ];
    for (leads, expected) in rows {
        for (declared, kind) in [&entry("l"), &lenient, &file, &dir].into_iter().zip(expected) {
            for found in [Found::Missing, link("old")] {
                let scene = Scene::default().declare(declared.clone()).own("l", "old");
                let scene = scene.look("l", Way::Open, found.clone(), leads);
                let action = if found == Found::Missing { "create" } else { "replace" };
                let wanted = kind.map_or(format!("{action} l"), |kind| format!("conflict l {kind}"));
                assert_eq!(scene.steps(), [wanted], "{declared:?} {leads:?}");
            }
            // What has its text already is kept, wherever that leads; so is what is left alone.
            let kept = Scene::default().declare(declared.clone()).look("l", Way::Open, link("new"), leads);
            assert_eq!(kept.steps(), ["keep l"], "{leads:?}");
            let skipped = Scene { on_conflict: OnConflict::Skip, ..Scene::default() };
            let skipped = skipped.declare(declared.clone()).look("l", Way::Open, link("x"), leads);
            assert_eq!(skipped.steps(), ["skip l"], "{leads:?}");
        }
    }
}

#[test]
fn what_is_in_the_way_comes_before_a_bad_target() {
    for (found, kind) in [(link("x"), "mismatch"), (Found::Other(FileKind::File), "not_a_link")] {
        let scene = Scene::default().declare(entry("l")).look("l", Way::Open, found, Leads::Dangling);
        assert_eq!(scene.steps(), [format!("conflict l {kind}")]);
    }
}

#[test]
fn the_way_to_the_directory_comes_first_of_all() {
    let strict = Declared { parents: false, ..entry("a/b/l") };
    let via = |text: &str| Way::Link { depth: 1, text: text.into() };
    let refused = |kind| Way::Refused { depth: 0, kind };
    let made = ["mkdir a", "mkdir a/b", "create a/b/l"];
    for (declared, way, steps) in [
        (entry("a/b/l"), Way::Missing(0), &made[..]),
        (entry("a/b/l"), Way::Missing(1), &made[1..]),
        (strict.clone(), Way::Missing(0), &["conflict a/b/l not_found"]),
        (strict, Way::Open, &["create a/b/l"]),
        (entry("a/b/l"), Way::NotADirectory(0), &["conflict a/b/l not_found"]),
        (entry("a/b/l"), via("elsewhere"), &["conflict a/b/l symlink_in_path"]),
        (entry("a/b/l"), refused(Kind::Permission), &["conflict a/b/l permission"]),
        (entry("a/b/l"), refused(Kind::CrossMount), &["conflict a/b/l cross_mount"]),
    ] {
        let scene = Scene { on_conflict: OnConflict::Backup, ..Scene::default() };
        let scene = scene.declare(declared).look("a/b/l", way.clone(), Found::Missing, Leads::To(FileKind::File));
        assert_eq!(scene.steps(), steps, "{way:?}");
    }
}

#[test]
fn a_conflict_says_what_is_there_and_what_would_do() {
    let conflict = |scene: Scene| *scene.plan().steps[0].conflict.clone().unwrap();
    let one = |found: Found| conflict(Scene::default().declare(entry("l")).see("l", found));
    assert_eq!(one(link("x")).remedy, Some(Remedy::Replace));
    assert_eq!(one(link("x")).found, Some(link("x")));
    assert_eq!(one(Found::Other(FileKind::Dir)).remedy, Some(Remedy::Backup));
    assert_eq!(one(Found::Other(FileKind::Fifo)).remedy, Some(Remedy::Skip));
    let others = conflict(Scene::default().declare(entry("l")).see("l", link("x")).other("l", "x"));
    assert_eq!((others.owner.as_deref(), others.remedy), (Some("other"), Some(Remedy::OneManifest)));
    let way = Way::Link { depth: 1, text: "away".into() };
    let scene = Scene::default().declare(entry("a/b/l")).look("a/b/l", way, Found::Missing, Leads::Dangling);
    let folded = conflict(scene);
    let component = folded.component.unwrap();
    assert_eq!((component.name.to_str(), component.index), (Some("b"), 1));
    assert_eq!((folded.via.as_deref(), folded.remedy), (Some("away".as_ref()), Some(Remedy::Absent)));
    for (leads, remedy) in [(Leads::Dangling, Remedy::AllowDangling), (Leads::Escape, Remedy::AllowOutside)] {
        let scene = Scene::default().declare(entry("l")).look("l", Way::Open, Found::Missing, leads);
        assert_eq!(conflict(scene).remedy, Some(remedy));
    }
}

#[test]
fn the_state_of_an_entry_is_what_is_there_now() {
    let to = |leads| (Way::Open, link("new"), leads);
    let fine = Leads::To(FileKind::File);
    for ((way, found, leads), status) in [
        (to(fine), "ok"),
        (to(Leads::Dangling), "dangling"),
        (to(Leads::Loop), "loop"),
        (to(Leads::Escape), "escape"),
        (to(Leads::Denied), "denied"),
        (to(Leads::CrossMount), "denied"),
        ((Way::Open, Found::Missing, fine), "missing"),
        ((Way::Open, link("x"), fine), "changed"),
        ((Way::Open, Found::Other(FileKind::File), fine), "replaced"),
        ((Way::Missing(0), Found::Missing, fine), "missing"),
        ((Way::NotADirectory(0), Found::Missing, fine), "replaced"),
        ((Way::Link { depth: 0, text: "x".into() }, Found::Missing, fine), "replaced"),
        ((Way::Refused { depth: 0, kind: Kind::Permission }, Found::Missing, fine), "denied"),
    ] {
        let scene = Scene::default().declare(entry("d/l")).look("d/l", way.clone(), found.clone(), leads);
        assert_eq!(scene.states()[Path::new("d/l")], status, "{way:?} {found:?} {leads:?}");
        // The same entry where what is in the way is left alone.
        let skip = Declared { on_conflict: Some(OnConflict::Skip), ..entry("d/l") };
        let scene = Scene::default().declare(skip).look("d/l", way, found, leads);
        let skipped = matches!(status, "changed" | "replaced") && scene.steps()[0].starts_with("skip");
        assert_eq!(scene.states()[Path::new("d/l")], if skipped { "skipped" } else { status });
    }
}

#[test]
fn an_absolute_text_needs_the_path_of_the_root() {
    let target = Target::absolute("t");
    let scene = Scene::default().declare(Declared { target, ..entry("a/l") }).see("a/l", link("/root/t"));
    assert_eq!(scene.steps(), ["keep a/l"]);
    let (root, tags) = (None, &[][..]);
    let Scene { links, unwanted, seen, holdings, on_conflict, .. } = &scene;
    let plan =
        plan_manifest(&Request { links, unwanted, seen, holdings, root, tags, prune: true, on_conflict: *on_conflict });
    assert_eq!(plan.steps.iter().map(shown).collect::<Vec<_>>(), ["conflict a/l mismatch"]);
}

#[test]
fn a_relative_text_starts_at_the_directory_of_the_link() {
    let target = Target::relative("src/t");
    let scene = Scene::default().declare(Declared { target, ..entry("a/b/l") }).see("a/b/l", link("../../src/t"));
    assert_eq!(scene.steps(), ["keep a/b/l"]);
    // Where links were followed to it, at its physical one.
    let mut scene = scene;
    scene.seen.links.get_mut(&path("a/b/l")).unwrap().physical = Some(Path::new("src/x").into());
    scene = scene.own("a/b/l", "../../src/t");
    assert_eq!(scene.plan().steps[0].target.as_deref(), Some("../t".as_ref()));
    assert_eq!(scene.steps(), ["replace a/b/l"]);
}

#[test]
fn two_entries_that_are_one_link_are_a_conflict() {
    let mut scene = Scene::default().declare(entry("Readme")).declare(entry("README")).declare(entry("other"));
    for (name, folded) in [("Readme", "readme"), ("README", "readme"), ("other", "other")] {
        scene = scene.see(name, Found::Missing);
        let dir = ObjectId { device: 1, inode: 2 };
        scene.seen.links.get_mut(&path(name)).unwrap().slot = Some(Box::new((dir, folded.into())));
    }
    assert_eq!(scene.steps(), ["conflict README exists", "conflict Readme exists", "create other"]);
    let plan = scene.plan();
    assert_eq!(plan.steps[0].conflict.as_ref().unwrap().alias, Some(path("Readme")));
    assert_eq!(plan.steps[1].conflict.as_ref().unwrap().alias, Some(path("README")));
    // The same name in another directory is another link.
    scene.seen.links.get_mut(&path("Readme")).unwrap().slot =
        Some(Box::new((ObjectId { device: 1, inode: 3 }, "readme".into())));
    assert_eq!(scene.plan().conflicts().count(), 0);
}
