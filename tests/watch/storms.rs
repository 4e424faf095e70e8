//! What is told when more happens than can be followed: the last state of every link, by looks.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use caplink::Status;
use caplink::watch::{Lost, WatchOptions};

use super::asked::rounds::Rounds;
use super::support::{Ground, Told};

/// Changes everything as fast as it can: links, what they lead to, and directories of both, moved in and out.
fn storm(base: &Path, outside: &Path, seed: usize, over: &AtomicBool, changes: &AtomicUsize) {
    let mut turn = seed;
    let name = |turn: usize| base.join(format!("d{}/l{}", turn % 3, turn / 3 % 50));
    while !over.load(Relaxed) {
        turn = turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let turn = turn >> 33;
        let _lost = match turn % 8 {
            0..3 => fs::remove_file(name(turn / 8)),
            3..6 => symlink(format!("../t/{}", turn / 8 % 40), name(turn / 8)),
            6 => {
                let target = base.join(format!("t/{}", turn / 8 % 40));
                if (turn / 1024).is_multiple_of(2) { fs::write(target, "") } else { fs::remove_file(target) }
            }
            _ => {
                let dir = ["d0", "d1", "d2", "t"][turn / 8 % 4];
                let (inside, outside) = (base.join(dir), outside.join(dir));
                if (turn / 1024).is_multiple_of(2) { fs::rename(inside, outside) } else { fs::rename(outside, inside) }
            }
        };
        changes.fetch_add(1, Relaxed);
    }
}

fn weathered(options: &WatchOptions) -> Told {
    let ground = Ground::new();
    let outside = tempfile::tempdir_in(ground.dir.path().parent().unwrap()).unwrap();
    for dir in ["d0", "d1", "d2", "t"] {
        fs::create_dir(ground.at(dir)).unwrap();
    }
    let mut told = ground.watched_at(".", options);
    let (over, changes) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for seed in 1..3 {
            let (base, outside) = (ground.dir.path(), outside.path());
            let (over, changes) = (&over, &changes);
            scope.spawn(move || storm(base, outside, seed, over, changes));
        }
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(2) {
            told.next(Duration::from_millis(20));
        }
        over.store(true, Relaxed);
    });
    eprintln!("{} changes, {} looks, lost {:?}", changes.load(Relaxed), told.looks, told.lost);
    told.until_it_fits(&ground);
    told
}

#[test]
fn the_last_state_of_every_link_is_told_after_a_storm() {
    weathered(&WatchOptions::default().interval(Duration::from_secs(3600)));
}

#[test]
fn the_last_state_is_told_where_little_is_kept() {
    let told = weathered(&WatchOptions::default().interval(Duration::from_secs(3600)).pending(8));
    assert!(told.lost.contains(&Lost::Queue));
    assert!(told.lost.len() <= 2 * told.looks, "{} times lost, {} looks", told.lost.len(), told.looks);
}

#[test]
fn the_last_state_is_told_where_watches_run_out() {
    let told = weathered(&WatchOptions::default().interval(Duration::from_secs(1)).watches(2));
    assert!(told.lost.contains(&Lost::Watches));
}

#[test]
fn the_last_state_is_told_without_hints() {
    weathered(&WatchOptions::default().interval(Duration::from_secs(1)).hints(false));
}

#[test]
fn hints_that_the_kernel_drops_are_made_up_for() {
    let ground = Ground::new();
    for number in 0..20 {
        ground.link(&format!("l{number}"), "file");
    }
    let mut told = ground.watched_at(".", &WatchOptions::default().interval(Duration::from_secs(3600)));
    // The kernel keeps 16,384 by default; the last changes are among those that it drops.
    let most = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap_or_default();
    let most: usize = most.trim().parse().unwrap_or(16_384);
    if most > 100_000 {
        eprintln!("SKIPPED: the kernel keeps {most} hints");
        return;
    }
    for turn in 0..=most / 2 {
        let name = format!("x{}", turn % 7);
        ground.link(&name, "file").unlink(&name);
    }
    for number in 0..20 {
        ground.unlink(&format!("l{number}")).link(&format!("l{number}"), "nothing");
    }
    ground.unlink("file");
    told.until_link("l19", Some(Status::Dangling));
    assert!(told.lost.contains(&Lost::Queue));
    told.until_it_fits(&ground);
}

#[test]
fn a_million_names_that_come_and_go_are_no_more_to_keep_than_a_few() {
    let ground = Ground::new();
    let mut told = ground.watched_at(".", &WatchOptions::default().interval(Duration::from_secs(3600)).pending(100));
    for number in 0..5_000 {
        fs::write(ground.at(format!("n{number}")), "").unwrap();
    }
    for number in 0..5_000 {
        fs::remove_file(ground.at(format!("n{number}"))).unwrap();
    }
    ground.link("after", "nothing");
    told.until_link("after", Some(Status::Dangling));
    assert_eq!(told.links.len(), 1, "{:?}", told.links);
}

/// Renames links as fast as the machine can; for so long that 100,000 changes a second fill the kernel's queue many times.
#[test]
fn the_last_state_is_told_however_fast_links_change() {
    const LINKS: usize = 100;
    let long = Duration::from_secs(if Rounds::asked_for() == Rounds::Full { 30 } else { 2 });
    let ground = Ground::in_memory();
    let threads = thread::available_parallelism().map_or(2, usize::from).max(2);
    for thread in 0..threads {
        fs::create_dir(ground.at(format!("d{thread}"))).unwrap();
        for link in 0..LINKS {
            ground.link(&format!("d{thread}/a{link}"), ["../file", "../nothing"][link % 2]);
        }
    }
    let mut told = ground.watched_at(".", &WatchOptions::default().interval(Duration::from_secs(1)));
    let (over, changes) = (AtomicBool::new(false), AtomicUsize::new(0));
    let start = Instant::now();
    thread::scope(|scope| {
        for thread in 0..threads {
            let dir = ground.at(format!("d{thread}"));
            let (over, changes) = (&over, &changes);
            scope.spawn(move || {
                let name = |letter: char, link: usize| dir.join(format!("{letter}{link}"));
                let names: Vec<_> = (0..LINKS).map(|link| [name('a', link), name('b', link)]).collect();
                let mut turn = 0;
                while !over.load(Relaxed) {
                    let [from, to] = &names[turn % LINKS];
                    let (from, to) = if (turn / LINKS).is_multiple_of(2) { (from, to) } else { (to, from) };
                    fs::rename(from, to).unwrap();
                    turn += 1;
                }
                changes.fetch_add(turn, Relaxed);
            });
        }
        while start.elapsed() < long || (told.looks < 3 && start.elapsed() < Duration::from_secs(60)) {
            told.next(Duration::from_millis(20));
        }
        over.store(true, Relaxed);
    });
    assert!(told.looks >= 3, "looks at everything go on: {}", told.looks);
    assert!(told.lost.len() <= 2 * told.looks, "{} times lost, {} looks", told.lost.len(), told.looks);
    let rate = changes.load(Relaxed) as f64 / start.elapsed().as_secs_f64();
    eprintln!("{rate:.0} changes a second, {} looks, lost {:?}", told.looks, told.lost);
    told.until_it_fits(&ground);
}

/// A million entries with `CAPLINK_ROUNDS=full`, half of them links.
#[test]
fn one_of_very_many_links_is_told_as_one_of_few() {
    const EACH: usize = 100;
    let entries = if Rounds::asked_for() == Rounds::Full { 1_000_000 } else { 20_000 };
    let ground = Ground::in_memory();
    for dir in 0..entries / EACH {
        let dir = ground.at(format!("d{dir}"));
        fs::create_dir(&dir).unwrap();
        for number in 0..EACH / 2 {
            fs::write(dir.join(format!("f{number}")), "").unwrap();
            symlink(format!("f{number}"), dir.join(format!("l{number}"))).unwrap();
        }
    }
    let start = Instant::now();
    let mut told = ground.watched_at(".", &WatchOptions::default().interval(Duration::from_secs(3600)));
    eprintln!("{entries} entries: the first look took {:?}", start.elapsed());
    assert!(told.links.is_empty() && told.lost.is_empty());
    let last = entries / EACH - 1;
    ground.unlink(&format!("d{last}/f7"));
    told.until_link(&format!("d{last}/l7"), Some(Status::Dangling));
    ground.rename("d3", "moved");
    told.until(|told| told.links.len() == 1 + EACH);
    for number in 0..EACH / 2 {
        told.until_link(&format!("d3/l{number}"), None);
        told.until_link(&format!("moved/l{number}"), Some(Status::Ok));
    }
    assert!(told.is_silent(), "and nothing else is told");
    assert_eq!((told.looks, told.lost.len()), (1, 0));
}
