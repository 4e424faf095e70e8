//! The compiled program under filters that refuse the calls it prefers.

#![cfg(feature = "cli")]

use std::ffi::OsStr;
use std::process::{Command, Output};

use super::backend::skipped;
use super::ground::{Case, inventory, on_backends, on_every_backend};
use super::support::snapshot::{residue, tree, without_directory_times};

/// A name, the arguments, the exit code, and the kind of the error or the outcome of the first item.
type Row = (&'static str, &'static [&'static str], i32, &'static str);

/// Each on a new tree of [`furnish`]. For a host without exchange see below.
const ROWS: &[Row] = &[
    ("S-01", &["create", "../x", "--to", "t"], 4, "escape"),
    ("S-02", &["ensure", "a/../../x", "--to", "t"], 4, "escape"),
    ("S-03", &["remove", "a/../l"], 2, "invalid_path"),
    ("S-04", &["create", "/x", "--to", "t"], 4, "escape"),
    ("S-05", &["create", "./a//./x", "--to", "t"], 0, "created"),
    ("S-06", &["create", "x/", "--to", "t"], 2, "invalid_path"),
    ("S-07", &["ensure", "out/", "--to", "t"], 2, "invalid_path"),
    ("S-07", &["resolve", "out/"], 4, "escape"),
    ("S-08", &["resolve", "../"], 4, "escape"),
    ("S-09", &["create", "out/x", "--to", "t"], 4, "symlink_in_path"),
    ("S-09", &["--follow", "create", "out/x", "--to", "t"], 4, "escape"),
    ("S-10", &["--follow", "create", "d/x", "--to", "t"], 0, "created"),
    ("S-12", &["resolve", "loop"], 5, "loop"),
    ("S-13", &["create", "x", "--to", "../canary/x", "--style", "verbatim"], 4, "escape"),
    ("S-13", &["create", "x", "--to", "out/secret"], 4, "escape"),
    ("S-14", &["create", "x", "--to", ""], 2, "invalid_target"),
    ("S-17", &["create", "--to", "t", "--", "-n"], 0, "created"),
    ("O-01", &["ensure", "t", "--to", "u"], 3, "not_a_link"),
    ("O-01", &["remove", "a"], 3, "not_a_link"),
    ("O-01", &["swap", "fifo", "--to", "u", "--expect", "t"], 3, "not_a_link"),
    ("O-02", &["resolve", "fifo"], 0, "fifo"),
    ("O-03", &["remove", "missing"], 5, "not_found"),
    ("O-03", &["remove", "missing", "--missing-ok"], 0, "unchanged"),
    ("O-03", &["create", "x", "--to", "missing"], 4, "dangling"),
    ("O-03", &["create", "l", "--to", "missing"], 3, "exists"),
    ("O-19", &["ensure", "l", "--to", "u"], 0, "replaced"),
    ("O-19", &["swap", "l", "--to", "u", "--expect", "t"], 0, "replaced"),
    ("O-19", &["swap", "l", "--to", "u", "--expect", "u"], 3, "mismatch"),
    ("O-19", &["remove", "l"], 0, "removed"),
    ("O-19", &["ensure", "l", "--to", "t"], 0, "unchanged"),
    ("O-19", &["--require", "atomic", "create", "x", "--to", "t"], 0, "created"),
    ("O-19", &["--require", "atomic", "ensure", "l", "--to", "t"], 0, "unchanged"),
];

/// Those whose answer depends on exchange: with it, and without.
const EXCHANGING: &[(Row, Row)] = &[
    (
        ("O-19", &["--require", "atomic", "ensure", "l", "--to", "u"], 0, "replaced"),
        ("O-19", &["--require", "atomic", "ensure", "l", "--to", "u"], 10, "unsupported"),
    ),
    (
        ("O-19", &["--require", "atomic", "remove", "l"], 0, "removed"),
        ("O-19", &["--require", "atomic", "remove", "l"], 10, "unsupported"),
    ),
    (("O-19", &["exchange", "l", "m"], 0, "exchanged"), ("O-19", &["exchange", "l", "m"], 10, "unsupported")),
    (
        ("O-01", &["ensure", "t", "--to", "u", "--backup"], 0, "created"),
        ("O-01", &["ensure", "t", "--to", "u", "--backup"], 10, "unsupported"),
    ),
];

fn furnish(case: &Case) {
    case.dir("a");
    case.file("t");
    case.file("u");
    case.link("l", "t");
    case.link("m", "u");
    case.link("d", "a");
    case.link("out", "../canary");
    case.link("loop", "loop");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, case.at("fifo"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
}

fn caplink<S: AsRef<OsStr>>(case: &Case, arguments: &[S]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_caplink"));
    program.arg("--json").arg("-C").arg(case.at("")).args(arguments);
    program.output().expect("the program runs")
}

/// The kind of the first error; else the outcome of the first item, or the kind of what it is about.
fn answer(output: &Output) -> String {
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one document");
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let (error, item) = (&document["errors"][0], &document["items"][0]);
    let said = text(&error["kind"]).or_else(|| text(&item["outcome"])).or_else(|| text(&item["kind"]));
    said.or_else(|| text(&document["kind"])).unwrap_or_else(|| document.to_string())
}

fn check(backend: super::backend::Backend, (id, arguments, code, said): Row) {
    let case = Case::new(backend);
    furnish(&case);
    let (root, canary) = (without_directory_times(tree(&case.at(""))), tree(&case.canary()));
    let output = caplink(&case, arguments);
    let context = format!("{id} {}: {arguments:?}: {}", backend.name, String::from_utf8_lossy(&output.stdout));
    assert_eq!((output.status.code(), answer(&output).as_str()), (Some(code), said), "{context}");
    assert_eq!(tree(&case.canary()), canary, "{context}");
    let after = without_directory_times(tree(&case.at("")));
    assert!(residue(&after).is_empty(), "{context}: {:?}", residue(&after));
    let has = inventory(&after);
    assert!(inventory(&root).iter().all(|(id, was)| has.get(id) == Some(was)), "{context}");
    if code != 0 || said == "unchanged" {
        assert_eq!(after, root, "{context}");
    }
}

#[test]
fn the_program_answers_alike_whatever_calls_are_refused() {
    on_every_backend("S+O cli", |case| {
        // The abilities of a program can be masked by a filter alone.
        if case.backend.name != "native" && case.backend.refused.is_empty() {
            return;
        }
        for row in ROWS {
            check(case.backend, *row);
        }
        for (with, without) in EXCHANGING {
            check(case.backend, if case.backend.abilities.exchange { *with } else { *without });
        }
    });
}

#[test]
fn o_19_doctor_shows_what_is_refused() {
    on_every_backend("O-19d", |case| {
        if case.backend.name != "native" && case.backend.refused.is_empty() {
            return;
        }
        let output = caplink(case, &["doctor"]);
        let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let able = case.backend.abilities;
        assert_eq!(shown["openat2"], able.confined_open, "{}: {shown}", case.backend.name);
        assert_eq!(shown["exchange"], able.exchange, "{}: {shown}", case.backend.name);
        assert_eq!(shown["no_replace"], able.no_replace, "{}: {shown}", case.backend.name);
        let guarantee = if able.exchange { "atomic" } else { "cooperative" };
        assert_eq!(shown["guarantee"], guarantee, "{}: {shown}", case.backend.name);
    });
}

#[test]
fn o_02_no_entry_is_opened_but_to_be_named() {
    on_backends("O-02s", super::backend::NATIVE, |case| {
        if Command::new("strace").arg("-V").output().is_err() {
            return skipped("O-02s", "there is no strace");
        }
        furnish(case);
        case.link("to-fifo", "fifo");
        for arguments in [
            &["inspect", "fifo", "to-fifo", "t", "l", "out"][..],
            &["resolve", "to-fifo"],
            &["resolve", "out"],
            &["create", "new", "--to", "fifo"],
            &["ensure", "l", "--to", "u"],
            &["--follow", "create", "out/x", "--to", "t"],
            &["ensure", "fifo", "--to", "u"],
            &["ensure", "u", "--to", "t", "--backup"],
            &["remove", "new"],
        ] {
            let log = case.on_ground("log");
            let mut traced = Command::new("strace");
            traced.args(["-f", "-y", "-e", "trace=open,openat,openat2", "-o"]).arg(&log);
            traced.arg(env!("CARGO_BIN_EXE_caplink")).arg("--json").arg("-C").arg(case.at("")).args(arguments);
            let _ = traced.output().unwrap();
            let ground = case.on_ground("");
            let ground = ground.to_str().unwrap();
            let mut seen = 0;
            for line in std::fs::read_to_string(&log).unwrap().lines().filter(|line| line.contains(ground)) {
                seen += 1;
                let named = line.contains("O_PATH") || line.contains("O_DIRECTORY");
                assert!(named || line.contains("= -1 "), "{arguments:?}: {line}");
                assert!(!line.contains("/canary") || line.contains("O_PATH"), "{arguments:?}: {line}");
            }
            assert!(seen > 0, "{arguments:?}: the trace shows the root");
        }
    });
}
