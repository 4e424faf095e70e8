//! Sites that other tools deployed so far, taken over as README says: the releases are entered, and the next deploy goes on.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;

use serde_json::{Value, json};

use crate::support::Place;

/// How the layout's own tool writes the link.
#[derive(Clone, Copy, Debug)]
enum Style {
    Relative,
    Absolute,
}

/// A site with these releases, `current` leading to the last but one if there is to be a newer one, else to the last.
struct Site {
    place: Place,
    releases: Vec<&'static str>,
    active: &'static str,
    new: &'static str,
}

impl Site {
    fn text(&self, style: Style, release: &str) -> OsString {
        let below = Path::new("releases").join(release);
        match style {
            Style::Relative => below.into(),
            Style::Absolute => self.place.root.join(below).into(),
        }
    }
}

fn root_of(releases: &[&str]) -> Place {
    let place = Place::new();
    fs::remove_dir_all(place.root.join("releases")).unwrap();
    for release in releases {
        let dir = place.root.join("releases").join(release);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("REVISION"), format!("revision of {release}\n")).unwrap();
        for shared in ["log", "tmp"] {
            fs::create_dir_all(place.root.join("shared").join(shared)).unwrap();
            symlink(place.root.join("shared").join(shared), dir.join(shared)).unwrap();
        }
    }
    place
}

/// Releases by the time of their making, a bare repository, a log of revisions.
fn capistrano(style: Style) -> Site {
    let releases = vec!["20261114081500", "20261121093000", "20261128101530"];
    let new = "20261128170102";
    let place = root_of(&[&releases[..], &[new]].concat());
    fs::create_dir_all(place.root.join("repo/refs/heads")).unwrap();
    fs::write(place.root.join("repo/HEAD"), "ref: refs/heads/main\n").unwrap();
    let line = |release: &&str| format!("Branch main (at 1f0e5b2) deployed as release {release} by deploy\n");
    fs::write(place.root.join("revisions.log"), releases.iter().map(line).collect::<String>()).unwrap();
    let site = Site { place, active: releases[2], releases, new };
    site.place.link("current", site.text(style, site.active));
    site
}

/// Numbered releases, a link to the one that is being made, a directory of its own.
fn deployer(style: Style) -> Site {
    let releases = vec!["9", "10", "11"];
    let place = root_of(&["9", "10", "11", "12"]);
    fs::create_dir(place.root.join(".dep")).unwrap();
    fs::write(place.root.join(".dep/latest_release"), "12").unwrap();
    let line = |release: &str| format!("{{\"release_name\":\"{release}\",\"user\":\"deploy\",\"target\":\"main\"}}\n");
    let lines: String = ["9", "10", "11", "12"].into_iter().map(line).collect();
    fs::write(place.root.join(".dep/releases_log"), lines).unwrap();
    let site = Site { place, active: "11", releases, new: "12" };
    site.place.link("current", site.text(style, site.active)).link("release", site.text(style, site.new));
    site
}

/// What is beside the releases and the link, and nobody's but the other tool's.
fn beside(site: &Site) -> Vec<String> {
    let is_own = |line: &String| line.contains(".caplink") || line.contains("/root/current\"");
    site.place.snapshot().into_iter().filter(|line| !is_own(line)).collect()
}

fn states(place: &Place) -> Vec<(String, String)> {
    let list = place.ask("release list");
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    list.json["items"].as_array().unwrap().iter().map(|item| (word(&item["release"]), word(&item["state"]))).collect()
}

fn is_taken_over(site: &Site, style: Style) {
    let place = &site.place;
    let before = beside(site);
    let link = fs::symlink_metadata(place.root.join("current")).unwrap();

    let added = place.ask(&format!("release add {}", site.releases.join(" ")));
    assert_eq!(added.code, 0, "{}", added.json);
    assert_eq!(place.text("current"), Some(site.text(style, site.active)));
    let now = fs::symlink_metadata(place.root.join("current")).unwrap();
    assert_eq!((now.ino(), now.ctime_nsec()), (link.ino(), link.ctime_nsec()), "the link is not touched");
    let status = place.ask("release status").item().clone();
    let active = json!(site.active);
    assert_eq!((&status["release"], &status["confirmed"], &status["alarm"]), (&active, &json!(true), &Value::Null));

    let deployed = place.ask(&format!("release deploy {} --reason weekly", site.new));
    let item = deployed.item();
    assert_eq!((&item["previous_release"], &item["outcome"]), (&active, &json!("replaced")));
    assert_eq!(place.text("current"), Some(site.text(style, site.new)), "the text is written as it was before");
    let read = fs::read_to_string(place.root.join("current/REVISION")).unwrap();
    assert_eq!(read, format!("revision of {}\n", site.new));

    let mut expected: Vec<(String, String)> =
        site.releases.iter().map(|release| ((*release).to_owned(), "prepared".to_owned())).collect();
    expected.last_mut().unwrap().1 = "superseded".to_owned();
    expected.push((site.new.to_owned(), "active".to_owned()));
    assert_eq!(states(place), expected);
    assert_eq!(place.ask("release rollback").item()["release"], active);
    assert_eq!(place.text("current"), Some(site.text(style, site.active)));
    assert_eq!(beside(site), before, "what is the other tool's is as it was");
}

#[test]
fn a_site_that_capistrano_deployed_is_taken_over() {
    for style in [Style::Relative, Style::Absolute] {
        is_taken_over(&capistrano(style), style);
    }
}

#[test]
fn a_site_that_deployer_deployed_is_taken_over() {
    for style in [Style::Relative, Style::Absolute] {
        let site = deployer(style);
        is_taken_over(&site, style);
        assert_eq!(site.place.text("release"), Some(site.text(style, "12")));
    }
}

#[test]
fn the_tool_of_before_may_switch_once_more_and_that_is_an_alarm() {
    let site = capistrano(Style::Absolute);
    let place = &site.place;
    assert_eq!(place.words(&format!("release add {}", site.releases.join(" "))).code, 0);
    // As it does it: a link of its own, renamed over the other.
    place.link("releases/current", site.text(Style::Absolute, site.new));
    fs::rename(place.root.join("releases/current"), place.root.join("current")).unwrap();
    assert_eq!(place.ask("release status").item()["alarm"], "unknown_release");
    assert_eq!(place.words(&format!("release add {}", site.new)).code, 0);
    let status = place.ask("release status").item().clone();
    assert_eq!((&status["release"], &status["alarm"]), (&json!(site.new), &Value::Null));
    assert_eq!(place.ask("release rollback").item()["release"], site.active);
}
