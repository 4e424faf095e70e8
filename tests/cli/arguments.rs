//! What can be written, where, and what is no usage.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::{Place, answer, caplink, document, ran};

/// Each global option, and what it needs after it.
const GLOBAL: &[&str] = &[
    "-C .",
    "--root .",
    "--json",
    "-n",
    "--dry-run",
    "-q",
    "-qq",
    "-v",
    "-vv",
    "--color never",
    "--color=auto",
    "--require atomic",
    "--confine auto",
    "--confine off",
    "--durability none",
    "--durability dir",
    "--durability fs",
    "--follow",
    "--cross-mounts",
    "--state .st",
    "--rooted",
];

/// A line for each verb, on a tree with the links `x` and `y`.
pub(crate) const VERBS: &[&str] = &[
    "create new --to file",
    "ensure x --to file",
    "swap x --to file --expect file",
    "exchange x y",
    "remove x",
    "inspect x",
    "resolve x",
    "scan",
    "doctor",
    "schema",
];

/// What prints a format of its own.
pub(crate) const OWN_FORMAT: &[&str] = &["completions bash", "man"];

#[test]
fn global_options_are_taken_on_either_side_of_the_verb() {
    for verb in VERBS.iter().chain(OWN_FORMAT) {
        for option in GLOBAL.iter().filter(|option| **option != "--json" || VERBS.contains(verb)) {
            for line in [format!("{option} {verb}"), format!("{verb} {option}")] {
                let place = Place::new();
                place.link("x", "file").link("y", "file");
                let ran = ran(caplink().current_dir(&place.root).args(line.split_whitespace()));
                assert_eq!(ran.code, 0, "{line}: {}", ran.err());
            }
        }
    }
}

#[test]
fn json_before_and_after_the_verb_is_the_same_document() {
    for verb in VERBS {
        let document = |line: String| {
            let place = Place::new();
            place.link("x", "file").link("y", "file");
            let mut json = document(&place.words(&line).out);
            // Another tree has another path and another inode.
            json.as_object_mut().unwrap().remove("root");
            json
        };
        assert_eq!(document(format!("--json {verb}")), document(format!("{verb} --json")), "{verb}");
    }
}

#[test]
fn wrong_usage_is_exit_code_2_and_is_told_in_json_as_well() {
    let lines = [
        "",
        "frobnicate",
        "create",
        "create x",
        "create --to file",
        "create x y --to file",
        "create x --to",
        "create x --to file --to file",
        "create x --to file --force",
        "create x --to file --expect file",
        "create x --to file --backup",
        "create x --to file --missing-ok",
        "create x --to file --style odd",
        "ensure x --to file --expect file",
        "swap x --to file",
        "swap x --expect file",
        "swap x --to file --expect file --backup",
        "exchange x",
        "exchange x y z",
        "exchange x y --to file",
        "exchange x y -p",
        "remove",
        "remove x y --expect file",
        "remove x --to file",
        "remove x --allow-dangling",
        "inspect",
        "inspect x --explain",
        "resolve",
        "resolve x y",
        "doctor x",
        "completions",
        "completions tcsh",
        "man x",
        "man caplink-x",
        "schema x",
        "--color sometimes inspect x",
        "--require much inspect x",
        "--confine maybe inspect x",
        "--durability always inspect x",
        "inspect x -C",
        "inspect -x",
        "--force remove x",
    ];
    let place = Place::new();
    for line in lines {
        let plain = place.words(line);
        assert_eq!((plain.code, plain.out.len()), (2, 0), "{line}");
        assert!(!plain.err.is_empty(), "{line}");
        for line in [format!("--json {line}"), format!("{line} --json")] {
            if line.ends_with("-C --json") || line.ends_with("--to --json") {
                continue;
            }
            let ran = place.words(&line);
            let json = document(&ran.out);
            assert_eq!((ran.code, json["errors"][0]["kind"].as_str()), (2, Some("usage")), "{line}");
            assert_eq!(json["errors"].as_array().map(Vec::len), Some(1));
            assert!(!ran.err.is_empty(), "{line}");
        }
    }
    assert_eq!(place.ask("swap x").json["command"], "swap");
    assert_eq!(place.text("x"), None);
}

#[test]
fn a_usage_error_does_not_drive_the_terminal() {
    for color in ["never", "always"] {
        let ran = Place::new().run(["--color", color, "inspect", "x", "--\u{1b}[2Jodd\u{7}\u{9b}\u{202e}"]);
        assert_eq!(ran.code, 2);
        assert!(
            ran.err().contains("odd") && !ran.err().contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']),
            "{}",
            ran.err()
        );
    }
}

#[test]
fn help_and_version_are_answers() {
    for line in ["--help", "-h", "--version", "-V", "help", "create --help", "help swap", "--json --help"] {
        let ran = ran(caplink().args(line.split_whitespace()));
        assert_eq!((ran.code, ran.err.len()), (0, 0), "{line}");
        assert!(!ran.out.is_empty(), "{line}");
    }
    let version = ran(caplink().arg("--version"));
    assert_eq!(version.out(), format!("caplink {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_target_without_its_option_is_told_where_it_belongs() {
    for line in ["create current releases/1", "ensure current releases/1", "swap releases/1 current --expect x"] {
        let asked = Place::new().words(line);
        assert_eq!(asked.code, 2);
        assert!(asked.err().contains("\n\n  tip: one link is named; what it is to point to is given with `--to`\n"));
    }
    assert!(!Place::new().words("exchange x y z").err().contains("--to"));
}

#[test]
fn there_is_no_force() {
    for line in ["ensure x --to file --force", "ensure x --to file -f", "-f remove x"] {
        let asked = Place::new().words(line);
        assert!(asked.err().contains("\n\n  tip: there is no `--force`"), "{}", asked.err());
        assert!(!asked.err().contains("as a value"), "{}", asked.err());
        let hint = Place::new().ask(line).error()["hint"].clone();
        assert!(hint.as_str().is_some_and(|hint| hint.starts_with("there is no `--force`")), "{hint}");
    }
    for verb in ["create", "ensure", "swap", "exchange", "remove", "inspect", "resolve", "doctor"] {
        let help = ran(caplink().args([verb, "--help"]));
        assert!(!help.out().contains("--force"), "{verb}");
    }
}

#[test]
fn the_root_is_that_of_the_option_or_the_variable_or_the_current_directory() {
    let place = Place::new();
    place.link("x", "file");
    let elsewhere = Place::new();
    let inspect = |variable: Option<&Path>, option: Option<&Path>| {
        let mut command = caplink();
        command.current_dir(&elsewhere.root).args(["--json", "inspect", "x"]);
        if let Some(root) = variable {
            command.env("CAPLINK_ROOT", root);
        }
        if let Some(root) = option {
            command.arg("--root").arg(root);
        }
        answer(&mut command).json["items"][0]["kind"].clone()
    };
    let here = Some(&*place.root);
    assert_eq!(inspect(None, None), "missing");
    assert_eq!(inspect(here, None), "symlink");
    assert_eq!(inspect(Some(Path::new("")), None), "missing");
    assert_eq!(inspect(Some(&elsewhere.root), here), "symlink");
    let misused = answer(caplink().env("CAPLINK_ROOT", "/srv").args(["--json", "-n", "frobnicate"])).json;
    assert_eq!((&misused["root"]["path"], &misused["dry_run"]), (&"/srv".into(), &true.into()));
}

#[test]
fn the_state_directory_is_that_of_the_option_or_the_variable() {
    let place = Place::new();
    let state = |variable: &str, line: &str| {
        let mut command = place.command(["--json", "doctor"]);
        answer(command.args(line.split_whitespace()).env("CAPLINK_STATE", variable)).json
    };
    std::fs::create_dir(place.root.join("open")).unwrap();
    let open = place.root.join("open").display().to_string();
    assert_eq!(state("", "")["state"], "absent");
    assert_eq!(state(&open, "")["state"], "unsafe");
    assert_eq!(state(&open, "--state x")["state"], "absent");
}

#[test]
fn a_global_option_that_is_repeated_counts_last() {
    let place = Place::new();
    place.link("x", "file");
    for line in [
        "-C gone -C . inspect x",
        "-C gone inspect -C . x",
        "-C gone -v exchange x x --root .",
        "--durability fs exchange x x --durability none --require atomic --require atomic",
        "exchange x x --confine off --confine auto --color never --color auto --state y --state z",
    ] {
        let ran = ran(caplink().current_dir(&place.root).args(line.split_whitespace()));
        assert_eq!(ran.code, 0, "{line}: {}", ran.err());
    }
}

#[test]
fn detail_and_quiet_count_on_both_sides_of_the_verb() {
    let place = Place::new();
    place.link("x", "file");
    for line in ["-v exchange x x -v", "exchange -vv x x", "-vv exchange x x", "-v remove x -vn", "-vn -v remove x"] {
        assert!(place.words(line).err().contains("note: root:"), "{line}: {}", place.words(line).err());
    }
    assert!(!place.words("-v exchange x x").err().contains("note: root:"));
    assert_eq!(place.words("-q exchange -q x x").out(), "");
}

#[test]
fn the_root_is_reported_by_its_path_and_its_inode() {
    use std::os::unix::fs::MetadataExt as _;
    let place = Place::new();
    let stat = std::fs::metadata(&place.root).unwrap();
    let numbers = std::process::Command::new("stat").args(["-c", "%Hd:%Ld:%i"]).arg(&place.root).output().unwrap();
    let id = String::from_utf8(numbers.stdout).unwrap();
    assert!(id.trim().ends_with(&format!(":{}", stat.ino())));
    let json = place.ask("inspect .").json;
    assert_eq!(json["root"]["path"].as_str().map(Path::new), Some(&*place.root));
    assert_eq!(json["root"]["id"].as_str(), Some(id.trim()));
}

#[test]
fn a_leading_dash_follows_two() {
    let place = Place::new();
    assert_eq!(place.json(["create", "--to", "file", "--", "-n"]).outcome(), "created");
    assert_eq!(place.text("-n"), Some("file".into()));
    assert_eq!(place.json(["swap", "--to", "a", "--expect", "file", "--", "-n"]).outcome(), "replaced");
    assert_eq!(place.json(["inspect", "--", "-n", "-x"]).json["items"][0]["target"], "a");
}

#[test]
fn a_target_and_an_expected_text_may_begin_with_a_dash() {
    let place = Place::new();
    for text in ["-n", "--json", "--", "-", "--to"] {
        let made = place.json(["ensure", "l", "--style", "verbatim", "--allow-dangling", "--to", text]);
        assert_eq!(made.item()["target"], text);
        assert_eq!(place.text("l"), Some(text.into()));
        assert_eq!(place.json(["remove", "l", "--expect", text]).outcome(), "removed");
    }
}

#[test]
fn bytes_that_are_not_utf8_go_in_and_come_out() {
    let place = Place::new();
    let name = OsStr::from_bytes(b"l\xff\n");
    let text = OsStr::from_bytes(b"t\xfe");
    let options: &[&OsStr] = &["create", "--style", "verbatim", "--allow-dangling", "--to"].map(OsStr::new);
    let made = place.json(options.iter().copied().chain([text, name]));
    assert_eq!(made.item()["link"], serde_json::json!({ "base64": "bP8K" }));
    assert_eq!(made.item()["target"], serde_json::json!({ "base64": "dP4=" }));
    assert_eq!(place.text(name).as_deref(), Some(text));
    let shown = place.run([OsStr::new("inspect"), name]);
    assert!(shown.out().starts_with("l\\xff\\n -> t\\xfe (dangling"), "{}", shown.out());
    let swapped = [OsStr::new("swap"), name, "--to".as_ref(), "file".as_ref(), "--expect".as_ref(), text];
    assert_eq!(place.json(swapped).item()["previous"], serde_json::json!({ "base64": "dP4=" }));
    let refused = place.json([OsStr::new("inspect"), OsStr::from_bytes(b"\xff/../..")]);
    assert_eq!(refused.error()["link"], serde_json::json!({ "base64": "/y8uLi8uLg==" }));
}

#[test]
fn a_global_option_counts_on_either_side_of_the_verb() {
    let on_either_side = |place: &Place, option: &str, line: &str| {
        let before = place.ask(&format!("{option} {line}"));
        (before, place.ask(&format!("{line} {option}")))
    };
    let place = Place::new();
    place.link("d", "a").link("l", "file");
    let (one, other) = on_either_side(&place, "-n", "create new --to file");
    assert_eq!((&one.json["dry_run"], &one.json), (&true.into(), &other.json));
    let (one, other) = on_either_side(&place, "--durability fs -n", "create new --to file");
    assert_eq!((&one.item()["durability"], &one.json), (&"fs".into(), &other.json));
    let (one, other) = on_either_side(&place, "--follow -n", "create d/new --to file");
    assert_eq!((one.outcome(), &one.json), ("created", &other.json));
    let (one, other) = on_either_side(&place, "--state /nonexistent/x", "create new --to file");
    assert_eq!((one.kind(), &one.json), ("not_found", &other.json));
    let (one, other) = on_either_side(&place, "--confine off -n", "create new --to file");
    assert_eq!((&one.item()["confinement"], &one.json), (&"none".into(), &other.json));
    assert_eq!(place.ask("-n --json create -n --json --follow new --to file --follow").outcome(), "created");
    assert_eq!(place.text("new"), None, "no other option overrides a dry run");
}

#[test]
fn a_root_whose_path_is_not_utf8_is_told_in_base64() {
    let place = Place::new();
    let root = place.root.join(OsStr::from_bytes(b"r\xff"));
    for code in [5, 0] {
        let answer = answer(caplink().arg("--json").arg("-C").arg(&root).args(["inspect", "."]));
        let told = STANDARD.decode(answer.json["root"]["path"]["base64"].as_str().unwrap()).unwrap();
        assert_eq!(OsStr::from_bytes(&told), root.as_os_str());
        assert_eq!(answer.code, code);
        std::fs::create_dir_all(&root).unwrap();
    }
}

#[test]
fn words_of_other_programs_lead_to_the_verb() {
    for (word, verb) in [
        ("ln", "create"),
        ("ls", "scan"),
        ("unlink", "remove"),
        ("rm", "remove"),
        ("readlink", "inspect"),
        ("realpath", "resolve"),
        ("history", "log"),
        ("rollback", "swap"),
    ] {
        let asked = Place::new().words(&format!("{word} x y"));
        let tip = asked.err().lines().find_map(|line| line.strip_prefix("  tip: ")).unwrap_or_else(|| panic!("{word}"));
        assert!(asked.code == 2 && tip.contains(&format!("`{verb}")), "{word}: {tip}");
        assert_eq!(Place::new().ask(&format!("{word} x")).error()["hint"], tip);
    }
    let near = Place::new().words("inspct x");
    assert!(near.err().contains("tip: a similar subcommand exists: 'inspect'"), "{}", near.err());
}

#[test]
fn an_argument_that_cannot_be_read_is_an_object_of_the_form_that_was_asked_for() {
    let place = Place::new();
    for line in
        ["scan --format ndjson --only nonsense", "--json scan -j x --format=ndjson", "scan --exclude [ --format ndjson"]
    {
        let refused = place.words(line);
        let error: serde_json::Value = serde_json::from_str(refused.out()).unwrap();
        assert_eq!((refused.code, error["error"]["kind"].as_str()), (2, Some("usage")), "{line}");
    }
    assert_eq!(place.words("log --format ndjson --limit x").out(), "", "errors are no mutations");
}
