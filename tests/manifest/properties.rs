//! What holds of every plan, on random trees, manifests and histories.

use std::collections::BTreeMap;
use std::path::Path;

use caplink::manage::{Action, Declared, Label, OnConflict, Position, Unwanted};
use caplink::{FileKind, LinkPath, Target};
use proptest::prelude::*;

use super::history::{check, follow};
use super::model::{Node, Records, Wish, World};

const PATHS: &[&str] = &["a", "a/x", "a/y", "a/y/z", "b", "b/c", "b/c/d", "b/e", "f"];
const TEXTS: &[&str] = &["one", "two", "three", "gone", "/out"];

/// What happens next.
#[derive(Clone, Debug)]
enum Event {
    /// A manifest is applied.
    Apply(usize, Vec<(usize, usize, u8)>, OnConflict, bool),
    /// A person puts something there.
    Put(usize, u8, usize),
    /// A person takes something away.
    Take(usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let entries = prop::collection::vec((0..PATHS.len(), 0..TEXTS.len(), any::<u8>()), 0..5);
    let policies = prop::sample::select(OnConflict::ALL.to_vec());
    let event = prop_oneof![
        4 => (0..2_usize, entries, policies, prop::bool::weighted(0.8))
            .prop_map(|(manifest, entries, policy, prune)| Event::Apply(manifest, entries, policy, prune)),
        2 => (0..PATHS.len(), any::<u8>(), 0..TEXTS.len()).prop_map(|(path, kind, text)| Event::Put(path, kind, text)),
        1 => (0..PATHS.len()).prop_map(Event::Take),
    ];
    prop::collection::vec(event, 1..10)
}

/// A manifest as one that was checked: sorted, no link twice, none below another.
fn wish(entries: &[(usize, usize, u8)], on_conflict: OnConflict, prune: bool) -> Wish {
    let mut wish = Wish { on_conflict, prune, ..Wish::default() };
    let mut taken: Vec<&Path> = Vec::new();
    for (path, text, bits) in entries {
        let path = Path::new(PATHS[*path]);
        if taken.iter().any(|other| other.starts_with(path) || path.starts_with(other)) {
            continue;
        }
        taken.push(path);
        let link = LinkPath::new(path).unwrap();
        if bits % 5 == 0 {
            let (label, at) = (Label::default(), Position::default());
            wish.unwanted.push(Unwanted { link, if_to: None, label, at });
            continue;
        }
        wish.links.push(Declared {
            parents: bits % 7 != 0,
            allow_dangling: bits % 2 == 0,
            allow_outside: bits % 3 == 0,
            ..Declared::new(link, Target::verbatim(TEXTS[*text]))
        });
    }
    wish.links.sort_by(|a, b| a.link.cmp(&b.link));
    wish.unwanted.sort_by(|a, b| a.link.cmp(&b.link));
    wish
}

fn put(world: &mut World, path: usize, kind: u8, text: usize) {
    let node = match kind % 4 {
        0 => Node::Dir,
        1 => Node::Other(FileKind::File, u32::from(kind)),
        2 => Node::Other(FileKind::Fifo, u32::from(kind)),
        _ => Node::Link(TEXTS[text].to_owned()),
    };
    world.put(Path::new(PATHS[path]), node);
}

/// The histories that bytes choose are of some interest.
#[test]
fn histories_meet_every_action() {
    let mut met = BTreeMap::new();
    for seed in 0..600_u32 {
        let mut state = seed.wrapping_mul(2_654_435_761) | 1;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .take(150)
        .collect();
        for (action, count) in follow(&bytes) {
            *met.entry(action).or_insert(0) += count;
        }
    }
    for action in Action::ALL {
        assert!(met.get(action.as_str()).is_some_and(|count| *count >= 10), "{met:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn an_applied_plan_is_empty_then_and_takes_nothing_that_is_others(events in events()) {
        let mut world = World { records: vec![Records::default(), Records::default()], ..World::default() };
        for event in events {
            match event {
                Event::Put(path, kind, text) => put(&mut world, path, kind, text),
                Event::Take(path) => world.take(Path::new(PATHS[path])),
                Event::Apply(manifest, entries, policy, prune) => {
                    let wish = wish(&entries, policy, prune);
                    let plan = world.plan(manifest, &wish);
                    prop_assert_eq!(&plan, &world.plan(manifest, &wish));
                    if plan.conflicts().next().is_some() {
                        continue;
                    }
                    let before = world.clone();
                    world.apply(manifest, &plan);
                    check(&before, &world, manifest, &wish, &plan);
                }
            }
        }
    }

    /// Pruned to nothing the tree is what it was before, but for what was displaced and what others did.
    #[test]
    fn a_manifest_that_declares_nothing_takes_away_all_that_it_made(
        entries in prop::collection::vec((0..PATHS.len(), 0..3_usize, 1..2_u8), 0..6),
        people in prop::collection::vec((0..PATHS.len(), any::<u8>(), 0..TEXTS.len()), 0..4),
    ) {
        let mut world = World { records: vec![Records::default()], ..World::default() };
        people.iter().for_each(|(path, kind, text)| put(&mut world, *path, *kind, *text));
        let before = world.tree.clone();
        let wish = wish(&entries, OnConflict::Skip, true);
        let plan = world.plan(0, &wish);
        prop_assume!(plan.conflicts().next().is_none());
        world.apply(0, &plan);
        let nothing = Wish { prune: true, ..Wish::default() };
        let plan = world.plan(0, &nothing);
        prop_assert!(plan.steps.iter().all(|step| matches!(step.action, Action::Remove | Action::Rmdir)));
        world.apply(0, &plan);
        prop_assert_eq!(&world.tree, &before);
        prop_assert!(world.records[0].owned.is_empty() && world.records[0].dirs.is_empty());
    }

    /// Manifests are read, expanded on the tree, planned and carried out, in any history.
    #[test]
    fn what_is_declared_by_trees_and_globs_comes_to_rest(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        follow(&bytes);
    }

    /// Taken back, the tree is what it was before: what was displaced is where it was, whatever it was.
    #[test]
    fn a_manifest_that_is_taken_back_leaves_the_tree_from_before(
        entries in prop::collection::vec((0..PATHS.len(), 0..TEXTS.len(), any::<u8>()), 0..6),
        people in prop::collection::vec((0..PATHS.len(), any::<u8>(), 0..TEXTS.len()), 0..6),
        policy in prop::sample::select(OnConflict::ALL.to_vec()),
    ) {
        let mut world = World { records: vec![Records::default()], ..World::default() };
        people.iter().for_each(|(path, kind, text)| put(&mut world, *path, *kind, *text));
        let before = world.tree.clone();
        let wish = wish(&entries, policy, true);
        let plan = world.plan(0, &wish);
        if plan.conflicts().next().is_some() {
            return Ok(());
        }
        world.apply(0, &plan);
        let back = world.plan_back(0);
        world.take_back(0, &back);
        prop_assert_eq!(&world.tree, &before, "{:#?} then {:#?}", plan.steps, back.steps);
        prop_assert!(world.plan_back(0).steps.is_empty());
    }
}
