//! `watch` where the kernel gives little: fewer watches than directories, or nothing of inotify.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use super::support::{Place, skipped};
use super::watching::Watching;

/// Starts a watch where the user that it runs as may have only so many of something of inotify, whatever others may.
fn limited(place: &Place, limit: &str, most: u32) -> Option<Watching> {
    let script = format!("echo {most} >/proc/sys/user/{limit} && exec \"$@\"");
    let unshare = |rest: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "sh", "-c", &script, "sh"]).args(rest);
        command
    };
    if !unshare(&["true"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
        return None;
    }
    let mut command = unshare(&[env!("CARGO_BIN_EXE_caplink"), "-C"]);
    command.arg(&place.root).args(["watch", "--interval", "1s"]);
    command.env_remove("CAPLINK_ROOT").env_remove("CAPLINK_STATE").stdin(Stdio::null());
    Some(Watching::started(&mut command))
}

/// Every link of twenty directories breaks, and each is told.
fn all_are_told(place: &Place, watching: &Watching) {
    for number in 0..20 {
        fs::remove_file(place.root.join(format!("d{number}/file"))).unwrap();
    }
    let mut left: BTreeSet<String> = (0..20).map(|number| format!("d{number}/l")).collect();
    while !left.is_empty() {
        let line = watching.line();
        if line["event"] == "link" && line["now"] == "dangling" {
            left.remove(line["link"].as_str().unwrap());
        }
    }
}

fn twenty_directories() -> Place {
    let place = Place::new();
    for number in 0..20 {
        fs::create_dir(place.root.join(format!("d{number}"))).unwrap();
        fs::write(place.root.join(format!("d{number}/file")), "").unwrap();
        place.link(format!("d{number}/l"), "file");
    }
    place
}

#[test]
fn where_watches_run_out_that_is_told_and_looks_do_the_rest() {
    let place = twenty_directories();
    let Some(watching) = limited(&place, "max_inotify_watches", 8) else {
        return skipped("where_watches_run_out_that_is_told_and_looks_do_the_rest", "no user namespace can be made");
    };
    let lost = watching.until("lost").pop().unwrap();
    assert_eq!(lost["why"], "watches");
    // The twenty, the root, `releases` with two, `a` with one: each once, also if a link leads through it.
    assert_eq!(lost["watched"].as_u64().unwrap() + lost["unwatched"].as_u64().unwrap(), 26, "{lost}");
    assert!(lost["watched"].as_u64().unwrap() <= 8, "{lost}");
    all_are_told(&place, &watching);
}

#[test]
fn without_inotify_that_is_told_and_looks_do_the_work() {
    let place = twenty_directories();
    let Some(watching) = limited(&place, "max_inotify_instances", 0) else {
        return skipped("without_inotify_that_is_told_and_looks_do_the_work", "no user namespace can be made");
    };
    assert_eq!(watching.until("lost").pop().unwrap()["why"], "unavailable");
    all_are_told(&place, &watching);
}
