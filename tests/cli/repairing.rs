//! What repair repairs, what it leaves alone, and that it compares before it does.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt, symlink};

use serde_json::json;

use crate::support::{Place, is_root, outcomes, skipped};

/// Links of every sort, each with the text that every repair of spellings makes of it.
fn zoo() -> (Place, Vec<(&'static str, String, &'static str)>) {
    let place = Place::new();
    fs::create_dir_all(place.root.join("a/b/c")).unwrap();
    fs::write(place.root.join("a/b/f"), "f").unwrap();
    symlink("f", place.root.join("a/b/chained")).unwrap();
    symlink("a/b", place.root.join("dirlink")).unwrap();
    let root = place.root.to_str().unwrap();
    let links = vec![
        ("plain", "file".to_owned(), "file"),
        ("absolute", format!("{root}/a/b/f"), "a/b/f"),
        ("a/absolute", format!("{root}/file"), "../file"),
        ("a/both", format!("{root}//a//b/"), "b"),
        ("messy", "a//b/./f".to_owned(), "a/b/f"),
        ("slash", "a/b/".to_owned(), "a/b"),
        ("back", "a/b/../b/f".to_owned(), "a/b/f"),
        ("backlink", "dirlink/../b/f".to_owned(), "dirlink/../b/f"),
        ("a/long", "../a/b/f".to_owned(), "b/f"),
        ("a/b/longer", "../../a/b/f".to_owned(), "f"),
        ("dangling", "a//gone".to_owned(), "a/gone"),
        ("escape", "/etc/passwd".to_owned(), "/etc/passwd"),
        ("a/out", "../../outside/secret".to_owned(), "../../outside/secret"),
        ("loop", "./loop".to_owned(), "./loop"),
    ];
    for (link, text, _) in &links {
        symlink(text, place.root.join(link)).unwrap();
    }
    (place, links)
}

#[test]
fn spellings_are_repaired_and_lead_to_the_same_object() {
    let (place, links) = zoo();
    let object = |link: &str| fs::metadata(place.root.join(link)).ok().map(|stat| (stat.dev(), stat.ino()));
    let before: Vec<_> = links.iter().map(|(link, ..)| object(link)).collect();
    let repair = "repair --make-relative --tidy --shorten";
    let preview = place.ask(&format!("-n {repair}"));
    for (link, text, _) in &links {
        assert_eq!(place.text(link), Some(OsString::from(text)), "a dry run changes nothing: {link}");
    }
    let done = place.ask(repair);
    assert_eq!((done.code, preview.code), (0, 0), "{}", done.json);
    assert_eq!(done.json["items"], preview.json["items"]);
    for ((link, _, repaired), before) in links.iter().zip(before) {
        assert_eq!(place.text(link), Some(OsString::from(repaired)), "{link}");
        assert_eq!(object(link), before, "{link}");
    }
    let changed = links.iter().filter(|(_, text, repaired)| text != repaired).count();
    assert_eq!(outcomes(&done).len(), changed);
    assert!(outcomes(&done).iter().all(|(_, outcome, _)| *outcome == "replaced"));
    assert_eq!(done.json["items"][0]["durability"], "dir", "batches are synced by default");
    let again = place.ask(repair);
    assert_eq!((again.code, outcomes(&again).len(), &again.json["changed"]), (0, 0, &false.into()));
}

#[test]
fn each_action_does_its_own_work_only() {
    for (option, touched) in [
        ("--make-relative", &["a/absolute", "a/both", "absolute"][..]),
        ("--tidy", &["a/both", "back", "dangling", "messy", "slash"]),
        ("--shorten", &["a/b/longer", "a/long"]),
        ("--remove-dangling", &["dangling"]),
        ("--fallback file", &["dangling"]),
    ] {
        let (place, _) = zoo();
        let done = place.ask(&format!("repair {option}"));
        let mut links: Vec<_> = outcomes(&done).iter().map(|(link, ..)| *link).collect();
        links.sort_unstable();
        assert_eq!(links, touched, "{option}: {}", done.json);
        assert_eq!(done.code, 0, "{option}");
        assert_eq!(outcomes(&place.ask(&format!("repair {option}"))).len(), 0, "{option} twice is {option} once");
    }
}

#[test]
fn chains_become_one_hop() {
    let (place, _) = zoo();
    place.link("chain", "dirlink/chained");
    let done = place.ask("repair --shorten-chains");
    assert_eq!(place.text("chain"), Some("a/b/f".into()));
    assert!(outcomes(&done).contains(&("backlink", "replaced", Some("a/b/f"))), "it leads over a link too");
}

#[test]
fn an_absolute_chain_stays_absolute_unless_it_is_to_be_relative() {
    let place = Place::new();
    let root = place.root.to_str().unwrap();
    place.link("chain", format!("{root}/on")).link("on", "a/b").link("top", format!("{root}/here")).link("here", ".");
    let done = place.ask("repair --shorten-chains");
    let (straight, top) = (format!("{root}/a/b"), root.to_owned());
    assert_eq!(outcomes(&done), [("chain", "replaced", Some(&*straight)), ("top", "replaced", Some(&*top))]);
    place.ask("ensure chain --to on --style absolute");
    let done = place.ask("repair chain --shorten-chains --make-relative");
    assert_eq!(outcomes(&done), [("chain", "replaced", Some("a/b"))]);
    place.ask("ensure chain --to on --style absolute --rooted");
    let done = place.ask("repair chain --shorten-chains --rooted");
    assert_eq!(outcomes(&done), [("chain", "replaced", Some("/a/b"))]);
}

#[test]
fn dangling_links_fall_back_below_the_root() {
    let place = Place::new();
    place.link("a/b/l", "gone");
    let done = place.ask("repair --fallback releases/1");
    assert_eq!(outcomes(&done), [("a/b/l", "replaced", Some("../../releases/1"))]);
    place.link("m", "gone");
    assert_eq!(place.ask("repair --fallback nowhere").refusal(), (4, "dangling", Some("nowhere"), Some(0)));
    assert_eq!(place.text("m"), Some("gone".into()));
}

#[test]
fn a_fallback_is_checked_before_anything_is_looked_for() {
    let place = Place::new();
    let long = "x".repeat(256);
    let refusals = [
        ("", (2, "invalid_target", None, None)),
        ("a/../file", (2, "invalid_target", Some(".."), Some(1))),
        ("/etc", (4, "escape", Some("/"), Some(0))),
        ("./../x", (4, "escape", Some(".."), Some(0))),
        (long.as_str(), (2, "too_long", Some(long.as_str()), Some(0))),
    ];
    for links in 0..3 {
        for (target, refusal) in refusals {
            assert_eq!(place.json(["repair", "--tidy", "--fallback", target]).refusal(), refusal, "{target} {links}");
        }
        place.link(format!("gone{links}"), "gone").link(format!("messy{links}"), "a//b");
    }
    assert_eq!(place.text("messy0"), Some("a//b".into()), "nothing was done");
    assert_eq!(place.ask("repair --fallback .").code, 0);
}

#[test]
fn all_actions_may_be_combined() {
    let place = Place::new();
    let root = place.root.to_str().unwrap();
    place.link("absolute", format!("{root}//a/b")).link("gone", "nowhere").link("old", "old/1").link("is", "was");
    let line = "repair --make-relative --tidy --shorten --shorten-chains --rebase old=releases --retarget was=file \
                --fallback file --remove-dangling --remove-leftovers";
    let planned = place.ask(&format!("-n {line}"));
    let done = place.ask(line);
    assert_eq!(outcomes(&planned), outcomes(&done));
    assert_eq!(
        outcomes(&done),
        [("absolute", "a/b"), ("gone", "file"), ("is", "file"), ("old", "releases/1")].map(|(link, text)| (
            link,
            "replaced",
            Some(text)
        ))
    );
}

#[test]
fn dangling_links_over_dangling_links_fall_back_each_for_itself() {
    let place = Place::new();
    place.link("a1", "gone").link("b2", "a1").link("c3", "b2");
    let planned = place.ask("-n repair --fallback releases/1");
    let done = place.ask("repair --fallback releases/1");
    assert_eq!(outcomes(&planned), outcomes(&done));
    assert_eq!(outcomes(&done), ["a1", "b2", "c3"].map(|link| (link, "replaced", Some("releases/1"))));
    assert_eq!(place.ask("repair --fallback releases/1").json["changed"], false);
}

#[test]
fn absolute_texts_that_lead_outside_are_not_made_relative() {
    let place = Place::new();
    let root = place.root.to_str().unwrap();
    place.link("a/out", format!("{root}/../outside/secret")).link("in", format!("{root}/a/b"));
    place.link("dangling", format!("{root}/gone")).link("far", "/nowhere");
    let done = place.ask("repair --make-relative");
    assert_eq!(outcomes(&done), [("dangling", "replaced", Some("gone")), ("in", "replaced", Some("a/b"))]);
    assert_eq!((done.code, place.text("a/out")), (0, Some(format!("{root}/../outside/secret").into())));
}

#[test]
fn a_link_to_nothing_is_not_tidied_into_one_to_something() {
    let place = Place::new();
    place.link("l", "file/").link("m", "gone//x/").link("n", ".//file/").link("o", "file/.");
    for line in ["-n repair --tidy", "repair --tidy"] {
        let done = place.ask(line);
        let repaired = [("m", "gone/x"), ("n", "./file/"), ("o", "file/")];
        let repaired = repaired.map(|(link, text)| (link, "replaced", Some(text))).to_vec();
        assert_eq!((done.code, outcomes(&done)), (0, repaired), "{line}");
    }
    assert_eq!(place.text("l"), Some("file/".into()));
    assert_eq!(place.ask("repair --tidy").json["changed"], false);
}

#[test]
fn what_is_lengthy_is_shortened_also_where_it_goes_back_over_directories() {
    let place = Place::new();
    place.link("a/b/l", "../../a/..").link("a/b/m", "../../a/x/../b");
    let done = place.ask("repair --shorten");
    assert_eq!(outcomes(&done), [("a/b/l", "replaced", Some("../.."))], "`a/x` is no directory");
    assert_eq!(place.ask("scan --only lengthy").json["items"][0]["link"], "a/b/m");
}

#[test]
fn only_the_callers_own_staged_links_are_leftovers() {
    let place = Place::new();
    private(&place, ".caplink", 0o700);
    fs::write(place.root.join(staged('f')), "a file is never a leftover").unwrap();
    for name in [staged('1'), format!("a/{}", staged('2')), format!(".caplink/{}", staged('3'))] {
        place.link(&name, "file");
    }
    let others = format!("a/{}", staged('4'));
    if is_root() {
        place.link(&others, "file");
        std::os::unix::fs::lchown(place.root.join(&others), Some(65534), None).unwrap();
    } else {
        skipped("only_the_callers_own_staged_links_are_leftovers", "giving a link away needs root");
    }
    place.link(format!(".caplink-{}", "5".repeat(32)), "file");
    assert_eq!(place.ask("repair --tidy --remove-dangling").json["items"].as_array().unwrap().len(), 0);
    let done = place.ask("repair --remove-leftovers");
    assert_eq!(outcomes(&done).len(), 3, "{}", done.json);
    assert!(place.root.join(staged('f')).exists());
    assert_eq!(place.text(format!(".caplink-{}", "5".repeat(32))), Some("file".into()));
    if is_root() {
        assert_eq!(done.refusal().1, "mismatch");
        assert_eq!(place.text(&others), Some("file".into()));
    }
}

/// A name as private directories and staged links have it: 24 digits and their hash, FNV-1a of 32 bits.
fn staged(digit: char) -> String {
    let digits = digit.to_string().repeat(24);
    let hash = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    format!(".caplink-{digits}{:08x}", digits.bytes().fold(0x811c_9dc5, hash))
}

/// A directory as an interrupted operation leaves it.
fn private(place: &Place, path: &str, mode: u32) {
    fs::create_dir(place.root.join(path)).unwrap();
    fs::set_permissions(place.root.join(path), PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn private_directories_that_were_left_go_with_what_was_staged_in_them() {
    for options in ["", "--confine off "] {
        let place = Place::new();
        fs::set_permissions(place.root.join("a/b"), PermissionsExt::from_mode(0o1777)).unwrap();
        let (empty, full) = (staged('1'), format!("a/b/{}", staged('2')));
        private(&place, &empty, 0o700);
        private(&place, &full, 0o700);
        let link = format!("{full}/{}", staged('3'));
        place.link(&link, "x");
        let seen = place.ask("doctor");
        assert_eq!(seen.json["leftovers"].as_array().unwrap(), &[json!(empty)], "only the root is searched");
        assert_eq!(place.ask("repair --tidy --remove-dangling").json["changed"], false);
        let planned = place.ask(&format!("{options}-n repair --remove-leftovers"));
        let done = place.ask(&format!("{options}repair --remove-leftovers"));
        let expected = [(&link, "removed"), (&empty, "removed"), (&full, "removed")];
        for answer in [planned, done] {
            let outcomes = outcomes(&answer);
            let named: Vec<_> = outcomes.iter().map(|(link, outcome, _)| ((*link).to_owned(), *outcome)).collect();
            assert_eq!(named, expected.map(|(link, outcome)| (link.clone(), outcome)), "{}", answer.json);
            assert_eq!(answer.code, 0, "{}", answer.json);
        }
        assert!(!place.root.join(&empty).exists() && !place.root.join(&full).exists());
        assert_eq!(place.ask("doctor").json["leftovers"].as_array().unwrap().len(), 0);
        assert_eq!(place.ask("repair --remove-leftovers").json["changed"], false);
    }
}

#[test]
fn what_has_a_staged_name_without_a_check_is_listed_and_left_alone() {
    let place = Place::new();
    let [dir, link] = ["5", "6"].map(|digit| format!(".caplink-{}", digit.repeat(32)));
    private(&place, &dir, 0o700);
    place.link(&link, "x");
    let before = place.snapshot();
    assert_eq!(place.ask("doctor").json["leftovers"], json!([dir, link]));
    assert_eq!(place.ask("repair --remove-leftovers").json["changed"], false);
    assert_eq!(place.snapshot(), before);
}

#[test]
fn a_private_directory_that_somebody_is_at_work_in_is_waited_for() {
    use rustix::fs::{FlockOperation, flock};
    let place = Place::new();
    let dir = format!("a/b/{}", staged('1'));
    private(&place, &dir, 0o700);
    place.link(format!("{dir}/{}", staged('2')), "x");
    let at_work = fs::File::open(place.root.join("a/b")).unwrap();
    flock(&at_work, FlockOperation::LockExclusive).unwrap();
    let before = place.snapshot();
    let answer = place.ask("repair --remove-leftovers");
    let kinds: Vec<_> = answer.json["errors"].as_array().unwrap().iter().map(|error| error["kind"].clone()).collect();
    assert_eq!((answer.code, kinds), (6, vec![json!("busy"); 2]), "{}", answer.json);
    assert_eq!(place.snapshot(), before);
    drop(at_work);
    assert_eq!(outcomes(&place.ask("repair --remove-leftovers")).len(), 2);
}

#[test]
fn a_directory_that_only_looks_like_one_that_was_left_stays() {
    let place = Place::new();
    let with = |digit: char, mode: u32| {
        private(&place, &staged(digit), mode);
        place.root.join(staged(digit))
    };
    fs::write(with('1', 0o700).join("file"), "").unwrap();
    fs::write(with('2', 0o700).join(staged('0')), "a file with the name of a staged link").unwrap();
    fs::create_dir(with('3', 0o700).join(staged('0'))).unwrap();
    std::os::unix::fs::symlink("x", with('4', 0o700).join("link")).unwrap();
    let (_open, _listed) = (with('5', 0o755), with('6', 0o701));
    private(&place, ".caplink-short", 0o700);
    private(&place, &format!("{}g", &staged('7')[..40]), 0o700);
    // The one inside the third as well.
    let mut refused = 7;
    if is_root() {
        std::os::unix::fs::chown(with('8', 0o700), Some(65534), None).unwrap();
        refused += 1;
    } else {
        skipped("a_directory_that_only_looks_like_one_that_was_left_stays", "giving a directory away needs root");
    }
    let before = place.snapshot();
    for options in ["-n ", "", "--confine off "] {
        let answer = place.ask(&format!("{options}repair --remove-leftovers"));
        let kinds: Vec<_> =
            answer.json["errors"].as_array().unwrap().iter().map(|error| error["kind"].clone()).collect();
        assert_eq!(kinds, vec![json!("mismatch"); refused], "{}", answer.json);
        assert_eq!(place.snapshot(), before, "{options}");
    }
}

#[test]
fn repair_wants_to_be_told_what_to_do() {
    let place = Place::new();
    for line in ["repair", "repair a", "repair --rebase x", "repair --rebase =x", "repair --fallback a --fallback a"] {
        assert_eq!(place.ask(line).refusal(), (2, "usage", None, None), "{line}");
    }
    for (dir, refusal) in [
        ("gone", (5, "not_found", Some("gone"), Some(0))),
        ("file", (5, "not_found", Some("file"), Some(0))),
        ("..", (4, "escape", Some(".."), Some(0))),
    ] {
        assert_eq!(place.json(["repair", "--tidy", dir]).refusal(), refusal, "{dir}");
    }
    assert_eq!(place.ask("repair --tidy ./a//").code, 0);
    for (line, told) in
        [("repair --tidy", "note: nothing to repair\n"), ("-q repair --tidy", ""), ("-qqv repair --tidy", "")]
    {
        assert_eq!((place.words(line).out(), place.words(line).err()), ("", told), "{line}");
    }
}

#[test]
fn one_link_alone_is_repaired() {
    let place = Place::new();
    place.link("l", "a//b").link("m", "a//b").link("a/dirlink", "../releases").link("a/n", ".//b");
    let planned = place.ask("-n repair l --tidy");
    let done = place.ask("repair l --tidy");
    assert_eq!(outcomes(&planned), outcomes(&done));
    assert_eq!((done.code, outcomes(&done)), (0, vec![("l", "replaced", Some("a/b"))]));
    assert_eq!(place.text("m"), Some("a//b".into()), "the others are not looked at");
    assert_eq!(outcomes(&place.ask("repair ./a//n --tidy")), [("a/n", "replaced", Some("./b"))]);
    assert_eq!(outcomes(&place.ask("repair a/dirlink --tidy --shorten")), []);
    place.link("dirlink", "a").link("gone", "nowhere");
    for (line, refusal) in [
        ("repair dirlink/n --tidy", (4, "symlink_in_path", Some("dirlink"), Some(0))),
        ("repair nowhere/l --tidy", (5, "not_found", Some("nowhere"), Some(0))),
        ("repair nowhere --tidy", (5, "not_found", Some("nowhere"), Some(0))),
        ("repair file --tidy", (5, "not_found", Some("file"), Some(0))),
        ("repair ../l --tidy", (4, "escape", Some(".."), Some(0))),
        ("repair dirlink/ --tidy", (4, "symlink_in_path", Some("dirlink"), Some(0))),
    ] {
        assert_eq!(place.ask(line).refusal(), refusal, "{line}");
    }
    assert_eq!(outcomes(&place.ask("repair gone --remove-dangling")), [("gone", "removed", None)]);
    assert_eq!(place.words("repair m --shorten").err(), "note: nothing to repair\n");
    assert_eq!(outcomes(&place.ask("--follow repair dirlink/n --fallback file --tidy")), []);
}
