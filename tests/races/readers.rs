//! readers see the old link or the new one, never an absent name.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use caplink::Target;

use super::arena::{Arena, WAYS, naive, patience, race, report, rounds};
use super::attacker::beside;
use super::support::table::Row;

fn arena() -> Arena {
    let arena = Arena::new();
    for release in ["old", "new"] {
        fs::create_dir_all(arena.at(format!("root/{release}"))).unwrap();
        fs::write(arena.at(format!("root/{release}/marker")), release).unwrap();
    }
    symlink("old", arena.at("root/current")).unwrap();
    arena
}

/// What a reader saw.
#[derive(Default)]
struct Seen {
    old: AtomicU64,
    new: AtomicU64,
    absent: AtomicU64,
}

impl Seen {
    /// Reads the link, and through it.
    fn look(&self, arena: &Arena) {
        let text = fs::read_link(arena.at("root/current")).map(|text| text.display().to_string());
        let through = fs::read_to_string(arena.at("root/current/marker"));
        for seen in [text, through] {
            let count = match seen.as_deref() {
                Ok("old") => &self.old,
                Ok("new") => &self.new,
                Err(error) if error.kind() == io::ErrorKind::NotFound => &self.absent,
                other => panic!("{other:?}"),
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counts(&self) -> [u64; 3] {
        [&self.old, &self.new, &self.absent].map(|count| count.load(Ordering::Relaxed))
    }
}

#[test]
fn r_13_readers_never_find_the_name_absent() {
    race(|| {
        for (way, abilities, _) in WAYS {
            let row = Row::begin("R-13", way);
            let arena = arena();
            let root = arena.root(*abilities);
            let (seen, mut switches, begun) = (Seen::default(), 0, Instant::now());
            let looks = beside(
                || seen.look(&arena),
                |_| {
                    let both = || seen.old.load(Ordering::Relaxed) > 0 && seen.new.load(Ordering::Relaxed) > 0;
                    while switches < rounds(10_000) || !both() {
                        assert!(begun.elapsed() < patience(), "{:?}", seen.counts());
                        // A switch and its rollback.
                        let _ = root.swap("current", Target::relative("new"), "old").unwrap();
                        let _ = root.swap("current", Target::relative("old"), "new").unwrap();
                        switches += 2;
                    }
                },
            );
            let [old, new, absent] = seen.counts();
            assert_eq!(absent, 0);
            let counted = format!("{looks} looks at {switches} switches: {old} old, {new} new, {absent} absent");
            report(&format!("R-13 {way}: {counted}"));
            row.held(&counted);
        }
    });
}

#[test]
fn r_13_with_plain_paths_readers_find_the_name_absent() {
    race(|| {
        naive("R-13", || {
            let arena = arena();
            let seen = Seen::default();
            beside(
                || seen.look(&arena),
                |_| {
                    for round in 0..2_000 {
                        fs::remove_file(arena.at("root/current")).unwrap();
                        symlink(["old", "new"][round % 2], arena.at("root/current")).unwrap();
                    }
                },
            );
            usize::try_from(seen.counts()[2]).unwrap()
        });
    });
}
