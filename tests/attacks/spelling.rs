//! Paths that are refused by their spelling, before any call.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::sync::{Arc, Mutex};

use caplink::{Edit, Effect, Event, Kind, LinkPath, Recorder, Result, Root, Target};

use super::backend::NATIVE;
use super::ground::{Case, component, on_backends, on_every_backend};

type Verb = (&'static str, fn(&Root, &OsStr) -> Result<()>);

/// Every verb that names a link by its path.
pub(crate) const LINK_VERBS: &[Verb] = &[
    ("create", |root, path| root.create(path, Target::relative("t")).map(drop)),
    ("ensure", |root, path| root.ensure(path, Target::relative("t")).map(drop)),
    ("swap", |root, path| root.swap(path, Target::relative("t"), "old").map(drop)),
    ("exchange first", |root, path| root.exchange(path, "present").map(drop)),
    ("exchange second", |root, path| root.exchange("present", path).map(drop)),
    ("remove", |root, path| root.remove(path).map(drop)),
    ("read_link", |root, path| root.read_link(path).map(drop)),
    ("entry", |root, path| root.entry(path).map(drop)),
    ("create -p", |root, path| root.apply(&Edit::create(LinkPath::new(path)?, target()).parents(true)).map(drop)),
    ("preview", |root, path| root.preview(&Edit::ensure(LinkPath::new(path)?, target())).map(drop)),
    ("remove --missing-ok", |root, path| root.apply(&Edit::remove(LinkPath::new(path)?).missing_ok(true)).map(drop)),
    ("preview of exchange", |root, path| {
        root.preview(&Edit::exchange(LinkPath::new(path)?, LinkPath::new("present")?)).map(drop)
    }),
];

/// Every verb that only looks: it accepts the root itself and a trailing slash.
pub(crate) const LOOKING_VERBS: &[Verb] = &[
    ("inspect", |root, path| root.inspect(path).map(drop)),
    ("resolve", |root, path| root.resolve(path).map(drop)),
    ("explain", |root, path| root.explain(path).map(drop)),
    ("exists", |root, path| root.exists(path).map(drop)),
    ("lexists", |root, path| root.lexists(path).map(drop)),
    ("is_link", |root, path| root.is_link(path).map(drop)),
];

fn target() -> Target {
    Target::relative("t")
}

fn furnish(case: &Case) {
    case.dir("a");
    case.file("t");
    case.link("present", "t");
    case.link("a/present", "../t");
}

/// Every verb refuses each of the paths with this kind and names this component.
fn all_refuse(case: &Case, verbs: &[Verb], paths: &[&OsStr], kind: Kind, at: Option<(&str, usize)>) {
    for path in paths {
        for (verb, call) in verbs {
            let error = case.refused(kind, |root| call(root, path));
            let at = at.map(|(name, index)| (OsStr::new(name), index));
            assert_eq!(component(&error), at, "{verb} {path:?}: {error:?}");
        }
    }
}

fn everywhere(case: &Case, paths: &[&str], kind: Kind, at: Option<(&str, usize)>) {
    let paths: Vec<&OsStr> = paths.iter().map(OsStr::new).collect();
    all_refuse(case, LINK_VERBS, &paths, kind, at);
    all_refuse(case, LOOKING_VERBS, &paths, kind, at);
}

#[test]
fn s_01_a_leading_dotdot_is_an_escape() {
    on_every_backend("S-01", |case| {
        furnish(case);
        everywhere(case, &["../x", "./../x", "..", ".//..//canary/x", "../root/t"], Kind::Escape, Some(("..", 0)));
    });
}

#[test]
fn s_02_a_dotdot_that_climbs_above_the_root_is_an_escape() {
    on_every_backend("S-02", |case| {
        furnish(case);
        everywhere(case, &["a/../../x", "a//.././../x", "missing/../../x"], Kind::Escape, Some(("..", 2)));
        everywhere(case, &["a/b/../../../x"], Kind::Escape, Some(("..", 4)));
    });
}

#[test]
fn s_03_a_dotdot_inside_is_refused_and_never_resolved() {
    on_every_backend("S-03", |case| {
        furnish(case);
        everywhere(case, &["a/../x", "a/../present", "a/..", "missing/../x"], Kind::InvalidPath, Some(("..", 1)));
    });
}

#[test]
fn s_04_an_absolute_path_is_never_stripped_and_accepted() {
    on_every_backend("S-04", |case| {
        furnish(case);
        let real = case.at("present");
        let tripled = format!("//{}", real.display());
        let real = real.to_str().expect("the ground has a plain name");
        everywhere(case, &["/x", "//x", "/present", "/", "//", real, &tripled], Kind::Escape, Some(("/", 0)));
    });
}

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Recorder for Log {
    fn after(&self, events: &[Event<'_>]) -> Result<()> {
        let changes = events.iter().flat_map(Event::changes);
        self.0.lock().unwrap().extend(changes.map(|outcome| outcome.link.to_string()));
        Ok(())
    }
}

#[test]
fn s_05_dots_and_slashes_name_the_same_link_and_leave_one_record() {
    on_every_backend("S-05", |case| {
        furnish(case);
        let log = Arc::new(Log::default());
        let outcome = case.done(|root| root.recorded_by(log.clone()).create("./a//./x", target()));
        assert_eq!(outcome.link.as_path().as_os_str(), "a/x");
        assert_eq!(*log.0.lock().unwrap(), ["a/x"]);
        let same = case.done(|root| root.recorded_by(log.clone()).ensure("a/x", target()));
        assert_eq!((same.effect, log.0.lock().unwrap().len()), (Effect::Unchanged, 1));
        let exchanged = case.watch(|root| root.exchange("a/x", "./a/./x")).unwrap();
        assert!(exchanged.each().all(|outcome| outcome.effect == Effect::Unchanged));
    });
}

#[test]
fn s_06_a_path_that_names_a_directory_names_no_link() {
    on_every_backend("S-06", |case| {
        furnish(case);
        let paths = ["x/", "x//", "x/.", "present/", "present/.", "a/", "a/.", ".", "./", "./."];
        let paths: Vec<&OsStr> = paths.iter().map(OsStr::new).collect();
        all_refuse(case, LINK_VERBS, &paths, Kind::InvalidPath, None);
        everywhere(case, &[""], Kind::InvalidPath, None);
        for path in ["a/", "a/.", ".", "./", "./."] {
            assert!(case.watch(|root| root.inspect(path)).is_ok_and(|seen| seen.link.is_none()), "{path}");
            assert!(case.watch(|root| root.resolve(path)).is_ok(), "{path}");
        }
        case.refused(Kind::NotFound, |root| root.resolve("t/"));
        case.refused(Kind::NotFound, |root| root.resolve("x/"));
    });
}

#[test]
fn s_08_a_dotdot_with_a_slash_is_an_escape() {
    on_every_backend("S-08", |case| {
        furnish(case);
        everywhere(case, &["../", "..//", "../.", "./../"], Kind::Escape, Some(("..", 0)));
        case.refused(Kind::Escape, |root| root.subroot("../"));
        case.refused(Kind::Escape, |root| root.subroot("../canary"));
    });
}

#[test]
fn s_14_empty_texts_and_nul_bytes_are_refused_before_any_call() {
    on_every_backend("S-14", |case| {
        furnish(case);
        everywhere(case, &["x\0y", "\0", "a/x\0", "present\0.bak"], Kind::InvalidPath, None);
        for text in ["", "t\0", "\0", "t\0x"] {
            for target in [Target::relative(text), Target::absolute(text), Target::verbatim(text)] {
                case.refused(Kind::InvalidTarget, |root| root.create("new", target.clone()));
                case.refused(Kind::InvalidTarget, |root| root.ensure("present", target.clone()));
                case.refused(Kind::InvalidTarget, |root| root.swap("present", target.clone(), "t"));
            }
        }
        let error = case.refused(Kind::Mismatch, |root| root.swap("present", target(), "t\0"));
        assert_eq!(error.found().and_then(|found| found.text()), Some(OsStr::new("t")));
    });
}

#[test]
fn s_15_a_name_of_255_bytes_works_everywhere_and_256_nowhere() {
    on_every_backend("S-15", |case| {
        furnish(case);
        let (long, other) = ("x".repeat(255), "y".repeat(255));
        let (multibyte, over) = ("\u{df}".repeat(127) + "z", "x".repeat(256));
        for name in [&long, &multibyte] {
            assert_eq!(case.done(|root| root.create(name, target())).effect, Effect::Created);
            assert_eq!(case.done(|root| root.ensure(name, Target::relative("a"))).effect, Effect::Replaced);
            assert_eq!(case.done(|root| root.swap(name, target(), "a")).effect, Effect::Replaced);
            assert_eq!(case.done(|root| root.remove(name)).effect, Effect::Removed);
        }
        case.link(&long, "t");
        case.link(&other, "a");
        if case.backend.abilities.exchange {
            let _ = case.watch(|root| root.exchange(&long, &other)).unwrap();
            assert_eq!(case.text(&long).as_deref(), Some("a".as_ref()));
            case.file(&multibyte);
            let aside = Edit::ensure(LinkPath::new(&multibyte).unwrap(), target()).backup(true);
            let backup = case.done(|root| root.apply(&aside)).backup.expect("it was moved aside");
            assert!(backup.as_os_str().len() <= 255 && case.at(&backup).is_file());
        }
        everywhere(case, &[&over], Kind::TooLong, Some((&over, 0)));
        everywhere(case, &[&format!("a/{over}/x")], Kind::TooLong, Some((&over, 1)));
    });
}

#[test]
fn s_17_names_are_bytes_and_nothing_in_them_is_special() {
    on_every_backend("S-17", |case| {
        furnish(case);
        let names = ["\u{e9}", "e\u{301}", "a\\..\\x", "?", "*", "-n", "--", "C:", "a b", "...", "..x", "x.."];
        for (count, name) in names.iter().enumerate() {
            let outcome = case.done(|root| root.create(name, Target::verbatim("t")));
            assert_eq!(outcome.link.as_path().as_os_str(), OsStr::new(name));
            let made = case.names().len();
            assert_eq!(made, 4 + count + 1, "{name} is a name of its own");
        }
        for name in names {
            let _ = case.done(|root| root.remove(name));
        }
    });
}

#[test]
fn s_21_bytes_that_are_no_text_survive_the_way_there_and_back() {
    on_every_backend("S-21", |case| {
        furnish(case);
        let bytes: Vec<u8> = (1..=255).filter(|byte| *byte != b'/').collect();
        for chunk in bytes.chunks(100) {
            let name = OsStr::from_bytes(chunk);
            // A link whose text is its own name would lead to itself.
            let text = OsString::from_vec([b"gone ", chunk].concat());
            let edit = Edit::ensure(LinkPath::new(name).unwrap(), Target::verbatim(&text)).allow_dangling(true);
            assert_eq!(case.done(|root| root.apply(&edit)).effect, Effect::Created);
            assert_eq!(case.done(|root| root.apply(&edit)).effect, Effect::Unchanged);
            assert_eq!(case.watch(|root| root.read_link(name)).unwrap(), text);
            assert_eq!(case.watch(|root| root.inspect(name)).unwrap().path.as_os_str(), name);
        }
        let forged = OsString::from("t\n2026-01-01 replaced current\u{1b}[2J");
        let _ =
            case.done(|root| root.apply(&Edit::create(path("log"), Target::verbatim(&forged)).allow_dangling(true)));
        assert_eq!(case.watch(|root| root.read_link("log")).unwrap(), forged);
        let error = case.refused(Kind::Mismatch, |root| root.swap("log", target(), "x\ny"));
        let shown = error.to_string();
        assert!(!shown.contains(['\n', '\u{1b}']), "{shown:?}");
    });
}

fn path(text: &str) -> LinkPath {
    LinkPath::new(text).expect("a plain path")
}

#[test]
fn every_refusal_names_the_verb_and_the_link() {
    on_backends("L-10", NATIVE, |case| {
        furnish(case);
        let verbs = LINK_VERBS.iter().filter(|(verb, _)| ["create", "ensure", "swap", "remove"].contains(verb));
        for (verb, call) in verbs {
            let error = case.watch(|root| call(root, OsStr::new("../x"))).unwrap_err();
            assert_eq!((error.operation(), error.link()), (*verb, Some("../x".as_ref())));
        }
    });
}
