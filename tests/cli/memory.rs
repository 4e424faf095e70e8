//! Memory by the will of whoever owns the tree: each verb and format under a limit, on trees that are as deep as a scan
//! goes, with much to say of each.

use std::fs::File;
use std::io::BufRead as _;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags, mkdirat, openat, symlinkat};

use crate::support::caplink;

/// The address space of the program, in KiB.
const LIMIT: u32 = 128 << 10;

/// The inodes of the largest tree: three quarters of them beside each other where the paths are longest.
const INODES: usize = 10_000;

/// The longest path of a directory that a scan enters, in bytes.
const DEEPEST: usize = 640 << 10;

struct Tree(Option<tempfile::TempDir>);

impl Tree {
    fn new() -> Tree {
        Tree(Some(tempfile::TempDir::new_in("/dev/shm").or_else(|_| tempfile::TempDir::new()).unwrap()))
    }

    fn path(&self) -> &Path {
        self.0.as_ref().unwrap().path()
    }

    /// A directory with a path of about so many bytes.
    fn deep(&self, bytes: usize) -> OwnedFd {
        let mut dir = OwnedFd::from(File::open(self.path()).unwrap());
        let long = "d".repeat(255);
        for _ in 0..levels(bytes) {
            dir = below(&dir, &long);
        }
        dir
    }

    /// Runs under the limit and returns the exit code and how much was printed.
    fn run(&self, line: &str) -> (Option<i32>, u64) {
        let script = format!("ulimit -v {LIMIT} && exec \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh"]).arg(caplink().get_program()).arg("-C").arg(self.path());
        command.args(line.split_whitespace()).env_remove("CAPLINK_ROOT").env_remove("CAPLINK_STATE");
        // Each thread would take 128 MiB of address space for its own, used or not.
        command.env("MALLOC_ARENA_MAX", "1");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let printed = std::io::copy(&mut child.stdout.take().unwrap(), &mut std::io::sink()).unwrap();
        (child.wait().unwrap().code(), printed)
    }
}

/// How many directories make a path of about so many bytes.
fn levels(bytes: usize) -> usize {
    bytes / 256
}

fn below(dir: &OwnedFd, name: &str) -> OwnedFd {
    mkdirat(dir, name, Mode::RWXU).unwrap();
    openat(dir, name, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap()
}

impl Drop for Tree {
    fn drop(&mut self) {
        // The standard library takes a descriptor for each level.
        let path = self.0.take().unwrap().keep();
        assert!(Command::new("rm").arg("-rf").arg(path).status().unwrap().success());
    }
}

#[test]
fn errors_about_long_paths_fit_however_many_they_are() {
    let tree = Tree::new();
    let deep = tree.deep(DEEPEST);
    for number in 0..INODES - levels(DEEPEST) {
        mkdirat(&deep, format!("{number:08}{}", "x".repeat(247)), Mode::RWXU).unwrap();
    }
    for line in ["--json scan", "scan --format html", "scan -j 4"] {
        assert_eq!(tree.run(line).0, Some(2), "{line}: too long");
    }
    assert_eq!(tree.run("--json repair --tidy").0, Some(2));
}

#[test]
fn links_with_long_paths_are_repaired_however_many_they_are() {
    let tree = Tree::new();
    // Few: what is printed is as long as all paths together.
    let deep = tree.deep(DEEPEST - 512);
    let number_of = 50;
    for number in 0..number_of {
        symlinkat(".//gone", &deep, format!("l{number}")).unwrap();
    }
    let all = number_of * (DEEPEST as u64 - 1024);
    for line in ["scan --format ndjson", "-n repair --tidy"] {
        let (code, printed) = tree.run(line);
        assert!(code == Some(0) && printed > all, "{line}: {code:?}, {printed}");
    }
    let (code, printed) = tree.run("--json repair --tidy");
    assert!(code == Some(0) && printed > all, "{code:?}, {printed}");
    assert_eq!(tree.run("repair --tidy"), (Some(0), 0), "they are repaired");
}

#[test]
fn names_that_look_staged_are_not_held() {
    let tree = Tree::new();
    let deep = tree.deep(DEEPEST - 512);
    for number in 0..1000 {
        mkdirat(&deep, format!(".caplink-{number:032x}"), Mode::RWXU).unwrap();
        symlinkat("x", &deep, format!(".caplink-{number:x}")).unwrap();
    }
    assert_eq!(tree.run("repair --tidy").0, Some(0));
}

#[test]
fn long_ways_are_straightened_only_where_a_link_can_say_so() {
    let tree = Tree::new();
    let top = OwnedFd::from(File::open(tree.path()).unwrap());
    let (mut dir, long) = (top.try_clone().unwrap(), "d".repeat(255));
    let on = format!("{}/n", vec![long.as_str(); 15].join("/"));
    for _ in 0..38 {
        symlinkat(&on, &dir, "n").unwrap();
        for _ in 0..15 {
            dir = below(&dir, &long);
        }
    }
    below(&dir, "n");
    let links: Vec<String> = (0..400).map(|number| format!("x{number}")).collect();
    for link in &links {
        symlinkat("n", &top, link).unwrap();
    }
    assert_eq!(tree.run("-n repair --shorten-chains --tidy").0, Some(0), "no link could store it");
    assert_eq!(tree.run(&format!("--json inspect {}", links.join(" "))).0, Some(0));
    assert_eq!(tree.run("--json resolve --explain x0").0, Some(0));
}

#[test]
fn a_repair_of_many_links_holds_some_of_them_at_a_time() {
    const LINKS: usize = 30_000;
    let tree = Tree::new();
    let root = OwnedFd::from(File::open(tree.path()).unwrap());
    mkdirat(&root, "there", Mode::RWXU).unwrap();
    let dirs: Vec<OwnedFd> = (0..30).map(|number| below(&root, &format!("dir-{number:02}"))).collect();
    for number in 0..LINKS {
        symlinkat("..//there", &dirs[number % dirs.len()], format!("link-{number:05}")).unwrap();
    }
    let mut repair = caplink();
    repair.arg("-C").arg(tree.path()).args(["-n", "repair", "--tidy"]);
    let mut child = repair.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let status = format!("/proc/{}/status", child.id());
    let mut samples = Vec::new();
    for line in 1..=LINKS {
        assert!(out.next().unwrap().unwrap().contains("there"), "line {line}");
        if line % 3000 == 1 {
            let status = std::fs::read_to_string(&status).unwrap();
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
            samples.push(peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap());
        }
    }
    assert!(child.wait().unwrap().success());
    // The first lines come with a part of the links seen, and what comes after them takes no more.
    let (first, last) = (samples[0], *samples.last().unwrap());
    assert!(last - first < LINKS as u64 * 100 / 1024, "{samples:?} KiB");
}
