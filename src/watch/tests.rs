//! What is told where the system does not say what is there, and what falls between two looks.

use std::io::{self, Write as _};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::seen::{Sight, sight};
use super::stream::SLICE;
use super::{Watch, WatchOptions, What};
use crate::error::FileKind;
use crate::model::{Finding, Policy, Status};
use crate::root::Root;
use crate::sys::Abilities;
use crate::sys::memory::{self, Actor, Call, Errno, Subject, Tree, World};

/// Calls of one kind that fail.
struct Failing {
    call: Call,
    error: Errno,
    times: usize,
}

impl memory::Watch for Failing {
    fn before(&mut self, _: &mut Tree, call: Call) -> Option<Errno> {
        let fails = call == self.call && self.times > 0;
        self.times -= usize::from(fails);
        fails.then_some(self.error)
    }

    fn after(&mut self, _: &mut Tree, _: Call, _: Result<(), Errno>) {}
}

const OTHER: Subject = Subject { actor: Actor::Other, uid: 0 };

/// `d`, and in it `t` and the link `l` to it.
fn world() -> (World, Root) {
    let mut tree = Tree::new();
    let dir = tree.make(OTHER, Tree::ROOT, "d", FileKind::Dir).unwrap();
    tree.make(OTHER, dir, "t", FileKind::Dir).unwrap();
    tree.symlink(OTHER, "t".as_ref(), dir, "l".as_ref()).unwrap();
    let world = World::new(tree);
    let root = Root::in_memory(&world, "/", 0, Abilities::ALL, Policy::default()).unwrap();
    (world, root)
}

fn fail(world: &World, call: Call, error: Errno, times: usize) {
    world.watch(Box::new(Failing { call, error, times }));
}

fn hourly() -> WatchOptions {
    WatchOptions::default().interval(Duration::from_secs(3600))
}

/// What is told of links, until nothing is for a quarter of a second.
fn told(watch: &mut Watch) -> Vec<Option<Status>> {
    let mut told = Vec::new();
    while let Some(event) = watch.next(Duration::from_millis(250)).unwrap() {
        if let What::Link { now, .. } = event.what {
            told.push(now);
        }
    }
    told
}

const PASSING: [Errno; 3] = [Errno::AGAIN, Errno::MFILE, Errno::IO];

#[test]
fn what_a_look_at_everything_cannot_look_at_is_looked_at_again() {
    for call in [Call::ReadLink, Call::Reach, Call::OpenDir, Call::List] {
        for error in PASSING {
            let (world, root) = world();
            let mut watch = Watch::begin(&root, ".", hourly().hints(false)).unwrap();
            fail(&world, call, error, 1);
            let mut all = told(&mut watch);
            let start = Instant::now();
            let is_known = |watch: &Watch| watch.gauges().unwrap().summary.with_status(Status::Ok) == 1;
            while !is_known(&watch) && start.elapsed() < Duration::from_secs(60) {
                all.extend(told(&mut watch));
            }
            assert!(is_known(&watch), "{call:?} {error:?}");
            assert!(all.iter().all(|now| *now == Some(Status::Ok)), "{call:?} {error:?}: {all:?}");
        }
    }
}

#[test]
fn a_link_that_cannot_be_looked_at_for_a_moment_is_not_gone() {
    for call in [Call::ReadLink, Call::Reach, Call::OpenDir, Call::Stat] {
        for error in PASSING {
            let (world, root) = world();
            let mut watch = Watch::begin(&root, ".", hourly().hints(false)).unwrap();
            assert_eq!(told(&mut watch), []);
            world.with(|tree| {
                let dir = tree.dir(Tree::ROOT, "d").unwrap();
                tree.remove_dir(OTHER, dir, "t".as_ref()).unwrap();
            });
            fail(&world, call, error, 1);
            watch.look_at(&Arc::from(Path::new("d/l")));
            assert_eq!(told(&mut watch), [Some(Status::Dangling)], "{call:?} {error:?}");
        }
    }
}

#[test]
fn a_link_that_can_never_be_looked_at_is_denied_at_last() {
    let (world, root) = world();
    let mut watch = Watch::begin(&root, ".", hourly().hints(false)).unwrap();
    assert_eq!(told(&mut watch), []);
    fail(&world, Call::ReadLink, Errno::IO, usize::MAX);
    let link = Arc::from(Path::new("d/l"));
    let mut looks = 0;
    while watch.ready.is_empty() {
        watch.look_at(&link);
        watch.later.release(Instant::now() + Duration::from_secs(60), |_, _| looks += 1);
        assert!(looks < 100);
    }
    let now = watch.ready.pop_front().map(|what| match what {
        What::Link { now, .. } => now,
        other => panic!("{other:?}"),
    });
    assert_eq!(now, Some(Some(Status::Denied)));
}

/// What a look hands out can have been looked at before a directory was watched that another link of it brought.
#[test]
fn what_was_looked_at_before_its_way_was_watched_is_looked_at_again() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["w", "t"] {
        fs::create_dir(dir.path().join(name)).unwrap();
    }
    let root = Root::open_ambient(dir.path(), Policy::default(), cap_std::ambient_authority()).unwrap();
    let mut watch = Watch::begin(&root, "w", hourly()).unwrap();
    assert_eq!(told(&mut watch), []);
    if watch.notify.is_none() {
        io::stderr().write_all(b"SKIPPED: there are no hints here\n").unwrap();
        return;
    }
    let found: Vec<Finding> = (0..2)
        .map(|number| {
            fs::write(dir.path().join(format!("t/{number}")), "").unwrap();
            let link = format!("w/{number}");
            symlink(format!("../t/{number}"), dir.path().join(&link)).unwrap();
            let Sight::Link(finding) = sight(&root, Path::new(&link)) else { panic!("there is a link") };
            finding
        })
        .collect();
    let begun = watch.watches().begun();
    fs::remove_file(dir.path().join("t/1")).unwrap();
    assert!(watch.learn(&found[0], begun), "its way is watched from now on");
    assert!(watch.learn(&found[1], begun), "and that of the other was not when it was looked at");
    thread::sleep(Duration::from_millis(10));
    let told = told(&mut watch);
    assert_eq!(told.last(), Some(&Some(Status::Dangling)), "{told:?}");
}

#[test]
fn what_was_heard_is_worked_on_however_long_it_took_to_hear() {
    let (_world, root) = world();
    let mut watch = Watch::begin(&root, ".", hourly().hints(false).gap(Duration::ZERO)).unwrap();
    assert_eq!(told(&mut watch), []);
    // Links that were told a moment ago are gone through before the work, as hints are.
    let now = Instant::now();
    (0..1 << 18).for_each(|number| watch.held.hold(Arc::from(Path::new(&number.to_string())), now));
    watch.todo.link(Arc::from(Path::new("d/l")));
    let start = Instant::now();
    assert!(watch.next(Duration::ZERO).unwrap().is_none());
    assert!(start.elapsed() > SLICE, "{:?}", start.elapsed());
    assert!(watch.todo.is_empty());
}
