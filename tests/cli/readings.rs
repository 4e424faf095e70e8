//! The precise readings of paths, parents and the root, for every verb that they concern.

use std::fs;

use crate::support::{Answer, Place, answer, caplink};

type Refusal = (i32, &'static str, Option<&'static str>, Option<u64>);

/// The verbs that change a link, with `@` for the path in question.
const CHANGING: &[&[&str]] = &[
    &["create", "@", "--to", "file"],
    &["ensure", "@", "--to", "file"],
    &["swap", "@", "--to", "file", "--expect", "file"],
    &["exchange", "@", "l"],
    &["exchange", "l", "@"],
    &["remove", "@"],
    &["remove", "@", "--missing-ok"],
    &["create", "@", "--to", "file", "-p"],
    &["create", "@", "--to", "file", "--follow"],
    &["ensure", "@", "--to", "gone", "-n"],
];

const LOOKING: &[&[&str]] = &[&["inspect", "@"], &["resolve", "@"]];

fn with<'a>(line: &[&'a str], path: &'a str) -> Vec<&'a str> {
    line.iter().map(|word| if *word == "@" { path } else { *word }).collect()
}

#[test]
fn a_bad_spelling_is_refused_by_every_verb_before_anything_else() {
    let long = "x".repeat(256);
    let below = format!("./a//{long}/x");
    let everywhere: &[(&str, Refusal)] = &[
        ("", (2, "invalid_path", None, None)),
        ("/x", (4, "escape", Some("/"), Some(0))),
        ("//x", (4, "escape", Some("/"), Some(0))),
        ("/", (4, "escape", Some("/"), Some(0))),
        ("/../x", (4, "escape", Some("/"), Some(0))),
        ("..", (4, "escape", Some(".."), Some(0))),
        ("../", (4, "escape", Some(".."), Some(0))),
        ("../x", (4, "escape", Some(".."), Some(0))),
        ("./../x", (4, "escape", Some(".."), Some(0))),
        ("a/../../x", (4, "escape", Some(".."), Some(2))),
        ("a//.././../x", (4, "escape", Some(".."), Some(2))),
        ("gone/../../x", (4, "escape", Some(".."), Some(2))),
        ("file/../../x", (4, "escape", Some(".."), Some(2))),
        ("a/../x", (2, "invalid_path", Some(".."), Some(1))),
        ("a/b/..", (2, "invalid_path", Some(".."), Some(2))),
        ("./a/./../x", (2, "invalid_path", Some(".."), Some(1))),
        (&long, (2, "too_long", None, Some(0))),
        (&below, (2, "too_long", None, Some(1))),
    ];
    let links: &[(&str, Refusal)] = &[
        (".", (2, "invalid_path", None, None)),
        ("./", (2, "invalid_path", None, None)),
        ("x/", (2, "invalid_path", None, None)),
        ("x//", (2, "invalid_path", None, None)),
        ("x/.", (2, "invalid_path", None, None)),
        ("l/", (2, "invalid_path", None, None)),
        ("a/b/", (2, "invalid_path", None, None)),
    ];
    let place = Place::new();
    place.link("l", "file");
    let before = place.snapshot();
    let changing = CHANGING.iter().flat_map(|line| everywhere.iter().chain(links).map(move |case| (line, case)));
    let looking = LOOKING.iter().flat_map(|line| everywhere.iter().map(move |case| (line, case)));
    for (line, (path, (code, kind, component, index))) in changing.chain(looking) {
        let answer = place.json(with(line, path));
        let component = if *kind == "too_long" { Some(&*long) } else { *component };
        assert_eq!(answer.refusal(), (*code, *kind, component, *index), "{line:?} {path:?}");
        assert_eq!(answer.error()["link"], *path, "{line:?}");
        assert_eq!(answer.json["changed"], false);
        assert_eq!(answer.json["items"].as_array().map(Vec::len), Some(0));
    }
    assert_eq!(place.snapshot(), before);
}

#[test]
fn a_path_is_reported_as_it_is_normalised() {
    let place = Place::new();
    assert_eq!(place.ask("create ./a//./l --to file").item()["link"], "a/l");
    assert_eq!(place.text("a/l"), Some("../file".into()));
    assert_eq!(place.ask("inspect .//a/./l").item()["path"], "a/l");
    assert_eq!(place.ask("resolve .//a/./l").item()["path"], "a/l");
    assert_eq!(place.ask("remove a/./l").item()["link"], "a/l");
}

#[test]
fn a_name_of_255_bytes_is_a_name_like_any_other() {
    let place = Place::new();
    let name = "x".repeat(255);
    assert_eq!(place.json(["create", &name, "--to", "file"]).outcome(), "created");
    assert_eq!(place.json(["ensure", &name, "--to", "a"]).outcome(), "replaced");
    assert_eq!(place.json(["swap", &name, "--to", "file", "--expect", "a"]).outcome(), "replaced");
    assert_eq!(place.json(["remove", &name]).outcome(), "removed");
    fs::write(place.root.join(&name), "kept").unwrap();
    let moved = place.json(["ensure", &name, "--to", "file", "--backup"]);
    let backup = moved.item()["backup"].as_str().unwrap();
    assert_eq!(fs::read_to_string(place.root.join(backup)).unwrap(), "kept");
}

#[test]
fn looking_verbs_take_the_root_and_a_trailing_slash_where_a_directory_is_meant() {
    let place = Place::new();
    place.link("d", "a").link("f", "file");
    for path in [".", "./", "./.", ".//"] {
        assert_eq!(place.json(["inspect", path]).item()["path"], ".", "{path}");
        assert_eq!(place.json(["inspect", path]).item()["kind"], "dir", "{path}");
        assert_eq!(place.json(["resolve", path]).item()["resolved"], ".", "{path}");
    }
    for path in ["a/", "a//", "a/."] {
        assert_eq!(place.json(["inspect", path]).item()["kind"], "dir", "{path}");
        assert_eq!(place.json(["resolve", path]).item()["resolved"], "a", "{path}");
    }
    assert_eq!(place.ask("resolve d/").item()["resolved"], "a");
    assert_eq!(place.ask("resolve f/").refusal(), (5, "not_found", Some("f"), Some(0)));
    assert_eq!(place.ask("resolve file/").refusal(), (5, "not_found", Some("file"), Some(0)));
    assert_eq!(place.ask("inspect file/").item()["kind"], "missing");
}

#[test]
fn a_parent_that_is_a_link_is_refused_wherever_it_leads() {
    let place = Place::new();
    let texts =
        [("in", "a"), ("out", "../outside"), ("abs", "/etc"), ("gone", "nowhere"), ("loop", "loop"), ("f", "file")];
    for (name, text) in texts {
        place.link(name, text);
        place.link(format!("a/{name}"), text);
    }
    let before = place.snapshot();
    for line in CHANGING.iter().chain(&LOOKING[..1]).filter(|line| !line.contains(&"--follow")) {
        for (name, text) in texts {
            for (path, index) in [(format!("{name}/x"), 0), (format!("a/{name}/b/x"), 1)] {
                let answer = place.json(with(line, &path));
                assert_eq!(answer.refusal(), (4, "symlink_in_path", Some(name), Some(index)), "{line:?} {path}");
                assert_eq!(answer.error()["via"], text, "{line:?} {path}");
                // `exchange l @` looks at `l` first, which is not there.
                assert_eq!(answer.error()["link"], *path);
            }
        }
    }
    assert_eq!(place.snapshot(), before);
}

#[test]
fn a_parent_that_is_a_link_is_followed_hop_by_hop_when_asked() {
    let place = Place::new();
    place.link("in", "hop").link("hop", "a").link("out", "../outside").link("gone", "nowhere").link("loop", "loop");
    let made = place.ask("create in/l --to file --follow");
    assert_eq!((made.item()["link"].as_str(), made.item()["physical"].as_str()), (Some("in/l"), Some("a/l")));
    assert_eq!(place.text("a/l"), Some("../file".into()));
    assert_eq!(place.ask("inspect in/l --follow").item()["target"], "../file");
    assert_eq!(place.ask("ensure in/l --to a/b --follow").item()["previous"], "../file");
    for (path, code, kind, via) in
        [("out/x", 4, "escape", "../outside"), ("gone/x", 5, "not_found", "nowhere"), ("loop/x", 5, "loop", "loop")]
    {
        for line in CHANGING.iter().filter(|line| !line.contains(&"-p") && !line.contains(&"--missing-ok")) {
            let place_of_link = if line.contains(&"exchange") { "in/l" } else { "l" };
            let line: Vec<&str> = line.iter().map(|word| if *word == "l" { place_of_link } else { word }).collect();
            let answer = place.json(
                with(&line, path).into_iter().chain(["--follow"].into_iter().filter(|_| !line.contains(&"--follow"))),
            );
            let component = path.split('/').next();
            assert_eq!(answer.refusal(), (code, kind, component, Some(0)), "{line:?} {path}");
            assert_eq!(answer.error()["via"], via, "{line:?} {path}");
        }
    }
}

#[test]
fn a_parent_that_is_missing_or_no_directory_is_not_found() {
    let place = Place::new();
    place.link("l", "file");
    let before = place.snapshot();
    for line in CHANGING.iter().filter(|line| !line.contains(&"-p") && !line.contains(&"--missing-ok")) {
        for (path, component, index) in [("a/gone/x/y", "gone", 1), ("file/x", "file", 0), ("a/b/gone/x", "gone", 2)] {
            let answer = place.json(with(line, path));
            assert_eq!(answer.refusal(), (5, "not_found", Some(component), Some(index)), "{line:?} {path}");
            assert_eq!(answer.error()["link"], path, "{line:?} {path}");
        }
    }
    assert_eq!(place.ask("create file/x --to a -p").refusal(), (5, "not_found", Some("file"), Some(0)));
    for path in ["a/gone/x/y", "file/x", "a/b/gone/x"] {
        let seen = place.json(["inspect", path]);
        assert_eq!((seen.item()["kind"].as_str(), seen.item()["path"].as_str()), (Some("missing"), Some(path)));
        assert!(seen.item()["uid"].is_null() && seen.item()["mode"].is_null());
        assert_eq!(place.json(["remove", path, "--missing-ok"]).outcome(), "unchanged");
    }
    assert_eq!(place.snapshot(), before);
    // Also where links are followed to it.
    place.link("d", "a").link("a/f", "../file");
    for (path, component, index) in
        [("d/gone/x/y", "gone", 1), ("l/x/y", "l", 0), ("d/f/x/y", "f", 1), ("d/b/gone/x", "gone", 2)]
    {
        for line in ["create @ --to file --follow", "swap @ --to a --expect b --follow", "remove @ --follow"] {
            let answer = place.ask(&line.replace('@', path));
            assert_eq!(answer.refusal(), (5, "not_found", Some(component), Some(index)), "{line} {path}");
        }
        assert_eq!(place.ask(&format!("inspect {path} --follow")).item()["kind"], "missing");
    }
    for (dir, component, index) in [("file/x", "file", 0), ("l/x", "l", 0), ("d/f/x", "f", 1), ("d/f", "f", 1)] {
        assert_eq!(
            place.ask(&format!("scan {dir} --follow")).refusal(),
            (5, "not_found", Some(component), Some(index))
        );
    }
}

#[test]
fn a_root_that_is_not_there_is_gone_and_one_that_is_no_directory_is_wrong_usage() {
    let place = Place::new();
    place.link("circle", "circle").link("dangling", "gone");
    let lines = CHANGING.iter().chain(LOOKING).map(|line| with(line, "x")).chain([vec!["doctor"]]);
    for line in lines {
        for (root, code, kind) in [
            ("gone", 5, "root_gone"),
            ("gone/x", 5, "root_gone"),
            ("dangling", 5, "root_gone"),
            ("circle", 5, "root_gone"),
            ("file", 2, "usage"),
        ] {
            let root = place.root.join(root);
            let answer = answer(caplink().arg("--json").arg("-C").arg(&root).args(&line));
            assert_eq!((answer.code, answer.kind()), (code, kind), "{line:?}");
            assert_eq!(answer.json["root"]["path"].as_str(), root.to_str());
            assert!(answer.json["root"]["id"].is_null());
        }
    }
}

/// What a line comes to in a root that was removed while it was open.
fn in_removed_root<S: AsRef<std::ffi::OsStr>>(place: &Place, line: impl IntoIterator<Item = S>) -> Answer {
    let inner = place.root.join("cwd");
    fs::create_dir(&inner).unwrap();
    // The shell stands in the directory when it is removed, so that `.` is the removed one.
    let script = "rmdir ../cwd && exec \"$0\" --json \"$@\"";
    let mut shell = std::process::Command::new("sh");
    shell.current_dir(&inner).env_remove("CAPLINK_ROOT").args(["-c", script, env!("CARGO_BIN_EXE_caplink")]);
    answer(shell.args(line))
}

#[test]
fn a_root_that_was_removed_while_it_was_open_is_gone() {
    let place = Place::new();
    for line in CHANGING.iter().chain(LOOKING).chain([&["doctor"][..]].iter()) {
        let answer = in_removed_root(&place, with(line, "x"));
        assert_eq!((answer.code, answer.kind()), (5, "root_gone"), "{line:?} {}", answer.json);
    }
}

#[test]
fn a_dry_run_knows_of_a_root_that_was_removed() {
    let place = Place::new();
    for line in ["create x --to y", "ensure x --to y", "ensure a/x --to y -p", "create a/x --to y -p"] {
        let line = format!("{line} --allow-dangling");
        let done = in_removed_root(&place, line.split_whitespace());
        let planned = in_removed_root(&place, ["-n"].into_iter().chain(line.split_whitespace()));
        assert_eq!((planned.code, planned.kind()), (5, "root_gone"), "{line}");
        assert_eq!(planned.json["errors"], done.json["errors"], "{line}");
    }
}

#[test]
fn a_root_that_is_a_link_is_the_directory_it_leads_to() {
    let place = Place::new();
    std::os::unix::fs::symlink("root", place.base.path().join("way")).unwrap();
    let made = answer(
        caplink()
            .arg("--json")
            .arg("-C")
            .arg(place.base.path().join("way"))
            .args(["create", "l", "--style", "absolute", "--to", "file"]),
    );
    assert_eq!(made.json["root"]["path"].as_str(), place.root.to_str());
    assert_eq!(place.text("l").as_deref(), Some(place.root.join("file").as_os_str()));
}

#[test]
fn inspect_says_by_its_exit_code_whether_all_is_well() {
    let place = Place::new();
    place.link("l", "file").link("gone", "nowhere").link("chain", "l").link("out", "../outside");
    for (paths, code) in [
        ("l file a . chain", 0),
        ("l nothing", 1),
        ("gone", 1),
        ("out l", 1),
        ("no/parent", 1),
        ("l ../x", 4),
        ("gone ../x", 4),
    ] {
        assert_eq!(place.ask(&format!("inspect --exit-code {paths}")).code, code, "{paths}");
        let without = place.ask(&format!("inspect {paths}")).code;
        assert_eq!(without, if code == 1 { 0 } else { code }, "{paths}");
    }
}
