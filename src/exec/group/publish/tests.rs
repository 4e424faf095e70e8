//! Links of one directory that are published together, against those who move the directory, or take its names.

use std::ffi::OsStr;

use crate::error::{Error, Kind};
use crate::exec::group::{Judged, Work, judge};
use crate::exec::tests::{
    Act, LINKS, OLD, USER, dir, move_and_replace, move_out, others, path, root, texts, tree, watch,
};
use crate::model::{Durability, Edit, Group, LinkPath, Policy, Target};
use crate::root::Root;
use crate::sys::Abilities;
use crate::sys::memory::{Call, Tree, World};

/// Puts a link of others where `b` is to be.
fn take(tree: &mut Tree) {
    let base = tree.dir(Tree::ROOT, "base").unwrap();
    let sub = tree.dir(base, "sub").unwrap();
    let _had = tree.unlink(others(), sub, OsStr::new("b"));
    tree.symlink(others(), OsStr::new("theirs"), sub, OsStr::new("b")).unwrap();
}

struct Played {
    /// Where the calls that publish begin, and all calls up to their end.
    calls: Vec<Call>,
    published_from: usize,
    stands: bool,
    errors: Vec<crate::error::Error>,
    end: Tree,
}

fn play(tree: Tree, edit: fn(LinkPath) -> Edit, confined: bool, act: Option<(usize, Act)>) -> Played {
    let world = World::new(tree);
    let root = root(&world, confined);
    let mut group = Group::new("batch");
    for link in LINKS {
        group.push(edit(path(link)));
    }
    let seen = watch(&world, act);
    let Judged { results, parts } = judge(&root, &group);
    let mut errors: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    let (mut stands, mut published_from, mut until) = (false, 0, None);
    if errors.is_empty() {
        match Work::begin(&root, &root, "g", parts, Durability::None) {
            Err((_, error)) => errors.push(error),
            Ok(mut work) => {
                published_from = seen.lock().unwrap().len();
                let published = work.publish();
                until = Some(seen.lock().unwrap().len());
                stands = published.iter().all(Result::is_ok);
                errors.extend(published.into_iter().filter_map(Result::err));
                if !stands {
                    errors.extend(work.take_back().into_iter().filter_map(Result::err));
                }
                errors.extend(work.close().err());
            }
        }
    }
    drop(world.unwatch());
    let mut calls = seen.lock().unwrap().clone();
    calls.truncate(until.unwrap_or(calls.len()));
    Played { calls, published_from, stands, errors, end: world.with(|tree| tree.clone()) }
}

fn create(path: LinkPath) -> Edit {
    Edit::create(path, Target::verbatim("new")).unjudged(true).into()
}

fn swap(path: LinkPath) -> Edit {
    Edit::swap(path, Target::verbatim("new"), OLD).unjudged(true).into()
}

fn remove(path: LinkPath) -> Edit {
    Edit::remove(path).expect(OLD).into()
}

#[test]
fn links_of_one_directory_are_published_under_one_lock_and_one_proof() {
    use Call::{Exchange, OpenDir, ReadLink, RenameNew, Stat, StatAt};
    let publishing = |tree, edit: fn(LinkPath) -> Edit| {
        let played = play(tree, edit, false, None);
        assert!(played.stands);
        let calls: Vec<Call> = played.calls[played.published_from..].to_vec();
        let first = calls.iter().position(|call| [RenameNew, ReadLink, StatAt].contains(call)).unwrap();
        let last = calls.iter().rposition(|call| [ReadLink, StatAt].contains(call)).unwrap();
        let opened = calls[last..].iter().filter(|call| **call == OpenDir).count();
        assert_eq!((opened, calls[last..].iter().filter(|call| **call == Stat).count()), (1, 2), "{calls:?}");
        calls[first..=last].to_vec()
    };
    assert_eq!(publishing(tree(0o755, &[]), create), [RenameNew, ReadLink].repeat(3));
    assert_eq!(publishing(tree(0o777, &[]), create), [StatAt, RenameNew, StatAt, ReadLink].repeat(3));
    assert_eq!(publishing(tree(0o755, &LINKS), swap), [ReadLink, Exchange, ReadLink, ReadLink].repeat(3));
    assert_eq!(publishing(tree(0o755, &LINKS), remove), [ReadLink, RenameNew, ReadLink, StatAt].repeat(3));
}

#[test]
fn a_directory_that_is_moved_out_before_any_call_keeps_nothing_of_a_group() {
    for (edit, links) in [(create as fn(LinkPath) -> Edit, &[][..]), (swap, &LINKS), (remove, &LINKS)] {
        for (mode, act, replaces) in
            [(0o755, move_out as Act, false), (0o777, move_out, false), (0o755, move_and_replace, true)]
        {
            let quiet = play(tree(mode, links), edit, false, None);
            let new = texts(&quiet.end, "base/sub");
            let old = texts(&tree(mode, links), "base/sub");
            let proof = quiet.calls.iter().rposition(|call| *call == Call::OpenDir).unwrap();
            for point in 0..quiet.calls.len() {
                let played = play(tree(mode, links), edit, false, Some((point, act)));
                let what = format!("mode {mode:o}, before call {point}: {:?}", played.errors);
                let [moved, there] = ["outside/sub", "base/sub"].map(|path| texts(&played.end, path));
                match played.stands {
                    // In the directory that it was when it was proven to be in its place.
                    true => assert!(moved == new || replaces && there == new && moved == old, "{what}"),
                    false => assert!(moved == old && there.is_empty(), "{what}: {moved:?} {there:?}"),
                }
                assert!(replaces || played.stands == (point > proof), "{what}");
                assert!(played.errors.iter().all(|error| error.left().is_empty()), "{what}");
            }
        }
    }
}

#[test]
fn what_the_kernel_does_not_let_take_back_is_named() {
    let quiet = play(tree(0o755, &[]), create, true, None);
    let mut named = 0;
    for point in quiet.published_from..quiet.calls.len() {
        let played = play(tree(0o755, &[]), create, true, Some((point, move_out)));
        if played.stands {
            continue;
        }
        let left: Vec<String> =
            texts(&played.end, "outside/sub").into_keys().map(|name| format!("sub/{name}")).collect();
        let mut told: Vec<String> =
            played.errors.iter().flat_map(|error| error.left().iter().map(|path| path.display().to_string())).collect();
        told.retain(|path| path.starts_with("sub/"));
        told.sort();
        told.dedup();
        assert_eq!(told, left, "before call {point}: {:?}", played.errors);
        named += left.len();
    }
    assert!(named > 0);
}

#[test]
fn a_name_that_others_take_is_theirs_and_the_group_is_taken_back() {
    for (edit, links) in [(create as fn(LinkPath) -> Edit, &[][..]), (swap, &LINKS), (remove, &LINKS)] {
        for mode in [0o755, 0o777] {
            let quiet = play(tree(mode, links), edit, false, None);
            let mut old = texts(&tree(mode, links), "base/sub");
            old.insert("b".to_owned(), "theirs".to_owned());
            let mut new = texts(&quiet.end, "base/sub");
            new.insert("b".to_owned(), "theirs".to_owned());
            for point in 0..quiet.calls.len() {
                let played = play(tree(mode, links), edit, false, Some((point, take)));
                let what = format!("mode {mode:o}, before call {point}: {:?}", played.errors);
                let end = texts(&played.end, "base/sub");
                assert_eq!(end, if played.stands { new.clone() } else { old.clone() }, "{what}");
                let known = [Kind::Mismatch, Kind::Exists, Kind::NotFound, Kind::Contended];
                assert!(played.errors.iter().all(|error| known.contains(&error.kind())), "{what}");
            }
        }
    }
}

/// Puts a link of others where `b` is, and moves the directory away.
fn take_and_move_out(tree: &mut Tree) {
    take(tree);
    move_out(tree);
}

#[test]
fn what_is_kept_of_a_link_is_named_though_its_directory_was_moved_away() {
    let quiet = play(tree(0o755, &LINKS), swap, false, None);
    let mut kept = 0;
    for point in quiet.published_from..quiet.calls.len() {
        let played = play(tree(0o755, &LINKS), swap, false, Some((point, take_and_move_out)));
        let Some(published) = played.errors.first().filter(|_| !played.stands) else { continue };
        // What was displaced under the name that others took is in the staging directory.
        if let [path] = published.preserved() {
            assert_eq!(published.kind(), Kind::ParentMoved, "before call {point}");
            assert!(path.starts_with(".caplink") && path.ends_with("1"), "before call {point}: {path:?}");
            kept += 1;
        }
    }
    assert!(kept > 0);
}

#[test]
fn each_way_over_links_to_one_directory_is_proven() {
    for moved in [false, true] {
        let mut tree = tree(0o755, &[]);
        let base = tree.dir(Tree::ROOT, "base").unwrap();
        dir(&mut tree, base, "other", 0o755);
        for way in ["one", "two"] {
            tree.symlink(others(), OsStr::new("sub"), base, OsStr::new(way)).unwrap();
        }
        let world = World::new(tree);
        let policy = Policy::default().follow(true);
        let root = Root::in_memory(&world, "/base", USER, Abilities::ALL, policy).unwrap();
        let mut group = Group::new("batch");
        for link in ["one/a", "two/b"] {
            group.push(create(LinkPath::new(link).unwrap()));
        }
        let Judged { results, parts } = judge(&root, &group);
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        let Ok(mut work) = Work::begin(&root, &root, "g", parts, Durability::None) else { panic!("it is not begun") };
        if moved {
            world.with(|tree| {
                tree.unlink(others(), base, OsStr::new("two")).unwrap();
                tree.symlink(others(), OsStr::new("other"), base, OsStr::new("two")).unwrap();
            });
        }
        let published = work.publish();
        let kinds: Vec<Option<Kind>> = published.iter().map(|came| came.as_ref().err().map(Error::kind)).collect();
        assert_eq!(kinds, [None, moved.then_some(Kind::ParentMoved)]);
        if moved {
            assert!(work.take_back().iter().all(Result::is_ok));
        }
        work.close().unwrap();
        assert_eq!(world.with(|tree| texts(tree, "base/sub").len()), if moved { 0 } else { 2 });
    }
}
