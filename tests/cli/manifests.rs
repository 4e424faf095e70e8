//! Manifests: planned, applied, looked at and taken back.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use serde_json::{Value, json};

use crate::support::{Answer, Place};

const HEAD: &str = "version = 1\nname = \"test\"\nsource = \"src\"\n";

/// A root with `src/a`, `src/b` and a manifest.
pub(crate) fn place(manifest: &str) -> Place {
    let place = Place::new();
    fs::create_dir(place.root.join("src")).unwrap();
    for name in ["a", "b"] {
        fs::write(place.root.join("src").join(name), name).unwrap();
    }
    declare(&place, manifest);
    place
}

pub(crate) fn declare(place: &Place, manifest: &str) {
    fs::write(place.root.join("caplink.toml"), format!("{HEAD}{manifest}")).unwrap();
}

fn steps(answer: &Answer) -> Vec<(&str, &str)> {
    let items = answer.json["items"].as_array().unwrap().iter();
    items.map(|item| (item["action"].as_str().unwrap(), item["link"].as_str().unwrap())).collect()
}

fn outcomes(answer: &Answer) -> Vec<&str> {
    answer.json["items"].as_array().unwrap().iter().map(|item| item["outcome"].as_str().unwrap()).collect()
}

fn statuses(place: &Place) -> Vec<(String, String)> {
    let answer = place.ask("status");
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let items = answer.json["items"].as_array().unwrap().iter();
    items.map(|item| (word(&item["link"]), word(&item["status"]))).collect()
}

pub(crate) fn kinds(answer: &Answer) -> Vec<&str> {
    answer.json["errors"].as_array().unwrap().iter().map(|error| error["kind"].as_str().unwrap()).collect()
}

const TWO: &str = "[links]\nx = \"a\"\n[[link]]\nat = \"d/y\"\nto = \"b\"\nname = \"why\"\ncomment = \"because\"\n";

#[test]
fn what_is_planned_is_what_is_applied_and_the_second_time_nothing_is_written() {
    let place = place(TWO);
    let before = place.snapshot();
    let planned = place.ask("plan");
    let expected = [("mkdir", "d"), ("create", "d/y"), ("create", "x")];
    assert_eq!((planned.code, steps(&planned), &planned.json["changed"]), (0, expected.to_vec(), &json!(false)));
    let step = &planned.json["items"][1];
    assert_eq!(
        (&step["target"], &step["previous"], &step["name"], &step["comment"]),
        (&json!("../src/b"), &Value::Null, &json!("why"), &json!("because"))
    );
    assert_eq!((place.ask("plan --exit-code").code, place.ask("status --exit-code").code), (1, 1));
    let dry = place.ask("-n apply");
    assert_eq!(place.snapshot(), before, "nothing was changed, and no records were made");
    let applied = place.ask("apply");
    assert_eq!((applied.code, steps(&applied), &applied.json["changed"]), (0, expected.to_vec(), &json!(true)));
    assert_eq!((outcomes(&applied), applied.json["group"].is_string()), (vec!["created"; 3], true));
    assert_eq!(dry.json["items"], applied.json["items"]);
    let after = place.snapshot();
    let again = place.ask("apply");
    assert_eq!((again.code, outcomes(&again), &again.json["changed"]), (0, vec!["unchanged"; 2], &json!(false)));
    assert_eq!(place.snapshot(), after, "no file, link, directory or record is written");
    assert_eq!((place.ask("plan --exit-code").code, place.ask("status --exit-code").code), (0, 0));
}

#[test]
fn all_conflicts_are_told_together_and_nothing_is_begun() {
    let place = place("[links]\nother = \"a\"\nfile2 = \"a\"\ngone = \"nothing\"\nfine = \"a\"\n\"way/x\" = \"a\"\n");
    place.link("other", "elsewhere").link("way", "a");
    fs::write(place.root.join("file2"), "mine").unwrap();
    let before = place.snapshot();
    for line in ["apply", "-n apply", "plan"] {
        let answer = place.ask(line);
        let found: Vec<_> =
            answer.json["errors"].as_array().unwrap().iter().map(|e| (&e["kind"], &e["link"])).collect();
        let expected = [
            (json!("not_a_link"), json!("file2")),
            (json!("dangling"), json!("gone")),
            (json!("mismatch"), json!("other")),
            (json!("symlink_in_path"), json!("way/x")),
        ];
        let expected: Vec<_> = expected.iter().map(|(kind, link)| (kind, link)).collect();
        assert_eq!((found, answer.code), (expected, 4), "{line}");
        for (error, policy) in
            answer.json["errors"].as_array().unwrap().iter().zip(["backup", "allow_dangling", "replace", "[[absent]]"])
        {
            assert!(error["hint"].as_str().unwrap().contains(policy), "{error}");
        }
    }
    assert_eq!(place.snapshot(), before);
    let going = place.ask("apply --keep-going");
    assert_eq!((going.code, place.text("fine"), kinds(&going).len()), (4, Some("src/a".into()), 4));
    assert!(going.json.get("group").is_none(), "each is for itself");
}

#[test]
fn what_is_displaced_is_kept_and_comes_back() {
    let place = place("[links]\nlink = \"a\"\nmine = \"b\"\nnew = \"a\"\n");
    place.link("link", "before");
    fs::write(place.root.join("mine"), "precious").unwrap();
    let inode = fs::metadata(place.root.join("mine")).unwrap().ino();
    assert_eq!(place.ask("apply").code, 3);
    let applied = place.ask("apply --backup");
    assert_eq!((applied.code, outcomes(&applied)), (0, vec!["replaced", "created", "created"]));
    assert_eq!(applied.json["items"][1]["backup"], "mine.backup");
    assert_eq!(place.text("mine"), Some("src/b".into()));
    let back = place.ask("unapply");
    assert_eq!((back.code, &back.json["changed"]), (0, &json!(true)), "{back:?}");
    assert_eq!((place.text("link"), place.text("new")), (Some("before".into()), None));
    assert_eq!(fs::metadata(place.root.join("mine")).unwrap().ino(), inode, "the very file is back");
    assert!(!place.root.join("mine.backup").exists());
    let again = place.ask("unapply --name test");
    assert_eq!((again.code, &again.json["changed"]), (0, &json!(false)));
}

#[test]
fn what_is_declared_no_more_is_pruned_but_not_what_a_person_changed_or_what_was_there() {
    let place = place("[links]\n\"d/one\" = \"a\"\ntwo = \"a\"\nthree = \"a\"\nfound = \"b\"\n");
    place.link("found", "src/b");
    assert_eq!(place.ask("apply").code, 0);
    fs::remove_file(place.root.join("two")).unwrap();
    place.link("two", "mine");
    fs::remove_file(place.root.join("three")).unwrap();
    // The sources are not needed for it.
    fs::remove_dir_all(place.root.join("src")).unwrap();
    declare(&place, "");
    let own =
        |status: &[(&str, &str)]| status.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
    assert_eq!(statuses(&place), own(&[("d/one", "orphan"), ("two", "orphan_modified")]));
    let kept = place.ask("apply --no-prune");
    assert_eq!((kept.code, place.text("d/one")), (0, Some("../src/a".into())));
    let pruned = place.ask("apply");
    let expected = [("skip", "two"), ("remove", "d/one"), ("rmdir", "d")];
    assert_eq!((pruned.code, steps(&pruned)), (0, expected.to_vec()));
    assert_eq!((place.text("two"), place.text("found")), (Some("mine".into()), Some("src/b".into())));
    assert!(!place.root.join("d").exists());
}

#[test]
fn two_manifests_never_take_from_each_other() {
    let place = place("[links]\nl = \"a\"\n");
    place.link("found", "src/a");
    assert_eq!(place.ask("apply").code, 0);
    let other = |links: &str| {
        let text = format!(
            "version = 1\nname = \"other\"\nsource = \"src\"\ndefaults.on_conflict = \"backup\"\n[links]\n{links}"
        );
        fs::write(place.root.join("other.toml"), text).unwrap();
        place.json(["apply".into(), "-m".into(), place.root.join("other.toml")])
    };
    let refused = other("l = \"b\"\n");
    assert_eq!((refused.code, kinds(&refused), place.text("l")), (3, vec!["exists"], Some("src/a".into())));
    // The same text is relied on by both: neither takes it away.
    assert_eq!(other("l = \"a\"\nfound = \"a\"\n").code, 0);
    declare(&place, "[links]\nfound = \"b\"\n");
    let answer = place.ask("apply");
    assert_eq!(kinds(&answer), ["exists"], "what the other found and relies on is the other's");
    declare(&place, "");
    let answer = place.ask("apply");
    assert_eq!((answer.code, steps(&answer)), (0, vec![("skip", "l")]));
    assert_eq!(place.text("l"), Some("src/a".into()));
}

#[test]
fn tags_choose_entries_and_the_others_are_left_alone() {
    let place = place("[[link]]\nat = \"x\"\nto = \"a\"\ntags = [\"one\"]\n[[link]]\nat = \"y\"\nto = \"a\"\n");
    let answer = place.ask("apply --tag one");
    assert_eq!((answer.code, steps(&answer), place.text("y")), (0, vec![("create", "x")], None));
    assert_eq!(place.ask("apply").code, 0);
    let answer = place.ask("apply --tag none");
    assert_eq!((answer.code, steps(&answer), place.text("x")), (0, vec![], Some("src/a".into())));
}

#[test]
fn an_absent_link_is_removed_and_made_again() {
    let place = place("[[absent]]\nat = \"old\"\nif_to = \"src/*\"\n[[absent]]\nat = \"other\"\nif_to = \"src/*\"\n");
    place.link("old", "src/a").link("other", "elsewhere");
    let answer = place.ask("apply");
    assert_eq!((answer.code, steps(&answer)), (0, vec![("skip", "other"), ("remove", "old")]));
    assert_eq!((place.text("old"), place.text("other")), (None, Some("elsewhere".into())));
    assert_eq!(place.ask("unapply").code, 0);
    assert_eq!(place.text("old"), Some("src/a".into()));
}

#[test]
fn a_manifest_that_is_wrong_is_told_whole_with_lines_and_nothing_is_done() {
    let place = place("sauce = 1\n[links]\nx = 5\n\"../y\" = \"a\"\n");
    for verb in ["plan", "apply", "status"] {
        let answer = place.ask(verb);
        let told: Vec<_> =
            answer.json["errors"].as_array().unwrap().iter().map(|e| (&e["kind"], &e["line"], &e["column"])).collect();
        let invalid = json!("invalid_manifest");
        let at = [(json!(4), json!(1)), (json!(6), json!(5)), (json!(7), json!(1))];
        let expected: Vec<_> = at.iter().map(|(line, column)| (&invalid, line, column)).collect();
        assert_eq!((answer.code, told), (2, expected), "{verb}");
    }
    let text = String::from_utf8(place.words("plan").err).unwrap();
    assert!(text.contains("\n  4 | sauce = 1\n    | ^^^^^\n"), "{text}");
    fs::remove_file(place.root.join("caplink.toml")).unwrap();
    assert_eq!((place.ask("plan").code, place.ask("unapply").code), (5, 5));
    assert_eq!(kinds(&place.ask("unapply --name x")), ["no_records"]);
}

#[test]
fn a_saved_plan_is_carried_out_exactly_or_not_at_all() {
    let place = place(TWO);
    let file = place.base.path().join("plan");
    let save = || place.json(["plan".into(), "-o".into(), file.clone()]);
    let apply = || place.json(["apply".into(), "--plan".into(), file.clone()]);
    assert_eq!(save().code, 0);
    let stale = |what: &str| {
        let (before, answer) = (place.snapshot(), apply());
        assert_eq!((answer.code, kinds(&answer), place.snapshot()), (3, vec!["stale_plan"], before), "{what}");
    };
    place.link("x", "something");
    stale("a link came");
    fs::remove_file(place.root.join("x")).unwrap();
    fs::create_dir(place.root.join("d")).unwrap();
    stale("a directory came");
    fs::remove_dir(place.root.join("d")).unwrap();
    // What the manifest says by now is no matter.
    declare(&place, "");
    let answer = apply();
    assert_eq!((answer.code, outcomes(&answer)), (0, vec!["created"; 3]), "{answer:?}");
    stale("it was carried out already");
    for (content, kind, code) in [("{}", "invalid_plan", 2), ("nonsense", "invalid_plan", 2)] {
        fs::write(&file, content).unwrap();
        let answer = apply();
        assert_eq!((answer.code, kinds(&answer)), (code, vec![kind]));
    }
    declare(&place, TWO);
    assert_eq!(save().code, 0);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(kinds(&apply()), ["unsafe_manifest"]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let other = self::place(TWO);
    let answer = other.json(["apply".into(), "--plan".into(), file.clone()]);
    assert_eq!((answer.code, kinds(&answer)), (2, vec!["invalid_plan"]), "it is of another root");
    // A plan with a conflict is not saved.
    fs::remove_file(&file).unwrap();
    fs::remove_file(place.root.join("x")).unwrap();
    fs::write(place.root.join("x"), "file").unwrap();
    assert_eq!((save().code, file.exists()), (3, false));
}

#[test]
fn a_group_that_fails_leaves_everything_as_it_was() {
    let place = place(TWO);
    let planned = place.ask("plan");
    assert_eq!(planned.code, 0);
    // The state directory cannot be used, so nothing can be recorded.
    fs::create_dir(place.root.join(".caplink")).unwrap();
    fs::set_permissions(place.root.join(".caplink"), fs::Permissions::from_mode(0o777)).unwrap();
    let before = place.snapshot();
    let refused = place.ask("apply");
    assert_eq!((refused.code, kinds(&refused)), (4, vec!["unsafe_state"]));
    assert_eq!(place.snapshot(), before);
}

#[test]
fn a_link_that_stow_made_is_taken_over_without_a_write() {
    let place = place("[[tree]]\nfrom = \".\"\ninto = \".\"\n");
    symlink("src/a", place.root.join("a.link")).unwrap();
    place.link("b", "src/b");
    fs::remove_dir_all(place.root.join("a")).unwrap();
    place.link("a", "src/a");
    let answer = place.ask("apply");
    assert_eq!(
        (answer.code, steps(&answer), &answer.json["changed"]),
        (0, vec![("keep", "a"), ("keep", "b")], &json!(false))
    );
    assert_eq!(place.ask("unapply").code, 0);
    assert_eq!(place.text("a"), Some("src/a".into()), "it was there before");
}

#[test]
fn a_link_that_made_room_for_a_directory_of_links_comes_back() {
    let place = place("[links]\n\"way/x\" = \"a\"\n[[absent]]\nat = \"way\"\n");
    place.link("way", "src");
    let answer = place.ask("apply");
    assert_eq!((answer.code, steps(&answer)), (0, vec![("remove", "way"), ("mkdir", "way"), ("create", "way/x")]));
    let answer = place.ask("unapply");
    assert_eq!((answer.code, steps(&answer)), (0, vec![("remove", "way/x"), ("rmdir", "way"), ("create", "way")]));
    assert_eq!(place.text("way"), Some("src".into()));
    // What others have put there keeps the directory, and that is told.
    assert_eq!(place.ask("apply").code, 0);
    fs::write(place.root.join("way/theirs"), "theirs").unwrap();
    let answer = place.ask("unapply");
    assert_eq!((answer.code, steps(&answer)), (0, vec![("skip", "way"), ("remove", "way/x")]));
    assert!(place.root.join("way/theirs").exists());
}

#[test]
fn a_link_that_a_person_made_where_one_of_the_manifest_was_is_not_pruned() {
    let place = place("[links]\nx = \"a\"\n");
    assert_eq!(place.ask("apply").code, 0);
    fs::remove_file(place.root.join("x")).unwrap();
    declare(&place, "");
    let answer = place.ask("apply");
    assert_eq!((answer.code, steps(&answer), &answer.json["changed"]), (0, vec![], &json!(false)));
    place.link("x", "src/a");
    let answer = place.ask("apply");
    assert_eq!((answer.code, steps(&answer)), (0, vec![]), "it is the person's, though it has the same text");
    assert_eq!(place.text("x"), Some("src/a".into()));
}

#[test]
fn the_log_shows_the_group_that_is_to_be_undone_when_more_is_asked_for() {
    let place = place("[links]\nx = \"a\"\n");
    let applied = place.ask("apply");
    let group = applied.json["group"].as_str().unwrap().to_owned();
    let of_group = format!(", group {group})");
    assert!(!place.words("log").out().contains(&group));
    assert_eq!(place.words("log -v").out().lines().filter(|line| line.contains(&of_group)).count(), 1);
    let unknown = place.ask("undo --group nonsense");
    let hint = unknown.json["errors"][0]["hint"].as_str().unwrap();
    assert!(hint.starts_with("`caplink ") && hint.ends_with(" log -v` shows the groups"), "{hint}");
}

#[test]
fn where_a_reason_is_demanded_every_verb_names_the_option() {
    let place = place("[links]\nx = \"a\"\n");
    assert_eq!(place.ask("apply").code, 0);
    assert_eq!(place.words("records init --require-reason").code, 0);
    for line in ["unapply", "adopt src/a --into d -p", "ensure x --to src/b"] {
        let refused = place.ask(line);
        let hint = refused.json["errors"][0]["hint"].as_str().unwrap();
        assert_eq!(
            (refused.code, refused.kind(), hint),
            (4, "policy", "`--reason TEXT` says why, for the records"),
            "{line}"
        );
    }
}
