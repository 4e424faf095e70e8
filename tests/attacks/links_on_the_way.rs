//! Links as parents, and names that end in a slash.

use std::ffi::OsStr;

use caplink::{Edit, Effect, Error, Kind, LinkPath, Policy, Result, Root, Status, Target};

use super::ground::{Case, component, on_every_backend};
use super::spelling::{LINK_VERBS, LOOKING_VERBS};

fn following() -> Policy {
    Policy::default().follow(true)
}

/// Runs every verb that names a link, without those that compare first.
fn refused_by_every_verb(case: &Case, policy: Policy, path: &str, kinds: &[Kind], check: impl Fn(&str, &Error)) {
    for (verb, call) in LINK_VERBS {
        let failed = |root: &Root| -> Result<()> { call(root, OsStr::new(path)) };
        let error = case.watch_as(policy, failed).expect_err(verb);
        assert!(kinds.contains(&error.kind()), "{}: {verb} {path}: {error:?}", case.backend.name);
        check(verb, &error);
    }
}

fn furnish(case: &Case) {
    case.dir("real");
    case.file("t");
    case.file("real/x");
    case.link("present", "t");
    case.link("real/present", "../t");
}

#[test]
fn s_07_a_slash_after_a_link_never_leads_through_it() {
    on_every_backend("S-07", |case| {
        furnish(case);
        case.link("l", case.canary());
        case.link("l2", "../canary/");
        case.link("l3", "../canary/x");
        case.link("inner", "real/");
        for link in ["l", "l2", "l3", "inner"] {
            for slash in ["/", "//", "/."] {
                let path = format!("{link}{slash}");
                refused_by_every_verb(case, Policy::default(), &path, &[Kind::InvalidPath], |_, _| {});
                refused_by_every_verb(case, following(), &path, &[Kind::InvalidPath], |_, _| {});
                case.refused(Kind::InvalidPath, |root| root.inspect(&path));
                if link != "inner" {
                    case.refused(Kind::Escape, |root| root.resolve(&path));
                }
            }
        }
        assert_eq!(case.watch(|root| root.resolve("inner/")).unwrap().path, std::path::Path::new("real"));
        for link in ["l", "l2", "l3"] {
            case.refused(Kind::Escape, |root| root.resolve(link));
            let seen = case.watch(|root| root.inspect(link)).unwrap().link.expect("it is a link");
            assert_eq!((seen.status, seen.resolved), (Status::Escape, None));
            // The link itself may be replaced and removed; what it leads to is not looked at.
            let _ = case.done(|root| root.ensure(link, Target::relative("t")));
            let _ = case.done(|root| root.remove(link));
        }
    });
}

#[test]
fn s_09_a_parent_that_leads_out_is_refused_and_named() {
    on_every_backend("S-09", |case| {
        furnish(case);
        case.link("d", "../canary");
        let absolute = case.canary();
        case.link("real/e", &absolute);
        case.link("way", "real/e");
        let absolute = absolute.to_str().expect("the ground has a plain name");
        for (path, name, index, via, last) in [
            ("d/x", "d", 0, "../canary", "../canary"),
            ("d/new", "d", 0, "../canary", "../canary"),
            ("d/sub/x", "d", 0, "../canary", "../canary"),
            ("real/e/x", "e", 1, absolute, absolute),
            ("way/current", "way", 0, "real/e", absolute),
        ] {
            let kinds = [Kind::SymlinkInPath];
            refused_by_every_verb(case, Policy::default(), path, &kinds, |verb, error| {
                assert_eq!(component(error), Some((OsStr::new(name), index)), "{verb} {path}");
                assert_eq!(error.via_text(), Some(OsStr::new(via)), "{verb} {path}");
            });
            refused_by_every_verb(case, following(), path, &[Kind::Escape], |verb, error| {
                assert_eq!(component(error), Some((OsStr::new(name), index)), "{verb} {path}");
                assert_eq!(error.via_text(), Some(OsStr::new(last)), "{verb} {path}");
            });
            for (verb, call) in LOOKING_VERBS {
                let walked = ["resolve", "explain", "exists"].contains(verb);
                let kind = if walked { Kind::Escape } else { Kind::SymlinkInPath };
                match case.watch(|root| call(root, OsStr::new(path))) {
                    Err(error) => assert_eq!(error.kind(), kind, "{verb} {path}: {error:?}"),
                    Ok(()) => assert_eq!(*verb, "explain", "{path}"),
                }
            }
            let explained = case.watch(|root| root.explain(path)).unwrap();
            assert_eq!(explained.end.unwrap_err().kind(), Kind::Escape);
        }
        case.refused(Kind::SymlinkInPath, |root| root.subroot("d"));
        case.refused_as(following(), Kind::Escape, |root| root.subroot("d"));
    });
}

#[test]
fn s_10_a_parent_that_is_a_link_inside_is_followed_only_when_asked() {
    on_every_backend("S-10", |case| {
        furnish(case);
        case.link("d", "real");
        case.link("dd", "./d/");
        for (path, via) in [("d/new", "real"), ("dd/new", "./d/")] {
            let parent = path.split_once('/').expect("a parent").0;
            refused_by_every_verb(case, Policy::default(), path, &[Kind::SymlinkInPath], |verb, error| {
                assert_eq!(component(error), Some((OsStr::new(parent), 0)), "{verb}");
                assert_eq!(error.via_text(), Some(OsStr::new(via)), "{verb}");
            });
            let made = case.done_as(following(), |root| root.create(path, Target::relative("t")));
            assert_eq!((made.link.as_path(), made.physical.as_deref()), (path.as_ref(), Some("real/new".as_ref())));
            assert_eq!(case.text("real/new").as_deref(), Some("../t".as_ref()), "relative to the physical directory");
            let swapped = case.done_as(following(), |root| root.swap(path, Target::relative("real/x"), "../t"));
            assert_eq!((swapped.effect, swapped.target.as_deref()), (Effect::Replaced, Some("x".as_ref())));
            let _ = case.done_as(following(), |root| root.remove(path));
            let deeper = Edit::create(LinkPath::new(path).unwrap(), Target::relative("t"));
            let _ = case.done_as(following(), |root| root.apply(&deeper.parents(true)));
            let _ = case.done_as(following(), |root| root.remove(path));
        }
        case.link("loop", "loop");
        case.link("gone", "missing");
        case.link("plain", "t");
        for (path, kind) in [("loop/x", Kind::Loop), ("gone/x", Kind::NotFound), ("plain/x", Kind::NotFound)] {
            for policy in [Policy::default(), following()] {
                let kind = if policy == following() { kind } else { Kind::SymlinkInPath };
                let error = case.refused_as(policy, kind, |root| root.create(path, Target::relative("t")));
                assert_eq!(component(&error).map(|(_, index)| index), Some(0), "{path}: {error:?}");
            }
        }
    });
}

#[test]
fn new_parents_are_never_made_through_a_link() {
    on_every_backend("S-10p", |case| {
        furnish(case);
        case.link("d", "real");
        case.link("out", "../canary");
        case.link("gone", "missing");
        let made = |path: &str| Edit::create(LinkPath::new(path).unwrap(), Target::relative("t")).parents(true);
        for path in ["d/n/l", "out/n/l", "gone/n/l", "gone/l"] {
            case.refused(Kind::SymlinkInPath, |root| root.apply(&made(path)));
        }
        case.refused_as(following(), Kind::Escape, |root| root.apply(&made("out/n/l")));
        case.refused_as(following(), Kind::NotFound, |root| root.apply(&made("gone/l")));
        case.refused(Kind::NotFound, |root| root.apply(&made("t/n/l")));
        let outcome = case.done_as(following(), |root| root.apply(&made("d/n/m/l")));
        assert_eq!(outcome.made, [std::path::Path::new("real/n"), "real/n/m".as_ref()]);
        assert_eq!(case.text("real/n/m/l").as_deref(), Some("../../../t".as_ref()));
    });
}
