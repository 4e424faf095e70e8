//! a directory is moved up while a walk below it returns by `..`.
//!
//! `deep` leads down through `a/a/…/a` and by as many `..` up again, to `a/d`. While a walk is at the bottom, a directory
//! in the middle is moved up, out of the root: by the `..` of the directories themselves the same text then ends
//! beside the root, where the canary has a `d` with the same names.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use caplink::{Kind, Policy, Target};

use super::arena::{Arena, WAYS, Way, naive, race};
use super::attacker::{beside, move_to};
use super::support::snapshot::{Tree, residue, tree};
use super::support::table::Row;
use super::tally::{Tally, while_attacked};

/// How deep the text leads: the kernel's walk has to take long enough for the attacker to hit it.
const DEPTH: usize = 150;

/// The depth of the directory that is moved, and how many levels it rises on its way to the canary.
const MOVED: usize = 3;

/// Out of the root, and to another place in it.
const ELSEWHERE: [&str; 2] = ["canary/moved", "root/moved"];

struct Ground {
    arena: Arena,
    moved: PathBuf,
    elsewhere: PathBuf,
}

impl Ground {
    /// `elsewhere` is where the directory is moved to.
    fn new(elsewhere: &str) -> Ground {
        let arena = Arena::new();
        let chain = |depth: usize| vec!["a"; depth].join("/");
        fs::remove_dir_all(arena.at("root/a")).unwrap();
        fs::create_dir_all(arena.at("root").join(chain(DEPTH))).unwrap();
        // Every directory in which a misled walk can end has a `d`.
        let mut ends = vec![arena.at("canary"), arena.at("")];
        ends.extend((0..3).map(|depth| arena.at("root").join(chain(depth))));
        for end in &ends {
            fs::create_dir_all(end.join("d")).unwrap();
            fs::write(end.join("d/f"), "secret").unwrap();
        }
        fs::write(arena.at("root/a/d/f"), "right").unwrap();
        let text = format!("{}/{}d", chain(DEPTH), "../".repeat(DEPTH - 1));
        symlink(&text, arena.at("root/deep")).unwrap();
        symlink(format!("{text}/f"), arena.at("root/file")).unwrap();
        let moved = arena.at("root").join(chain(MOVED));
        let elsewhere = arena.at(elsewhere);
        Ground { arena, moved, elsewhere }
    }

    /// Moves the directory out of the root and back.
    fn flip(&self) -> bool {
        move_to(&self.moved, &self.elsewhere) | move_to(&self.elsewhere, &self.moved)
    }

    /// Everything but the directory that is moved, and what belongs to the root.
    fn outside(&self) -> Tree {
        let mut outside = self.arena.canary();
        outside.retain(|path, _| path != Path::new("") && !path.starts_with("moved"));
        outside
            .extend(tree(&self.arena.at("d")).into_iter().map(|(path, node)| (Path::new("beside").join(path), node)));
        outside
    }
}

/// The directory may be missing, and so may be what is below it.
const ALLOWED: &[Kind] = &[Kind::NotFound, Kind::Contended, Kind::Escape, Kind::ParentMoved, Kind::Dangling];

#[test]
fn r_03_a_way_down_and_up_again_ends_where_it_should_or_nowhere() {
    race(|| {
        for way in WAYS {
            ELSEWHERE.iter().for_each(|elsewhere| walk(*way, elsewhere));
        }
    });
}

fn walk((way, abilities, full): Way, elsewhere: &str) {
    let row = Row::begin("R-03", way);
    let ground = Ground::new(elsewhere);
    let outside = ground.outside();
    let root = ground.arena.root_as(abilities, Policy::default().follow(true));
    let right = Some(PathBuf::from("a/d/f"));
    let mut tally = Tally::default();
    let attacks = beside(
        || ground.flip(),
        |attacks| {
            while_attacked(full, attacks, &mut tally, Tally::has_both, |round, tally| match round % 4 {
                0 => tally.run(|| root.resolve("file").inspect(|found| assert_eq!(Some(&found.path), right.as_ref()))),
                1 => {
                    let seen = root.inspect("file").unwrap().link.unwrap();
                    assert!(seen.resolved.is_none() || seen.resolved == right, "{seen:?}");
                }
                // A link is created, replaced and removed below the same path.
                2 => tally.run(|| root.ensure("deep/l", Target::relative(["t", "u"][round / 4 % 2]))),
                _ => tally.run(|| root.remove("deep/l")),
            });
        },
    );
    while ground.elsewhere.symlink_metadata().is_ok() {
        assert!(move_to(&ground.elsewhere, &ground.moved));
    }
    assert_eq!(ground.outside(), outside, "{way}");
    let stray =
        tree(&ground.arena.at("root")).into_keys().find(|path| path.ends_with("l") && *path != Path::new("a/d/l"));
    assert_eq!(stray, None, "{way}");
    assert!(residue(&tree(&ground.arena.at("root"))).is_empty());
    tally.only(ALLOWED);
    tally.finish(row, &format!("R-03 {way}, to {elsewhere}"), attacks);
}

#[test]
fn r_03_with_plain_paths_the_way_ends_beside_the_root() {
    race(|| {
        naive("R-03", || {
            let ground = Ground::new(ELSEWHERE[0]);
            let mut secrets = 0;
            beside(
                || ground.flip(),
                |_| {
                    for _ in 0..20_000 {
                        let read = fs::read_to_string(ground.arena.at("root/file"));
                        secrets += usize::from(read.is_ok_and(|content| content == "secret"));
                    }
                },
            );
            secrets
        });
    });
}
