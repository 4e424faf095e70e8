//! What a stopped deploy leaves, and who settles it.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;

use serde_json::{Value, json};

use crate::support::{Answer, Place};

/// A deploy of release 2 that was killed between its switch and its confirmation.
fn killed() -> Place {
    let place = Place::new();
    place.link("current", "releases/1");
    assert_eq!(place.words("release add 1").code, 0);
    killed_in(place, "2")
}

/// The same, of the first release.
fn killed_first() -> Place {
    killed_in(Place::new(), "1")
}

fn killed_in(place: Place, release: &str) -> Place {
    let hooks = json!([["sh", "-c", "kill -KILL $PPID"]]);
    let manifest = format!("version = 1\nname = \"x\"\n[release.default]\nafter_switch = {hooks}\n");
    fs::write(place.root.join("caplink.toml"), manifest).unwrap();
    let killed = place.command(["release", "deploy", release]).output().unwrap();
    assert_eq!(killed.status.signal(), Some(9));
    assert_eq!(place.text("current"), Some(format!("releases/{release}").into()));
    fs::remove_file(place.root.join("caplink.toml")).unwrap();
    place
}

fn states(place: &Place) -> Vec<String> {
    let list = place.ask("release list");
    let items = list.json["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| format!("{} {}", item["release"].as_str().unwrap(), item["state"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_killed_deploy_is_an_alarm_until_it_is_switched_back() {
    let place = killed();
    assert_eq!(place.ask("release status").item()["alarm"], "interrupted");
    assert_eq!(place.words("release pin 1").code, 0, "others leave it");
    assert_eq!(place.ask("release status").item()["alarm"], "interrupted");
    let before = place.snapshot();
    let dry = place.ask("-n recover");
    assert_eq!(place.snapshot(), before);
    let recovered = place.ask("recover");
    assert_eq!((recovered.code, &recovered.json["changed"]), (0, &json!(true)));
    let item = &recovered.json["items"][0];
    assert_eq!(
        (&item["release"], &item["settled"], &item["link"]),
        (&json!("2"), &json!("switched_back"), &json!("current"))
    );
    assert_eq!(dry.json["items"][0]["settled"], "switched_back");
    assert_eq!(place.text("current"), Some("releases/1".into()));
    assert_eq!(states(&place), ["1 active", "2 failed"]);
    assert_eq!(place.ask("release status").item()["alarm"], Value::Null);
    let again = place.ask("recover");
    assert_eq!(
        (again.code, &again.json["changed"], again.json["items"].as_array().unwrap().len()),
        (0, &json!(false), 0)
    );
}

#[test]
fn deploy_switch_and_rollback_settle_it_before_their_own_work() {
    for line in ["release deploy 2", "release switch 1", "release deploy 3"] {
        let place = killed();
        fs::create_dir_all(place.root.join("releases/3")).unwrap();
        let answer = place.ask(line);
        assert_eq!(answer.code, 0, "{line}: {}", answer.json);
        assert_eq!(answer.json["recovered"][0]["settled"], "switched_back", "{line}");
        assert_eq!(place.ask("release status").item()["alarm"], Value::Null, "{line}");
    }
}

/// What a document says, but for what no two runs have in common.
fn said(answer: &Answer) -> Value {
    let mut said = json!({});
    for key in ["changed", "items", "recovered", "errors"] {
        said[key] = answer.json[key].clone();
    }
    for key in ["items", "recovered"] {
        for item in said[key].as_array_mut().into_iter().flatten() {
            let item = item.as_object_mut().unwrap();
            for key in ["times", "verified", "checks"] {
                item.remove(key);
            }
        }
    }
    said
}

#[test]
fn a_dry_run_over_what_was_interrupted_says_what_the_real_run_does() {
    for (line, outcome, previous) in [
        ("release deploy 2", "replaced", Some("releases/1")),
        ("release deploy 3 --keep 0", "replaced", Some("releases/1")),
        ("release switch 1", "unchanged", None),
        ("release switch 2", "replaced", Some("releases/1")),
    ] {
        let place = killed();
        fs::create_dir_all(place.root.join("releases/3")).unwrap();
        let before = place.snapshot();
        let dry = place.ask(&format!("-n {line}"));
        assert_eq!(place.snapshot(), before, "{line}");
        let real = place.ask(line);
        assert_eq!(said(&dry), said(&real), "{line}");
        let item = &real.json["items"][0];
        assert_eq!((item["outcome"].as_str(), item["previous"].as_str()), (Some(outcome), previous), "{line}");
        assert_eq!(real.json["recovered"][0]["settled"], "switched_back", "{line}");
    }
    let place = killed();
    assert_eq!(
        (place.ask("-n release rollback").kind(), place.ask("release rollback").kind()),
        ("not_found", "not_found")
    );
}

#[test]
fn a_first_deploy_that_was_interrupted_leaves_no_link_for_a_dry_run_either() {
    let place = killed_first();
    let dry = place.ask("-n release deploy 1");
    let real = place.ask("release deploy 1");
    assert_eq!(said(&dry), said(&real));
    assert_eq!(real.item()["outcome"], "created");
}

#[test]
fn a_link_that_others_changed_since_is_left() {
    let place = killed();
    fs::create_dir_all(place.root.join("releases/3")).unwrap();
    fs::remove_file(place.root.join("current")).unwrap();
    place.link("current", "releases/3");
    let recovered = place.ask("recover");
    assert_eq!(recovered.json["items"][0]["settled"], "left");
    assert_eq!(place.text("current"), Some("releases/3".into()));
    assert_eq!(states(&place), ["1 active", "2 failed", "3 unknown"]);
}

#[test]
fn recover_leaves_alone_an_app_that_somebody_is_at() {
    let place = Place::new();
    place.link("current", "releases/1");
    assert_eq!(place.words("release add 1").code, 0);
    let caplink = env!("CARGO_BIN_EXE_caplink");
    let hooks = json!([["sh", "-c", format!("{caplink} -C ../.. --json recover")]]);
    let manifest = format!("version = 1\nname = \"x\"\n[release.default]\nafter_switch = {hooks}\n");
    fs::write(place.root.join("caplink.toml"), manifest).unwrap();
    let answer = place.ask("release deploy 2");
    let inner = answer.item()["checks"][0]["tail"].as_str().unwrap();
    let inner: Value = serde_json::from_str(inner.lines().next().unwrap()).unwrap();
    assert_eq!((&inner["changed"], inner["items"].as_array().unwrap().len()), (&json!(false), 0));
    assert_eq!(states(&place), ["1 superseded", "2 active"]);
}

#[test]
fn recover_needs_no_reason_where_the_records_demand_one() {
    let place = killed();
    assert_eq!(place.words("records init --require-reason").code, 0);
    assert_eq!(place.ask("release deploy 2").kind(), "policy");
    assert_eq!(place.ask("recover").code, 0);
    assert_eq!(place.text("current"), Some("releases/1".into()));
}

#[test]
fn a_restored_root_is_rebound_with_its_releases() {
    let place = Place::new();
    place.link("current", "releases/1");
    assert_eq!(place.words("release add 1 2").code, 0);
    let copy = place.base.path().join("copy");
    let copied = std::process::Command::new("cp").arg("-a").arg(&place.root).arg(&copy).status().unwrap();
    assert!(copied.success());
    fs::rename(&place.root, place.base.path().join("lost")).unwrap();
    fs::rename(&copy, &place.root).unwrap();
    assert_eq!(place.ask("release status").kind(), "integrity");
    assert_eq!(place.ask("records rebind").outcome(), "rebound");
    assert_eq!(place.ask("release status").item()["alarm"], Value::Null);
    assert_eq!(place.ask("release switch 2").outcome(), "replaced");
}

#[test]
fn renewed_records_have_the_ledger_with_its_times() {
    let place = Place::new();
    place.link("current", "releases/1");
    assert_eq!(place.words("release add 1 2").code, 0);
    assert_eq!(place.words("release pin 2").code, 0);
    assert_eq!(place.words("ensure other --to a").code, 0);
    let before = place.ask("release list").json["items"].clone();
    let log = place.root.join(".caplink/log.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    let (good, last) = text.trim_end().rsplit_once('\n').unwrap();
    fs::write(&log, format!("{good}\n{}\n", last.replace("created", "cre4ted"))).unwrap();
    let _damaged = place.words("records show");
    let added = fs::read_to_string(&log).unwrap() + "x\n";
    fs::write(&log, added).unwrap();
    assert_eq!(place.ask("records renew --reason restored").outcome(), "renewed");
    let times = |items: &Value| items.as_array().unwrap().iter().map(|item| item["times"].clone()).collect::<Vec<_>>();
    let after = place.ask("release list").json["items"].clone();
    assert_eq!(times(&after), times(&before));
    assert_eq!((&after[1]["pinned"], &after[0]["state"]), (&json!(true), &json!("active")));
}

#[test]
fn what_was_said_of_a_release_since_stays_where_its_switch_is_taken_back() {
    for (line, name, key) in [
        ("release pin 1", "1", "pinned"),
        ("release pin 2", "2", "pinned"),
        ("release mark 1 --bad", "1", "bad"),
        ("release mark 2 --bad", "2", "bad"),
    ] {
        let place = killed();
        assert_eq!(place.words(line).code, 0, "{line}");
        assert_eq!(place.ask("recover").code, 0);
        assert_eq!(states(&place), ["1 active", "2 failed"], "{line}");
        let list = place.ask("release list");
        let items = list.json["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["release"] == name).unwrap();
        assert_eq!(item[key], true, "{line}");
    }
}

#[test]
fn a_release_that_others_let_the_link_lead_to_is_entered_as_the_only_active_one() {
    let place = killed();
    for name in ["3", "4"] {
        fs::create_dir_all(place.root.join("releases").join(name)).unwrap();
    }
    fs::remove_file(place.root.join("current")).unwrap();
    place.link("current", "releases/3");
    assert_eq!(place.ask("release add 3").item()["state"], "active");
    assert_eq!(place.ask("recover").code, 0);
    assert_eq!(states(&place), ["1 superseded", "2 failed", "3 active", "4 unknown"]);
    assert_eq!(place.ask("release status").item()["alarm"], Value::Null);
    assert_eq!(place.words("release deploy 4").code, 0);
    assert_eq!(place.words("release rollback").code, 0);
    assert_eq!(place.text("current"), Some("releases/3".into()));
}

#[test]
fn a_release_that_is_gone_by_now_is_switched_back_too() {
    let place = killed();
    fs::remove_dir_all(place.root.join("releases/2")).unwrap();
    let dry = place.ask("-n recover");
    let recovered = place.ask("recover");
    for answer in [dry, recovered] {
        assert_eq!(answer.item()["settled"], "switched_back");
    }
    assert_eq!(place.text("current"), Some("releases/1".into()));
    assert_eq!(place.ask("release status").item()["alarm"], Value::Null);
}

#[test]
fn a_rollback_that_was_killed_before_it_was_confirmed_is_finished_with_its_mark() {
    for (keep, bad) in [("", true), (" --keep-good", false)] {
        let place = Place::new();
        assert_eq!([place.ask("release deploy 1").code, place.ask("release deploy 2").code], [0, 0]);
        assert_eq!(place.ask(&format!("release rollback{keep}")).code, 0);
        // What it told last, that it stands and what it marks, was not written yet.
        let path = place.root.join(".caplink/log.jsonl");
        let log = fs::read_to_string(&path).unwrap();
        let told = log.lines().rev().take_while(|line| line.contains("confirmed") || line.contains("marked")).count();
        assert_eq!(told, if bad { 2 } else { 1 }, "{log}");
        let kept: Vec<&str> = log.lines().collect();
        fs::write(&path, format!("{}\n", kept[..kept.len() - told].join("\n"))).unwrap();
        assert_eq!(place.ask("release status").item()["alarm"], "interrupted");
        let recovered = place.ask("recover");
        assert_eq!((recovered.code, &recovered.item()["settled"]), (0, &json!("confirmed")));
        let list = place.ask("release list");
        let marked: Vec<_> = list.json["items"].as_array().unwrap().iter().map(|item| item["bad"].clone()).collect();
        assert_eq!(marked, [json!(false), json!(bad)], "{keep}");
        assert_eq!(place.text("current"), Some("releases/1".into()));
    }
}
