//! The file of metrics that `watch` keeps.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use super::openmetrics;
use super::permissions;
use super::support::Place;
use super::watching::{LONG, Watching};

#[test]
fn the_metrics_file_is_replaced_as_a_whole() {
    let place = Place::new();
    place.link("fine", "file");
    let dir = place.base.path().join("metrics");
    fs::create_dir(&dir).unwrap();
    let file = dir.join("caplink.prom");
    let watching = Watching::of(&place, &format!("watch --interval 1s --metrics-file {}", file.display()));
    let read = || openmetrics::read(&fs::read_to_string(&file).unwrap()).unwrap();
    watching.until("look");
    let start = Instant::now();
    while !file.exists() {
        assert!(start.elapsed() < LONG);
    }
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o644);
    assert_eq!(read().value("caplink_links{status=\"ok\"}"), 1.0);
    fs::remove_file(place.root.join("file")).unwrap();
    // Each state that is read meanwhile is whole.
    while read().value("caplink_links{status=\"dangling\"}") != 1.0 {
        assert!(start.elapsed() < LONG);
    }
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "nothing stays beside it");
    openmetrics::read_by_client_library(&fs::read_to_string(&file).unwrap());
}

#[test]
fn a_metrics_file_that_cannot_be_written_is_refused_at_once() {
    let place = Place::new();
    let base = place.base.path();
    fs::create_dir(base.join("metrics")).unwrap();
    std::os::unix::fs::symlink("metrics", base.join("link")).unwrap();
    fs::write(base.join("file"), "").unwrap();
    nix::unistd::mkfifo(&base.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let refused = |name: &str, code: i32, reason: &str| {
        for dry_run in [&[][..], &["-n"]] {
            let path = base.join(name).into_os_string();
            let words = ["watch".into(), "--metrics-file".into(), path.clone()];
            let ran = place.run(dry_run.iter().map(Into::into).chain(words));
            assert_eq!((ran.code, ran.out()), (code, ""), "{name}: {}", ran.err());
            let message = format!("error: cannot write the metrics file `{}`: {reason}", path.display());
            assert!(ran.err().starts_with(&message) && ran.err().contains("hint: "), "{name}: {}", ran.err());
        }
    };
    refused("metrics", 2, "it is a directory");
    refused("link", 2, "it is a directory");
    refused("metrics/", 2, "it is a directory");
    refused("metrics/..", 2, "it is a directory");
    refused("new/", 2, "it names a directory");
    refused("pipe", 2, "it is no file");
    refused("nothing/caplink.prom", 5, "No such file or directory");
    refused("file/caplink.prom", 5, "Not a directory");
    assert_eq!(fs::read_dir(base.join("metrics")).unwrap().count(), 0, "nothing was made");
}

#[test]
fn a_metrics_file_where_the_caller_may_make_none_is_refused_at_once() {
    let Some(place) = permissions::place("watching_metrics::a_metrics_file_where") else { return };
    let dir = place.base.path().join("metrics");
    fs::create_dir(&dir).unwrap();
    permissions::mode(&dir, 0o755);
    let file = dir.join("caplink.prom");
    // It would stay otherwise.
    let mut command = permissions::as_nobody();
    command.args(["timeout", "20", env!("CARGO_BIN_EXE_caplink"), "-C"]).arg(&place.root);
    let refused = command.args(["watch", "--metrics-file"]).arg(&file).output().unwrap();
    let (out, err) = (String::from_utf8(refused.stdout).unwrap(), String::from_utf8(refused.stderr).unwrap());
    assert_eq!((refused.status.code(), &*out), (Some(10), ""), "{err}");
    let message = format!("error: cannot write the metrics file `{}`: Permission denied", file.display());
    assert!(err.starts_with(&message), "{err}");
}

#[test]
fn a_metrics_file_that_cannot_be_written_for_a_while_is_written_later() {
    let place = Place::new();
    let dir = place.base.path().join("metrics");
    fs::create_dir(&dir).unwrap();
    let file = dir.join("caplink.prom");
    let watching = Watching::of(&place, &format!("watch --metrics-file {}", file.display()));
    watching.until("look");
    let start = Instant::now();
    let wait = |holds: &dyn Fn() -> bool| {
        while !holds() {
            assert!(start.elapsed() < LONG);
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    wait(&|| file.exists());
    fs::remove_file(&file).unwrap();
    // No file can be renamed over a directory.
    fs::create_dir(&file).unwrap();
    place.link("gone", "nothing");
    watching.until("link");
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "nothing stays beside it");
    fs::remove_dir(&file).unwrap();
    wait(&|| file.exists());
    let metrics = openmetrics::read(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(metrics.value("caplink_links{status=\"dangling\"}"), 1.0, "no look came meanwhile");
}

#[test]
fn the_records_that_are_counted_are_those_of_now() {
    let place = Place::new();
    let done = |line: &str| assert_eq!(place.words(line).code, 0, "{line}");
    done("records init");
    done("create l --to file");
    let file = place.base.path().join("caplink.prom");
    let watching = Watching::of(&place, &format!("watch --interval 1s --metrics-file {}", file.display()));
    let start = Instant::now();
    let until = |fits: &dyn Fn(f64) -> bool| loop {
        watching.until("look");
        let text = fs::read_to_string(&file).unwrap_or_default();
        let entries = text.lines().find_map(|line| line.strip_prefix("caplink_records_entries "));
        match entries.map(|entries| entries.parse().unwrap()) {
            Some(entries) if fits(entries) => return entries,
            _ => assert!(start.elapsed() < LONG, "{text}"),
        }
    };
    let before = until(&|_| true);
    fs::rename(place.root.join(".caplink"), place.base.path().join("old")).unwrap();
    done("records init");
    until(&|entries| entries < before);
}
