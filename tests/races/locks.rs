//! strangers hold the lock, or move the directory away that it is taken on.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use caplink::{Effect, Kind, Outcome, Staging, Target};
use rustix::fs::{FlockOperation, flock};

use super::arena::{Arena, NATIVE, NEITHER, WAYS, naive, race};
use super::attacker::beside;
use super::support::snapshot::{residue, tree, without_directory_times};
use super::support::table::Row;
use super::tally::{Tally, while_attacked};

fn mode(arena: &Arena, path: &str, bits: u32) {
    fs::set_permissions(arena.at(path), fs::Permissions::from_mode(bits)).unwrap();
}

#[test]
fn r_20_a_lock_that_is_held_is_waited_for_and_then_busy() {
    race(|| {
        for (way, abilities, _) in [NATIVE, NEITHER] {
            let row = Row::begin("R-20", way);
            let arena = Arena::new();
            symlink("t", arena.at("root/l")).unwrap();
            let root = arena.root(abilities);
            let stranger = fs::File::open(arena.at("root")).unwrap();
            flock(&stranger, FlockOperation::LockExclusive).unwrap();
            let before = without_directory_times(tree(&arena.at("root")));
            let begun = Instant::now();
            assert_eq!(root.ensure("l", Target::relative("u")).unwrap_err().kind(), Kind::Busy);
            let waited = begun.elapsed();
            assert!((Duration::from_millis(500)..Duration::from_secs(10)).contains(&waited), "{waited:?}");
            assert_eq!(root.remove("l").unwrap_err().kind(), Kind::Busy);
            assert_eq!(without_directory_times(tree(&arena.at("root"))), before);
            // What needs no lock does not wait, and what waits continues when the lock is free.
            assert_eq!(root.create("new", Target::relative("t")).unwrap().effect, Effect::Created);
            thread::scope(|scope| {
                let waiting = scope.spawn(|| root.ensure("l", Target::relative("u")));
                thread::sleep(Duration::from_millis(100));
                drop(stranger);
                assert_eq!(waiting.join().unwrap().unwrap().effect, Effect::Replaced);
            });
            row.held(&format!("busy after {} ms", waited.as_millis()));
        }
    });
}

#[test]
fn r_20_where_strangers_write_they_can_hold_the_lock_too() {
    race(|| {
        for (way, abilities, _) in WAYS {
            let row = Row::begin("R-20", way);
            let arena = Arena::new();
            symlink("../../t", arena.at("root/a/b/l")).unwrap();
            mode(&arena, "root/a/b", 0o777);
            let stranger = fs::File::open(arena.at("root/a/b")).unwrap();
            flock(&stranger, FlockOperation::LockExclusive).unwrap();
            let root = arena.root(*abilities);
            let before = without_directory_times(tree(&arena.at("root")));
            assert_eq!(root.ensure("a/b/l", Target::relative("u")).unwrap_err().kind(), Kind::Busy);
            assert_eq!(without_directory_times(tree(&arena.at("root"))), before);
            drop(stranger);
            let outcome = root.ensure("a/b/l", Target::relative("u")).unwrap();
            assert_eq!((outcome.effect, outcome.staging), (Effect::Replaced, Staging::Private));
            row.held("busy while a stranger holds the lock of the directory");
        }
    });
}

/// The state directory is moved, removed and replaced by somebody who can write the root.
#[test]
fn r_20_a_state_directory_that_is_taken_away_is_noticed() {
    race(|| {
        for (way, abilities, full) in WAYS {
            let row = Row::begin("R-20", way);
            let arena = Arena::new();
            symlink("../../t", arena.at("root/a/b/l")).unwrap();
            for path in ["root/a/b", "root"] {
                mode(&arena, path, 0o777);
            }
            let root = arena.root(*abilities);
            let (state, away) = (arena.at("root/.caplink"), arena.at("root/away"));
            let mut tally = Tally::default();
            let mut turns = 0_usize;
            let attack = || {
                turns += 1;
                match turns % 3 {
                    0 => drop(fs::rename(&state, &away)),
                    1 => drop(fs::remove_dir(&state)),
                    _ => drop(fs::remove_dir(&away)),
                }
            };
            let attacks = beside(attack, |attacks| {
                while_attacked(*full, attacks, &mut tally, Tally::has_both, |round, tally| {
                    // A change that stands and says that its staging directory is gone has noticed it as well.
                    let noticed = |outcome: Outcome| match outcome.shortfalls.first() {
                        Some(residue) => Err(residue.clone()),
                        None => Ok(outcome),
                    };
                    let result = root.ensure("a/b/l", Target::relative(["u", "t"][round % 2])).and_then(noticed);
                    match tally.count(result) {
                        Ok(outcome) if outcome.effect == Effect::Unchanged => {}
                        Ok(outcome) => assert_eq!(outcome.staging, Staging::Private, "{outcome:?}"),
                        // One that was moved away by the attacker cannot be removed by its name, which is reported.
                        Err(error) => {
                            let left = error.left().iter().all(|left| left.as_os_str() == ".caplink");
                            assert!(left && error.preserved().is_empty(), "{error:?}");
                        }
                    }
                });
            });
            tally.only(&[Kind::Contended, Kind::Busy, Kind::Residue]);
            let text = fs::read_link(arena.at("root/a/b/l")).unwrap();
            assert!(["../../t", "../../u"].contains(&text.to_str().unwrap()));
            let _ = (fs::remove_dir(&state), fs::remove_dir(&away));
            let left = residue(&tree(&arena.at("root")));
            assert!(left.is_empty() && !away.exists(), "{left:?}");
            tally.finish(row, &format!("R-20 state taken away, {way}"), attacks);
        }
    });
}

#[test]
fn r_20_with_a_lock_file_two_are_inside_at_once() {
    race(|| {
        naive("R-20", || {
            let arena = Arena::new();
            let lock = arena.at("root/lock");
            let (inside, twice) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let holder = || {
                for _ in 0..200 {
                    let file = fs::OpenOptions::new().create(true).append(true).open(&lock).unwrap();
                    flock(&file, FlockOperation::LockExclusive).unwrap();
                    if inside.fetch_add(1, Ordering::SeqCst) > 0 {
                        twice.fetch_add(1, Ordering::SeqCst);
                    }
                    thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                }
            };
            beside(
                || drop(fs::remove_file(&lock)),
                |_| {
                    thread::scope(|scope| {
                        let both = [scope.spawn(holder), scope.spawn(holder)];
                        let _ = both.map(|holder| holder.join().unwrap());
                    });
                },
            );
            twice.into_inner()
        });
    });
}
