//! A directory that the caller may not lock, or in which nothing can be replaced: what the edit would be refused for
//! anyway, and that nothing is to be done, comes before that.

use std::fs;
use std::os::unix::fs::chown;
use std::process::Command;

use crate::permissions::{NOBODY, mode, nobody, place as reachable};
use crate::support::{Answer, Place, is_root, skipped};

/// What each line comes to where `d/l` leads to `file`, and `d/dir` is a directory.
const LINES: &[(&str, i32, &str)] = &[
    ("swap d/l --to a --expect other", 3, "mismatch"),
    ("swap d/gone --to a --expect other", 5, "not_found"),
    ("swap d/l --to gone --expect ../file", 4, "dangling"),
    ("swap d/l --to ../.. --expect ../file", 4, "escape"),
    ("ensure d/l --to gone", 4, "dangling"),
    ("ensure d/l --to d/l", 5, "loop"),
    ("remove d/l --expect other", 3, "mismatch"),
    ("remove d/dir", 3, "not_a_link"),
    ("exchange d/l d/dir", 3, "not_a_link"),
    ("exchange d/l d/gone", 5, "not_found"),
    ("exchange d/l out --allow-dangling", 4, "escape"),
    ("swap d/l --to file --expect ../file", 0, "unchanged"),
    ("ensure d/l --to file", 0, "unchanged"),
    ("remove d/gone --missing-ok", 0, "unchanged"),
    ("exchange d/l d/l", 0, "unchanged"),
    ("ensure d/l --to a", 10, "permission"),
    ("swap d/l --to a --expect ../file", 10, "permission"),
    ("remove d/l", 10, "permission"),
    ("exchange d/l here --allow-outside --allow-dangling", 10, "permission"),
];

fn planted(place: Place) -> Place {
    fs::create_dir_all(place.root.join("d/dir")).unwrap();
    place.link("d/l", "../file").link("out", "../outside").link("here", "file");
    place
}

fn came_to(answer: &Answer) -> (i32, &str) {
    // An exchange has two items, each `unchanged`.
    let [item, error] = ["items", "errors"].map(|of| &answer.json[of][0]);
    (answer.code, if answer.code == 0 { &item["outcome"] } else { &error["kind"] }.as_str().unwrap())
}

fn each_comes_to_what_it_should(ask: impl Fn(&str) -> Answer) {
    for (line, code, word) in LINES {
        let (done, planned) = (ask(line), ask(&format!("-n {line}")));
        assert_eq!(came_to(&done), (*code, *word), "{line}");
        assert_eq!(came_to(&planned), (*code, *word), "a dry run of {line}");
        assert_eq!(planned.json["items"], done.json["items"], "{line}");
        assert_eq!(planned.json["errors"], done.json["errors"], "{line}");
    }
}

#[test]
fn what_is_refused_anyway_comes_before_a_lock_that_may_not_be_taken() {
    let Some(place) = reachable("unlockable::what_is_refused_anyway").map(planted) else { return };
    mode(place.root.join("d"), 0o711);
    each_comes_to_what_it_should(|line| nobody(&place, line));
}

#[test]
fn what_is_refused_anyway_comes_before_an_append_only_directory() {
    const NAME: &str = "unlockable::what_is_refused_anyway_comes_before_an_append_only_directory";
    if !is_root() {
        return skipped(NAME, "only root sets attributes");
    }
    let place = planted(Place::new());
    let chattr = |flag: &str| Command::new("chattr").arg(flag).arg(place.root.join("d")).output();
    if !chattr("+a").is_ok_and(|output| output.status.success()) {
        return skipped(NAME, "there is no chattr, or the file system knows no such attribute");
    }
    let kept = std::panic::catch_unwind(|| each_comes_to_what_it_should(|line| place.ask(line)));
    chattr("-a").unwrap();
    kept.unwrap();
}

#[test]
fn a_dry_run_knows_of_a_directory_that_cannot_be_synced() {
    let Some(place) = reachable("unlockable::a_dry_run_knows").map(planted) else { return };
    place.link("d/m", "..");
    mode(place.root.join("d"), 0o300);
    for path in [&place.root, &place.root.join("d")] {
        chown(path, Some(NOBODY), None).unwrap();
    }
    for line in ["create d/new --to file", "ensure d/l --to a", "exchange d/m d/l --allow-outside", "remove d/m"] {
        let line = format!("{line} --durability dir");
        let (planned, done) = (nobody(&place, &format!("-n {line}")), nobody(&place, &line));
        assert_eq!(came_to(&done), (10, "permission"), "{line}");
        assert_eq!((planned.code, &planned.json["items"]), (done.code, &done.json["items"]), "{line}");
        assert_eq!(planned.json["errors"], done.json["errors"], "{line}");
    }
}

#[test]
fn a_dry_run_of_an_exchange_knows_of_a_directory_that_cannot_be_locked() {
    let Some(place) = reachable("unlockable::a_dry_run_of_an_exchange").map(planted) else { return };
    fs::create_dir(place.root.join("e")).unwrap();
    place.link("e/m", "../file");
    mode(place.root.join("d"), 0o300);
    for path in ["d", "e"] {
        chown(place.root.join(path), Some(NOBODY), None).unwrap();
    }
    for line in ["exchange d/l e/m", "exchange e/m d/l"] {
        let line = format!("{line} --allow-dangling");
        let (planned, done) = (nobody(&place, &format!("-n {line}")), nobody(&place, &line));
        assert_eq!(came_to(&planned), (10, "permission"), "{line}");
        assert_eq!(done.json["errors"][0]["link"], "d/l", "{line}");
        assert_eq!((planned.code, &planned.json["errors"]), (done.code, &done.json["errors"]), "{line}");
    }
    // The state directory is locked in place of it.
    let state = place.base.path().join("state");
    fs::create_dir(&state).unwrap();
    mode(&state, 0o700);
    chown(&state, Some(NOBODY), None).unwrap();
    let line = format!("exchange d/l e/m --state {}", state.display());
    assert_eq!(came_to(&nobody(&place, &format!("-n {line}"))), (0, "exchanged"));
    assert_eq!(came_to(&nobody(&place, &line)), (0, "exchanged"));
    // It is no private one.
    mode(&state, 0o755);
    let line = format!("exchange e/m d/l --state {}", state.display());
    let (planned, done) = (nobody(&place, &format!("-n {line}")), nobody(&place, &line));
    assert_eq!(came_to(&planned), (4, "unsafe_state"));
    assert_eq!((planned.code, &planned.json["errors"]), (done.code, &done.json["errors"]));
}
