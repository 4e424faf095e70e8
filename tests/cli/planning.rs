//! Plans: what they compare, what they refuse to be carried out by, and who can have written what they are made from.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::manifests::{declare, kinds, place};
use crate::support::{Answer, Place};

const DEEP: &str = "[links]\nx = \"a\"\n\"d/e/y\" = \"b\"\n";

/// Saves a plan beside the root.
fn save(place: &Place) -> PathBuf {
    let file = place.base.path().join("plan");
    assert_eq!(place.json(["plan".into(), "-o".into(), file.clone()]).code, 0);
    file
}

fn carry(place: &Place, file: &Path) -> Answer {
    place.json(["apply".into(), "--plan".into(), file.to_path_buf()])
}

fn is_stale(place: &Place, file: &Path) {
    let (before, answer) = (place.snapshot(), carry(place, file));
    assert_eq!((answer.code, kinds(&answer), place.snapshot()), (3, vec!["stale_plan"], before), "{answer:?}");
}

#[test]
fn a_directory_far_above_that_was_replaced_makes_a_plan_stale() {
    let place = place(DEEP);
    fs::create_dir_all(place.root.join("d/e")).unwrap();
    let file = save(&place);
    fs::rename(place.root.join("d"), place.root.join("old")).unwrap();
    fs::create_dir(place.root.join("d")).unwrap();
    fs::rename(place.root.join("old/e"), place.root.join("d/e")).unwrap();
    is_stale(&place, &file);
    // Also where what is below it was to be made.
    fs::remove_dir(place.root.join("d/e")).unwrap();
    let file = save(&place);
    fs::rename(place.root.join("d"), place.root.join("older")).unwrap();
    fs::create_dir(place.root.join("d")).unwrap();
    is_stale(&place, &file);
}

#[test]
fn a_plan_that_was_made_with_other_records_is_stale() {
    let place = place(DEEP);
    let init = || assert_eq!(place.ask("records init").code, 0);
    init();
    let file = save(&place);
    fs::rename(place.root.join(".caplink"), place.base.path().join("lost")).unwrap();
    is_stale(&place, &file);
    init();
    is_stale(&place, &file);
    // One that was made without records is fine with some: nothing is owned in either.
    fs::rename(place.root.join(".caplink"), place.base.path().join("lost-as-well")).unwrap();
    let file = save(&place);
    init();
    assert_eq!(carry(&place, &file).code, 0);
}

#[test]
fn a_plan_is_stale_where_the_same_link_is_not_the_manifests_any_more() {
    let place = place("[links]\nx = \"a\"\n");
    assert_eq!(place.ask("apply").code, 0);
    declare(&place, DEEP);
    let file = save(&place);
    assert_eq!(place.ask("unapply").code, 0);
    place.link("x", "src/a");
    is_stale(&place, &file);
}

#[test]
fn a_plan_takes_nothing_that_another_manifest_has_come_to_rely_on() {
    let place = place(DEEP);
    assert_eq!(place.ask("apply").code, 0);
    declare(&place, "[links]\nx = \"a\"\n");
    let file = save(&place);
    let other = place.root.join("other.toml");
    fs::write(&other, "version = 1\nname = \"other\"\nsource = \"src\"\n[links]\n\"d/e/y\" = \"b\"\n").unwrap();
    assert_eq!(place.json(["apply".into(), "-m".into(), other]).code, 0);
    is_stale(&place, &file);
    assert_eq!(place.text("d/e/y"), Some("../../src/b".into()));
}

#[test]
fn a_plan_whose_steps_lack_their_texts_is_none() {
    let place = place(DEEP);
    place.link("z", "before");
    declare(&place, "defaults.on_conflict = \"replace\"\n[links]\nx = \"a\"\nz = \"a\"\n");
    let file = save(&place);
    let whole: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    for (step, key) in [(0, "target"), (1, "target"), (1, "previous")] {
        let mut plan = whole.clone();
        plan["steps"][step][key] = Value::Null;
        fs::write(&file, plan.to_string()).unwrap();
        let answer = carry(&place, &file);
        assert_eq!((answer.code, kinds(&answer)), (2, vec!["invalid_plan"]), "{step} {key}");
    }
    assert_eq!((place.text("x"), place.text("z")), (None, Some("before".into())));
}

#[test]
fn with_more_detail_what_is_in_the_way_is_compared_with_the_target() {
    let place = place(
        "[links]\ndir = \"a\"\nlonger = \"a\"\nother = \"a\"\nsame = \"a\"\n[[link]]\nat = \"kept\"\nto = \"a\"\non_conflict = \"skip\"\n[[link]]\nat = \"new\"\nto = \"a\"\n",
    );
    for (name, content) in [("longer", "aa"), ("other", "b"), ("same", "a"), ("kept", "a")] {
        fs::write(place.root.join(name), content).unwrap();
    }
    fs::create_dir(place.root.join("dir")).unwrap();
    let compared = |line: &str| {
        let answer = place.ask(line);
        let items = answer.json["items"].as_array().unwrap().clone();
        let keys = |item: Value| [&item["link"], &item["equal"], &item["size"], &item["target_size"]].map(Clone::clone);
        items.into_iter().filter(|item| item.get("equal").is_some()).map(keys).collect::<Vec<_>>()
    };
    let expected = [
        [json!("dir"), json!(false), json!(null), json!(1)],
        [json!("kept"), json!(true), json!(1), json!(1)],
        [json!("longer"), json!(false), json!(2), json!(1)],
        [json!("other"), json!(false), json!(1), json!(1)],
        [json!("same"), json!(true), json!(1), json!(1)],
    ];
    assert_eq!((compared("-v plan"), compared("plan")), (expected.to_vec(), vec![]));
    let text = String::from_utf8(place.words("-v plan").out).unwrap();
    assert!(text.contains("(differs from the target: 2 bytes, 1 bytes)"), "{text}");
    // The dry run and the run compare what was there before.
    assert_eq!(compared("-v -n apply --backup"), expected.to_vec());
    assert_eq!(compared("-v apply --backup"), expected.to_vec());
}

#[test]
fn what_is_in_the_way_is_not_read_through_a_link_out_of_the_root() {
    let place = place("[links]\nl = \"a\"\n");
    fs::write(place.base.path().join("secret"), "a").unwrap();
    place.link("l", "../secret");
    let answer = place.ask("-v plan");
    let item = &answer.json["items"][0];
    assert_eq!((&item["equal"], &item["size"], &item["target_size"]), (&json!(null), &json!(null), &json!(1)));
}

#[test]
fn a_manifest_with_hooks_that_others_can_write_is_refused_and_another_is_warned_of() {
    let hooks = "[links]\nx = \"a\"\n[release.default]\nafter_switch = [[\"true\"]]\n";
    for (manifest, is_safe) in [(hooks, false), ("[links]\nx = \"a\"\n", true)] {
        let place = place(manifest);
        let kept = |what: &str| {
            for verb in ["plan", "apply", "status"] {
                let answer = place.ask(verb);
                if is_safe {
                    assert_eq!(answer.code, 0, "{what} {verb}: {answer:?}");
                    let words = String::from_utf8(place.words(verb).err).unwrap();
                    assert!(words.contains("others can write the manifest"), "{what} {verb}: {words}");
                } else {
                    assert_eq!((answer.code, kinds(&answer)), (4, vec!["unsafe_manifest"]), "{what} {verb}");
                }
            }
        };
        let (file, away) = (place.root.join("caplink.toml"), place.base.path().join("open"));
        for mode in [0o646, 0o664] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            kept("the file");
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        fs::create_dir(&away).unwrap();
        fs::set_permissions(&away, fs::Permissions::from_mode(0o777)).unwrap();
        fs::rename(&file, away.join("m.toml")).unwrap();
        symlink(away.join("m.toml"), &file).unwrap();
        kept("the directory that a link leads into");
    }
}

#[test]
fn where_everything_is_left_alone_no_records_are_made() {
    let place = place("[[link]]\nat = \"x\"\nto = \"a\"\non_conflict = \"skip\"\n[[absent]]\nat = \"y\"\n");
    fs::write(place.root.join("x"), "mine").unwrap();
    let before = place.snapshot();
    let answer = place.ask("apply");
    assert_eq!((answer.code, &answer.json["changed"], place.snapshot()), (0, &json!(false), before));
}

#[test]
fn no_reader_finds_a_name_absent_that_gets_back_what_it_had() {
    let names: Vec<String> = (0..30).map(|number| format!("f{number}")).collect();
    let links: String = names.iter().map(|name| format!("{name} = \"a\"\n")).collect();
    let place = place(&format!("[links]\n{links}"));
    for name in &names {
        fs::write(place.root.join(name), name).unwrap();
    }
    let stop = AtomicBool::new(false);
    let missed = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut missed = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                for name in &names {
                    let path = place.root.join(name);
                    // Who has read the text of an adopted file's link looks for the target when it may be back: two
                    // names cannot be read in one call.
                    let looked = match name.as_str() {
                        "f0" | "f1" => fs::symlink_metadata(path).map(drop),
                        _ => fs::read(path).map(drop),
                    };
                    missed.extend(looked.err().map(|error| (name.clone(), error)));
                }
            }
            missed
        });
        let undo = |answer: &Answer| {
            place.json(["undo".to_owned(), "--group".into(), answer.json["group"].as_str().unwrap().into()])
        };
        for _ in 0..2 {
            let applied = place.ask("apply --backup");
            assert_eq!((applied.code, undo(&applied).code), (0, 0));
            assert_eq!((place.ask("apply --backup").code, place.ask("unapply").code), (0, 0));
            let adopted = place.ask("adopt f0 f1 --into src");
            assert_eq!((adopted.code, undo(&adopted).code), (0, 0));
        }
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(missed.is_empty(), "{missed:?}");
    assert_eq!(names.iter().map(|name| place.text(name)).collect::<Vec<_>>(), vec![None; names.len()]);
}

#[test]
fn a_link_in_the_state_directory_is_refused_also_where_that_is_still_to_be_made() {
    let place = place("[links]\n\".caplink/x\" = \"a\"\nfine = \"a\"\n");
    let before = place.snapshot();
    for line in ["plan", "-n apply", "apply"] {
        let answer = place.ask(line);
        assert_eq!((answer.code, kinds(&answer), place.snapshot()), (4, vec!["policy"], before.clone()), "{line}");
    }
    assert_eq!(place.ask("apply --keep-going").code, 4);
    assert_eq!((place.text("fine"), place.text(".caplink/x")), (Some("src/a".into()), None));
}

/// The lines of a plan by their signs: how many steps are listed, and how many more are counted.
fn listed(text: &str, sign: char) -> (usize, usize) {
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix(sign)).map(str::trim);
    let (mut steps, mut more) = (0, 0);
    for line in lines {
        match line.strip_prefix("and ").and_then(|line| line.split_once(" more; ")) {
            Some((count, _)) => more += count.parse::<usize>().unwrap(),
            None => steps += 1,
        }
    }
    (steps, more)
}

#[test]
fn a_plan_of_ten_thousand_entries_is_read_in_a_minute_and_counts_every_one() {
    /// The link of this number.
    type Link = fn(usize) -> String;
    let shapes: [(&str, Link); 4] = [
        ("one directory", |n| format!("l{n:05}")),
        ("a hundred directories", |n| format!("out/{:02}/l{n:05}", n / 100)),
        ("one directory each", |n| format!("out/{:02}/{n:05}/l", n / 100)),
        ("top directories of their own", |n| format!("d{n:05}/l")),
    ];
    for (what, link) in shapes {
        let links: String = (0..10_000).map(|n| format!("\"{}\" = \"a\"\n", link(n))).collect();
        let place = place(&format!("[links]\n{links}"));
        let plan = place.words("plan");
        let text = plan.out();
        assert!(text.lines().count() < 300, "{what}: {} lines", text.lines().count());
        let (steps, more) = listed(text, '+');
        let json = place.ask("plan").json;
        let whole = json["items"].as_array().unwrap().len();
        assert!(
            steps >= 100 && steps + more == whole && whole >= 10_000,
            "{what}: {steps} + {more} of {whole}\n{text}"
        );
        assert!(plan.err().contains(&format!("{whole} to change, 0 unchanged")), "{what}: {}", plan.err());
    }
}

#[test]
fn a_plan_is_folded_in_each_directory_and_listed_whole_with_more_detail() {
    let links: String =
        (0..400).map(|n| format!("\"{}/l{n:03}\" = \"a\"\n", if n < 100 { "x" } else { "y" })).collect();
    let place = place(&format!("[links]\n{links}\"alone/l\" = \"b\"\n"));
    let plan = place.words("plan");
    let lines: Vec<&str> = plan.out().lines().collect();
    // Of three directories and the root, each its part.
    assert_eq!(lines[..4], ["./", "  + alone/", "alone/", "  + l -> ../src/b"]);
    assert_eq!(lines[4..8], ["./", "  + x/", "x/", "  + l000 -> ../src/a"]);
    assert_eq!(lines[57..61], ["  + and 50 more; `-v` lists them", "./", "  + y/", "y/"]);
    assert_eq!(lines[lines.len() - 1], "  + and 250 more; `-v` lists them");
    let detailed = place.words("-v plan");
    assert_eq!(listed(detailed.out(), '+'), (404, 0));
    // A conflict is an error as well, and is told whole.
    place.link("x", "src");
    let refused = place.words("plan");
    let (steps, more) = listed(refused.out(), '!');
    assert_eq!((refused.code, steps + more), (4, 100));
    assert_eq!(refused.err().matches("error: cannot apply `x/").count(), 100);
}

#[test]
fn a_plan_replaces_nothing_but_a_file() {
    let place = place(DEEP);
    let base = place.base.path();
    fs::create_dir(base.join("dir")).unwrap();
    nix::unistd::mkfifo(&base.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    for (name, code, reason) in [
        ("dir", 2, "it is a directory"),
        ("dir/", 2, "it is a directory"),
        ("new/", 2, "it names a directory"),
        ("pipe", 2, "it is no file"),
        ("nothing/plan", 5, "No such file"),
    ] {
        for dry_run in [&["--dry-run"][..], &[]] {
            let words = dry_run.iter().map(PathBuf::from).chain(["plan".into(), "-o".into(), base.join(name)]);
            let refused = place.json(words);
            let message = refused.error()["message"].as_str().unwrap();
            assert_eq!(refused.code, code, "{name} {dry_run:?}: {message}");
            assert!(message.contains(reason), "{name} {dry_run:?}: {message}");
        }
    }
    assert!(fs::symlink_metadata(base.join("pipe")).unwrap().file_type().is_fifo());
}

#[test]
fn a_saved_plan_says_what_the_plan_said() {
    let entry = |at: &str, more: &str| format!("[[link]]\nat = \"{at}\"\nto = \"a\"\n{more}");
    let place = place(&entry("gone", ""));
    assert_eq!(place.ask("apply").code, 0);
    place.link("found", "src/a").link("theirs", "src/b").link("unwanted", "src/b");
    let entries = [entry("found", ""), entry("theirs", "on_conflict = \"skip\"\n"), entry("new/l", "")];
    declare(&place, &format!("{}[[absent]]\nat = \"unwanted\"\n", entries.concat()));
    let file = save(&place);
    let applied = place.ask("-n apply").json;
    let carried = place.json(["-n".as_ref(), "apply".as_ref(), "--plan".as_ref(), file.as_path()]).json;
    let notes: Vec<&Value> = applied["items"].as_array().unwrap().iter().map(|item| &item["note"]).collect();
    let expected = [json!("found"), Value::Null, Value::Null, json!("left_alone"), json!("orphan"), json!("unwanted")];
    assert_eq!(notes, expected.iter().collect::<Vec<_>>());
    assert_eq!(carried["items"], applied["items"]);
}
