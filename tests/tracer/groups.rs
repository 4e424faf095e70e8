//! Groups that are killed before any of their calls, or met by an attacker there: `batch --all-or-nothing`, `recover` and
//! `undo`. Afterwards, once recovered, all is old or all is new but for what others changed, and the log says so.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::draw::{Draw, is_asked_for};
use crate::skipped;
use crate::support::ground::temp_dir;
use crate::tracee::{Call, End, Memory, Verdict, Watch, trace};

/// Of how many schedules one is played, where nothing else is asked for.
pub(crate) const ONE_OF: u64 = 23;

/// So many of the last calls are tried until one comes after a group stands.
pub(crate) const LAST_CALLS: usize = 64;

const LINES: &str = r#"{"verb":"swap","link":"app/current","to":"app/v2","expect":"v1"}
{"verb":"ensure","link":"app/new/deep/link","to":"app/v2","parents":true}
{"verb":"remove","link":"old"}
{"verb":"ensure","link":"way","to":"app/v2","backup":true}
{"verb":"create","link":"last","to":"app/current"}
"#;

/// Where a group is played.
pub(crate) struct Place(TempDir);

/// What is at each path below the root, but for the state directory and what is in it.
pub(crate) type Tree = BTreeMap<PathBuf, String>;

/// What others do to a path.
type Act = fn(&Path);

impl Place {
    pub(crate) fn new() -> Place {
        let place = Place(temp_dir());
        let root = place.root();
        fs::create_dir_all(root.join("app/v1")).expect("a directory");
        fs::create_dir_all(root.join("app/v2")).expect("a directory");
        symlink("v1", root.join("app/current")).expect("a link");
        symlink("app/v1", root.join("old")).expect("a link");
        fs::write(root.join("way"), "in the way").expect("a file");
        fs::write(place.0.path().join("lines"), LINES).expect("a file");
        for dir in [root.clone(), root.join("app")] {
            fs::set_permissions(dir, PermissionsExt::from_mode(0o755)).expect("permissions");
        }
        let (code, said) = place.run(&["records", "init"]);
        assert_eq!(code, Some(0), "{said}");
        place
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("root")
    }

    pub(crate) fn command(&self, words: &[&str], confined: bool) -> Vec<OsString> {
        let confine = if confined { "auto" } else { "off" };
        let mut command: Vec<OsString> = vec![env!("CARGO_BIN_EXE_caplink").into(), "-C".into(), self.root().into()];
        command.extend(["--json", "--confine", confine].map(OsString::from));
        command.extend(words.iter().map(OsString::from));
        command
    }

    pub(crate) fn batch(&self, confined: bool) -> Vec<OsString> {
        let lines = self.0.path().join("lines");
        self.command(&["batch", "--all-or-nothing", lines.to_str().expect("a path")], confined)
    }

    pub(crate) fn run(&self, words: &[&str]) -> (Option<i32>, Value) {
        run(&self.command(words, true))
    }

    pub(crate) fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        walk(&self.root(), Path::new(""), &mut tree);
        tree
    }

    /// The old tree, and the new one, of a place that nothing was done to.
    pub(crate) fn old_and_new() -> (Tree, Tree) {
        let place = Place::new();
        let old = place.tree();
        let (code, said) = run(&place.batch(true));
        assert_eq!(code, Some(0), "{said}");
        assert!(said["group"].is_string() && said["changed"] == true, "{said}");
        (old, place.tree())
    }

    /// Recovers, and judges what is there then. `theirs` are paths that others changed, with what they put there.
    pub(crate) fn judge(&self, (old, new): &(Tree, Tree), theirs: &Tree, what: &str) -> bool {
        let before = self.tree();
        let (dry_code, dry) = self.run(&["recover", "--dry-run"]);
        assert_eq!(self.tree(), before, "{what}: a dry run");
        let (code, said) = self.run(&["recover"]);
        assert_eq!(
            (dry_code, &dry["items"], &dry["changed"]),
            (code, &said["items"], &said["changed"]),
            "{what}: law 8"
        );
        let told = said["errors"].as_array().map_or(0, |errors| {
            assert!(
                errors.iter().all(|error| error["kind"] == "mismatch" && error["group"].is_string()),
                "{what}: {said}"
            );
            errors.len()
        });
        assert_eq!(code, Some(if told > 0 { 3 } else { 0 }), "{what}: {said}");
        assert!(told <= theirs.len(), "{what}: {said}");
        let tree = self.tree();
        assert_eq!(said["changed"], before != tree, "{what}: {said}");
        let without = |tree: &Tree| -> Tree {
            // What they put in the way is backed up as well, if that was before it was looked at.
            let is_backup = |path: &PathBuf| path == Path::new("way.backup") && theirs.contains_key(Path::new("way"));
            let kept = |path: &PathBuf| {
                !is_backup(path) && !theirs.keys().any(|their| path.starts_with(their) || their.starts_with(path))
            };
            tree.iter().filter(|(path, _)| kept(path)).map(|(path, text)| (path.clone(), text.clone())).collect()
        };
        let (is_old, is_new) = (without(&tree) == without(old), without(&tree) == without(new));
        assert!(is_old || is_new, "{what}: law 12: neither all old nor all new: {tree:?}\n{said}");
        for (path, text) in theirs {
            let there = tree.values().any(|there| there == text);
            assert!(there, "{what}: law 12: what others put at {path:?} is gone: {tree:?}");
        }
        // Once more changes nothing, and tells nothing.
        let (code, again) = self.run(&["recover"]);
        assert_eq!(
            (code, &again["changed"], &again["items"]),
            (Some(0), &false.into(), &Value::Array(vec![])),
            "{what}"
        );
        assert_eq!(self.tree(), tree, "{what}: recover twice is recover once");
        let (code, shown) = self.run(&["records", "show"]);
        assert_eq!((code, &shown["items"][0]["open_groups"]), (Some(0), &0.into()), "{what}: {shown}");
        let (code, verified) = self.run(&["log", "verify"]);
        assert_eq!(code, Some(0), "{what}: {verified}");
        let staged = fs::read_dir(self.root().join(".caplink")).expect("the state directory");
        let left: Vec<String> = staged
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .filter(|name| name != "log.jsonl")
            .collect();
        assert!(left.is_empty() || !theirs.is_empty(), "{what}: {left:?}");
        self.judge_log(&tree, old, theirs, what);
        is_new
    }

    /// Law 11: what others can see of the group is in the log.
    fn judge_log(&self, tree: &Tree, old: &Tree, theirs: &Tree, what: &str) {
        let (code, log) = self.run(&["log"]);
        assert_eq!(code, Some(0), "{what}: {log}");
        let mut told: BTreeMap<PathBuf, String> = BTreeMap::new();
        for item in log["items"].as_array().into_iter().flatten() {
            let (Some(link), Some(outcome)) = (item["link"].as_str(), item["outcome"].as_str()) else { continue };
            assert_ne!(outcome, "unknown", "{what}: {item}");
            if outcome != "failed" {
                told.insert(link.into(), item["target"].as_str().map_or_else(String::new, |text| format!("-> {text}")));
            }
        }
        for path in tree.keys().chain(old.keys()) {
            let is_theirs = theirs.keys().any(|their| path.starts_with(their) || their.starts_with(path));
            if is_theirs || tree.get(path) == old.get(path) || path.ends_with("way.backup") {
                continue;
            }
            let now = tree.get(path).filter(|text| text.starts_with("->")).cloned().unwrap_or_default();
            assert_eq!(told.get(path), Some(&now), "{what}: law 11: {}", path.display());
        }
    }
}

pub(crate) fn walk(dir: &Path, below: &Path, tree: &mut Tree) {
    for entry in fs::read_dir(dir).expect("a directory") {
        let entry = entry.expect("an entry");
        let (path, kind) = (below.join(entry.file_name()), entry.file_type().expect("a kind"));
        if path == Path::new(".caplink") {
            continue;
        }
        let text = match kind {
            _ if kind.is_symlink() => format!("-> {}", fs::read_link(entry.path()).expect("a link").display()),
            _ if kind.is_dir() => "a directory".to_owned(),
            _ => fs::read_to_string(entry.path()).expect("a file"),
        };
        tree.insert(path.clone(), text);
        if kind.is_dir() {
            walk(&entry.path(), &path, tree);
        }
    }
}

pub(crate) fn run(command: &[OsString]) -> (Option<i32>, Value) {
    let output = Command::new(&command[0]).args(&command[1..]).output().expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let document = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no document: {text}"));
    (output.status.code(), document)
}

/// Counts calls, and acts at one of them.
struct At<'a> {
    seen: usize,
    at: Option<usize>,
    act: &'a mut dyn FnMut() -> Verdict,
}

impl Watch for At<'_> {
    fn before(&mut self, _call: &Call, _memory: &Memory) -> Verdict {
        self.seen += 1;
        if self.at == Some(self.seen - 1) { (self.act)() } else { Verdict::Go }
    }

    fn after(&mut self, _call: &Call, _result: i64) {}
}

/// Runs a program, acting at one of its calls. Returns how it ended and how many calls there were.
pub(crate) fn traced(command: &[OsString], at: Option<usize>, act: &mut dyn FnMut() -> Verdict) -> (End, usize) {
    let mut watch = At { seen: 0, at, act };
    let end = trace(command, &mut watch).expect("it is traced");
    (end, watch.seen)
}

pub(crate) fn calls_of(command: &[OsString]) -> usize {
    traced(command, None, &mut || Verdict::Go).1
}

pub(crate) fn kill(command: &[OsString], at: usize) -> bool {
    traced(command, Some(at), &mut || Verdict::Kill).0.code.is_none()
}

#[test]
fn a_group_that_is_killed_before_any_call_is_all_old_or_all_new_once_recovered() {
    if skipped("a group killed before any call") || !is_asked_for("groups") {
        return;
    }
    let trees = Place::old_and_new();
    let mut draw = Draw::new("groups killed", ONE_OF);
    for confined in [false, true] {
        let (mut old, mut new) = (0, 0);
        let calls = calls_of(&Place::new().batch(confined));
        let mut play = |at: usize| {
            let place = Place::new();
            if kill(&place.batch(confined), at) {
                let is_new =
                    place.judge(&trees, &Tree::new(), &format!("confined {confined}, killed before call {at}"));
                if is_new { new += 1 } else { old += 1 }
            }
            new > 0
        };
        for at in (0..calls).filter(|at| *at == 0 || draw.one()) {
            play(at);
        }
        // By its last calls it stands; how many calls there are differs from run to run.
        let _stands = (0..calls).rev().take(LAST_CALLS).any(play);
        assert!(old > 0 && new > 0, "{old} old, {new} new");
    }
}

/// A place whose group was killed in the middle of its publishing.
pub(crate) fn interrupted(at: usize) -> Option<Place> {
    let place = Place::new();
    (kill(&place.batch(false), at) && place.run(&["records", "show"]).1["items"][0]["open_groups"] == 1)
        .then_some(place)
}

#[test]
fn a_recovery_that_is_killed_before_any_call_is_gone_on_with() {
    if skipped("a recovery killed before any call") || !is_asked_for("groups") {
        return;
    }
    let trees = Place::old_and_new();
    let mut draw = Draw::new("recoveries killed", ONE_OF * 40);
    let calls = calls_of(&Place::new().batch(false));
    let mut played = 0;
    for at in 0..calls {
        let Some(place) = (at % 9 == 4).then(|| interrupted(at)).flatten() else { continue };
        let recover = place.command(&["recover"], false);
        let points = calls_of(&recover);
        for point in 0..points {
            if !(draw.one() || point == at % points) {
                continue;
            }
            let Some(place) = interrupted(at) else { continue };
            if kill(&place.command(&["recover"], false), point) {
                place.judge(&trees, &Tree::new(), &format!("killed before call {at}, recovery before call {point}"));
                played += 1;
            }
        }
    }
    assert!(played > 0);
}

#[test]
fn an_undo_that_is_killed_before_any_call_is_all_old_or_all_new_once_recovered() {
    if skipped("an undo killed before any call") || !is_asked_for("groups") {
        return;
    }
    let (old, new) = Place::old_and_new();
    let done = || {
        let place = Place::new();
        let (_, said) = run(&place.batch(true));
        let group = said["group"].as_str().expect("a group").to_owned();
        (place, group)
    };
    let mut draw = Draw::new("undos killed", ONE_OF);
    let (place, group) = done();
    let calls = calls_of(&place.command(&["undo", "--group", &group], false));
    assert_eq!(place.tree(), old, "undone");
    for at in 0..calls {
        if !draw.one() {
            continue;
        }
        let (place, group) = done();
        if kill(&place.command(&["undo", "--group", &group], false), at) {
            place.judge(&(new.clone(), old.clone()), &Tree::new(), &format!("undo killed before call {at}"));
        }
    }
}

#[test]
fn what_others_change_while_a_group_is_at_work_stays_theirs() {
    if skipped("others at a group's calls") || !is_asked_for("groups") {
        return;
    }
    let trees = Place::old_and_new();
    let mut draw = Draw::new("groups attacked", ONE_OF);
    let attacks: [(&str, &str, Act); 5] = [
        ("app/current", "-> theirs", |path| replace(path, |path| symlink("theirs", path).expect("a link"))),
        ("old", "theirs", |path| replace(path, |path| fs::write(path, "theirs").expect("a file"))),
        ("last", "-> theirs", |path| replace(path, |path| symlink("theirs", path).expect("a link"))),
        ("app/new/deep/link", "-> theirs", |path| {
            if path.parent().is_some_and(Path::exists) {
                replace(path, |path| symlink("theirs", path).expect("a link"));
            }
        }),
        ("way", "theirs", |path| replace(path, |path| fs::write(path, "theirs").expect("a file"))),
    ];
    let calls = calls_of(&Place::new().batch(false));
    for (name, text, attack) in attacks {
        for at in 0..calls {
            if !draw.one() {
                continue;
            }
            let place = Place::new();
            let path = place.root().join(name);
            let mut acted = false;
            let mut act = || {
                attack(&path);
                acted = fs::symlink_metadata(&path).is_ok();
                Verdict::Go
            };
            let (end, _) = traced(&place.batch(false), Some(at), &mut act);
            let what = format!("{name} changed before call {at}: {:?} {}", end.code, end.stdout);
            assert!(end.code.is_some() && !end.stderr.contains("panicked"), "{what}: {}", end.stderr);
            let theirs = if acted { Tree::from([(name.into(), text.to_owned())]) } else { Tree::new() };
            let is_new = place.judge(&trees, &theirs, &what);
            assert!(end.code != Some(0) || is_new, "{what}: it said that it stands");
        }
    }
}

/// Puts something else at a name, in one step where something is there.
fn replace(path: &Path, make: impl FnOnce(&Path)) {
    let beside = path.with_file_name("beside");
    make(&beside);
    fs::rename(&beside, path).expect("it is renamed");
}
