//! What `scan` shows, in each format.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Answer, Place, answer, is_root, skipped};

/// One link of each status but `denied`, and of each trait that needs no second file system.
fn zoo() -> Place {
    let place = Place::new();
    let absolute = format!("{}/file", place.root.display());
    place
        .link("plain", "file")
        .link("absolute", absolute)
        .link("messy", "a//b")
        .link("a/lengthy", "../a/b")
        .link("chain", "plain")
        .link("dangling", "gone")
        .link("loop", "loop")
        .link("escape", "../outside")
        .link("nothing", "/nonexistent/x");
    place
}

fn links(answer: &Answer) -> Vec<&str> {
    answer.json["items"].as_array().unwrap().iter().map(|item| item["link"].as_str().unwrap()).collect()
}

#[test]
fn every_link_is_shown_with_status_and_traits_in_the_order_of_paths() {
    let place = zoo();
    let seen = place.ask("scan");
    let items: Vec<Value> = seen.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| json!([item["link"], item["status"], item["traits"], item["hops"], item["resolved"]]))
        .collect();
    assert_eq!(
        Value::from(items),
        json!([
            ["a/lengthy", "ok", ["lengthy"], 1, "a/b"],
            ["absolute", "ok", ["absolute"], 1, "file"],
            ["chain", "ok", ["chain"], 2, "file"],
            ["dangling", "dangling", [], 1, null],
            ["escape", "escape", [], 1, null],
            ["loop", "loop", ["chain"], 40, null],
            ["messy", "ok", ["messy"], 1, "a/b"],
            ["nothing", "escape", ["absolute", "outside_missing"], 1, null],
            ["plain", "ok", [], 1, "file"],
        ])
    );
    assert_eq!(seen.json["items"][0]["target"], "../a/b");
    assert_eq!((seen.code, &seen.json["changed"], &seen.json["command"]), (0, &json!(false), &json!("scan")));
    let summary = &seen.json["summary"];
    let counts: Vec<u64> = ["ok", "dangling", "loop", "escape", "denied", "corrupt"]
        .iter()
        .map(|key| summary[key].as_u64().unwrap())
        .collect();
    assert_eq!(counts, [5, 1, 1, 2, 0, 0]);
    for (key, count) in [
        ("absolute", 2),
        ("messy", 1),
        ("lengthy", 1),
        ("chain", 2),
        ("other_fs", 0),
        ("outside_missing", 1),
        ("links", 9),
        ("entries", 15),
        ("dirs_unread", 0),
    ] {
        assert_eq!(summary[key], count, "{key}");
    }
    assert_eq!(summary["complete"], true);
}

#[test]
fn the_document_keeps_the_order_of_its_keys() {
    let place = zoo();
    let out = |line: &str| {
        let out = place.words(line).out().to_owned();
        let (before, after) = out.split_once("\"time\":\"").unwrap();
        format!("{before}\"time\":\"{}", &after["2026-11-28T06:05:04.000000000Z".len()..])
    };
    let scanned = out("scan --format json");
    let out = out("--json scan");
    assert_eq!(scanned, out);
    let place_of = |key: &str| out.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key}"));
    let keys = ["schema", "command", "root", "time", "dry_run", "changed", "items", "errors", "summary"];
    assert!(keys.map(place_of).is_sorted(), "{out}");
    assert_eq!(place.ask("-n scan").json["dry_run"], true);
    let empty = Place::new();
    assert_eq!(empty.ask("scan").json["items"], json!([]));
}

#[test]
fn text_shows_every_link_adds_up_and_says_how_to_repair_it() {
    let place = zoo();
    let text = place.words("scan");
    let root = place.root.display().to_string();
    assert_eq!(
        text.out().replace(&root, "ROOT"),
        "\
ok       a/lengthy -> ../a/b (lengthy)
ok       absolute -> ROOT/file (absolute)
ok       chain -> plain (chain)
dangling dangling -> gone
escape   escape -> ../outside
loop     loop -> loop (chain)
ok       messy -> a//b (messy)
escape   nothing -> /nonexistent/x (absolute, outside_missing)
ok       plain -> file
9 links in 15 entries: 5 ok, 1 dangling, 1 loop, 2 escape; traits: 2 absolute, 1 messy, 1 lengthy, 2 chain, \
         1 outside_missing
"
    );
    let hint = "hint: `caplink -C ROOT repair --remove-dangling .` removes 1 dangling link\n";
    assert_eq!(text.err().replace(&root, "ROOT"), hint, "healthy links are often meant as they are");
    assert_eq!(place.words("scan -q").err(), "");
    assert_eq!(place.words("scan --format paths").err(), "", "programs are not told how to repair");
    assert_eq!(place.words("scan --max-depth 9").err(), "", "repair would look at everything");
}

#[test]
fn a_healthy_link_is_to_be_repaired_only_where_its_trait_was_asked_for() {
    let place = zoo();
    let root = place.root.display().to_string();
    for (only, command) in [
        ("absolute", "--make-relative .` repairs the text of 1 link"),
        ("messy", "--tidy .` repairs the text of 1 link"),
        ("lengthy", "--shorten .` repairs the text of 1 link"),
        ("chain", "--shorten-chains .` straightens 1 chained link"),
        ("messy,lengthy,ok", "--tidy --shorten .` repairs the text of 2 links"),
    ] {
        let hint = format!("hint: `caplink -C {root} repair {command}\n");
        assert_eq!(place.words(&format!("scan --only {only}")).err(), hint, "{only}");
    }
    assert_eq!(place.words("scan --only ok").err(), "");
}

#[test]
fn a_root_file_system_with_absolute_texts_is_one_to_be_judged_from_inside() {
    let place = Place::new();
    place.link("sh", "/bin/busybox");
    assert_eq!(place.words("scan").err(), "");
    fs::create_dir(place.root.join("etc")).unwrap();
    fs::create_dir(place.root.join("usr")).unwrap();
    let root = place.root.display().to_string();
    let hint = format!(
        "hint: `caplink -C {root} scan --rooted .` judges absolute texts as from inside this root file system\n"
    );
    assert_eq!(place.words("scan").err(), hint);
    let rooted = format!("hint: `caplink -C {root} repair --rooted --remove-dangling .` removes 1 dangling link\n");
    assert_eq!(place.words("scan --rooted").err(), rooted);
}

#[test]
fn the_commands_that_are_named_repair_everything_they_name() {
    let place = zoo();
    for only in ["broken", "absolute,messy,lengthy", "chain"] {
        for line in place.words(&format!("scan --only {only}")).err().lines() {
            let command = line.split('`').nth(1).unwrap().strip_prefix("caplink ").unwrap();
            let words: Vec<&str> = command.split_whitespace().collect();
            let repaired = crate::support::ran(crate::support::caplink().args(words));
            assert_eq!(repaired.code, 0, "{line}: {}", repaired.err());
        }
    }
    let summary = place.ask("scan").json["summary"].clone();
    assert_eq!((&summary["dangling"], &summary["messy"], &summary["lengthy"]), (&json!(0), &json!(0), &json!(0)));
    assert_eq!((&summary["links"], place.words("scan").err()), (&json!(8), ""));
}

#[test]
fn only_those_are_shown_that_are_asked_for() {
    let place = zoo();
    for (only, expected) in [
        ("ok", &["a/lengthy", "absolute", "chain", "messy", "plain"][..]),
        ("dangling", &["dangling"]),
        ("dangling,loop", &["dangling", "loop"]),
        ("escape", &["escape", "nothing"]),
        ("chain", &["chain", "loop"]),
        ("messy,escape", &["escape", "messy", "nothing"]),
        ("outside_missing", &["nothing"]),
        ("corrupt,denied,other_fs", &[]),
    ] {
        let seen = place.ask(&format!("scan --only {only}"));
        assert_eq!(links(&seen), expected, "{only}");
        assert_eq!(seen.json["summary"]["links"], 9, "the summary counts all");
        let text = place.words(&format!("scan --only {only}"));
        assert_eq!(text.out().lines().count(), expected.len() + 1, "{only}");
        let code = place.words(&format!("scan --exit-code --only {only}")).code;
        assert_eq!(code, i32::from(!expected.is_empty()), "{only}");
    }
    assert_eq!(place.ask("scan --only shattered").refusal().0, 2);
}

#[test]
fn exit_code_tells_findings_from_none() {
    let place = Place::new();
    place.link("plain", "file").link("messy", "a//b");
    assert_eq!(place.words("scan --exit-code").code, 0, "a trait alone is no finding");
    place.link("dangling", "gone");
    assert_eq!((place.words("scan --exit-code").code, place.words("scan").code), (1, 0));
    assert_eq!(place.words("scan --exit-code --exclude dangling").code, 0);
    assert_eq!(place.words("scan nowhere --exit-code").code, 5, "an error comes first");
}

#[test]
fn ndjson_is_one_object_a_line_and_the_summary_is_the_last() {
    let place = zoo();
    for line in ["scan --format ndjson", "--json scan --format ndjson"] {
        let ran = place.words(line);
        let lines: Vec<Value> = ran.out().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 10);
        assert_eq!(lines[..9], place.ask("scan").json["items"].as_array().unwrap()[..]);
        assert_eq!(lines[9], json!({ "summary": place.ask("scan").json["summary"] }));
    }
    let refused = place.words("scan nowhere --format ndjson");
    let error: Value = serde_json::from_str(refused.out()).unwrap();
    assert_eq!((refused.code, &error["error"]["kind"]), (5, &json!("not_found")));
}

#[test]
fn paths_are_the_bytes_of_the_names() {
    let place = Place::new();
    let hostile = OsStr::from_bytes(b"\xff\n\x1b[2J");
    place.link(hostile, "gone").link("plain", "file");
    assert_eq!(place.words("scan --format paths").out, b"plain\n\xff\n\x1b[2J\n");
    assert_eq!(place.words("scan --format paths -0").out, b"plain\0\xff\n\x1b[2J\0");
    assert_eq!(place.words("scan --format paths --only dangling -0").out, b"\xff\n\x1b[2J\0");
}

#[test]
fn hostile_names_and_texts_are_escaped_for_people_and_kept_for_programs() {
    let place = Place::new();
    let name = OsStr::from_bytes(b"\xff\n\x1b[2J");
    place.link(name, OsStr::from_bytes(b"\x1b]0;x\x07\xfe"));
    let text = place.words("--color always scan");
    assert_eq!(
        text.out().lines().next().unwrap(),
        "\u{1b}[1m\u{1b}[31mdangling\u{1b}[0m \u{1b}[1m\\xff\\n\\u{1b}[2J\u{1b}[0m -> \\u{1b}]0;x\\u{7}\\xfe"
    );
    let seen = place.ask("scan");
    assert_eq!(seen.item()["link"], json!({ "base64": "/wobWzJK" }));
    assert_eq!(seen.item()["target"], json!({ "base64": "G10wO3gH/g==" }));
}

#[test]
fn options_that_do_not_go_together_are_wrong_usage() {
    let place = zoo();
    for line in [
        "scan -0",
        "scan --format json -0",
        "scan --format text --json",
        "scan --format paths --json",
        "scan --exclude [",
        "scan --exclude=",
        "scan --format yaml --json",
        "scan --format json --max-depth x",
        "scan --format json -j x",
    ] {
        let ran = place.words(line);
        assert_eq!(ran.code, 2, "{line}");
        if line.contains("json") {
            assert_eq!(crate::support::document(&ran.out)["errors"][0]["kind"], "usage", "{line}");
        } else {
            assert_eq!(ran.out(), "", "{line}");
        }
    }
}

#[test]
fn several_threads_find_what_one_finds() {
    let place = zoo();
    let one = place.ask("scan");
    for jobs in ["-j 0", "-j 3", "--jobs=64"] {
        let several = place.ask(&format!("scan {jobs}"));
        let (mut seen, expected) = (links(&several), links(&one));
        seen.sort_unstable();
        assert_eq!((seen, &several.json["summary"]), (expected, &one.json["summary"]), "{jobs}");
    }
}

#[test]
fn a_directory_that_is_none_or_a_link_is_refused() {
    let place = zoo();
    place.link("dirlink", "a").link("a/into", "../releases");
    for (line, code, kind) in [
        ("scan nowhere", 5, "not_found"),
        ("scan file", 5, "not_found"),
        ("scan dirlink", 4, "symlink_in_path"),
        ("scan a/into/1", 4, "symlink_in_path"),
        ("scan ../outside", 4, "escape"),
        ("scan a/../a", 2, "invalid_path"),
    ] {
        let refused = place.ask(line);
        assert_eq!((refused.code, refused.kind()), (code, kind), "{line}");
        assert_eq!(refused.json["items"], json!([]));
    }
    for (dir, reason) in [("nowhere", "there is no such directory"), ("file", "it is no directory")] {
        for verb in ["scan", "repair --tidy"] {
            let refused = place.words(&format!("{verb} {dir}"));
            let verb = verb.split(' ').next().unwrap();
            let said = format!("error: cannot {verb} `{dir}`: {reason}, at component `{dir}` (0)");
            assert_eq!(refused.err().lines().next(), Some(said.as_str()));
        }
    }
    assert_eq!(links(&place.ask("--follow scan dirlink")), ["a/into", "a/lengthy"]);
    for dir in ["a", "a/", "./a/."] {
        assert_eq!(links(&place.ask(&format!("scan {dir}"))), ["a/into", "a/lengthy"], "{dir}");
    }
    assert_eq!(place.ask("scan .").json["summary"], place.ask("scan").json["summary"]);
    let nowhere = answer(crate::support::caplink().args(["--json", "-C", "/nonexistent", "scan"]));
    assert_eq!((nowhere.code, nowhere.kind()), (5, "root_gone"));
}

#[test]
fn what_may_not_be_read_is_told_and_the_rest_is_reported() {
    if !is_root() || Command::new("setpriv").arg("--version").output().is_err() {
        return skipped("scan::what_may_not_be_read", "becoming another user needs root and setpriv");
    }
    let place = zoo();
    fs::create_dir_all(place.root.join("a/locked/in")).unwrap();
    symlink("x", place.root.join("a/locked/l")).unwrap();
    symlink("locked/in", place.root.join("a/into")).unwrap();
    fs::set_permissions(place.root.join("a/locked"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(place.base.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let nobody = |line: &str| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(env!("CARGO_BIN_EXE_caplink"));
        command.arg("-C").arg(&place.root).args(line.split_whitespace());
        command
    };
    let seen = answer(&mut nobody("--json scan --exit-code"));
    assert_eq!((seen.code, seen.kind(), &seen.error()["link"]), (10, "permission", &json!("a/locked")));
    assert_eq!(links(&seen).len(), 10, "all but the one that nobody may see");
    let summary = &seen.json["summary"];
    assert_eq!(
        (&summary["complete"], &summary["dirs_unread"], &summary["denied"]),
        (&json!(false), &json!(1), &json!(1))
    );
    let lines = crate::support::ran(&mut nobody("scan --format ndjson"));
    let lines: Vec<Value> = lines.out().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[10]["error"]["kind"], "permission");
    assert_eq!(lines[11]["summary"]["complete"], false);
    let text = crate::support::ran(&mut nobody("scan"));
    assert!(text.out().ends_with("; 1 directory not read; incomplete\n"), "{}", text.out());
    assert!(text.err().contains("error: cannot scan `a/locked`"), "{}", text.err());
    assert_eq!(answer(&mut nobody("--json scan --exclude locked")).code, 0, "what is excluded is not opened");
}

#[test]
fn a_link_to_another_file_system_is_told() {
    let place = Place::new();
    let mounted = place.root.join("a/b");
    let mount = Command::new("mount").args(["-t", "tmpfs", "none"]).arg(&mounted).status();
    if !is_root() || !mount.is_ok_and(|status| status.success()) {
        return skipped("scan::a_link_to_another_file_system_is_told", "mounting is not allowed here");
    }
    let seen = place.link("l", "a/b").link("a/b/in", "x").ask("scan");
    let crossed = place.ask("scan --cross-mounts");
    let text = place.words("scan");
    assert!(Command::new("umount").arg(&mounted).status().unwrap().success());
    assert_eq!((links(&seen), seen.code), (vec!["l"], 0));
    assert_eq!(seen.item()["traits"], json!(["other_fs"]));
    assert_eq!((&seen.json["summary"]["mounts"], &seen.json["summary"]["complete"]), (&json!(1), &json!(true)));
    assert_eq!(links(&crossed), ["a/b/in", "l"]);
    assert!(text.out().contains("1 mount point not entered"), "{}", text.out());
}

#[test]
fn how_far_it_has_come_is_told_on_a_terminal_only() {
    let place = zoo();
    let watched = |options: &str| {
        let scan = format!("{} -C {} scan {options} >/dev/null", env!("CARGO_BIN_EXE_caplink"), place.root.display());
        let output = Command::new("script").args(["-qec", &scan, "/dev/null"]).env("TERM", "xterm").output();
        output.ok().map(|output| String::from_utf8_lossy(&output.stdout).contains("directories: "))
    };
    let Some(told) = watched("--format paths") else {
        return skipped("scan::how_far_it_has_come_is_told_on_a_terminal_only", "there is no `script`");
    };
    assert_eq!((told, watched("-q --format paths")), (true, Some(false)));
    assert_eq!(place.words("scan --format paths").err(), "");
}

#[test]
fn broken_is_every_status_but_ok() {
    let place = zoo();
    let status = |item: &serde_json::Value| item["status"].as_str().unwrap().to_owned();
    let found = |only: &str| place.ask(&format!("scan --only {only}")).json["items"].as_array().unwrap().clone();
    let broken = found("broken");
    assert!(!broken.is_empty() && broken.iter().all(|item| status(item) != "ok"));
    assert_eq!(broken, found("dangling,loop,escape,denied,corrupt"));
    assert_eq!(found("broken,ok").len(), found("ok").len() + broken.len());
}
