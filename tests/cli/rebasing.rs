//! What repair makes of texts that are to lead elsewhere.

use std::fs;

use serde_json::json;

use crate::support::{Place, outcomes};

#[test]
fn texts_are_rebased_and_retargeted() {
    let place = Place::new();
    fs::write(place.root.join("releases/2/f"), "").unwrap();
    place.link("moved", "old/f").link("older", "older/f").link("whole", "releases/1").link("lost", "old/gone");
    let done = place.ask("repair --rebase old=releases/2");
    assert_eq!(outcomes(&done), [("moved", "replaced", Some("releases/2/f"))]);
    assert_eq!(done.refusal().1, "dangling", "`lost` would lead nowhere still");
    assert_eq!(place.text("older"), Some("older/f".into()), "a prefix ends with a component");
    assert_eq!(place.text("lost"), Some("old/gone".into()));
    let done = place.ask("repair --retarget releases/1=releases/2");
    assert_eq!(outcomes(&done), [("whole", "replaced", Some("releases/2"))]);
}

#[test]
fn the_way_out_is_one_that_there_is() {
    let place = Place::new();
    place.link("l", "releases/1");
    for (line, hint) in [
        ("--retarget releases/1=gone", "no repair makes a link lead to nothing; `swap` with `--allow-dangling` does"),
        (
            "--rebase releases/1=..",
            "no repair makes a link lead outside; `swap` with `--allow-outside` and `--style verbatim` does",
        ),
        ("--moved ../a=b", "name a path below the root; `-C DIR` chooses another root"),
        ("--moved a=/b", "name a path below the root; `-C DIR` chooses another root"),
        ("--fallback a/../a", "the fallback is a path below the root, without `..`"),
        ("--fallback ../a", "name a path below the root; `-C DIR` chooses another root"),
    ] {
        let refused = place.ask(&format!("repair {line}"));
        assert_eq!(refused.error()["hint"], hint, "{line}");
    }
    assert_eq!(place.ask("swap l --to gone --expect releases/1 --allow-dangling").code, 0);
    assert_eq!(place.ask("swap l --to .. --expect gone --allow-outside --style verbatim").code, 0);
}

#[test]
fn a_prefix_is_compared_and_replaced_byte_for_byte() {
    let place = Place::new();
    place.link("doubled", "releases//1").link("dotted", "./releases/1").link("slash", "releases/1/").link("l", "a//b/");
    for other in ["a/b=releases", "./a=releases", "rel=a", "a//b//=a", "releases/1//=a"] {
        let answer = place.json(["repair", "--rebase", other]);
        assert_eq!((answer.code, &answer.json["items"]), (0, &json!([])), "{other}");
    }
    let done = place.ask("repair --rebase releases/1=releases/2");
    assert_eq!(outcomes(&done), [("slash", "replaced", Some("releases/2/"))]);
    let done = place.ask("repair --rebase a//=./a/");
    assert_eq!(outcomes(&done), [("l", "replaced", Some("./a/b/"))]);
}

#[test]
fn a_rebased_link_leads_to_what_has_the_new_prefix() {
    let place = Place::new();
    for release in ["1", "2"] {
        fs::write(place.root.join("releases").join(release).join("f"), release).unwrap();
    }
    place.link("l", "releases/1/f");
    place.link("a/l", "../releases/1");
    let done = place.ask("repair --rebase releases/1=releases/2 --rebase ../releases/1=../releases/2");
    assert_eq!(outcomes(&done), [("a/l", "replaced", Some("../releases/2")), ("l", "replaced", Some("releases/2/f"))]);
}

#[test]
fn links_over_links_are_rebased_at_once_as_the_dry_run_says() {
    let place = Place::new();
    fs::write(place.root.join("releases/2/f"), "").unwrap();
    // Each leads over the next one, which is rebased after it in the order of their names.
    place.link("c1", "old/c2/f").link("a/c2", "/old/a/c3").link("a/c3", "/old/a/c4").link("a/c4", "/old/releases/2");
    place.link("gone", "old/gone").link("old-loop", "old/c5").link("a/c5", "/old/a/c5");
    let root = place.root.to_str().unwrap();
    let line = ["repair", "--rebase", "old=a", "--rebase", &format!("/old={root}"), "--make-relative"];
    let before = place.snapshot();
    let planned = place.json(["-n"].iter().chain(&line));
    assert_eq!(place.snapshot(), before);
    let done = place.json(line);
    assert_eq!((outcomes(&planned), &planned.json["errors"]), (outcomes(&done), &done.json["errors"]));
    assert_eq!(
        outcomes(&done),
        [
            ("a/c2", "replaced", Some("c3")),
            ("a/c3", "replaced", Some("c4")),
            ("a/c4", "replaced", Some("../releases/2")),
            ("c1", "replaced", Some("a/c2/f")),
        ]
    );
    let refused: Vec<_> =
        done.json["errors"].as_array().unwrap().iter().map(|error| error["link"].as_str().unwrap()).collect();
    assert_eq!((refused, done.code), (vec!["a/c5", "gone", "old-loop"], 4));
    assert_eq!(place.json(line).json["changed"], false);
}

#[test]
fn a_dry_run_counts_on_what_it_would_remove() {
    let place = Place::new();
    place.link("b", "gone").link("c", "old/b").link("d", "b");
    let line = "repair --remove-dangling --rebase old=.";
    let planned = place.ask(&format!("-n {line}"));
    let done = place.ask(line);
    assert_eq!((outcomes(&planned), &planned.json["errors"]), (outcomes(&done), &done.json["errors"]));
    assert_eq!(outcomes(&done), [("b", "removed", None), ("d", "removed", None)]);
    assert_eq!(done.refusal(), (4, "dangling", Some("b"), Some(0)));
}

#[test]
fn links_follow_what_was_moved() {
    let place = Place::new();
    fs::create_dir_all(place.root.join("packages/foo/node_modules")).unwrap();
    fs::create_dir_all(place.root.join("store/lodash")).unwrap();
    place.link("packages/foo/node_modules/lodash", "../../../../store/lodash").link("use", "packages/group1/foo");
    let line = "repair --moved packages/group1/foo=packages/foo/";
    let planned = place.ask(&format!("-n {line}"));
    let done = place.ask(line);
    assert_eq!(outcomes(&planned), outcomes(&done));
    let expected = [("packages/foo/node_modules/lodash", "../../../store/lodash"), ("use", "packages/foo")];
    assert_eq!(outcomes(&done), expected.map(|(link, text)| (link, "replaced", Some(text))));
    assert_eq!((done.code, place.ask(line).json["changed"].clone()), (0, json!(false)));
    for (line, refusal) in [
        ("repair --moved a", (2, "usage", None, None)),
        ("repair --moved a=../b", (4, "escape", Some(".."), Some(0))),
        ("repair --moved /a=b", (4, "escape", Some("/"), Some(0))),
        ("repair --moved .=b", (2, "invalid_path", None, None)),
    ] {
        assert_eq!(place.ask(line).refusal(), refusal, "{line}");
    }
}

#[test]
fn an_image_is_repaired_as_from_inside() {
    let place = Place::new();
    place.link("sh", "/a/b").link("a/abs", "/file").link("a/up", "../../../file").link("a/gone", "/nowhere");
    assert_eq!(outcomes(&place.ask("repair --make-relative")), [], "they lead outside");
    let seen = place.ask("--rooted scan --exit-code");
    assert_eq!((&seen.json["rooted"], &seen.json["summary"]["escape"], seen.code), (&json!(true), &json!(0), 1));
    let done = place.ask("--rooted repair --make-relative --shorten");
    assert_eq!(
        outcomes(&done),
        [("a/abs", "../file"), ("a/gone", "../nowhere"), ("a/up", "../file"), ("sh", "a/b")].map(|(link, text)| (
            link,
            "replaced",
            Some(text)
        ))
    );
    assert_eq!(place.ask("--rooted resolve sh").item()["resolved"], "a/b");
    let made = place.ask("--rooted create new --to releases/1 --style absolute");
    assert_eq!(made.item()["target"], "/releases/1");
    assert_eq!(place.ask("--rooted inspect new").item()["status"], "ok");
}

#[test]
fn what_was_moved_follows_what_else_was_moved() {
    let place = Place::new();
    fs::create_dir_all(place.root.join("lib/deep/one")).unwrap();
    fs::create_dir_all(place.root.join("other/two")).unwrap();
    fs::write(place.root.join("other/two/f"), "").unwrap();
    // It was `one/l`, beside `two/f`.
    place.link("lib/deep/one/l", "../two/f").link("top", "two/f");
    let line = "repair --moved one=lib/deep/one --moved two=other/two";
    let (planned, done) = (place.ask(&format!("-n {line}")), place.ask(line));
    assert_eq!((done.code, &planned.json["items"]), (0, &done.json["items"]));
    let expected = [("lib/deep/one/l", "../../../other/two/f"), ("top", "other/two/f")];
    assert_eq!(outcomes(&done), expected.map(|(link, text)| (link, "replaced", Some(text))));
    assert_eq!(place.ask(line).json["changed"], false);
}
