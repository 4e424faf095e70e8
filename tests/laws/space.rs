//! Every edit that can be built, on every kind of name: the laws that hold for each, whatever it comes to.

use super::support::space::Space;
use super::*;

const NAMES: [&str; 9] = ["new", "d/new", "n/m/new", "l", "d/l", "t", "d", "missing/x", "fifo"];

const SPACE: Space<'_> = Space {
    targets: &[("u", false), ("t", false), ("gone", false), ("gone", true)],
    texts: &["t", "../t", "else"],
    others: &[("d/m", true), ("d/m", false), ("t", true), ("none", true)],
};

/// What a caller is told, but for whether it was a dry run.
fn told(result: &Result<Outcome>) -> String {
    match result {
        Ok(outcome) => format!("{outcome:?}").replace("dry_run: true", "dry_run: false"),
        Err(error) => format!("{:?} {error}", error.kind()),
    }
}

#[test]
fn every_edit_that_can_be_built_keeps_the_laws() {
    for abilities in [ABILITIES[0], ABILITIES[2]] {
        for name in NAMES {
            let mut ground = Ground::new();
            for edit in SPACE.edits(name) {
                let (root, before) = (ground.open(abilities), ground.tree());
                let previewed = root.preview(&edit);
                let applied = root.apply(&edit);
                assert_eq!(told(&previewed), told(&applied), "law 8, {abilities:?}: {edit:?}");
                let after = ground.tree();
                let Ok(outcome) = applied else {
                    assert_eq!(after, before, "law 4: {edit:?}");
                    continue;
                };
                assert!(outcome.verified && outcome.shortfalls.is_empty(), "{edit:?}: {outcome:?}");
                for one in outcome.each() {
                    let there = fs::read_link(ground.at("root").join(one.link.as_path())).ok();
                    assert_eq!(there.map(PathBuf::into_os_string), one.target, "law 5: {edit:?}");
                }
                let kept = |node: &support::snapshot::Node| after.values().any(|other| other.id == node.id);
                let others = before.values().filter(|node| node.text.is_none());
                assert!(others.into_iter().all(kept), "law 1: {edit:?}");
                if outcome.effect.is_change() {
                    ground = Ground::new();
                } else {
                    assert_eq!(after, before, "law 7: {edit:?}");
                }
            }
        }
    }
}
