//! How a target is read and stored, and where its text may lead.

use std::fs;
use std::path::Path;

use crate::support::Place;

#[test]
fn a_target_is_a_path_below_the_root_and_stored_from_where_the_link_is() {
    let place = Place::new();
    place.link("d", "releases").link("a/in", "../releases/1");
    for (link, to, text) in [
        ("l", "file", "file"),
        ("l", "./a//b/.", "a/b"),
        ("l", "releases/", "releases"),
        ("a/l", "./releases//1//", "../releases/1"),
        ("l", "./", "."),
        ("l", "./releases//./1", "releases/1"),
        ("l", ".", "."),
        ("a/l", "file", "../file"),
        ("a/l", "a/b", "b"),
        ("a/l", "a", "."),
        ("a/l", ".", ".."),
        ("a/b/l", ".", "../.."),
        ("a/b/l", "releases/2", "../../releases/2"),
        // A parent of the target may be a link, and so may the target.
        ("a/l", "d/1", "../d/1"),
        ("a/l", "a/in", "in"),
        ("l", "d", "d"),
        ("-l", "file", "file"),
    ] {
        let answer = place.json(["create", "--to", to, "--", link]);
        assert_eq!(answer.item()["target"], text, "{link} {to}");
        assert_eq!(place.text(link), Some(text.into()));
        let there = fs::canonicalize(place.root.join(link)).unwrap();
        assert_eq!(there, fs::canonicalize(place.root.join(to)).unwrap(), "the kernel agrees about {link} {to}");
        assert_eq!(place.json(["remove", "--", link]).outcome(), "removed");
    }
}

#[test]
fn an_absolute_text_begins_with_the_physical_path_of_the_root() {
    let place = Place::new();
    for (to, rest) in [("file", "/file"), ("a//./b", "/a/b"), (".", "")] {
        let answer = place.json(["create", "a/l", "--style", "absolute", "--to", to]);
        let text = format!("{}{rest}", place.root.display());
        assert_eq!(answer.item()["target"], *text);
        let seen = place.ask("inspect a/l");
        assert_eq!((&seen.item()["status"], &seen.item()["traits"]), (&"ok".into(), &serde_json::json!(["absolute"])));
        assert_eq!(place.ask("remove a/l").outcome(), "removed");
    }
}

#[test]
fn a_trailing_slash_asks_for_a_directory() {
    let place = Place::new();
    place.link("to-file", "file").link("to-dir", "a");
    for (to, text) in
        [("file/", None), ("to-file/", None), ("file/.", None), ("to-dir/", Some("to-dir")), ("a/b/", Some("a/b"))]
    {
        for style in ["relative", "absolute"] {
            let made = place.json(["ensure", "l", "--to", to, "--style", style, "--allow-outside"]);
            match text {
                None => assert_eq!(made.refusal(), (2, "invalid_target", None, None), "{to}"),
                Some(text) => assert!(made.item()["target"].as_str().unwrap().ends_with(text), "{to}"),
            }
        }
    }
    // What is not there may become one.
    assert_eq!(place.ask("create gone --to new/ --allow-dangling").item()["target"], "new");
    assert_eq!(place.ask("create gone2 --to new2/").refusal(), (4, "dangling", Some("new2"), Some(0)));
    // A text that is there already is left alone, wherever it leads.
    place.link("same", "file");
    assert_eq!(place.ask("ensure same --to file/").outcome(), "unchanged");
}

#[test]
fn an_absolute_path_into_the_root_is_the_path_behind_it() {
    let place = Place::new();
    let root = place.root.display().to_string();
    for (to, text) in [("file", "../file"), ("a/", "."), ("./a//b", "b"), (".", ".."), ("", "..")] {
        let made = place.json(["create", "a/l", "--to", &format!("{root}/{to}")]);
        assert_eq!(made.item()["target"], text, "{to}");
        assert_eq!(place.ask("remove a/l").outcome(), "removed");
    }
    let made = place.json(["create", "a/l", "--to", &format!("{root}/file"), "--style", "absolute"]);
    assert_eq!(made.item()["target"], format!("{root}/file"));
    let depth = place.root.components().count() as u64;
    for (to, code, kind, component, index) in [
        (format!("{root}x/file"), 4, "escape", "/", 0),
        (format!("{root}/../outside"), 4, "escape", "..", depth),
        (format!("{root}/a/../file"), 2, "invalid_target", "..", depth + 1),
        (format!("{root}/a/nope"), 4, "dangling", "nope", depth + 1),
        (format!("{root}/../root/file"), 4, "escape", "..", depth),
        ("/etc".to_owned(), 4, "escape", "/", 0),
    ] {
        let refused = place.json(["create", "new", "--allow-outside", "--to", &to]);
        assert_eq!(refused.refusal(), (code, kind, Some(component), Some(index)), "{to}");
    }
}

#[test]
fn a_badly_spelled_target_is_refused_after_what_has_the_name() {
    let place = Place::new();
    let long = "x".repeat(256);
    place.link("l", "file");
    let before = place.snapshot();
    for (to, code, kind, component, index) in [
        ("/x", 4, "escape", Some("/"), Some(0)),
        ("/", 4, "escape", Some("/"), Some(0)),
        ("..", 4, "escape", Some(".."), Some(0)),
        ("./../x", 4, "escape", Some(".."), Some(0)),
        ("a//.././../x", 4, "escape", Some(".."), Some(2)),
        ("a/../file", 2, "invalid_target", Some(".."), Some(1)),
        ("", 2, "invalid_target", None, None),
        (&*long, 2, "too_long", Some(&*long), Some(0)),
    ] {
        for style in ["relative", "absolute"] {
            for verb in
                [&["create", "new"][..], &["ensure", "new"], &["ensure", "l"], &["swap", "l", "--expect", "file"]]
            {
                let to = format!("--to={to}");
                let answer = place.json(verb.iter().copied().chain([
                    &*to,
                    "--style",
                    style,
                    "--allow-dangling",
                    "--allow-outside",
                ]));
                assert_eq!(answer.refusal(), (code, kind, component, index), "{verb:?} {to}");
            }
            assert_eq!(place.json(["create", "l", "--to", to, "--style", style]).kind(), "exists");
            assert_eq!(place.json(["create", "gone/l", "--to", to, "--style", style]).kind(), "not_found");
            assert_eq!(place.json(["ensure", "file", "--to", to, "--style", style]).kind(), "not_a_link");
            assert_eq!(place.json(["create", "../l", "--to", to, "--style", style]).kind(), "escape");
        }
    }
    assert_eq!(place.snapshot(), before);
}

#[test]
fn a_verbatim_text_is_stored_byte_for_byte() {
    let place = Place::new();
    let root = place.root.display().to_string();
    let within = format!("{root}//a/./b/");
    for text in ["./a//b/./", "a/../file", ".", "..//releases/", "a/b/", &within, " ", "a\\b", "*?\n\u{1b}[2J"] {
        let link = if text.starts_with("..") { "a/l" } else { "l" };
        let made = place.json(["create", link, "--style", "verbatim", "--allow-dangling", "--to", text]);
        assert_eq!(made.item()["target"], text);
        assert_eq!(place.text(link), Some(text.into()));
        fs::remove_file(place.root.join(link)).unwrap();
    }
    let long = "x/".repeat(2047) + "x";
    for (link, text, kind) in [("l", &*long, "ok"), ("m", &*(long.clone() + "x"), "too_long")] {
        let made = place.json(["create", link, "--style", "verbatim", "--allow-dangling", "--to", text]);
        assert_eq!(made.kind(), kind);
    }
    assert_eq!(place.text("l"), Some(long.into()));
}

#[test]
fn a_text_is_judged_by_walking_it_from_where_the_link_is() {
    let place = Place::new();
    place.link("dirlink", "a/b").link("self", "self").link("ping", "pong").link("pong", "ping");
    place.link("out", "../outside").link("etc", "/etc").link("gone", "nowhere").link("a/up", "..");
    let root = place.root.display().to_string();
    let texts: &[(&str, &str)] = &[
        ("../file", "ok"),
        ("b/../../file", "ok"),
        ("../dirlink/../../file", "ok"),
        ("../dirlink/..", "ok"),
        ("up/a/up/a", "ok"),
        (".", "ok"),
        ("..", "ok"),
        (&format!("{root}/file"), "ok"),
        (&root, "ok"),
        (&format!("{root}/a/../file"), "ok"),
        ("nowhere", "dangling"),
        ("../gone", "dangling"),
        ("../file/x", "dangling"),
        ("../file/", "dangling"),
        ("nowhere/..", "dangling"),
        ("nowhere/../../file", "dangling"),
        (&format!("{root}/nowhere"), "dangling"),
        ("l", "loop"),
        ("l/x", "loop"),
        ("../a/l", "loop"),
        ("../self", "loop"),
        ("../ping/x", "loop"),
        ("../..", "escape"),
        ("../../root/file", "escape"),
        ("../out/secret", "escape"),
        ("../out", "escape"),
        ("../etc/passwd", "escape"),
        ("/etc", "escape"),
        ("/", "escape"),
        ("/nowhere/at/all", "escape"),
        (&format!("{root}x/file"), "escape"),
        (&format!("{root}/.."), "escape"),
        (&format!("{root}/../root/file"), "escape"),
        // Through a missing component the rest is judged by spelling.
        ("nowhere/../../../x", "escape"),
        ("nowhere/../../../root/file", "escape"),
        ("../dirlink/../../../x", "escape"),
    ];
    let before = place.snapshot();
    for (text, kind) in texts {
        let attempt = |extra: &[&str]| {
            let line = ["create", "a/l", "--style", "verbatim", "--to", text].into_iter().chain(extra.iter().copied());
            let answer = place.json(line);
            if answer.code == 0 {
                assert_eq!(place.text("a/l"), Some(text.into()));
                fs::remove_file(place.root.join("a/l")).unwrap();
            }
            answer.kind().to_owned()
        };
        assert_eq!(attempt(&[]), *kind, "{text}");
        // Each risk has an option of its own.
        let allowed = |of: &str| if *kind == of { "ok" } else { *kind };
        assert_eq!(attempt(&["--allow-dangling"]), allowed("dangling"), "{text}");
        assert_eq!(attempt(&["--allow-outside"]), allowed("escape"), "{text}");
    }
    assert_eq!(place.snapshot(), before);
}

#[test]
fn the_status_of_a_link_is_how_its_text_was_judged() {
    let place = Place::new();
    place.link("dirlink", "a/b").link("out", "../outside");
    for text in ["../file", "nowhere", "../dirlink/../../file", "l", "../out/secret", "/etc", "nowhere/../../../x"] {
        let kind = place.json(["create", "a/l", "--style", "verbatim", "--to", text]).kind().to_owned();
        if kind != "ok" {
            place.link("a/l", text);
        }
        assert_eq!(place.ask("inspect a/l").item()["status"], *kind, "{text}");
        fs::remove_file(place.root.join("a/l")).unwrap();
    }
}

#[test]
fn forty_hops_are_followed_and_more_are_a_loop_as_for_the_kernel() {
    let place = Place::new();
    place.link("h1", "file");
    for hop in 2..=41 {
        place.link(format!("h{hop}"), format!("h{}", hop - 1));
    }
    for (to, kind) in [("h39", "ok"), ("h40", "loop")] {
        assert_eq!(place.json(["ensure", "l", "--to", to]).kind(), kind, "the link itself is a hop");
    }
    for (name, status, kernel) in [("h40", "ok", true), ("h41", "loop", false)] {
        let seen = place.json(["inspect", name]);
        assert_eq!(seen.item()["status"], status);
        assert_eq!(fs::metadata(place.root.join(name)).is_ok(), kernel);
        let resolved = place.json(["resolve", name]);
        assert_eq!(resolved.kind(), if kernel { "ok" } else { "loop" });
    }
}

#[test]
fn a_mount_point_is_crossed_only_when_asked() {
    use std::os::unix::fs::MetadataExt as _;
    let dev = |path: &str| fs::metadata(path).map(|stat| stat.dev()).ok();
    if !Path::new("/proc/version").exists() || dev("/") == dev("/proc") {
        crate::support::skipped("targets::a_mount_point_is_crossed_only_when_asked", "no /proc is mounted");
        return;
    }
    let ask = |line: &str| {
        crate::support::answer(crate::support::caplink().args(["--json", "-C", "/"]).args(line.split_whitespace()))
    };
    for line in ["resolve proc/version", "inspect proc/version", "create proc/x --to etc", "remove proc/x --missing-ok"]
    {
        assert_eq!(ask(line).refusal(), (4, "cross_mount", Some("proc"), Some(0)), "{line}");
    }
    assert_eq!(ask("create caplink-new -n --to proc/version").kind(), "cross_mount");
    let may_write = if crate::support::is_root() { "ok" } else { "permission" };
    assert_eq!(ask("create caplink-new -n --to proc/version --cross-mounts").kind(), may_write);
    assert_eq!(ask("resolve proc/version --cross-mounts").item()["resolved"], "proc/version");
    assert_eq!(ask("resolve proc/self/exe --cross-mounts").refusal(), (4, "magic_link", Some("exe"), Some(2)));
}

#[test]
fn a_component_of_the_target_counts_in_the_target_as_it_was_given() {
    let place = Place::new();
    place.link("lp", "lp");
    for (line, refusal) in [
        ("--to releases/nope", (4, "dangling", Some("nope"), Some(1))),
        ("--to ./nope//x", (4, "dangling", Some("nope"), Some(0))),
        ("--to releases/nope --style absolute", (4, "dangling", Some("nope"), Some(1))),
        ("--to ../../releases/nope --style verbatim", (4, "dangling", Some("nope"), Some(3))),
        ("--to lp", (5, "loop", Some("lp"), Some(0))),
        ("--to lp --style absolute", (5, "loop", Some("lp"), Some(0))),
    ] {
        for link in ["l", "a/l", "a/b/l", "new/dir/l"] {
            if line.contains("verbatim") && link != "a/b/l" {
                continue;
            }
            assert_eq!(place.ask(&format!("create {link} -p {line}")).refusal(), refusal, "{link} {line}");
        }
    }
}
