//! The scan against a second resolver, written for this test from the rules alone: naive, by path, one component at a
//! time, on random trees with every sort of link.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use caplink::Status;
use proptest::prelude::*;

use crate::tree::{Tree, backends, scan, ways};

#[derive(Debug, PartialEq)]
struct Answer {
    status: Status,
    hops: usize,
    resolved: Option<PathBuf>,
}

/// Follows the text of the link at `link` as the rules say, with the paths of the real tree.
fn naive(base: &Path, link: &Path, text: &[u8]) -> Answer {
    let mut at: Vec<OsString> = link.parent().unwrap().iter().map(OsString::from).collect();
    let mut todo: Vec<Vec<u8>> = Vec::new();
    let mut hops = 1;
    let answer = |status, hops: usize| Answer { status, hops: hops.min(40), resolved: None };
    if !push(base, &mut at, &mut todo, text) {
        return answer(Status::Escape, hops);
    }
    while let Some(name) = todo.pop() {
        let here = at.iter().fold(base.to_path_buf(), |path, name| path.join(name));
        let is_dir = std::fs::symlink_metadata(&here).is_ok_and(|metadata| metadata.is_dir());
        if name == b".." || name.is_empty() {
            if !is_dir {
                todo.push(name);
                return answer(nowhere(at.len(), &todo), hops);
            }
            if name == b".." && at.pop().is_none() {
                return answer(Status::Escape, hops);
            }
            continue;
        }
        at.push(OsString::from_vec(name));
        let there = here.join(at.last().unwrap());
        let Ok(metadata) = std::fs::symlink_metadata(&there) else {
            return answer(nowhere(at.len(), &todo), hops);
        };
        if metadata.is_symlink() {
            hops += 1;
            if hops > 40 {
                return answer(Status::Loop, hops);
            }
            at.pop();
            let text = std::fs::read_link(&there).unwrap().into_os_string().into_vec();
            if !push(base, &mut at, &mut todo, &text) {
                return answer(Status::Escape, hops);
            }
        }
    }
    Answer { status: Status::Ok, hops, resolved: Some(at.iter().collect()) }
}

/// Through a missing component the rest is judged by spelling.
fn nowhere(mut depth: usize, todo: &[Vec<u8>]) -> Status {
    for name in todo.iter().rev() {
        match name.as_slice() {
            b".." if depth == 0 => return Status::Escape,
            b".." => depth -= 1,
            b"" => {}
            _ => depth += 1,
        }
    }
    Status::Dangling
}

/// Puts the components of a text on top, an empty one for "must be a directory"; false where it begins outside.
fn push(base: &Path, at: &mut Vec<OsString>, todo: &mut Vec<Vec<u8>>, text: &[u8]) -> bool {
    let mut text = text.to_vec();
    if text.starts_with(b"/") {
        let mut inside: Vec<&[u8]> = parts(&text);
        for part in parts(base.as_os_str().as_bytes()) {
            if inside.first() != Some(&part) {
                return false;
            }
            inside.remove(0);
        }
        let slash = text.ends_with(b"/") || text.ends_with(b"/.");
        let mut rest = inside.join(&b'/');
        if slash {
            rest.extend_from_slice(b"/");
        }
        at.clear();
        text = rest;
    }
    let slash = text.ends_with(b"/") || text.ends_with(b"/.");
    let names: Vec<Vec<u8>> = parts(&text).into_iter().map(<[u8]>::to_vec).collect();
    if slash {
        todo.push(Vec::new());
    }
    todo.extend(names.into_iter().rev());
    true
}

fn parts(text: &[u8]) -> Vec<&[u8]> {
    text.split(|b| *b == b'/').filter(|part| !part.is_empty() && *part != b".").collect()
}

/// A tree: for each path what is made there, if it can be.
#[derive(Clone, Debug)]
pub(crate) enum Made {
    Dir,
    File,
    Link(Vec<u8>),
}

pub(crate) fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => prop::sample::select(vec![b"a".to_vec(), b"b".to_vec(), b"c".to_vec()]),
        1 => prop::sample::select(vec![b"\xff".to_vec(), b"-n".to_vec(), b"a b\n".to_vec(), b"...".to_vec()]),
    ]
}

pub(crate) fn path() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(name(), 1..4)
}

fn text() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let part = prop_oneof![
        8 => name(),
        5 => Just(b"..".to_vec()),
        1 => Just(b".".to_vec()),
        1 => Just(Vec::new()),
    ];
    let parts = prop::collection::vec(part, 0..6);
    // What an absolute text begins with is known once the tree is there.
    let begins = prop_oneof![12 => Just(0_u8), 3 => Just(1), 1 => Just(2), 1 => Just(3)];
    (begins, parts, prop::bool::weighted(0.15)).prop_map(|(begins, parts, slash)| {
        let mut text = parts.join(&b'/');
        if slash {
            text.push(b'/');
        }
        (begins, text)
    })
}

fn entries() -> impl Strategy<Value = Vec<(Vec<Vec<u8>>, Made)>> {
    let made = prop_oneof![
        3 => Just(Made::Dir),
        2 => Just(Made::File),
        6 => text().prop_map(|(begins, text)| {
            let mut marked = vec![begins];
            marked.extend(text);
            Made::Link(marked)
        }),
    ];
    prop::collection::vec((path(), made), 1..28)
}

/// Makes what can be made; returns the links with their texts.
pub(crate) fn grow(tree: &Tree, entries: &[(Vec<Vec<u8>>, Made)]) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut links = BTreeMap::new();
    for (path, made) in entries {
        let path: PathBuf = path.iter().map(|name| OsString::from_vec(name.clone())).collect();
        let parent = path.parent().unwrap();
        let mut above = PathBuf::new();
        // Directories on the way are made where nothing is; a link there is not gone through.
        let ready = parent.iter().all(|name| {
            above.push(name);
            let at = tree.base.join(&above);
            let _there = std::fs::create_dir(&at);
            std::fs::symlink_metadata(at).is_ok_and(|metadata| metadata.is_dir())
        });
        let at = tree.base.join(&path);
        if !ready || std::fs::symlink_metadata(&at).is_ok() {
            continue;
        }
        match made {
            Made::Dir => std::fs::create_dir(at).unwrap(),
            Made::File => std::fs::write(at, "").unwrap(),
            Made::Link(marked) => {
                let (begins, rest) = marked.split_first().unwrap();
                let mut text = match begins {
                    0 => Vec::new(),
                    1 => [tree.base.as_os_str().as_bytes(), b"/"].concat(),
                    2 => b"/".to_vec(),
                    _ => [tree.canary.as_os_str().as_bytes(), b"/"].concat(),
                };
                text.extend_from_slice(rest);
                if text.is_empty() {
                    continue;
                }
                std::os::unix::fs::symlink(OsString::from_vec(text.clone()), at).unwrap();
                links.insert(path, text);
            }
        }
    }
    links
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_link_leads_where_a_naive_resolver_says(entries in entries()) {
        let tree = Tree::new();
        let links = grow(&tree, &entries);
        let answers: BTreeMap<_, _> =
            links.iter().map(|(link, text)| (link.clone(), naive(&tree.base, link, text))).collect();
        for (backend, root) in backends(&tree.root()).into_iter().take(2) {
            for options in ways() {
                let scanned = scan(&root, ".", options.clone());
                prop_assert!(scanned.summary.complete, "{}: {:?}", backend, scanned.errors);
                prop_assert_eq!(scanned.findings.len(), links.len());
                for (link, finding) in &scanned.findings {
                    let Answer { status, hops, resolved } = &answers[link];
                    let said = (finding.status, finding.hops, &finding.resolved);
                    prop_assert_eq!(said, (*status, *hops, resolved), "{} {:?}: {:?}", backend, options, finding);
                    prop_assert_eq!(finding.target.as_ref().unwrap().as_bytes(), &links[link]);
                }
            }
        }
    }
}

pub(crate) fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(192)
}
