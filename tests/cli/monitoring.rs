//! `examples/monitoring/`: what stands there fits the program.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::openmetrics;
use super::support::{Place, skipped};

/// The gauges of the contract.
const GAUGES: [&str; 14] = [
    "caplink_active_release_info",
    "caplink_active_since_timestamp_seconds",
    "caplink_alarm",
    "caplink_link_traits",
    "caplink_links",
    "caplink_manifest_entries",
    "caplink_records_bytes",
    "caplink_records_entries",
    "caplink_records_open_groups",
    "caplink_releases",
    "caplink_scan_complete",
    "caplink_scan_duration_seconds",
    "caplink_scan_entries",
    "caplink_scan_timestamp_seconds",
];

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/monitoring")
}

fn text(name: &str) -> String {
    fs::read_to_string(dir().join(name)).unwrap()
}

/// The words that look like gauges, in a text.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("caplink_")).collect()
}

#[test]
fn every_gauge_that_is_named_exists_and_every_gauge_is_shown() {
    let rules = text("alerts.yml");
    let dashboard = text("dashboard.json");
    let names: BTreeSet<&str> = named(&rules).union(&named(&dashboard)).copied().collect();
    assert_eq!(names, GAUGES.into());
    for name in ["README.md", "caplink-watch.service", "caplink-metrics.service", "caplink-metrics.timer"] {
        assert!(named(&text(name)).is_subset(&GAUGES.into()), "{name}");
    }
}

#[test]
fn the_program_prints_the_gauges_of_the_contract_and_no_other() {
    let place = Place::new();
    for line in ["records init", "release add 1", "release switch 1"] {
        assert_eq!(place.words(line).code, 0, "{line}");
    }
    let manifest = "version = 1\nname = \"files\"\n[links]\nl = \"file\"\n";
    fs::write(place.root.join("caplink.toml"), manifest).unwrap();
    let ran = place.words("metrics");
    let read = openmetrics::read(ran.out()).unwrap();
    assert_eq!(read.names(), GAUGES.into(), "{}", ran.err());
}

#[test]
fn the_rules_alert_of_what_they_are_for() {
    let rules = text("alerts.yml");
    for expression in [
        "caplink_links{status!=\"ok\"}",
        "caplink_alarm{alarm=\"unknown_release\"} == 1",
        "time() - caplink_scan_timestamp_seconds >",
        "caplink_records_open_groups > 0",
    ] {
        assert!(
            rules.lines().any(|line| line.trim().starts_with("expr:") && line.contains(expression)),
            "{expression}"
        );
    }
    let checked = Command::new("promtool").arg("check").arg("rules").arg(dir().join("alerts.yml")).output();
    match checked {
        Ok(checked) => assert!(checked.status.success(), "{checked:?}"),
        Err(_) => skipped("the_rules_alert_of_what_they_are_for", "there is no promtool"),
    }
}

#[test]
fn each_panel_of_the_dashboard_asks_for_something() {
    let dashboard: Value = serde_json::from_str(&text("dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() > 10);
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty());
        for target in targets {
            let expression = target["expr"].as_str().unwrap();
            assert_eq!(named(expression).len(), 1, "{expression}");
            let opened = |open| expression.matches(open).count();
            assert!(opened('(') == opened(')') && opened('{') == opened('}'), "{expression}");
        }
    }
}

#[test]
fn the_units_run_commands_that_the_program_has() {
    let place = Place::new();
    for name in ["caplink-watch.service", "caplink-metrics.service"] {
        let unit = text(name);
        let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
        let words: Vec<&str> = command.split_whitespace().collect();
        assert_eq!(words[..3], ["/usr/bin/caplink", "-C", "/srv/app"], "{name}");
        let at = words.iter().position(|word| ["watch", "metrics"].contains(word)).unwrap();
        let ran = place.run(words[at..].iter().copied().chain(["--help"]));
        assert_eq!(ran.code, 0, "{command}");
        for option in words[at..].iter().filter(|word| word.starts_with("--")) {
            assert!(ran.out().contains(option), "{option}");
        }
    }
    assert!(text("caplink-watch.service").contains("\nType=notify\n"));
}

#[test]
fn systemd_understands_the_units_and_what_they_start_is_hardened() {
    let test = "systemd_understands_the_units_and_what_they_start_is_hardened";
    let analyser = |arguments: &[&str]| Command::new("systemd-analyze").args(arguments).output();
    if !analyser(&["--version"]).is_ok_and(|ran| ran.status.success()) {
        return skipped(test, "there is no systemd-analyze");
    }
    let place = Place::new();
    for (name, exposure) in
        [("caplink-watch.service", "25"), ("caplink-metrics.service", "25"), ("caplink-metrics.timer", "")]
    {
        // The program is not installed here.
        let unit = place.base.path().join(name);
        fs::write(&unit, text(name).replace("/usr/bin/caplink", "/bin/true")).unwrap();
        let unit = unit.to_str().unwrap();
        let verified = analyser(&["verify", "--man=no", unit]).unwrap();
        assert!(verified.status.success() && verified.stderr.is_empty(), "{name}: {verified:?}");
        if !exposure.is_empty() {
            let judged = analyser(&["security", "--offline=true", &format!("--threshold={exposure}"), unit]).unwrap();
            assert!(judged.status.success(), "{name}: {judged:?}");
        }
    }
}
