//! What each changing verb promises, said and done.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixListener;
use std::process::Command;

use crate::support::{Place, is_root, skipped};

#[test]
fn create_makes_a_link_and_refuses_a_name_that_anything_has() {
    let place = Place::new();
    place.link("dangling", "nowhere").link("link", "file");
    let made = place.ask("create l --to releases/1");
    assert_eq!((made.code, made.outcome(), made.json["changed"].as_bool()), (0, "created", Some(true)));
    assert_eq!(made.item()["target"], "releases/1");
    assert!(made.item()["previous"].is_null());
    let before = place.snapshot();
    for name in ["l", "dangling", "link", "file", "a", "releases"] {
        for to in ["releases/1", "nowhere", "../outside", "file"] {
            let refused = place.json(["create", name, "--to", to]);
            // `exists` comes before what is wrong with the target.
            assert_eq!(refused.refusal(), (3, "exists", None, None), "{name} {to}");
            assert_eq!(refused.error()["link"], name);
            assert_eq!(refused.json["changed"], false);
        }
    }
    assert_eq!(place.snapshot(), before);
}

#[test]
fn ensure_makes_replaces_and_leaves_alone() {
    let place = Place::new();
    for (to, outcome, previous) in [
        ("releases/1", "created", None),
        ("releases/2", "replaced", Some("releases/1")),
        ("releases/2", "unchanged", None),
    ] {
        let answer = place.json(["ensure", "l", "--to", to]);
        assert_eq!((answer.outcome(), answer.item()["previous"].as_str()), (outcome, previous));
        assert_eq!(answer.json["changed"], outcome != "unchanged");
        assert_eq!(answer.item()["target"], to);
        assert_eq!(answer.item()["guarantee"], "atomic");
        assert_eq!(place.text("l"), Some(to.into()));
    }
}

#[test]
fn ensure_without_replacing_refuses_another_link_alone() {
    let place = Place::new();
    place.link("l", "file").link("gone", "nowhere");
    let before = place.snapshot();
    for (name, kind) in [("l", "exists"), ("gone", "exists"), ("file", "not_a_link"), ("a", "not_a_link")] {
        for to in ["releases/1", "nothing", "../outside"] {
            let refused = place.json(["ensure", name, "--to", to, "--no-replace"]);
            assert_eq!(refused.refusal(), (3, kind, None, None), "{name} {to}");
        }
    }
    assert_eq!(place.ask("ensure l --to file --no-replace").outcome(), "unchanged");
    assert_eq!(place.snapshot(), before);
    assert_eq!(place.ask("ensure new --to file --no-replace").outcome(), "created");
    let kept = place.ask("ensure file --to releases/1 --no-replace --backup");
    assert_eq!((kept.outcome(), &kept.item()["backup"]), ("created", &"file.backup".into()));
}

#[test]
fn ensure_twice_writes_nothing_the_second_time() {
    let place = Place::new();
    place.ask("ensure l --to file");
    let times = || {
        let dir = fs::symlink_metadata(&place.root).unwrap();
        let link = fs::symlink_metadata(place.root.join("l")).unwrap();
        (dir.mtime(), dir.mtime_nsec(), dir.ctime_nsec(), link.ino(), link.ctime_nsec())
    };
    let before = times();
    assert_eq!(place.ask("ensure l --to file").outcome(), "unchanged");
    assert_eq!(times(), before);
}

#[test]
fn ensure_that_finds_its_exact_text_is_unchanged_whatever_that_leads_to() {
    let place = Place::new();
    for text in ["nowhere", "../outside", "/etc", "l", "../../../x", "./file/"] {
        place.link("l", text);
        let found = place.json(["ensure", "l", "--style", "verbatim", "--to", text]);
        assert_eq!(found.outcome(), "unchanged", "{text}");
        fs::remove_file(place.root.join("l")).unwrap();
    }
}

/// One name of each kind that is no link.
fn kinds(place: &Place) -> Vec<&'static str> {
    fs::create_dir(place.root.join("empty")).unwrap();
    let fifo = Command::new("mkfifo").arg(place.root.join("fifo")).status().unwrap();
    assert!(fifo.success());
    drop(UnixListener::bind(place.root.join("socket")).unwrap());
    let mut kinds = vec!["file", "a", "empty", "fifo", "socket"];
    if is_root() {
        for (name, kind) in [("char", "c"), ("block", "b")] {
            let made = Command::new("mknod").arg(place.root.join(name)).args([kind, "1", "3"]).status().unwrap();
            assert!(made.success());
            kinds.push(name);
        }
    } else {
        skipped("changing::kinds", "devices need root");
    }
    kinds
}

#[test]
fn what_is_no_link_is_never_touched() {
    let place = Place::new();
    place.link("l", "file");
    let kinds = kinds(&place);
    let before = place.snapshot();
    for name in kinds {
        for line in [
            format!("ensure {name} --to file"),
            format!("ensure {name} --to nowhere"),
            format!("swap {name} --to file --expect file"),
            format!("exchange {name} l"),
            format!("exchange l {name}"),
            format!("remove {name}"),
            format!("remove {name} --missing-ok"),
            format!("remove {name} --expect file"),
        ] {
            let refused = place.ask(&line);
            assert_eq!(refused.refusal(), (3, "not_a_link", None, None), "{line}");
            assert_eq!(refused.error()["link"], name, "{line}");
            assert!(refused.error()["found"]["target"].is_null());
        }
        assert_eq!(place.ask(&format!("inspect {name}")).item()["status"], serde_json::Value::Null);
    }
    assert_eq!(place.snapshot(), before);
}

#[test]
fn inspect_tells_the_kind_of_what_has_a_name() {
    let place = Place::new();
    place.link("l", "file");
    let names = kinds(&place);
    for name in names.into_iter().chain(["l", "gone"]) {
        let kind = match name {
            "a" | "empty" => "dir",
            "char" => "char_device",
            "block" => "block_device",
            "l" => "symlink",
            "gone" => "missing",
            kind => kind,
        };
        assert_eq!(place.ask(&format!("inspect {name}")).item()["kind"], kind);
        if kind != "missing" && kind != "symlink" {
            assert_eq!(place.ask(&format!("resolve {name}")).item()["kind"], kind);
        }
    }
}

#[test]
fn swap_compares_the_stored_text_byte_for_byte() {
    let place = Place::new();
    assert_eq!(place.ask("swap l --to file --expect x").refusal(), (5, "not_found", None, None));
    place.link("l", "./releases//1");
    for old in ["releases/1", "./releases/1", "./releases//1/", "", "./releases//"] {
        let refused = place.json(["swap", "l", "--to", "file", "--expect", old]);
        assert_eq!(refused.refusal(), (3, "mismatch", None, None), "{old}");
        assert_eq!(refused.error()["found"], serde_json::json!({ "kind": "symlink", "target": "./releases//1" }));
        assert_eq!(place.text("l"), Some("./releases//1".into()));
    }
    let swapped = place.ask("swap l --to file --expect ./releases//1");
    assert_eq!((swapped.outcome(), swapped.item()["previous"].as_str()), ("replaced", Some("./releases//1")));
    assert_eq!(place.ask("swap l --to file --expect file").outcome(), "unchanged");
    // `mismatch` comes before what is wrong with the target.
    for to in ["gone", "../x", "l", "/"] {
        assert_eq!(place.json(["swap", "l", "--to", to, "--expect", "x"]).kind(), "mismatch", "{to}");
    }
}

#[test]
fn exchange_puts_each_link_in_the_place_of_the_other() {
    let place = Place::new();
    place.link("x", "releases/1").link("y", "releases/2");
    let ids = |name: &str| fs::symlink_metadata(place.root.join(name)).unwrap().ino();
    let (x, y) = (ids("x"), ids("y"));
    let exchanged = place.ask("exchange x y");
    assert_eq!((exchanged.code, exchanged.json["changed"].as_bool()), (0, Some(true)));
    let items = exchanged.json["items"].as_array().unwrap();
    for (item, link, target, previous) in
        [(&items[0], "x", "releases/2", "releases/1"), (&items[1], "y", "releases/1", "releases/2")]
    {
        assert_eq!((item["link"].as_str(), item["outcome"].as_str()), (Some(link), Some("exchanged")));
        assert_eq!((item["target"].as_str(), item["previous"].as_str()), (Some(target), Some(previous)));
        assert_eq!(place.text(link), Some(target.into()));
    }
    assert_eq!(items.len(), 2);
    assert_eq!((ids("x"), ids("y")), (y, x), "the links themselves are exchanged");
}

#[test]
fn exchange_of_a_name_with_itself_is_unchanged() {
    let place = Place::new();
    place.link("x", "file");
    for b in ["x", "./x", ".//x"] {
        let same = place.json(["exchange", "x", b]);
        assert_eq!((same.code, same.json["changed"].as_bool()), (0, Some(false)));
        let outcomes: Vec<_> = same.json["items"].as_array().unwrap().iter().map(|item| &item["outcome"]).collect();
        assert_eq!(outcomes, ["unchanged", "unchanged"]);
    }
    assert_eq!(place.ask("exchange gone gone").kind(), "not_found");
}

#[test]
fn exchange_judges_each_text_at_its_new_place() {
    let place = Place::new();
    place.link("x", "file").link("a/y", "../releases/1");
    assert_eq!(place.ask("exchange x a/y").refusal(), (4, "escape", Some(".."), Some(0)));
    assert_eq!(place.ask("exchange x a/y --allow-outside").kind(), "dangling");
    assert_eq!(place.ask("exchange x a/y --allow-dangling").kind(), "escape");
    fs::write(place.root.join("a/file"), "").unwrap();
    assert_eq!(place.ask("exchange x a/y --allow-outside").code, 0);
    assert_eq!(place.text("x"), Some("../releases/1".into()));
    let gone = place.ask("exchange x nothing");
    assert_eq!((gone.refusal(), gone.error()["link"].as_str()), ((5, "not_found", None, None), Some("nothing")));
    place.link("p", "q").link("q", "file");
    assert_eq!(place.ask("exchange p q").kind(), "loop", "`q -> q` would lead to itself");
}

#[test]
fn remove_takes_a_link_and_says_what_it_was() {
    let place = Place::new();
    for text in ["file", "nowhere", "../outside", "l", "/etc"] {
        place.link("l", text);
        assert_eq!(place.ask("remove l --expect other").kind(), "mismatch");
        assert_eq!(place.ask("remove l --missing-ok --expect other").kind(), "mismatch");
        let removed = place.ask("remove l");
        assert_eq!((removed.outcome(), removed.item()["previous"].as_str()), ("removed", Some(text)));
        assert!(removed.item()["target"].is_null());
        assert_eq!(place.text("l"), None);
    }
    assert!(place.root.join("file").exists());
    for line in ["remove l", "remove l --expect file"] {
        assert_eq!(place.ask(line).refusal(), (5, "not_found", None, None));
        let fine = place.ask(&format!("{line} --missing-ok"));
        assert_eq!((fine.outcome(), fine.json["changed"].as_bool()), ("unchanged", Some(false)));
    }
}

#[test]
fn backup_keeps_what_is_in_the_way_and_says_where() {
    let place = Place::new();
    fs::write(place.root.join("a/b/kept"), "kept").unwrap();
    for (name, kept) in [("file", None), ("a", Some("b/kept"))] {
        let inode = fs::metadata(place.root.join(name)).unwrap().ino();
        let moved = place.json(["ensure", name, "--to", "releases/1", "--backup"]);
        assert_eq!((moved.outcome(), moved.item()["previous"].as_str()), ("created", None));
        let backup = place.root.join(moved.item()["backup"].as_str().unwrap());
        assert_eq!(backup.parent(), Some(&*place.root), "beside the link");
        assert_eq!(fs::metadata(&backup).unwrap().ino(), inode);
        assert!(kept.is_none_or(|kept| backup.join(kept).exists()));
        assert_eq!(place.text(name), Some("releases/1".into()));
    }
    // A second backup of the same name does not take the place of the first.
    fs::remove_file(place.root.join("file")).unwrap();
    fs::write(place.root.join("file"), "second").unwrap();
    let before = fs::read_dir(&place.root).unwrap().count();
    assert_eq!(place.ask("ensure file --to releases/1 --backup").outcome(), "created");
    assert_eq!(fs::read_dir(&place.root).unwrap().count(), before + 1);
    // What is neither file nor directory is not moved.
    assert!(Command::new("mkfifo").arg(place.root.join("fifo")).status().unwrap().success());
    assert_eq!(place.ask("ensure fifo --to releases/1 --backup").kind(), "not_a_link");
    // A link is replaced, not kept.
    let replaced = place.ask("ensure file --to releases/2 --backup");
    assert_eq!((replaced.outcome(), &replaced.item()["backup"]), ("replaced", &serde_json::Value::Null));
}

#[test]
fn parents_are_made_below_the_root_and_listed() {
    let place = Place::new();
    assert_eq!(place.ask("create n/e/w --to file").kind(), "not_found");
    let made = place.ask("create n/e/w --to file -p");
    assert_eq!(made.item()["target"], "../../file");
    assert_eq!(made.json["made"], serde_json::json!(["n", "n/e"]));
    let again = place.ask("ensure n/e/w --to file --parents");
    assert_eq!((again.outcome(), &again.json["made"]), ("unchanged", &serde_json::Value::Null));
    // Never through a link, unless links are followed, and never where the target is refused.
    place.link("in", "a").link("out", "../outside");
    let before = place.snapshot();
    assert_eq!(place.ask("create in/new/l --to file -p").kind(), "symlink_in_path");
    assert_eq!(place.ask("create out/new/l --to file -p --follow").kind(), "escape");
    assert_eq!(place.ask("create m/l --to gone -p").kind(), "dangling");
    assert_eq!(place.ask("create m/l --to ../x -p").kind(), "escape");
    assert_eq!(place.ask("swap m/l --to file --expect x -p").kind(), "not_found");
    assert_eq!(place.snapshot(), before);
    let followed = place.ask("create in/new/l --to file -p --follow");
    assert_eq!(followed.json["made"], serde_json::json!(["a/new"]));
    assert_eq!(place.text("a/new/l"), Some("../../file".into()));
}

#[test]
fn a_dry_run_prints_what_the_real_run_prints_and_changes_nothing() {
    let lines = [
        "create new --to file",
        "create new --to file --durability dir",
        "create n/e/w --to file -p",
        "create n/e/w --to gone -p",
        "create l --to file",
        "create new --to gone",
        "ensure l --to file --durability fs",
        "ensure l --to releases/1",
        "ensure l --to releases/1 --durability fs",
        "ensure file --to releases/1",
        "ensure file --to releases/1 --backup",
        "ensure a --to releases/1 --backup --durability dir",
        "swap l --to releases/1 --expect file",
        "swap l --to releases/1 --expect other",
        "swap gone --to releases/1 --expect other",
        "exchange l m",
        "exchange l m --durability dir",
        "exchange l l --durability dir",
        "exchange l file",
        "remove l",
        "remove l --durability fs",
        "remove gone",
        "remove gone --missing-ok",
        "remove file",
        "ensure a/l --to file --require atomic",
    ];
    for shared in [false, true] {
        for line in lines {
            let place = Place::new();
            place.link("l", "file").link("m", "releases/2").link("a/l", "nowhere");
            if shared {
                use std::os::unix::fs::PermissionsExt as _;
                fs::set_permissions(&place.root, fs::Permissions::from_mode(0o777)).unwrap();
            }
            let before = place.snapshot();
            let text = place.words(&format!("{line} -n"));
            let dry = place.ask(&format!("{line} --dry-run"));
            assert_eq!(dry.json["dry_run"], true, "{line}");
            assert_eq!(place.snapshot(), before, "{line}");
            // Both from the same state: the text first, then the document.
            let real = place.ask(line);
            let mut expected = real.json.clone();
            expected["dry_run"] = true.into();
            assert_eq!((dry.code, &dry.json), (real.code, &expected), "{line}");
            assert_eq!(text.code, real.code, "{line}");
        }
    }
}

#[test]
fn durability_is_what_was_asked_for() {
    let place = Place::new();
    for (level, to) in [("none", "file"), ("dir", "a"), ("fs", "releases")] {
        let made = place.json(["ensure", "l", "--to", to, "--durability", level]);
        assert_eq!(made.item()["durability"], level);
    }
    assert_eq!(place.ask("ensure l --to file").item()["durability"], "none");
}

#[test]
fn a_link_with_an_empty_text_cannot_be_made() {
    let place = Place::new();
    for style in ["relative", "absolute", "verbatim"] {
        assert_eq!(place.json(["create", "l", "--to=", "--style", style]).refusal(), (2, "invalid_target", None, None));
    }
}

#[test]
fn a_link_that_its_own_path_leads_through_is_changed_only_where_the_path_leads_back() {
    let place = Place::new();
    place.link("way", "a/..").link("l", "file");
    let before = place.snapshot();
    for line in [
        "ensure way/way --to file",
        "swap way/way --to file --expect a/..",
        "remove way/way",
        "exchange way/way l --allow-dangling",
        "exchange l way/way",
        "exchange way/way way/l",
    ] {
        let mut planned = place.ask(&format!("--follow -n {line}"));
        let done = place.ask(&format!("--follow {line}"));
        planned.json["dry_run"] = false.into();
        assert_eq!((done.code, done.kind(), &planned.json), (4, "parent_moved", &done.json), "{line}");
        assert_eq!(place.snapshot(), before, "{line}");
    }
    let mut planned = place.ask("--follow -n ensure way/way --style verbatim --to .");
    planned.json["dry_run"] = false.into();
    let done = place.ask("--follow ensure way/way --style verbatim --to .");
    assert_eq!((done.outcome(), &planned.json), ("replaced", &done.json));
}
