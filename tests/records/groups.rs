//! Groups as the program carries them out and takes them back: what it says, and what the records tell.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A root with records, three releases and a few links, for the program.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        let place = Place(TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap());
        for release in ["1", "2", "3"] {
            fs::create_dir_all(place.at("releases").join(release)).unwrap();
        }
        for link in ["a", "b"] {
            symlink("releases/1", place.at(link)).unwrap();
        }
        place
    }

    fn recorded() -> Place {
        let place = Place::new();
        assert_eq!(place.run(&["records", "init"], "").0, 0);
        place
    }

    fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.path().join("root").join(path)
    }

    fn text(&self, link: &str) -> Option<String> {
        fs::read_link(self.at(link)).ok().map(|text| text.display().to_string())
    }

    /// The exit code and the document.
    fn run(&self, words: &[&str], lines: &str) -> (i32, Value) {
        let file = self.0.path().join("lines");
        fs::write(&file, lines).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_caplink"));
        command.arg("-C").arg(self.at("")).arg("--json").args(words);
        for variable in ["CAPLINK_ROOT", "CAPLINK_STATE", "CAPLINK_REASON", "CAPLINK_ACTOR"] {
            command.env_remove(variable);
        }
        if !lines.is_empty() {
            command.arg(file);
        }
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = String::from_utf8(stdout).unwrap();
        let document = serde_json::from_str(&text);
        (status.code().unwrap(), document.unwrap_or_else(|_| panic!("{text} {}", String::from_utf8_lossy(&stderr))))
    }

    fn group(&self, lines: &str) -> (i32, Value) {
        self.run(&["batch", "--all-or-nothing"], lines)
    }
}

const SWITCH: &str = r#"{"verb":"swap","link":"a","to":"releases/2","expect":"releases/1","reason":"first"}
{"verb":"ensure","link":"b","to":"releases/2"}
{"verb":"create","link":"new/c","to":"b","parents":true}
"#;

fn outcomes(document: &Value) -> Vec<String> {
    let item = |item: &Value| format!("{} {}", item["link"].as_str().unwrap(), item["outcome"].as_str().unwrap());
    document["items"].as_array().unwrap().iter().map(item).collect()
}

fn kinds(document: &Value) -> Vec<(String, Value)> {
    let error = |error: &Value| (error["kind"].as_str().unwrap().to_owned(), error["line"].clone());
    document["errors"].as_array().unwrap().iter().map(error).collect()
}

#[test]
fn a_group_stands_as_a_whole_and_its_dry_run_says_so() {
    let place = Place::recorded();
    let (code, dry) = place.run(&["batch", "--all-or-nothing", "-n"], SWITCH);
    assert_eq!((code, place.text("a").unwrap().as_str()), (0, "releases/1"));
    let (code, done) = place.group(SWITCH);
    assert_eq!((code, &done["changed"], &done["errors"]), (0, &json!(true), &json!([])));
    assert_eq!((&dry["items"], &dry["changed"]), (&done["items"], &done["changed"]));
    assert_eq!(outcomes(&done), ["a replaced", "b replaced", "new/c created"]);
    assert_eq!(done["items"][2]["made"], json!(["new"]));
    assert!(done["items"].as_array().unwrap().iter().all(|item| item["durability"] == "dir"));
    assert_eq!(["a", "b", "new/c"].map(|link| place.text(link).unwrap()), ["releases/2", "releases/2", "../b"]);
    let group = done["group"].as_str().unwrap();
    let (_, log) = place.run(&["log", "--group", group], "");
    assert_eq!(outcomes(&log), ["a replaced", "b replaced", "new created", "new/c created"]);
    assert_eq!(log["items"][0]["reason"], "first");
    assert_eq!(log["items"][0]["group"], group);
    // The same again changes nothing, and is not recorded.
    let again = SWITCH.replace("\"swap\"", "\"ensure\"").replace(",\"expect\":\"releases/1\"", "");
    let again = again.replace("\"create\"", "\"ensure\"");
    let entries = || place.run(&["records", "show"], "").1["items"][0]["entries"].clone();
    let before = entries();
    let (code, unchanged) = place.group(&again);
    assert_eq!((code, &unchanged["changed"], entries()), (0, &json!(false), before));
}

#[test]
fn one_that_fails_leaves_all_as_it_was() {
    let place = Place::recorded();
    fs::write(place.at("file"), "x").unwrap();
    for (line, kind, code) in [
        (r#"{"verb":"ensure","link":"file","to":"releases/2"}"#, "not_a_link", 3),
        (r#"{"verb":"create","link":"z","to":"nowhere"}"#, "dangling", 4),
        (r#"{"verb":"swap","link":"z/../q","to":"releases/2","expect":"x"}"#, "invalid_path", 2),
        (r#"{"verb":"remove","link":"none"}"#, "not_found", 5),
    ] {
        let before = place.run(&["log"], "").1["items"].clone();
        let lines = format!("{SWITCH}{line}\n{{\"verb\":\"create\",\"link\":\"last\",\"to\":\"releases/1\"}}\n");
        for dry in [true, false] {
            let words: &[&str] =
                if dry { &["batch", "--all-or-nothing", "-n"] } else { &["batch", "--all-or-nothing"] };
            let (exit, failed) = place.run(words, &lines);
            assert_eq!((exit, kinds(&failed)), (code, vec![(kind.to_owned(), json!(4))]), "{failed}");
            assert_eq!(outcomes(&failed), ["a skipped", "b skipped", "new/c skipped", "last skipped"]);
            assert_eq!((&failed["changed"], failed.get("group")), (&json!(false), None));
        }
        assert_eq!(["a", "b"].map(|link| place.text(link).unwrap()), ["releases/1", "releases/1"]);
        assert!(!place.at("new").exists() && !place.at("last").exists());
        assert_eq!(place.run(&["log"], "").1["items"], before);
    }
}

#[test]
fn what_makes_no_sense_as_a_group_is_told_together() {
    let place = Place::recorded();
    let lines =
        format!("{SWITCH}{}\n{}\n", r#"{"verb":"exchange","a":"a","b":"b"}"#, r#"{"verb":"remove","link":"./b"}"#);
    let (code, refused) = place.group(&lines);
    assert_eq!((code, outcomes(&refused).len()), (2, 0));
    assert_eq!(kinds(&refused), [("usage".to_owned(), json!(4)), ("usage".to_owned(), json!(5))]);
    assert_eq!(place.text("a").unwrap(), "releases/1");
    // One link under two names is found when it is looked at.
    symlink(".", place.at("here")).unwrap();
    let lines = r#"{"verb":"ensure","link":"a","to":"releases/2"}
{"verb":"ensure","link":"here/a","to":"releases/3"}
"#;
    let (code, refused) = place.run(&["batch", "--all-or-nothing", "--follow"], lines);
    assert_eq!((code, kinds(&refused)), (2, vec![("usage".to_owned(), json!(2))]), "{refused}");
    assert_eq!(place.text("a").unwrap(), "releases/1");
    assert_eq!(place.run(&["batch", "--all-or-nothing", "--keep-going"], SWITCH).0, 2);
    let bare = Place::new();
    let (code, none) = bare.group(SWITCH);
    assert_eq!((code, kinds(&none)[0].0.as_str()), (5, "no_records"));
    assert_eq!(bare.run(&["undo", "--group", "x"], "").0, 5);
}

#[test]
fn each_edit_is_judged_as_those_before_it_leave_the_tree() {
    let place = Place::recorded();
    let lines = r#"{"verb":"create","link":"x","to":"releases/2"}
{"verb":"create","link":"y","to":"x"}
{"verb":"remove","link":"b"}
{"verb":"create","link":"z","to":"b"}
"#;
    let (code, failed) = place.group(lines);
    assert_eq!((code, kinds(&failed)), (4, vec![("dangling".to_owned(), json!(4))]));
    let (first, _) = lines.split_at(lines.find("{\"verb\":\"create\",\"link\":\"z\"").unwrap());
    assert_eq!(place.group(first).0, 0);
    assert_eq!((place.text("y").unwrap().as_str(), place.text("b")), ("x", None));
}

#[test]
fn a_link_that_is_removed_makes_room_for_a_directory_of_its_name() {
    let place = Place::recorded();
    let lines = r#"{"verb":"remove","link":"a"}
{"verb":"create","link":"a/in/x","to":"releases/2","parents":true}
{"verb":"create","link":"a/y","to":"b"}
"#;
    let (code, planned) = place.run(&["-n", "batch", "--all-or-nothing"], lines);
    assert_eq!(
        (code, outcomes(&planned)),
        (0, vec!["a removed".into(), "a/in/x created".into(), "a/y created".into()])
    );
    let (code, done) = place.group(lines);
    assert_eq!((code, outcomes(&done)), (0, outcomes(&planned)), "{done}");
    assert_eq!(place.text("a/in/x").as_deref(), Some("../../releases/2"));
    let group = done["group"].as_str().unwrap();
    let (code, undone) = place.run(&["undo", "--group", group], "");
    assert_eq!(code, 0, "{undone}");
    assert_eq!(place.text("a").as_deref(), Some("releases/1"));
    let failing = lines.replace("\"to\":\"b\"", "\"to\":\"none\"");
    let (code, failed) = place.group(&failing);
    assert_eq!((code, kinds(&failed)), (4, vec![("dangling".to_owned(), json!(3))]));
    assert_eq!(place.text("a").as_deref(), Some("releases/1"));
}

#[test]
fn undo_takes_each_link_back_to_what_it_was() {
    let place = Place::recorded();
    fs::write(place.at("way"), "mine").unwrap();
    let inode = |path: &str| {
        use std::os::unix::fs::MetadataExt as _;
        fs::symlink_metadata(place.at(path)).unwrap().ino()
    };
    let mine = inode("way");
    let lines = format!("{SWITCH}{}\n", r#"{"verb":"ensure","link":"way","to":"releases/3","backup":true}"#);
    let (code, done) = place.group(&lines);
    assert_eq!((code, &done["items"][3]["backup"]), (0, &json!("way.backup")), "{done}");
    let group = done["group"].as_str().unwrap().to_owned();
    let (code, dry) = place.run(&["undo", "--group", &group, "-n"], "");
    assert_eq!((code, place.text("a").unwrap().as_str()), (0, "releases/2"));
    let (code, undone) = place.run(&["undo", "--group", &group], "");
    assert_eq!((code, &undone["items"], &undone["changed"]), (0, &dry["items"], &json!(true)), "{undone}");
    assert_eq!(["a", "b"].map(|link| place.text(link).unwrap()), ["releases/1", "releases/1"]);
    assert!(!place.at("new").exists() && !place.at("way.backup").exists());
    assert_eq!((fs::read_to_string(place.at("way")).unwrap().as_str(), inode("way")), ("mine", mine));
    let new = undone["group"].as_str().unwrap();
    assert_ne!(new, group);
    // What was undone can be undone.
    let (code, redone) = place.run(&["undo", "--group", new], "");
    assert_eq!(
        (code, place.text("a").unwrap().as_str(), place.text("way").unwrap().as_str()),
        (0, "releases/2", "releases/3"),
        "{redone}"
    );
    assert_eq!(place.run(&["undo", "--group", "0123456789abcdef"], "").0, 5);
}

#[test]
fn undo_leaves_all_as_it_is_where_one_link_is_not_as_the_group_left_it() {
    let others: [fn(&Path); 4] = [
        |link| {
            fs::remove_file(link).unwrap();
            symlink("releases/3", link).unwrap();
        },
        |link| fs::remove_file(link).unwrap(),
        |link| {
            fs::remove_file(link).unwrap();
            fs::write(link, "x").unwrap();
        },
        |link| {
            fs::remove_file(link).unwrap();
            fs::create_dir(link).unwrap();
        },
    ];
    for change in others {
        for link in ["a", "new/c"] {
            let place = Place::recorded();
            let (_, done) = place.group(SWITCH);
            change(&place.at(link));
            let group = done["group"].as_str().unwrap();
            let (code, refused) = place.run(&["undo", "--group", group], "");
            assert_eq!(
                (code, kinds(&refused)[0].0.as_str(), &refused["changed"]),
                (3, "mismatch", &json!(false)),
                "{refused}"
            );
            assert_eq!(place.text("b").unwrap(), "releases/2");
        }
    }
    // A link that the group removed and somebody made again is not as it was left either.
    let place = Place::recorded();
    let (_, done) = place.group("{\"verb\":\"remove\",\"link\":\"a\"}\n{\"verb\":\"remove\",\"link\":\"b\"}\n");
    symlink("releases/3", place.at("a")).unwrap();
    let (code, refused) = place.run(&["undo", "--group", done["group"].as_str().unwrap()], "");
    assert_eq!((code, kinds(&refused)[0].0.as_str(), place.text("b")), (3, "mismatch", None));
}

#[test]
fn the_next_mutation_ends_a_group_of_which_only_the_end_is_missing() {
    for link in ["a", "elsewhere"] {
        let place = Place::recorded();
        assert_eq!(place.group(SWITCH).0, 0);
        // As a program leaves it that was stopped when all its results were written.
        let log = fs::read_to_string(place.at(".caplink/log.jsonl")).unwrap();
        let last = log.trim_end().rfind('\n').unwrap() + 1;
        assert!(log[last..].contains("\"entry\":\"group_end\""), "{}", &log[last..]);
        fs::write(place.at(".caplink/log.jsonl"), &log[..last]).unwrap();
        let open_groups = || place.run(&["records", "show"], "").1["items"][0]["open_groups"].clone();
        assert_eq!(open_groups(), 1);
        assert_eq!(place.run(&["ensure", link, "--to", "releases/3"], "").0, 0);
        assert_eq!(open_groups(), 0, "{link}");
        assert_eq!(place.run(&["recover"], "").1["changed"], false);
    }
}

#[test]
fn a_reason_that_is_demanded_is_one_of_each_line_or_of_all() {
    let place = Place::new();
    assert_eq!(place.run(&["records", "init", "--require-reason"], "").0, 0);
    for dry in [&["-n"][..], &[]] {
        let words: Vec<&str> = ["batch", "--all-or-nothing"].iter().chain(dry).copied().collect();
        assert_eq!((place.run(&words, SWITCH).0, place.text("a").unwrap().as_str()), (4, "releases/1"));
    }
    assert!(!fs::read_dir(place.at(".caplink")).unwrap().any(|entry| entry.unwrap().file_name() != "log.jsonl"));
    let (code, done) = place.run(&["batch", "--all-or-nothing", "--reason", "night"], SWITCH);
    assert_eq!(code, 0);
    assert_eq!(place.run(&["undo", "--group", done["group"].as_str().unwrap()], "").0, 4);
}
