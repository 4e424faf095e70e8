//! Following the log: what holds a mutation back, what ends it, and who reads it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use caplink::Kind;
use caplink::records::{Author, Follow, Query, Records};
use serde_json::{Value, json};

use super::ground::{Ground, release};
use super::program::Place;
use super::unknown::interrupted;

/// What is told since the last call: link and outcome.
fn told(follow: &mut Follow) -> Vec<String> {
    let mut told = Vec::new();
    let mut visit = |mutation: caplink::records::Mutation| {
        let link = mutation.link.map(|link| format!("{link} "));
        told.push(link.unwrap_or_default() + &mutation.outcome);
    };
    follow.next(&mut visit).unwrap();
    told
}

#[test]
fn a_change_whose_program_has_ended_holds_nothing_back() {
    let ground = interrupted();
    let mut follow = ground.records().follow(Query::default());
    assert_eq!(told(&mut follow), ["initialised", "current created", "current unknown"]);
    let _ = ground.again().ensure("other", release(1)).unwrap();
    assert_eq!(told(&mut follow), ["other created"]);
    // What the disk tells of it comes too late.
    let _ = ground.records().recover().unwrap();
    assert_eq!(told(&mut follow), [""; 0]);
    let _ = ground.again().remove("other").unwrap();
    assert_eq!(told(&mut follow), ["other removed"]);
}

#[test]
fn a_change_whose_program_goes_on_holds_back_what_is_behind_it() {
    let (ground, root) = Ground::recorded();
    let mut follow = ground.records().follow(Query::default());
    let _ = root.ensure("current", release(1)).unwrap();
    let whole = fs::read(ground.log()).unwrap();
    let intent = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    // This process announced it, and goes on.
    fs::write(ground.log(), &whole[..intent]).unwrap();
    assert_eq!(told(&mut follow), ["initialised"]);
    fs::write(ground.log(), &whole).unwrap();
    let _ = ground.again().ensure("other", release(1)).unwrap();
    assert_eq!(told(&mut follow), ["current created", "other created"]);
}

/// A way to take records away.
type Way<'a> = (&'a str, &'a dyn Fn(&Ground));

#[test]
fn records_that_are_taken_away_end_it() {
    let why = Author::new(Default::default(), Some("bent")).unwrap();
    let renew = |ground: &Ground| {
        let whole = fs::read(ground.log()).unwrap();
        fs::write(ground.log(), [&whole[..], b"bent\n"].concat()).unwrap();
        Records::renew(&ground.root, &why).unwrap();
    };
    let ways: [Way<'_>; 5] = [
        ("deleted", &|ground| fs::remove_file(ground.log()).unwrap()),
        ("moved", &|ground| fs::rename(ground.log(), ground.state().join("old")).unwrap()),
        ("deleted with the directory", &|ground| fs::remove_dir_all(ground.state()).unwrap()),
        ("cut", &|ground| fs::write(ground.log(), "").unwrap()),
        ("renewed", &renew),
    ];
    for (how, take_away) in ways {
        let (ground, root) = Ground::recorded();
        let _ = root.ensure("current", release(1)).unwrap();
        let mut follow = ground.records().follow(Query::default());
        assert_eq!(told(&mut follow).len(), 2);
        take_away(&ground);
        let error = follow.next(&mut |_| panic!("nothing is told")).unwrap_err();
        assert_eq!(error.kind(), Kind::Integrity, "{how}");
    }
}

fn started(place: &Place, arguments: &[&str]) -> Child {
    let arguments: Vec<&str> = ["log", "--follow"].iter().chain(arguments).copied().collect();
    place.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The exit code, if it ends in time, and what it says.
fn ended(mut child: Child) -> (Option<i32>, String) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said)
}

#[test]
fn follow_goes_on_with_what_is_recorded() {
    let place = Place::recorded();
    let mut follow = started(&place, &["--format", "ndjson"]);
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(next()["verb"], "records init");
    assert_eq!(place.run(&["ensure", "current", "--to", "releases/41"]).0, 0);
    let item = next();
    assert_eq!((&item["link"], &item["outcome"]), (&json!("current"), &json!("created")));
    follow.kill().unwrap();
    follow.wait().unwrap();
}

#[test]
fn follow_ends_when_its_reader_goes_away_also_where_nothing_is_recorded() {
    let place = Place::recorded();
    let mut follow = started(&place, &[]);
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().ends_with("records init (initialised)"));
    drop(lines);
    assert_eq!(ended(follow), (Some(0), String::new()));
}

#[test]
fn follow_begins_with_the_newest_that_are_asked_for() {
    let place = Place::recorded();
    for target in ["releases/41", "releases/42"] {
        assert_eq!(place.run(&["ensure", "current", "--to", target]).0, 0);
    }
    let mut follow = started(&place, &["--limit", "1", "--link", "cur*"]);
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().ends_with("(replaced)"));
    assert_eq!(place.run(&["remove", "current"]).0, 0);
    assert!(lines.next().unwrap().unwrap().ends_with("(removed)"));
    drop(lines);
    assert_eq!(ended(follow).0, Some(0));
}

#[test]
fn follow_ends_with_integrity_where_the_records_are_taken_away() {
    let place = Place::recorded();
    let mut follow = started(&place, &[]);
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().is_ok());
    fs::remove_dir_all(place.root().join(".caplink")).unwrap();
    let (code, said) = ended(follow);
    assert_eq!(code, Some(9), "{said}");
    assert!(said.contains("the log was moved away or replaced since it was opened"), "{said}");
    assert!(lines.next().is_none());
}
