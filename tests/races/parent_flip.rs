//! a parent directory, or the root itself, is exchanged for something else in a loop.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::sync::atomic::AtomicU64;

use caplink::{Abilities, Edit, Kind, LinkPath, Root, Target};

use super::arena::{Arena, CONFINED, NATIVE, NEITHER, WAYS, Way, naive, race};
use super::attacker::{Attacker, beside, exchange};
use super::support::snapshot::{residue, tree};
use super::support::table::{Row, left_out};
use super::tally::{Tally, while_attacked};

/// What `a/b` is exchanged for.
const FLIPS: &[&str] = &["link to the canary", "absolute link", "dangling link", "file", "way round"];

fn arena(flip: &str) -> Arena {
    let arena = Arena::new();
    let side = arena.at("root/side");
    match flip {
        "link to the canary" => symlink("../../canary", side).unwrap(),
        "absolute link" => symlink(arena.at("canary"), side).unwrap(),
        "dangling link" => symlink("nowhere", side).unwrap(),
        "way round" => symlink("../a/./../side", side).unwrap(),
        _ => fs::write(side, "in the way").unwrap(),
    }
    symlink("../t", arena.at("root/a/other")).unwrap();
    arena
}

fn one_of_each(root: &Root, round: usize, tally: &mut Tally) {
    let link = "a/b/l";
    match round % 8 {
        0 => tally.run(|| root.create(link, Target::relative("t"))),
        1 => tally.run(|| root.ensure(link, Target::relative("u"))),
        2 => tally.run(|| root.swap(link, Target::relative("t"), "../../u")),
        3 => tally.run(|| root.read_link(link)),
        4 => tally.run(|| root.inspect(link)),
        5 => tally.run(|| root.resolve(link)),
        6 => tally.run(|| {
            let [a, b] = [link, "a/other"].map(|path| LinkPath::new(path).unwrap());
            root.apply(&Edit::exchange(a, b).allow_dangling(true).allow_outside(true))
        }),
        _ => tally.run(|| root.remove(link)),
    }
}

const ALLOWED: &[Kind] = &[
    Kind::Escape,
    Kind::SymlinkInPath,
    Kind::NotFound,
    Kind::Contended,
    Kind::ParentMoved,
    // From what had the name while the directory was in its place.
    Kind::Exists,
    Kind::NotALink,
    Kind::Mismatch,
    Kind::Loop,
    Kind::Dangling,
];

/// The invariants after the race, whatever was refused.
fn stayed_inside(
    arena: &Arena,
    canary: &super::support::snapshot::Tree,
    abilities: Abilities,
    tally: &Tally,
    race: &str,
) {
    assert_eq!(&arena.canary(), canary, "{race}");
    let left = residue(&tree(&arena.at("root")));
    assert!(left.is_empty(), "{race}: {left:?}");
    let weaker = if abilities.exchange { None } else { Some(Kind::Unsupported) };
    tally.only(&ALLOWED.iter().copied().chain(weaker).collect::<Vec<_>>());
}

#[test]
fn r_01_a_parent_that_flips_never_leads_to_the_canary() {
    race(|| {
        for way in WAYS {
            FLIPS.iter().for_each(|flip| flip_parent(*way, flip, |arena| arena.root(way.1)));
        }
    });
}

#[test]
fn r_01_confinement_changes_no_answer() {
    race(|| {
        if Arena::new().confined().is_none() {
            return left_out("R-01", "this kernel cannot confine a thread");
        }
        for flip in FLIPS {
            flip_parent(CONFINED, flip, |arena| arena.confined().unwrap());
        }
    });
}

fn flip_parent((way, abilities, full): Way, flip: &str, root: impl Fn(&Arena) -> Root) {
    let row = Row::begin("R-01", way);
    let arena = arena(flip);
    let (canary, root) = (arena.canary(), root(&arena));
    let mut tally = Tally::default();
    let (dir, side) = (arena.at("root/a/b"), arena.at("root/side"));
    let attacks = beside(
        || exchange(&dir, &side),
        |attacks| {
            while_attacked(full, attacks, &mut tally, Tally::has_both, |round, tally| {
                one_of_each(&root, round, tally);
            });
        },
    );
    let race = format!("R-01 {flip}, {way}");
    stayed_inside(&arena, &canary, abilities, &tally, &race);
    tally.finish(row, &race, attacks);
}

#[test]
fn r_01_a_process_that_flips_a_parent_gains_no_more() {
    race(|| {
        for (way, abilities, full) in [NATIVE, NEITHER] {
            let row = Row::begin("R-01p", way);
            let arena = arena("link to the canary");
            let (canary, root) = (arena.canary(), arena.root(abilities));
            let mut tally = Tally::default();
            let attacker = Attacker::exchanging(&arena.at("root/a/b"), &arena.at("root/side"));
            // Its attacks are not counted; that they happen is seen by what was refused.
            while_attacked(full, &AtomicU64::new(u64::MAX), &mut tally, Tally::has_both, |round, tally| {
                one_of_each(&root, round, tally);
            });
            drop(attacker);
            let race = format!("R-01 by a process, {way}");
            stayed_inside(&arena, &canary, abilities, &tally, &race);
            tally.finish(row, &race, 0);
        }
    });
}

#[test]
fn r_01_with_plain_paths_a_parent_that_flips_leads_to_the_canary() {
    race(|| {
        naive("R-01", || {
            let arena = arena("link to the canary");
            let (dir, side) = (arena.at("root/a/b"), arena.at("root/side"));
            beside(
                || exchange(&dir, &side),
                |_| {
                    for _ in 0..20_000 {
                        // The check and the use, each by its path.
                        if dir.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
                            let _ = symlink("t", dir.join("new"));
                        }
                    }
                },
            );
            usize::from(arena.at("canary/new").symlink_metadata().is_ok())
        });
    });
}

/// An arena with a second tree like the root beside it.
fn with_outside() -> Arena {
    let arena = Arena::new();
    fs::create_dir_all(arena.at("outside/a/b")).unwrap();
    fs::write(arena.at("outside/t"), "outside").unwrap();
    arena
}

#[test]
fn r_06_a_root_that_is_exchanged_stays_the_one_that_was_opened() {
    race(|| {
        for (way, abilities, full) in WAYS {
            let row = Row::begin("R-06", way);
            let arena = with_outside();
            let (path, outside) = (arena.at("root"), arena.at("outside"));
            let root = arena.root(*abilities);
            let opened = path.metadata().unwrap().ino();
            let before = (tree(&outside), arena.canary());
            let (mut tally, other) = (Tally::default(), Cell::new(0));
            let attacks = beside(
                || exchange(&path, &outside),
                |attacks| {
                    // Nothing is refused here: an attack counts if the path leads to the other tree.
                    while_attacked(
                        *full,
                        attacks,
                        &mut tally,
                        |_| other.get() > 0,
                        |round, tally| {
                            let is_other = path.metadata().is_ok_and(|meta| meta.ino() != opened);
                            other.set(other.get() + usize::from(is_other));
                            match round % 4 {
                                0 => tally.run(|| root.create("a/b/l", Target::relative("t"))),
                                1 => tally.run(|| root.ensure("a/b/l", Target::relative("u"))),
                                2 => tally.run(|| root.resolve("a/b/l")),
                                _ => tally.run(|| root.remove("a/b/l")),
                            }
                        },
                    );
                },
            );
            // Moving the root does not concern its holder.
            tally.only(&[]);
            if path.metadata().unwrap().ino() != opened {
                assert!(exchange(&path, &outside));
            }
            assert_eq!((tree(&outside), arena.canary()), before);
            tally.finish(
                row,
                &format!("R-06 {way}, in {} rounds the path led to the other tree", other.get()),
                attacks,
            );
        }
    });
}

#[test]
fn r_06_with_plain_paths_the_other_root_is_changed() {
    race(|| {
        naive("R-06", || {
            let arena = with_outside();
            let (path, outside) = (arena.at("root"), arena.at("outside"));
            let opened = path.metadata().unwrap().ino();
            beside(
                || exchange(&path, &outside),
                |_| (0..2_000).for_each(|round| drop(symlink("t", path.join(format!("new{round}"))))),
            );
            let other = [path, outside].into_iter().find(|dir| dir.metadata().unwrap().ino() != opened).unwrap();
            fs::read_dir(other).unwrap().count() - 2
        });
    });
}
