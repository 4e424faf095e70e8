//! What `scan` shows in each format, and what does not go together.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use serde_json::{Value, json};

use crate::scan::zoo;
use crate::support::Place;

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
