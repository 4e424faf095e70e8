//! What is seen of a real tree is what a plan of it is made from.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::symlink;
use std::path::Path;

use cap_std::ambient_authority;
use caplink::manage::{Contents, Declared, Holdings, Leads, Looking, OnConflict, Owned, Seen, Sight, Way};
use caplink::{FileKind, Kind, LinkPath, Policy, Root, Target};
use proptest::prelude::*;

use super::model::{Node, Wish, World};

fn open(dir: &Path) -> Root {
    Root::open_ambient(dir, Policy::default(), ambient_authority()).unwrap()
}

fn declared(link: &str, target: Target) -> Declared {
    Declared::new(LinkPath::new(link).unwrap(), target)
}

fn see(root: &Root, links: &[Declared], holdings: &Holdings, all: bool) -> Seen {
    root.see(&Looking { links, unwanted: &[], holdings, all }).unwrap()
}

/// One link, on a tree that `make` makes.
fn one(make: impl FnOnce(&Path), link: &str, target: Target) -> Sight {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path());
    let declared = declared(link, target);
    see(&open(dir.path()), std::slice::from_ref(&declared), &Holdings::default(), true).links[&declared.link].clone()
}

#[test]
fn the_way_to_a_link_is_seen_as_far_as_it_leads() {
    let way = |make: fn(&Path)| one(make, "a/b/l", Target::verbatim("x")).way;
    assert_eq!(way(|_| {}), Way::Missing(0));
    assert_eq!(way(|dir| std::fs::create_dir(dir.join("a")).unwrap()), Way::Missing(1));
    assert_eq!(way(|dir| std::fs::create_dir_all(dir.join("a/b")).unwrap()), Way::Open);
    assert_eq!(way(|dir| std::fs::write(dir.join("a"), "").unwrap()), Way::NotADirectory(0));
    assert_eq!(
        way(|dir| symlink("elsewhere", dir.join("a")).unwrap()),
        Way::Link { depth: 0, text: "elsewhere".into() }
    );
    let folded = way(|dir| {
        std::fs::create_dir_all(dir.join("src/b")).unwrap();
        std::fs::create_dir(dir.join("a")).unwrap();
        symlink("../src/b", dir.join("a/b")).unwrap();
    });
    assert_eq!(folded, Way::Link { depth: 1, text: "../src/b".into() });
}

#[test]
fn a_directory_that_may_not_be_entered_is_part_of_the_answer() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let closed = dir.path().join("a");
    std::fs::create_dir_all(closed.join("b")).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::metadata(closed.join("b")).is_ok() {
        eprintln!("SKIPPED: a directory that may not be entered: this user may enter every directory");
        return;
    }
    let declared = declared("a/b/l", Target::verbatim("x"));
    let seen = see(&open(dir.path()), std::slice::from_ref(&declared), &Holdings::default(), true);
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(seen.links[&declared.link].way, Way::Refused { depth: 1, kind: Kind::Permission });
}

#[test]
fn the_state_directory_is_not_for_links() {
    let make = |dir: &Path| std::fs::create_dir_all(dir.join(".caplink/x")).unwrap();
    for (link, depth) in [(".caplink/l", 1), (".caplink", 0), (".caplink/x/l", 2)] {
        let way = one(make, link, Target::verbatim("x")).way;
        assert_eq!(way, Way::Refused { depth, kind: Kind::Policy }, "{link}");
    }
}

#[test]
fn where_a_text_would_lead_is_seen_from_its_place() {
    let make = |dir: &Path| {
        std::fs::create_dir_all(dir.join("d")).unwrap();
        std::fs::write(dir.join("f"), "").unwrap();
        symlink("loop", dir.join("loop")).unwrap();
        symlink("f", dir.join("chain")).unwrap();
    };
    for (text, leads) in [
        ("../f", Leads::To(FileKind::File)),
        ("../d", Leads::To(FileKind::Dir)),
        ("../chain", Leads::To(FileKind::File)),
        ("../gone", Leads::Dangling),
        ("../loop", Leads::Loop),
        ("l", Leads::Loop),
        ("../../x", Leads::Escape),
        ("/etc/passwd", Leads::Escape),
    ] {
        assert_eq!(one(make, "d/l", Target::verbatim(text)).leads, leads, "{text}");
    }
    // From a directory that has to be made first.
    assert_eq!(one(make, "new/deep/l", Target::relative("f")).leads, Leads::To(FileKind::File));
    assert_eq!(one(make, "l", Target::absolute("f")).leads, Leads::To(FileKind::File));
}

#[test]
fn a_link_that_leads_over_another_of_the_manifest_is_judged_as_that_will_be() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("real")).unwrap();
    std::fs::write(dir.path().join("real/f"), "").unwrap();
    symlink("real", dir.path().join("orphan")).unwrap();
    let links = [
        declared("first", Target::relative("real")),
        declared("second", Target::verbatim("first/f")),
        declared("third", Target::verbatim("orphan/f")),
    ];
    let mut holdings = Holdings::default();
    let seen = |holdings: &Holdings| {
        let seen = see(&open(dir.path()), &links, holdings, false);
        links.each_ref().map(|declared| seen.links[&declared.link].leads)
    };
    let (to_dir, to_file) = (Leads::To(FileKind::Dir), Leads::To(FileKind::File));
    assert_eq!(seen(&holdings), [to_dir, to_file, to_file]);
    let own = Owned { text: OsStr::new("real").into(), displaced: None, backup: None };
    holdings.owned.insert(LinkPath::new("orphan").unwrap(), own);
    assert_eq!(seen(&holdings), [to_dir, to_file, Leads::Dangling], "what is pruned is not there then");
}

#[test]
fn a_link_that_has_its_text_is_not_followed_unless_that_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    symlink("gone", dir.path().join("l")).unwrap();
    let links = [declared("l", Target::verbatim("gone"))];
    let leads = |all| see(&open(dir.path()), &links, &Holdings::default(), all).links[&links[0].link].leads;
    assert_eq!((leads(false), leads(true)), (Leads::NotAsked, Leads::Dangling));
}

#[test]
fn directories_that_were_made_are_listed_if_they_hold_no_more_than_was_made() {
    let dir = tempfile::tempdir().unwrap();
    for path in ["d", "full", "real"] {
        std::fs::create_dir(dir.path().join(path)).unwrap();
    }
    symlink("x", dir.path().join("d/l")).unwrap();
    symlink("real", dir.path().join("link")).unwrap();
    for number in 0..50 {
        std::fs::write(dir.path().join(format!("full/{number}")), "").unwrap();
    }
    let mut holdings = Holdings::default();
    holdings.dirs.extend(["d", "full", "link", "gone", "d/l"].map(Into::into));
    let seen = see(&open(dir.path()), &[], &holdings, false);
    let expected = [
        ("d", Contents::Names(vec!["l".into()])),
        ("d/l", Contents::Gone),
        ("full", Contents::More),
        ("gone", Contents::Gone),
        ("link", Contents::Gone),
    ];
    let found: BTreeMap<_, _> = seen.dirs.into_iter().collect();
    assert_eq!(found, expected.into_iter().map(|(dir, contents)| (dir.into(), contents)).collect());
}

#[test]
fn names_that_differ_in_case_are_two_links_where_the_directory_says_so() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("some"), "").unwrap();
    if dir.path().join("SOME").exists() {
        eprintln!("SKIPPED: names that differ in case: this file system takes them for one");
        return;
    }
    let links = [declared("A", Target::relative("some")), declared("a", Target::relative("some"))];
    let slots = || {
        let seen = see(&open(dir.path()), &links, &Holdings::default(), true);
        links.each_ref().map(|declared| seen.links[&declared.link].slot.clone().unwrap())
    };
    let [first, second] = slots();
    assert!(first.0 == second.0 && first.1 != second.1, "{first:?} {second:?}");
    symlink("x", dir.path().join("A")).unwrap();
    std::fs::hard_link(dir.path().join("A"), dir.path().join("a")).unwrap();
    let [first, second] = slots();
    assert_ne!(first, second, "hard links are two entries");
}

const PATHS: &[&str] = &["a", "a/x", "a/y/z", "b", "b/c", "f"];
const TEXTS: &[&str] = &["../b", "b", "gone", "/out", "x"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// The model that plans are tried on sees what a real tree shows.
    #[test]
    fn a_real_tree_is_seen_as_the_model_sees_it(
        people in prop::collection::vec((0..PATHS.len(), 0..4_u8, 0..TEXTS.len()), 0..8),
        text in 0..TEXTS.len(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut world = World { records: vec![Default::default()], ..World::default() };
        for (path, kind, text) in people {
            let node = match kind {
                0 => Node::Dir,
                1 | 2 => Node::Other(FileKind::File, 0),
                _ => Node::Link(TEXTS[text].to_owned()),
            };
            world.put(Path::new(PATHS[path]), node);
        }
        for (path, node) in &world.tree {
            let path = dir.path().join(path);
            match node {
                Node::Dir => std::fs::create_dir(path).unwrap(),
                Node::Link(text) => symlink(text, path).unwrap(),
                Node::Other(..) => std::fs::write(path, "").unwrap(),
            }
        }
        let links: Vec<Declared> = PATHS.iter().map(|path| declared(path, Target::verbatim(TEXTS[text]))).collect();
        let seen = see(&open(dir.path()), &links, &Holdings::default(), true);
        let wish = Wish { links, on_conflict: OnConflict::Skip, ..Wish::default() };
        let modelled = world.look(0, &wish);
        for (link, sight) in &modelled.links {
            let real = &seen.links[link];
            prop_assert_eq!((&real.way, &real.found), (&sight.way, &sight.found), "{}", link);
        }
    }
}
