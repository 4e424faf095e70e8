//! Names of entries that are no symbolic links.

use std::os::unix::net::UnixListener;
use std::path::Path;

use caplink::{Edit, Effect, FileKind, Found, Kind, LinkPath, Status, Target};
use rustix::fs::{FileType, Mode, mknodat};

use super::backend::skipped;
use super::ground::{Case, inode, on_every_backend};
use super::support::file_systems::is_root;

/// One entry of every kind, by its name.
const KINDS: &[(&str, FileKind)] = &[
    ("file", FileKind::File),
    ("empty", FileKind::Dir),
    ("full", FileKind::Dir),
    ("fifo", FileKind::Fifo),
    ("socket", FileKind::Socket),
    ("null", FileKind::CharDevice),
    ("watchdog", FileKind::CharDevice),
    ("disk", FileKind::BlockDevice),
];

/// Makes one entry of every kind that this user may make, and returns those.
fn every_kind(case: &Case) -> Vec<(&'static str, FileKind)> {
    case.file("file");
    case.dir("empty");
    case.dir("full/sub");
    case.file("full/inner");
    case.file("t");
    case.link("present", "t");
    let node = |name: &str, kind, major, minor| {
        let mode = Mode::from_raw_mode(0o600);
        mknodat(rustix::fs::CWD, case.at(name), kind, mode, rustix::fs::makedev(major, minor))
    };
    node("fifo", FileType::Fifo, 0, 0).unwrap();
    UnixListener::bind(case.at("socket")).unwrap();
    if is_root() {
        node("null", FileType::CharacterDevice, 1, 3).unwrap();
        // A device without a driver: opening it fails or has a side effect, `stat` has none.
        node("watchdog", FileType::CharacterDevice, 10, 130).unwrap();
        node("disk", FileType::BlockDevice, 7, 255).unwrap();
    }
    KINDS.iter().copied().filter(|(name, _)| case.at(name).symlink_metadata().is_ok()).collect()
}

fn path(text: &str) -> LinkPath {
    LinkPath::new(text).expect("a plain path")
}

#[test]
fn o_01_what_is_no_link_is_never_replaced_or_removed() {
    if !is_root() {
        skipped("O-01", "devices: only root makes them");
    }
    on_every_backend("O-01", |case| {
        for (name, kind) in every_kind(case) {
            let found = Some(&Found::Other(kind));
            let t = || Target::relative("t");
            case.refused(Kind::Exists, |root| root.create(name, t()));
            case.refused(Kind::Exists, |root| root.create(name, Target::relative("gone")));
            for error in [
                case.refused(Kind::NotALink, |root| root.ensure(name, t())),
                case.refused(Kind::NotALink, |root| root.swap(name, t(), "t")),
                case.refused(Kind::NotALink, |root| root.remove(name)),
                case.refused(Kind::NotALink, |root| root.apply(&Edit::remove(path(name)).missing_ok(true))),
                case.refused(Kind::NotALink, |root| root.apply(&Edit::remove(path(name)).expect("t"))),
                case.refused(Kind::NotALink, |root| root.read_link(name)),
                case.refused(Kind::NotALink, |root| root.exchange(name, "present")),
                case.refused(Kind::NotALink, |root| root.exchange("present", name)),
                case.refused(Kind::NotALink, |root| root.preview(&Edit::ensure(path(name), t()))),
            ] {
                assert_eq!(error.found(), found, "{name}: {error:?}");
            }
        }
    });
}

#[test]
fn o_01_a_backup_renames_files_and_directories_and_nothing_else() {
    on_every_backend("O-01b", |case| {
        for (name, kind) in every_kind(case) {
            let edit = Edit::ensure(path(name), Target::relative("t")).backup(true);
            let before = inode(case.at(name));
            let movable = matches!(kind, FileKind::File | FileKind::Dir);
            if !movable {
                case.refused(Kind::NotALink, |root| root.apply(&edit));
            } else if !case.backend.abilities.exchange {
                case.refused(Kind::Unsupported, |root| root.apply(&edit));
                case.refused(Kind::Unsupported, |root| root.preview(&edit));
            } else {
                let expected = case.watch(|root| root.preview(&edit)).unwrap();
                let outcome = case.done(|root| root.apply(&edit));
                let backup = outcome.backup.expect("it was renamed");
                assert_eq!((outcome.effect, expected.backup), (Effect::Created, Some(backup.clone())));
                assert_eq!(inode(case.at(&backup)), before, "{name} is the same object under {backup:?}");
                assert_eq!(case.text(name).as_deref(), Some(Path::new("t")));
                let _ = case.done(|root| root.remove(name));
                case.file(name);
                let second = case.done(|root| root.apply(&edit)).backup.expect("it was renamed");
                assert_ne!(second, backup, "the first backup is not replaced");
            }
        }
    });
}

#[test]
fn o_02_looking_opens_nothing_that_blocks_or_has_side_effects() {
    on_every_backend("O-02", |case| {
        for (name, kind) in every_kind(case) {
            // Opening a fifo without a writer blocks: the bound of every operation is the check.
            assert_eq!(case.watch(|root| root.inspect(name)).unwrap().kind, Some(kind));
            assert_eq!(case.watch(|root| root.resolve(name)).unwrap().kind, kind);
            assert!(case.watch(|root| root.exists(name)).unwrap());
            let link = format!("to-{name}");
            let outcome = case.done(|root| root.create(&link, Target::relative(name)));
            assert_eq!(outcome.effect, Effect::Created);
            let seen = case.watch(|root| root.inspect(&link)).unwrap().link.unwrap();
            assert_eq!((seen.status, seen.resolved_kind), (Status::Ok, Some(kind)));
            let through = case.watch(|root| root.inspect(format!("{name}/x"))).unwrap();
            assert_eq!(through.kind, None, "nothing is below {name}");
        }
    });
}

#[test]
fn o_03_not_a_link_and_not_found_differ() {
    on_every_backend("O-03", |case| {
        case.dir("d");
        case.file("file");
        case.link("broken", "missing");
        let error = case.refused(Kind::NotALink, |root| root.read_link("file"));
        assert_eq!(error.found(), Some(&Found::Other(FileKind::File)));
        case.refused(Kind::NotALink, |root| root.read_link("d"));
        let error = case.refused(Kind::NotFound, |root| root.read_link("missing"));
        assert_eq!(error.found(), Some(&Found::Missing));
        for gone in ["missing/x", "file/x", "d/missing/x"] {
            let error = case.refused(Kind::NotFound, |root| root.read_link(gone));
            assert!(error.component().is_some(), "{gone}: {error:?}");
            assert_eq!(case.watch(|root| root.inspect(gone)).unwrap().kind, None);
            case.refused(Kind::NotFound, |root| root.swap(gone, Target::relative("file"), "x"));
            case.refused(Kind::NotFound, |root| root.create(gone, Target::relative("file")));
            let absent = Edit::remove(path(gone)).missing_ok(true);
            assert_eq!(case.done(|root| root.apply(&absent)).effect, Effect::Unchanged);
        }
        let seen = case.watch(|root| root.inspect("broken")).unwrap();
        assert_eq!(seen.link.map(|link| link.status), Some(Status::Dangling));
        case.refused(Kind::NotFound, |root| root.resolve("broken"));
        // Its own text again: nothing is written, whatever it leads to.
        assert_eq!(case.done(|root| root.ensure("broken", Target::verbatim("missing"))).effect, Effect::Unchanged);
        case.refused(Kind::Dangling, |root| root.ensure("broken", Target::verbatim("other")));
        case.refused(Kind::Exists, |root| root.create("broken", Target::verbatim("missing")));
    });
}

#[test]
fn o_05_of_a_link_with_two_names_only_one_is_replaced() {
    on_every_backend("O-05", |case| {
        case.dir("d");
        for name in ["t", "u"] {
            case.file(name);
        }
        case.link("one", "t");
        std::fs::hard_link(case.at("one"), case.at("two")).unwrap();
        std::fs::hard_link(case.at("one"), case.at("three")).unwrap();
        let shared = inode(case.at("two"));
        let outcome = case.done_names(&["two", "three"], |root| root.ensure("one", Target::relative("u")));
        assert_eq!(outcome.previous.as_deref(), Some("t".as_ref()));
        assert_eq!((inode(case.at("two")), inode(case.at("three"))), (shared, shared));
        let _ = case.done_names(&["two"], |root| root.remove("three"));
        assert_eq!(inode(case.at("two")), shared);
        // Exchanging two names of one link changes nothing.
        std::fs::hard_link(case.at("two"), case.at("d/again")).unwrap();
        let exchanged = case.watch(|root| root.exchange("two", "d/again")).unwrap();
        assert!(exchanged.each().all(|outcome| outcome.effect == Effect::Unchanged));
        assert_eq!(case.text("d/again").as_deref(), Some(Path::new("t")));
    });
}

#[test]
fn a_parent_that_is_not_a_directory_is_not_found_and_named() {
    on_every_backend("O-03p", |case| {
        for (name, _) in every_kind(case).into_iter().filter(|(_, kind)| *kind != FileKind::Dir) {
            let below = format!("{name}/x");
            for parents in [false, true] {
                let edit = Edit::create(path(&below), Target::relative("t")).parents(parents);
                let error = case.refused(Kind::NotFound, |root| root.apply(&edit));
                assert_eq!(super::ground::component(&error), Some((name.as_ref(), 0)), "{error:?}");
            }
            let swap = Edit::swap(path(&below), Target::relative("t"), "old");
            let error = case.refused(Kind::NotFound, |root| root.apply(&swap));
            assert_eq!(super::ground::component(&error), Some((name.as_ref(), 0)), "{error:?}");
        }
    });
}
