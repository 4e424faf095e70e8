//! A root that is removed, moved or replaced after it was opened.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;

use caplink::{Kind, Policy, Root, Status, Target};

use super::backend::NATIVE;
use super::ground::{descriptors, on_backends, on_every_backend};
use super::support::snapshot::tree;

#[test]
fn o_22_a_root_that_was_removed_is_gone_for_every_verb() {
    on_every_backend("O-22", |case| {
        let root = case.open(Policy::default());
        fs::remove_dir(case.at("")).unwrap();
        let t = || Target::verbatim("t");
        let failed = [
            ("create", root.create("l", t()).map(drop)),
            ("ensure", root.ensure("l", t()).map(drop)),
            ("swap", root.swap("l", t(), "x").map(drop)),
            ("remove", root.remove("l").map(drop)),
            ("exchange", root.exchange("l", "m").map(drop)),
            ("read", root.read_link("l").map(drop)),
            ("inspect", root.inspect("l").map(drop)),
            ("inspect .", root.inspect(".").map(drop)),
            ("resolve", root.resolve("l").map(drop)),
            ("resolve .", root.resolve(".").map(drop)),
            ("deep", root.create("a/b/l", t()).map(drop)),
            ("-p", root.apply(&caplink::Edit::create(path("a/l"), t()).allow_dangling(true).parents(true)).map(drop)),
            ("--missing-ok", root.apply(&caplink::Edit::remove(path("l")).missing_ok(true)).map(drop)),
        ];
        for (verb, result) in failed {
            assert_eq!(result.map_err(|error| error.kind()), Err(Kind::RootGone), "{}: {verb}", case.backend.name);
        }
        let again = Root::open_ambient(case.at(""), Policy::default(), cap_std::ambient_authority());
        assert_eq!(again.unwrap_err().kind(), Kind::RootGone);
    });
}

fn path(text: &str) -> caplink::LinkPath {
    caplink::LinkPath::new(text).expect("a plain path")
}

#[test]
fn o_22_a_root_that_was_moved_stays_the_one_that_was_opened() {
    on_every_backend("O-22m", |case| {
        case.file("t");
        case.link("l", "t");
        let canary = tree(&case.canary());
        let root = case.open(Policy::default());
        let moved = case.on_ground("moved");
        fs::rename(case.at(""), &moved).unwrap();
        symlink("canary", case.on_ground("root")).unwrap();
        let outcome = root.ensure("l", Target::relative(".")).unwrap();
        assert_eq!((outcome.previous.as_deref(), outcome.verified), (Some("t".as_ref()), true));
        let _ = root.create("new", Target::relative("t")).unwrap();
        let _ = root.remove("l").unwrap();
        assert_eq!(fs::read_link(moved.join("new")).unwrap().as_os_str(), "t");
        assert_eq!(root.inspect("new").unwrap().link.unwrap().status, Status::Ok);
        assert_eq!(tree(&case.canary()), canary);
        assert_eq!(root.read_link("current").unwrap_err().kind(), Kind::NotFound, "not the canary's");
    });
}

#[test]
fn a_root_that_is_no_directory_is_refused() {
    on_backends("O-22n", NATIVE, |case| {
        case.file("t");
        case.link("d", "../canary");
        let open = |path: &str| Root::open_ambient(case.at(path), Policy::default(), cap_std::ambient_authority());
        assert_eq!(open("t").unwrap_err().kind(), Kind::Usage);
        assert_eq!(open("missing").unwrap_err().kind(), Kind::RootGone);
        // The path to the root is looked up with the caller's authority, links included.
        assert_eq!(open("d").unwrap().read_link("current").unwrap(), "secret");
    });
}

/// The flags of every open descriptor, from `fdinfo`.
fn flags() -> BTreeMap<String, u32> {
    let mut flags = BTreeMap::new();
    for fd in descriptors().into_keys() {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap();
        let shown = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
        flags.insert(fd, u32::from_str_radix(shown.trim(), 8).unwrap());
    }
    flags
}

#[test]
fn every_descriptor_that_is_held_is_closed_on_exec() {
    const CLOSE_ON_EXEC: u32 = 0o2_000_000;
    on_every_backend("R-24h", |case| {
        case.dir("a/b");
        let before = flags();
        let root = case.open(Policy::default());
        let (below, entry) = (root.subroot("a").unwrap(), root.entry("a/b/l").unwrap());
        let held = flags();
        let new: Vec<_> = held.iter().filter(|(fd, _)| !before.contains_key(*fd)).collect();
        assert!(new.len() >= 3, "{new:?}");
        assert!(new.iter().all(|(_, flags)| **flags & CLOSE_ON_EXEC != 0), "{}: {new:?}", case.backend.name);
        drop((root, below, entry));
        assert_eq!(before, flags());
    });
}
