//! What a scan may take: descriptors, depth, width, memory. And the links that only a crash leaves.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Command;

use caplink::{Root, ScanOptions, Status};
use rustix::fs::{Mode, OFlags};

use crate::tree::{Tree, backends, scan, skipped};

/// Says to a test that it is run anew with few descriptors.
const FEW: &str = "CAPLINK_TEST_FEW";

/// Whether the test is to go on: it runs itself anew with 64 descriptors.
fn with_few_descriptors(test: &str) -> bool {
    if std::env::var_os(FEW).is_some() {
        return true;
    }
    let program = std::env::current_exe().unwrap();
    let run = Command::new("sh")
        .args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""])
        .arg(program)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(FEW, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
    false
}

/// A chain of directories that no path reaches in one call, with two links and a side branch on each level.
fn dig(base: &Path, levels: usize, name: &str) {
    let open = |dir: &OwnedFd, name: &str| {
        rustix::fs::openat(dir, name, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap()
    };
    let mut at: OwnedFd = std::fs::File::open(base).unwrap().into();
    for _ in 0..levels {
        rustix::fs::mkdirat(&at, name, Mode::RWXU).unwrap();
        rustix::fs::mkdirat(&at, "side", Mode::RWXU).unwrap();
        rustix::fs::symlinkat("../gone", open(&at, "side").as_fd(), "l").unwrap();
        at = open(&at, name);
        rustix::fs::symlinkat("..", &at, "up").unwrap();
        rustix::fs::symlinkat("../../../../../../../../..", &at, "far").unwrap();
    }
}

/// `rm -r` of a tree that no path reaches in one call, or that is too deep for the few descriptors of this process.
fn fill_in(base: &Path) {
    let status = Command::new("rm").arg("-rf").arg(base).status().unwrap();
    assert!(status.success());
}

#[test]
fn two_thousand_levels_are_scanned_with_64_descriptors() {
    if !with_few_descriptors("bounds::two_thousand_levels_are_scanned_with_64_descriptors") {
        return;
    }
    let tree = Tree::new();
    let name = "n".repeat(250);
    dig(&tree.base, 2000, &name);
    for (backend, root) in backends(&tree.root()).into_iter().take(2) {
        let ways = [ScanOptions::default(), ScanOptions::default().sorted(true), ScanOptions::default().jobs(8)];
        // The weaker way opens each directory on the way by itself: once is enough.
        let ways = if backend == "native" { &ways[..] } else { &ways[..1] };
        for options in ways {
            // Not collected: the paths are long.
            let mut scan = root.scan(".", options.clone()).unwrap();
            assert!(scan.by_ref().all(|found| found.is_ok()), "{backend}, {options:?}");
            let summary = scan.summary();
            assert!(summary.complete);
            assert_eq!((summary.links, summary.dirs), (6000, 4001));
            assert_eq!(summary.with_status(Status::Dangling), 2000);
            // On the first levels the long way up leads out of the root.
            assert_eq!(summary.with_status(Status::Escape), 8, "{backend}");
        }
    }
    fill_in(&tree.base);
}

#[test]
fn directories_above_are_closed_where_descriptors_run_out() {
    if !with_few_descriptors("bounds::directories_above_are_closed_where_descriptors_run_out") {
        return;
    }
    let tree = Tree::new();
    dig(&tree.base, 60, "n");
    let root = tree.root();
    let mut held: Vec<std::fs::File> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
    held.truncate(held.len() - 6);
    for options in [ScanOptions::default(), ScanOptions::default().sorted(true)] {
        let scanned = scan(&root, ".", options);
        assert!(scanned.summary.complete, "{:?}", scanned.errors);
        assert_eq!((scanned.summary.links, scanned.summary.dirs), (180, 121));
    }
    // With none at all the scan says so, and with too few of what it could not look at.
    held.extend(std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()));
    let error = root.scan(".", ScanOptions::default()).unwrap_err();
    assert_eq!(error.kind(), caplink::Kind::FdExhausted);
    held.pop();
    let errors = scan(&root, ".", ScanOptions::default()).errors;
    assert!(!errors.is_empty() && errors.iter().all(|error| error.kind() == caplink::Kind::FdExhausted), "{errors:?}");
    drop(held);
    fill_in(&tree.base);
}

#[test]
fn a_directory_whose_path_is_longer_than_640_kib_is_said_to_be_unread() {
    let tree = Tree::new();
    dig(&tree.base, 2700, &"n".repeat(250));
    let mut scan = tree.root().scan(".", ScanOptions::default()).unwrap();
    let kinds: Vec<_> = (&mut scan).filter_map(Result::err).map(|error| error.kind()).collect();
    assert!(!kinds.is_empty() && kinds.iter().all(|kind| *kind == caplink::Kind::TooLong), "{kinds:?}");
    assert_eq!((scan.summary().complete, scan.summary().dirs_unread), (false, kinds.len() as u64));
    fill_in(&tree.base);
}

#[test]
fn a_directory_with_very_many_directories_is_read_in_parts() {
    if !with_few_descriptors("bounds::a_directory_with_very_many_directories_is_read_in_parts") {
        return;
    }
    let tree = Tree::new();
    // So wide that it is read in parts, and so deep below one of them that its descriptor is closed meanwhile.
    for index in 0..9000 {
        tree.dir(&format!("d{index}"));
    }
    let deep: PathBuf = std::iter::repeat_n("d", 40).collect();
    for index in (0..9000).step_by(300) {
        tree.dir(Path::new(&format!("d{index}")).join(&deep).to_str().unwrap());
        tree.link(Path::new(&format!("d{index}")).join(&deep).join("l").to_str().unwrap(), "gone");
    }
    for options in [ScanOptions::default(), ScanOptions::default().jobs(3), ScanOptions::default().sorted(true)] {
        let scanned = scan(&tree.root(), ".", options);
        assert!(scanned.summary.complete, "{:?}", scanned.errors);
        assert_eq!((scanned.summary.dirs, scanned.summary.links), (9001 + 30 * 40, 30));
    }
    fill_in(&tree.base);
}

#[test]
fn a_scan_that_is_dropped_ends_its_threads_and_closes_its_descriptors() {
    if !with_few_descriptors("bounds::a_scan_that_is_dropped_ends_its_threads_and_closes_its_descriptors") {
        return;
    }
    let tree = Tree::new();
    for index in 0..200 {
        tree.dir(&format!("d{index}/e/f"));
        for link in 0..20 {
            tree.link(&format!("d{index}/e/l{link}"), "gone");
        }
    }
    let root = tree.root();
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let before = (open(), threads());
    for jobs in [1, 4] {
        for taken in [0, 1, 500] {
            let scan = root.scan(".", ScanOptions::default().jobs(jobs)).unwrap();
            assert_eq!(scan.take(taken).count(), taken);
        }
    }
    assert_eq!((open(), threads()), before);
}

#[test]
fn memory_does_not_grow_with_the_number_of_entries() {
    let peak = |links: usize| -> u64 {
        let tree = Tree::new();
        for dir in 0..links.div_ceil(500) {
            tree.dir(&format!("d{dir}"));
            for link in 0..500 {
                tree.link(&format!("d{dir}/l{link}"), "gone");
            }
        }
        measure(&tree.base)
    };
    let (small, large) = (peak(2_000), peak(40_000));
    // Held at once, 38,000 findings would take more than 4 MiB.
    assert!(large < small + 2048, "{small} KiB for 2,000 links, {large} KiB for 40,000");
}

/// The peak memory of a scan in a process of its own, in KiB.
fn measure(base: &Path) -> u64 {
    let program = std::env::current_exe().unwrap();
    let run = Command::new(program)
        .args(["--exact", "bounds::scans_what_it_is_told_to", "--nocapture", "--ignored"])
        .env("CAPLINK_TEST_BASE", base)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    let peak = said.split("peak ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_else(|| panic!("{said}"));
    peak.parse().unwrap()
}

#[test]
#[ignore = "run by the tests that measure memory"]
fn scans_what_it_is_told_to() {
    let Some(base) = std::env::var_os("CAPLINK_TEST_BASE") else { return };
    let root = Root::open_ambient(base, caplink::Policy::default(), cap_std::ambient_authority()).unwrap();
    let mut scan = root.scan(".", ScanOptions::default()).unwrap();
    let links = (&mut scan).filter(Result::is_ok).count();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("peak {} of {links}", peak.split_whitespace().next().unwrap());
}

/// An empty text is nothing that a call can make: it is written into an image.
#[test]
fn a_link_that_a_crash_left_empty_is_corrupt() {
    const TEST: &str = "bounds::a_link_that_a_crash_left_empty_is_corrupt";
    let tree = Tree::new();
    let image = tree.canary.join("image");
    let run = |program: &str, arguments: &[&std::ffi::OsStr]| {
        Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
    };
    std::fs::write(&image, "").unwrap();
    std::fs::File::options().write(true).open(&image).unwrap().set_len(8 << 20).unwrap();
    let debugfs = |request: &str| run("debugfs", &["-w".as_ref(), "-R".as_ref(), request.as_ref(), image.as_os_str()]);
    let made = run("mkfs.ext4", &["-q".as_ref(), "-O".as_ref(), "^metadata_csum".as_ref(), image.as_os_str()])
        && debugfs("symlink /empty nothing")
        && debugfs("symlink /fine empty")
        && debugfs("set_inode_field /empty size 0");
    let mounted = || run("mount", &["-o".as_ref(), "loop".as_ref(), image.as_os_str(), tree.base.as_os_str()]);
    if !made || !mounted() {
        return skipped(TEST, "an ext4 image cannot be made and mounted");
    }
    let scanned: Vec<_> =
        backends(&tree.root()).into_iter().map(|(_, root)| scan(&root, ".", ScanOptions::default())).collect();
    assert!(run("umount", &[tree.base.as_os_str()]));
    for scanned in scanned {
        let empty = &scanned.findings[Path::new("empty")];
        assert_eq!(empty.status, Status::Corrupt);
        // Some kernels hand the empty text out, others refuse to read it.
        assert!(empty.target.as_deref().is_none_or(std::ffi::OsStr::is_empty));
        let leads_there = &scanned.findings[Path::new("fine")];
        assert!(matches!(leads_there.status, Status::Dangling | Status::Denied), "{leads_there:?}");
        assert_eq!(scanned.errors.len(), usize::from(leads_there.status == Status::Denied));
    }
}
