//! A confined root has the outcomes of an unconfined one; the kernel refuses everything else.
#![cfg(unix)]

#[cfg(all(target_os = "linux", feature = "cli"))]
mod descriptors;
#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod last;
#[cfg(target_os = "linux")]
mod on_thread;
mod transcript;
#[cfg(target_os = "linux")]
mod without_landlock;

#[path = "../support"]
mod support {
    pub(crate) mod ground;
    pub(crate) mod umask;
}

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use caplink::{
    Abilities, Confinement, Durability, Edit, Effect, Enforcement, Error, Event, Kind, LinkPath, Outcome, Policy,
    Recorder, Result, Root, Staging, StateCheck, Target,
};
use tempfile::TempDir;

use support::ground::temp_dir;
use transcript::transcript;

fn tree() -> TempDir {
    let dir = temp_dir();
    let base = dir.path();
    for made in ["root/releases/1", "root/releases/2", "root/a/b", "root/shared", "root/sticky", "outside"] {
        fs::create_dir_all(base.join(made)).unwrap();
    }
    for (name, mode) in [("root/shared", 0o777), ("root/sticky", 0o1777)] {
        fs::set_permissions(base.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::write(base.join("root/file"), "content").unwrap();
    fs::write(base.join("root/shared/file"), "content").unwrap();
    fs::create_dir(base.join("root/full")).unwrap();
    fs::write(base.join("root/full/file"), "content").unwrap();
    symlink("../a/b", base.join("root/shared/led")).unwrap();
    fs::create_dir(base.join("root/shared/dir")).unwrap();
    dir
}

fn open(dir: &TempDir, policy: Policy) -> Root {
    Root::open_ambient(dir.path().join("root"), policy, ambient_authority()).unwrap()
}

/// The root, confined; `None` if the kernel cannot do that.
fn confined(test: &str, root: &Root) -> Option<Root> {
    match root.confined(Enforcement::Require) {
        Ok(root) => Some(root),
        Err(error) => {
            assert_eq!(error.kind(), Kind::Unsupported);
            let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: {error}");
            None
        }
    }
}

fn path(text: &str) -> LinkPath {
    LinkPath::new(text).unwrap()
}

fn to(target: &str) -> Target {
    Target::relative(target)
}

type Prepare = fn(&TempDir, Root) -> Root;

/// The configurations of a root.
const SETTINGS: [(&str, Prepare); 10] = [
    ("plain", |_, root| root),
    ("follow", |dir, _| open(dir, Policy::default().follow(true))),
    ("unverified", |dir, _| open(dir, Policy::default().unverified(true))),
    ("looking only", |dir, _| open(dir, Policy::default().changes(false))),
    ("no exchange", |_, root| root.with_abilities(Abilities { exchange: false, no_replace: false, ..Abilities::ALL })),
    ("no openat2", |_, root| root.with_abilities(Abilities { confined_open: false, ..Abilities::ALL })),
    ("subroot", |dir, _| {
        Root::open_ambient(dir.path(), Policy::default(), ambient_authority()).unwrap().subroot("root").unwrap()
    }),
    ("state elsewhere", |dir, root| with_state(dir, &root)),
    ("state there already", |dir, root| {
        fs::create_dir(dir.path().join("outside/state")).unwrap();
        fs::set_permissions(dir.path().join("outside/state"), fs::Permissions::from_mode(0o700)).unwrap();
        with_state(dir, &root)
    }),
    ("state that others can enter", |dir, root| {
        fs::create_dir(dir.path().join("root/.caplink")).unwrap();
        root
    }),
];

fn with_state(dir: &TempDir, root: &Root) -> Root {
    let parent = Dir::open_ambient_dir(dir.path().join("outside"), ambient_authority()).unwrap();
    root.with_state(&parent, "state").unwrap()
}

#[test]
fn every_verb_comes_to_the_same_on_a_confined_root() {
    for (setting, prepare) in SETTINGS {
        let (free, held) = (tree(), tree());
        let free_root = prepare(&free, open(&free, Policy::default()));
        let held_root = prepare(&held, open(&held, Policy::default()));
        let Some(held_root) = confined("every_verb_comes_to_the_same_on_a_confined_root", &held_root) else { return };
        let (expected, found) = (transcript(&free, &free_root), transcript(&held, &held_root));
        for (expected, found) in expected.lines().zip(found.lines()) {
            assert_eq!(expected, found, "{setting}");
        }
        assert_eq!(expected.lines().count(), found.lines().count(), "{setting}");
        assert!(expected.contains("Created") || setting == "looking only", "{setting}: the table does something");
    }
}

#[test]
fn what_is_derived_from_a_confined_root_is_confined() {
    let dir = tree();
    let Some(root) = confined("what_is_derived_from_a_confined_root_is_confined", &open(&dir, Policy::default()))
    else {
        return;
    };
    let level = root.confinement();
    assert!(matches!(level, Confinement::Landlock(2..)));
    let derived = [
        root.clone(),
        root.narrow(Policy::default()),
        root.with_abilities(Abilities::ALL),
        with_state(&dir, &root),
        root.subroot("a").unwrap(),
        root.confined(Enforcement::Auto).unwrap(),
    ];
    for (index, root) in derived.iter().enumerate() {
        let edit = Edit::create(path(&format!("l{index}")), to("nowhere")).allow_dangling(true);
        assert_eq!(root.preview(&edit).unwrap().confinement, level, "{index}");
        assert_eq!(root.apply(&edit).unwrap().confinement, level, "{index}");
        assert_eq!(root.apply_all(&[edit.into()])[0].as_ref().unwrap_err().kind(), Kind::Exists, "{index}");
    }
    assert_eq!(open(&dir, Policy::default()).ensure("free", to("a")).unwrap().confinement, Confinement::None);
}

#[test]
fn the_kernel_refuses_a_directory_that_was_moved_out() {
    let dir = tree();
    let root = open(&dir, Policy::default());
    let Some(held) = confined("the_kernel_refuses_a_directory_that_was_moved_out", &root) else { return };
    let changed = |root: &Root, name: &str| {
        let _ = root.ensure(format!("{name}/l"), to("releases/1")).unwrap();
        let entries = [root.entry(format!("{name}/l")).unwrap(), root.entry(format!("{name}/new")).unwrap()];
        let outside = dir.path().join("outside").join(name);
        fs::rename(dir.path().join("root").join(name), &outside).unwrap();
        let before = outside.metadata().unwrap();
        let edits: [(&caplink::Entry, Edit); _] = [
            (&entries[0], Edit::ensure(entries[0].path().clone(), to("releases/2")).into()),
            (&entries[0], Edit::remove(entries[0].path().clone()).into()),
            (&entries[1], Edit::create(entries[1].path().clone(), to("releases/2")).into()),
        ];
        for (entry, edit) in edits {
            let error = entry.apply(&edit).unwrap_err();
            assert_eq!(error.kind(), Kind::ParentMoved, "{name}: {error:?}");
            assert!(error.left().is_empty() && error.preserved().is_empty(), "{name}: {error:?}");
        }
        let after = outside.metadata().unwrap();
        assert_eq!(fs::read_link(outside.join("l")).unwrap(), Path::new("../releases/1"));
        (before.ctime(), before.ctime_nsec()) != (after.ctime(), after.ctime_nsec())
    };
    assert!(!changed(&held, "a"), "the kernel let the directory be changed");
    fs::create_dir(dir.path().join("root/c")).unwrap();
    assert!(changed(&root, "c"), "without Landlock it is changed for a moment; otherwise this test shows nothing");
}

#[test]
fn a_name_that_flips_to_something_else_is_never_a_matter_of_permission() {
    let dir = tree();
    let Some(root) =
        confined("a_name_that_flips_to_something_else_is_never_a_matter_of_permission", &open(&dir, Policy::default()))
    else {
        return;
    };
    for at in ["a", "shared"] {
        let base = dir.path().join("root").join(at);
        symlink("one", base.join("l")).unwrap();
        fs::write(base.join("other"), "content").unwrap();
        let inode = base.join("other").metadata().unwrap().ino();
        let stop = AtomicBool::new(false);
        let mut kinds = [0_usize; 2];
        let mut kept = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    flip(&base.join("l"), &base.join("other"));
                }
            });
            let _stop = StopOnDrop(&stop);
            let deadline = Instant::now() + Duration::from_secs(30);
            let mut turn = 0;
            while turn < 1500 || (kinds.contains(&0) && Instant::now() < deadline) {
                turn += 1;
                let target = Target::verbatim(if turn % 2 == 0 { "one" } else { "two" });
                let edit = Edit::ensure(path(&format!("{at}/l")), target).allow_dangling(true);
                match root.apply(&edit) {
                    Ok(_) => kinds[0] += 1,
                    Err(error) => {
                        assert!(matches!(error.kind(), Kind::NotALink | Kind::Contended), "{error:?}");
                        assert!(error.left().is_empty(), "{error:?}");
                        // The name was taken between the change and its read-back: what was displaced is kept.
                        kept.extend(error.preserved().to_vec());
                        kinds[1] += 1;
                    }
                }
            }
        });
        assert!(kinds.iter().all(|seen| *seen > 0), "{at}: both happen: {kinds:?}");
        for kept in &kept {
            fs::remove_file(dir.path().join("root").join(kept)).unwrap();
        }
        let mut inodes = Vec::new();
        for entry in fs::read_dir(&base).unwrap() {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            assert!(["b", "l", "other", "file", "led", "dir"].contains(&name.as_str()), "{at}: {name}");
            inodes.push(base.join(name).symlink_metadata().unwrap().ino());
        }
        assert!(inodes.contains(&inode), "{at}: the file is where its owner put it");
        fs::remove_file(base.join("l")).unwrap();
        fs::remove_file(base.join("other")).unwrap();
    }
}

/// Ends the attacker, also if the test fails.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(target_os = "linux")]
fn flip(a: &Path, b: &Path) {
    use rustix::fs::{CWD, RenameFlags};
    let _gone = rustix::fs::renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE);
}

#[cfg(not(target_os = "linux"))]
fn flip(_: &Path, _: &Path) {}

/// Writes a file for each change, as an audit log would.
struct Log<'a> {
    dir: &'a Path,
    thread: std::thread::ThreadId,
    seen: Mutex<Vec<String>>,
}

impl Recorder for Log<'static> {
    fn after(&self, events: &[Event<'_>]) -> Result<()> {
        assert_eq!(std::thread::current().id(), self.thread);
        for change in events.iter().flat_map(Event::changes) {
            fs::write(self.dir.join(change.link.to_string().replace('/', "_")), "changed").unwrap();
            self.seen.lock().unwrap().push(format!("{} {}", change.effect.as_str(), change.link));
        }
        Ok(())
    }
}

#[test]
fn the_recorder_is_called_by_the_thread_of_the_caller() {
    let dir: &'static TempDir = Box::leak(Box::new(tree()));
    let log = std::sync::Arc::new(Log {
        dir: Box::leak(dir.path().join("outside").into_boxed_path()),
        thread: std::thread::current().id(),
        seen: Mutex::default(),
    });
    let root = open(dir, Policy::default()).recorded_by(log.clone());
    let Some(root) = confined("the_recorder_is_called_by_the_thread_of_the_caller", &root) else { return };
    let _ = root.create("a/l", Target::verbatim("../a")).unwrap();
    let _ = root.create("m", Target::verbatim("a")).unwrap();
    let _ = root.ensure("m", to("a")).unwrap();
    let exchange = Edit::exchange(path("a/l"), path("m")).allow_dangling(true).allow_outside(true);
    let _ = root.apply(&exchange).unwrap();
    let entry = root.entry("e").unwrap();
    let _ = entry.apply(&Edit::create(path("e"), to("a"))).unwrap();
    let edits =
        [Edit::remove(path("e")).into(), Edit::remove(path("e")).into(), Edit::create(path("e"), to("a")).into()];
    assert_eq!(root.apply_all(&edits).iter().filter(|result| result.is_ok()).count(), 2);
    let expected = ["created a/l", "created m", "exchanged a/l", "exchanged m", "created e", "removed e", "created e"];
    assert_eq!(*log.seen.lock().unwrap(), expected);
    fs::remove_dir_all(dir.path()).unwrap();
}

#[test]
fn the_state_directory_goes_when_the_edits_that_needed_it_are_done() {
    let dir = tree();
    let root = open(&dir, Policy::default());
    let Some(root) = confined("the_state_directory_goes_when_the_edits_that_needed_it_are_done", &root) else { return };
    for root in [&root, &with_state(&dir, &root), &root.subroot("shared").unwrap()] {
        let at = if root.id() == open(&dir, Policy::default()).id() { "shared/" } else { "" };
        let _ = root.ensure(format!("{at}l"), Target::verbatim("dir")).unwrap();
        let swap = |text: &str, old: &str| Edit::swap(path(&format!("{at}l")), Target::verbatim(text), old);
        assert_eq!(root.apply(&swap("file", "dir")).unwrap().staging, Staging::Private);
        let batch: Vec<Edit> = (0..200)
            .map(|turn| if turn % 2 == 0 { swap("dir", "file").into() } else { swap("file", "dir").into() })
            .collect();
        for result in root.apply_all(&batch) {
            assert_eq!(result.unwrap().staging, Staging::Private);
        }
        assert_eq!(root.check_state(), StateCheck::Absent);
        let _ = root.remove(format!("{at}l")).unwrap();
        assert_eq!(root.check_state(), StateCheck::Absent);
    }
}

#[test]
fn a_state_directory_that_comes_and_goes_is_used_as_it_is() {
    let dir = tree();
    let root = with_state(&dir, &open(&dir, Policy::default()));
    let Some(root) = confined("a_state_directory_that_comes_and_goes_is_used_as_it_is", &root) else { return };
    let _ = root.create("shared/l", Target::verbatim("dir")).unwrap();
    let state = dir.path().join("outside/state");
    let mut texts = ["file", "dir"].into_iter().cycle();
    for turn in 0..6 {
        match turn % 3 {
            0 => {
                fs::create_dir(&state).unwrap();
                fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
            }
            1 => {
                fs::rename(&state, dir.path().join(format!("outside/old-{turn}"))).unwrap();
                fs::create_dir(&state).unwrap();
                fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
            }
            _ => fs::remove_dir(&state).unwrap(),
        }
        let there = state.exists();
        for _ in 0..2 {
            let text = texts.next().unwrap();
            let outcome = root.ensure("shared/l", Target::verbatim(text)).unwrap();
            assert_eq!((outcome.effect, outcome.staging), (Effect::Replaced, Staging::Private), "{turn}");
        }
        assert_eq!(state.exists(), there, "{turn}");
    }
    fs::create_dir(&state).unwrap();
    let unsafe_state = root.ensure("shared/l", Target::verbatim("led")).unwrap_err();
    assert_eq!(unsafe_state.kind(), Kind::UnsafeState);
}

#[test]
fn many_threads_share_a_confined_root() {
    let dir = tree();
    let root = open(&dir, Policy::default());
    let Some(root) = confined("many_threads_share_a_confined_root", &root) else { return };
    let _ = root.create("shared/n", Target::verbatim("0")).map_err(|error| assert_eq!(error.kind(), Kind::Dangling));
    symlink("0", dir.path().join("root/shared/n")).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                for _ in 0..10 {
                    loop {
                        let old = root.read_link("shared/n").unwrap().into_string().unwrap();
                        let new = (old.parse::<u32>().unwrap() + 1).to_string();
                        let edit = Edit::swap(path("shared/n"), Target::verbatim(new), old).allow_dangling(true);
                        match root.apply(&edit) {
                            Ok(_) => break,
                            Err(error) => assert_eq!(error.kind(), Kind::Mismatch, "{error:?}"),
                        }
                    }
                }
            });
        }
    });
    assert_eq!(root.read_link("shared/n").unwrap(), "320");
    assert_eq!(root.check_state(), StateCheck::Absent);
}
