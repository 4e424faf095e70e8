//! descriptors under attack, while other programs are started.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use caplink::Target;

use super::arena::{Arena, WAYS, race, report};
use super::attacker::{Ends, beside, exchange};
use super::support::table::Row;
use super::tally::{Tally, while_attacked};

fn open() -> BTreeSet<String> {
    let listed = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let names = listed.map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|fd| fs::read_link(format!("/proc/self/fd/{fd}")).is_ok()).collect()
}

/// The descriptors that a program inherits which is started now.
fn inherited() -> BTreeSet<String> {
    let output = Command::new("ls").arg("/proc/self/fd").output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn r_24_no_descriptor_is_lost_and_none_is_inherited() {
    race(|| {
        let plain = inherited();
        for (way, abilities, full) in WAYS {
            let row = Row::begin("R-24", way);
            let arena = Arena::new();
            symlink("../../canary", arena.at("root/side")).unwrap();
            let root = arena.root(*abilities);
            let (dir, side) = (arena.at("root/a/b"), arena.at("root/side"));
            let before = open();
            let (mut tally, done, started) = (Tally::default(), AtomicBool::new(false), AtomicU64::new(0));
            let attacks = thread::scope(|scope| {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        assert_eq!(inherited(), plain, "a descriptor is inherited");
                        started.fetch_add(1, Ordering::Relaxed);
                    }
                });
                let _ends = Ends(&done);
                beside(
                    || exchange(&dir, &side),
                    |attacks| {
                        let enough = |tally: &Tally| tally.has_both() && started.load(Ordering::Relaxed) > 10;
                        while_attacked(*full, attacks, &mut tally, enough, |round, tally| match round % 6 {
                            0 => tally.run(|| root.create("a/b/l", Target::relative("t"))),
                            1 => tally.run(|| root.ensure("a/b/l", Target::relative("u"))),
                            2 => tally.run(|| root.inspect("a/b/l")),
                            3 => tally.run(|| root.resolve("a/b/l")),
                            4 => tally.run(|| root.subroot("a/b")),
                            _ => tally.run(|| root.remove("a/b/l")),
                        });
                    },
                )
            });
            assert_eq!(before, open(), "{way}: descriptors were lost");
            tally.finish(row, &format!("R-24 {way}, {} programs started", started.into_inner()), attacks);
        }
    });
}

#[test]
fn r_24_a_descriptor_that_is_inherited_would_be_seen() {
    race(|| {
        let row = Row::begin("R-24", "plain paths");
        let plain = inherited();
        let leaky = fs::File::open("/").unwrap();
        rustix::io::fcntl_setfd(&leaky, rustix::io::FdFlags::empty()).unwrap();
        assert_ne!(inherited(), plain);
        report("R-24, plain paths: a descriptor without the flag is inherited, and seen");
        row.held("a descriptor without the flag is inherited, and seen");
    });
}
