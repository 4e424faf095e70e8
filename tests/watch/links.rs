//! What is told of links one change at a time.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::{Duration, Instant};

use caplink::watch::{Lost, Watch, WatchOptions, What};
use caplink::{Kind, Status};

use super::support::Ground;

/// A look at everything comes once an hour: what is told in the meantime comes from hints.
fn hinted() -> WatchOptions {
    WatchOptions::default().interval(Duration::from_secs(3600))
}

#[test]
fn links_that_are_not_well_come_first_and_then_the_look() {
    let ground = Ground::new();
    ground.link("well", "file").link("gone", "nothing").link("out", "../x").link("round", "round");
    let told = ground.watched();
    let states: Vec<_> = told.links.iter().map(|(link, now)| (link.to_str().unwrap(), now.unwrap())).collect();
    assert_eq!(states, [("gone", Status::Dangling), ("out", Status::Escape), ("round", Status::Loop)]);
    let gauges = told.watch.gauges().unwrap();
    assert_eq!((gauges.summary.links, gauges.summary.complete), (4, true));
}

#[test]
fn a_link_whose_target_comes_and_goes_is_told_though_it_is_as_it_was() {
    let ground = Ground::new();
    ground.link("current", "releases/1").link("over", "current/x/y");
    let mut told = ground.watched_at(".", &hinted());
    ground.rename("releases/1", "elsewhere");
    told.until_link("current", Some(Status::Dangling));
    ground.rename("elsewhere", "releases/1");
    told.until_link("current", Some(Status::Ok));
    fs::create_dir_all(ground.at("releases/1/x")).unwrap();
    fs::write(ground.at("releases/1/x/y"), "").unwrap();
    told.until_link("over", Some(Status::Ok));
    fs::remove_dir_all(ground.at("releases/1/x")).unwrap();
    told.until_link("over", Some(Status::Dangling));
    assert!(told.lost.is_empty() && told.looks == 1);
}

#[test]
fn targets_beside_the_watched_directory_are_watched() {
    let ground = Ground::new();
    fs::create_dir(ground.at("d")).unwrap();
    ground.link("d/l", "../releases/1/a/b").link("beside", "nothing");
    let mut told = ground.watched_at("d", &hinted());
    for (make, name) in [(true, "releases/1/a"), (true, "releases/1/a/b"), (false, "releases/1/a/b")] {
        if make {
            fs::create_dir(ground.at(name)).unwrap()
        } else {
            fs::remove_dir(ground.at(name)).unwrap()
        }
        // Each is told after the one before, or with it.
        std::thread::sleep(Duration::from_millis(20));
    }
    told.until_link("d/l", Some(Status::Dangling));
    fs::create_dir(ground.at("releases/1/a/b")).unwrap();
    told.until_link("d/l", Some(Status::Ok));
    // One that is made later brings its own directories.
    ground.link("d/late", "../releases/2/x");
    told.until_link("d/late", Some(Status::Dangling));
    fs::write(ground.at("releases/2/x"), "").unwrap();
    told.until_link("d/late", Some(Status::Ok));
    assert!(told.looks == 1 && told.lost.is_empty());
    assert!(!told.links.contains_key(std::path::Path::new("beside")));
}

#[test]
fn an_event_has_the_texts_before_and_after() {
    let ground = Ground::new();
    ground.link("current", "releases/1");
    let mut told = ground.watched_at(".", &hinted());
    ground.link("new", "releases/2").rename("new", "current");
    let mut seen = Vec::new();
    told.until_link("current", Some(Status::Ok));
    while let Some(event) = told.next(Duration::from_millis(300)) {
        seen.push(event.what);
    }
    ground.unlink("current");
    let gone = told.next(Duration::from_secs(60)).unwrap().what;
    let What::Link { link, was, now, previous, target } = gone else { panic!("{gone:?}") };
    assert_eq!((link.to_str(), was, now), (Some("current"), Some(Status::Ok), None));
    assert_eq!((previous, target), (Some("releases/2".into()), None));
}

#[test]
fn a_directory_moved_in_and_out_takes_its_links_with_it() {
    let ground = Ground::new();
    let outside = tempfile::tempdir_in(ground.dir.path().parent().unwrap()).unwrap();
    fs::create_dir_all(ground.at("a/b")).unwrap();
    ground.link("a/b/l", "../gone");
    let mut told = ground.watched_at(".", &hinted());
    for _ in 0..3 {
        fs::rename(ground.at("a"), outside.path().join("a")).unwrap();
        told.until_link("a/b/l", None);
        fs::rename(outside.path().join("a"), ground.at("a")).unwrap();
        told.until_link("a/b/l", Some(Status::Dangling));
    }
    ground.rename("a", "c");
    told.until_link("c/b/l", Some(Status::Dangling));
    told.until_link("a/b/l", None);
    ground.link("c/b/late", "nothing");
    told.until_link("c/b/late", Some(Status::Dangling));
    assert!(told.lost.is_empty() && told.looks == 1);
}

#[test]
fn a_link_is_told_once_a_gap_and_at_last_as_it_is() {
    let ground = Ground::new();
    ground.link("l", "file");
    let mut told = ground.watched_at(".", &hinted().gap(Duration::from_millis(200)));
    let (start, mut events, mut flips) = (Instant::now(), 0, 0);
    while start.elapsed() < Duration::from_secs(2) {
        ground.unlink("l").link("l", ["file", "nothing"][flips % 2]);
        flips += 1;
        events += usize::from(told.next(Duration::from_millis(1)).is_some());
    }
    ground.unlink("l").link("l", "releases/1");
    while told.next(Duration::from_secs(1)).is_some() {
        events += 1;
    }
    let most = 2 + start.elapsed().as_millis() as usize / 200;
    assert!(flips > 2 * most && events <= most, "{flips} changes, {events} events");
    told.until_it_fits(&ground);
}

#[test]
fn permissions_on_the_way_are_changes_too() {
    let ground = Ground::new();
    ground.link("l", "releases/1/x");
    fs::write(ground.at("releases/1/x"), "").unwrap();
    let set = |mode| fs::set_permissions(ground.at("releases/1"), fs::Permissions::from_mode(mode)).unwrap();
    let mut told = ground.watched_at(".", &hinted());
    set(0);
    if fs::read_dir(ground.at("releases/1")).is_ok() {
        eprintln!("SKIPPED: the superuser may do everything");
        return;
    }
    told.until_link("l", Some(Status::Denied));
    set(0o755);
    told.until_link("l", Some(Status::Ok));
}

/// A scan reads a directory's links together and hands them out one at a time.
#[test]
fn what_changes_while_a_look_hands_out_what_it_saw_is_told_as_it_is() {
    let ground = Ground::new();
    let outside = tempfile::tempdir_in(ground.dir.path().parent().unwrap()).unwrap();
    for number in 0..40 {
        symlink("../releases/1", outside.path().join(format!("l{number}"))).unwrap();
    }
    let mut told = ground.watched_at(".", &hinted());
    fs::rename(outside.path(), ground.at("in")).unwrap();
    told.until(|told| !told.links.is_empty());
    for number in 0..40 {
        let link = format!("in/l{number}");
        ground.unlink(&link);
        if number % 2 == 0 {
            ground.link(&link, "nothing");
        }
    }
    told.until_it_fits(&ground);
    assert!(told.is_silent() && told.looks == 1 && told.lost.is_empty());
}

/// Where hints are lost a path can lead to another directory than the one that is watched under it.
#[test]
fn a_directory_that_took_the_place_of_a_watched_one_unheard_is_watched() {
    let ground = Ground::new();
    for dir in ["in", "way", "other"] {
        fs::create_dir(ground.at(dir)).unwrap();
    }
    for dir in ["way", "other"] {
        fs::write(ground.at(dir).join("x"), "").unwrap();
    }
    ground.link("in/l", "../way/x");
    let mut told = ground.watched_at("in", &hinted().pending(1));
    ground.link("in/a", "l").rename("way", "old").rename("other", "way");
    told.until(|told| told.looks > 1 && told.lost.contains(&Lost::Queue));
    while told.next(Duration::from_millis(1500)).is_some() {}
    let looks = told.looks;
    fs::remove_file(ground.at("way/x")).unwrap();
    told.until_link("in/l", Some(Status::Dangling));
    told.until_link("in/a", Some(Status::Dangling));
    assert_eq!(told.looks, looks, "by a hint");
}

#[test]
fn what_is_staged_is_nobodys_link() {
    let ground = Ground::new();
    ground.link("current", "releases/1");
    let mut told = ground.watched_at(".", &hinted());
    for release in ["releases/2", "releases/1", "releases/2"] {
        let _ = ground.root.ensure("current", caplink::Target::relative(release)).unwrap();
    }
    while told.next(Duration::from_millis(500)).is_some() {}
    assert_eq!(told.links.keys().collect::<Vec<_>>(), [std::path::Path::new("current")]);
}

#[test]
fn without_hints_the_looks_do_the_work() {
    let ground = Ground::new();
    ground.link("l", "file");
    let options = WatchOptions::default().hints(false).interval(Duration::ZERO);
    let mut told = ground.watched_at(".", &options);
    assert_eq!(told.lost, [Lost::Unavailable]);
    ground.unlink("file").link("new", "nothing");
    told.until_link("l", Some(Status::Dangling));
    told.until_link("new", Some(Status::Dangling));
    ground.unlink("l");
    told.until_link("l", None);
    told.until_it_fits(&ground);
}

#[test]
fn a_directory_that_is_gone_is_watched_for() {
    let ground = Ground::new();
    fs::create_dir_all(ground.at("a/b")).unwrap();
    ground.link("a/b/l", "nothing");
    let mut told = ground.watched_at("a/b", &hinted());
    ground.rename("a", "c");
    told.until_link("a/b/l", None);
    told.until(|told| told.looks == 2);
    assert!(!told.watch.gauges().unwrap().summary.complete);
    ground.rename("c", "a");
    told.until_link("a/b/l", Some(Status::Dangling));
}

#[test]
fn a_root_that_is_removed_ends_the_watch() {
    let ground = Ground::new();
    let mut told = ground.watched_at(".", &hinted());
    fs::remove_dir_all(ground.dir.path()).unwrap();
    let start = Instant::now();
    let error = loop {
        match told.watch.next(Duration::from_millis(200)) {
            Ok(_) => assert!(start.elapsed() < Duration::from_secs(60)),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), Kind::RootGone);
}

#[test]
fn what_cannot_be_scanned_cannot_be_watched() {
    let ground = Ground::new();
    ground.link("l", "releases");
    for (dir, kind) in [("nothing", Kind::NotFound), ("l", Kind::SymlinkInPath), ("../x", Kind::Escape)] {
        assert_eq!(Watch::begin(&ground.root, dir, hinted()).unwrap_err().kind(), kind, "{dir}");
    }
}

#[test]
fn a_waiting_watch_can_be_woken() {
    let ground = Ground::new();
    let mut told = ground.watched_at(".", &hinted());
    assert!(told.is_silent());
    let waker = told.watch.waker();
    let waking = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        waker.wake();
    });
    let start = Instant::now();
    assert_eq!(told.watch.next(Duration::from_secs(600)).unwrap(), None);
    assert!(start.elapsed() < Duration::from_secs(60));
    waking.join().unwrap();
}
