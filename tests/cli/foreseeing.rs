//! What a dry run says is what the real run says, also where it is refused; and what is refused leaves nothing.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;

use serde_json::{Value, json};

use crate::permissions::{NOBODY, mode, nobody};
use crate::support::{Answer, Place};

const MANIFEST: &str = "version = 1\nname = \"test\"\n[links]\nx = \"file\"\n";

fn declare(place: &Place, manifest: &str) {
    fs::write(place.root.join("caplink.toml"), manifest).unwrap();
}

/// What was answered, but for what differs from run to run.
fn said(answer: &Answer) -> Value {
    let mut json = answer.json.clone();
    let document = json.as_object_mut().unwrap();
    ["time", "dry_run", "group"].iter().for_each(|key| drop(document.remove(*key)));
    json!([answer.code, json])
}

#[test]
fn a_dry_run_asks_for_a_reason_where_the_real_run_does() {
    let place = Place::new();
    declare(&place, MANIFEST);
    place.link("found", "file");
    let group = place.ask("apply").json["group"].as_str().unwrap().to_owned();
    assert_eq!(place.ask("adopt a/b --into releases").code, 0);
    assert_eq!(place.words("records init --require-reason").code, 0);
    let undo = format!("undo --group {group}");
    let nothing = ["apply", "unapply --name other", "adopt a/b --into releases"];
    let refused = ["undo --group nosuch", "adopt nosuch --into releases"];
    let demanded = [undo.as_str(), "unapply", "adopt file --into releases"];
    for (lines, code) in [(&nothing[..], 0), (&refused[..], 5), (&demanded[..], 4)] {
        for line in lines {
            let (dry, real) = (place.ask(&format!("-n {line}")), place.ask(line));
            assert_eq!((real.code, said(&dry)), (code, said(&real)), "{line}");
        }
    }
    // A link that was found is told to the records, too.
    declare(&place, &format!("{MANIFEST}found = \"file\"\n"));
    let (dry, real) = (place.ask("-n apply"), place.ask("apply"));
    assert_eq!((real.code, real.kind(), &real.json["items"]), (4, "policy", &dry.json["items"]));
    assert_eq!((dry.code, dry.kind()), (4, "policy"));
}

#[test]
fn a_dry_run_that_keeps_going_says_what_would_be_made_beside_what_fails() {
    let test = "foreseeing::a_dry_run_that_keeps_going_says_what_would_be_made_beside_what_fails";
    for below in ["a/x", "a/new/x"] {
        let Some(place) = crate::permissions::place(test) else { return };
        for path in ["", "file", "releases"] {
            chown(place.root.join(path), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        mode(place.root.join("a"), 0o755);
        declare(&place, &format!("{MANIFEST}\"{below}\" = \"file\"\n\"releases/y\" = \"file\"\n"));
        let dry = nobody(&place, "-n apply --keep-going");
        let real = nobody(&place, "apply --keep-going");
        assert_eq!((real.code, said(&dry)), (10, said(&real)), "{below}");
        assert_eq!((real.json["changed"].clone(), place.text("x")), (json!(true), Some("file".into())), "{below}");
    }
}

#[test]
fn a_dry_run_of_pruning_says_when() {
    let place = Place::new();
    fs::create_dir(place.root.join("releases/3")).unwrap();
    for release in ["1", "2", "3"] {
        assert_eq!(place.ask(&format!("release deploy {release}")).code, 0);
    }
    for dry in ["-n ", ""] {
        let pruned = place.ask(&format!("{dry}release prune --keep 0 --grace 0s"));
        let item = &pruned.json["items"][0];
        assert_eq!((&item["release"], &item["outcome"]), (&json!("1"), &json!("pruned")), "{dry}");
        assert!(item["times"]["removed"].is_string(), "{dry}{item}");
    }
}

#[test]
fn what_keeps_records_from_being_made_is_foreseen_and_leaves_nothing() {
    let place = Place::new();
    let manifest = place.base.path().join("apart.toml");
    fs::write(&manifest, MANIFEST).unwrap();
    let apply = format!("apply -m {}", manifest.display());
    for (open, kind) in [(0o777, "unsafe_state"), (0o775, "unsafe_state"), (0o755, "unsafe_state")] {
        mode(&place.root, open);
        if open == 0o755 {
            fs::write(place.root.join(".caplink"), "no directory").unwrap();
        }
        let before = place.snapshot();
        let adopt = "adopt file --into releases";
        for line in ["records init", "release add 1", "release deploy 1", &apply, adopt] {
            let (dry, real) = (place.ask(&format!("-n {line}")), place.ask(line));
            assert_eq!((real.code, real.json["errors"][0]["kind"].as_str()), (4, Some(kind)), "{line}");
            assert_eq!(said(&dry), said(&real), "{line}");
            assert_eq!(place.snapshot(), before, "{line}");
        }
    }
}

#[test]
fn records_that_cannot_be_written_refuse_a_dry_run_as_a_real_one() {
    use std::process::Command;

    let test = "foreseeing::records_that_cannot_be_written_refuse_a_dry_run_as_a_real_one";
    let place = Place::new();
    declare(&place, MANIFEST);
    assert_eq!(place.ask("release deploy 1").code, 0);
    let attribute = |how: &str| {
        let changed = Command::new("chattr").arg(how).arg(place.root.join(".caplink/log.jsonl")).output();
        changed.is_ok_and(|output| output.status.success())
    };
    if !attribute("+i") {
        return crate::support::skipped(test, "no file can be made immutable here");
    }
    let lines = [
        "records init --require-reason",
        "release add 2",
        "release deploy 2",
        "release pin 1",
        "release mark 1 --bad",
        "ensure l --to file",
        "apply",
        "adopt file --into a",
    ];
    let came: Vec<_> = lines.iter().map(|line| (line, place.ask(&format!("-n {line}")), place.ask(line))).collect();
    assert!(attribute("-i"));
    for (line, dry, real) in came {
        assert_eq!((real.code, real.json["errors"][0]["kind"].as_str()), (10, Some("permission")), "{line}");
        assert_eq!((dry.code, &dry.json["errors"][0]["kind"]), (10, &json!("permission")), "{line}");
    }
}

#[test]
fn a_release_that_cannot_be_entered_or_switched_to_makes_no_records() {
    let place = Place::new();
    let state: &Path = &place.root.join(".caplink");
    for (line, code, kind) in [
        ("release deploy nosuch", 5, "not_found"),
        ("release add nosuch other", 5, "not_found"),
        ("release switch 1", 5, "unknown_release"),
        ("release deploy ..", 4, "escape"),
    ] {
        let refused = place.ask(line);
        assert_eq!((refused.code, refused.json["errors"][0]["kind"].as_str()), (code, Some(kind)), "{line}");
        assert!(refused.json["changed"] == false && !state.exists(), "{line}");
    }
    assert_eq!((place.ask("release add 1 nosuch").code, state.exists()), (5, true), "one of them was entered");
}
