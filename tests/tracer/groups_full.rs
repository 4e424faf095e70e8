//! A group on a file system on which no inode is left once its first part is to be published: it is taken back all the same.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::skipped;
use crate::support::ground::temp_dir;
use crate::tracee::{Call, Memory, Verdict, Watch, trace};

/// A small tmpfs, until this is dropped.
struct Small(TempDir);

impl Small {
    fn new() -> Option<Small> {
        let dir = temp_dir();
        let options = ["-t", "tmpfs", "-o", "size=2m,nr_inodes=64", "none"];
        let mounted = Command::new("mount").args(options).arg(dir.path()).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Small(dir));
        }
        let _ = writeln!(std::io::stderr(), "SKIPPED: no inode left: a small tmpfs cannot be mounted");
        None
    }

    fn command(&self, words: &[&str]) -> Vec<OsString> {
        let fixed = [env!("CARGO_BIN_EXE_caplink"), "--json", "--confine", "off", "-C"].map(OsString::from);
        fixed.into_iter().chain([self.0.path().into()]).chain(words.iter().map(OsString::from)).collect()
    }

    fn run(&self, words: &[&str]) -> (Option<i32>, Value) {
        let command = self.command(words);
        let output = Command::new(&command[0]).args(&command[1..]).output().expect("the program runs");
        (output.status.code(), serde_json::from_slice(&output.stdout).expect("a document"))
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// Takes every inode before the first renaming, and then meets the renaming of this number.
struct Full<'a> {
    root: &'a Path,
    renamings: usize,
    meets: usize,
    /// Whether the program is killed there; else a link that is still to be published is changed.
    kills: bool,
}

impl Watch for Full<'_> {
    fn before(&mut self, call: &Call, memory: &Memory) -> Verdict {
        // What the host can do is probed by such a call as well.
        let is_about = |argument: usize| ["a", "new", "b", "c"].contains(&&*memory.text(call.args[argument]));
        if call.number != libc::SYS_renameat2 || !(is_about(1) || is_about(3)) {
            return Verdict::Go;
        }
        self.renamings += 1;
        if self.renamings == 1 {
            let taken =
                (0..).map(|number| fs::write(self.root.join(format!("full-{number}")), "")).take_while(Result::is_ok);
            assert!(taken.count() > 0);
            assert!(symlink("x", self.root.join("one-more")).is_err(), "no inode is left");
        }
        if self.renamings == self.meets {
            if self.kills {
                return Verdict::Kill;
            }
            fs::rename(self.root.join("theirs"), self.root.join("c")).expect("it is renamed");
        }
        Verdict::Go
    }

    fn after(&mut self, _call: &Call, _result: i64) {}
}

#[test]
fn a_group_is_taken_back_where_no_inode_is_left() {
    if skipped("a group with no inode left") {
        return;
    }
    for kills in [false, true] {
        let Some(small) = Small::new() else { return };
        for dir in ["v1", "v2"] {
            fs::create_dir(small.at(dir)).expect("a directory");
        }
        for link in ["a", "b", "c"] {
            symlink("v1", small.at(link)).expect("a link");
        }
        symlink("theirs", small.at("theirs")).expect("a link");
        assert_eq!(small.run(&["records", "init"]).0, Some(0));
        let lines = ["a", "new/b", "b", "c"]
            .map(|link| format!("{{\"verb\":\"ensure\",\"link\":\"{link}\",\"to\":\"v2\",\"parents\":true}}\n"));
        fs::write(small.at("lines"), lines.concat()).expect("a file");
        let lines = small.at("lines");
        let command = small.command(&["batch", "--all-or-nothing", lines.to_str().expect("a path")]);
        let root = small.0.path().to_path_buf();
        let mut full = Full { root: &root, renamings: 0, meets: 4, kills };
        let end = trace(&command, &mut full).expect("it is traced");
        assert!(full.renamings >= 4, "{}: {}", full.renamings, end.stdout);
        if kills {
            assert_eq!(end.code, None);
            let text = |link: &str| fs::read_link(small.at(link)).expect("a link").display().to_string();
            assert_eq!((text("a").as_str(), text("c").as_str()), ("v2", "v1"), "it stopped in between");
            let (code, said) = small.run(&["recover"]);
            assert_eq!((code, &said["changed"]), (Some(0), &true.into()), "{said}");
        } else {
            assert_eq!(end.code, Some(3), "{}", end.stdout);
            assert!(end.stdout.contains("\"mismatch\""), "{}", end.stdout);
        }
        let text = |link: &str| fs::read_link(small.at(link)).expect("a link").display().to_string();
        let theirs = if kills { "v1" } else { "theirs" };
        assert_eq!(["a", "b", "c"].map(text), ["v1", "v1", theirs]);
        assert!(!small.at("new").exists(), "directories made for it go");
        let (_, shown) = small.run(&["records", "show"]);
        assert_eq!(shown["items"][0]["open_groups"], 0, "{shown}");
        assert_eq!(small.run(&["log", "verify"]).0, Some(0));
    }
}
