//! Manifests that are killed before any of their calls: `apply`, `unapply` and `adopt`. Once recovered all is old or all is new,
//! the records own what the tree has, and the same command again brings it there.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::draw::{Draw, is_asked_for};
use crate::groups::{LAST_CALLS, Tree, calls_of, kill, run, walk};
use crate::skipped;
use crate::support::ground::temp_dir;

/// Of how many schedules one is played, where nothing else is asked for.
const ONE_OF: u64 = 499;

const FIRST: &str = r#"
links = { "gone/below/link" = "a", moves = "a" }
"#;

const SECOND: &str = r#"
defaults.on_conflict = "backup"
links = { moves = "b", mine = "a", data = "tree", other = "a", found = "b" }
[[tree]]
from = "tree"
into = "made"
[[absent]]
at = "old"
"#;

/// A link that goes first makes room for a directory of links.
const ROOM: &str = r#"
links = { "way/new" = "a" }
[[absent]]
at = "way"
"#;

/// What is done, from which state.
struct Case {
    name: &'static str,
    /// The manifests that are applied before it.
    before: &'static [&'static str],
    /// The one that is there then.
    declared: &'static str,
    words: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case { name: "the first apply", before: &[], declared: SECOND, words: &["apply"] },
    Case { name: "another apply", before: &[FIRST], declared: SECOND, words: &["apply"] },
    Case { name: "unapply", before: &[FIRST, SECOND], declared: SECOND, words: &["unapply", "--name", "test"] },
    Case {
        name: "the first adopt",
        before: &[],
        declared: "",
        words: &["adopt", "mine", "data", "--into", "src/k", "-p"],
    },
    Case { name: "adopt", before: &[FIRST], declared: FIRST, words: &["adopt", "mine", "data", "--into", "src"] },
    Case { name: "room", before: &[], declared: ROOM, words: &["apply"] },
    Case { name: "room taken back", before: &[ROOM], declared: ROOM, words: &["unapply"] },
];

/// A root with sources, things in the way, and a manifest.
struct Place(TempDir);

/// What every entry below the root is, the records and times of change included.
type Stamps = BTreeMap<PathBuf, (u64, i64, i64, u64)>;

/// What a state comes to: the tree, what is planned, and what would be taken back of what the manifest owns.
#[derive(Debug, PartialEq)]
struct State {
    tree: Tree,
    plan: Value,
    owned: Value,
}

impl Place {
    fn new(case: &Case) -> Place {
        let place = Place(temp_dir());
        let root = place.root();
        for dir in ["src/tree/deep", "data/below"] {
            fs::create_dir_all(root.join(dir)).expect("a directory");
        }
        for file in ["src/a", "src/b", "src/tree/one", "src/tree/deep/two", "mine", "data/below/kept"] {
            fs::write(root.join(file), file).expect("a file");
        }
        for (link, text) in [("other", "elsewhere"), ("old", "src/a"), ("found", "src/b"), ("way", "src")] {
            symlink(text, root.join(link)).expect("a link");
        }
        for declared in case.before {
            place.declare(declared);
            let (code, said) = place.run(&["apply"]);
            assert_eq!(code, Some(0), "{said}");
        }
        place.declare(case.declared);
        place
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("root")
    }

    fn declare(&self, text: &str) {
        let head = "version = 1\nname = \"test\"\nsource = \"src\"\n";
        fs::write(self.root().join("caplink.toml"), format!("{head}{text}")).expect("a manifest");
    }

    fn command(&self, words: &[&str], confined: bool) -> Vec<OsString> {
        let confine = if confined { "auto" } else { "off" };
        let mut command: Vec<OsString> = vec![env!("CARGO_BIN_EXE_caplink").into(), "-C".into(), self.root().into()];
        command.extend(["--json", "--confine", confine].iter().chain(words).map(OsString::from));
        command
    }

    fn run(&self, words: &[&str]) -> (Option<i32>, Value) {
        run(&self.command(words, true))
    }

    fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        walk(&self.root(), Path::new(""), &mut tree);
        tree
    }

    fn state(&self) -> State {
        let items = |words: &[&str]| {
            let (code, said) = self.run(words);
            let has_none = said["errors"][0]["kind"] == "no_records";
            assert!(code == Some(0) || has_none, "{words:?}: {said}");
            said["items"].clone()
        };
        State { tree: self.tree(), plan: items(&["plan"]), owned: items(&["-n", "unapply", "--name", "test"]) }
    }

    fn stamps(&self) -> Stamps {
        let mut stamps = Stamps::new();
        stamp(&self.root(), &mut stamps);
        stamps
    }

    /// Recovers, and judges what is there then. Returns whether it is new.
    fn judge(&self, (old, new): &(State, State), what: &str) -> bool {
        let before = self.stamps();
        let (dry_code, dry) = self.run(&["recover", "--dry-run"]);
        assert_eq!(self.stamps(), before, "{what}: a dry run");
        let (code, said) = self.run(&["recover"]);
        assert_eq!((code, &said["errors"]), (Some(0), &Value::Array(vec![])), "{what}: {said}");
        assert_eq!((dry_code, &dry["items"]), (code, &said["items"]), "{what}: law 8");
        let settled = self.stamps();
        let (code, again) = self.run(&["recover"]);
        assert_eq!(
            (code, &again["changed"], &again["items"]),
            (Some(0), &false.into(), &Value::Array(vec![])),
            "{what}"
        );
        assert_eq!(self.stamps(), settled, "{what}: the second recovery writes nothing");
        let state = self.state();
        assert!(state == *old || state == *new, "{what}: law 12: neither all old nor all new: {state:#?}\n{said}");
        for words in [["records", "show"], ["log", "verify"]] {
            let (code, said) = self.run(&words);
            let has_none = said["errors"][0]["kind"] == "no_records" && state == *old;
            let is_settled = words[0] == "log" || said["items"][0]["open_groups"] == 0;
            assert!(has_none || (code == Some(0) && is_settled), "{what}: {said}");
        }
        state == *new
    }
}

/// What is there below a directory.
fn stamp(dir: &Path, stamps: &mut Stamps) {
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        let metadata = fs::symlink_metadata(&path).expect("it is there");
        stamps.insert(path.clone(), (metadata.ino(), metadata.ctime(), metadata.ctime_nsec(), metadata.len()));
        if metadata.is_dir() {
            stamp(&path, stamps);
        }
    }
}

#[test]
fn a_manifest_that_is_killed_before_any_call_is_all_old_or_all_new_once_recovered() {
    if skipped("a manifest killed before any call") || !is_asked_for("manifests") {
        return;
    }
    let mut draw = Draw::new("manifests killed", ONE_OF);
    for case in CASES {
        let place = Place::new(case);
        let old = place.state();
        let calls = [false, true].map(|confined| calls_of(&Place::new(case).command(case.words, confined)));
        let (code, said) = place.run(case.words);
        assert_eq!((code, &said["changed"]), (Some(0), &true.into()), "{}: {said}", case.name);
        let states = (old, place.state());
        if case.words[0] == "unapply" {
            let before = Place::new(&Case { before: &[], ..*case }).tree();
            assert_eq!(states.1.tree, before, "{}: what was there before comes back", case.name);
        }
        let (mut old, mut new) = (0, 0);
        for (confined, calls) in [false, true].into_iter().zip(calls) {
            let mut play = |at: usize| {
                let place = Place::new(case);
                let command = place.command(case.words, confined);
                if !kill(&command, at) {
                    return false;
                }
                let what = format!("{}, confined {confined}, killed before call {at} of {calls}", case.name);
                let is_new = place.judge(&states, &what);
                if is_new {
                    new += 1
                } else {
                    old += 1
                }
                let (code, said) = run(&command);
                assert_eq!(code, Some(0), "{what}: {said}");
                assert_eq!(place.state(), states.1, "{what}: the same command again: {said}");
                is_new
            };
            for at in (0..calls).filter(|at| *at == 0 || draw.one()) {
                play(at);
            }
            // By its last calls it stands; how many calls there are differs from run to run.
            let _stands = (0..calls).rev().take(LAST_CALLS).any(play);
        }
        assert!(old > 0 && new > 0, "{}: {old} old, {new} new", case.name);
    }
}
