//! the name itself flips between a link and a file.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use caplink::{Edit, Error, Guarantee, Kind, LinkPath, Outcome, Result, Root, Target};

use super::arena::{Arena, CONFINED, NATIVE, NEITHER, NO_EXCHANGE, NO_OPENAT2, Way, naive, race, report, rounds};
use super::attacker::{beside, exchange, move_to};
use super::support::snapshot::{residue, tree};
use super::support::table::{Row, left_out};
use super::tally::{Tally, while_attacked};

fn one_of_each(root: &Root, round: usize, tally: &mut Tally) -> Option<Error> {
    let to = |text: &str| Target::relative(text);
    let mut count = |result: Result<()>| tally.count(result).err();
    match round % 6 {
        0 => count(root.ensure("name", to("t")).map(drop)),
        1 => count(root.swap("name", to("u"), "t").map(drop)),
        2 => count(root.ensure("name", to("t")).map(drop)),
        3 => count(root.exchange("name", "other").map(drop)),
        4 => count(root.apply(&Edit::remove(LinkPath::new("name").unwrap()).expect("t")).map(drop)),
        _ => count(root.create("name", to("u")).map(drop)),
    }
}

/// A link `name`, a link `other`, and a file with a content that there is only once.
fn arena() -> Arena {
    let arena = Arena::new();
    symlink("u", arena.at("root/name")).unwrap();
    symlink("t", arena.at("root/other")).unwrap();
    fs::write(arena.at("root/side"), "precious").unwrap();
    arena
}

/// How many files have this content; a second name does not count.
fn precious(root: &Path) -> usize {
    let nodes = tree(root).into_values().filter(|node| node.content.as_deref() == Some(b"precious"));
    nodes.map(|node| node.id).collect::<BTreeSet<_>>().len()
}

#[test]
fn r_07_a_file_that_takes_the_name_is_never_lost() {
    race(|| {
        for way in [NATIVE, NO_OPENAT2] {
            flip_name(way, |arena| arena.root(way.1));
        }
    });
}

#[test]
fn r_07_with_confinement_a_file_is_not_even_moved() {
    race(|| {
        if Arena::new().confined().is_none() {
            return left_out("R-07", "this kernel cannot confine a thread");
        }
        flip_name(CONFINED, |arena| arena.confined().unwrap());
    });
}

fn flip_name((way, _, full): Way, root: impl Fn(&Arena) -> Root) {
    let row = Row::begin("R-07", way);
    let arena = arena();
    let root = root(&arena);
    let (name, side) = (arena.at("root/name"), arena.at("root/side"));
    let (mut tally, mut kept) = (Tally::default(), 0);
    let attacks = beside(
        // The link may have been removed in between.
        || exchange(&name, &side) || move_to(&name, &side) || move_to(&side, &name),
        |attacks| {
            while_attacked(full, attacks, &mut tally, Tally::has_both, |round, tally| {
                let Some(error) = one_of_each(&root, round, tally) else { return };
                // Where what it displaced is gone from the name again, the new link stays, and is reported.
                let stays = error.left() == [Path::new("name")] && error.preserved().is_empty();
                assert!(error.left().is_empty() || stays, "{error:?}");
                for path in error.preserved() {
                    // What was kept is there.
                    kept += 1;
                    let path = arena.at("root").join(path);
                    assert!(way != CONFINED.0 || path.is_symlink(), "something that is no link was moved: {error:?}");
                    put_in_reach(&arena, &path, kept);
                }
            });
        },
    );
    assert_eq!(precious(&arena.at("root")), 1, "{way}: the file is lost");
    assert!(residue(&tree(&arena.at("root"))).is_empty());
    tally.only(&[Kind::NotALink, Kind::Mismatch, Kind::NotFound, Kind::Contended, Kind::Exists, Kind::Dangling]);
    tally.finish(row, &format!("R-07 {way}, {kept} kept"), attacks);
}

/// Renames something to where the attacker will find it, or out of the way.
fn put_in_reach(arena: &Arena, from: &Path, count: usize) {
    let free = ["side", "name", &format!("kept{count}")].map(|name| arena.at("root").join(name));
    assert!(free.iter().any(|to| move_to(from, to)), "{}", from.display());
}

/// Hands a file back to the attacker; a link that was kept is removed.
fn give_back(from: &Path, side: &Path) {
    while !from.is_symlink() && !move_to(from, side) {
        let _ = exchange(from, side);
    }
    if from.is_symlink() {
        fs::remove_file(from).unwrap();
    }
}

#[test]
fn r_07_a_backup_loses_no_file_that_takes_the_name() {
    race(|| {
        let (way, abilities, full) = NATIVE;
        let row = Row::begin("R-07b", way);
        let arena = arena();
        let root = arena.root(abilities);
        let (name, side) = (arena.at("root/name"), arena.at("root/side"));
        let (mut tally, backups) = (Tally::default(), Cell::new(0));
        let attacks = beside(
            || exchange(&name, &side) || move_to(&side, &name),
            |attacks| {
                let enough = |_: &Tally| backups.get() > 10;
                while_attacked(full, attacks, &mut tally, enough, |round, tally| {
                    let target = Target::relative(["t", "u"][round % 2]);
                    let edit = Edit::ensure(LinkPath::new("name").unwrap(), target).backup(true);
                    let result = tally.count(root.apply(&edit));
                    let kept = match &result {
                        Ok(Outcome { backup: Some(backup), .. }) => {
                            backups.set(backups.get() + 1);
                            std::slice::from_ref(backup)
                        }
                        Ok(_) => &[],
                        Err(error) => {
                            assert!(error.left().is_empty(), "{error:?}");
                            error.preserved()
                        }
                    };
                    kept.iter().for_each(|path| give_back(&arena.at("root").join(path), &side));
                });
            },
        );
        assert_eq!(precious(&arena.at("root")), 1, "the file is lost");
        assert!(residue(&tree(&arena.at("root"))).is_empty());
        tally.only(&[Kind::NotALink, Kind::Contended]);
        tally.finish(row, &format!("R-07 backup, {} moved aside", backups.get()), attacks);
    });
}

#[test]
fn r_07_where_nothing_can_be_exchanged_the_outcome_says_what_that_is_worth() {
    race(|| {
        for (way, abilities, full) in [NO_EXCHANGE, NEITHER] {
            let row = Row::begin("R-07", way);
            let (mut tally, mut attacks, mut lost) = (Tally::default(), 0, 0);
            let due = rounds(full).div_ceil(100);
            for _ in 0..due {
                let arena = arena();
                let root = arena.root(abilities);
                let (name, side) = (arena.at("root/name"), arena.at("root/side"));
                attacks += beside(
                    || exchange(&name, &side),
                    |attacks| {
                        while_attacked(1_000, attacks, &mut tally, Tally::has_both, |round, tally| {
                            let result = tally.count(root.ensure("name", Target::relative(["t", "u"][round % 2])));
                            let Ok(outcome) = result else { return };
                            let weaker = outcome.guarantee == Guarantee::Cooperative;
                            assert!(weaker || !outcome.effect.is_change() || outcome.previous.is_none(), "{outcome:?}");
                        });
                    },
                );
                lost += 1 - precious(&arena.at("root"));
            }
            report(&format!("R-07 {way}: in {lost} of {due} arenas the file was replaced, which `cooperative` allows"));
            tally.finish(row, &format!("R-07 {way}"), attacks);
        }
    });
}

#[test]
fn r_07_with_plain_paths_the_file_is_lost() {
    race(|| {
        naive("R-07", || {
            let arena = arena();
            let (name, side) = (arena.at("root/name"), arena.at("root/side"));
            beside(
                || exchange(&name, &side),
                |_| {
                    for round in 0..2_000 {
                        if name.symlink_metadata().is_ok_and(|meta| meta.is_symlink()) {
                            let staged = arena.at(format!("root/staged{round}"));
                            symlink("t", &staged).unwrap();
                            let _ = fs::rename(staged, &name);
                        }
                    }
                },
            );
            1 - precious(&arena.at("root"))
        });
    });
}
