//! Lookups answer the same whether the kernel confines them or a walk component by component does.
#![cfg(target_os = "linux")]

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use cap_tempfile::TempDir;
use caplink::{Abilities, Finding, Kind, Policy, Root, ScanOptions, Status, Target};

#[path = "support"]
mod support {
    pub(crate) mod cap_ground;
    pub(crate) mod umask;
}

use support::cap_ground::temp_dir;

/// Says to the test, run anew by itself, that the surroundings it asked for are there.
const INSIDE: &str = "CAPLINK_TEST_INSIDE";

fn tree() -> TempDir {
    let dir = temp_dir();
    dir.create_dir_all("a/b/c").unwrap();
    dir.write("a/file", "content").unwrap();
    for (text, link) in [
        ("a/b", "dir"),
        ("a/file", "to_file"),
        ("gone", "dangling"),
        ("loop", "loop"),
        ("../..", "a/up"),
        ("dir/c", "chain"),
        ("dir/", "slash"),
        ("to_file/", "file_slash"),
        ("dir/../file", "back"),
    ] {
        dir.symlink(text, link).unwrap();
    }
    dir.symlink_contents("/etc", "outside").unwrap();
    dir
}

fn strong(dir: &TempDir) -> Root {
    Root::from_dir(dir.try_clone().unwrap(), Policy::default()).unwrap()
}

fn weak(root: &Root) -> Root {
    root.with_abilities(Abilities { confined_open: false, ..Abilities::ALL })
}

/// What each way of looking a path up says, without what differs from run to run.
fn answers(root: &Root, path: &OsStr) -> Vec<String> {
    let told = |error: caplink::Error| {
        let at = error.component().map(|at| (at.name.clone(), at.index));
        format!("{:?} at {at:?} via {:?}", error.kind(), error.via_text())
    };
    vec![
        root.entry(path).map_or_else(told, |entry| format!("{:?}", entry.read().map_err(|error| error.kind()))),
        root.inspect(path).map_or_else(told, |seen| format!("{seen:?}")),
        root.resolve(path).map_or_else(told, |resolved| format!("{resolved:?}")),
        root.subroot(path).map_or_else(told, |root| format!("{:?}", root.id())),
        root.remove(path).map_or_else(told, |outcome| format!("{outcome:?}")),
    ]
}

fn assert_same(dir: &TempDir, paths: &[&str]) {
    for policy in [Policy::default(), Policy::default().follow(true), Policy::default().cross_mounts(true)] {
        // A root that changes nothing: only lookups and refusals are compared.
        let root = strong(dir).narrow(policy.remove(false));
        for path in paths.iter().map(OsStr::new) {
            assert_eq!(answers(&root, path), answers(&weak(&root), path), "{path:?} with {policy:?}");
        }
    }
}

/// Runs this test again by a command that makes the surroundings; says so aloud where it cannot.
fn again_by(test: &str, command: &[&str]) {
    let exe = std::env::current_exe().unwrap();
    let run = Command::new(command[0])
        .args(&command[1..])
        .arg(exe)
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, test)
        .env("TMPDIR", std::env::temp_dir())
        .output();
    let output = match run {
        Ok(output) => output,
        Err(error) => return skipped(&format!("{test}: `{}` cannot be run: {error}", command[0])),
    };
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !out.contains("running 1 test") {
        return skipped(&format!("{test}: `{}` did not start it: {}", command.join(" "), err.trim()));
    }
    assert!(output.status.success(), "{out}{err}");
    err.lines().filter_map(|line| line.strip_prefix("SKIPPED: ")).for_each(skipped);
}

/// Says so past the capture of the test harness.
fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

fn inside(test: &str) -> bool {
    std::env::var_os(INSIDE).is_some_and(|inside| inside == test)
}

#[test]
fn links_and_files_on_the_way_answer_the_same_without_openat2() {
    let dir = tree();
    let long = "x".repeat(255);
    assert_same(
        &dir,
        &[
            "a",
            "a/b",
            "a/b/c",
            "a/file",
            "a/file/x",
            "a/gone",
            "a/gone/x",
            "dir",
            "dir/c",
            "dir/c/x",
            "to_file",
            "to_file/x",
            "dangling",
            "dangling/x",
            "loop",
            "loop/x",
            "a/up",
            "a/up/a",
            "chain",
            "chain/x",
            "slash",
            "file_slash",
            "back",
            "outside",
            "outside/x",
            &long,
        ],
    );
    let root = weak(&strong(&dir));
    assert_eq!(root.entry("dir/x").unwrap_err().kind(), Kind::SymlinkInPath);
    assert_eq!(root.resolve("slash").unwrap().path, Path::new("a/b"));
    assert_eq!(root.resolve("back").unwrap().path, Path::new("a/file"));
    assert_eq!(root.resolve("file_slash").unwrap_err().kind(), Kind::NotFound);
    let _ = root.create("a/l", Target::verbatim("../slash/")).unwrap();
    assert_eq!(root.resolve("a/l").unwrap().path, Path::new("a/b"));
}

#[test]
fn mounts_are_crossed_the_same_without_openat2() {
    const TEST: &str = "mounts_are_crossed_the_same_without_openat2";
    if !inside(TEST) {
        return again_by(TEST, &["unshare", "--mount", "--map-root-user"]);
    }
    let dir = tree();
    let path = cap_std::fs::Dir::reopen_dir(&*dir).unwrap();
    let at = |name: &str| format!("/proc/{}/fd/{}/{name}", std::process::id(), std::os::fd::AsRawFd::as_raw_fd(&path));
    dir.create_dir("bound").unwrap();
    dir.create_dir("other").unwrap();
    dir.write("bound_file", "").unwrap();
    let mounts =
        [vec!["--bind", "a", "bound"], vec!["--bind", "a/file", "bound_file"], vec!["-t", "tmpfs", "none", "other"]];
    for mut mount in mounts {
        let place = at(mount.pop().unwrap());
        let source = mount.pop().unwrap();
        let source = if source == "none" { source.to_owned() } else { at(source) };
        let status = Command::new("mount").args(mount).args([source, place]).status().unwrap();
        if !status.success() {
            return skipped(&format!("{TEST}: mounting is not allowed here"));
        }
    }
    let names = ["bound", "bound_file", "other"];
    dir.symlink("bound/b", "into").unwrap();
    assert_same(&dir, &["bound", "bound/b", "bound/b/x", "bound_file", "bound_file/x", "other", "other/x", "into"]);
    let root = weak(&strong(&dir));
    for path in ["bound/x", "bound/b/x", "bound_file/x", "other/x"] {
        assert_eq!(root.entry(path).unwrap_err().kind(), Kind::CrossMount, "{path}");
    }
    root.entry("a/x").unwrap();
    weak(&Root::from_dir(dir.try_clone().unwrap(), Policy::default().cross_mounts(true)).unwrap())
        .entry("bound/x")
        .unwrap();
    for name in names {
        assert!(Command::new("umount").arg(at(name)).status().unwrap().success());
    }
}

#[test]
fn permissions_weigh_the_same_without_openat2() {
    const TEST: &str = "permissions_weigh_the_same_without_openat2";
    use cap_std::fs::PermissionsExt as _;
    let is_root = tree().dir_metadata().map(|of| cap_std::fs::MetadataExt::uid(&of)).unwrap() == 0;
    if is_root && !inside(TEST) {
        return again_by(TEST, &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
    }
    let dir = tree();
    let modes = [("search", 0o111), ("read", 0o444), ("none", 0o000)];
    for (name, mode) in modes {
        dir.create_dir_all(format!("{name}/below/deep")).unwrap();
        dir.symlink("below", format!("{name}/l")).unwrap();
        dir.set_permissions(name, cap_std::fs::Permissions::from_mode(mode)).unwrap();
    }
    assert_same(&dir, &["search/below", "search/l", "search/below/deep/x", "search/gone", "read", "none", "none/l/x"]);
    assert_same(&dir, &["read/below", "read/l", "read/gone", "none/below", "none/l", "none/gone/x"]);
    let root = weak(&strong(&dir));
    assert_eq!(root.resolve("search/l").unwrap().path, Path::new("search/below"));
    assert_eq!(root.entry("none/below/x").unwrap_err().kind(), Kind::Permission);
    let outcome = root.create("search/below/new", Target::relative("a")).unwrap();
    assert!(outcome.verified);
    for (name, _) in modes {
        dir.set_permissions(name, cap_std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn a_directory_that_may_not_be_searched_is_not_walked_through_and_back() {
    const TEST: &str = "a_directory_that_may_not_be_searched_is_not_walked_through_and_back";
    use cap_std::fs::PermissionsExt as _;
    let is_root = tree().dir_metadata().map(|of| cap_std::fs::MetadataExt::uid(&of)).unwrap() == 0;
    if is_root && !inside(TEST) {
        return again_by(TEST, &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
    }
    let dir = tree();
    dir.create_dir("shut").unwrap();
    dir.symlink("shut", "in").unwrap();
    let texts = ["shut/../a", "shut/..", "shut/.", "in/../a", "./shut/./../a", "a/../shut/../a", "in/."];
    for (number, text) in texts.iter().enumerate() {
        dir.symlink(text, format!("l{number}")).unwrap();
    }
    for (number, text) in ["shut", "shut/", "in", "in/", "a/../shut"].iter().enumerate() {
        dir.symlink(text, format!("fine{number}")).unwrap();
    }
    dir.set_permissions("shut", cap_std::fs::Permissions::from_mode(0o600)).unwrap();
    for root in [strong(&dir), weak(&strong(&dir))] {
        for (number, text) in texts.iter().enumerate() {
            let link = format!("l{number}");
            assert_eq!(dir.metadata(&link).unwrap_err().kind(), std::io::ErrorKind::PermissionDenied, "{link}");
            assert_eq!(root.inspect(&link).unwrap().link.unwrap().status, Status::Denied, "{text}");
            assert_eq!(root.resolve(&link).unwrap_err().kind(), Kind::Permission, "{text}");
        }
        let scanned = root.scan(".", ScanOptions::default()).unwrap().filter_map(Result::ok);
        let by_status = |found: Finding| (found.link.display().to_string(), found.status);
        let scanned: std::collections::BTreeMap<_, _> = scanned.map(by_status).collect();
        for (link, status) in scanned {
            if link.starts_with('l') && link != "loop" {
                assert_eq!(status, Status::Denied, "{link}");
            } else if link.starts_with("fine") {
                assert_eq!(status, Status::Ok, "{link}");
            }
        }
    }
    dir.set_permissions("shut", cap_std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn depth_costs_no_descriptors_without_openat2() {
    const TEST: &str = "depth_costs_no_descriptors_without_openat2";
    const DEPTH: usize = 2000;
    if !inside(TEST) {
        return again_by(TEST, &["sh", "-c", "ulimit -n 64; exec \"$0\" \"$@\""]);
    }
    let dir = temp_dir();
    let mut at = dir.try_clone().unwrap();
    for _ in 0..DEPTH {
        at.create_dir("deep").unwrap();
        at = at.open_dir("deep").unwrap();
    }
    let path = "deep/".repeat(DEPTH);
    for root in [strong(&dir), weak(&strong(&dir))] {
        let outcome = root.create(format!("{path}l"), Target::verbatim(".")).unwrap();
        assert!(outcome.verified);
        assert_eq!(root.resolve(format!("{path}l")).unwrap().path, Path::new(&path));
        let _ = root.remove(format!("{path}l")).unwrap();
    }
    drop(at);
    // From the top down: removing recursively would hold a descriptor for each level.
    while let Ok(top) = dir.open_dir("deep") {
        let below = top.rename("deep", &dir, "next");
        drop(top);
        dir.remove_dir("deep").unwrap();
        if below.is_ok() {
            dir.rename("next", &dir, "deep").unwrap();
        }
    }
}

/// The kernel is asked for it; where `/proc` does not tell, the path is looked up again.
#[test]
fn the_physical_path_is_the_same_however_it_is_found() {
    let base = tempfile::tempdir().unwrap();
    let physical = base.path().canonicalize().unwrap().join("root");
    std::fs::create_dir(&physical).unwrap();
    std::os::unix::fs::symlink("root", base.path().join("alias")).unwrap();
    let alias = base.path().join("alias/../alias/.");
    let found = move || {
        let root = Root::open_ambient(&alias, Policy::default(), cap_std::ambient_authority()).unwrap();
        root.physical_path().map(Path::to_path_buf)
    };
    assert_eq!(found().as_deref(), Some(&*physical));
    let without_proc = std::thread::spawn(move || {
        let filter = seccompiler::SeccompFilter::new(
            [(libc::SYS_readlinkat, Vec::new())].into(),
            seccompiler::SeccompAction::Allow,
            seccompiler::SeccompAction::Errno(libc::ENOENT as u32),
            std::env::consts::ARCH.try_into().unwrap(),
        );
        let program: seccompiler::BpfProgram = filter.unwrap().try_into().unwrap();
        seccompiler::apply_filter(&program).unwrap();
        std::fs::read_link("/proc/self/fd/0").is_ok().then(found)
    });
    match without_proc.join().unwrap() {
        Some(found) => assert_eq!(found.as_deref(), Some(&*physical)),
        // The C library looks paths up by the same call.
        None => skipped("the_physical_path_is_the_same_however_it_is_found, without /proc"),
    }
}
