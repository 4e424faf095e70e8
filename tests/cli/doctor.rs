//! What `doctor` shows, and that nothing of it stays.

use std::fs;

use serde_json::json;

use crate::support::Place;

const STAGED: &str = ".caplink-0123456789abcdef0123456789abcdef";

#[test]
fn doctor_shows_what_this_host_gives_and_changes_nothing_that_stays() {
    let place = Place::new();
    let before = place.snapshot();
    for line in ["doctor", "doctor -n"] {
        let shown = place.ask(line);
        assert_eq!((shown.code, shown.json["changed"].as_bool()), (0, Some(false)));
        let names = ["openat2", "exchange", "no_replace", "landlock", "durability", "state", "guarantee", "leftovers"];
        let items = shown.json["items"].as_array().unwrap();
        for (item, name) in items.iter().zip(names) {
            assert_eq!(item["name"], name);
            assert_eq!(item["value"], shown.json[name], "{name} also stands at the top");
        }
        assert_eq!(items.len(), names.len());
        assert_eq!((&shown.json["state"], &shown.json["leftovers"]), (&json!("absent"), &json!([])));
        let text = place.words(line);
        assert!(names.iter().all(|name| text.out().contains(&format!("{name:<12}"))), "{}", text.out());
    }
    assert_eq!(place.ask("doctor").json["durability"], "dir,fs");
    assert_eq!(place.ask("doctor -n").json["durability"], "unknown", "a dry run tries nothing");
    assert_eq!(place.snapshot(), before);
}

#[test]
fn doctor_finds_what_interrupted_work_left() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let inside = format!(".caplink/{STAGED}");
    let elsewhere = place.base.path().canonicalize().unwrap().join("state");
    for dir in [place.root.join(".caplink"), elsewhere.clone()] {
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
    }
    place.link(STAGED, "x").link(&inside, "x").link(elsewhere.join(STAGED), "x");
    // Not the names of staged links, no links, or not in the root itself.
    place.link(".caplink-0123", "x").link(format!("a/{STAGED}"), "x");
    fs::write(place.root.join(STAGED.replace('0', "1")), "").unwrap();
    let before = place.snapshot();
    let shown = place.ask("doctor");
    assert_eq!((&shown.json["leftovers"], shown.code), (&json!([STAGED, inside]), 0));
    let elsewhere = elsewhere.to_str().unwrap();
    let shown = place.json(["doctor", "--state", elsewhere]);
    assert_eq!(shown.json["leftovers"], json!([STAGED, format!("{elsewhere}/{STAGED}")]));
    let shown = place.json(["doctor", "--state", &format!("{elsewhere}/gone")]);
    assert_eq!((&shown.json["leftovers"], &shown.json["state"]), (&json!([STAGED]), &json!("absent")));
    assert_eq!(place.snapshot(), before);
    assert!(place.words("doctor").out().contains(STAGED));
}
