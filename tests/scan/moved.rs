//! Links that follow what was moved: on random trees, what led to an object leads to it again.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use caplink::{Durability, LinkPath, Repair, RepairOptions, Root};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::differential::{Made, cases, grow, name, path};
use crate::tree::Tree;

/// What each link leads to below the root, known by its inode.
fn led(base: &Path, links: &[PathBuf]) -> BTreeMap<PathBuf, (u64, u64)> {
    let top = base.canonicalize().unwrap();
    let there = |link: &PathBuf| {
        let there = base.join(link).canonicalize().ok().filter(|there| there.starts_with(&top))?;
        std::fs::metadata(there).ok().map(|there| (there.dev(), there.ino()))
    };
    links.iter().filter_map(|link| Some((link.clone(), there(link)?))).collect()
}

fn repair(root: &Root, moved: &Repair, dry_run: bool) -> Vec<(PathBuf, Option<OsString>)> {
    let mut changes = Vec::new();
    let options = RepairOptions::default().durability(Durability::None).dry_run(dry_run);
    root.repair(".", moved, options, |came| {
        let came = came.unwrap_or_else(|error| panic!("{error}"));
        changes.push((came.link.as_path().to_path_buf(), came.target));
    })
    .unwrap();
    changes
}

fn moved(old: &str, new: &str) -> Repair {
    Repair::default().moved(LinkPath::new(old).unwrap(), LinkPath::new(new).unwrap())
}

#[test]
fn a_package_that_was_moved_and_those_that_use_it_find_each_other_again() {
    let tree = Tree::new();
    tree.dir("store/lodash")
        .dir("packages/group1/foo/node_modules")
        .dir("packages/bar")
        .file("packages/group1/foo/main");
    tree.link("packages/group1/foo/node_modules/lodash", "../../../../store/lodash");
    tree.link("packages/bar/foo", "../group1/foo").link("abs", tree.base.join("packages/group1/foo/main"));
    tree.link("through", "packages/bar/foo/main").link("own", "packages/bar").link("lost", "packages/group1/foo/gone");
    std::fs::rename(tree.base.join("packages/group1/foo"), tree.base.join("packages/foo")).unwrap();
    let root = tree.root();
    let moved = moved("packages/group1/foo", "packages/foo");
    let planned = repair(&root, &moved, true);
    let text = |link: &str| std::fs::read_link(tree.base.join(link)).unwrap();
    assert_eq!(text("packages/bar/foo"), Path::new("../group1/foo"), "a dry run changes nothing");
    let done = repair(&root, &moved, false);
    assert_eq!(planned, done);
    let changed: Vec<&Path> = done.iter().map(|(link, _)| link.as_path()).collect();
    assert_eq!(changed, ["abs", "packages/bar/foo", "packages/foo/node_modules/lodash"].map(Path::new));
    assert_eq!(text("packages/foo/node_modules/lodash"), Path::new("../../../store/lodash"));
    assert_eq!(text("packages/bar/foo"), Path::new("../foo"));
    assert_eq!(text("abs"), tree.base.join("packages/foo/main"));
    assert_eq!(text("lost"), Path::new("packages/group1/foo/gone"), "nothing is there");
    assert!(std::fs::metadata(tree.base.join("through")).is_ok());
    assert_eq!(repair(&root, &moved, false), []);
}

#[test]
fn a_link_that_leads_there_already_is_left_alone() {
    let tree = Tree::new();
    tree.dir("a").file("a/x").link("l", "a/x").link("abs", tree.base.join("a/x"));
    std::fs::rename(tree.base.join("a"), tree.base.join("b")).unwrap();
    tree.link("a", "b");
    assert_eq!(repair(&tree.root(), &moved("a", "b"), false), [], "the old name leads to the new one");
}

#[test]
fn links_over_links_follow_in_any_order() {
    let tree = Tree::new();
    tree.dir("old/in").file("old/in/x").link("old/k", "in").link("old/up", "../y").file("y");
    tree.link("a1", "old/k/x").link("z1", "a1").link("a2", "old/up").link("b", "old/z").link("old/z", "../a1");
    let links = ["old/k", "old/up", "a1", "z1", "a2", "b", "old/z"].map(PathBuf::from);
    let before = led(&tree.base, &links);
    tree.dir("new/deep");
    std::fs::rename(tree.base.join("old"), tree.base.join("new/deep/d")).unwrap();
    repair(&tree.root(), &moved("old", "new/deep/d"), false);
    for (link, there) in before {
        let now = link.strip_prefix("old").map_or(link.clone(), |rest| Path::new("new/deep/d").join(rest));
        assert_eq!(led(&tree.base, std::slice::from_ref(&now)).get(&now), Some(&there), "{link:?}");
    }
}

/// Texts that climb first and then go down, as relative links do, or begin at the root of the tree.
fn entries() -> impl Strategy<Value = Vec<(Vec<Vec<u8>>, Made)>> {
    let begins = prop_oneof![4 => Just(0_u8), 1 => Just(1)];
    let text = (begins, 0..4_usize, prop::collection::vec(name(), 1..4));
    let link = text.prop_map(|(begins, climbs, names)| {
        let climbs = if begins == 0 { climbs } else { 0 };
        let parts: Vec<Vec<u8>> = std::iter::repeat_n(b"..".to_vec(), climbs).chain(names).collect();
        let mut marked = vec![begins];
        marked.extend(parts.join(&b'/'));
        Made::Link(marked)
    });
    let made = prop_oneof![4 => Just(Made::Dir), 3 => Just(Made::File), 6 => link];
    prop::collection::vec((path(), made), 4..32)
}

/// The directories of a tree, by their paths below it.
fn dirs(base: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    let mut next = 0;
    while let Some(dir) = found.get(next).cloned() {
        next += 1;
        let entries = std::fs::read_dir(base.join(&dir)).unwrap().map(|entry| entry.unwrap());
        let below = entries.filter(|entry| entry.file_type().unwrap().is_dir());
        let mut below: Vec<PathBuf> = below.map(|entry| dir.join(entry.file_name())).collect();
        below.sort();
        found.extend(below);
    }
    found.split_off(1)
}

/// Whether another link stands on the way of a link's text.
fn goes_through_a_link(base: &Path, link: &Path) -> bool {
    let mut at = base.join(link);
    let Ok(text) = std::fs::read_link(&at) else { return false };
    at.pop();
    let mut parts = text.components().peekable();
    while let Some(part) = parts.next() {
        at.push(part);
        let is_link = std::fs::symlink_metadata(&at).is_ok_and(|there| there.is_symlink());
        if is_link && parts.peek().is_some() {
            return true;
        }
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases() / 2, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_led_to_an_object_leads_to_it_again(entries in entries(), from in any::<Index>(), to in path()) {
        let tree = Tree::new();
        let links: Vec<PathBuf> = grow(&tree, &entries).into_keys().collect();
        let dirs = dirs(&tree.base);
        prop_assume!(!dirs.is_empty());
        let old = from.get(&dirs);
        let new = to.iter().map(|name| OsString::from_vec(name.clone())).collect::<PathBuf>().join("moved");
        let parents: Vec<PathBuf> = new.ancestors().skip(1).map(|dir| tree.base.join(dir)).collect();
        prop_assume!(!new.starts_with(old));
        prop_assume!(parents.iter().all(|dir| std::fs::symlink_metadata(dir).map_or(true, |there| there.is_dir())));
        let before = led(&tree.base, &links);
        // A text is read by its spelling: one that comes to the object through another link does not name it.
        let through: Vec<&PathBuf> = links.iter().filter(|link| goes_through_a_link(&tree.base, link)).collect();
        std::fs::create_dir_all(&parents[0]).unwrap();
        std::fs::rename(tree.base.join(old), tree.base.join(&new)).unwrap();

        let moved = Repair::default().moved(LinkPath::new(old).unwrap(), LinkPath::new(&new).unwrap());
        let root = tree.root();
        let planned = repair(&root, &moved, true);
        let done = repair(&root, &moved, false);
        prop_assert_eq!(&planned, &done);
        let place = |link: &PathBuf| link.strip_prefix(old).map_or(link.clone(), |rest| new.join(rest));
        for (link, there) in &before {
            let now = place(link);
            let leads = led(&tree.base, std::slice::from_ref(&now)).get(&now).copied();
            if leads.is_none() && through.contains(&link) {
                continue;
            }
            prop_assert_eq!(leads, Some(*there), "{:?}, {:?} to {:?}: {:?}", link, old, new, done);
        }
        // One that was repaired is read as from the old place again: something may be there by chance, and whatever
        // is named below the old path is what was moved.
        let by_chance = |(link, text): &(PathBuf, Option<OsString>)| {
            let Ok(rest) = link.strip_prefix(&new) else { return false };
            let from = tree.base.join(old).join(rest);
            let mut at = from.parent().unwrap().to_path_buf();
            for part in Path::new(text.as_ref().unwrap()) {
                if part == ".." { at.pop(); } else { at.push(part); }
            }
            at.exists() || at.strip_prefix(tree.base.join(old)).is_ok_and(|rest| tree.base.join(&new).join(rest).exists())
        };
        if !done.iter().any(by_chance) {
            prop_assert_eq!(repair(&root, &moved, false), Vec::new(), "twice changes nothing");
        }
    }
}
