//! Changes that nobody records, through a root that refuses them once there are records.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use caplink::records::{Records, Settings};
use caplink::{Edit, Enforcement, Kind, LinkPath, Root};

use super::ground::{Ground, author, release};

fn path(path: &str) -> LinkPath {
    LinkPath::new(path).unwrap()
}

/// One edit of each kind, all of which would change something.
fn changes() -> Vec<Edit> {
    vec![
        Edit::create(path("new"), release(1)).into(),
        Edit::create(path("deep/er/new"), release(1)).parents(true).into(),
        Edit::ensure(path("new"), release(1)).into(),
        Edit::ensure(path("one"), release(3)).into(),
        Edit::ensure(path("file"), release(1)).backup(true).into(),
        Edit::swap(path("one"), release(3), "releases/1").into(),
        Edit::remove(path("one")).into(),
        Edit::exchange(path("one"), path("two")).into(),
    ]
}

fn linked(ground: &Ground) {
    symlink("releases/1", ground.dir.path().join("one")).unwrap();
    symlink("releases/2", ground.dir.path().join("two")).unwrap();
    fs::write(ground.dir.path().join("file"), "kept").unwrap();
}

fn names(dir: &Path) -> Vec<String> {
    let entry = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(dir).unwrap().map(entry).collect();
    names.sort();
    names
}

/// Refuses every change, and leaves everything as it is.
fn refuses(root: &Root, dir: &Path) {
    let before = names(dir);
    for edit in changes() {
        let error = root.apply(&edit).unwrap_err();
        assert_eq!(error.kind(), Kind::Policy, "{edit:?}: {error}");
        assert_eq!(root.preview(&edit).unwrap_err().kind(), Kind::Policy, "{edit:?}");
    }
    for (refused, edit) in root.apply_all(&changes()).iter().zip(changes()) {
        assert_eq!(refused.as_ref().unwrap_err().kind(), Kind::Policy, "{edit:?}");
    }
    assert_eq!(names(dir), before);
    assert_eq!(fs::read_link(dir.join("one")).unwrap(), Path::new("releases/1"));
}

#[test]
fn a_change_that_nobody_records_is_refused_once_there_are_records() {
    let ground = Ground::new();
    linked(&ground);
    let plain = ground.root.unless_recorded();
    let _ = plain.ensure("before", release(1)).unwrap();
    let recorded = ground.init();
    refuses(&plain, ground.dir.path());
    refuses(&plain.confined(Enforcement::Auto).unwrap(), ground.dir.path());
    let told = ground.lines();
    for edit in changes() {
        let _ = recorded.apply(&edit);
    }
    assert!(ground.lines().len() > told.len());
}

#[test]
fn what_changes_nothing_does_not_look_for_records() {
    let ground = Ground::new();
    linked(&ground);
    let _recorded = ground.init();
    // Whoever looked would find them damaged.
    fs::write(ground.log(), "damaged\n").unwrap();
    for root in [ground.root.unless_recorded(), ground.root.unless_recorded().confined(Enforcement::Auto).unwrap()] {
        let _ = root.ensure("one", release(1)).unwrap();
        let _ = root.apply(&Edit::remove(path("none")).missing_ok(true)).unwrap();
        assert_eq!(root.create("one", release(1)).unwrap_err().kind(), Kind::Exists);
        assert_eq!(root.apply(&Edit::swap(path("one"), release(3), "x")).unwrap_err().kind(), Kind::Mismatch);
        assert_eq!(root.ensure("new", release(1)).unwrap_err().kind(), Kind::Policy);
    }
}

#[test]
fn records_in_another_state_directory_are_not_forgotten() {
    let (ground, elsewhere) = (Ground::new(), tempfile::tempdir().unwrap());
    linked(&ground);
    let base = Dir::open_ambient_dir(elsewhere.path(), ambient_authority()).unwrap();
    let with_state = ground.root.with_state(&base, "state").unwrap();
    Records::init(&with_state, Settings::default(), &author()).unwrap();
    refuses(&with_state.unless_recorded(), ground.dir.path());
    // The file in the root says that there are some.
    refuses(&ground.root.unless_recorded(), ground.dir.path());
}

#[test]
fn a_state_directory_without_records_keeps_nobody_from_changing_anything() {
    let ground = Ground::new();
    linked(&ground);
    let make = |mode| {
        use std::os::unix::fs::DirBuilderExt as _;
        fs::DirBuilder::new().mode(mode).create(ground.state()).unwrap();
    };
    let plain = ground.root.unless_recorded();
    for mode in [0o700, 0o755] {
        make(mode);
        let _ = plain.create(format!("new-{mode}"), release(1)).unwrap();
        fs::remove_dir(ground.state()).unwrap();
    }
    symlink("releases/1", ground.state()).unwrap();
    let _ = plain.create("new", release(1)).unwrap();
}

#[test]
fn a_root_whose_changes_are_recorded_refuses_none_of_them() {
    let ground = Ground::new();
    let plain = ground.root.unless_recorded();
    let _recorded = ground.init();
    let recorded = plain.recorded(&ground.records(), author());
    let _ = recorded.ensure("current", release(1)).unwrap();
    assert_eq!(ground.told(), ["ensure current created"]);
}
