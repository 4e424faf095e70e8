//! Which links a scan comes by, in which order, and what it leaves alone.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use caplink::{Kind, Policy, ScanOptions, Status, Trait};

use crate::tree::{Tree, backends, scan, skipped, ways};

/// Says to a test that it is run anew as another user.
const SOMEBODY: &str = "CAPLINK_TEST_SOMEBODY";

/// Whether the test is to go on: it runs itself anew as `nobody` where it is run by root.
pub(crate) fn as_somebody(test: &str) -> bool {
    if std::env::var_os(SOMEBODY).is_some() || !is_root() {
        return true;
    }
    // The program lies where others may not go.
    let place = super::support::cap_ground::temp_dir();
    let path = {
        use std::os::fd::{AsFd as _, AsRawFd as _};
        std::fs::read_link(format!("/proc/self/fd/{}", place.as_fd().as_raw_fd())).unwrap()
    };
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = path.join("test");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let run = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"])
        .arg(&program)
        .args(["--exact", test, "--nocapture"])
        .env(SOMEBODY, "1")
        .env("TMPDIR", "/tmp")
        .output();
    match run {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && said.contains("1 passed"), "{said}");
        }
        Err(error) => skipped(test, &format!("`setpriv` cannot be run: {error}")),
    }
    false
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

fn planted() -> Tree {
    let tree = Tree::new();
    tree.dir("a/b/c").dir("a-b").dir("z").file("f");
    for link in ["l", "a/l", "a/b/l", "a/b/c/l", "a-b/l", "z/l", "a/b0"] {
        tree.link(link, "gone");
    }
    tree
}

fn links(scanned: &crate::tree::Scanned) -> Vec<&str> {
    scanned.findings.keys().map(|path| path.to_str().unwrap()).collect()
}

#[test]
fn a_scan_goes_below_the_directory_it_was_given() {
    let tree = planted();
    for (_, root) in backends(&tree.root()) {
        for options in ways() {
            assert_eq!(links(&scan(&root, "a/b/", options.clone())), ["a/b/c/l", "a/b/l"]);
            assert_eq!(scan(&root, ".", options).findings.len(), 7);
        }
    }
}

#[test]
fn entries_and_directories_are_counted() {
    let tree = planted();
    for options in ways() {
        let summary = scan(&tree.root(), ".", options).summary;
        assert_eq!((summary.entries, summary.links, summary.dirs, summary.dirs_unread), (13, 7, 6, 0));
    }
}

#[test]
fn a_depth_is_counted_from_the_directory_that_is_scanned() {
    let tree = planted();
    for options in ways() {
        let at = |depth| links(&scan(&tree.root(), "a", options.clone().max_depth(depth))).len();
        assert_eq!([at(0), at(1), at(2), at(3), at(9)], [0, 2, 3, 4, 4]);
        let cut = scan(&tree.root(), "a", options.clone().max_depth(1));
        assert!(cut.summary.complete, "what was not asked for is not missing");
    }
}

#[test]
fn what_is_excluded_is_neither_seen_nor_entered() {
    let tree = planted();
    for options in ways() {
        let options = options.exclude(|path| path == Path::new("a/b") || path.ends_with("z"));
        let scanned = scan(&tree.root(), ".", options);
        assert_eq!(links(&scanned), ["a/b0", "a/l", "a-b/l", "l"]);
        assert_eq!((scanned.summary.entries, scanned.summary.complete), (7, true));
    }
}

#[test]
fn a_sorted_scan_is_in_the_order_of_paths() {
    let tree = planted();
    let scanned = scan(&tree.root(), ".", ScanOptions::default().sorted(true).jobs(4));
    let sorted: Vec<PathBuf> = scanned.findings.keys().cloned().collect();
    assert_eq!(scanned.order, sorted);
}

#[test]
fn one_thread_finds_the_same_order_again() {
    let tree = planted();
    let order = || scan(&tree.root(), ".", ScanOptions::default().jobs(1)).order;
    assert_eq!(order(), order());
}

#[test]
fn a_directory_to_scan_that_is_none_is_refused_by_its_reason() {
    let tree = planted();
    tree.link("d", "a").link("d_out", "../canary").link("d_abs", &tree.canary);
    for (backend, root) in backends(&tree.root()) {
        let kind = |dir: &str| root.scan(dir, ScanOptions::default()).unwrap_err().kind();
        for (dir, expected) in [
            ("gone", Kind::NotFound),
            ("gone/x", Kind::NotFound),
            ("f", Kind::NotFound),
            ("f/", Kind::NotFound),
            ("l", Kind::SymlinkInPath),
            ("d", Kind::SymlinkInPath),
            ("d/", Kind::SymlinkInPath),
            ("d/.", Kind::SymlinkInPath),
            ("d/b", Kind::SymlinkInPath),
            ("d_out", Kind::SymlinkInPath),
            ("d_out//", Kind::SymlinkInPath),
            ("d_abs/", Kind::SymlinkInPath),
            ("../", Kind::Escape),
            ("..", Kind::Escape),
            ("a/../..", Kind::Escape),
            ("a/..", Kind::InvalidPath),
            ("/", Kind::Escape),
            ("", Kind::InvalidPath),
        ] {
            assert_eq!(kind(dir), expected, "{backend}: {dir:?}");
        }
        let error = root.scan("d_out/x", ScanOptions::default()).unwrap_err();
        let at = error.component().unwrap();
        assert_eq!((at.name.to_str(), at.index, error.operation()), (Some("d_out"), 0, "scan"), "{backend}");
    }
    let following = tree.root_with(Policy::default().follow(true));
    for (backend, root) in backends(&following) {
        let scanned = scan(&root, "d/b", ScanOptions::default());
        assert_eq!(links(&scanned), ["a/b/c/l", "a/b/l"], "{backend}");
        for dir in ["d_out", "d_abs/"] {
            assert_eq!(root.scan(dir, ScanOptions::default()).unwrap_err().kind(), Kind::Escape, "{backend}: {dir}");
        }
    }
}

#[test]
fn a_root_that_is_gone_is_said_to_be_gone() {
    let tree = planted();
    let root = tree.root_with(Policy::default());
    std::fs::remove_dir_all(&tree.base).unwrap();
    assert_eq!(root.scan(".", ScanOptions::default()).unwrap_err().kind(), Kind::RootGone);
    assert_eq!(root.scan("a", ScanOptions::default()).unwrap_err().kind(), Kind::RootGone);
}

#[test]
fn links_outside_are_never_scanned_and_specials_never_opened() {
    let tree = planted();
    let fifo = tree.base.join("a/fifo");
    let made = Command::new("mkfifo").arg(&fifo).status();
    if !made.is_ok_and(|status| status.success()) {
        return skipped("links_outside_are_never_scanned_and_specials_never_opened", "`mkfifo` cannot be run");
    }
    tree.link("to_fifo", "a/fifo").link("to_canary", "../canary").link("in_canary", "../canary/secret-link");
    tree.link("to_fifo_as_dir", "a/fifo/");
    for (backend, root) in backends(&tree.root()) {
        for options in ways() {
            let scanned = scan(&root, ".", options);
            let of = |link: &str| scanned.findings[Path::new(link)].status;
            assert_eq!((of("to_fifo"), of("to_fifo_as_dir")), (Status::Ok, Status::Dangling), "{backend}");
            assert_eq!((of("to_canary"), of("in_canary")), (Status::Escape, Status::Escape), "{backend}");
            assert!(!scanned.findings.keys().any(|path| path.ends_with("secret-link")), "{backend}");
        }
    }
}

#[test]
fn hostile_names_come_back_byte_for_byte() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let tree = Tree::new();
    let names: [&[u8]; 7] = [b"\xff\xfe", b"new\nline", b"esc\x1b[2J", b"\"'`$(x)", b"-rf", b" ", &[b'x'; 255]];
    for name in names {
        let dir = tree.base.join(OsStr::from_bytes(name));
        std::fs::create_dir(&dir).unwrap();
        std::os::unix::fs::symlink(OsStr::from_bytes(name), dir.join(OsStr::from_bytes(name))).unwrap();
    }
    for options in ways() {
        let scanned = scan(&tree.root(), ".", options);
        for name in names {
            let name = OsStr::from_bytes(name);
            let finding = &scanned.findings[&Path::new(name).join(name)];
            assert_eq!(finding.target.as_deref(), Some(name));
        }
    }
}

#[test]
fn a_mount_point_is_entered_only_if_that_was_asked_for() {
    const TEST: &str = "walk::a_mount_point_is_entered_only_if_that_was_asked_for";
    if !in_own_mounts(TEST) {
        return;
    }
    let tree = planted();
    let mount = |options: &[&str], from: &Path, to: &Path| {
        let status = Command::new("mount").args(options).arg(from).arg(to).status().unwrap();
        assert!(status.success(), "{from:?} on {to:?}");
    };
    tree.dir("bound").dir("fresh").file("to_file").link("into", "fresh/f").link("into_bound", "bound/secret");
    tree.link("to_fresh", "fresh").link("to_bound", "bound");
    mount(&["--bind"], &tree.canary, &tree.base.join("bound"));
    mount(&["-t", "tmpfs"], Path::new("none"), &tree.base.join("fresh"));
    std::fs::write(tree.base.join("fresh/f"), "").unwrap();
    std::os::unix::fs::symlink("f", tree.base.join("fresh/inside")).unwrap();
    std::os::unix::fs::symlink("../f", tree.base.join("fresh/back")).unwrap();
    for (backend, root) in backends(&tree.root()) {
        for options in ways() {
            let scanned = scan(&root, ".", options);
            assert_eq!((scanned.findings.len(), scanned.summary.mounts), (11, 2), "{backend}: {scanned:?}");
            assert!(scanned.summary.complete, "{backend}: what was not asked for is not missing");
            for (link, elsewhere) in [("into", true), ("to_fresh", true), ("into_bound", false), ("to_bound", false)] {
                let finding = &scanned.findings[Path::new(link)];
                let said = (finding.status, finding.traits.contains(Trait::OtherFs));
                assert_eq!(said, (Status::Ok, elsewhere), "{backend}: {link}");
            }
        }
        let error = root.scan("bound", ScanOptions::default()).unwrap_err();
        assert_eq!(error.kind(), Kind::CrossMount, "{backend}");
    }
    for (backend, root) in backends(&tree.root_with(Policy::default().cross_mounts(true))) {
        for options in ways() {
            let scanned = scan(&root, ".", options);
            assert_eq!((scanned.findings.len(), scanned.summary.mounts), (14, 0), "{backend}: {scanned:?}");
            let of = |link: &str| scanned.findings[Path::new(link)].traits.contains(Trait::OtherFs);
            assert_eq!((of("fresh/inside"), of("fresh/back"), of("into")), (false, true, true), "{backend}");
        }
    }
    // A directory that is mounted below itself has no end.
    tree.dir("a/b/c/again");
    mount(&["--bind"], &tree.base.join("a"), &tree.base.join("a/b/c/again"));
    for (backend, root) in backends(&tree.root_with(Policy::default().cross_mounts(true))) {
        let scanned = scan(&root, "a", ScanOptions::default());
        assert_eq!((scanned.findings.len(), scanned.summary.complete), (4, true), "{backend}: {scanned:?}");
    }
    // What is busy is not removed.
    for mounted in ["a/b/c/again", "fresh", "bound"] {
        assert!(Command::new("umount").arg(tree.base.join(mounted)).status().unwrap().success(), "{mounted}");
    }
}

/// Whether the test is to go on: it runs itself anew with mounts of its own.
fn in_own_mounts(test: &str) -> bool {
    const INSIDE: &str = "CAPLINK_TEST_MOUNTS";
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let command = |program: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation=private", program]);
        command
    };
    if !is_root() || !command("true").status().is_ok_and(|status| status.success()) {
        skipped(test, "mounts need root");
        return false;
    }
    let program = std::env::current_exe().unwrap();
    let run = command(program.to_str().unwrap()).args(["--exact", test, "--nocapture"]).env(INSIDE, "1").output();
    let output = run.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    false
}
