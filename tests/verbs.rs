//! Each verb of the library on a plain tree: what it reports is what is on disk.

use std::path::Path;

use cap_tempfile::TempDir;
use caplink::change::NewLink;
use caplink::{
    Durability, Edit, Effect, Found, Guarantee, Kind, LinkPath, Outcome, Policy, Root, Staging, Status, Target,
};

#[path = "support"]
mod support {
    pub(crate) mod cap_ground;
    #[cfg(unix)]
    pub(crate) mod umask;
}

use support::cap_ground::temp_dir;

fn tree() -> (TempDir, Root) {
    let dir = temp_dir();
    dir.create_dir_all("releases/1").unwrap();
    dir.create_dir_all("releases/2").unwrap();
    dir.create_dir_all("a/b").unwrap();
    dir.write("file", "content").unwrap();
    let root = Root::from_dir(dir.try_clone().unwrap(), Policy::default()).unwrap();
    (dir, root)
}

fn path(text: &str) -> LinkPath {
    LinkPath::new(text).unwrap()
}

fn names(dir: &TempDir) -> Vec<String> {
    let mut names: Vec<_> =
        dir.entries().unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn create_makes_a_link_and_refuses_an_occupied_name() {
    let (dir, root) = tree();
    let outcome = root.create("a/b/l", Target::relative("releases/1")).unwrap();
    assert_eq!((outcome.effect, outcome.verified), (Effect::Created, true));
    assert_eq!(dir.read_link_contents("a/b/l").unwrap(), Path::new("../../releases/1"));
    for taken in ["a/b/l", "file", "a"] {
        let error = root.create(taken, Target::relative("gone")).unwrap_err();
        assert_eq!(error.kind(), Kind::Exists, "{taken}");
    }
}

#[test]
fn ensure_creates_replaces_and_leaves_alone() {
    let (dir, root) = tree();
    let steps = [
        ("releases/1", Effect::Created, None),
        ("releases/2", Effect::Replaced, Some("releases/1")),
        ("releases/2", Effect::Unchanged, None),
    ];
    for (target, change, previous) in steps {
        let outcome = root.ensure("current", Target::relative(target)).unwrap();
        assert_eq!(outcome.effect, change);
        assert_eq!(outcome.previous.as_deref(), previous.map(AsRef::as_ref));
        assert_eq!(outcome.guarantee, Guarantee::Atomic);
        assert!(outcome.verified && outcome.shortfalls.is_empty());
        assert_eq!(dir.read_link_contents("current").unwrap(), Path::new(target));
    }
    assert_eq!(names(&dir), ["a", "current", "file", "releases"]);
    assert_eq!(root.ensure("file", Target::relative("a")).unwrap_err().kind(), Kind::NotALink);
}

#[test]
fn swap_compares_texts_byte_for_byte() {
    let (_dir, root) = tree();
    let swap = |old: &str| root.swap("current", Target::relative("releases/2"), old);
    assert_eq!(swap("releases/1").unwrap_err().kind(), Kind::NotFound);
    let _ = root.create("current", Target::relative("releases/1")).unwrap();
    let lost = swap("./releases/1").unwrap_err();
    assert_eq!((lost.kind(), lost.found()), (Kind::Mismatch, Some(&Found::Link("releases/1".into()))));
    assert_eq!(swap("releases/1").unwrap().effect, Effect::Replaced);
}

#[test]
fn remove_takes_links_only() {
    let (dir, root) = tree();
    let _ = root.create("l", Target::relative("file")).unwrap();
    let expecting = Edit::remove(path("l")).expect("other");
    assert_eq!(root.apply(&expecting).unwrap_err().kind(), Kind::Mismatch);
    assert_eq!(root.remove("l").unwrap().previous.as_deref(), Some("file".as_ref()));
    assert_eq!(root.remove("l").unwrap_err().kind(), Kind::NotFound);
    assert_eq!(root.remove("file").unwrap_err().kind(), Kind::NotALink);
    for missing in ["l", "gone/l"] {
        let lenient = Edit::remove(path(missing)).missing_ok(true);
        assert_eq!(root.apply(&lenient).unwrap().effect, Effect::Unchanged);
    }
    assert_eq!(names(&dir), ["a", "file", "releases"]);
}

#[test]
fn exchange_gives_each_link_the_place_of_the_other() {
    let (dir, root) = tree();
    let _ = root.create("x", Target::relative("releases/1")).unwrap();
    let _ = root.create("a/y", Target::verbatim("../releases/2")).unwrap();
    let error = root.exchange("x", "a/y").unwrap_err();
    assert_eq!(error.kind(), Kind::Escape, "`../releases/2` leads out of the root from `x`");
    let _ = root.create("y", Target::relative("releases/2")).unwrap();
    let outcome = root.exchange("x", "y").unwrap();
    let both: Vec<_> = outcome.each().map(|one| (one.link.to_string(), one.effect)).collect();
    assert_eq!(both, [("x".to_owned(), Effect::Exchanged), ("y".to_owned(), Effect::Exchanged)]);
    assert_eq!(dir.read_link_contents("x").unwrap(), Path::new("releases/2"));
    assert_eq!(dir.read_link_contents("y").unwrap(), Path::new("releases/1"));
    let same = root.exchange("x", "x").unwrap();
    assert!(same.each().all(|outcome| outcome.effect == Effect::Unchanged));
}

#[test]
fn ensure_backs_up_what_is_in_the_way() {
    let (dir, root) = tree();
    let long = "x".repeat(255);
    dir.write(&long, "long").unwrap();
    for (name, content) in [("file", "content"), (&*long, "long")] {
        let outcome = root.apply(&Edit::ensure(path(name), Target::relative("a")).backup(true)).unwrap();
        assert_eq!(outcome.effect, Effect::Created);
        let backup = outcome.backup.unwrap();
        assert_eq!(dir.read_to_string(&backup).unwrap(), content);
        assert_eq!(dir.read_link_contents(name).unwrap(), Path::new("a"));
    }
    let outcome = root.apply(&Edit::ensure(path("releases"), Target::relative("a")).backup(true)).unwrap();
    assert!(dir.is_dir(outcome.backup.unwrap().join("1")));
}

#[test]
fn parents_are_made_when_asked() {
    let (dir, root) = tree();
    let edit = Edit::create(path("n/e/w"), Target::relative("file"));
    assert_eq!(root.apply(&edit).unwrap_err().kind(), Kind::NotFound);
    let asked = edit.parents(true);
    let preview = root.preview(&asked).unwrap();
    assert!(!dir.exists("n"));
    let outcome = root.apply(&asked).unwrap();
    assert_eq!((&preview.made, preview.target), (&outcome.made, outcome.target.clone()));
    assert_eq!(outcome.made, [Path::new("n"), Path::new("n/e")]);
    assert_eq!(dir.read_link_contents("n/e/w").unwrap(), Path::new("../../file"));
}

#[test]
fn targets_are_judged_by_walking() {
    let (dir, root) = tree();
    dir.symlink("a/b", "dirlink").unwrap();
    let verbatim = |text: &str| root.preview(&Edit::create(path("a/l"), Target::verbatim(text)));
    for fine in ["b", "../file", "../dirlink/../../file", ".", "../a/../file"] {
        let _ = verbatim(fine).unwrap_or_else(|error| panic!("{fine}: {error}"));
    }
    for (text, kind) in [
        ("gone", Kind::Dangling),
        ("../../x", Kind::Escape),
        ("gone/../../../x", Kind::Escape),
        ("/etc", Kind::Escape),
        ("l", Kind::Loop),
        ("../a/l", Kind::Loop),
        ("l/x", Kind::Loop),
        ("", Kind::InvalidTarget),
    ] {
        assert_eq!(verbatim(text).unwrap_err().kind(), kind, "{text}");
    }
}

#[test]
fn a_parent_that_is_a_link_is_followed_only_when_allowed() {
    let (dir, root) = tree();
    dir.symlink("a/b", "d").unwrap();
    dir.symlink("../outside", "e").unwrap();
    let error = root.create("d/l", Target::relative("file")).unwrap_err();
    assert_eq!((error.kind(), error.via_text()), (Kind::SymlinkInPath, Some("a/b".as_ref())));
    let following = Root::from_dir(dir.try_clone().unwrap(), Policy::default().follow(true)).unwrap();
    let outcome = following.create("d/l", Target::relative("file")).unwrap();
    assert_eq!(outcome.physical.as_deref(), Some(Path::new("a/b/l")));
    assert_eq!(dir.read_link_contents("a/b/l").unwrap(), Path::new("../../file"));
    let error = following.create("e/l", Target::relative("file")).unwrap_err();
    assert_eq!((error.kind(), error.component().unwrap().name.as_os_str()), (Kind::Escape, "e".as_ref()));
}

#[cfg(unix)]
#[test]
fn in_a_shared_directory_links_are_staged_in_the_private_one() {
    use cap_std::fs::PermissionsExt as _;
    let (dir, root) = tree();
    dir.set_permissions("a", cap_std::fs::Permissions::from_mode(0o777)).unwrap();
    let _ = root.create("a/l", Target::relative("file")).unwrap();
    let outcome = root.ensure("a/l", Target::relative("releases")).unwrap();
    assert_eq!((outcome.staging, outcome.verified), (Staging::Private, true));
    assert_eq!(names(&dir), ["a", "file", "releases"], "the state directory went with the edit");
    dir.create_dir(".caplink").unwrap();
    dir.set_permissions(".caplink", cap_std::fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(root.ensure("a/l", Target::relative("file")).unwrap_err().kind(), Kind::UnsafeState);
    assert_eq!(root.ensure("a/l", Target::relative("releases")).unwrap().effect, Effect::Unchanged);
}

#[test]
fn inspect_answers_for_links_that_lead_nowhere() {
    let (dir, root) = tree();
    dir.symlink("gone", "dangling").unwrap();
    dir.symlink("self", "self").unwrap();
    dir.symlink("../x", "out").unwrap();
    for (name, status) in [("dangling", Status::Dangling), ("self", Status::Loop), ("out", Status::Escape)] {
        assert_eq!(root.inspect(name).unwrap().link.unwrap().status, status);
    }
    assert_eq!(root.inspect("gone/x").unwrap().kind, None);
    assert_eq!(root.resolve("dangling").unwrap_err().kind(), Kind::NotFound);
    assert_eq!(root.resolve(".").unwrap().path, Path::new(""));
}

/// An outcome as text, without whether it was a preview.
fn told(outcome: &Outcome) -> String {
    format!("{outcome:?}").replace("dry_run: true", "dry_run: false")
}

#[test]
fn a_preview_reports_what_the_edit_then_does() {
    let (_dir, root) = tree();
    let to = |target: &str| Target::relative(target);
    let edits: [Edit; _] = [
        Edit::create(path("l"), to("releases/1")).into(),
        Edit::create(path("n/e/w"), to("file")).parents(true).into(),
        Edit::ensure(path("l"), to("releases/1")).into(),
        Edit::ensure(path("l"), to("releases/2")).into(),
        Edit::ensure(path("file"), to("releases/2")).backup(true).into(),
        Edit::swap(path("l"), to("releases/1"), "releases/2").into(),
        Edit::remove(path("gone")).missing_ok(true).into(),
        Edit::remove(path("gone/l")).missing_ok(true).into(),
        Edit::remove(path("l")).into(),
    ];
    for edit in edits {
        let edit = edit.durability(Durability::Dir);
        let preview = root.preview(&edit).unwrap();
        assert!(preview.dry_run);
        assert_eq!(told(&preview), told(&root.apply(&edit).unwrap()), "{edit:?}");
    }
    let _ = root.create("x", to("releases/1")).unwrap();
    let _ = root.create("y", to("releases/2")).unwrap();
    for (a, b) in [("x", "y"), ("x", "x")] {
        let exchange = Edit::exchange(path(a), path(b)).durability(Durability::Dir);
        assert_eq!(told(&root.preview(&exchange).unwrap()), told(&root.apply(&exchange).unwrap()));
    }
}

#[test]
fn a_missing_parent_is_named_also_when_parents_may_be_made() {
    let (_dir, root) = tree();
    let error = root.apply(&Edit::swap(path("a/n/l"), Target::relative("file"), "old")).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert_eq!(error.component().map(|c| (c.name.to_str().unwrap(), c.index)), Some(("n", 1)));
}

#[test]
fn every_recorder_sees_a_change_and_none_can_be_removed() {
    use std::sync::{Arc, Mutex};
    #[derive(Default)]
    struct Seen(Mutex<Vec<Effect>>);
    impl caplink::Recorder for Seen {
        fn after(&self, events: &[caplink::Event<'_>]) -> caplink::Result<()> {
            let changes = events.iter().flat_map(caplink::Event::changes);
            self.0.lock().unwrap().extend(changes.map(|outcome| outcome.effect));
            Ok(())
        }
    }
    let (_dir, root) = tree();
    let (first, second) = (Arc::new(Seen::default()), Arc::new(Seen::default()));
    let handed_on = root.recorded_by(first.clone()).recorded_by(second.clone());
    let _ = handed_on.create("l", Target::relative("file")).unwrap();
    // What changes nothing is no change.
    let edit = Edit::ensure(LinkPath::new("l").unwrap(), Target::relative("file"));
    assert_eq!(handed_on.apply(&edit).unwrap().effect, Effect::Unchanged);
    let edit = Edit::remove(LinkPath::new("l").unwrap());
    assert_eq!(handed_on.preview(&edit).unwrap().effect, Effect::Removed);
    let _ = handed_on.subroot("a").unwrap().create("l", Target::relative("b")).unwrap();
    for seen in [first, second] {
        assert_eq!(*seen.0.lock().unwrap(), [Effect::Created, Effect::Created]);
    }
}

#[test]
fn a_narrowed_root_refuses_what_its_policy_forbids() {
    let (_dir, root) = tree();
    let looking = root.narrow(root.policy().changes(false));
    assert_eq!(looking.create("l", Target::relative("file")).unwrap_err().kind(), Kind::Policy);
    let _ = root.create("l", Target::relative("file")).unwrap();
    assert_eq!(looking.ensure("l", Target::relative("file")).unwrap().effect, Effect::Unchanged);
    assert_eq!(looking.ensure("l", Target::relative("a")).unwrap_err().kind(), Kind::Policy);
    assert_eq!(looking.remove("l").unwrap_err().kind(), Kind::Policy);
    let widened = looking.narrow(Policy::default());
    assert!(!widened.policy().allows_changes());
}

#[cfg(unix)]
#[test]
fn a_root_is_a_directory() {
    let (dir, _) = tree();
    let file = cap_std::fs::Dir::from_std_file(dir.open("file").unwrap().into_std());
    assert_eq!(Root::from_dir(file, Policy::default()).unwrap_err().kind(), Kind::Usage);
}

#[cfg(unix)]
#[test]
fn all_who_share_a_link_exclude_each_other_whatever_their_state_directory() {
    let (dir, root) = tree();
    let _ = root.create("a/l", Target::relative("file")).unwrap();
    let held = dir.open_dir("a").unwrap().open(".").unwrap().into_std();
    held.lock().unwrap();
    assert_eq!(root.ensure("a/l", Target::relative("releases")).unwrap_err().kind(), Kind::Busy);
    let with_state = root.with_state(&dir, "state").unwrap();
    let subroot = root.subroot("a").unwrap();
    let busy = [
        with_state.ensure("a/l", Target::relative("releases")),
        with_state.remove("a/l"),
        subroot.swap("l", Target::verbatim("x"), "../file"),
    ];
    assert_eq!(busy.map(|result| result.unwrap_err().kind()), [Kind::Busy; 3]);
    held.unlock().unwrap();
    assert_eq!(with_state.ensure("a/l", Target::relative("releases")).unwrap().effect, Effect::Replaced);
}

#[test]
fn nothing_in_the_state_directory_is_a_link_of_the_callers() {
    let (dir, root) = tree();
    dir.create_dir(".caplink").unwrap();
    dir.symlink("file", ".caplink/l").unwrap();
    for name in [".caplink", ".caplink/l", ".caplink/new"] {
        let link = || NewLink::new(Target::verbatim("a")).allow_dangling(true);
        let edits: [Edit; _] = [
            Edit::create(path(name), link()).into(),
            Edit::ensure(path(name), link()).into(),
            Edit::remove(path(name)).into(),
        ];
        for edit in edits {
            assert_eq!(root.preview(&edit).unwrap_err().kind(), Kind::Policy, "{name}");
            assert_eq!(root.apply(&edit).unwrap_err().kind(), Kind::Policy, "{name}");
        }
        assert_eq!(root.exchange(name, "file").unwrap_err().kind(), Kind::Policy, "{name}");
    }
    let below = Edit::create(path(".caplink/n/l"), Target::verbatim("a")).parents(true);
    assert_eq!(root.apply(&below).unwrap_err().kind(), Kind::Policy);
    dir.symlink(".caplink", "way").unwrap();
    let following = Root::from_dir(dir.try_clone().unwrap(), Policy::default().follow(true)).unwrap();
    for (root, name) in [(&root, ".caplink"), (&root, "./.caplink"), (&following, "way")] {
        assert_eq!(root.subroot(name).unwrap_err().kind(), Kind::Policy, "{name}");
    }
    assert_eq!(dir.read_dir(".caplink").unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_target_is_refused_in_words_of_its_own() {
    let (_dir, root) = tree();
    let _ = root.create("l", Target::verbatim("file")).unwrap();
    for (target, kind, reason) in [
        (Target::relative("gone"), Kind::Dangling, "the target does not exist"),
        (Target::verbatim("../../x"), Kind::Escape, "the target leads out of the root"),
        (Target::verbatim("new"), Kind::Loop, "the target leads back to the link"),
    ] {
        let error = root.create("new", target).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn a_dry_run_says_that_no_name_for_a_backup_is_free() {
    let (dir, root) = tree();
    for index in 0..1000 {
        let name = if index == 0 { "file.backup".to_owned() } else { format!("file.backup-{index}") };
        dir.write(name, "").unwrap();
    }
    let edit = Edit::ensure(path("file"), Target::relative("a")).backup(true);
    let (dry, real) = (root.preview(&edit).unwrap_err(), root.apply(&edit).unwrap_err());
    assert_eq!((dry.kind(), real.kind()), (Kind::Exists, Kind::Exists));
    assert_eq!(dry.to_string(), real.to_string());
}

#[test]
fn a_link_that_is_not_to_be_replaced_stays() {
    let (_dir, root) = tree();
    let _ = root.create("l", Target::relative("a")).unwrap();
    let edit = |target: &str| Edit::ensure(path("l"), Target::relative(target)).replace(false);
    assert_eq!(root.apply(&edit("a")).unwrap().effect, Effect::Unchanged);
    assert_eq!(root.preview(&edit("file")).unwrap_err().kind(), Kind::Exists);
    assert_eq!(root.apply(&edit("file")).unwrap_err().kind(), Kind::Exists);
    assert_eq!(root.read_link("l").unwrap(), "a");
}
