//! `metrics`: one look as OpenMetrics text.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use super::openmetrics::{self, Read};
use super::support::{Place, skipped};

fn numbers(place: &Place, line: &str) -> Read {
    let ran = place.words(line);
    assert_eq!((ran.code, ran.err()), (0, ""), "{line}");
    openmetrics::read_by_client_library(ran.out());
    openmetrics::read(ran.out()).unwrap_or_else(|wrong| panic!("{wrong}\n{}", ran.out()))
}

#[test]
fn each_status_and_trait_is_a_sample_and_no_link_is_one() {
    let place = Place::new();
    place.link("fine", "file").link("gone", "nothing").link("a/out", "../../outside").link("chain", "fine");
    let read = numbers(&place, "metrics");
    for (status, count) in
        [("ok", 2.0), ("dangling", 1.0), ("loop", 0.0), ("escape", 1.0), ("denied", 0.0), ("corrupt", 0.0)]
    {
        assert_eq!(read.value(&format!("caplink_links{{status=\"{status}\"}}")), count, "{status}");
    }
    assert_eq!(read.value("caplink_link_traits{trait=\"chain\"}"), 1.0);
    assert_eq!(read.value("caplink_link_traits{trait=\"outside_missing\"}"), 0.0);
    assert_eq!(read.value("caplink_scan_complete"), 1.0);
    assert_eq!(read.value("caplink_scan_entries"), 10.0);
    let names = read.names();
    let expected = [
        "caplink_link_traits",
        "caplink_links",
        "caplink_scan_complete",
        "caplink_scan_duration_seconds",
        "caplink_scan_entries",
        "caplink_scan_timestamp_seconds",
    ];
    assert_eq!(names.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn the_time_is_that_of_the_look() {
    let place = Place::new();
    let now = || std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    let before = now();
    let read = numbers(&place, "metrics");
    let at = read.value("caplink_scan_timestamp_seconds");
    assert!(before - 1.0 <= at && at <= now() && read.value("caplink_scan_duration_seconds") > 0.0, "{at}");
}

#[test]
fn only_what_is_below_dir_is_counted() {
    let place = Place::new();
    place.link("gone", "nothing").link("a/gone", "nothing");
    assert_eq!(numbers(&place, "metrics a").value("caplink_links{status=\"dangling\"}"), 1.0);
}

#[test]
fn records_are_counted_where_there_are_any() {
    let place = Place::new();
    assert!(!numbers(&place, "metrics").has("caplink_records_entries"));
    place.words("records init");
    place.words("create l --to file");
    let read = numbers(&place, "metrics");
    assert_eq!(read.value("caplink_records_entries"), 3.0);
    let length = fs::metadata(place.root.join(".caplink/log.jsonl")).unwrap().len();
    assert_eq!(read.value("caplink_records_bytes"), length as f64);
    assert_eq!(read.value("caplink_records_open_groups"), 0.0);
}

#[test]
fn releases_are_counted_and_each_alarm_is_a_sample() {
    let place = Place::new();
    for line in ["release add 1 2", "release switch 1", "release switch 2", "release --app other --current o add 1"] {
        assert_eq!(place.words(line).code, 0, "{line}");
    }
    let read = numbers(&place, "metrics");
    for (state, count) in [("prepared", 0.0), ("active", 1.0), ("superseded", 1.0), ("failed", 0.0), ("removed", 0.0)] {
        assert_eq!(read.value(&format!("caplink_releases{{app=\"default\",state=\"{state}\"}}")), count, "{state}");
    }
    let alarms = ["missing", "not_a_link", "dangling", "escape", "unknown_release", "drift", "replaced_release"];
    for alarm in alarms.into_iter().chain(["bad_release", "interrupted"]) {
        let of = |app: &str| read.value(&format!("caplink_alarm{{app=\"{app}\",alarm=\"{alarm}\"}}"));
        assert_eq!((of("default"), of("other")), (0.0, f64::from(u8::from(alarm == "missing"))), "{alarm}");
    }
    assert_eq!(read.value("caplink_active_release_info{app=\"default\",release=\"2\"}"), 1.0);
    assert!(read.value("caplink_active_since_timestamp_seconds{app=\"default\"}") > 1.7e9);
}

#[test]
fn entries_of_a_manifest_are_counted_by_status() {
    let place = Place::new();
    place.link("good", "file").link("bad", "a");
    let text = "version = 1\nname = \"files\"\n[links]\ngood = \"file\"\nbad = \"file\"\nnone = \"file\"\n";
    fs::write(place.root.join("caplink.toml"), text).unwrap();
    fs::rename(place.root.join("caplink.toml"), place.base.path().join("m.toml")).unwrap();
    assert!(!numbers(&place, "metrics").has("caplink_manifest_entries{manifest=\"files\",status=\"ok\"}"));
    let line = format!("metrics -m {}", place.base.path().join("m.toml").display());
    let read = numbers(&place, &line);
    for (status, count) in [("ok", 1.0), ("changed", 1.0), ("missing", 1.0), ("replaced", 0.0), ("orphan", 0.0)] {
        let sample = format!("caplink_manifest_entries{{manifest=\"files\",status=\"{status}\"}}");
        assert_eq!(read.value(&sample), count, "{status}");
    }
    let ran = place.words("metrics -m /nothing/m.toml");
    assert_eq!(ran.code, 5, "{}", ran.err());
    fs::write(place.root.join("caplink.toml"), "version = 2").unwrap();
    let ran = place.words("metrics");
    assert_eq!(ran.code, 2, "{}", ran.err());
    assert!(openmetrics::read(ran.out()).unwrap().has("caplink_scan_complete"), "the links are counted all the same");
}

#[test]
fn an_incomplete_look_is_an_answer() {
    let place = Place::new();
    let closed = place.root.join("a");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o0)).unwrap();
    if fs::read_dir(&closed).is_ok() {
        eprintln!("SKIPPED: the superuser reads every directory");
    } else {
        assert_eq!(numbers(&place, "metrics").value("caplink_scan_complete"), 0.0);
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_document_is_refused_and_a_missing_dir_is_an_error() {
    let place = Place::new();
    let refused = place.ask("metrics");
    assert_eq!((refused.code, refused.kind()), (2, "usage"));
    let ran = place.words("metrics nothing");
    assert_eq!((ran.code, ran.out()), (5, ""));
    let ran = place.words("metrics ../x");
    assert_eq!((ran.code, ran.out()), (4, ""));
}

#[test]
fn damaged_records_are_an_error_that_hides_no_link() {
    let place = Place::new();
    place.words("records init");
    fs::write(place.root.join(".caplink/log.jsonl"), "{}\n").unwrap();
    let ran = place.words("metrics");
    assert_eq!(ran.code, 9, "{}", ran.err());
    assert!(openmetrics::read(ran.out()).unwrap().has("caplink_scan_complete"));
}

#[test]
fn the_text_passes_the_check_of_prometheus() {
    let place = Place::new();
    for line in ["records init", "release add 1", "release switch 1"] {
        assert_eq!(place.words(line).code, 0, "{line}");
    }
    fs::write(place.root.join("caplink.toml"), "version = 1\nname = \"files\"\n[links]\nl = \"file\"\n").unwrap();
    let text = place.words("metrics").out;
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut checking) = promtool.spawn() else {
        return skipped("the_text_passes_the_check_of_prometheus", "there is no promtool");
    };
    checking.stdin.take().unwrap().write_all(&text).unwrap();
    let checked = checking.wait_with_output().unwrap();
    // It says on stderr what it would rather have.
    assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}");
}
