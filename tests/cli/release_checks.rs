//! Checks and hooks: what they are given, what they come to, and what a failure does.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::{Place, document, skipped};

/// Releases 1 and 2, the first one active, and a manifest with these lines for the app.
fn place(lines: &str) -> Place {
    let place = Place::new();
    place.link("current", "releases/1");
    assert_eq!(place.words("release add 1").code, 0);
    manifest(&place, lines);
    place
}

fn manifest(place: &Place, lines: &str) {
    fs::write(place.root.join("caplink.toml"), format!("version = 1\nname = \"x\"\n[release.default]\n{lines}\n"))
        .unwrap();
}

/// A list with one shell script as its only program.
fn sh(script: &str) -> String {
    json!([["sh", "-c", script]]).to_string()
}

fn state(place: &Place, name: &str) -> String {
    let list = place.ask("release list");
    let items = list.json["items"].as_array().unwrap().clone();
    let item = items.into_iter().find(|item| item["release"] == name).unwrap();
    item["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_check_finds_its_release_its_environment_and_nothing_else() {
    let script = "pwd -P; ls /proc/self/fd | wc -l; readlink /proc/self/fd/0; grep NoNewPrivs /proc/self/status; \
                  ps -o pgid= -p $$ | tr -d ' '; echo $$; env | grep ^CAPLINK_ | sort; cat; echo to stderr >&2";
    let place = place(&format!("check_before = {}\nafter_switch = {}", sh(script), sh("echo $CAPLINK_EVENT")));
    let answer = place.ask("release deploy 2");
    let checks = answer.item()["checks"].as_array().unwrap().clone();
    assert_eq!(checks.len(), 2);
    assert_eq!(checks[1]["tail"], "deploy\n");
    let lines: Vec<&str> = checks[0]["tail"].as_str().unwrap().lines().collect();
    let root = place.root.to_str().unwrap();
    assert_eq!(lines[0], format!("{root}/releases/2"));
    // Three of its own, and the directory that is listed.
    assert_eq!(&lines[1..4], ["4", "/dev/null", "NoNewPrivs:\t0"]);
    assert_eq!(lines[4], lines[5], "it leads a process group");
    let variables = [
        "CAPLINK_APP=default".to_owned(),
        "CAPLINK_EVENT=deploy".to_owned(),
        "CAPLINK_PREVIOUS=1".to_owned(),
        "CAPLINK_RELEASE=2".to_owned(),
        format!("CAPLINK_ROOT={root}"),
    ];
    assert_eq!(&lines[6..11], variables);
    assert_eq!(lines[11], "to stderr");
    assert_eq!((&checks[0]["exit"], &checks[0]["phase"]), (&json!(0), &json!("check_before")));
}

#[test]
fn a_check_that_fails_before_the_switch_switches_nothing() {
    let place = place(&format!("check_before = {}", sh("echo not well; exit 3")));
    let answer = place.ask("release deploy 2");
    let error = answer.error();
    assert_eq!((answer.code, answer.kind(), &error["release"]), (8, "check_failed", &json!("2")));
    let check = &error["check"];
    assert_eq!((&check["exit"], &check["tail"], &check["timed_out"]), (&json!(3), &json!("not well\n"), &json!(false)));
    assert_eq!(place.text("current"), Some("releases/1".into()));
    assert_eq!(state(&place, "2"), "failed");
    manifest(&place, "");
    assert_eq!(place.ask("release deploy 2").outcome(), "replaced", "a failed one may be deployed again");
}

#[test]
fn a_check_that_fails_after_the_switch_switches_back_and_runs_the_hooks_once_more() {
    let note = "echo $CAPLINK_EVENT $CAPLINK_RELEASE from $CAPLINK_PREVIOUS, $(readlink ../../current) >>../../ran";
    let place = place(&format!("after_switch = {}\ncheck_after = {}", sh(note), sh("exit 1")));
    let answer = place.ask("release deploy 2");
    assert_eq!((answer.code, answer.error()["kind"].as_str()), (8, Some("check_failed")));
    assert_eq!(place.text("current"), Some("releases/1".into()));
    assert_eq!(state(&place, "2"), "failed");
    assert_eq!(state(&place, "1"), "active");
    let ran = fs::read_to_string(place.root.join("ran")).unwrap();
    assert_eq!(ran, "deploy 2 from 1, releases/2\nundo 1 from 2, releases/1\n");
    assert_eq!(place.ask("release status").item()["alarm"], Value::Null);
}

#[test]
fn a_first_link_is_removed_again_where_its_release_fails() {
    let place = Place::new();
    manifest(&place, &format!("check_after = {}", sh("exit 1")));
    assert_eq!(place.ask("release deploy 1").code, 8);
    assert_eq!(place.text("current"), None);
    assert_eq!(state(&place, "1"), "failed");
}

#[test]
fn a_failing_rollback_is_told_and_stands() {
    let place = place("");
    assert_eq!(place.words("release deploy 2").code, 0);
    manifest(&place, &format!("check_after = {}", sh("exit 1")));
    let answer = place.ask("release rollback");
    assert_eq!((answer.code, answer.error()["kind"].as_str()), (8, Some("check_failed")));
    assert_eq!(place.text("current"), Some("releases/1".into()), "nothing is switched again");
    assert_eq!(place.ask("release status").item()["alarm"], Value::Null);
}

#[test]
fn a_check_that_takes_too_long_is_ended_with_its_group() {
    let place =
        place(&format!("check_timeout = \"200ms\"\ncheck_before = {}", sh("echo $$ >../../pid; sleep 30 & wait")));
    let begun = Instant::now();
    let answer = place.ask("release deploy 2");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    let check = &answer.error()["check"];
    assert_eq!((&check["timed_out"], &check["signal"]), (&json!(true), &json!(15)));
    let group: i32 = fs::read_to_string(place.root.join("pid")).unwrap().trim().parse().unwrap();
    assert!(kill(Pid::from_raw(-group), None).is_err(), "something of the group is left");
}

#[test]
fn one_that_does_not_listen_to_the_first_signal_is_killed_after_five_seconds() {
    let place = place(&format!("check_timeout = \"100ms\"\ncheck_before = {}", sh("trap '' TERM; sleep 30; sleep 30")));
    let begun = Instant::now();
    let answer = place.ask("release deploy 2");
    let elapsed = begun.elapsed();
    assert!(elapsed > Duration::from_secs(5) && elapsed < Duration::from_secs(9), "{elapsed:?}");
    assert_eq!(answer.error()["check"]["signal"], 9);
}

#[test]
fn a_check_is_tried_again_as_often_as_is_said() {
    let script = "echo x >>../../tries; test $(wc -l <../../tries) -ge 3";
    let retry = "check_retries = 2\ncheck_interval = \"10ms\"\n";
    let place = place(&format!("{retry}check_after = {}", sh(script)));
    let answer = place.ask("release deploy 2");
    let exits: Vec<Value> =
        answer.item()["checks"].as_array().unwrap().iter().map(|check| check["exit"].clone()).collect();
    assert_eq!(exits, [json!(1), json!(1), json!(0)]);
}

#[test]
fn a_signal_ends_the_running_check_and_the_deploy_counts_as_failed() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let place = place(&format!("check_after = {}", sh("echo >../../running; sleep 30")));
        let child = place
            .command(["--json", "release", "deploy", "2"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while !place.root.join("running").exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
        let begun = Instant::now();
        let output = child.wait_with_output().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(4));
        assert_eq!(
            (output.status.code(), document(&output.stdout)["errors"][0]["kind"].as_str()),
            (Some(8), Some("check_failed"))
        );
        assert_eq!(place.text("current"), Some("releases/1".into()), "{signal}");
        assert_eq!(state(&place, "2"), "failed");
    }
}

#[test]
fn a_hook_that_leaves_a_daemon_behind_neither_blocks_nor_keeps_the_lock() {
    let place = place(&format!("after_switch = {}", sh("sleep 20 & echo $! >../../daemon")));
    let begun = Instant::now();
    assert_eq!(place.ask("release deploy 2").outcome(), "replaced");
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(place.words("release mark 1 --bad").code, 0, "the lock is free");
    let daemon: i32 = fs::read_to_string(place.root.join("daemon")).unwrap().trim().parse().unwrap();
    kill(Pid::from_raw(daemon), Signal::SIGKILL).expect("it runs on");
}

#[test]
fn a_hook_may_run_caplink_on_the_same_root() {
    let caplink = env!("CARGO_BIN_EXE_caplink");
    let script = format!("{caplink} -C ../.. release status -q && {caplink} -C ../.. ensure latest --to current");
    let place = place(&format!("after_switch = {}", sh(&script)));
    let answer = place.ask("release deploy 2");
    let tail = answer.item()["checks"][0]["tail"].as_str().unwrap();
    assert_eq!(tail, "2\nlatest -> current (created, atomic)\n");
}

#[test]
fn one_mutation_of_an_app_at_a_time_and_the_holder_is_named() {
    let caplink = env!("CARGO_BIN_EXE_caplink");
    let script = format!("{caplink} -C ../.. --json --lock-timeout 50ms release mark 1 --bad || test $? = 6");
    let place = place(&format!("check_before = {}", sh(&script)));
    let answer = place.ask("release deploy 2");
    let inner: Value =
        serde_json::from_str(answer.item()["checks"][0]["tail"].as_str().unwrap().lines().next().unwrap()).unwrap();
    let error = &inner["errors"][0];
    assert_eq!(error["kind"], "busy");
    assert_eq!(error["holder"]["program"], "caplink");
    assert!(error["holder"]["pid"].is_u64() && error["holder"]["since"].is_string(), "{error}");
}

#[test]
fn a_program_that_others_can_write_is_not_started() {
    let place = place("check_before = [[\"./check\"]]");
    let program = place.root.join("releases/2/check");
    fs::File::create(&program).unwrap().write_all(b"#!/bin/sh\ntouch ../../ran\n").unwrap();
    let refused = |what: &str| {
        let answer = place.ask("release deploy 2");
        assert_eq!((answer.code, answer.kind()), (4, "unsafe_manifest"), "{what}");
        assert!(!place.root.join("ran").exists());
    };
    fs::set_permissions(&program, fs::Permissions::from_mode(0o777)).unwrap();
    refused("the program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(program.parent().unwrap(), fs::Permissions::from_mode(0o777)).unwrap();
    refused("its directory");
    fs::set_permissions(program.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(place.root.join("caplink.toml"), fs::Permissions::from_mode(0o666)).unwrap();
    refused("the manifest");
    fs::set_permissions(place.root.join("caplink.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(place.ask("release deploy 2").outcome(), "replaced");
}

#[test]
fn a_program_is_not_started_where_others_can_write_any_directory_on_the_way() {
    let place = place("check_before = [[\"./bin/deep/check\"]]");
    let release = place.root.join("releases/2");
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    fs::create_dir_all(release.join("bin/deep")).unwrap();
    let program = release.join("bin/deep/check");
    fs::File::create(&program).unwrap().write_all(b"#!/bin/sh\ntouch ../../ran\n").unwrap();
    mode(&program, 0o755);
    let refused = |what: &str| {
        let answer = place.ask("release deploy 2");
        assert_eq!((answer.code, answer.kind()), (4, "unsafe_manifest"), "{what}");
        assert!(!place.root.join("ran").exists(), "{what}");
    };
    for dir in ["", "bin", "bin/deep"] {
        mode(&release.join(dir), 0o777);
        refused(dir);
        mode(&release.join(dir), 0o755);
    }
    // Through a link, and by an absolute path.
    let tools = place.root.join("tools");
    fs::create_dir_all(tools.join("bin")).unwrap();
    fs::rename(&program, tools.join("bin/check")).unwrap();
    std::os::unix::fs::symlink("../../../../tools/bin/check", &program).unwrap();
    mode(&tools, 0o777);
    refused("behind a link");
    manifest(&place, &format!("check_before = [[{:?}]]", tools.join("bin/check")));
    refused("absolute");
    // What is sticky lets others rename nothing that is not theirs.
    mode(&tools, 0o1777);
    assert_eq!(place.ask("release deploy 2").outcome(), "replaced");
    assert!(place.root.join("ran").exists());
}

#[test]
fn a_relative_directory_of_the_search_path_is_judged_where_the_program_is_started() {
    let place = place("check_before = [[\"planted\"]]");
    let bin = place.root.join("releases/2/bin");
    fs::create_dir(&bin).unwrap();
    fs::File::create(bin.join("planted")).unwrap().write_all(b"#!/bin/sh\ntouch ../../ran\n").unwrap();
    fs::set_permissions(bin.join("planted"), fs::Permissions::from_mode(0o777)).unwrap();
    let path = format!("bin:{}", std::env::var("PATH").unwrap());
    let answer = place.command(["release", "deploy", "2"]).env("PATH", path).output().unwrap();
    assert_eq!(answer.status.code(), Some(4), "{answer:?}");
    assert!(!place.root.join("ran").exists());
}

#[test]
fn a_switch_runs_the_hooks_too_and_a_failing_one_is_switched_back() {
    let place = place("");
    assert_eq!(place.words("release add 2").code, 0);
    manifest(&place, &format!("after_switch = {}", sh("echo $CAPLINK_EVENT >../../event")));
    assert_eq!(place.ask("release switch 2").outcome(), "replaced");
    assert_eq!(fs::read_to_string(place.root.join("event")).unwrap(), "switch\n");
    manifest(&place, &format!("check_after = {}", sh("exit 1")));
    assert_eq!(place.ask("release switch 1").code, 8);
    assert_eq!(place.text("current"), Some("releases/2".into()));
}

#[test]
fn shared_links_are_made_when_a_release_is_entered() {
    let shared = |seed: &str| {
        format!(
            "[[release.default.shared]]\nat = \"storage\"\nto = \"shared/storage\"\nkind = \"dir\"\nseed = \"{seed}\""
        )
    };
    let place = place(&shared("refuse"));
    assert_eq!(place.ask("release add 2").kind(), "ok");
    assert_eq!(place.text("releases/2/storage"), Some("../../shared/storage".into()));
    assert!(place.root.join("shared/storage").is_dir(), "a missing directory is made");

    let brought = |name: &str| {
        let dir = place.root.join("releases").join(name).join("storage");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("seed"), name).unwrap();
    };
    brought("3");
    let refused = place.ask("release add 3");
    assert_eq!((refused.code, refused.kind()), (3, "not_a_link"));
    manifest(&place, &shared("aside"));
    let aside = place.ask("release add 3");
    let backup = aside.json["items"].as_array().unwrap().iter().find_map(|item| item["backup"].as_str()).unwrap();
    assert_eq!(fs::read_to_string(place.root.join(backup).join("seed")).unwrap(), "3");

    fs::remove_dir_all(place.root.join("shared")).unwrap();
    brought("4");
    manifest(&place, &shared("move"));
    assert_eq!(place.ask("release add 4").kind(), "ok");
    assert_eq!(fs::read_to_string(place.root.join("shared/storage/seed")).unwrap(), "4");
    assert_eq!(fs::read_to_string(place.root.join("releases/4/storage/seed")).unwrap(), "4");

    manifest(&place, "[[release.default.shared]]\nat = \".env\"\nto = \"shared/env\"");
    brought("5");
    assert_eq!(place.ask("release add 5").kind(), "dangling");
}

#[test]
fn a_hook_may_use_sudo() {
    let works = Command::new("sudo").args(["-n", "true"]).stderr(Stdio::null()).status();
    if !works.is_ok_and(|status| status.success()) {
        return skipped("a_hook_may_use_sudo", "there is no sudo that asks for no password");
    }
    let place = place("after_switch = [[\"sudo\", \"-n\", \"id\", \"-u\"]]");
    assert_eq!(place.ask("release deploy 2").item()["checks"][0]["tail"], "0\n");
}

#[test]
fn a_release_that_passed_once_stays_confirmed_where_a_later_deploy_of_it_fails() {
    let place = place("");
    for name in ["2", "1"] {
        assert_eq!(place.words(&format!("release deploy {name}")).code, 0);
    }
    manifest(&place, &format!("check_before = {}", sh("exit 1")));
    assert_eq!(place.ask("release deploy 2").code, 8);
    let list = place.ask("release list");
    let item = list.json["items"].as_array().unwrap().iter().find(|item| item["release"] == "2").unwrap();
    assert_eq!((&item["state"], &item["confirmed"], &item["bad"]), (&json!("failed"), &json!(true), &json!(false)));
    manifest(&place, "");
    assert_eq!(place.ask("release deploy 2").outcome(), "replaced", "a failed one may be deployed again");
}
