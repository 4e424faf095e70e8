//! What a tree takes that is deeper than anybody needs, and what a path takes that is longer: time and memory by the
//! measure of the tree or of the path, not by its square.
#![cfg(target_os = "linux")]

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use caplink::{Edit, Kind, LinkPath, Policy, Repair, Root, ScanOptions, Target};
use rustix::fs::{Mode, OFlags, mkdirat, openat, symlinkat};
use rustix::time::{ClockId, clock_gettime};
use tempfile::TempDir;

/// A tree that the library itself removes no directory of, however deep it is.
struct Tree(Option<TempDir>);

impl Tree {
    fn new() -> Tree {
        // So many directories are made and removed in memory much faster.
        Tree(Some(TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()))
    }

    fn path(&self) -> &Path {
        self.0.as_ref().unwrap().path()
    }

    fn root(&self) -> Root {
        Root::open_ambient(self.path(), Policy::default(), cap_std::ambient_authority()).unwrap()
    }

    /// Goes down by names that are made, and hands each directory to `at`, the first one included.
    fn dig<'a>(&self, names: impl IntoIterator<Item = &'a str>, mut at: impl FnMut(&OwnedFd, usize)) {
        let mut dir = OwnedFd::from(File::open(self.path()).unwrap());
        at(&dir, 0);
        for (level, name) in names.into_iter().enumerate() {
            mkdirat(&dir, name, Mode::RWXU).unwrap();
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            dir = openat(&dir, name, flags, Mode::empty()).unwrap();
            at(&dir, level + 1);
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // The standard library takes a descriptor for each level.
        let path = self.0.take().unwrap().keep();
        assert!(Command::new("rm").arg("-rf").arg(path).status().unwrap().success());
    }
}

/// What is measured is the process's.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How much memory something took at its height, in MiB.
fn memory_of(act: impl FnOnce()) -> u64 {
    let height = || -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    // Forgets the height so far.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = height();
    act();
    // The kernel keeps the count per processor, so that it can read lower than a moment before.
    height().saturating_sub(before) / 1024
}

/// How long this thread has worked, however many others there are.
fn worked() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
}

#[test]
fn so_many_directories_are_made_as_can_be_reported() {
    let _turn = turn();
    let tree = Tree::new();
    let root = tree.root();
    let edit = |levels| {
        let path = LinkPath::new("d/".repeat(levels) + "l").unwrap();
        Edit::create(path, Target::verbatim("x")).parents(true).allow_dangling(true)
    };
    let taken = memory_of(|| {
        for edit in [edit(60_000), edit(6000)] {
            for refused in [root.preview(&edit).unwrap_err(), root.apply(&edit).unwrap_err()] {
                assert_eq!(refused.kind(), Kind::TooLong, "{refused}");
                assert_eq!(refused.component().map(|component| component.index), Some(0));
            }
        }
        assert_eq!(tree.path().read_dir().unwrap().count(), 0);
        assert_eq!(root.apply(&edit(3000)).unwrap().made.len(), 3000);
    });
    assert!(taken < 100, "{taken} MiB");
    // What is there already is no part of it.
    let further = LinkPath::new("d/".repeat(3000) + "e/l").unwrap();
    let edit = Edit::create(further, Target::verbatim("x")).parents(true).allow_dangling(true);
    assert_eq!(root.apply(&edit).unwrap().made.len(), 1);
}

#[test]
fn a_way_through_forty_links_to_a_deep_place_is_walked_in_little_memory() {
    let _turn = turn();
    let tree = Tree::new();
    let (links, levels) = (39, 15);
    let long = "n".repeat(250);
    let on = (long.clone() + "/").repeat(levels) + "k";
    let to_and_fro = "x/../".repeat(800) + "x";
    tree.dig(std::iter::repeat_n(long.as_str(), links * levels), |dir, level| {
        if level == links * levels {
            mkdirat(dir, "x", Mode::RWXU).unwrap();
        }
        if level % levels == 0 {
            symlinkat(if level == links * levels { &to_and_fro } else { &on }, dir, "k").unwrap();
        }
    });
    let root = tree.root();
    let taken = memory_of(|| assert!(root.resolve("k").unwrap().path.ends_with("x")));
    assert!(taken < 8, "{taken} MiB, though nothing is to be told of the way");
    let taken = memory_of(|| {
        let explained = root.explain("k").unwrap();
        assert!(explained.end.unwrap().path.ends_with("x"));
        let paths = explained.hops.iter().map(|hop| hop.at.as_os_str().len());
        assert!((1 << 20..=16 << 20).contains(&paths.sum::<usize>()));
    });
    assert!(taken < 64, "{taken} MiB");
}

#[test]
fn a_preview_of_many_edits_deep_down_takes_the_time_of_as_many_walks() {
    let _turn = turn();
    let tree = Tree::new();
    tree.dig(std::iter::repeat_n("d", 8000), |dir, level| {
        if level % 400 == 0 {
            symlinkat("gone//x", dir, "l").unwrap();
        }
    });
    let root = tree.root();
    let repair = Repair::default().tidy(true);
    let scan = root.scan(".", ScanOptions::default().sorted(true)).unwrap();
    let edits: Vec<Edit> = scan.filter_map(|found| repair.plan(&found.unwrap(), None)).collect();
    assert_eq!(edits.len(), 21);
    let begun = worked();
    for outcome in root.preview_all(&edits) {
        assert_eq!(outcome.unwrap().target, Some(OsString::from("gone/x")));
    }
    let taken = worked() - begun;
    assert!(taken < Duration::from_secs(2), "{taken:?}");
}

#[test]
fn a_scan_of_a_deep_tree_takes_the_time_of_its_directories() {
    let _turn = turn();
    let tree = Tree::new();
    let levels = 16_000;
    tree.dig(std::iter::repeat_n("d", levels), |dir, _| mkdirat(dir, "side", Mode::RWXU).unwrap());
    for sorted in [false, true] {
        let begun = worked();
        let mut scan = tree.root().scan(".", ScanOptions::default().sorted(sorted)).unwrap();
        assert_eq!(scan.by_ref().count(), 0);
        let taken = worked() - begun;
        assert_eq!((scan.summary().dirs, scan.summary().complete), (2 * levels as u64 + 2, true));
        assert!(taken < Duration::from_secs(2), "{taken:?}");
    }
}

/// How long the whole process has worked, all threads together.
fn worked_together() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap()
}

#[test]
fn a_walk_takes_the_time_of_its_components_however_deep_it_is() {
    let _turn = turn();
    let long = "n".repeat(255);
    let (hops, to_and_fro) = (4, "a/../".repeat(400));
    let time_of = |levels: usize| {
        let tree = Tree::new();
        tree.dig(std::iter::repeat_n(long.as_str(), levels), |dir, level| {
            if level < levels {
                return;
            }
            mkdirat(dir, "a", Mode::RWXU).unwrap();
            for hop in 0..hops {
                let on = if hop + 1 == hops { "a".to_owned() } else { format!("{to_and_fro}l{}", hop + 1) };
                symlinkat(on, dir, format!("l{hop}")).unwrap();
            }
        });
        let root = tree.root();
        let begun = worked();
        let mut found = root.scan(".", ScanOptions::default().sorted(true)).unwrap();
        let hops: Vec<usize> = found.by_ref().map(|found| found.unwrap().hops).collect();
        let taken = worked() - begun;
        assert_eq!((hops, found.summary().complete), (vec![4, 3, 2, 1], true));
        taken
    };
    let (shallow, deep) = (time_of(1), time_of(2500));
    assert!(deep < 3 * shallow + Duration::from_millis(100), "{deep:?}, near the root {shallow:?}");
}

#[test]
fn several_threads_work_no_more_than_one_where_there_is_little_to_share() {
    let _turn = turn();
    let tree = Tree::new();
    let levels = 60_000;
    tree.dig(std::iter::repeat_n("d", levels), |dir, _| mkdirat(dir, "side", Mode::RWXU).unwrap());
    let time_of = |jobs: usize| {
        let begun = worked_together();
        let mut scan = tree.root().scan(".", ScanOptions::default().jobs(jobs)).unwrap();
        assert_eq!(scan.by_ref().count(), 0);
        assert_eq!((scan.summary().dirs, scan.summary().complete), (2 * levels as u64 + 2, true));
        worked_together() - begun
    };
    let (one, eight) = (time_of(1), time_of(8));
    assert!(eight < 2 * one, "{eight:?}, one thread {one:?}");
}
