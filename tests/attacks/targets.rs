//! Where the text of a link leads: chains, cycles, and escapes.

use std::path::Path;

use caplink::change::Create;
use caplink::{Edit, Effect, Kind, LinkPath, Status, Target};

use super::ground::{Case, on_every_backend};

fn create(path: &str, text: &str) -> Edit<Create> {
    Edit::create(LinkPath::new(path).expect("a plain path"), Target::verbatim(text))
}

fn furnish(case: &Case) {
    case.dir("a/b");
    case.dir("b/c");
    case.file("t");
    case.file("x");
    case.file("b/t");
    case.file("a/b/f");
}

#[test]
fn s_11_a_text_that_goes_out_and_comes_back_is_an_escape() {
    on_every_backend("S-11", |case| {
        furnish(case);
        let error = case.refused(Kind::Escape, |root| root.apply(&create("l", "../root/x")));
        assert_eq!(super::ground::component(&error), Some(("..".as_ref(), 0)));
        case.link("l", "../root/x");
        case.refused(Kind::Escape, |root| root.resolve("l"));
        let seen = case.watch(|root| root.inspect("l")).unwrap().link.unwrap();
        assert_eq!((seen.status, seen.traits.is_empty()), (Status::Escape, true), "something is there: {seen:?}");
        case.refused(Kind::Escape, |root| root.apply(&create("a/m", "../../root/x")));
    });
}

#[test]
fn s_11_a_dotdot_after_a_link_goes_to_the_parent_of_what_it_leads_to() {
    on_every_backend("S-11", |case| {
        furnish(case);
        case.link("d", "b/c");
        let _ = case.done(|root| root.apply(&create("l", "d/../t")));
        let resolved = case.watch(|root| root.resolve("l")).unwrap();
        assert_eq!(resolved.path, Path::new("b/t"));
        assert_eq!(resolved.id.inode, super::ground::inode(case.at("b/t")));
        assert_eq!(resolved.id.inode, std::os::unix::fs::MetadataExt::ino(&case.at("l").metadata().unwrap()));
        case.refused(Kind::InvalidPath, |root| root.resolve("d/../t"));
    });
}

#[test]
fn s_12_forty_links_are_followed_and_forty_one_are_a_loop() {
    on_every_backend("S-12", |case| {
        furnish(case);
        case.link("l1", "t");
        for count in 2..=41 {
            case.link(format!("l{count}"), format!("l{}", count - 1));
        }
        assert!(case.at("l40").metadata().is_ok() && case.at("l41").metadata().is_err(), "as the kernel does");
        assert_eq!(case.watch(|root| root.resolve("l40")).unwrap().path, Path::new("t"));
        let seen = case.watch(|root| root.inspect("l40")).unwrap().link.unwrap();
        assert_eq!((seen.status, seen.hops), (Status::Ok, 40));
        case.refused(Kind::Loop, |root| root.resolve("l41"));
        assert_eq!(case.watch(|root| root.inspect("l41")).unwrap().link.unwrap().status, Status::Loop);
        let _ = case.done(|root| root.apply(&create("n40", "l39")));
        case.refused(Kind::Loop, |root| root.apply(&create("n41", "l40")));
        case.refused(Kind::Loop, |root| root.apply(&create("n41", "l40").allow_dangling(true).allow_outside(true)));
        case.refused(Kind::Loop, |root| root.ensure("n40", Target::relative("l40")));
    });
}

#[test]
fn s_12_cycles_are_loops_wherever_they_run() {
    on_every_backend("S-12", |case| {
        furnish(case);
        case.link("self", "self");
        case.link("one", "two");
        case.link("two", "one");
        case.dir("loop");
        case.link("loop/d", "e");
        case.link("loop/e", "../loop/d/x");
        case.link("a/up", "../a/up/../up");
        for link in ["self", "one", "two", "loop/d", "loop/e", "a/up"] {
            case.refused(Kind::Loop, |root| root.resolve(link));
            let seen = case.watch(|root| root.inspect(link)).unwrap().link.unwrap();
            assert_eq!(seen.status, Status::Loop, "{link}: {seen:?}");
            assert!(!case.watch(|root| root.exists(link)).unwrap(), "{link}");
            case.refused(Kind::Loop, |root| root.create("new", Target::relative(link)));
        }
        for (path, text) in [("n", "n"), ("n", "./n/x"), ("a/n", "../a/n"), ("a/n", "../a/n/.."), ("n", "a/../n")] {
            case.refused(Kind::Loop, |root| root.apply(&create(path, text)));
        }
        case.link("first", "t");
        case.link("second", "first");
        case.refused(Kind::Loop, |root| root.ensure("first", Target::relative("second")));
    });
}

#[test]
fn s_13_a_target_is_judged_by_walking_and_not_by_spelling() {
    on_every_backend("S-13", |case| {
        furnish(case);
        case.link("d", "/etc");
        case.link("up", "..");
        case.link("in", "a/b");
        let root_path = case.at("");
        let inside = root_path.join("t");
        let beside = format!("{}x/t", root_path.to_str().unwrap().trim_end_matches('/'));
        let spelled = |path: &Path| path.to_str().expect("the ground has a plain name").to_owned();
        for (at, text, kind) in [
            ("a/b/l", "../../x", None),
            ("a/b/l", "../../../x", Some(Kind::Escape)),
            ("l", "d/x", Some(Kind::Escape)),
            ("l", "d/missing", Some(Kind::Escape)),
            ("l", "d", Some(Kind::Escape)),
            ("l", "up/canary", Some(Kind::Escape)),
            ("l", "up/root/t", Some(Kind::Escape)),
            ("l", "in/../../t", None),
            ("l", "in/../b/f", None),
            ("l", "in/../../../t", Some(Kind::Escape)),
            ("l", "/", Some(Kind::Escape)),
            ("l", "//", Some(Kind::Escape)),
            ("l", "/etc/passwd", Some(Kind::Escape)),
            ("l", &spelled(&case.canary()), Some(Kind::Escape)),
            ("l", &spelled(&inside), None),
            ("l", &spelled(&root_path.join("a/../t")), None),
            ("l", &spelled(&root_path.join("../root/t")), Some(Kind::Escape)),
            ("l", &beside, Some(Kind::Escape)),
            ("l", "missing", Some(Kind::Dangling)),
            ("l", "missing/../t", Some(Kind::Dangling)),
            ("l", "missing/../../t", Some(Kind::Escape)),
            ("l", "t/../x", Some(Kind::Dangling)),
            ("l", "t/", Some(Kind::Dangling)),
            ("l", "a/b/", None),
            ("l", "in/", None),
            ("l", "in/f", None),
            ("l", "in/f/", Some(Kind::Dangling)),
        ] {
            let edit = create(at, text);
            let kernel = case.at(at).parent().unwrap().join(text).metadata().is_ok();
            match kind {
                Some(kind) => {
                    case.refused(kind, |root| root.apply(&edit));
                    let wide = edit.clone().allow_dangling(kind != Kind::Dangling).allow_outside(kind != Kind::Escape);
                    case.refused(kind, |root| root.apply(&wide));
                }
                None => assert!(kernel, "{text}: the kernel finds it as well"),
            }
            assert!(!(kernel && kind == Some(Kind::Dangling)), "{text}: the kernel finds something");
            let free = edit.allow_dangling(true).allow_outside(true);
            let outcome = case.done(|root| root.apply(&free));
            assert_eq!(outcome.target.as_deref(), Some(text.as_ref()), "stored byte for byte");
            let _ = case.done(|root| root.remove(at));
        }
        let via = case.refused(Kind::Escape, |root| root.apply(&create("l", "d/x")));
        assert_eq!(via.via_text(), Some("/etc".as_ref()));
        assert_eq!(super::ground::component(&via), Some(("d".as_ref(), 0)));
    });
}

#[test]
fn s_13_the_same_texts_are_judged_alike_for_an_exchange() {
    on_every_backend("S-13x", |case| {
        furnish(case);
        case.link("a/b/deep", "../../x");
        case.link("flat", "x");
        // The texts are judged before the exchange, so also on a host without it.
        case.refused(Kind::Dangling, |root| root.exchange("a/b/deep", "flat"));
        case.file("a/b/x");
        case.refused(Kind::Escape, |root| root.exchange("a/b/deep", "flat"));
    });
}

#[test]
fn s_16_a_text_is_stored_byte_for_byte_and_its_limit_is_that_of_the_file_system() {
    on_every_backend("S-16", |case| {
        furnish(case);
        // XFS and ext4 with small blocks take 1023 bytes, the others 4095.
        let takes = |length: usize| std::os::unix::fs::symlink("x".repeat(length), case.at("probe")).is_ok();
        let longest = if takes(4095) { 4095 } else { 1023 };
        let _ = std::fs::remove_file(case.at("probe"));
        let dotted = |length: usize| match length % 2 {
            1 => "./".repeat(length / 2) + "t",
            _ => "./".repeat(length / 2 - 2) + ".//t",
        };
        for (length, fits) in [(longest, true), (longest - 1, true), (longest + 1, false), (4096, false), (9000, false)]
        {
            let text = dotted(length);
            assert_eq!(text.len(), length);
            if fits {
                let outcome = case.done(|root| root.apply(&create("l", &text)));
                assert_eq!(outcome.target.as_deref(), Some(text.as_ref()));
                assert_eq!(case.done(|root| root.swap("l", Target::relative("x"), &text)).effect, Effect::Replaced);
                assert_eq!(case.done(|root| root.swap("l", Target::verbatim(&text), "x")).effect, Effect::Replaced);
                let _ = case.done(|root| root.remove("l"));
            } else {
                case.refused(Kind::TooLong, |root| root.apply(&create("l", &text)));
                case.link("l", "t");
                case.refused(Kind::TooLong, |root| root.ensure("l", Target::verbatim(&text)));
                case.refused(Kind::TooLong, |root| root.swap("l", Target::verbatim(&text), "t"));
                let _ = case.done(|root| root.remove("l"));
            }
        }
        for text in [".", "..", "/", "//", "a//b/./f", " ", "./t", "a/b/.", "a/b//"] {
            let edit = create("a/n", text).allow_dangling(true).allow_outside(true);
            assert_eq!(case.done(|root| root.apply(&edit)).target.as_deref(), Some(text.as_ref()));
            let _ = case.done(|root| root.remove("a/n"));
        }
    });
}

#[test]
fn the_root_is_a_target_in_every_style() {
    on_every_backend("S-13r", |case| {
        furnish(case);
        let physical = case.at("").canonicalize().unwrap();
        for (at, target, text) in [
            ("l", Target::relative("."), Path::new(".")),
            ("a/b/l", Target::relative("."), "../..".as_ref()),
            ("l", Target::absolute("."), &physical),
            ("a/l", Target::absolute("./a//b/./f"), &physical.join("a/b/f")),
        ] {
            let outcome = case.done(|root| root.create(at, target));
            assert_eq!(outcome.target.as_deref(), Some(text.as_os_str()));
            let _ = case.done(|root| root.remove(at));
        }
    });
}
