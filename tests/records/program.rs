//! The program: what is recorded of its verbs, and what the verbs of the records say.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) struct Place {
    pub(crate) dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Place {
        let dir = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
        for release in ["41", "42"] {
            fs::create_dir_all(dir.path().join("root/releases").join(release)).unwrap();
        }
        Place { dir }
    }

    pub(crate) fn recorded() -> Place {
        let place = Place::new();
        assert_eq!(place.run(&["records", "init"]).0, 0);
        place
    }

    pub(crate) fn root(&self) -> std::path::PathBuf {
        self.dir.path().join("root")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_caplink"));
        command.current_dir(self.dir.path()).arg("-C").arg(self.root()).args(arguments);
        for variable in ["CAPLINK_ROOT", "CAPLINK_STATE", "CAPLINK_REASON", "CAPLINK_ACTOR"] {
            command.env_remove(variable);
        }
        command
    }

    pub(crate) fn output(&self, arguments: &[&str]) -> (i32, String) {
        let Output { status, stdout, .. } = self.command(arguments).output().unwrap();
        (status.code().unwrap(), String::from_utf8(stdout).unwrap())
    }

    /// The exit code and the document.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, Value) {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let (code, out) = self.output(&arguments);
        (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {out}")))
    }

    /// The kind of the first error.
    pub(crate) fn refusal(&self, arguments: &[&str]) -> (i32, String) {
        let (code, document) = self.run(arguments);
        (code, document["errors"][0]["kind"].as_str().unwrap_or_default().to_owned())
    }

    fn log(&self) -> Vec<Value> {
        let (code, document) = self.run(&["log"]);
        assert_eq!(code, 0, "{document}");
        assert_eq!(document["command"], "log");
        document["items"].as_array().unwrap().clone()
    }
}

#[test]
fn every_verb_that_changes_links_is_recorded() {
    let place = Place::recorded();
    for arguments in [
        &["create", "a", "--to", "releases/41"][..],
        &["ensure", "a", "--to", "releases/42"],
        &["swap", "a", "--to", "releases/41", "--expect", "releases/42"],
        &["ensure", "b", "--to", "releases/42"],
        &["exchange", "a", "b"],
        &["remove", "a", "b"],
        &["create", "c", "--to", "./releases//41", "--style", "verbatim"],
        &["repair", "--tidy"],
    ] {
        let (code, document) = place.run(arguments);
        assert_eq!(code, 0, "{document}");
        assert!(document["items"].as_array().unwrap().iter().all(|item| item["durability"] == "dir"), "{document}");
    }
    let told: Vec<String> = place
        .log()
        .iter()
        .map(|item| {
            format!("{} {} {}", item["verb"].as_str().unwrap(), item["link"], item["outcome"].as_str().unwrap())
        })
        .collect();
    let expected = [
        r#"records init null initialised"#,
        r#"create "a" created"#,
        r#"ensure "a" replaced"#,
        r#"swap "a" replaced"#,
        r#"ensure "b" created"#,
        r#"exchange "a" exchanged"#,
        r#"remove "a" removed"#,
        r#"remove "b" removed"#,
        r#"create "c" created"#,
        r#"repair "c" replaced"#,
    ];
    assert_eq!(told, expected);
}

#[test]
fn an_entry_says_who_and_why() {
    let place = Place::recorded();
    let ensure = |target: &str, more: &[&str]| {
        let arguments: Vec<&str> = ["ensure", "current", "--to", target].iter().chain(more).copied().collect();
        place.run(&arguments)
    };
    assert_eq!(ensure("releases/41", &["--reason", "ticket 7", "--actor", "ci"]).0, 0);
    let item = place.log().pop().unwrap();
    assert_eq!(item["reason"], "ticket 7");
    assert_eq!(item["actor"]["claimed"], "ci");
    assert_eq!(item["actor"]["pid"], std::process::id());
    for key in ["uid", "user", "login_uid", "login_user", "pid", "program", "host", "claimed"] {
        assert!(item["actor"].as_object().unwrap().contains_key(key), "{key}");
    }
    for key in
        ["seq", "time", "verb", "link", "previous", "target", "outcome", "guarantee", "durability", "confinement"]
    {
        assert!(item.as_object().unwrap().contains_key(key), "{key}");
    }
    for key in ["verified", "group", "reason", "actor", "root"] {
        assert!(item.as_object().unwrap().contains_key(key), "{key}");
    }
    let output = place
        .command(&["ensure", "current", "--to", "releases/42"])
        .env("CAPLINK_REASON", "nightly")
        .env("CAPLINK_ACTOR", "cron")
        .output()
        .unwrap();
    assert!(output.status.success());
    let item = place.log().pop().unwrap();
    assert_eq!((&item["reason"], &item["actor"]["claimed"]), (&json!("nightly"), &json!("cron")));
    for wrong in ["a\nb", &"x".repeat(1025)] {
        for option in ["--reason", "--actor"] {
            let arguments = ["ensure", "current", "--to", "releases/41", option, wrong];
            assert_eq!(place.refusal(&arguments), (2, "usage".to_owned()), "{option}");
        }
    }
}

#[test]
fn a_reason_can_be_demanded() {
    let place = Place::new();
    let (code, document) = place.run(&["records", "init", "--require-reason"]);
    assert_eq!(
        (code, &document["items"][0]["outcome"], &document["changed"]),
        (0, &json!("initialised"), &json!(true))
    );
    let ensure = ["ensure", "current", "--to", "releases/41"];
    assert_eq!(place.refusal(&ensure), (4, "policy".to_owned()));
    let dry: Vec<&str> = ensure.iter().copied().chain(["-n"]).collect();
    assert_eq!(place.refusal(&dry), (4, "policy".to_owned()));
    assert!(fs::symlink_metadata(place.root().join("current")).is_err());
    let reasoned: Vec<&str> = ensure.iter().copied().chain(["--reason", "x"]).collect();
    assert_eq!(place.run(&reasoned).0, 0);
    assert_eq!(place.run(&["recover"]).0, 0);
    let (_, again) = place.run(&["records", "init", "--require-reason"]);
    assert_eq!((&again["items"][0]["outcome"], &again["changed"]), (&json!("unchanged"), &json!(false)));
    let (_, set) = place.run(&["records", "init"]);
    assert_eq!(set["changed"], true);
    assert_eq!(place.run(&ensure).0, 0);
}

#[test]
fn a_dry_run_misses_a_reason_where_the_real_one_does() {
    let place = Place::new();
    let root = place.root();
    for (link, text) in [("same", "releases/41"), ("other", "releases/42"), ("messy", "releases//41")] {
        std::os::unix::fs::symlink(text, root.join(link)).unwrap();
    }
    assert_eq!(place.run(&["records", "init", "--require-reason"]).0, 0);
    let bare = |(code, mut document): (i32, Value)| {
        let object = document.as_object_mut().unwrap();
        object.retain(|key, _| !["time", "dry_run"].contains(&key.as_str()));
        (code, document)
    };
    for (line, code) in [
        ("ensure same --to releases/41", 0),
        ("ensure other --to releases/41", 4),
        ("ensure other --to nowhere", 4),
        ("create same --to releases/41", 3),
        ("remove other nothing", 4),
        ("exchange same same", 0),
        ("exchange same other", 4),
        ("repair --shorten", 0),
        ("repair --tidy", 4),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let planned = bare(place.run(&[&words[..], &["-n"]].concat()));
        assert_eq!(planned.0, code, "{line}: {}", planned.1);
        assert_eq!(planned, bare(place.run(&words)), "{line}");
    }
    assert_eq!(place.run(&["remove", "other", "-n", "--reason", "x"]).1["changed"], true);
}

#[test]
fn a_root_without_records_has_no_log() {
    let place = Place::new();
    for arguments in [&["log"][..], &["log", "checkpoint"], &["log", "verify"], &["records", "show"]] {
        assert_eq!(place.refusal(arguments), (5, "no_records".to_owned()), "{arguments:?}");
    }
    let (code, document) = place.run(&["recover"]);
    assert_eq!((code, &document["changed"], &document["items"]), (0, &json!(false), &json!([])));
    let (code, document) = place.run(&["records", "init", "--dry-run"]);
    assert_eq!((code, &document["dry_run"], &document["changed"]), (0, &json!(true), &json!(true)));
    assert!(!place.root().join(".caplink").exists());
}

#[test]
fn a_checkpoint_is_three_lines_and_vouches_for_what_was_there() {
    let place = Place::recorded();
    assert_eq!(place.run(&["ensure", "current", "--to", "releases/41"]).0, 0);
    let (code, text) = place.output(&["log", "checkpoint"]);
    assert_eq!(code, 0);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines.len(), lines[1]), (3, "3"));
    let (_, document) = place.run(&["log", "checkpoint"]);
    let item = &document["items"][0];
    assert_eq!((&item["origin"], &item["size"], &item["root"]), (&json!(lines[0]), &json!(3), &json!(lines[2])));
    let (_, shown) = place.run(&["records", "show"]);
    let shown = &shown["items"][0];
    assert_eq!(format!("caplink/{}", shown["id"].as_str().unwrap()), lines[0]);
    assert_eq!((&shown["entries"], &shown["open_groups"]), (&json!(3), &json!(0)));
    assert_eq!(shown["checkpoint"]["root"], lines[2]);
    assert_eq!(shown["settings"]["require_reason"], false);

    fs::write(place.dir.path().join("kept"), format!("{text}\n— witness.example/1 c2lnbmF0dXJl\n")).unwrap();
    assert_eq!(place.run(&["ensure", "current", "--to", "releases/42"]).0, 0);
    let (code, verified) = place.run(&["log", "verify", "--checkpoint", "kept"]);
    let item = &verified["items"][0];
    assert_eq!((code, &item["entries"], &item["vouched"], &item["unvouched"]), (0, &json!(5), &json!(3), &json!(2)));
    fs::write(place.dir.path().join("other"), text.replace("\n3\n", "\n4\n")).unwrap();
    let (code, refused) = place.run(&["log", "verify", "--checkpoint", "kept", "--checkpoint", "other"]);
    assert_eq!((code, &refused["errors"][0]["kind"]), (9, &json!("integrity")));
    assert_eq!(refused["errors"][0]["seq"], 3);
    let hint = refused["errors"][0]["hint"].as_str().unwrap();
    assert!(hint.contains("another one") && !hint.contains("`log verify`"), "{hint}");
    fs::write(place.dir.path().join("none"), "nothing\n").unwrap();
    assert_eq!(place.refusal(&["log", "verify", "--checkpoint", "none"]), (2, "usage".to_owned()));
    assert_eq!(place.refusal(&["log", "verify", "--checkpoint", "missing"]), (5, "not_found".to_owned()));
}

#[test]
fn the_log_is_shown_as_lines_as_entries_and_as_json() {
    let place = Place::recorded();
    assert_eq!(place.run(&["ensure", "current", "--to", "releases/41", "--reason", "why"]).0, 0);
    assert_eq!(place.run(&["ensure", "current", "--to", "releases/42"]).0, 0);
    let (code, raw) = place.output(&["log", "--raw"]);
    assert_eq!((code, raw), (0, fs::read_to_string(place.root().join(".caplink/log.jsonl")).unwrap()));
    let (_, text) = place.output(&["log", "--link", "current"]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("1 ") && lines[0].ends_with("Z ensure current -> releases/41 (created) why"),
        "{text}"
    );
    assert!(lines[1].ends_with("ensure current: releases/41 -> releases/42 (replaced)"), "{text}");
    let (_, ndjson) = place.output(&["log", "--format", "ndjson", "--limit", "1"]);
    let item: Value = serde_json::from_str(&ndjson).unwrap();
    assert_eq!(&item, place.log().last().unwrap());
    let (_, document) = place.output(&["log", "--format", "json"]);
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!((&document["command"], document["items"].as_array()), (&json!("log"), Some(&place.log())));
    assert_eq!(place.refusal(&["log", "--format", "text"]), (2, "usage".to_owned()), "a text is no document");
    let counted = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["log"].iter().chain(arguments).copied().collect();
        place.run(&arguments).1["items"].as_array().map(Vec::len)
    };
    assert_eq!(counted(&["--since", "1h"]), Some(3));
    assert_eq!(counted(&["--until", "1h"]), Some(0));
    assert_eq!(counted(&["--since", "2000-01-01T00:00:00Z", "--outcome", "replaced"]), Some(1));
    for wrong in [&["log", "--raw"][..], &["log", "--follow"]] {
        assert_eq!(place.refusal(wrong), (2, "usage".to_owned()), "{wrong:?}");
    }
    for wrong in [&["log", "--limit", "1", "checkpoint"][..], &["log", "--raw", "verify"]] {
        assert_eq!(place.refusal(wrong), (2, "usage".to_owned()), "{wrong:?}");
    }
    for wrong in [
        &["log", "--raw", "--limit", "1"][..],
        &["log", "--since", "yesterday"],
        &["log", "--until", ""],
        &["log", "--link", "a["],
        &["log", "--outcome", "nonsense"],
        &["log", "--outcome", "Replaced"],
        &["log", "--outcome", ""],
        &["log", "--format", "yaml"],
        &["log", "--limit", "-1"],
        &["log", "--follow", "--format", "json"],
    ] {
        assert_eq!(place.output(wrong).0, 2, "{wrong:?}");
    }
    for none in ["exchanged", "unchanged", "unknown", "pruned"] {
        assert_eq!(counted(&["--outcome", none]), Some(0), "{none}");
    }
}

#[test]
fn damage_is_told_with_its_entry_and_looking_goes_on() {
    let place = Place::recorded();
    for target in ["releases/41", "releases/42"] {
        assert_eq!(place.run(&["ensure", "current", "--to", target]).0, 0);
    }
    let path = place.root().join(".caplink/log.jsonl");
    let log = fs::read_to_string(&path).unwrap().replace("releases/41\",\"will\"", "releases/40\",\"will\"");
    fs::write(&path, log).unwrap();
    let (code, document) = place.run(&["log", "verify"]);
    assert_eq!(
        (code, &document["errors"][0]["kind"], &document["errors"][0]["seq"]),
        (9, &json!("integrity"), &json!(2))
    );
    assert_eq!(place.run(&["inspect", "current"]).0, 0);
    assert_eq!(place.run(&["scan"]).0, 0);
    assert_eq!(place.refusal(&["records", "renew"]), (2, "usage".to_owned()));
    let (code, renewed) = place.run(&["records", "renew", "--reason", "bent"]);
    assert_eq!((code, &renewed["items"][0]["outcome"]), (0, &json!("renewed")));
    assert_eq!(renewed["items"][0]["renewed"]["good"], 2);
    assert_eq!(place.run(&["log", "verify"]).0, 0);
    assert_eq!(place.run(&["ensure", "current", "--to", "releases/41"]).0, 0);
}

#[test]
fn records_elsewhere_are_not_forgotten() {
    let place = Place::new();
    let state = place.dir.path().join("state");
    let state = state.to_str().unwrap();
    assert_eq!(place.run(&["records", "init", "--state", state]).0, 0);
    assert!(Path::new(&place.root().join(".caplink-records")).is_file());
    let ensure = ["ensure", "current", "--to", "releases/41"];
    assert_eq!(place.refusal(&ensure), (4, "unsafe_state".to_owned()));
    let given: Vec<&str> = ensure.iter().copied().chain(["--state", state]).collect();
    assert_eq!(place.run(&given).0, 0);
    let output = place.command(&["log", "--format", "ndjson"]).env("CAPLINK_STATE", state).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 2);
}

/// The root can be read only, as long as this is there.
struct ReadOnly(std::path::PathBuf);

impl ReadOnly {
    fn of(path: std::path::PathBuf) -> Option<ReadOnly> {
        let mount = |options: &[&str]| Command::new("mount").args(options).arg(&path).output();
        let bound = mount(&["--bind", path.to_str().unwrap()]).is_ok_and(|bound| bound.status.success());
        let guard = bound.then(|| ReadOnly(path.clone()));
        let is_read_only = bound && mount(&["-o", "remount,bind,ro"]).is_ok_and(|mounted| mounted.status.success());
        guard.filter(|_| is_read_only)
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn what_changes_nothing_is_done_on_a_read_only_file_system_and_what_would_change_is_read_only() {
    let place = Place::recorded();
    let Some(_guard) = ReadOnly::of(place.root()) else {
        eprintln!("SKIPPED: no read-only file system can be mounted");
        return;
    };
    for nothing in [&["recover"][..], &["records", "init"], &["records", "rebind"], &["unapply", "--name", "none"]] {
        let (code, document) = place.run(nothing);
        assert_eq!((code, &document["changed"]), (0, &json!(false)), "{nothing:?}: {document}");
    }
    for something in [&["records", "init", "--require-reason"][..], &["adopt", "releases/41", "--into", "releases/42"]]
    {
        assert_eq!(place.refusal(something), (10, "read_only".to_owned()), "{something:?}");
    }
}

#[test]
fn the_way_out_of_records_of_another_root_is_to_bind_them() {
    let place = Place::recorded();
    fs::create_dir(place.dir.path().join("restored")).unwrap();
    fs::rename(place.root().join(".caplink"), place.dir.path().join("restored/.caplink")).unwrap();
    fs::rename(place.root().join("releases"), place.dir.path().join("restored/releases")).unwrap();
    fs::rename(place.root(), place.dir.path().join("old")).unwrap();
    fs::rename(place.dir.path().join("restored"), place.root()).unwrap();
    let (code, refused) = place.run(&["ensure", "current", "--to", "releases/41"]);
    assert_eq!((code, &refused["errors"][0]["kind"]), (9, &json!("integrity")));
    let hint = refused["errors"][0]["hint"].as_str().unwrap();
    assert!(hint.contains("`records rebind`") && !hint.contains("renew"), "{hint}");
    assert_eq!(place.run(&["records", "rebind"]).0, 0);
    assert_eq!(place.run(&["ensure", "current", "--to", "releases/41"]).0, 0);
}

#[test]
fn an_append_only_log_that_is_damaged_says_what_keeps_it_in_its_place() {
    let place = Place::recorded();
    let log = place.root().join(".caplink/log.jsonl");
    fs::write(&log, fs::read_to_string(&log).unwrap() + "bent\n").unwrap();
    let chattr = |mode: &str| Command::new("chattr").arg(mode).arg(&log).output().is_ok_and(|ran| ran.status.success());
    if !chattr("+a") {
        eprintln!("SKIPPED: the log cannot be made append-only");
        return;
    }
    let (code, refused) = place.run(&["records", "renew", "--reason", "bent"]);
    assert!(chattr("-a"));
    assert_eq!((code, &refused["errors"][0]["kind"]), (10, &json!("permission")));
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("`chattr -a`"), "{refused}");
    assert_eq!(place.run(&["records", "renew", "--reason", "bent"]).0, 0);
}

#[test]
fn another_holder_is_waited_for_as_long_as_was_said() {
    let place = Place::recorded();
    let file = fs::File::open(place.root().join(".caplink/log.jsonl")).unwrap();
    file.lock().unwrap();
    let ensure = ["ensure", "current", "--to", "releases/41", "--lock-timeout", "100ms"];
    let (code, document) = place.run(&ensure);
    assert_eq!((code, &document["errors"][0]["kind"]), (6, &json!("busy")));
    #[cfg(target_os = "linux")]
    assert_eq!(document["errors"][0]["holder"]["pid"], std::process::id());
    assert_eq!(place.log().len(), 1);
    assert_eq!(place.refusal(&["ensure", "current", "--to", "x", "--lock-timeout", "1"]), (2, "usage".to_owned()));
}
