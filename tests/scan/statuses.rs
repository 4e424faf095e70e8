//! Each status and each trait, alone and together.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use caplink::{Kind, Policy, Status, Trait};

use crate::tree::{Tree, backends, scan, ways};

/// What is said of one link.
#[derive(Clone, Debug, PartialEq)]
struct Said(&'static str, Status, Vec<Trait>, usize, Option<&'static str>);

fn check(tree: &Tree, policy: Policy, said: &[Said]) {
    for (backend, root) in backends(&tree.root_with(policy)) {
        for options in ways() {
            let scanned = scan(&root, ".", options.clone());
            assert!(scanned.summary.complete && scanned.errors.is_empty(), "{backend}: {scanned:?}");
            for Said(link, status, traits, hops, resolved) in said {
                let finding = &scanned.findings[Path::new(link)];
                let seen = (finding.status, finding.traits.iter().collect::<Vec<_>>(), finding.hops);
                assert_eq!(seen, (*status, traits.clone(), *hops), "{backend}, {options:?}: {finding:?}");
                assert_eq!(finding.resolved, resolved.map(PathBuf::from), "{backend}: {finding:?}");
            }
            assert_eq!(scanned.findings.len(), said.len(), "{backend}: {scanned:?}");
        }
    }
}

#[test]
fn each_status_is_told_apart() {
    let tree = Tree::new();
    tree.dir("a/b").file("a/f").file("a/b/f");
    tree.link("file", "a/f").link("dir", "a/b").link("a/b/up", "../f").link("root", ".").link("a/root", "..");
    tree.link("gone", "nothing").link("a/gone", "b/nothing").link("through_file", "a/f/x").link("file_as_dir", "a/f/");
    tree.link("a/file_as_dir", "f/").link("a/dir_as_dir", "b/.");
    tree.link("self", "self").link("one", "two").link("two", "one").link("loop_dir", "self/x");
    tree.link("out", "..").link("a/b/out", "../../../canary").link("abs_out", "/etc/passwd");
    tree.link("out_and_back", "../base/a").link("gone_and_out", "nothing/../../x").link("a/file_and_out", "f/../../..");
    tree.link("a/file_and_back", "f/x/../../..");
    use Status::{Dangling, Escape, Loop, Ok};
    use Trait::{Absolute, Chain, Messy, OutsideMissing};
    check(
        &tree,
        Policy::default(),
        &[
            Said("file", Ok, vec![], 1, Some("a/f")),
            Said("dir", Ok, vec![], 1, Some("a/b")),
            Said("a/b/up", Ok, vec![], 1, Some("a/f")),
            Said("root", Ok, vec![], 1, Some("")),
            Said("a/root", Ok, vec![], 1, Some("")),
            Said("gone", Dangling, vec![], 1, None),
            Said("a/gone", Dangling, vec![], 1, None),
            Said("through_file", Dangling, vec![], 1, None),
            Said("file_as_dir", Dangling, vec![Messy], 1, None),
            Said("a/file_as_dir", Dangling, vec![Messy], 1, None),
            Said("a/dir_as_dir", Ok, vec![Messy], 1, Some("a/b")),
            Said("self", Loop, vec![Chain], 40, None),
            Said("one", Loop, vec![Chain], 40, None),
            Said("two", Loop, vec![Chain], 40, None),
            Said("loop_dir", Loop, vec![Chain], 40, None),
            Said("out", Escape, vec![], 1, None),
            Said("a/b/out", Escape, vec![], 1, None),
            Said("abs_out", Escape, vec![Absolute], 1, None),
            Said("out_and_back", Escape, vec![], 1, None),
            Said("gone_and_out", Escape, vec![Messy, OutsideMissing], 1, None),
            Said("a/file_and_out", Escape, vec![Messy, OutsideMissing], 1, None),
            Said("a/file_and_back", Dangling, vec![Messy], 1, None),
        ],
    );
}

#[test]
fn each_trait_is_told_apart_and_together_with_others() {
    let tree = Tree::new();
    tree.dir("a/b").dir("a/c").file("a/b/f").link("a/real", "b").link("a/c/chain", "../real");
    let inside = |path: &str| tree.base.join(path);
    tree.link("absolute", inside("a/b/f")).link("absolute_root", &tree.base).link("absolute_gone", inside("x/y"));
    tree.link("doubled", "a//b").link("dotted", "a/./b").link("slash", "a/b/").link("back", "a/c/../b/f");
    tree.link("a/b/lengthy", "../b/f").link("a/b/longer", "../../a/b").link("a/b/fine", "../c");
    tree.link("hop", "a/real/f").link("hops", "hop").link("back_over_link", "a/real/../c");
    tree.link("out_gone", "../nothing").link("abs_out_gone", "/nothing/at/all");
    tree.link("everything", inside("a//b/../c/chain/"));
    tree.link("a/b/messy_lengthy", "../b//f").link("out_hop", "out_gone").link("gone_hop", "absolute_gone");
    use Status::{Dangling, Escape, Ok};
    use Trait::{Absolute, Chain, Lengthy, Messy, OutsideMissing};
    check(
        &tree,
        Policy::default(),
        &[
            Said("a/real", Ok, vec![], 1, Some("a/b")),
            Said("a/c/chain", Ok, vec![Chain], 2, Some("a/b")),
            Said("absolute", Ok, vec![Absolute], 1, Some("a/b/f")),
            Said("absolute_root", Ok, vec![Absolute], 1, Some("")),
            Said("absolute_gone", Dangling, vec![Absolute], 1, None),
            Said("doubled", Ok, vec![Messy], 1, Some("a/b")),
            Said("dotted", Ok, vec![Messy], 1, Some("a/b")),
            Said("slash", Ok, vec![Messy], 1, Some("a/b")),
            Said("back", Ok, vec![Messy], 1, Some("a/b/f")),
            Said("a/b/lengthy", Ok, vec![Lengthy], 1, Some("a/b/f")),
            Said("a/b/longer", Ok, vec![Lengthy], 1, Some("a/b")),
            Said("a/b/fine", Ok, vec![], 1, Some("a/c")),
            Said("hop", Ok, vec![Chain], 2, Some("a/b/f")),
            Said("hops", Ok, vec![Chain], 3, Some("a/b/f")),
            Said("back_over_link", Ok, vec![Messy, Chain], 2, Some("a/c")),
            Said("out_gone", Escape, vec![OutsideMissing], 1, None),
            Said("abs_out_gone", Escape, vec![Absolute, OutsideMissing], 1, None),
            Said("everything", Ok, vec![Absolute, Messy, Chain], 3, Some("a/b")),
            Said("a/b/messy_lengthy", Ok, vec![Messy, Lengthy], 1, Some("a/b/f")),
            Said("out_hop", Escape, vec![Chain, OutsideMissing], 2, None),
            Said("gone_hop", Dangling, vec![Chain], 2, None),
        ],
    );
}

#[test]
fn forty_hops_are_followed_and_no_more() {
    let tree = Tree::new();
    tree.file("f").link("l01", "f");
    for hop in 2..=41 {
        tree.link(&format!("l{hop:02}"), format!("l{:02}", hop - 1));
    }
    for (backend, root) in backends(&tree.root()) {
        let scanned = scan(&root, ".", caplink::ScanOptions::default());
        let of = |name: &str| &scanned.findings[Path::new(name)];
        assert_eq!((of("l40").status, of("l40").hops), (Status::Ok, 40), "{backend}");
        assert_eq!((of("l41").status, of("l41").hops), (Status::Loop, 40), "{backend}");
    }
}

#[test]
fn a_root_that_was_not_opened_by_path_takes_absolute_texts_for_escapes() {
    let tree = Tree::new();
    tree.file("f").link("l", tree.base.join("f"));
    let dir = cap_std::fs::Dir::open_ambient_dir(&tree.base, cap_std::ambient_authority()).unwrap();
    let root = caplink::Root::from_dir(dir, Policy::default()).unwrap();
    let scanned = scan(&root, ".", caplink::ScanOptions::default());
    assert_eq!(scanned.findings[Path::new("l")].status, Status::Escape);
}

/// Only who is not root can be denied anything; the test runs itself anew as somebody else.
#[test]
fn what_the_caller_may_not_know_is_denied_and_never_broken() {
    if !crate::walk::as_somebody("statuses::what_the_caller_may_not_know_is_denied_and_never_broken") {
        return;
    }
    let tree = Tree::new();
    tree.dir("closed/in").file("closed/in/f").dir("listed/below").link("listed/l", "../gone").link("to", "closed/in/f");
    tree.dir("searched").link("searched/l", "../gone").dir("open").link("open/l", "../closed/in");
    let mode = |path: &str, mode| {
        std::fs::set_permissions(tree.base.join(path), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("closed", 0o000);
    mode("listed", 0o444);
    mode("searched", 0o111);
    for (backend, root) in backends(&tree.root()) {
        for options in ways() {
            let scanned = scan(&root, ".", options);
            let said = |link: &str| {
                let finding = &scanned.findings[Path::new(link)];
                (finding.status, finding.target.is_some())
            };
            assert_eq!(said("listed/l"), (Status::Denied, false), "{backend}");
            assert_eq!(said("to"), (Status::Denied, true), "{backend}");
            assert_eq!(said("open/l"), (Status::Denied, true), "{backend}");
            assert_eq!(scanned.findings.len(), 3, "{backend}: {scanned:?}");
            let mut errors: Vec<_> =
                scanned.errors.iter().map(|error| (error.kind(), error.link().unwrap().to_path_buf())).collect();
            errors.sort();
            let unread = ["closed", "listed/below", "searched"].map(|dir| (Kind::Permission, PathBuf::from(dir)));
            assert_eq!(errors, unread, "{backend}");
            assert_eq!((scanned.summary.dirs_unread, scanned.summary.complete), (3, false), "{backend}");
        }
        let alone = scan(&root, "closed", caplink::ScanOptions::default());
        assert_eq!(alone.errors.iter().map(caplink::Error::kind).collect::<Vec<_>>(), [Kind::Permission], "{backend}");
        assert_eq!((alone.summary.dirs_unread, alone.summary.complete), (1, false), "{backend}");
    }
    mode("closed", 0o700);
    mode("listed", 0o700);
    mode("searched", 0o700);
}
