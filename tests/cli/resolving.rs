//! What `inspect` and `resolve` show.

use std::fs;

use serde_json::json;

use crate::support::Place;

#[test]
fn inspect_shows_one_item_a_path_in_their_order() {
    let place = Place::new();
    place.link("l", "file").link("broken", "nowhere");
    let seen = place.ask("inspect l broken gone file . a/b");
    let kinds: Vec<_> = seen.json["items"].as_array().unwrap().iter().map(|item| item["kind"].clone()).collect();
    assert_eq!(kinds, ["symlink", "symlink", "missing", "file", "dir", "dir"]);
    assert_eq!((seen.code, seen.json["changed"].as_bool()), (0, Some(false)), "a broken link is an answer");
}

#[test]
fn inspect_reports_what_it_can_and_the_errors_of_the_others() {
    let place = Place::new();
    place.link("l", "file").link("d", "a");
    let seen = place.ask("inspect l ../x d/b file a/../b");
    let paths: Vec<_> = seen.json["items"].as_array().unwrap().iter().map(|item| item["path"].clone()).collect();
    let errors: Vec<_> = seen.json["errors"].as_array().unwrap().iter().map(|error| error["kind"].clone()).collect();
    assert_eq!(paths, ["l", "file"]);
    assert_eq!(errors, ["escape", "symlink_in_path", "invalid_path"]);
    assert_eq!(seen.code, 4, "the highest class of those that occurred");
}

#[test]
fn inspect_tells_status_traits_and_where_a_link_leads() {
    let place = Place::new();
    let root = place.root.display().to_string();
    place.link("file-link", "file").link("dir-link", "a/b");
    let absolute = format!("{root}/a");
    let way_out = format!("{root}/../outside");
    for (name, text, status, traits, hops, resolved, kind) in [
        ("l", "file", "ok", json!([]), 1, json!("file"), json!("file")),
        ("a/l", "../releases", "ok", json!([]), 1, json!("releases"), json!("dir")),
        ("l", ".", "ok", json!([]), 1, json!("."), json!("dir")),
        ("l", "file-link", "ok", json!(["chain"]), 2, json!("file"), json!("file")),
        ("l", "dir-link/..", "ok", json!(["messy", "chain"]), 2, json!("a"), json!("dir")),
        ("l", &absolute, "ok", json!(["absolute"]), 1, json!("a"), json!("dir")),
        ("l", ".//file", "ok", json!(["messy"]), 1, json!("file"), json!("file")),
        ("l", "a/./b", "ok", json!(["messy"]), 1, json!("a/b"), json!("dir")),
        ("l", "a/", "ok", json!(["messy"]), 1, json!("a"), json!("dir")),
        ("l", "a/../file", "ok", json!(["messy"]), 1, json!("file"), json!("file")),
        ("a/b/l", "../../a/b", "ok", json!(["lengthy"]), 1, json!("a/b"), json!("dir")),
        ("l", "nowhere", "dangling", json!([]), 1, json!(null), json!(null)),
        ("l", "file/x", "dangling", json!([]), 1, json!(null), json!(null)),
        ("l", "l", "loop", json!(["chain"]), 40, json!(null), json!(null)),
        ("l", "../outside", "escape", json!([]), 1, json!(null), json!(null)),
        ("l", "../nowhere", "escape", json!(["outside_missing"]), 1, json!(null), json!(null)),
        ("l", "/etc", "escape", json!(["absolute"]), 1, json!(null), json!(null)),
        ("l", "/nowhere", "escape", json!(["absolute", "outside_missing"]), 1, json!(null), json!(null)),
        ("l", &way_out, "escape", json!(["absolute", "messy"]), 1, json!(null), json!(null)),
    ] {
        place.link(name, text);
        let seen = place.json(["inspect", name]);
        let item = seen.item();
        let told = (
            &item["target"],
            &item["status"],
            &item["traits"],
            &item["hops"],
            &item["resolved"],
            &item["resolved_kind"],
        );
        assert_eq!(told, (&json!(text), &json!(status), &traits, &json!(hops), &resolved, &kind), "{name} -> {text}");
        fs::remove_file(place.root.join(name)).unwrap();
    }
}

#[test]
fn owner_and_mode_are_those_of_the_entry_itself() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let place = Place::new();
    fs::set_permissions(place.root.join("a"), fs::Permissions::from_mode(0o1750)).unwrap();
    let seen = place.ask("inspect a");
    let uid = fs::metadata(place.root.join("a")).unwrap().uid();
    assert_eq!((&seen.item()["uid"], &seen.item()["mode"]), (&json!(uid), &json!("1750")));
}

#[test]
fn resolve_follows_every_link_as_the_kernel_does() {
    let place = Place::new();
    place.link("dir-link", "a/b").link("a/b/up", "../../releases").link("chain", "dir-link").link("a/to-root", "..");
    for (path, resolved, kind) in [
        (".", ".", "dir"),
        ("file", "file", "file"),
        ("dir-link", "a/b", "dir"),
        ("chain/up/1", "releases/1", "dir"),
        ("a/to-root/a/to-root/file", "file", "file"),
        ("a/to-root", ".", "dir"),
    ] {
        let answer = place.json(["resolve", path]);
        assert_eq!((&answer.item()["resolved"], &answer.item()["kind"]), (&json!(resolved), &json!(kind)), "{path}");
        assert_eq!(
            fs::canonicalize(place.root.join(path)).unwrap(),
            fs::canonicalize(place.root.join(resolved)).unwrap(),
            "the kernel agrees about {path}"
        );
        assert_eq!(place.json(["resolve", path, "--explain"]).json["items"], answer.json["items"]);
    }
}

#[test]
fn resolve_tells_each_hop() {
    let place = Place::new();
    place.link("l", "a/b/../../file");
    let answer = place.ask("resolve ./l");
    let hops = answer.item()["hops"].as_array().unwrap();
    for key in ["path", "resolved", "kind", "hops"] {
        assert_eq!(answer.json[key], answer.item()[key], "`{key}` also stands at the top");
    }
    let told: Vec<_> =
        hops.iter().map(|hop| (hop["component"].as_str(), hop["link"].as_bool(), hop["at"].as_str())).collect();
    assert_eq!(
        told,
        [
            (Some("l"), Some(true), Some("l")),
            (Some("a"), Some(false), Some("a")),
            (Some("b"), Some(false), Some("a/b")),
            (Some(".."), Some(false), Some("a")),
            (Some(".."), Some(false), Some(".")),
            (Some("file"), Some(false), Some("file")),
        ]
    );
    assert_eq!(hops[0]["target"], "a/b/../../file");
    assert!(hops[1]["target"].is_null());
    for hop in hops {
        assert!(hop["uid"].is_u64() && hop["mode"].is_string(), "{hop}");
    }
}

#[test]
fn resolve_that_leads_nowhere_says_why_and_how_far_it_came() {
    let place = Place::new();
    place.link("gone", "a/nowhere/x").link("out", "../outside/secret").link("abs", "/etc/passwd").link("self", "self");
    place.link("a/deep", "../../root/file").link("via", "file/x").link("on", "a/b");
    for (path, code, kind, component, index, via, hops) in [
        ("nowhere", 5, "not_found", "nowhere", 0, None, 1),
        ("a/nowhere/x", 5, "not_found", "nowhere", 1, None, 2),
        ("file/x", 5, "not_found", "x", 1, None, 1),
        ("gone", 5, "not_found", "nowhere", 1, Some("a/nowhere/x"), 3),
        ("via", 5, "not_found", "x", 1, Some("file/x"), 2),
        ("on/deeper", 5, "not_found", "deeper", 1, None, 4),
        ("self", 5, "loop", "self", 0, Some("self"), 41),
        ("out", 4, "escape", "out", 0, Some("../outside/secret"), 1),
        ("abs", 4, "escape", "abs", 0, Some("/etc/passwd"), 1),
        ("a/deep", 4, "escape", "deep", 1, Some("../../root/file"), 3),
    ] {
        let answer = place.json(["resolve", path]);
        assert_eq!(answer.refusal(), (code, kind, Some(component), Some(index)), "{path}");
        assert_eq!(answer.error()["via"].as_str(), via, "{path}");
        let item = &answer.json["items"][0];
        assert_eq!((&item["path"], &item["resolved"], &item["kind"]), (&json!(path), &json!(null), &json!(null)));
        assert_eq!(item["hops"].as_array().map(Vec::len), Some(hops), "{path}: {}", item["hops"]);
    }
}

#[test]
fn a_name_that_goes_into_no_command_has_a_way_out_all_the_same() {
    let place = Place::new();
    place.link("a\nb", "gone");
    for (words, hint) in [
        (&["resolve", "a\nb"][..], "`resolve` with `--explain` shows which part is missing"),
        (&["create", "a\nb", "--to", "file"], "`ensure` replaces a link"),
        (&["exchange", "file", "a\nb"], "look with `caplink"),
    ] {
        let refused = place.json(words);
        let told = refused.error()["hint"].as_str().unwrap_or_default();
        assert!(told.starts_with(hint), "{words:?}: {told}");
    }
}
