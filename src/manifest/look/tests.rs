//! Looks at links whose targets are in one directory, which others change before each call.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use super::*;
use crate::model::{Policy, Target};
use crate::sys::Abilities;
use crate::sys::memory::{Actor, Call, Object, Subject, Tree, World, acting};

const USER: u32 = 1000;
const LINKS: usize = 9;

/// What others do in the root.
type Act = fn(&mut Tree, Object);

fn others() -> Subject {
    Subject { actor: Actor::Other, uid: 0 }
}

/// Files in `base/to`, and beside it directories with nothing in them.
fn ground() -> Tree {
    let mut tree = Tree::new();
    let base = tree.make(others(), Tree::ROOT, "base", FileKind::Dir).unwrap();
    for name in ["to", "empty", "in"] {
        tree.make(others(), base, name, FileKind::Dir).unwrap();
    }
    let to = tree.dir(base, "to").unwrap();
    for number in 0..LINKS {
        tree.make(others(), to, &format!("t{number}"), FileKind::File).unwrap();
    }
    tree
}

/// Where each text leads, and the calls.
fn play(act: Option<(usize, Act)>) -> (Vec<Leads>, Vec<Call>) {
    let world = World::new(ground());
    let root = Root::in_memory(&world, "/base", USER, Abilities::ALL, Policy::default()).unwrap();
    let declared = |number| {
        let link = LinkPath::new(format!("in/l{number}")).unwrap();
        Declared::new(link, Target::relative(format!("to/t{number}")))
    };
    let links: Vec<Declared> = (0..LINKS).map(declared).collect();
    let act = act.map(|(at, act)| {
        (at, move |tree: &mut Tree| {
            let base = tree.dir(Tree::ROOT, "base").unwrap();
            act(tree, base);
        })
    });
    let seen = acting(&world, act);
    let (unwanted, holdings) = (&[][..], &Holdings::default());
    let looked = root.see(&Looking { links: &links, unwanted, holdings, all: false }).unwrap();
    drop(world.unwatch());
    let seen = seen.lock().unwrap().clone();
    (links.iter().map(|declared| looked.links[&declared.link].leads).collect(), seen)
}

#[test]
fn the_directory_of_targets_is_opened_once_and_proven_once() {
    use Call::{OpenDir, ReadLink, Stat, StatAt};
    let links = [&[OpenDir, Stat][..], &[ReadLink; LINKS]].concat();
    let targets = [&[OpenDir, Stat][..], &[StatAt; LINKS], &[OpenDir, Stat]].concat();
    let (leads, calls) = play(None);
    assert_eq!(leads, [Leads::To(FileKind::File); LINKS]);
    assert_eq!(calls, [links, targets].concat());
}

#[test]
fn where_texts_lead_is_seen_in_the_directory_that_has_their_path() {
    let acts: [(&str, Act); 4] = [
        ("a link that leads out", |tree, base| {
            tree.rename_new(others(), (base, OsStr::new("to")), (Tree::ROOT, OsStr::new("to"))).unwrap();
            tree.symlink(others(), OsStr::new("../to"), base, OsStr::new("to")).unwrap();
        }),
        ("an empty directory", |tree, base| {
            tree.exchange(others(), (base, OsStr::new("to")), (base, OsStr::new("empty"))).unwrap();
        }),
        ("a mount", |tree, base| {
            let to = tree.dir(base, "to").unwrap();
            tree.set_up(to, 0, 0o755, 2);
        }),
        ("a mount over one", |tree, base| {
            let to = tree.dir(base, "to").unwrap();
            let over = tree.get(to, OsStr::new("t5")).unwrap();
            tree.set_up(over, 0, 0o644, 2);
        }),
    ];
    for (what, act) in acts {
        let calls = play(None).1;
        let proof = calls.iter().rposition(|call| *call == Call::OpenDir).unwrap();
        let first = play(Some((0, act))).0;
        let known: BTreeSet<String> = [&first, &play(None).0].map(|leads| format!("{leads:?}")).into();
        assert_eq!(known.len(), 2, "{what}: it is seen");
        for point in 0..calls.len() {
            let leads = play(Some((point, act))).0;
            assert!(known.contains(&format!("{leads:?}")), "{what}, before call {point} of {calls:?}: {leads:?}");
            if what != "a mount over one" && point <= proof {
                assert_eq!(leads, first, "{what}, before call {point} of {calls:?}");
            }
        }
    }
}
