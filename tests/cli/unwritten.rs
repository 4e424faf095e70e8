//! Answers that could not be written, or not to their end.

use std::fs::File;
use std::io::Read as _;
use std::process::Stdio;

use crate::support::{Place, skipped};

/// One line of each verb, on a tree with the links `l` and `m`.
const LINES: &[&str] = &[
    "create n --to file",
    "ensure l --to a",
    "swap l --to a --expect file",
    "exchange l m",
    "remove l",
    "repair --tidy --remove-dangling",
    "inspect file",
    "resolve l",
    "resolve --explain file",
    "scan",
    "scan --exit-code",
    "scan --format ndjson",
    "scan --format paths",
    "doctor",
];

/// What prints a format of its own.
const OWN: &[&str] = &["completions bash", "man", "man create", "schema", "--help", "create --help", "--version"];

fn with_two_links() -> Place {
    let place = Place::new();
    place.link("l", "file").link("m", "releases//1").link("dangling", "nowhere");
    place
}

#[test]
fn an_answer_that_could_not_be_written_is_an_error_and_a_change_stands() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut outputs = vec![("read-only", File::open(file.path()).unwrap())];
    match File::options().write(true).open("/dev/full") {
        Ok(full) => outputs.push(("full", full)),
        Err(_) => skipped("transcripts::an_answer_that_could_not_be_written", "there is no /dev/full"),
    }
    for (what, output) in outputs {
        let json = LINES.iter().filter(|line| !line.contains("--format")).map(|line| format!("--json {line}"));
        let lines = LINES.iter().chain(OWN).map(|line| (*line).to_owned()).chain(json);
        for line in lines.chain(["--json frobnicate".to_owned()]) {
            let place = with_two_links();
            let before = place.snapshot();
            let mut command = place.command(line.split_whitespace());
            let ran = command.stdout(output.try_clone().unwrap()).stderr(Stdio::piped()).spawn().unwrap();
            let ran = ran.wait_with_output().unwrap();
            let err = String::from_utf8(ran.stderr).unwrap();
            assert_eq!(ran.status.code(), Some(10), "{what}: {line}: {err}");
            assert!(err.contains("error: cannot write to stdout"), "{what}: {line}: {err}");
            let has_changed = place.snapshot() != before;
            assert_eq!(err.contains("the change was made and stands"), has_changed, "{what}: {line}: {err}");
        }
    }
}

#[test]
fn a_reader_that_went_away_is_no_message_but_for_a_change() {
    for line in LINES.iter().chain(OWN).copied().chain(["--json inspect file", "--json remove l"]) {
        let place = with_two_links();
        let before = place.snapshot();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = place.command(line.split_whitespace()).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(10), "{line}: {err}");
        let has_changed = place.snapshot() != before;
        assert_eq!(err.contains("the change was made and stands"), has_changed, "{line}: {err}");
        assert_eq!(err.contains("cannot write to stdout"), has_changed, "{line}: {err}");
    }
}

#[test]
fn nothing_is_written_where_nothing_is_to_be_said() {
    let Ok(full) = File::options().write(true).open("/dev/full") else { return };
    let place = with_two_links();
    let status = place.command(["-qq", "create", "n", "--to", "file"]).stdout(full).status().unwrap();
    assert_eq!((status.code(), place.text("n")), (Some(0), Some("file".into())));
}

#[test]
fn a_scan_that_was_cut_short_never_says_that_all_is_well() {
    let place = Place::new();
    for number in 0..3000 {
        place.link(format!("a/a-link-with-a-name-that-fills-the-pipe-{number:04}"), "../file");
    }
    place.link("escape", "../outside").link("dangling", "nowhere");
    for format in ["text", "json", "ndjson", "paths", "html"] {
        for options in [&[][..], &["--exit-code"]] {
            let mut command = place.command(["scan", "--format", format]);
            let mut child = command.args(options).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let mut first = [0];
            child.stdout.take().unwrap().read_exact(&mut first).unwrap();
            let ended = child.wait_with_output().unwrap();
            // A reader that has seen enough needs no message, and a count of what was seen until then would mislead.
            assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "{format}");
            assert_eq!(ended.status.code(), Some(10), "{format} {options:?}");
        }
    }
}
