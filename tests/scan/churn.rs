//! Trees that change while they are scanned: the scan ends, stays inside, and says what it could not see.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use caplink::{Kind, ScanOptions};

use crate::tree::{Tree, backends};

/// How long one scan may take that others disturb.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs `attack` over and over in a thread while `victim` runs; returns how often it came through.
fn under_attack(attack: impl Fn() -> bool + Sync, victim: impl FnOnce(&AtomicU64)) -> u64 {
    let (stop, hits) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                hits.fetch_add(u64::from(attack()), Relaxed);
            }
        });
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| victim(&hits)));
        stop.store(true, Relaxed);
        if let Err(panic) = done {
            std::panic::resume_unwind(panic);
        }
    });
    hits.load(Relaxed)
}

fn ways() -> [ScanOptions; 3] {
    [ScanOptions::default(), ScanOptions::default().sorted(true), ScanOptions::default().jobs(3)]
}

/// A directory that is listed becomes a link to the canary before it is entered.
#[test]
fn a_directory_that_becomes_a_link_is_never_entered() {
    let tree = Tree::new();
    let dirs: Vec<String> = (0..50).map(|index| format!("d{index}")).collect();
    for dir in &dirs {
        tree.dir(dir).link(&format!("{dir}/inside"), "gone");
    }
    tree.dir("trap").link("trap/inside", "gone").link("lure", "../canary");
    let base = |name: &str| tree.base.join(name);
    let flip = || {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        renameat_with(CWD, base("trap"), CWD, base("lure"), RenameFlags::EXCHANGE).is_ok()
    };
    // The same walk by paths looks at the canary: the attack works.
    let naive_is_led_out = AtomicBool::new(false);
    under_attack(flip, |_| {
        let start = Instant::now();
        while !naive_is_led_out.load(Relaxed) && start.elapsed() < PATIENCE {
            for entry in std::fs::read_dir(&tree.base).unwrap().map_while(Result::ok) {
                if entry.file_type().is_ok_and(|kind| kind.is_dir())
                    && std::fs::symlink_metadata(entry.path().join("secret-link")).is_ok()
                {
                    naive_is_led_out.store(true, Relaxed);
                }
            }
        }
    });
    assert!(naive_is_led_out.load(Relaxed), "the attack does not work even where it should");
    for (backend, root) in backends(&tree.root()).into_iter().take(2) {
        let mut as_dir = 0;
        let hits = under_attack(flip, |_| {
            for options in ways() {
                for _ in 0..150 {
                    let mut seen = 0;
                    for found in root.scan(".", options.clone()).unwrap() {
                        let Ok(finding) = found else { continue };
                        assert!(!finding.link.as_path().ends_with("secret-link"), "{backend}: {finding:?}");
                        let text = finding.target.as_deref().and_then(|text| text.to_str()).unwrap();
                        assert!(["gone", "../canary"].contains(&text), "{backend}: {finding:?}");
                        as_dir += usize::from(finding.link.as_path() == Path::new("lure/inside"));
                        seen += 1;
                    }
                    assert!(seen >= 50, "{backend}: what nobody touched is there");
                }
            }
        });
        assert!(hits > 100 && as_dir > 0, "{backend}: {hits} exchanges, {as_dir} seen");
    }
}

/// A directory is moved below one of those that are below it, and back.
#[test]
fn a_scan_ends_where_ancestors_move_below_their_descendants() {
    let tree = Tree::new();
    tree.dir("a/b/c/d").dir("e");
    for dir in ["a", "a/b", "a/b/c", "a/b/c/d", "e"] {
        for index in 0..20 {
            tree.dir(&format!("{dir}/side{index}")).link(&format!("{dir}/side{index}/l"), "gone");
        }
    }
    let base = |name: &str| tree.base.join(name);
    let steps = [("a/b/c", "e/c"), ("a", "e/c/d/a"), ("e/c/d/a", "a"), ("e/c", "a/b/c")];
    let churn = || steps.iter().all(|(from, to)| std::fs::rename(base(from), base(to)).is_ok());
    for (backend, root) in backends(&tree.root()).into_iter().take(2) {
        let (mut partial, mut whole) = (0, 0);
        let hits = under_attack(churn, |hits| {
            for options in ways() {
                let before = hits.load(Relaxed);
                let start = Instant::now();
                let mut rounds = 0;
                while rounds < 60 || hits.load(Relaxed) < before + 50 {
                    rounds += 1;
                    assert!(start.elapsed() < PATIENCE, "{backend}: {rounds} rounds only");
                    let mut scan = root.scan(".", options.clone()).unwrap();
                    let found = (&mut scan).count();
                    // Every directory at most once: 5 and the root, with 20 of one link each.
                    assert!(scan.summary().dirs <= 106 && found <= 300, "{backend}: {:?}", scan.summary());
                    if scan.summary().complete { whole += 1 } else { partial += 1 }
                }
            }
        });
        assert!(hits >= 150 && whole > 0, "{backend}: {hits} moves, {whole} whole, {partial} partial");
        for (from, to) in steps.iter().skip(2) {
            let _there = std::fs::rename(base(from), base(to));
        }
    }
}

/// What was read is moved to where the walk has yet to come, again and again.
#[test]
fn directories_that_run_ahead_of_the_scan_do_not_keep_it_going() {
    let tree = Tree::new();
    for index in 0..40 {
        tree.dir(&format!("home/d{index}/x/y"));
        tree.dir(&format!("next/d{index}"));
    }
    let base = |name: &str| tree.base.join(name);
    let turn = AtomicU64::new(0);
    let ahead = || {
        let index = turn.fetch_add(1, Relaxed);
        let from = if index.is_multiple_of(2) { "home" } else { "next" };
        let to = if index.is_multiple_of(2) { "next" } else { "home" };
        (0..40).all(|dir| {
            let (from, to) = (format!("{from}/d{dir}/x"), format!("{to}/d{}/x", (dir + 1) % 40));
            std::fs::rename(base(&from), base(&to)).is_ok()
        })
    };
    for (_, root) in backends(&tree.root()).into_iter().take(2) {
        under_attack(ahead, |_| {
            for options in ways() {
                for _ in 0..100 {
                    let mut scan = root.scan(".", options.clone()).unwrap();
                    (&mut scan).for_each(drop);
                    assert!(scan.summary().dirs <= 163, "{:?}", scan.summary());
                }
            }
        });
    }
}

/// Directories and links come and go.
#[test]
fn what_comes_and_goes_is_seen_once_or_not_at_all() {
    let tree = Tree::new();
    for index in 0..30 {
        tree.dir(&format!("d{index}/e")).link(&format!("d{index}/e/stays"), "gone");
    }
    let base = |name: String| tree.base.join(name);
    let turn = AtomicU64::new(0);
    let churn = || {
        let index = turn.fetch_add(1, Relaxed) % 30;
        let dir = base(format!("d{index}/e/comes"));
        let made = std::fs::create_dir(&dir).is_ok();
        let _link = std::os::unix::fs::symlink("x", dir.join("l"));
        let _moved = std::fs::rename(dir.join("l"), base(format!("d{index}/l")));
        let _gone = std::fs::remove_file(base(format!("d{index}/l")));
        made && std::fs::remove_dir(&dir).is_ok()
    };
    for (backend, root) in backends(&tree.root()).into_iter().take(2) {
        let hits = under_attack(churn, |hits| {
            for options in ways() {
                let (before, mut rounds) = (hits.load(Relaxed), 0);
                // On a busy machine the attacker may have few turns.
                while rounds < 100 || rounds < 10_000 && hits.load(Relaxed) - before < 40 {
                    rounds += 1;
                    let mut stays = 0;
                    for found in root.scan(".", options.clone()).unwrap() {
                        match found {
                            Ok(finding) => stays += usize::from(finding.link.as_path().ends_with("stays")),
                            Err(error) => assert_eq!(error.kind(), Kind::Contended, "{backend}: {error}"),
                        }
                    }
                    assert_eq!(stays, 30, "{backend}: what nobody touched is there, once");
                }
            }
        });
        assert!(hits > 100, "{backend}: {hits}");
    }
}

/// Far below, the descriptor of a directory was closed; another has its path when the walk comes back.
#[test]
fn a_directory_that_took_the_place_of_a_closed_one_is_not_read() {
    for impostor in ["directory", "link"] {
        let tree = Tree::new();
        let deep = format!("d/a{}", "/b".repeat(30));
        tree.dir(&deep).link(&format!("{deep}/l"), "gone").dir("d/z").link("d/z/lost", "gone").link("z", "gone");
        tree.dir("../canary/z").link("../canary/z/planted", "x");
        for (backend, root) in backends(&tree.root()).into_iter().take(2) {
            let mut scan = root.scan(".", ScanOptions::default().sorted(true)).unwrap();
            assert!(scan.next().unwrap().unwrap().link.as_path().ends_with("b/l"), "{backend}");
            std::fs::rename(tree.base.join("d"), tree.base.join("y")).unwrap();
            if impostor == "link" {
                tree.link("d", "../canary");
            } else {
                tree.dir("d/z").link("d/z/planted", "x");
            }
            let error = scan.next().unwrap().unwrap_err();
            assert_eq!((error.kind(), error.link()), (Kind::Contended, Some(Path::new("d"))), "{backend}");
            // What was not disturbed goes on.
            assert_eq!(scan.next().unwrap().unwrap().link.as_path(), Path::new("z"), "{backend}");
            assert!(scan.next().is_none());
            assert_eq!((scan.summary().dirs_unread, scan.summary().complete), (1, false));
            let _removed = std::fs::remove_file(tree.base.join("d"));
            let _removed = std::fs::remove_dir_all(tree.base.join("d"));
            std::fs::rename(tree.base.join("y"), tree.base.join("d")).unwrap();
        }
    }
}

/// Between being listed and its turn an entry becomes something else.
#[test]
fn a_name_is_taken_for_what_it_is_when_its_turn_comes() {
    for (backend, root, tree) in (0..2).map(|index| {
        let tree = Tree::new();
        tree.dir("a")
            .link("a/l", "gone")
            .dir("b")
            .dir("b2")
            .link("b2/inside", "gone")
            .link("c", "gone")
            .dir("d")
            .link("e", "gone");
        let (backend, root) = backends(&tree.root()).swap_remove(index);
        (backend, root, tree)
    }) {
        let mut scan = root.scan(".", ScanOptions::default().sorted(true)).unwrap();
        assert_eq!(scan.next().unwrap().unwrap().link.as_path(), Path::new("a/l"));
        let base = |name: &str| tree.base.join(name);
        std::fs::remove_dir(base("b")).unwrap();
        tree.link("b", "a");
        std::fs::remove_file(base("c")).unwrap();
        tree.dir("c").link("c/new", "gone");
        std::fs::remove_dir(base("d")).unwrap();
        tree.file("d");
        std::fs::remove_file(base("e")).unwrap();
        let rest: Vec<_> = (&mut scan).map(|found| found.unwrap().link.as_path().to_path_buf()).collect();
        assert_eq!(rest, ["b", "b2/inside", "c/new"].map(Path::new), "{backend}");
    }
}
