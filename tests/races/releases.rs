//! the release that a link is switched to is exchanged for a link to the canary, or pruned.
//!
//! A switch is refused while its target leads out of the root or is gone. What becomes of the target after it was
//! judged is not the link's: whoever may write the directory of the releases may do so at any later time as well. How
//! often that was so right after a switch is counted and printed.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::Ordering;

use caplink::{Effect, Kind, Result, Root, Target};

use super::arena::{Arena, WAYS, Way, naive, race};
use super::attacker::{beside, exchange, move_to};
use super::support::snapshot::{residue, tree};
use super::support::table::Row;
use super::tally::{Tally, while_attacked};

/// What becomes of the release `releases/2`.
const ATTACKS: [(&str, Kind); 2] = [("a link to the canary", Kind::Escape), ("pruned", Kind::Dangling)];

fn arena() -> Arena {
    let arena = Arena::new();
    for release in ["1", "2"] {
        fs::create_dir_all(arena.at("root/releases").join(release)).unwrap();
    }
    symlink("../../canary", arena.at("root/trap")).unwrap();
    symlink("releases/1", arena.at("root/current")).unwrap();
    arena
}

fn attack(arena: &Arena, what: &str) -> bool {
    let (release, trap, pruned) = (arena.at("root/releases/2"), arena.at("root/trap"), arena.at("root/pruned"));
    match what {
        "pruned" => move_to(&release, &pruned) || move_to(&pruned, &release),
        _ => exchange(&release, &trap),
    }
}

fn switch(root: &Root, to: &str, from: &str) -> Result<caplink::Outcome> {
    root.swap("current", Target::relative(format!("releases/{to}")), format!("releases/{from}"))
}

#[test]
fn r_22_a_switch_to_a_release_that_leads_out_or_is_gone_is_refused() {
    race(|| {
        for (way, abilities, _) in WAYS {
            let row = Row::begin("R-22", way);
            for (what, kind) in ATTACKS {
                let arena = arena();
                let (root, canary) = (arena.root(*abilities), arena.canary());
                assert!(attack(&arena, what));
                assert_eq!(switch(&root, "2", "1").unwrap_err().kind(), kind, "{what}");
                assert!(attack(&arena, what));
                assert_eq!(switch(&root, "2", "1").unwrap().effect, Effect::Replaced);
                // The way back does not depend on what became of where it comes from.
                assert!(attack(&arena, what));
                assert_eq!(switch(&root, "1", "2").unwrap().previous.as_deref(), Some("releases/2".as_ref()));
                assert_eq!(arena.canary(), canary);
            }
            row.held("");
        }
    });
}

#[test]
fn r_22_a_release_that_flips_is_judged_by_what_it_is() {
    race(|| {
        for way in WAYS {
            ATTACKS.iter().for_each(|attack| flip(*way, *attack));
        }
    });
}

fn flip((way, abilities, full): Way, (what, kind): (&str, Kind)) {
    let row = Row::begin("R-22", way);
    let arena = arena();
    let (root, canary) = (arena.root(abilities), arena.canary());
    let (mut tally, mut out) = (Tally::default(), 0_usize);
    let attacks = beside(
        || attack(&arena, what),
        |attacks| {
            while_attacked(full, attacks, &mut tally, Tally::has_both, |_, tally| {
                let Ok(switched) = tally.count(switch(&root, "2", "1")) else { return };
                assert!(switched.verified && switched.shortfalls.is_empty(), "{switched:?}");
                // Nobody who looks through the library is led out by it.
                out += usize::from(root.resolve("current").is_err_and(|error| error.kind() != Kind::Contended));
                let back = switch(&root, "1", "2").unwrap();
                assert_eq!(back.previous.as_deref(), Some("releases/2".as_ref()));
            });
        },
    );
    tally.only(&[kind, Kind::Contended]);
    assert_eq!(fs::read_link(arena.at("root/current")).unwrap().as_os_str(), "releases/1");
    assert_eq!(arena.canary(), canary);
    assert!(residue(&tree(&arena.at("root"))).is_empty());
    tally.finish(row, &format!("R-22 {what}, {way}, after {out} switches it was so at once"), attacks);
}

#[test]
fn r_22_with_plain_paths_a_switch_leads_to_the_canary() {
    race(|| {
        naive("R-22", || {
            let arena = arena();
            let (current, next) = (arena.at("root/current"), arena.at("root/next"));
            let mut led_out = 0;
            beside(
                || attack(&arena, "a link to the canary"),
                |attacks| {
                    while attacks.load(Ordering::Relaxed) < 1_000 {
                        // What a careful script does: look whether the release is there, then switch.
                        if arena.at("root/releases/2").is_dir() {
                            symlink("releases/2", &next).unwrap();
                            fs::rename(&next, &current).unwrap();
                            led_out += usize::from(current.join("secret").exists());
                        }
                    }
                },
            );
            led_out
        });
    });
}
