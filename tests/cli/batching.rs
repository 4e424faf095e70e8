//! Edits from lines of JSON.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::support::{Answer, Place, answer, skipped};

/// Runs a batch of these lines.
fn batch(place: &Place, options: &str, lines: &str) -> Answer {
    let file = place.base.path().join("lines");
    fs::write(&file, lines).unwrap();
    let line = format!("{options} batch {}", file.display());
    place.ask(&line)
}

fn items(answer: &Answer) -> Vec<(u64, &str, &str)> {
    let items = answer.json["items"].as_array().unwrap().iter();
    items.map(|i| (i["line"].as_u64().unwrap(), i["link"].as_str().unwrap(), i["outcome"].as_str().unwrap())).collect()
}

const MIXED: &str = r#"{"verb":"create","link":"one","to":"file"}

{"verb":"ensure","link":"deep/er/two","to":"a","parents":true}
{"verb":"swap","link":"current","to":"releases/2","expect":"releases/1"}
{"verb":"exchange","a":"current","b":"one"}
{"verb":"remove","link":"gone","missing_ok":true}
"#;

#[test]
fn the_items_carry_their_lines_in_order_and_an_exchange_has_two() {
    let place = Place::new();
    place.link("current", "releases/1");
    let dry = batch(&place, "-n", MIXED);
    assert_eq!(place.text("one"), None, "a dry run changes nothing");
    let ran = batch(&place, "", MIXED);
    let expected = [
        (1, "one", "created"),
        (3, "deep/er/two", "created"),
        (4, "current", "replaced"),
        (5, "current", "exchanged"),
        (5, "one", "exchanged"),
        (6, "gone", "unchanged"),
    ];
    assert_eq!((ran.code, items(&ran)), (0, expected.to_vec()), "{ran:?}");
    assert_eq!(ran.json["items"][2]["durability"], "dir");
    assert_eq!(place.text("current"), Some("file".into()));
    let mut expected = ran.json.clone();
    expected["dry_run"] = true.into();
    assert_eq!(dry.json["items"], expected["items"], "each edit is judged as those before it leave the tree");
}

#[test]
fn every_line_that_makes_no_sense_is_reported_and_nothing_is_done() {
    let place = Place::new();
    let lines = "{\"verb\":\"create\",\"link\":\"l\",\"to\":\"file\"}\nnonsense\n\n{\"verb\":\"remove\"}\n";
    let ran = batch(&place, "", lines);
    assert_eq!((ran.code, &ran.json["items"], &ran.json["changed"]), (2, &json!([]), &json!(false)));
    let told: Vec<_> = ran.json["errors"].as_array().unwrap().iter().map(|e| (&e["kind"], &e["line"])).collect();
    assert_eq!(told, [(&json!("usage"), &json!(2)), (&json!("usage"), &json!(4))]);
    assert_eq!(place.text("l"), None);
    let empty = batch(&place, "", "\n\n");
    assert_eq!((empty.code, &empty.json["changed"], &empty.json["items"]), (0, &json!(false), &json!([])));
}

#[test]
fn the_first_edit_that_fails_stops_the_rest_unless_it_is_to_go_on() {
    let lines = r#"{"verb":"create","link":"one","to":"file"}
{"verb":"remove","link":"../out"}
{"verb":"create","link":"two","to":"nowhere"}
{"verb":"exchange","a":"one","b":"two"}
{"verb":"create","link":"three","to":"file"}
"#;
    let place = Place::new();
    let ran = batch(&place, "", lines);
    let skipped = [(3, "two", "skipped"), (4, "one", "skipped"), (4, "two", "skipped"), (5, "three", "skipped")];
    let mut expected = vec![(1, "one", "created")];
    expected.extend(skipped);
    assert_eq!((ran.code, items(&ran)), (4, expected));
    assert_eq!(ran.json["items"][1]["verb"], "create");
    assert_eq!((&ran.json["errors"][0]["line"], &ran.json["errors"][0]["kind"]), (&json!(2), &json!("escape")));
    let going = place.run(["batch", "--json", "--keep-going", place.base.path().join("lines").to_str().unwrap()]);
    let document: serde_json::Value = serde_json::from_slice(&going.out).unwrap();
    let told: Vec<_> = document["errors"].as_array().unwrap().iter().map(|e| (&e["line"], &e["kind"])).collect();
    let expected = [(1, "exists"), (2, "escape"), (3, "dangling"), (4, "not_found")]
        .map(|(line, kind)| (json!(line), json!(kind)));
    assert_eq!(told, expected.iter().map(|(line, kind)| (line, kind)).collect::<Vec<_>>());
    assert_eq!((going.code, document["items"].as_array().unwrap().len()), (4, 1));
    assert_eq!(place.text("three"), Some("file".into()));
}

#[test]
fn an_edit_of_a_link_that_an_earlier_one_changed_is_judged_on_what_that_one_leaves() {
    let lines = r#"{"verb":"create","link":"a/new/one","to":"file","parents":true}
{"verb":"create","link":"a/new/two","to":"file"}
{"verb":"create","link":"a/new/two","to":"a"}
{"verb":"swap","link":"a/new/one","to":"a","expect":"../../file"}
{"verb":"remove","link":"a/new/one","expect":"../../file"}
{"verb":"remove","link":"a/new/one","expect":".."}
{"verb":"create","link":"a/new/one","to":"file"}
"#;
    let place = Place::new();
    let file = place.base.path().join("lines");
    fs::write(&file, lines).unwrap();
    let run = |options: &str| place.ask(&format!("{options} batch --keep-going {}", file.display()));
    let dry = run("-n");
    let ran = run("");
    let expected = [
        (1, "a/new/one", "created"),
        (2, "a/new/two", "created"),
        (4, "a/new/one", "replaced"),
        (6, "a/new/one", "removed"),
        (7, "a/new/one", "created"),
    ];
    assert_eq!(items(&ran), expected);
    assert_eq!(items(&dry), expected);
    assert_eq!(dry.json["items"], ran.json["items"]);
    assert_eq!(dry.json["errors"], ran.json["errors"]);
}

#[test]
fn a_directory_that_an_earlier_line_makes_is_one_to_later_lines() {
    let lines = r#"{"verb":"create","link":"n/one","to":"file","parents":true}
{"verb":"create","link":"way","to":"n"}
{"verb":"create","link":"ways","to":"n/"}
{"verb":"create","link":"n/two","to":"releases/1"}
{"verb":"exchange","a":"n/one","b":"n/two"}
{"verb":"exchange","a":"way","b":"n/two","allow_dangling":true,"allow_outside":true}
{"verb":"exchange","a":"n/one","b":"n/none"}
{"verb":"create","link":"last","to":"n/none"}
"#;
    let place = Place::new();
    let file = place.base.path().join("lines");
    fs::write(&file, lines).unwrap();
    let ask = |options: &str| place.ask(&format!("{options} batch --keep-going {}", file.display()));
    let before = place.snapshot();
    let dry = ask("-n");
    assert_eq!(place.snapshot(), before);
    let ran = ask("");
    assert_eq!(dry.json["items"], ran.json["items"]);
    assert_eq!(dry.json["errors"], ran.json["errors"]);
    let kinds: Vec<_> = ran.json["errors"].as_array().unwrap().iter().map(|error| error["kind"].clone()).collect();
    assert_eq!(kinds, ["not_found", "dangling"], "{}", ran.json);
}

#[test]
fn lines_are_read_from_standard_input() {
    use std::io::Write as _;
    use std::process::Stdio;
    let place = Place::new();
    for arguments in [&["batch"][..], &["batch", "-"]] {
        let mut command = place.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"{\"verb\":\"ensure\",\"link\":\"l\",\"to\":\"file\"}").unwrap();
        assert!(child.wait_with_output().unwrap().status.success());
        assert_eq!(place.text("l"), Some("file".into()));
        fs::remove_file(place.root.join("l")).unwrap();
    }
    let missing = place.ask("batch no-such-file");
    assert_eq!((missing.code, missing.kind()), (5, "not_found"));
    assert!(missing.error()["hint"].is_null(), "no verb below the root shows it: {}", missing.json);
}

#[test]
fn each_line_has_its_own_reason_in_the_records() {
    let place = Place::new();
    assert_eq!(place.ask("records init --require-reason --reason begin").code, 0);
    let lines = r#"{"verb":"create","link":"one","to":"file","reason":"first"}
{"verb":"create","link":"two","to":"file","reason":"second"}
{"verb":"create","link":"three","to":"file"}
"#;
    let ran = batch(&place, "", lines);
    assert_eq!((ran.code, ran.kind(), items(&ran).len()), (4, "policy", 2), "{ran:?}");
    let log = place.ask("log");
    let reasons: Vec<_> = log.json["items"].as_array().unwrap().iter().map(|entry| &entry["reason"]).collect();
    assert!(reasons.ends_with(&[&json!("first"), &json!("second")]), "{log:?}");
    assert_eq!(log.json["items"][1]["durability"], "dir", "what is in the log is what happened");
    let control = batch(&place, "", "{\"verb\":\"remove\",\"link\":\"one\",\"reason\":\"a\\nb\"}");
    assert_eq!((control.code, control.kind()), (2, "usage"));
}

#[test]
fn a_batch_may_come_from_a_program_that_the_shell_started() {
    let place = Place::new();
    let edit = r#"{"verb": "create", "link": "l", "to": "file"}"#;
    let script = format!("\"$0\" -C \"$1\" --json batch <(echo '{edit}')");
    if Command::new("bash").arg("--version").output().is_err() {
        return skipped("batching::a_batch_may_come_from_a_program_that_the_shell_started", "there is no bash");
    }
    let mut bash = Command::new("bash");
    bash.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_caplink")).arg(&place.root);
    assert_eq!(answer(&mut bash).outcome(), "created");
    assert_eq!(place.text("l"), Some("file".into()));
}

#[test]
fn hints_name_what_a_line_has() {
    let place = Place::new();
    place.link("a/up", "../file").link("l", "file");
    let lines = [
        r#"{"verb":"create","link":"x","to":"gone"}"#,
        r#"{"verb":"create","link":"x/y","to":"file"}"#,
        r#"{"verb":"remove","link":"x"}"#,
        r#"{"verb":"ensure","link":"file","to":"a"}"#,
        r#"{"verb":"exchange","a":"a/up","b":"l","allow_dangling":true}"#,
        r#"{"verb":"ensure","link":"l","to":"l"}"#,
    ];
    let hints = [
        "`\"allow_dangling\": true` makes the link all the same",
        "`\"parents\": true` makes missing directories",
        "`\"missing_ok\": true` takes an absent link as removed",
        "`\"backup\": true` renames it and keeps it",
        "`\"allow_outside\": true` exchanges them all the same",
        "choose a target that does not lead back to the link",
    ];
    for (line, hint) in lines.into_iter().zip(hints) {
        assert_eq!(batch(&place, "", line).error()["hint"], hint, "{line}");
    }
}

#[test]
fn a_dry_run_follows_the_links_that_earlier_lines_leave() {
    let place = Place::new();
    place.link("current", "releases/1").link("a/way", "../current");
    let lines = [
        r#"{"verb":"create","link":"current/one","to":"file"}"#,
        r#"{"verb":"ensure","link":"current","to":"releases/2"}"#,
        r#"{"verb":"create","link":"current/two","to":"file"}"#,
        r#"{"verb":"create","link":"a/way/three","to":"file"}"#,
        r#"{"verb":"create","link":"a/way/deep/four","to":"file","parents":true}"#,
        r#"{"verb":"create","link":"new","to":"releases/2/deep"}"#,
        r#"{"verb":"ensure","link":"new/four","to":"a"}"#,
        r#"{"verb":"exchange","a":"current/two","b":"new/four","allow_dangling":true,"allow_outside":true}"#,
        r#"{"verb":"remove","link":"current/one"}"#,
        r#"{"verb":"ensure","link":"gone","to":"nowhere","allow_dangling":true}"#,
        r#"{"verb":"create","link":"gone/five","to":"file","parents":true}"#,
        r#"{"verb":"ensure","link":"out","to":"..","style":"verbatim","allow_outside":true}"#,
        r#"{"verb":"create","link":"out/six","to":"file"}"#,
        r#"{"verb":"remove","link":"current"}"#,
        r#"{"verb":"create","link":"current/seven","to":"file"}"#,
        r#"{"verb":"create","link":"current/deep/eight","to":"file","parents":true}"#,
    ];
    let (file, lines) = (place.base.path().join("lines"), lines.join("\n"));
    fs::write(&file, lines).unwrap();
    let ask = |dry: &str| place.ask(&format!("{dry} --follow batch --keep-going {}", file.display()));
    let (planned, done) = (ask("-n"), ask(""));
    assert_eq!(planned.json["items"], done.json["items"]);
    assert_eq!(planned.json["errors"], done.json["errors"]);
    assert_eq!((planned.code, done.json["items"][2]["physical"].as_str()), (done.code, Some("releases/2/two")));
}

#[test]
fn a_dry_run_leads_into_directories_that_earlier_lines_make() {
    let place = Place::new();
    let lines = [
        r#"{"verb":"create","link":"releases/2/deep/er/one","to":"file","parents":true}"#,
        r#"{"verb":"create","link":"two","to":"releases/2/deep/er"}"#,
        r#"{"verb":"create","link":"a/three","to":"releases/2/deep/er/one"}"#,
        r#"{"verb":"create","link":"four","to":"releases/2/deep/../deep/er","style":"verbatim"}"#,
        r#"{"verb":"create","link":"releases/2/deep/five","to":"releases/2/deep/er/"}"#,
        r#"{"verb":"create","link":"six","to":"releases/2/deep/nothing"}"#,
        r#"{"verb":"create","link":"seven","to":"releases/2/nothing/er"}"#,
    ];
    let lines = lines.join("\n");
    let planned = batch(&place, "-n", &lines);
    let first = items(&planned).len();
    let (file, ask) = (place.base.path().join("lines"), "batch --keep-going");
    let planned = place.ask(&format!("-n {ask} {}", file.display()));
    let done = place.ask(&format!("{ask} {}", file.display()));
    assert_eq!(planned.json["items"], done.json["items"]);
    assert_eq!(planned.json["errors"], done.json["errors"]);
    assert_eq!((first, items(&done).len(), done.json["errors"].as_array().unwrap().len()), (6, 5, 2));
}

#[test]
fn a_dry_run_knows_what_goes_with_a_directory_or_a_link_that_earlier_lines_replace() {
    let replaced_dir = [
        r#"{"verb":"ensure","link":"a/one","to":"file"}"#,
        r#"{"verb":"ensure","link":"a","to":"releases","backup":true}"#,
        r#"{"verb":"ensure","link":"a/two","to":"file"}"#,
        r#"{"verb":"remove","link":"a"}"#,
        r#"{"verb":"ensure","link":"a/one","to":"file","parents":true}"#,
        r#"{"verb":"ensure","link":"three","to":"a/there"}"#,
    ];
    let new_dir = [
        r#"{"verb":"ensure","link":"new/one","to":"file","parents":true}"#,
        r#"{"verb":"ensure","link":"new","to":"releases","backup":true}"#,
        r#"{"verb":"ensure","link":"new/two","to":"file"}"#,
        r#"{"verb":"ensure","link":"three","to":"new/one"}"#,
    ];
    let replaced_link = [
        r#"{"verb":"remove","link":"link"}"#,
        r#"{"verb":"ensure","link":"link/one","to":".","style":"verbatim","parents":true}"#,
        r#"{"verb":"ensure","link":"link/one","to":"file","parents":true}"#,
        r#"{"verb":"exchange","a":"link/two","b":"link/one"}"#,
    ];
    let twice = [
        r#"{"verb":"ensure","link":"new/dir/one","to":"file","parents":true}"#,
        r#"{"verb":"ensure","link":"new/dir","to":"file","backup":true}"#,
        r#"{"verb":"ensure","link":"new/dir.backup","to":"file"}"#,
        r#"{"verb":"remove","link":"new/dir"}"#,
        r#"{"verb":"ensure","link":"new/dir/one","to":"file","parents":true}"#,
        r#"{"verb":"ensure","link":"new/dir","to":"file","backup":true}"#,
        r#"{"verb":"ensure","link":"file","to":"a","backup":true}"#,
        r#"{"verb":"create","link":"file.backup","to":"a"}"#,
    ];
    for (lines, kinds) in [
        (&twice[..], &["not_a_link", "exists"][..]),
        (&replaced_dir, &["symlink_in_path", "dangling"]),
        (&new_dir, &["symlink_in_path", "dangling"]),
        (&replaced_link, &["dangling", "not_found"]),
    ] {
        let place = Place::new();
        fs::write(place.root.join("a/there"), "").unwrap();
        place.link("link", "/etc/passwd");
        let file = place.base.path().join("lines");
        fs::write(&file, lines.join("\n")).unwrap();
        let ask = |dry: &str| place.ask(&format!("{dry} batch --keep-going {}", file.display()));
        let (dry, real) = (ask("-n"), ask(""));
        assert_eq!(dry.json["items"], real.json["items"], "{lines:?}");
        assert_eq!(dry.json["errors"], real.json["errors"], "{lines:?}");
        let errors = real.json["errors"].as_array().unwrap();
        assert_eq!(errors.iter().map(|error| error["kind"].as_str().unwrap()).collect::<Vec<_>>(), kinds, "{lines:?}");
    }
}

#[test]
fn a_dry_run_names_the_path_of_an_exchange_that_is_gone_to_first() {
    let lines = [
        r#"{"verb":"create","link":"up","to":"../..","style":"verbatim","allow_outside":true}"#,
        r#"{"verb":"exchange","a":"nosuch/one","b":"up/two"}"#,
    ];
    let place = Place::new();
    let file = place.base.path().join("lines");
    fs::write(&file, lines.join("\n")).unwrap();
    let ask = |dry: &str| place.ask(&format!("{dry} --follow batch {}", file.display()));
    let (dry, real) = (ask("-n"), ask(""));
    assert_eq!(dry.json["errors"], real.json["errors"]);
    assert_eq!(real.kind(), "not_found");
}

#[test]
fn of_two_bad_paths_the_first_is_named() {
    let place = Place::new();
    let (line, words) = (r#"{"verb":"exchange","a":"../x","b":"a/"}"#, "exchange ../x a/");
    let (batch, alone) = (batch(&place, "", line), place.ask(words));
    assert_eq!((batch.kind(), alone.kind()), ("escape", "escape"));
}

#[test]
fn a_dry_run_of_lines_with_reasons_of_their_own_or_bad_paths_knows_those_before_them() {
    let place = Place::new();
    let lines = [
        r#"{"verb":"create","link":"one","to":"file","reason":"first"}"#,
        r#"{"verb":"create","link":"two","to":"one","reason":"second"}"#,
        r#"{"verb":"create","link":"../out","to":"one"}"#,
        r#"{"verb":"swap","link":"one","to":"a","expect":"file"}"#,
        r#"{"verb":"create","link":"new/dir/three","to":"two","parents":true}"#,
        r#"{"verb":"remove","link":"/out"}"#,
        r#"{"verb":"remove","link":"new/dir"}"#,
        r#"{"verb":"create","link":"new","to":"file"}"#,
        r#"{"verb":"exchange","a":"new/dir","b":"one"}"#,
        r#"{"verb":"create","link":"new/dir/three","to":"../.."}"#,
        r#"{"verb":"remove","link":"one"}"#,
        r#"{"verb":"exchange","a":"one/x","b":"two"}"#,
    ];
    let file = place.base.path().join("lines");
    fs::write(&file, lines.join("\n")).unwrap();
    let ask = |dry: &str| place.ask(&format!("{dry} batch --keep-going {}", file.display()));
    let (planned, done) = (ask("-n"), ask(""));
    assert_eq!(planned.json["items"], done.json["items"]);
    assert_eq!(planned.json["errors"], done.json["errors"]);
    let kinds: Vec<_> =
        done.json["errors"].as_array().unwrap().iter().map(|error| error["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["escape", "escape", "not_a_link", "exists", "not_a_link", "exists", "not_found"]);
}
