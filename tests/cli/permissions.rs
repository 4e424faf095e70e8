//! The program as another user: what may not be seen or changed is told, and nothing of it stays.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::{Answer, Place, answer, is_root, skipped};

/// A user that owns nothing.
pub(crate) const NOBODY: u32 = 65534;

/// A place that anybody can reach; none where the tests cannot become another user.
pub(crate) fn place(test: &str) -> Option<Place> {
    let able = is_root() && Command::new("setpriv").arg("--version").output().is_ok();
    if !able {
        skipped(test, "becoming another user needs root and setpriv");
        return None;
    }
    let place = Place::new();
    mode(place.base.path(), 0o755);
    Some(place)
}

pub(crate) fn mode(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// What is run as a user that owns nothing.
pub(crate) fn as_nobody() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    command
}

/// Runs with `--json` as a user that owns nothing.
pub(crate) fn nobody(place: &Place, line: &str) -> Answer {
    let mut command = as_nobody();
    command.arg(env!("CARGO_BIN_EXE_caplink")).arg("--json").arg("-C").arg(&place.root);
    command.args(line.split_whitespace());
    answer(&mut command)
}

#[test]
fn what_may_not_be_written_is_a_permission_error() {
    let Some(place) = place("permissions::what_may_not_be_written_is_a_permission_error") else { return };
    place.link("l", "file").link("m", "a");
    let before = place.snapshot();
    for (line, component, index) in [
        ("create new --to file", "new", 0),
        ("create a/b/new --to file", "new", 2),
        ("ensure l --to a", "l", 0),
        ("swap l --to a --expect file", "l", 0),
        ("exchange l m", "l", 0),
        ("remove l", "l", 0),
        ("create n/e/w --to file -p", "n", 0),
    ] {
        let refused = nobody(&place, line);
        assert_eq!(refused.refusal(), (10, "permission", Some(component), Some(index)), "{line}");
        let planned = nobody(&place, &format!("-n {line}"));
        assert_eq!((planned.code, &planned.json["errors"]), (10, &refused.json["errors"]), "a dry run of {line}");
    }
    assert_eq!(nobody(&place, "ensure l --to file").outcome(), "unchanged", "nothing is written for that");
    assert_eq!(nobody(&place, "remove gone --missing-ok").outcome(), "unchanged");
    assert_eq!(place.snapshot(), before);
}

#[test]
fn what_may_not_be_searched_names_the_directory() {
    let Some(place) = place("permissions::what_may_not_be_searched_names_the_directory") else { return };
    fs::create_dir_all(place.root.join("a/locked/in")).unwrap();
    fs::write(place.root.join("a/locked/file"), "").unwrap();
    place.link("l", "a/locked/file");
    mode(place.root.join("a/locked"), 0o700);
    chown(&place.root, Some(NOBODY), None).unwrap();
    for (line, component, index) in [
        ("inspect a/locked/file", "file", 2),
        ("inspect a/locked/in/x", "in", 2),
        ("resolve a/locked/file", "file", 2),
        ("resolve l", "l", 0),
        ("scan a/locked", "locked", 1),
        ("scan a", "locked", 1),
        ("create a/locked/x --to file", "x", 2),
        ("create a/locked/in/x --to file", "in", 2),
        ("ensure a/locked/file --to file", "file", 2),
        ("remove a/locked/file", "file", 2),
        ("remove a/locked/in/x --missing-ok", "in", 2),
        ("exchange l a/locked/file", "file", 2),
        ("exchange a/locked/file l", "file", 2),
        ("create new --to a/locked/file", "file", 2),
        ("create new --to l", "l", 0),
        ("ensure l --to a/locked/in/x --style absolute --allow-dangling", "in", 2),
    ] {
        assert_eq!(nobody(&place, line).refusal(), (10, "permission", Some(component), Some(index)), "{line}");
    }
    let seen = nobody(&place, "inspect l");
    assert_eq!((&seen.item()["status"], &seen.item()["resolved"]), (&json!("denied"), &json!(null)));
    // The directory itself can be seen, only not what is in it.
    assert_eq!(nobody(&place, "inspect a/locked").item()["mode"], "0700");
}

#[test]
fn an_exchange_names_the_link_that_may_not_be_changed() {
    let Some(place) = place("permissions::an_exchange_names_the_link_that_may_not_be_changed") else { return };
    for dir in ["a", "a/b"] {
        chown(place.root.join(dir), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    place.link("l", "a/b").link("a/own", "b").link("a/b/own", ".");
    let before = place.snapshot();
    for (line, component, index) in [("exchange l a/own", "l", 0), ("exchange a/own l", "l", 0)] {
        let line = format!("{line} --allow-dangling");
        let refused = nobody(&place, &line);
        assert_eq!(refused.refusal(), (10, "permission", Some(component), Some(index)), "{line}");
        assert_eq!(refused.error()["link"], "l", "{line}");
        assert_eq!(nobody(&place, &format!("-n {line}")).json["errors"], refused.json["errors"], "{line}");
    }
    assert_eq!(place.snapshot(), before);
    assert_eq!(nobody(&place, "exchange a/own a/b/own --allow-dangling").code, 0);
}

#[test]
fn a_directory_that_can_be_searched_but_not_read_is_enough_for_a_known_name() {
    let Some(place) = place("permissions::a_directory_that_can_be_searched") else { return };
    place.link("a/l", "../file");
    mode(place.root.join("a"), 0o711);
    assert_eq!(nobody(&place, "inspect a/l").item()["status"], "ok");
    assert_eq!(nobody(&place, "resolve a/l").item()["resolved"], "file");
}

#[test]
fn in_a_directory_of_its_own_another_user_does_everything() {
    let Some(place) = place("permissions::in_a_directory_of_its_own") else { return };
    chown(place.root.join("a"), Some(NOBODY), Some(NOBODY)).unwrap();
    for (line, outcome) in [
        ("create a/l --to file", "created"),
        ("ensure a/l --to releases/1", "replaced"),
        ("swap a/l --to file --expect ../releases/1", "replaced"),
        ("remove a/l", "removed"),
    ] {
        assert_eq!(nobody(&place, line).outcome(), outcome, "{line}");
    }
    assert_eq!(fs::read_dir(place.root.join("a")).unwrap().count(), 1, "nothing but `b` is left");
}

#[test]
fn in_a_sticky_directory_the_links_of_others_stay() {
    let Some(place) = place("permissions::in_a_sticky_directory_the_links_of_others_stay") else { return };
    fs::create_dir(place.root.join("t")).unwrap();
    mode(place.root.join("t"), 0o1777);
    place.link("t/theirs", "../file").link("t/other", "../a");
    let before = place.snapshot();
    for line in [
        "ensure t/theirs --to a",
        "swap t/theirs --to a --expect ../file",
        "remove t/theirs",
        "exchange t/theirs t/other",
    ] {
        let refused = nobody(&place, line);
        assert_eq!((refused.code, refused.kind()), (10, "permission"), "{line}");
        let planned = nobody(&place, &format!("-n {line}"));
        assert_eq!((planned.code, &planned.json["errors"]), (10, &refused.json["errors"]), "a dry run of {line}");
        assert_eq!(place.snapshot(), before, "{line}");
    }
    assert_eq!(nobody(&place, "create t/own --to file").outcome(), "created");
    assert_eq!(nobody(&place, "ensure t/own --to a").outcome(), "replaced");
    assert_eq!(nobody(&place, "remove t/own").outcome(), "removed");
    assert_eq!(place.snapshot(), before);
}

#[test]
fn a_state_directory_that_others_may_write_matters_only_where_one_is_needed() {
    let Some(place) = place("permissions::a_state_directory_that_others_may_write") else { return };
    fs::create_dir(place.root.join("shared")).unwrap();
    mode(place.root.join("shared"), 0o777);
    place.link("l", "file").link("shared/l", "../file").link("shared/m", "../a");
    let inside = place.root.join(".caplink");
    let elsewhere = place.base.path().join("state");
    let file = place.base.path().join("state-file");
    fs::write(&file, "").unwrap();
    for dir in [&inside, &elsewhere] {
        fs::create_dir(dir).unwrap();
    }
    let way = place.base.path().join("state-link");
    symlink("state", &way).unwrap();
    for (dir, bits, owner) in
        [(&inside, 0o777, 0), (&inside, 0o750, 0), (&elsewhere, 0o720, 0), (&way, 0o777, 0), (&file, 0o600, 0)]
    {
        mode(dir, bits);
        chown(dir, Some(owner), None).unwrap();
        let option = if *dir == inside { Vec::new() } else { vec!["--state".to_owned(), dir.display().to_string()] };
        let ask = |line: &str| place.json(line.split_whitespace().map(str::to_owned).chain(option.iter().cloned()));
        let before = place.snapshot();
        for line in ["ensure shared/l --to a", "swap shared/l --to a --expect ../file", "remove shared/l"] {
            assert_eq!(ask(line).refusal(), (4, "unsafe_state", None, None), "{line} {dir:?} {bits:o}");
        }
        for line in [
            "ensure shared/l --to file",
            "inspect shared/l",
            "resolve shared/l",
            "create l --to file",
            "remove gone --missing-ok",
        ] {
            let kind = if line.starts_with("create") { "exists" } else { "ok" };
            assert_eq!(ask(line).kind(), kind, "{line} {dir:?} {bits:o}");
        }
        assert_eq!(place.snapshot(), before);
        // In a directory that nobody else can enter no state is needed.
        mode(&place.root, 0o700);
        assert_eq!(ask("ensure l --to a").outcome(), "replaced");
        assert_eq!(ask("ensure l --to file").outcome(), "replaced");
        mode(&place.root, 0o755);
        let state = ask("doctor");
        assert_eq!((state.code, state.json["state"].as_str()), (0, Some("unsafe")), "{dir:?} {bits:o}");
        chown(dir, Some(0), None).unwrap();
    }
    // An exchange stages nothing.
    mode(&inside, 0o777);
    for _ in 0..2 {
        let exchanged = place.ask("exchange shared/l shared/m");
        assert_eq!((exchanged.code, &exchanged.json["items"][0]["outcome"]), (0, &"exchanged".into()));
    }
    // Another user works here as well: each has a staging directory of its own.
    mode(&inside, 0o700);
    chown(&inside, Some(NOBODY), None).unwrap();
    assert_eq!(place.ask("ensure shared/l --to releases").item()["staging"], "private");
    chown(&inside, Some(0), None).unwrap();
    assert_eq!(place.ask("ensure shared/l --to a").item()["staging"], "private");
    mode(&elsewhere, 0o700);
    let line = ["ensure", "shared/l", "--to", "file", "--state"].map(str::to_owned);
    assert_eq!(place.json(line.into_iter().chain([elsewhere.display().to_string()])).item()["staging"], "private");
}

#[test]
fn a_root_that_may_not_be_entered_is_a_permission_error() {
    let Some(place) = place("permissions::a_root_that_may_not_be_entered_is_a_permission_error") else { return };
    mode(&place.root, 0o700);
    for line in ["inspect file", "resolve file", "create l --to file", "remove l"] {
        let refused = nobody(&place, line);
        assert_eq!((refused.code, refused.kind()), (10, "permission"), "{line}");
    }
    mode(place.base.path(), 0o700);
    for line in ["inspect .", "create l --to file", "doctor"] {
        let refused = nobody(&place, line);
        assert_eq!((refused.code, refused.kind()), (10, "permission"), "{line}");
        assert!(refused.json["root"]["id"].is_null());
    }
}

#[test]
fn a_dry_run_knows_of_a_directory_that_cannot_be_locked() {
    let Some(place) = place("permissions::a_dry_run_knows_of_a_directory_that_cannot_be_locked") else { return };
    place.link("a/l", "../file").link("a/m", "b");
    chown(place.root.join("a"), Some(NOBODY), None).unwrap();
    // It can be written, but not opened for reading; nor can a state directory be made in the root.
    mode(place.root.join("a"), 0o300);
    for line in ["ensure a/l --to releases", "swap a/l --to releases --expect ../file", "remove a/l"] {
        let refused = nobody(&place, line);
        assert_eq!((refused.code, refused.kind()), (10, "permission"), "{line}");
        let planned = nobody(&place, &format!("-n {line}"));
        assert_eq!((planned.code, &planned.json["errors"]), (10, &refused.json["errors"]), "{line}");
    }
    assert_eq!(nobody(&place, "-n create a/new --to file").outcome(), "created");
    // With a state directory there is a lock.
    chown(&place.root, Some(NOBODY), None).unwrap();
    for line in ["-n ensure a/l --to releases", "ensure a/l --to releases"] {
        assert_eq!(nobody(&place, line).item()["staging"], "private", "{line}");
    }
}

#[test]
fn a_dry_run_knows_of_an_immutable_directory() {
    const NAME: &str = "permissions::a_dry_run_knows_of_an_immutable_directory";
    if !is_root() {
        return skipped(NAME, "only root sets attributes");
    }
    let place = Place::new();
    place.link("a/l", "../file");
    let chattr = |flag: &str| Command::new("chattr").arg(flag).arg(place.root.join("a")).output();
    if !chattr("+i").is_ok_and(|output| output.status.success()) {
        return skipped(NAME, "there is no chattr, or the file system knows no such attribute");
    }
    let lines = ["create a/new --to file", "ensure a/l --to releases", "remove a/l", "create a/n/e/w --to file -p"];
    let asked = lines.map(|line| (line, place.ask(line), place.ask(&format!("-n {line}"))));
    chattr("-i").unwrap();
    for (line, refused, planned) in asked {
        assert_eq!((refused.code, refused.kind()), (10, "permission"), "{line}");
        assert_eq!((planned.code, &planned.json["errors"]), (10, &refused.json["errors"]), "{line}");
    }
}

#[test]
fn a_dry_run_knows_of_an_immutable_file() {
    const NAME: &str = "permissions::a_dry_run_knows_of_an_immutable_file";
    if !is_root() {
        return skipped(NAME, "only root sets attributes");
    }
    let place = Place::new();
    let path = place.root.join("config");
    fs::write(&path, "").unwrap();
    for attribute in ["i", "a"] {
        let chattr = |sign: &str| Command::new("chattr").arg(format!("{sign}{attribute}")).arg(&path).output();
        if !chattr("+").is_ok_and(|output| output.status.success()) {
            return skipped(NAME, "there is no chattr, or the file system knows no such attribute");
        }
        let [planned, refused] = ["-n", ""].map(|dry| place.ask(&format!("{dry} ensure config --to file --backup")));
        chattr("-").unwrap();
        assert_eq!((refused.code, refused.kind()), (10, "permission"), "{attribute}");
        assert_eq!((planned.code, &planned.json["errors"]), (10, &refused.json["errors"]), "{attribute}");
        assert!(path.is_file());
    }
}
