//! What a scan leaves out, by glob and by depth.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;

use serde_json::json;

use crate::support::{Answer, Place};

fn links(answer: &Answer) -> Vec<&str> {
    answer.json["items"].as_array().unwrap().iter().map(|item| item["link"].as_str().unwrap()).collect()
}

#[test]
fn what_is_excluded_is_not_entered() {
    let place = Place::new();
    fs::create_dir_all(place.root.join("a/skip/deep")).unwrap();
    place.link("l", "x").link("a/l", "x").link("a/skip/l", "x").link("a/skip/deep/l", "x").link("a/b/l", "x");
    for (options, expected) in [
        ("", &["a/b/l", "a/l", "a/skip/deep/l", "a/skip/l", "l"][..]),
        ("--exclude skip", &["a/b/l", "a/l", "l"]),
        ("--exclude a/skip", &["a/b/l", "a/l", "l"]),
        ("--exclude skip/", &["a/b/l", "a/l", "l"]),
        ("--exclude l", &[]),
        ("--exclude a/l", &["a/b/l", "a/skip/deep/l", "a/skip/l", "l"]),
        ("--exclude a/* --exclude deep", &["l"]),
        ("--exclude **/deep --exclude b", &["a/l", "a/skip/l", "l"]),
        ("a --exclude a/skip", &["a/b/l", "a/l"]),
        ("--max-depth 0", &[]),
        ("--max-depth 1", &["l"]),
        ("--max-depth 2", &["a/l", "l"]),
        ("a --max-depth 1", &["a/l"]),
    ] {
        assert_eq!(links(&place.ask(&format!("scan {options}"))), expected, "{options}");
    }
    let entries = |options: &str| place.ask(&format!("scan {options}")).json["summary"]["entries"].clone();
    assert_eq!((entries(""), entries("--exclude skip")), (json!(13), json!(9)));
}

#[test]
fn what_is_not_utf_8_is_excluded_by_its_name_or_path() {
    let place = Place::new();
    let bytes = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    fs::create_dir(place.root.join(bytes(b"a/\xff"))).unwrap();
    place.link(bytes(b"a/\xff/l"), "x").link(bytes(b"\xff"), "x").link("l", "x");
    for (glob, count) in [(&b"\xff"[..], 1), (b"a/\xff/", 2), (b"/\xff", 2), (b"\xfe", 3)] {
        let answer = place.json(["scan".into(), "--exclude".into(), bytes(glob)]);
        assert_eq!(answer.json["items"].as_array().unwrap().len(), count, "{glob:?} {}", answer.json);
    }
    let refused = place.json(["scan".into(), "--exclude".into(), bytes(b"\xff*")]);
    assert_eq!(refused.refusal(), (2, "usage", None, None));
    assert!(refused.error()["message"].as_str().unwrap().contains("UTF-8"));
}
