//! `release`: entering, switching, rolling back, looking.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Answer, Place};

/// Releases 1 to 3, and a link to the first one if there is a text for it.
fn place(current: Option<&str>) -> Place {
    let place = Place::new();
    fs::create_dir_all(place.root.join("releases/3")).unwrap();
    if let Some(text) = current {
        place.link("current", text);
    }
    place
}

/// Release and a key of each item.
fn keys(answer: &Answer, key: &str) -> Vec<(String, Value)> {
    let items = answer.json["items"].as_array().unwrap();
    items.iter().map(|item| (item["release"].as_str().unwrap().to_owned(), item[key].clone())).collect()
}

fn told(answer: &Answer) -> Vec<(String, String)> {
    keys(answer, "outcome").into_iter().map(|(release, outcome)| (release, outcome.as_str().unwrap().into())).collect()
}

fn status(place: &Place) -> Value {
    place.ask("release status").item().clone()
}

fn release_of(place: &Place) -> String {
    place.words("release status -q").out().trim_end().to_owned()
}

#[test]
fn a_running_site_is_taken_over_with_two_commands_and_its_link_is_not_touched_before_the_deploy() {
    for style in ["relative", "absolute"] {
        let place = place(None);
        let text = match style {
            "absolute" => place.root.join("releases/2").into_os_string(),
            _ => OsString::from("releases/2"),
        };
        symlink(&text, place.root.join("current")).unwrap();
        let link = fs::symlink_metadata(place.root.join("current")).unwrap();
        let added = place.ask("release add 1 2");
        assert_eq!(told(&added), [("1".into(), "entered".into()), ("2".into(), "entered".into())], "{style}");
        assert_eq!(keys(&added, "state")[1].1, "active");
        assert_eq!(keys(&added, "confirmed"), [("1".into(), json!(false)), ("2".into(), json!(true))]);
        assert_eq!(place.text("current"), Some(text));
        assert_eq!(fs::symlink_metadata(place.root.join("current")).unwrap().ino(), link.ino());

        let deployed = place.ask("release deploy 3");
        let item = deployed.item();
        let there = if style == "absolute" { place.root.join("releases/3") } else { "releases/3".into() };
        assert_eq!(place.text("current"), Some(there.clone().into_os_string()), "the style of the text stays");
        let expected = json!([there.to_str(), "replaced", "3", "2", "atomic", "default"]);
        let keys = ["target", "outcome", "release", "previous_release", "guarantee", "app"];
        assert_eq!(Value::from(keys.map(|key| item[key].clone()).to_vec()), expected);
        assert_eq!(status(&place)["alarm"], Value::Null);
    }
}

#[test]
fn adding_twice_is_adding_once() {
    let place = place(None);
    assert_eq!(told(&place.ask("release add 1")), [("1".into(), "entered".into())]);
    let lines = || fs::read_to_string(place.root.join(".caplink/log.jsonl")).unwrap().lines().count();
    let before = lines();
    let again = place.ask("release add 1");
    assert_eq!((told(&again), again.json["changed"].clone()), (vec![("1".into(), "unchanged".into())], json!(false)));
    assert_eq!(lines(), before);
}

#[test]
fn what_is_no_release_is_not_entered_and_does_not_stop_the_others() {
    let place = place(None);
    fs::write(place.root.join("releases/file"), "").unwrap();
    symlink("2", place.root.join("releases/link")).unwrap();
    let answer = place.ask("release add none file link .hidden a/b .. 1");
    let errors: Vec<(String, Value)> = answer.json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["kind"].as_str().unwrap().to_owned(), error["release"].clone()))
        .collect();
    let expected = [
        ("not_found", "none"),
        ("not_a_directory", "file"),
        ("not_a_directory", "link"),
        ("invalid_path", ".hidden"),
        ("invalid_path", "a/b"),
        ("escape", ".."),
    ];
    assert_eq!(errors, expected.map(|(kind, release)| (kind.to_owned(), json!(release))));
    assert_eq!((told(&answer), answer.code), (vec![("1".into(), "entered".into())], 4));
}

#[test]
fn another_directory_of_the_name_is_entered_anew_only_where_nothing_was_active() {
    let place = place(Some("releases/1"));
    assert_eq!(place.words("release add 1 2").code, 0);
    for (name, kind) in [("2", "ok"), ("1", "replaced_release")] {
        let dir = place.root.join("releases").join(name);
        fs::rename(&dir, place.root.join(format!("old-{name}"))).unwrap();
        fs::create_dir(&dir).unwrap();
        let answer = place.ask(&format!("release add {name}"));
        assert_eq!(answer.kind(), kind);
    }
    assert_eq!(status(&place)["alarm"], "replaced_release");
    assert_eq!(place.ask("release switch 1").kind(), "replaced_release");
}

#[test]
fn a_switch_needs_an_entered_good_release_and_what_was_expected() {
    let place = place(Some("releases/1"));
    assert_eq!(place.words("release add 1 2").code, 0);
    let refusal = |line: &str| {
        let answer = place.ask(line);
        (answer.code, answer.error()["kind"].as_str().unwrap().to_owned(), answer.error()["release"].clone())
    };
    assert_eq!(refusal("release switch 3"), (5, "unknown_release".into(), json!("3")));
    assert_eq!(refusal("release switch 2 --expect 2"), (3, "mismatch".into(), json!("2")));
    assert_eq!(place.ask("release mark 2 --bad").outcome(), "marked");
    assert_eq!(refusal("release switch 2"), (4, "bad_release".into(), json!("2")));
    assert_eq!(place.text("current"), Some("releases/1".into()), "nothing was changed");
    assert_eq!(place.ask("release switch 2 --expect 1 --even-bad").outcome(), "replaced");
    assert_eq!(status(&place)["alarm"], "bad_release");
    let again = place.ask("release switch 2 --even-bad");
    assert_eq!((again.outcome(), &again.json["changed"]), ("unchanged", &json!(false)));
    assert_eq!(status(&place)["confirmed"], true, "without checks it is confirmed at once");
}

#[test]
fn a_rollback_goes_to_the_release_before_and_marks_the_one_that_is_left() {
    let place = place(Some("releases/1"));
    assert_eq!(place.words("release add 1").code, 0);
    for name in ["2", "3"] {
        assert_eq!(place.words(&format!("release deploy {name}")).code, 0);
    }
    let back = place.ask("release rollback");
    assert_eq!((back.item()["release"].as_str(), back.item()["previous_release"].as_str()), (Some("2"), Some("3")));
    assert_eq!(keys(&place.ask("release list"), "bad"), [("1", false), ("2", false), ("3", true)].map(named));
    let further = place.ask("release rollback --keep-good");
    assert_eq!(further.item()["release"], "1");
    assert_eq!(keys(&place.ask("release list"), "bad")[1], named(("2", false)));
    let none = place.ask("release rollback");
    assert_eq!((none.code, none.kind()), (5, "not_found"));
    assert_eq!(place.ask("release rollback --to 3").kind(), "bad_release");
    assert_eq!(place.ask("release mark 3 --good").outcome(), "marked");
    assert_eq!(place.ask("release rollback --to 3").item()["release"], "3");
    assert_eq!(release_of(&place), "3");
}

fn named((name, bad): (&str, bool)) -> (String, Value) {
    (name.to_owned(), json!(bad))
}

#[test]
fn each_alarm_is_told_and_asked_for_gives_an_exit_code() {
    let place = place(None);
    let alarm = || status(&place)["alarm"].as_str().map(str::to_owned);
    let link = |text: &str| {
        let _gone = fs::remove_file(place.root.join("current"));
        symlink(text, place.root.join("current")).unwrap();
    };
    assert_eq!(alarm().as_deref(), Some("missing"));
    assert_eq!(place.words("release status --exit-code").code, 1);
    assert!(!place.root.join(".caplink").exists(), "looking writes nothing");
    link("releases/1");
    assert_eq!(alarm().as_deref(), Some("unknown_release"));
    assert_eq!(place.words("release add 1 2").code, 0);
    assert_eq!(alarm(), None);
    assert_eq!(place.words("release status --exit-code").code, 0);
    for (text, expected) in [
        ("releases/none", "dangling"),
        ("../outside", "escape"),
        ("a", "unknown_release"),
        ("releases/3", "unknown_release"),
        ("releases/2", "drift"),
    ] {
        link(text);
        assert_eq!(alarm().as_deref(), Some(expected), "{text}");
    }
    fs::remove_file(place.root.join("current")).unwrap();
    fs::write(place.root.join("current"), "").unwrap();
    assert_eq!(alarm().as_deref(), Some("not_a_link"));
}

#[test]
fn since_when_is_that_of_the_release_that_the_link_leads_to() {
    let place = place(None);
    for name in ["1", "2"] {
        assert_eq!(place.words(&format!("release deploy {name}")).code, 0);
    }
    let lead_to = |name: &str| {
        fs::remove_file(place.root.join("current")).unwrap();
        symlink(Path::new("releases").join(name), place.root.join("current")).unwrap();
        status(&place)
    };
    let active = status(&place);
    assert_eq!((&active["since"], &active["present"]), (&active["times"]["activated"], &json!(true)));
    let drifted = lead_to("1");
    assert_eq!((&drifted["since"], &drifted["state"]), (&Value::Null, &json!("superseded")), "nobody knows since when");
    let unknown = lead_to("3");
    assert_eq!((&unknown["since"], &unknown["present"]), (&Value::Null, &json!(true)), "its directory is there");
}

#[test]
fn looking_needs_no_records_and_what_changes_an_app_does() {
    let place = place(Some("releases/1"));
    assert_eq!(keys(&place.ask("release list"), "state"), ["1", "2", "3"].map(|name| (name.into(), json!("unknown"))));
    for line in ["rollback", "mark 1 --bad", "pin 1", "unpin 1", "prune"] {
        let answer = place.ask(&format!("release {line}"));
        assert_eq!((answer.code, answer.kind()), (5, "no_records"), "{line}");
    }
    assert!(!place.root.join(".caplink").exists());
}

#[test]
fn a_dry_run_says_what_the_real_run_does_and_does_nothing() {
    let place = place(Some("releases/1"));
    let marker = place.base.path().join("ran");
    let manifest = format!(
        "version = 1\nname = \"x\"\n[release.default]\ncheck_before = [[\"touch\", {:?}]]\n",
        marker.to_str().unwrap()
    );
    fs::write(place.root.join("caplink.toml"), manifest).unwrap();
    let items = |answer: &Answer| {
        let mut items = answer.json["items"].clone();
        for item in items.as_array_mut().unwrap() {
            item["times"] = Value::Null;
            item["verified"] = Value::Null;
            for check in item["checks"].as_array_mut().into_iter().flatten() {
                check["seconds"] = Value::Null;
            }
        }
        items
    };
    for line in
        ["release add 1", "release deploy 2", "release rollback", "release pin 2", "release switch 2 --even-bad"]
    {
        let before = place.snapshot();
        let dry = place.ask(&format!("-n {line}"));
        assert_eq!(place.snapshot(), before, "{line}");
        assert!(!marker.exists(), "a dry run starts no program");
        let real = place.ask(line);
        assert_eq!(items(&dry), items(&real), "{line}");
        assert_eq!(dry.json["changed"], real.json["changed"], "{line}");
        let _again = fs::remove_file(&marker);
    }
}

#[test]
fn the_layout_is_kept_from_the_first_release_on() {
    let place = Place::new();
    fs::create_dir_all(place.root.join("srv/api/versions/1")).unwrap();
    let first = place.ask("release --app api --current srv/api/live --releases srv/api/versions deploy 1");
    assert_eq!((first.outcome(), first.item()["app"].as_str()), ("created", Some("api")));
    assert_eq!(place.text("srv/api/live"), Some("versions/1".into()));
    assert!(place.words("log").out().contains(" release deploy 1 of api (entered)"));
    assert_eq!(place.ask("release --app api status").item()["link"], "srv/api/live");
    assert_eq!(place.ask("release --app api --current current add 1").kind(), "usage");
    assert_eq!(place.ask("release --app api --releases releases list").kind(), "usage");
    assert_eq!(place.ask("release --app api --releases srv/api/versions/ list").kind(), "ok");
    assert_eq!(place.ask("release --app A list").kind(), "usage");
}

#[test]
fn pins_and_marks_say_whether_anything_changed() {
    let place = place(None);
    assert_eq!(place.words("release add 1").code, 0);
    for (line, outcome) in [
        ("pin 1", "pinned"),
        ("pin 1", "unchanged"),
        ("unpin 1", "unpinned"),
        ("unpin 1", "unchanged"),
        ("mark 1 --good", "unchanged"),
        ("mark 1 --bad", "marked"),
        ("mark 1 --bad", "unchanged"),
    ] {
        assert_eq!(place.ask(&format!("release {line}")).outcome(), outcome, "{line}");
    }
    assert_eq!(place.ask("release pin 2").kind(), "unknown_release");
    assert_eq!(place.words("release mark 1").code, 2);
}

#[test]
fn the_text_says_what_happens_and_the_log_who_did_it() {
    let place = place(Some("releases/1"));
    assert_eq!(place.words("release add 1").out(), "1: entered\n");
    let deployed = place.words("release deploy 2 --reason weekly");
    assert_eq!(deployed.out(), "2: entered\ncurrent: releases/1 -> releases/2 (replaced, atomic)\n2: confirmed\n");
    let log = place.words("log --format ndjson");
    let lines: Vec<Value> = log.out().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<(&str, Option<&str>, &str, Option<&str>)> = lines
        .iter()
        .map(|line| {
            let word = |key: &str| line[key].as_str();
            (word("verb").unwrap(), word("link"), word("outcome").unwrap(), word("reason"))
        })
        .collect();
    let weekly = Some("weekly");
    let expected = [
        ("records init", None, "initialised", None),
        ("release add", None, "entered", None),
        ("release deploy", None, "entered", weekly),
        ("release deploy", Some("current"), "replaced", weekly),
    ];
    assert_eq!(told, expected);
    let about: Vec<(&Value, &Value)> = lines.iter().map(|line| (&line["app"], &line["release"])).collect();
    let none = (&Value::Null, &Value::Null);
    assert_eq!(about, [none, (&json!("default"), &json!("1")), (&json!("default"), &json!("2")), none]);
    let text = place.words("log");
    let ends: Vec<&str> = text.out().lines().filter_map(|line| line.split_once("Z ")).map(|(_, end)| end).collect();
    assert_eq!(ends[1..3], ["release add 1 (entered)", "release deploy 2 (entered) weekly"]);
    assert!(Path::new(&place.root).join(".caplink/log.jsonl").exists());
}

#[test]
fn a_shared_link_that_cannot_be_made_names_the_key_of_the_manifest_that_is_the_way_out() {
    let place = place(None);
    let manifest = "version = 1\nname = \"site\"\n[[release.default.shared]]\nat = \"storage\"\nto = \"shared\"\n";
    fs::write(place.root.join("caplink.toml"), manifest).unwrap();
    let hint = |release: u32, kind: &str| {
        let answer = place.ask(&format!("release add {release}"));
        assert_eq!(answer.error()["kind"], kind);
        answer.error()["hint"].as_str().unwrap().to_owned()
    };
    assert!(hint(1, "dangling").contains("`kind = \"dir\"`"));
    fs::create_dir(place.root.join("shared")).unwrap();
    fs::create_dir(place.root.join("releases/1/storage")).unwrap();
    place.link("releases/2/storage", "elsewhere");
    for (release, kind) in [(1, "not_a_link"), (2, "exists")] {
        assert!(hint(release, kind).contains("`seed = \"aside\"`"), "{kind}");
    }
    fs::write(place.root.join("caplink.toml"), format!("{manifest}seed = \"aside\"\n")).unwrap();
    assert_eq!(place.ask("release add 1 2").code, 0);
}
