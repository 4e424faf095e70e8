//! The threads of a confined root: started on demand, ended with the root, without effect on other threads.
//!
//! Each test counts the threads of the process, so the tests run one at a time.
#![cfg(target_os = "linux")]

mod alone;
mod fork;
mod signals;

#[path = "../support"]
mod support {
    pub(crate) mod ground;
    pub(crate) mod umask;
}

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cap_std::ambient_authority;
use caplink::{Edit, Enforcement, Event, Kind, LinkPath, Policy, Recorder, Root, ScanOptions, Target};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;

use support::ground::temp_dir;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A confined root with a link `l` to itself; `None` if the kernel cannot confine.
fn ground(test: &str) -> Option<(MutexGuard<'static, ()>, TempDir, Root)> {
    let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = temp_dir();
    symlink(".", dir.path().join("l")).unwrap();
    let root = Root::open_ambient(dir.path(), Policy::default(), ambient_authority()).unwrap();
    match root.confined(Enforcement::Require) {
        Ok(root) => Some((turn, dir, root)),
        Err(error) => {
            assert_eq!(error.kind(), Kind::Unsupported);
            std::io::stderr().write_all(format!("SKIPPED: {test}: {error}\n").as_bytes()).unwrap();
            None
        }
    }
}

fn path(text: &str) -> LinkPath {
    LinkPath::new(text).unwrap()
}

/// The names of this process's threads, and whether each has `no_new_privs`.
fn threads() -> Vec<(String, bool)> {
    threads_at("/proc/self/task")
}

fn threads_at(tasks: &str) -> Vec<(String, bool)> {
    // A thread can end while the list is read.
    let status = fs::read_dir(tasks)
        .into_iter()
        .flatten()
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("status")).ok());
    let line = |status: &str, key: &str| {
        let line = status.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line[key.len()..].trim().to_owned()
    };
    status.map(|status| (line(&status, "Name:"), line(&status, "NoNewPrivs:") == "1")).collect()
}

fn confined_threads() -> usize {
    threads().into_iter().filter(|(name, _)| name == "caplink-confine").count()
}

/// Waits for this number of confined threads: one that ended can stay listed for a moment.
fn settled(expected: usize) -> usize {
    let deadline = Instant::now() + Duration::from_secs(2);
    while confined_threads() != expected && Instant::now() < deadline {
        std::thread::yield_now();
    }
    confined_threads()
}

#[test]
fn a_thread_comes_for_each_set_of_rights_when_it_is_needed_and_all_end_with_the_root() {
    let Some((_turn, _dir, root)) =
        ground("a_thread_comes_for_each_set_of_rights_when_it_is_needed_and_all_end_with_the_root")
    else {
        return;
    };
    assert_eq!(settled(1), 1);
    for _ in 0..3 {
        let _ = root.ensure("l", Target::verbatim("./")).unwrap();
        assert_eq!(confined_threads(), 1);
    }
    for _ in 0..3 {
        let _ = root.apply(&Edit::ensure(path("p/l"), Target::relative(".")).parents(true)).unwrap();
        assert_eq!(confined_threads(), 2);
    }
    for _ in 0..3 {
        let _ = root.apply(&Edit::ensure(path("p/l"), Target::relative(".")).parents(true).backup(true)).unwrap();
        assert_eq!(confined_threads(), 3);
    }
    let entry = root.entry("l").unwrap();
    let narrow = root.narrow(Policy::default());
    drop(root);
    let _ = narrow.ensure("l", Target::verbatim(".")).unwrap();
    drop(narrow);
    let _ = entry.apply(&Edit::remove(path("l"))).unwrap();
    assert_eq!(settled(3), 3);
    drop(entry);
    assert_eq!(settled(0), 0);
}

#[test]
fn the_threads_of_the_program_stay_as_they_are() {
    let Some((_turn, dir, root)) = ground("the_threads_of_the_program_stay_as_they_are") else { return };
    let _ = root.ensure("l", Target::verbatim("./")).unwrap();
    let started = std::thread::Builder::new().name("bystander".into());
    started
        .spawn(|| {
            let seen = threads();
            assert!(seen.iter().any(|(name, _)| name == "bystander"), "{seen:?}");
            for (name, renounced) in seen {
                assert_eq!(renounced, name == "caplink-confine", "{name}");
            }
        })
        .unwrap()
        .join()
        .unwrap();
    fs::write(dir.path().join("file"), "content").unwrap();
    fs::create_dir(dir.path().join("dir")).unwrap();
    let elsewhere = temp_dir();
    fs::write(elsewhere.path().join("file"), "content").unwrap();
    assert!(std::net::TcpListener::bind("127.0.0.1:0").is_ok());
    assert!(Command::new("true").status().unwrap().success());
}

#[test]
fn a_thousand_roots_have_a_thread_each() {
    const ROOTS: usize = 1000;
    let Some((_turn, dir, root)) = ground("a_thousand_roots_have_a_thread_each") else { return };
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    rustix::process::setrlimit(
        rustix::process::Resource::Nofile,
        rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum },
    )
    .unwrap();
    let roots: Vec<Root> = (0..ROOTS)
        .map(|index| {
            fs::create_dir(dir.path().join(index.to_string())).unwrap();
            root.subroot(index.to_string()).unwrap()
        })
        .collect();
    assert_eq!(settled(1), 1, "none is started before it is needed");
    for (index, root) in roots.iter().enumerate() {
        let _ = root.create("l", Target::relative(".")).unwrap();
        let refused = root.create("../l", Target::relative(".")).unwrap_err();
        assert_eq!(refused.kind(), Kind::Escape, "{index}");
    }
    assert_eq!(settled(ROOTS + 1), ROOTS + 1);
    drop(roots);
    assert_eq!(settled(1), 1);
}

/// A recorder that panics.
struct Panics;

impl Recorder for Panics {
    fn after(&self, _: &[Event<'_>]) -> caplink::Result<()> {
        panic!("in the recorder");
    }
}

#[test]
fn a_panic_of_the_recorder_unwinds_the_caller_and_no_more() {
    let Some((_turn, dir, root)) = ground("a_panic_of_the_recorder_unwinds_the_caller_and_no_more") else { return };
    let watched = root.recorded_by(Arc::new(Panics));
    let edit = Edit::ensure(path("l"), Target::verbatim("./"));
    for batch in [false, true] {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            if batch {
                drop(watched.apply_all(&[edit.clone().into(), edit.clone().into()]))
            } else {
                drop(watched.apply(&edit))
            }
        }));
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"in the recorder"));
        assert_eq!(fs::read_link(dir.path().join("l")).unwrap(), Path::new("./"));
        let _ = root.ensure("l", Target::verbatim(".")).unwrap();
    }
    drop((watched, root));
    assert_eq!(settled(0), 0);
}

/// Waits for the program to have these threads while it waits itself, for the lock of a directory; all of them have
/// given up what `exec` could gain. Returns what was seen last.
#[cfg(feature = "cli")]
fn threads_of_the_program(dir: &Path, locked: &Path, expected: &[&str]) -> Vec<(String, bool)> {
    let lock = fs::File::open(locked).unwrap();
    lock.lock().unwrap();
    let other = if fs::read_link(dir.join("l")).unwrap().as_os_str() == "." { "./" } else { "." };
    let mut command = Command::new(env!("CARGO_BIN_EXE_caplink"));
    command.arg("-C").arg(dir).args(["ensure", "l", "--style", "verbatim", "--to", other]);
    let mut program = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    let tasks = format!("/proc/{}/task", program.id());
    let expected: Vec<_> = expected.iter().map(|name| ((*name).to_owned(), true)).collect();
    let mut seen = Vec::new();
    while program.try_wait().unwrap().is_none() && seen != expected {
        seen = threads_at(&tasks);
    }
    drop(lock);
    assert!(program.wait().unwrap().success());
    seen
}

#[cfg(feature = "cli")]
#[test]
fn no_thread_of_the_program_gains_privileges_by_exec() {
    let Some((_turn, dir, _root)) = ground("no_thread_of_the_program_gains_privileges_by_exec") else { return };
    let names = |seen: Vec<(String, bool)>| seen.into_iter().map(|(name, renounced)| format!("{name} {renounced}"));
    let seen = threads_of_the_program(dir.path(), dir.path(), &["caplink"]);
    assert_eq!(names(seen).collect::<Vec<_>>(), ["caplink true"]);
    // Where others can write, a thread is confined instead of the program.
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let state = dir.path().join(".caplink");
    fs::create_dir(&state).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
    let seen = threads_of_the_program(dir.path(), &state, &["caplink", "caplink-confine"]);
    assert_eq!(names(seen).collect::<Vec<_>>(), ["caplink true", "caplink-confine true"]);
}

#[test]
fn where_no_thread_can_be_started_the_system_says_so() {
    if !alone::alone("where_no_thread_can_be_started_the_system_says_so") {
        return;
    }
    let Some((_turn, dir, _root)) = ground("where_no_thread_can_be_started_the_system_says_so") else { return };
    symlink("gone", dir.path().join("dangling")).unwrap();
    let root = Root::open_ambient(dir.path(), Policy::default(), ambient_authority()).unwrap();
    let unlimited = getrlimit(Resource::As);
    // No stack can be allocated any more.
    let pages: u64 = fs::read_to_string("/proc/self/statm").unwrap().split(' ').next().unwrap().parse().unwrap();
    let room = pages * 4096 + 256 * 1024;
    setrlimit(Resource::As, Rlimit { current: Some(room), ..unlimited }).unwrap();
    let (confined, scanned) = (root.confined(Enforcement::Auto), root.scan(".", ScanOptions::default().jobs(2)));
    setrlimit(Resource::As, unlimited).unwrap();
    for error in [confined.unwrap_err(), scanned.unwrap_err()] {
        assert_eq!(error.kind(), Kind::Io, "{error}");
        assert!(error.to_string().contains("no thread can be started"), "{error}");
    }
}

#[test]
fn edits_have_the_credentials_of_who_confined_the_root() {
    let Some((_turn, dir, root)) = ground("edits_have_the_credentials_of_who_confined_the_root") else { return };
    let own = rustix::process::geteuid();
    if !own.is_root() {
        let skipped = "SKIPPED: edits_have_the_credentials_of_who_confined_the_root: only root becomes another user\n";
        return std::io::stderr().write_all(skipped.as_bytes()).unwrap();
    }
    std::thread::scope(|scope| {
        let by_another = || {
            let nobody = rustix::process::Uid::from_raw(65_534);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
            assert!(fs::create_dir(dir.path().join("by_nobody")).is_err());
            root.create("new", Target::relative(".")).unwrap()
        };
        assert!(scope.spawn(by_another).join().unwrap().verified);
    });
    assert_eq!(fs::symlink_metadata(dir.path().join("new")).unwrap().uid(), own.as_raw());
}
