//! What is mounted below the root: which error comes first, and that a repair sees there what a scan sees.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::json;

use crate::support::{Place, is_root, outcomes, skipped};
#[cfg(target_os = "linux")]
use crate::watching::Watching;

/// A place with another file system at `a/b`, which is unmounted in the end.
struct Mounted(Place);

impl Mounted {
    fn new(test: &str) -> Option<Mounted> {
        let place = Place::new();
        let at = place.root.join("a/b");
        let mount = Command::new("mount").args(["-t", "tmpfs", "none"]).arg(&at).status();
        if !is_root() || !mount.is_ok_and(|status| status.success()) {
            skipped(test, "mounting is not allowed here");
            return None;
        }
        fs::write(at.join("file"), "").unwrap();
        symlink("../../file", at.join("back")).unwrap();
        symlink("loop", at.join("loop")).unwrap();
        Some(Mounted(place))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("-l").arg(self.0.root.join("a/b")).status();
    }
}

#[test]
fn where_a_target_leads_comes_before_the_mount_that_it_is_on() {
    let Some(mounted) = Mounted::new("mounts::where_a_target_leads_comes_before_the_mount") else { return };
    let place = &mounted.0;
    place.link("to-file", "a/b/file").link("to-gone", "a/b/gone");
    let crossing = |component, index| (4, "cross_mount", Some(component), Some(index));
    for (target, refusal) in [
        ("a/b", crossing("b", 1)),
        ("a/b/file", crossing("b", 1)),
        ("to-file", crossing("to-file", 0)),
        ("a/b/gone", (4, "dangling", Some("gone"), Some(2))),
        ("a/b/file/x", (4, "dangling", Some("x"), Some(3))),
        ("to-gone", (4, "dangling", Some("to-gone"), Some(0))),
        ("a/b/loop", (5, "loop", Some("loop"), Some(2))),
        ("a/b/gone --allow-dangling", crossing("b", 1)),
        ("a/b/gone --allow-outside", (4, "dangling", Some("gone"), Some(2))),
        ("a/b/../../../x --style verbatim", (4, "escape", Some(".."), Some(4))),
        ("a/b/../../../x --style verbatim --allow-outside", crossing("b", 1)),
    ] {
        for line in [format!("create l --to {target}"), format!("create l -n --to {target}")] {
            assert_eq!(place.ask(&line).refusal(), refusal, "{line}");
        }
    }
    for target in ["a/b/gone --allow-dangling", "a/b/file", "to-file"] {
        assert_eq!(place.ask(&format!("ensure l --cross-mounts --to {target}")).code, 0, "{target}");
    }
}

#[test]
fn a_repair_sees_on_another_mount_what_a_scan_sees() {
    let Some(mounted) = Mounted::new("mounts::a_repair_sees_on_another_mount_what_a_scan_sees") else { return };
    let place = &mounted.0;
    place.link("chain", "a/b/back").link("gone", "a/b/gone").link("gone2", "a/b/none").link("there", "a/b/file");
    let seen = place.ask("scan --only dangling");
    assert_eq!(seen.json["items"].as_array().unwrap().len(), 2, "{}", seen.json);
    let all = "repair --retarget a/b/none=file --remove-dangling";
    let planned = place.ask(&format!("-n {all}"));
    let done = place.ask(all);
    assert_eq!(outcomes(&done), [("gone", "removed", None), ("gone2", "replaced", Some("file"))]);
    assert_eq!(outcomes(&planned), outcomes(&done));
    place.link("gone", "a/b/gone");
    let done = place.ask("repair --fallback file");
    assert_eq!((outcomes(&done), done.code), (vec![("gone", "replaced", Some("file"))], 0));
    // Whether both texts lead to the same object is not to be seen without crossing: nothing was switched meanwhile.
    assert_eq!(place.ask("repair --shorten-chains").refusal(), (4, "cross_mount", Some("b"), Some(1)));
    let done = place.ask("repair --shorten-chains --cross-mounts");
    assert_eq!(outcomes(&done), [("chain", "replaced", Some("file"))]);
}

#[test]
fn a_mount_point_in_the_way_is_no_lock_of_another_holder() {
    let Some(mounted) = Mounted::new("mounts::a_mount_point_in_the_way_is_no_lock") else { return };
    let place = &mounted.0;
    let lines = ["ensure a/b --to file --backup", "ensure a/b --to file --backup --confine off"];
    for line in lines.map(str::to_owned).into_iter().chain(lines.map(|line| format!("-n {line}"))) {
        let line = line.as_str();
        let refused = place.ask(line);
        assert_eq!((refused.code, refused.kind(), &refused.json["items"]), (6, "busy", &json!([])), "{line}");
        let message = refused.error()["message"].as_str().unwrap();
        assert!(message.contains("mount point") && !message.contains("lock"), "{message}");
        let hint = refused.error()["hint"].as_str().unwrap();
        assert!(hint.contains("unmount"), "{hint}");
    }
    assert_eq!(fs::read_dir(place.root.join("a")).unwrap().count(), 1, "nothing is left");
}

#[test]
fn a_dry_run_knows_that_links_of_two_mounts_are_not_exchanged() {
    let Some(mounted) = Mounted::new("mounts::a_dry_run_knows_that_links_of_two_mounts") else { return };
    let place = &mounted.0;
    place.link("l", "file");
    let line = "exchange l a/b/back --cross-mounts --allow-dangling --allow-outside";
    let (planned, done) = (place.ask(&format!("-n {line}")), place.ask(line));
    assert_eq!(done.refusal(), (4, "cross_mount", None, None));
    assert_eq!(planned.json["errors"], done.json["errors"]);
    assert_eq!((planned.code, &planned.json["items"]), (done.code, &done.json["items"]));
}

#[test]
fn a_dry_run_knows_that_a_group_stays_on_the_mount_of_its_root() {
    let Some(mounted) = Mounted::new("mounts::a_dry_run_knows_that_a_group_stays_on_the_mount") else { return };
    let place = &mounted.0;
    assert_eq!(place.words("records init").code, 0);
    fs::create_dir(place.root.join("a/b/dir")).unwrap();
    let lines = place.base.path().join("lines");
    let batch = |options: &str| place.ask(&format!("--cross-mounts {options} {}", lines.display()));
    for link in ["a/b/l", "a/b/dir/l", "a/b/new/er/l"] {
        let edit = json!({ "verb": "ensure", "link": link, "to": "file", "allow_dangling": true, "parents": true });
        fs::write(&lines, edit.to_string()).unwrap();
        let (dry, real) = (batch("-n batch --all-or-nothing"), batch("batch --all-or-nothing"));
        assert_eq!((dry.code, dry.kind(), real.code, real.kind()), (4, "cross_mount", 4, "cross_mount"), "{link}");
        assert_eq!(dry.json["errors"][0]["hint"], real.json["errors"][0]["hint"], "{link}");
        assert!(!real.json["errors"][0]["hint"].as_str().unwrap().contains("--cross-mounts"), "it was given");
    }
    assert!(!place.root.join("a/b/new").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_watch_tells_of_links_that_led_to_what_was_unmounted() {
    let Some(mounted) = Mounted::new("mounts::a_watch_tells_of_links_that_led_to_what_was_unmounted") else { return };
    let place = &mounted.0;
    place.link("over", "a/b/file");
    let watching = Watching::of(place, "watch --cross-mounts --interval 1h");
    watching.until("look");
    assert!(Command::new("umount").arg("-l").arg(place.root.join("a/b")).status().unwrap().success());
    loop {
        let told = watching.until("link").pop().unwrap();
        if told["link"] == "over" {
            assert_eq!((&told["was"], &told["now"]), (&json!("ok"), &json!("dangling")));
            break;
        }
    }
}
