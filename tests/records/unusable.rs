//! The program where the records cannot be used as they are: read only, of another root, kept in their place, gone.

use std::fs;
use std::process::Command;

use serde_json::json;

use super::program::Place;

/// The root can be read only, as long as this is there.
pub(crate) struct ReadOnly(std::path::PathBuf);

impl ReadOnly {
    pub(crate) fn of(path: std::path::PathBuf) -> Option<ReadOnly> {
        let mount = |options: &[&str]| Command::new("mount").args(options).arg(&path).output();
        let bound = mount(&["--bind", path.to_str().unwrap()]).is_ok_and(|bound| bound.status.success());
        let guard = bound.then(|| ReadOnly(path.clone()));
        let is_read_only = bound && mount(&["-o", "remount,bind,ro"]).is_ok_and(|mounted| mounted.status.success());
        guard.filter(|_| is_read_only)
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn what_changes_nothing_is_done_on_a_read_only_file_system_and_what_would_change_is_read_only() {
    let place = Place::recorded();
    let Some(_guard) = ReadOnly::of(place.root()) else {
        eprintln!("SKIPPED: no read-only file system can be mounted");
        return;
    };
    for nothing in [&["recover"][..], &["records", "init"], &["records", "rebind"], &["unapply", "--name", "none"]] {
        let (code, document) = place.run(nothing);
        assert_eq!((code, &document["changed"]), (0, &json!(false)), "{nothing:?}: {document}");
    }
    for something in [&["records", "init", "--require-reason"][..], &["adopt", "releases/41", "--into", "releases/42"]]
    {
        assert_eq!(place.refusal(something), (10, "read_only".to_owned()), "{something:?}");
    }
}

#[test]
fn the_way_out_of_records_of_another_root_is_to_bind_them() {
    let place = Place::recorded();
    fs::create_dir(place.dir.path().join("restored")).unwrap();
    fs::rename(place.root().join(".caplink"), place.dir.path().join("restored/.caplink")).unwrap();
    fs::rename(place.root().join("releases"), place.dir.path().join("restored/releases")).unwrap();
    fs::rename(place.root(), place.dir.path().join("old")).unwrap();
    fs::rename(place.dir.path().join("restored"), place.root()).unwrap();
    let (code, refused) = place.run(&["ensure", "current", "--to", "releases/41"]);
    assert_eq!((code, &refused["errors"][0]["kind"]), (9, &json!("integrity")));
    let hint = refused["errors"][0]["hint"].as_str().unwrap();
    assert!(hint.contains("`records rebind`") && !hint.contains("renew"), "{hint}");
    for dry in [&["-n"][..], &[]] {
        let renew: Vec<&str> = ["records", "renew", "--reason", "moved"].iter().chain(dry).copied().collect();
        assert_eq!(place.refusal(&renew), (9, "integrity".to_owned()), "they fit, and are another root's: {dry:?}");
    }
    assert_eq!(place.run(&["records", "rebind"]).0, 0);
    assert_eq!(place.run(&["ensure", "current", "--to", "releases/41"]).0, 0);
}

#[test]
fn an_append_only_log_that_is_damaged_says_what_keeps_it_in_its_place() {
    let place = Place::recorded();
    let log = place.root().join(".caplink/log.jsonl");
    fs::write(&log, fs::read_to_string(&log).unwrap() + "bent\n").unwrap();
    let chattr = |mode: &str| Command::new("chattr").arg(mode).arg(&log).output().is_ok_and(|ran| ran.status.success());
    if !chattr("+a") {
        eprintln!("SKIPPED: the log cannot be made append-only");
        return;
    }
    let (code, refused) = place.run(&["records", "renew", "--reason", "bent"]);
    assert!(chattr("-a"));
    assert_eq!((code, &refused["errors"][0]["kind"]), (10, &json!("permission")));
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("`chattr -a`"), "{refused}");
    assert_eq!(place.run(&["records", "renew", "--reason", "bent"]).0, 0);
}

#[test]
fn a_log_that_is_gone_is_damage_where_an_index_knew_it() {
    let place = Place::recorded();
    let lines: String =
        (0..4000).map(|n| format!("{{\"verb\":\"create\",\"link\":\"l{n}\",\"to\":\"releases\"}}\n")).collect();
    fs::write(place.dir.path().join("lines"), lines).unwrap();
    assert_eq!(place.run(&["batch", "lines"]).0, 0);
    assert_eq!(place.run(&["log", "--link", "l1"]).0, 0);
    let state = place.root().join(".caplink");
    assert!(state.join("index.redb").exists());
    fs::rename(state.join("log.jsonl"), place.dir.path().join("kept")).unwrap();
    for verb in [&["remove", "l1"][..], &["log"], &["records", "init"], &["recover"]] {
        assert_eq!(place.refusal(verb), (9, "integrity".to_owned()), "{verb:?}");
    }
    assert_eq!(place.run(&["inspect", "l1"]).0, 0);
    let (code, renewed) = place.run(&["records", "renew", "--reason", "gone"]);
    assert_eq!((code, &renewed["items"][0]["outcome"]), (0, &json!("renewed")), "{renewed}");
    assert_eq!(place.run(&["remove", "l1"]).0, 0);
    fs::remove_file(state.join("log.jsonl")).unwrap();
    assert_eq!(place.refusal(&["records", "renew", "--reason", "gone"]), (5, "no_records".to_owned()));
}
