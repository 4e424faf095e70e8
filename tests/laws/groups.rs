//! The laws of records and groups: programs that are killed at some moment, and others that change links meanwhile.

use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use super::*;

fn caplink(ground: &Ground, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caplink"));
    command.arg("-C").arg(ground.at("root")).arg("--json").args(words);
    for variable in ["CAPLINK_ROOT", "CAPLINK_STATE", "CAPLINK_REASON", "CAPLINK_ACTOR"] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn document(ground: &Ground, words: &[&str]) -> Value {
    let output = caplink(ground, words).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn recorded() -> Ground {
    let ground = Ground::new();
    assert!(caplink(&ground, &["records", "init"]).status().unwrap().success());
    ground
}

/// How long a run takes that nobody stops.
fn takes(ground: &Ground, words: &[&str]) -> Duration {
    let begun = Instant::now();
    assert!(caplink(ground, words).status().unwrap().success());
    begun.elapsed()
}

/// Starts a program and kills it after a part of the time that it takes. Returns whether it was killed.
fn killed(ground: &Ground, words: &[&str], after: Duration) -> bool {
    let mut child = caplink(ground, words).spawn().unwrap();
    thread::sleep(after);
    let running = child.try_wait().unwrap().is_none();
    let _ = child.kill();
    child.wait().unwrap();
    running
}

fn text(ground: &Ground, link: &str) -> String {
    fs::read_link(ground.at("root").join(link)).unwrap().display().to_string()
}

#[test]
fn law_11_a_change_that_others_can_see_is_in_the_log() {
    let ground = recorded();
    let time = takes(&ground, &["ensure", "current", "--to", "releases/1"]);
    let mut was_killed = 0;
    for round in 0..40 {
        let target = format!("releases/{}", 1 + round % 2);
        was_killed += u32::from(killed(&ground, &["ensure", "current", "--to", &target], time * round / 40));
        let seen = text(&ground, "current");
        let last = |outcomes: &[&str]| {
            let log = document(&ground, &["log", "--link", "current"]);
            let items = log["items"].as_array().unwrap().clone();
            let of = |item: &&Value| outcomes.contains(&item["outcome"].as_str().unwrap());
            items.iter().rev().find(of).map(|item| item["target"].as_str().unwrap().to_owned())
        };
        // At once, though nobody may know yet what became of it.
        assert!([last(&["created", "replaced"]), last(&["unknown"])].contains(&Some(seen.clone())), "law 11: {seen}");
        document(&ground, &["recover"]);
        assert_eq!(last(&["created", "replaced"]), Some(seen), "law 11: what is in the log is what happened");
        assert_eq!(last(&["unknown"]), None);
    }
    assert!(was_killed > 0);
}

#[test]
fn law_12_a_group_stands_or_is_taken_back_whole() {
    let ground = recorded();
    let names: Vec<String> = (0..6).map(|number| format!("d/g{number}")).collect();
    let write = |target: usize| {
        let line =
            |name: &String| format!("{{\"verb\":\"ensure\",\"link\":\"{name}\",\"to\":\"releases/{target}\"}}\n");
        fs::write(ground.at("lines"), names.iter().map(line).collect::<String>()).unwrap();
    };
    let lines = ground.at("lines");
    let batch = ["batch", "--all-or-nothing", lines.to_str().unwrap()];
    write(1);
    let time = takes(&ground, &batch);
    let all = || names.iter().map(|name| text(&ground, name)).collect::<Vec<_>>();
    let (mut was_killed, mut taken_back) = (0, 0);
    for round in 0..40 {
        let before = all();
        write(1 + (round as usize + 1) % 2);
        was_killed += u32::from(killed(&ground, &batch, time * round / 40));
        document(&ground, &["recover"]);
        let after = all();
        assert!(after.iter().all(|text| *text == after[0]), "law 12: {after:?}");
        taken_back += u32::from(before == after);
    }
    assert!(was_killed > 0 && taken_back > 0, "{was_killed} {taken_back}");
    // A link that others changed meanwhile is theirs: the others are all old or all new.
    let others = ground.at("root/d/g3");
    for round in 0..20 {
        write(1 + (round as usize) % 2);
        let mut child = caplink(&ground, &batch).spawn().unwrap();
        thread::sleep(time * round / 20);
        let beside = ground.at("root/d/theirs");
        symlink("../u", &beside).unwrap();
        fs::rename(&beside, &others).unwrap();
        child.wait().unwrap();
        document(&ground, &["recover"]);
        let after = all();
        let rest: Vec<&String> = after.iter().enumerate().filter(|(at, _)| *at != 3).map(|(_, text)| text).collect();
        assert!(rest.iter().all(|text| *text == rest[0]), "law 12: {after:?}");
        assert!(after[3] == "../u" || after[3] == *rest[0], "law 12: {after:?}");
    }
}
