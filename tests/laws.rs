//! The ten laws, each by its name. Each test fails when the guard that holds its law is taken out of the library.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use caplink::{Abilities, Change, Edit, Error, Exchange, Kind, LinkPath, Outcome, Policy, Result, Root, Target};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use tempfile::TempDir;

#[path = "attacks/snapshot.rs"]
mod snapshot;

use snapshot::{leftovers, tree, without_directory_times};

/// Exchange and no-replace, or neither.
const ABILITIES: [Abilities; 3] = [
    Abilities::ALL,
    Abilities { confined_open: false, ..Abilities::ALL },
    Abilities { confined_open: false, exchange: false, no_replace: false },
];

/// A root with files, directories and links, and a canary beside it.
struct Ground(TempDir);

impl Ground {
    fn new() -> Ground {
        let ground = Ground(tempfile::tempdir().unwrap());
        for dir in ["root/d/e", "root/releases", "canary"] {
            fs::create_dir_all(ground.at(dir)).unwrap();
        }
        for file in ["root/t", "root/u", "root/d/f", "root/releases/1", "root/releases/2", "canary/x"] {
            fs::write(ground.at(file), file).unwrap();
        }
        for (text, link) in [("../t", "root/d/l"), ("../u", "root/d/m"), ("t", "root/l"), ("../canary", "root/out")] {
            symlink(text, ground.at(link)).unwrap();
        }
        rustix::fs::mknodat(CWD, ground.at("root/fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        ground
    }

    fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(path)
    }

    fn open(&self, abilities: Abilities) -> Root {
        let authority = cap_std::ambient_authority();
        Root::open_ambient(self.at("root"), Policy::default(), authority).unwrap().with_abilities(abilities)
    }

    fn tree(&self) -> snapshot::Tree {
        without_directory_times(tree(&self.at("root")))
    }
}

/// Past the capture of the test harness, so that it is always seen.
fn told_aloud(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

fn path(text: &str) -> LinkPath {
    LinkPath::new(text).unwrap()
}

fn exchange(a: &Path, b: &Path) {
    renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).unwrap();
}

/// Ends an attack, also where the work panics.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `attack` again and again beside `work`, and returns how often.
fn beside(mut attack: impl FnMut() + Send, work: impl FnOnce()) -> u64 {
    let (done, count) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                attack();
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        let _ends = Ends(&done);
        work();
    });
    count.into_inner()
}

/// Every edit on this name, whatever it comes to.
fn every_edit(root: &Root, name: &str) -> Vec<Result<Outcome>> {
    let to = || Target::relative("releases/1");
    vec![
        root.create(name, to()),
        root.ensure(name, to()),
        root.swap(name, to(), "t"),
        root.remove(name),
        root.apply(&Edit::ensure(path(name), Target::relative("gone")).allow_dangling(true)),
        root.apply(&Edit::remove(path(name)).missing_ok(true).expect("x")),
        root.exchange(name, "d/l").map(|[first, _]| first),
        root.exchange("d/l", name).map(|[first, _]| first),
    ]
}

#[test]
fn law_1_only_links_are_replaced_or_removed() {
    for abilities in ABILITIES {
        let ground = Ground::new();
        let root = ground.open(abilities);
        let before = ground.tree();
        for name in ["t", "d", "d/e", "fifo", "releases"] {
            for result in every_edit(&root, name) {
                let kind = result.unwrap_err().kind();
                assert!([Kind::Exists, Kind::NotALink].contains(&kind), "{name}: {kind}");
            }
        }
        assert_eq!(ground.tree(), before);
    }
    // Also where a link turns into a file while it is replaced or removed: the very file stays, with what is in it.
    let ground = Ground::new();
    let root = ground.open(Abilities::ALL);
    let (name, side) = (ground.at("root/name"), ground.at("root/side"));
    fs::write(&side, "precious").unwrap();
    let attack = || {
        let _ = renameat_with(CWD, &name, CWD, &side, RenameFlags::EXCHANGE);
    };
    beside(attack, || {
        for round in 0..3000 {
            let target = Target::relative(["t", "u"][round % 2]);
            let _ = if round % 3 == 2 { root.remove("name") } else { root.ensure("name", target) };
        }
    });
    let precious = tree(&ground.at("root")).into_values().filter(|node| node.content.as_deref() == Some(b"precious"));
    assert_eq!(precious.count(), 1);
}

#[test]
fn law_2_nothing_outside_the_root_is_touched() {
    for abilities in ABILITIES {
        let ground = Ground::new();
        let root = ground.open(abilities);
        symlink("../../canary", ground.at("root/d/up")).unwrap();
        symlink(ground.at("canary"), ground.at("root/absolute")).unwrap();
        let before = (tree(&ground.at("canary")), ground.tree());
        for way in ["out/x", "out/new", "d/up/x", "absolute/x", "../canary/x", "d/../../canary/x", "/etc/x", "out/"] {
            for followed in [false, true] {
                let root = ground.open(abilities);
                let root = if followed { following(&ground, abilities) } else { root };
                let Ok(path) = LinkPath::new(way) else { continue };
                for result in every_edit(&root, path.as_path().to_str().unwrap()) {
                    assert!(result.is_err(), "{way}: {result:?}");
                }
                assert!(root.read_link(way).is_err() && root.resolve(way).is_err() && root.subroot(way).is_err());
            }
        }
        assert_eq!((tree(&ground.at("canary")), ground.tree()), before);
        // A directory that was opened and then moved outside takes nothing with it.
        let entries = ["d/new", "d/l", "d/m"].map(|name| root.entry(name).unwrap());
        fs::rename(ground.at("root/d"), ground.at("outside")).unwrap();
        let outside = without_directory_times(tree(&ground.at("outside")));
        let edits = [
            Edit::create(path("d/new"), Target::relative("t")),
            Edit::ensure(path("d/l"), Target::relative("u")),
            Edit::remove(path("d/m")),
        ];
        for (entry, edit) in entries.iter().zip(&edits) {
            assert_eq!(entry.apply(edit).unwrap_err().kind(), Kind::ParentMoved, "{edit:?}");
        }
        assert_eq!(without_directory_times(tree(&ground.at("outside"))), outside, "{abilities:?}");
    }
}

fn following(ground: &Ground, abilities: Abilities) -> Root {
    let policy = Policy::default().follow(true);
    let root = Root::open_ambient(ground.at("root"), policy, cap_std::ambient_authority()).unwrap();
    root.with_abilities(abilities)
}

#[test]
fn law_3_a_replaced_name_is_never_absent() {
    // Both ways of the library, and how it is done elsewhere: the check must find the gap there.
    let ways: [(&str, Option<Abilities>); 3] =
        [("exchange", Some(ABILITIES[0])), ("rename", Some(ABILITIES[2])), ("unlink and symlink", None)];
    for (way, abilities) in ways {
        let ground = Ground::new();
        let name = ground.at("root/current");
        symlink("releases/1", &name).unwrap();
        let root = ground.open(abilities.unwrap_or(Abilities::ALL));
        let (mut absent, mut looks) = (0_u64, 0);
        for _ in 0..50 {
            let look = || match fs::read_link(&name) {
                Ok(text) => assert!(text.starts_with("releases")),
                Err(error) if error.kind() == io::ErrorKind::NotFound => absent += 1,
                Err(error) => panic!("{error}"),
            };
            looks += beside(look, || {
                for round in 0..2000 {
                    let target = format!("releases/{}", 2 - round % 2);
                    if abilities.is_some() {
                        let outcome = root.ensure("current", Target::relative(target)).unwrap();
                        assert_eq!(outcome.change, Change::Replaced);
                    } else {
                        fs::remove_file(&name).unwrap();
                        symlink(target, &name).unwrap();
                    }
                }
            });
            // On a busy machine the gap may not be seen at once.
            if abilities.is_some() || absent > 0 {
                break;
            }
        }
        told_aloud(&format!("law 3, {way}: {looks} looks, absent in {absent}"));
        assert_eq!(absent > 0, abilities.is_none(), "{way}");
    }
}

#[test]
fn law_4_a_mismatch_changes_nothing() {
    for abilities in ABILITIES {
        let ground = Ground::new();
        let root = ground.open(abilities);
        let before = tree(&ground.at("root"));
        for old in ["u", "./t", "t/", "T", "", "t\0"] {
            let lost = root.swap("l", Target::relative("u"), old).unwrap_err();
            assert_eq!(
                (lost.kind(), lost.found().and_then(|found| found.text())),
                (Kind::Mismatch, Some("t".as_ref()))
            );
            let lost = root.apply(&Edit::remove(path("l")).expect(old)).unwrap_err();
            assert_eq!(lost.kind(), Kind::Mismatch);
        }
        assert_eq!(tree(&ground.at("root")), before, "not even the times of the directory");
    }
    // Also where the link turns into another one after it was looked at: the very link of the others stays.
    let ground = Ground::new();
    let root = ground.open(Abilities::ALL);
    let (name, side) = (ground.at("root/name"), ground.at("root/side"));
    symlink("theirs", &side).unwrap();
    let theirs = tree(&ground.at("root"))[Path::new("side")].id;
    let (mut won, mut lost) = (0, 0);
    for _ in 0..1500 {
        let _ = fs::remove_file(if text(&name) == "theirs" { &side } else { &name });
        symlink("expected", if text(&name) == "theirs" { &side } else { &name }).unwrap();
        let mut report = None;
        beside(|| exchange(&name, &side), || report = Some(root.swap("name", Target::relative("t"), "expected")));
        match report.unwrap() {
            Ok(outcome) => {
                won += 1;
                assert_eq!(outcome.previous.as_deref(), Some("expected".as_ref()));
            }
            Err(error) => {
                lost += 1;
                assert!([Kind::Mismatch, Kind::Contended].contains(&error.kind()), "{error:?}");
                // What was kept goes where theirs is not.
                put_preserved_back(&ground, &error, if text(&name) == "theirs" { &side } else { &name });
            }
        }
        let after = tree(&ground.at("root"));
        assert!(after.values().any(|node| node.id == theirs), "the link of others is gone: {:?}", after.keys());
        assert!(leftovers(&after).is_empty(), "{:?}", leftovers(&after));
    }
    told_aloud(&format!("law 4: {won} swaps, {lost} refused"));
    assert!(won > 0 && lost > 0);
}

fn text(path: &Path) -> String {
    fs::read_link(path).map(|text| text.display().to_string()).unwrap_or_default()
}

/// What was kept is under the name that was reported. For the next round it goes back.
fn put_preserved_back(ground: &Ground, error: &Error, name: &Path) {
    for kept in error.preserved() {
        let kept = ground.at("root").join(kept);
        assert!(kept.symlink_metadata().is_ok(), "what was reported is there: {error:?}");
        fs::rename(kept, name).unwrap();
    }
}

#[test]
fn law_5_a_success_is_true() {
    for abilities in ABILITIES {
        let ground = Ground::new();
        let root = ground.open(abilities);
        let steps: [fn(&Root) -> Result<Outcome>; 4] = [
            |root| root.create("d/new", Target::relative("t")),
            |root| root.ensure("d/new", Target::relative("u")),
            |root| root.swap("d/new", Target::relative("d/f"), "../u"),
            |root| root.ensure("d/new", Target::relative("d/f")),
        ];
        for step in steps {
            let outcome = step(&root).unwrap();
            assert!(outcome.verified);
            assert_eq!(fs::read_link(ground.at("root/d/new")).unwrap().into_os_string(), outcome.target.unwrap());
        }
        // Another directory has the place of the one that was opened: what is done there is no success.
        let entry = root.entry("d/l").unwrap();
        let (old, new) = (ground.at("root/d"), ground.at("root/other"));
        fs::create_dir(&new).unwrap();
        symlink("../u", new.join("l")).unwrap();
        exchange(&old, &new);
        let before = ground.tree();
        for edit in [
            Edit::ensure(path("d/l"), Target::relative("d")),
            Edit::ensure(path("d/l"), Target::relative("t")),
            Edit::remove(path("d/l")),
        ] {
            assert_eq!(entry.apply(&edit).unwrap_err().kind(), Kind::ParentMoved, "{abilities:?}: {edit:?}");
        }
        assert_eq!(ground.tree(), before);
        // It is back: the same entry serves again.
        exchange(&old, &new);
        assert!(entry.apply(&Edit::ensure(path("d/l"), Target::relative("u"))).unwrap().verified);
    }
}

#[test]
fn law_6_what_is_displaced_and_not_ours_is_kept_and_named() {
    let ground = Ground::new();
    let root = ground.open(Abilities::ALL);
    let (name, side) = (ground.at("root/name"), ground.at("root/side"));
    let (mut kept, mut refused, mut done) = (0, 0, 0);
    fs::write(&side, "of others").unwrap();
    for round in 0..2000 {
        if name.symlink_metadata().is_err() {
            symlink("t", &name).unwrap();
        }
        let attack = || {
            let _ = renameat_with(CWD, &name, CWD, &side, RenameFlags::EXCHANGE);
        };
        let mut report = None;
        beside(attack, || {
            let target = Target::relative(["u", "t"][round % 2]);
            report = Some(if round % 3 == 2 { root.remove("name") } else { root.ensure("name", target) });
        });
        let there = ground.tree();
        let of_others = there.values().filter(|node| node.content.as_deref() == Some(b"of others")).count();
        assert_eq!(of_others, 1, "{report:?}");
        match report.unwrap() {
            Ok(outcome) => {
                done += 1;
                assert!(outcome.shortfalls.is_empty(), "{outcome:?}");
                assert!(leftovers(&there).is_empty(), "{:?}: {outcome:?}", leftovers(&there));
            }
            Err(error) => {
                refused += 1;
                let kinds = [Kind::NotALink, Kind::NotFound, Kind::Contended];
                assert!(kinds.contains(&error.kind()) && error.left().is_empty(), "{error:?}");
                assert_eq!(leftovers(&there), error.preserved(), "{error:?}");
                kept += error.preserved().len();
                put_preserved_back(&ground, &error, if name.symlink_metadata().is_err() { &name } else { &side });
            }
        }
        if side.symlink_metadata().is_err() {
            symlink("t", &side).unwrap();
        }
    }
    told_aloud(&format!("law 6: {done} done, {refused} refused, {kept} entries kept and named"));
    assert!(refused > 0 && done > 0);
}

#[test]
fn law_7_ensure_twice_is_ensure_once() {
    for abilities in ABILITIES {
        let ground = Ground::new();
        let root = ground.open(abilities);
        for (name, target) in
            [("l", Target::relative("u")), ("d/n", Target::verbatim("../t")), ("d/n", Target::absolute("t"))]
        {
            assert!(root.ensure(name, target.clone()).unwrap().change.is_change());
            let before = (tree(&ground.at("root")), fs::metadata(ground.at("root/d")).unwrap());
            let again = root.ensure(name, target).unwrap();
            assert_eq!(again.change, Change::Unchanged);
            // The times of the directories as well.
            assert_eq!(tree(&ground.at("root")), before.0);
            let status = |meta: &fs::Metadata| {
                use std::os::unix::fs::MetadataExt as _;
                (meta.ctime(), meta.ctime_nsec())
            };
            assert_eq!(status(&fs::metadata(ground.at("root/d")).unwrap()), status(&before.1));
        }
    }
}

#[test]
fn law_8_planning_is_pure() {
    let names = ["new", "d/new", "n/m/new", "l", "d/l", "t", "d", "missing/x", "out/x", "fifo"];
    let to = |text: &str| Target::relative(text);
    for abilities in ABILITIES {
        for name in names {
            let edits = [
                Edit::create(path(name), to("t")),
                Edit::create(path(name), to("gone")),
                Edit::create(path(name), to("u")).parents(true),
                Edit::ensure(path(name), to("u")),
                Edit::ensure(path(name), to("u")).backup(true),
                Edit::swap(path(name), to("u"), "t"),
                Edit::swap(path(name), Target::verbatim("/etc"), "t"),
                Edit::remove(path(name)),
                Edit::remove(path(name)).missing_ok(true).expect("t"),
            ];
            for edit in edits {
                let ground = Ground::new();
                let root = ground.open(abilities);
                let before = tree(&ground.at("root"));
                let (first, second) = (told(root.preview(&edit)), told(root.preview(&edit)));
                assert_eq!(first, second, "{edit:?}");
                assert_eq!(tree(&ground.at("root")), before, "{edit:?}");
                assert_eq!(told(root.apply(&edit)), first, "{abilities:?}: {edit:?}");
            }
            let ground = Ground::new();
            let root = ground.open(abilities);
            let trade = Exchange::new(path(name), path("d/m")).allow_dangling(true);
            let before = tree(&ground.at("root"));
            let first = root.preview_exchange(&trade).map(|both| both.map(|one| told(Ok(one))));
            assert_eq!(tree(&ground.at("root")), before);
            let real = root.apply_exchange(&trade).map(|both| both.map(|one| told(Ok(one))));
            assert_eq!(first.map_err(|error| error.to_string()), real.map_err(|error| error.to_string()), "{trade:?}");
        }
    }
}

/// What a caller is told, but for whether it was a dry run.
fn told(result: Result<Outcome>) -> String {
    match result {
        Ok(mut outcome) => {
            outcome.dry_run = false;
            format!("{outcome:?}")
        }
        Err(error) => format!("{:?} {error}", error.kind()),
    }
}

#[test]
fn law_9_every_walk_is_bounded() {
    const BOUND: Duration = Duration::from_secs(30);
    // What does not end is not waited for.
    let (done, ended) = mpsc::channel();
    let walks = thread::spawn(move || {
        walk_everything();
        let _ = done.send(());
    });
    let in_time = ended.recv_timeout(BOUND) != Err(mpsc::RecvTimeoutError::Timeout);
    assert!(in_time, "a walk has no end");
    walks.join().unwrap();
}

fn walk_everything() {
    let ground = Ground::new();
    // Each link goes to the one before it many times over: without a bound that is 40 levels of hundreds.
    symlink("d", ground.at("root/b0")).unwrap();
    for level in 1..45 {
        let back = format!("b{}/../", level - 1).repeat(300) + &format!("b{}", level - 1);
        symlink(back, ground.at(format!("root/b{level}"))).unwrap();
    }
    // The longest texts that go in and out of a directory, one after the other.
    symlink("t", ground.at("root/w0")).unwrap();
    for level in 1..40 {
        let winding = "d/e/../../".repeat(400) + &format!("w{}", level - 1);
        symlink(winding, ground.at(format!("root/w{level}"))).unwrap();
    }
    symlink("loop", ground.at("root/loop")).unwrap();
    symlink("grows/x", ground.at("root/grows")).unwrap();
    for abilities in ABILITIES {
        let root = ground.open(abilities);
        for link in ["b44", "b2", "b1", "w39", "w3", "loop", "grows"] {
            let begun = Instant::now();
            let _ = root.resolve(link);
            let _ = root.inspect(link).unwrap();
            let _ = root.explain(link).unwrap();
            let _ = root.create("new", Target::relative(link));
            let _ = root.remove("new");
            let took = begun.elapsed();
            // Two seconds for each of five operations.
            assert!(took < Duration::from_secs(10), "{abilities:?}: {link}: {took:?}");
        }
    }
}

/// What an operation came to, and the kind and the component that are owed.
type Failure<'a> = (Result<()>, Kind, Option<(&'a str, usize)>);

#[test]
fn law_10_a_failure_names_the_component_the_reason_and_the_link() {
    let ground = Ground::new();
    symlink("loop", ground.at("root/loop")).unwrap();
    let root = ground.open(Abilities::ALL);
    let t = || Target::relative("t");
    let long = "x".repeat(256);
    let failures: Vec<Failure<'_>> = vec![
        (root.create("../x", t()).map(drop), Kind::Escape, Some(("..", 0))),
        (root.create("d/../../x", t()).map(drop), Kind::Escape, Some(("..", 2))),
        (root.create("d/../x", t()).map(drop), Kind::InvalidPath, Some(("..", 1))),
        (root.create("/x", t()).map(drop), Kind::Escape, Some(("/", 0))),
        (root.create(format!("d/{long}"), t()).map(drop), Kind::TooLong, Some((&long, 1))),
        (root.create("out/x", t()).map(drop), Kind::SymlinkInPath, Some(("out", 0))),
        (root.create("d/missing/x", t()).map(drop), Kind::NotFound, Some(("missing", 1))),
        (root.create("d/f/x", t()).map(drop), Kind::NotFound, Some(("f", 1))),
        (root.create("new", Target::relative("d/gone/x")).map(drop), Kind::Dangling, Some(("gone", 1))),
        (root.create("new", Target::relative("out/x")).map(drop), Kind::Escape, Some(("out", 0))),
        (root.create("new", Target::relative("loop")).map(drop), Kind::Loop, Some(("loop", 0))),
        (root.resolve("d/missing").map(drop), Kind::NotFound, Some(("missing", 1))),
        (root.resolve("out/x").map(drop), Kind::Escape, Some(("out", 0))),
        (root.resolve("loop/x").map(drop), Kind::Loop, Some(("loop", 0))),
        (root.create("t", t()).map(drop), Kind::Exists, None),
        (root.ensure("d", t()).map(drop), Kind::NotALink, None),
        (root.swap("l", t(), "u").map(drop), Kind::Mismatch, None),
        (root.remove("missing").map(drop), Kind::NotFound, None),
    ];
    for (failure, kind, component) in failures {
        let error = failure.unwrap_err();
        let at = error.component().map(|at| (at.name.to_str().unwrap(), at.index));
        assert_eq!((error.kind(), at), (kind, component), "{error:?}");
        let shown = error.to_string();
        assert!(shown.starts_with("cannot ") && !shown.ends_with('.') && !shown.contains('\n'), "{shown}");
        let (verb, link) = (error.operation(), error.link().expect("the link is named").display().to_string());
        assert!(shown.contains(verb) && shown.contains(&link), "{shown}");
        if let Some((name, index)) = component {
            assert!(shown.contains(&format!("`{name}` ({index})")), "{shown}");
        }
    }
}
