//! What the system refuses: the error, the exit code, and what is left.
//!
//! The refusals are put into the program's calls by `strace`, each at a certain call.

use std::fs::{self, File};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Answer, Place, answer, skipped};

pub(crate) fn has_strace(test: &str) -> bool {
    // A host may have the program and not let it trace.
    let able =
        Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success());
    if !able {
        skipped(test, "strace is unavailable");
    }
    able
}

/// Runs with these calls refused, for instance `unlinkat:error=EIO`.
fn refusing(place: &Place, faults: &[&str], line: &str) -> Answer {
    let mut command = Command::new("strace");
    command.args(["-qq", "-f", "-o", "/dev/null"]);
    for fault in faults {
        command.arg("-e").arg(format!("inject={fault}"));
    }
    command.arg(env!("CARGO_BIN_EXE_caplink")).args(["--json", "-C"]).arg(&place.root).args(line.split_whitespace());
    answer(&mut command)
}

/// The names of staged links that are on disk.
fn staged(place: &Place) -> Vec<Value> {
    let names = fs::read_dir(&place.root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(".caplink")).map(Value::from).collect()
}

#[test]
fn an_error_of_the_system_has_its_kind_and_leaves_everything_as_it_was() {
    if !has_strace("faults::an_error_of_the_system_has_its_kind") {
        return;
    }
    let place = Place::new();
    place.link("l", "file");
    let before = place.snapshot();
    for (fault, kind, code) in [
        ("symlinkat:error=ENOSPC", "no_space", 10),
        ("symlinkat:error=EDQUOT", "no_space", 10),
        ("symlinkat:error=EROFS", "read_only", 10),
        ("symlinkat:error=EACCES", "permission", 10),
        ("symlinkat:error=EIO", "io", 10),
        ("renameat2:error=EIO", "io", 10),
        ("renameat2:error=ENOSPC", "no_space", 10),
        ("renameat2:error=EACCES", "permission", 10),
        ("openat2:error=EMFILE:when=2+", "fd_exhausted", 10),
        ("openat2:error=EAGAIN:when=2+", "contended", 3),
    ] {
        let refused = refusing(&place, &[fault], "ensure l --to a");
        assert_eq!((refused.kind(), refused.code), (kind, code), "{fault}");
        assert_eq!(
            (&refused.error()["link"], refused.json["changed"].as_bool()),
            (&json!("l"), Some(false)),
            "{fault}"
        );
        assert_eq!(place.snapshot(), before, "{fault}");
    }
}

#[test]
fn what_cannot_be_taken_back_is_listed_beside_the_error() {
    if !has_strace("faults::what_cannot_be_taken_back_is_listed_beside_the_error") {
        return;
    }
    let place = Place::new();
    place.link("l", "file");
    let refused = refusing(&place, &["renameat2:error=EIO", "unlinkat:error=EIO"], "ensure l --to a");
    let kinds: Vec<_> = refused.json["errors"].as_array().unwrap().iter().map(|error| error["kind"].clone()).collect();
    assert_eq!((kinds, refused.code), (vec![json!("io"), json!("residue")], 10));
    assert_eq!(refused.json["errors"][1]["left"].as_array(), Some(&staged(&place)));
    assert_eq!((staged(&place).len(), refused.json["changed"].as_bool()), (1, Some(false)));
    assert_eq!(place.text("l"), Some("file".into()));
    assert!(refused.json["errors"][0].get("left").is_none());
}

#[test]
fn the_way_out_of_a_displaced_link_is_not_the_repair_that_would_remove_it() {
    if !has_strace("faults::the_way_out_of_a_displaced_link_is_not_the_repair_that_would_remove_it") {
        return;
    }
    let place = Place::new();
    place.link("l", "file");
    // It is moved away, and then neither looked at nor moved back.
    let refused = refusing(&place, &["readlinkat:error=EIO:when=3+", "renameat2:error=EIO:when=2+"], "remove l");
    let residue = &refused.json["errors"][1];
    assert_eq!((&residue["kind"], refused.code), (&json!("residue"), 10), "{}", refused.json);
    let kept = staged(&place)[0].as_str().unwrap().to_owned();
    assert_eq!(residue["left"], json!([kept]));
    let expected = format!(
        "an entry that is not caplink's own could not go back to its name; look with `caplink -C {} inspect {kept}`",
        place.root.display()
    );
    assert_eq!(residue["hint"], expected);
    assert_eq!((&refused.json["changed"], place.text("l")), (&json!(true), None));
}

#[test]
fn a_directory_that_others_keep_moving_is_contended_also_where_links_are_followed() {
    if !has_strace("faults::a_directory_that_others_keep_moving_is_contended_also_where_links_are_followed") {
        return;
    }
    let place = Place::new();
    place.link("way", "a");
    let before = place.snapshot();
    for dir in ["a", "way"] {
        // The first opens the root; from the next on the kernel never comes to an end.
        for line in [format!("create --follow {dir}/n --to file"), format!("ensure --follow {dir}/n --to file")] {
            let refused = refusing(&place, &["openat2:error=EAGAIN:when=2+"], &line);
            assert_eq!((refused.kind(), refused.code), ("contended", 3), "{line}: {}", refused.json);
        }
    }
    assert_eq!(place.snapshot(), before);
}

#[test]
fn a_confinement_that_fails_has_the_kind_of_the_failure() {
    if !has_strace("faults::a_confinement_that_fails_has_the_kind_of_the_failure") {
        return;
    }
    let place = Place::new();
    place.link("l", "file");
    if place.ask("doctor").json["landlock"] == "none" {
        return skipped("faults::a_confinement_that_fails_has_the_kind_of_the_failure", "this kernel has no Landlock");
    }
    let before = place.snapshot();
    for (error, kind) in [("EIO", "io"), ("ENOMEM", "io"), ("EMFILE", "fd_exhausted")] {
        for call in ["landlock_add_rule", "landlock_restrict_self"] {
            for line in ["ensure l --to a", "create n --to file", "remove l", "repair --retarget file=a"] {
                let refused = refusing(&place, &[&format!("{call}:error={error}")], line);
                assert_eq!((refused.kind(), refused.code), (kind, 10), "{call} {error}: {line}");
            }
        }
    }
    assert_eq!(place.snapshot(), before);
}

#[test]
fn a_change_that_stands_keeps_its_outcome_beside_what_is_left() {
    if !has_strace("faults::a_change_that_stands_keeps_its_outcome_beside_what_is_left") {
        return;
    }
    for line in ["ensure l --to a", "remove l"] {
        let place = Place::new();
        place.link("l", "file");
        let stands = refusing(&place, &["unlinkat:error=EIO"], line);
        assert_eq!((stands.refusal(), stands.json["changed"].as_bool()), ((10, "residue", None, None), Some(true)));
        assert_eq!((&stands.error()["link"], stands.error()["left"].as_array()), (&json!("l"), Some(&staged(&place))));
        assert_eq!(stands.json["items"][0]["previous"], "file");
        assert_ne!(place.text("l"), Some("file".into()));
        let name = staged(&place)[0].as_str().unwrap().to_owned();
        assert!(stands.error()["message"].as_str().unwrap().contains(&name), "{}", stands.json);
    }
}

#[test]
fn a_change_that_cannot_be_synced_stands_and_says_so() {
    if !has_strace("faults::a_change_that_cannot_be_synced_stands_and_says_so") {
        return;
    }
    for (level, call) in [("dir", "fsync"), ("fs", "syncfs")] {
        let place = Place::new();
        let line = format!("create l --to file --durability {level}");
        let stands = refusing(&place, &[&format!("{call}:error=EIO")], &line);
        assert_eq!(stands.refusal(), (10, "io", None, None));
        assert_eq!(
            (&stands.json["items"][0]["durability"], stands.json["changed"].as_bool()),
            (&json!("none"), Some(true))
        );
        assert_eq!(place.text("l"), Some("file".into()));
    }
}

#[test]
fn every_directory_that_got_a_new_one_is_synced_once_for_an_edit_and_for_a_batch() {
    if !has_strace("faults::every_directory_that_got_a_new_one_is_synced_once_for_an_edit_and_for_a_batch") {
        return;
    }
    let lines = "{\"verb\":\"create\",\"link\":\"n/e/w\",\"to\":\"file\",\"parents\":true}\n\
                 {\"verb\":\"create\",\"link\":\"n/e/x\",\"to\":\"file\"}\n";
    for options in ["", "--confine off "] {
        for line in ["create n/e/w --to file -p --durability dir", "batch LINES"] {
            let place = Place::new();
            let (file, log) = (place.base.path().join("lines"), place.base.path().join("log"));
            fs::write(&file, lines).unwrap();
            let line = format!("{options}{}", line.replace("LINES", file.to_str().unwrap()));
            let mut command = Command::new("strace");
            command.args(["-qq", "-f", "-y", "-e", "trace=fsync", "-o"]).arg(&log).arg(env!("CARGO_BIN_EXE_caplink"));
            let ran = answer(command.arg("--json").arg("-C").arg(&place.root).args(line.split_whitespace()));
            assert_eq!((ran.code, &ran.json["items"][0]["durability"]), (0, &json!("dir")), "{line}");
            let log = fs::read_to_string(&log).unwrap();
            let mut synced: Vec<_> = log.lines().filter_map(|line| line.split(['<', '>']).nth(1)).collect();
            synced.sort_unstable();
            let expected = ["", "/n", "/n/e"].map(|below| format!("{}{below}", place.root.display()));
            assert_eq!(synced, expected, "{line}: {log}");
            let other = Place::new();
            let unsynced = refusing(&other, &["fsync:error=EIO:when=1"], &line);
            assert_eq!((unsynced.kind(), unsynced.code), ("io", 10), "{line}");
            assert_eq!(unsynced.json["items"][0]["durability"], "none", "{line}");
            assert_eq!(other.text("n/e/w"), Some("../../file".into()));
        }
    }
}

#[test]
fn without_the_exchange_the_guarantee_is_less_or_refused() {
    if !has_strace("faults::without_the_exchange_the_guarantee_is_less_or_refused") {
        return;
    }
    for error in ["EINVAL", "ENOSYS", "EPERM"] {
        let place = Place::new();
        place.link("l", "file").link("m", "a");
        let fault = format!("renameat2:error={error}");
        let before = place.snapshot();
        for line in ["ensure l --to a", "swap l --to a --expect file", "remove l", "exchange l m"] {
            for option in ["--require atomic", "--require atomic -n"] {
                let refused = refusing(&place, &[&fault], &format!("{line} {option}"));
                assert_eq!((refused.kind(), refused.code), ("unsupported", 10), "{line} {option} {error}");
            }
        }
        assert_eq!(refusing(&place, &[&fault], "exchange l m").kind(), "unsupported");
        assert_eq!(place.snapshot(), before);
        assert_eq!(refusing(&place, &[&fault], "ensure l --to file --require atomic").outcome(), "unchanged");
        assert_eq!(refusing(&place, &[&fault], "create n --to file --require atomic").item()["guarantee"], "atomic");
        for (line, outcome) in [("ensure l --to a", "replaced"), ("remove l", "removed")] {
            let weaker = refusing(&place, &[&fault], line);
            assert_eq!((weaker.outcome(), &weaker.item()["guarantee"]), (outcome, &json!("cooperative")), "{error}");
        }
        let doctor = refusing(&place, &[&fault], "doctor").json;
        assert_eq!((&doctor["exchange"], &doctor["guarantee"]), (&json!(false), &json!("cooperative")), "{error}");
    }
}

#[test]
fn directories_that_were_made_are_listed_also_after_an_error() {
    if !has_strace("faults::directories_that_were_made_are_listed_also_after_an_error") {
        return;
    }
    let place = Place::new();
    let refused = refusing(&place, &["symlinkat:error=ENOSPC"], "create n/e/w --to file -p");
    assert_eq!((refused.kind(), refused.code), ("no_space", 10));
    assert_eq!(refused.json["made"], json!(["n", "n/e"]));
    assert_eq!(refused.error()["made"], json!(["n", "n/e"]));
    assert!(place.root.join("n/e").is_dir());
}

#[test]
fn a_lock_that_another_holds_makes_it_busy() {
    let place = Place::new();
    place.link("l", "file").link("m", "a");
    let held = File::open(&place.root).unwrap();
    held.lock().unwrap();
    let before = place.snapshot();
    for line in ["ensure l --to a", "swap l --to a --expect file", "remove l", "exchange l m"] {
        let refused = place.ask(line);
        assert_eq!((refused.kind(), refused.code), ("busy", 6), "{line}");
    }
    assert_eq!(place.snapshot(), before);
    for line in ["ensure l --to file", "inspect l", "resolve l"] {
        assert_eq!(place.ask(line).code, 0, "{line}");
    }
    held.unlock().unwrap();
    assert_eq!(place.ask("ensure l --to a").outcome(), "replaced");
}

#[test]
fn changes_are_confined_as_far_as_was_asked_for() {
    let place = Place::new();
    let level = place.ask("doctor").json["landlock"].as_str().unwrap().to_owned();
    let lines = ["create l --to file", "ensure l --to a", "swap l --to file --expect a", "exchange l m", "remove l"];
    for (option, expected) in [("", &*level), ("--confine auto", &level), ("--confine off", "none")] {
        place.link("m", "file");
        for line in lines {
            for line in [format!("{line} {option} -n"), format!("{line} {option}")] {
                let item = &place.ask(&line).json["items"][0];
                assert_eq!(item["confinement"], expected, "{line}");
            }
        }
        fs::remove_file(place.root.join("m")).unwrap();
    }
    if level == "none" {
        skipped("faults::changes_are_confined_as_far_as_was_asked_for", "this kernel has no Landlock");
        return;
    }
    assert_eq!(place.ask("create l --to file --confine require").item()["confinement"], *level);
}

#[test]
fn without_landlock_changes_are_made_without_or_refused() {
    if !has_strace("faults::without_landlock_changes_are_made_without_or_refused") {
        return;
    }
    for error in ["ENOSYS", "EOPNOTSUPP"] {
        let place = Place::new();
        place.link("l", "file").link("m", "a");
        let fault = format!("landlock_create_ruleset:error={error}");
        let before = place.snapshot();
        for line in [
            "create n --to file",
            "ensure l --to a",
            "ensure l --to file",
            "exchange l m",
            "remove l",
            "remove n --missing-ok",
            "repair --tidy",
        ] {
            let refused = refusing(&place, &[&fault], &format!("{line} --confine require"));
            assert_eq!((refused.kind(), refused.code), ("unsupported", 10), "{line} {error}");
            let mut planned = refusing(&place, &[&fault], &format!("{line} --confine require -n"));
            assert_eq!(planned.json["dry_run"], true);
            planned.json["dry_run"] = json!(false);
            assert_eq!((planned.code, &planned.json), (10, &refused.json), "a dry run of {line}");
        }
        assert_eq!(place.snapshot(), before);
        assert_eq!(refusing(&place, &[&fault], "inspect l --confine require").code, 0, "looking changes nothing");
        assert_eq!(refusing(&place, &[&fault], "ensure l --to a").item()["confinement"], "none");
        assert_eq!(refusing(&place, &[&fault], "doctor").json["landlock"], "none");
    }
}

#[test]
fn a_directory_whose_entries_cannot_be_read_is_named() {
    if !has_strace("faults::a_directory_whose_entries_cannot_be_read_is_named") {
        return;
    }
    let place = Place::new();
    for (line, dir) in [("scan", "."), ("scan a", "a"), ("scan a/b/", "a/b"), ("scan -j 2 a", "a")] {
        let refused = refusing(&place, &["getdents64:error=EACCES"], line);
        assert_eq!((refused.code, refused.kind()), (10, "permission"), "{line}");
        assert_eq!((&refused.error()["link"], &refused.json["summary"]["dirs_unread"]), (&json!(dir), &json!(1)));
    }
}

#[test]
fn a_repair_reports_what_it_could_not_look_at_by_its_own_kind() {
    if !has_strace("faults::a_repair_reports_what_it_could_not_look_at") {
        return;
    }
    let place = Place::new();
    place.link("to", "a/b").link("l", "to//../b").link("dangling", "to/../gone");
    let before = place.snapshot();
    // The lookups of the scan come before those of the repair.
    for (fault, kind) in [("EIO", "io"), ("EMFILE", "fd_exhausted"), ("EPERM", "permission")] {
        let mut seen = 0;
        for lookup in [17, 21, 24, 29] {
            let faults = format!("openat2:error={fault}:when={lookup}");
            let answer = refusing(&place, &[&faults], "--confine off -n repair --tidy --remove-dangling");
            let errors = answer.json["errors"].as_array().unwrap();
            assert!(errors.iter().all(|error| error["kind"] == kind), "{faults}: {}", answer.json);
            seen += errors.iter().filter(|error| error["message"].as_str().unwrap().contains("repair")).count();
        }
        assert!(seen > 0, "{fault}");
    }
    assert_eq!(place.snapshot(), before);
}
