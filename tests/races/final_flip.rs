//! the name itself flips between a link and a file.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use caplink::{Edit, Error, Guarantee, Kind, LinkPath, Result, Root, Target};

use super::arena::{Arena, NATIVE, NEITHER, NO_EXCHANGE, NO_OPENAT2, naive, race, rounds, told};
use super::attacker::{beside, exchange, move_to};
use super::snapshot::{leftovers, tree};
use super::table::Row;
use super::tally::{Tally, while_attacked};

fn one_of_each(root: &Root, round: usize, tally: &mut Tally) -> Option<Error> {
    let to = |text: &str| Target::relative(text);
    let mut told = |result: Result<()>| tally.count(result).err();
    match round % 6 {
        0 => told(root.ensure("name", to("t")).map(drop)),
        1 => told(root.swap("name", to("u"), "t").map(drop)),
        2 => told(root.ensure("name", to("t")).map(drop)),
        3 => told(root.exchange("name", "other").map(drop)),
        4 => told(root.apply(&Edit::remove(LinkPath::new("name").unwrap()).expect("t")).map(drop)),
        _ => told(root.create("name", to("u")).map(drop)),
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
        for (way, abilities, full) in [NATIVE, NO_OPENAT2] {
            let row = Row::begin("R-07", way);
            let arena = arena();
            let root = arena.root(abilities);
            let (name, side) = (arena.at("root/name"), arena.at("root/side"));
            let (mut tally, mut kept) = (Tally::default(), 0);
            let attacks = beside(
                // Also where the link was removed in between.
                || exchange(&name, &side) || move_to(&name, &side) || move_to(&side, &name),
                |attacks| {
                    while_attacked(full, attacks, &mut tally, Tally::has_both, |round, tally| {
                        let Some(error) = one_of_each(&root, round, tally) else { return };
                        assert!(error.left().is_empty(), "{error:?}");
                        for path in error.preserved() {
                            kept += 1;
                            // What was kept is there. It goes where the attacker will find it, or out of the way.
                            let free = [side.clone(), name.clone(), arena.at(format!("root/kept{kept}"))];
                            let from = arena.at("root").join(path);
                            assert!(free.iter().any(|to| move_to(&from, to)), "{error:?}");
                        }
                    });
                },
            );
            assert_eq!(precious(&arena.at("root")), 1, "{way}: the file is lost");
            assert!(leftovers(&tree(&arena.at("root"))).is_empty());
            tally.only(&[
                Kind::NotALink,
                Kind::Mismatch,
                Kind::NotFound,
                Kind::Contended,
                Kind::Exists,
                Kind::Dangling,
            ]);
            tally.tell(row, &format!("R-07 {way}, {kept} kept"), attacks);
        }
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
                            assert!(weaker || !outcome.change.is_change() || outcome.previous.is_none(), "{outcome:?}");
                        });
                    },
                );
                lost += 1 - precious(&arena.at("root"));
            }
            told(&format!("R-07 {way}: {lost} of {due} files were lost, as `cooperative` says they may be"));
            tally.tell(row, &format!("R-07 {way}"), attacks);
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
