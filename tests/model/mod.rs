//! A model of the verbs: a tree without a file system, and the plainest way to say what each verb owes on it.
//!
//! The model shares no code with the library. It is used by a property test and by the fuzzers.

pub(crate) mod dice;
pub(crate) mod operations;
pub(crate) mod real;
pub(crate) mod spelling;
pub(crate) mod verbs;
pub(crate) mod walk;
pub(crate) mod world;

use std::collections::BTreeMap;
use std::path::Path;

use dice::Dice;
use operations::{Holder, Op, Said};
use world::World;

/// The ways of the library: native, no `openat2`, no exchange, neither.
pub(crate) const WAYS: [(bool, bool); 4] = [(true, true), (false, true), (true, false), (false, false)];

/// Draws a tree and operations out of the bytes, and holds the library to the model after each of them.
///
/// `ground` is an empty directory; the root is made in it, beside a canary.
pub(crate) fn follow(ground: &Path, bytes: &[u8]) -> Tally {
    let mut tally = Tally::new();
    let (root, canary) = (ground.join("root"), ground.join("canary"));
    for dir in [&root, &canary] {
        std::fs::create_dir(dir).expect("the ground is empty");
    }
    std::fs::write(canary.join("a"), "the secret").expect("the ground is writable");
    let mut dice = Dice::new(bytes);
    let (confined_open, exchange) = dice.pick(&WAYS);
    let mut allowed = || !dice.one_in(8);
    let holder = Holder {
        confined_open,
        exchange,
        no_replace: exchange,
        create: allowed(),
        replace: allowed(),
        remove: allowed(),
        dangling: allowed(),
        outside: allowed(),
        follow: dice.one_in(3),
    };
    let mut world = World::grown(&root, &mut dice);
    real::build(&world);
    let untouched = real::read(&canary);
    let opened = real::open(&root, holder);
    while !dice.is_empty() {
        let op = Op::drawn(&mut dice, &world);
        if world.saws_its_branch(&op, holder) {
            continue;
        }
        let before = world.clone();
        let owed = world.apply(&op, holder);
        let said = real::perform(&opened, &op);
        *tally.entry(shown(&said)).or_default() += 1;
        assert!(agree(&owed, &said), "{op:?}\nowed {owed:?}\nsaid {said:?}\n{holder:?} on {before:#?}");
        let there = real::read(&root);
        let model: BTreeMap<_, _> = world.nodes().map(|(path, node)| (path.clone(), node.clone())).collect();
        assert_eq!(there, model, "{op:?}\nsaid {said:?}\n{holder:?} on {before:#?}");
    }
    assert_eq!(real::read(&canary), untouched);
    tally
}

/// How often each thing was said.
pub(crate) type Tally = BTreeMap<&'static str, usize>;

fn shown(said: &Said) -> &'static str {
    match said {
        Said::Done(done) if done[0].backup.is_some() => "backup",
        Said::Done(done) => done[0].change,
        Said::Failed(kind, _) => kind,
        Said::Seen(kind, status, _) => status.or(*kind).unwrap_or("missing"),
        Said::Resolved(_) => "resolved",
    }
}

/// A place for trees: in memory where that is available.
pub(crate) fn ground() -> std::path::PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.into() } else { std::env::temp_dir() }
}

/// Where the model names no component, the library may name the one at fault.
fn agree(owed: &Said, said: &Said) -> bool {
    match (owed, said) {
        (Said::Failed(owed, None), Said::Failed(said, _)) => owed == said,
        _ => owed == said,
    }
}
