//! Every edit that can be built, on every kind of name: the laws that hold for each, whatever it comes to.

use caplink::change::{Fix, NewLink, RemoveStale};

use super::*;

const NAMES: [&str; 9] = ["new", "d/new", "n/m/new", "l", "d/l", "t", "d", "missing/x", "fifo"];

/// Every kind with every choice of its options.
fn every_edit_of(name: &str) -> Vec<Edit> {
    let name = path(name);
    let both = [false, true];
    let links: Vec<NewLink> = [("u", false), ("t", false), ("gone", false), ("gone", true)]
        .map(|(target, dangling)| NewLink::new(Target::relative(target)).allow_dangling(dangling))
        .into();
    let mut edits: Vec<Edit> = Vec::new();
    for link in &links {
        for parents in both {
            edits.push(Edit::create(name.clone(), link.clone()).parents(parents).into());
            for (replace, backup) in [(false, false), (false, true), (true, false), (true, true)] {
                let ensure = Edit::ensure(name.clone(), link.clone()).parents(parents);
                edits.push(ensure.replace(replace).backup(backup).into());
            }
        }
        for expected in ["t", "../t", "else"] {
            edits.push(Edit::swap(name.clone(), link.clone(), expected).into());
            for fix in [Fix::Retarget, Fix::KeepObject, Fix::ReplaceDangling] {
                edits.push(Edit::repair(name.clone(), expected, fix(link.clone())).into());
            }
        }
    }
    for missing_ok in both {
        edits.push(Edit::remove(name.clone()).missing_ok(missing_ok).into());
        edits.push(Edit::remove(name.clone()).missing_ok(missing_ok).expect("t").into());
    }
    for (with, dangling) in [("d/m", true), ("d/m", false), ("t", true), ("none", true)] {
        edits.push(Edit::exchange(name.clone(), path(with)).allow_dangling(dangling).into());
    }
    edits.push(Edit::repair(name.clone(), "t", Fix::RemoveDangling).into());
    for stale in [RemoveStale::Link("t".into()), RemoveStale::Dir] {
        edits.push(Edit::remove_stale(name.clone(), stale).into());
    }
    edits
}

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
            for edit in every_edit_of(name) {
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
