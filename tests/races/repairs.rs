//! a repair changes nothing but what its scan saw.

#![cfg(feature = "cli")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use caplink::{Abilities, Kind, Repair, ScanOptions};

use super::arena::{Arena, WAYS, naive, patience, race, report, rounds};
use super::attacker::beside;
use super::support::snapshot::{residue, tree, without_directory_times};
use super::support::table::Row;

type Change = (&'static str, fn(&Path), Option<Kind>);

fn put(link: &Path, text: &str) {
    fs::remove_file(link).unwrap();
    symlink(text, link).unwrap();
}

/// What happens to a dangling link `l` after the scan, and the expected outcome of its repair.
const DANGLING: &[Change] = &[
    ("fixed", |root| put(&root.join("l"), "t"), Some(Kind::Mismatch)),
    ("changed", |root| put(&root.join("l"), "other"), Some(Kind::Mismatch)),
    ("leads out", |root| put(&root.join("l"), "../canary/secret"), Some(Kind::Mismatch)),
    ("its target came", |root| fs::write(root.join("gone"), "").unwrap(), Some(Kind::Mismatch)),
    ("its target came as a link", |root| symlink("t", root.join("gone")).unwrap(), Some(Kind::Mismatch)),
    ("its target leads out", |root| symlink("../canary", root.join("gone")).unwrap(), Some(Kind::Mismatch)),
    ("removed", |root| fs::remove_file(root.join("l")).unwrap(), Some(Kind::NotFound)),
    ("a file", |root| fs::rename(root.join("t"), root.join("l")).unwrap(), Some(Kind::NotALink)),
    ("the same again", |root| put(&root.join("l"), "gone"), None),
];

/// The same for a link `l` with a messy text.
const MESSY: &[Change] = &[
    ("changed", |root| put(&root.join("l"), "other//x"), Some(Kind::Mismatch)),
    ("tidied already", |root| put(&root.join("l"), "a/b"), Some(Kind::Mismatch)),
    ("removed", |root| fs::remove_file(root.join("l")).unwrap(), Some(Kind::NotFound)),
    (
        "a way round",
        |root| {
            fs::rename(root.join("a/b"), root.join("b")).unwrap();
            symlink("../b", root.join("a/b")).unwrap();
        },
        None,
    ),
];

#[test]
fn r_17_what_changed_after_it_was_found_is_left_alone() {
    race(|| {
        for (way, abilities, _) in WAYS {
            let row = Row::begin("R-17", way);
            for (text, repair, changes) in [
                ("gone", Repair::default().remove_dangling(true), DANGLING),
                ("gone", Repair::default().fallback("u"), DANGLING),
                ("gone", Repair::default().retarget("gone", "u"), &DANGLING[..2]),
                ("a//b", Repair::default().tidy(true), MESSY),
            ] {
                changes.iter().for_each(|change| repair_after(*abilities, text, &repair, *change));
            }
            row.held("");
        }
    });
}

fn repair_after(abilities: Abilities, text: &str, repair: &Repair, (change, makes, owed): Change) {
    let arena = Arena::new();
    symlink(text, arena.at("root/l")).unwrap();
    let (root, canary) = (arena.root(abilities), arena.canary());
    let found = root.scan(".", ScanOptions::default()).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    let edits: Vec<_> = found.iter().filter_map(|found| repair.plan(found, root.physical_path())).collect();
    assert_eq!(edits.len(), 1, "{text}: {found:?}");
    makes(&arena.at("root"));
    let before = without_directory_times(tree(&arena.at("root")));
    let result = root.apply_all(&edits).remove(0);
    assert_eq!(result.as_ref().map_err(|error| error.kind()).err(), owed, "{text}, {change}: {result:?}");
    if owed.is_some() {
        assert_eq!(without_directory_times(tree(&arena.at("root"))), before, "{text}, {change}");
    }
    assert_eq!(arena.canary(), canary);
}

/// So many that each stays unchanged for a while, and many change between scan and repair.
const LINKS: usize = 400;

fn links() -> Arena {
    let arena = Arena::new();
    for link in 0..LINKS {
        symlink("gone", arena.at(format!("root/a/{link}"))).unwrap();
    }
    arena
}

/// Somebody who repairs links and breaks them again, and keeps the text of each.
struct Other {
    last: Vec<String>,
    turn: usize,
}

impl Other {
    fn new() -> Other {
        Other { last: vec!["gone".to_owned(); LINKS], turn: 0 }
    }

    fn change_one(&mut self, arena: &Arena) {
        // All of them, in another order than that of a scan.
        let link = self.turn * 7 % LINKS;
        let text =
            if (self.turn / LINKS).is_multiple_of(2) { "../t".to_owned() } else { format!("gone-{}", self.turn) };
        let staged = arena.at("root/staged");
        symlink(&text, &staged).unwrap();
        fs::rename(&staged, arena.at(format!("root/a/{link}"))).unwrap();
        self.last[link] = text;
        self.turn += 1;
    }

    /// How many links that were repaired have another text now, beside those whose text was kept elsewhere.
    fn overwritten(&self, arena: &Arena, kept: &[String]) -> usize {
        let text = |link: usize| fs::read_link(arena.at(format!("root/a/{link}"))).unwrap();
        let repaired = (0..LINKS).filter(|link| self.last[*link] == "../t");
        let lost = repaired.filter(|link| text(*link) != Path::new("../t")).count();
        lost.saturating_sub(kept.iter().filter(|text| *text == "../t").count())
    }
}

/// Runs the program once, and counts; returns the texts of links that were kept under other names.
fn repair(arena: &Arena, replaced: &mut usize, refused: &mut BTreeMap<String, usize>) -> Vec<String> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_caplink"));
    program.arg("--json").arg("-C").arg(arena.at("root"));
    let output = program.args(["repair", "--durability", "none", "--fallback", "u", "a"]).output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one document");
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    *replaced += list(&answer["items"]).iter().filter(|item| item["outcome"] == "replaced").count();
    let (mut kept, mut kept_at) = (Vec::new(), Vec::new());
    for error in list(&answer["errors"]) {
        *refused.entry(error["kind"].as_str().unwrap().to_owned()).or_default() += 1;
        for name in list(&error["left"]) {
            assert!(kept_at.contains(&name), "what is left is not the program's own: {error}");
        }
        for name in list(&error["preserved"]) {
            kept_at.push(name.clone());
            let path = arena.at("root").join(name.as_str().unwrap());
            kept.push(fs::read_link(&path).unwrap().into_os_string().into_string().unwrap());
            fs::remove_file(path).unwrap();
        }
    }
    kept
}

#[test]
fn r_17_the_program_repairs_nothing_that_it_did_not_see() {
    race(|| {
        let row = Row::begin("R-17", "program");
        let (arena, mut other, begun) = (links(), Other::new(), Instant::now());
        let (mut replaced, mut refused, mut kept) = (0, BTreeMap::new(), Vec::new());
        let attacks = beside(
            || other.change_one(&arena),
            |_| {
                let mut runs = 0;
                while runs < rounds(100) || replaced == 0 || !refused.contains_key("mismatch") {
                    assert!(begun.elapsed() < patience(), "{replaced} replaced, {refused:?}");
                    kept.extend(repair(&arena, &mut replaced, &mut refused));
                    runs += 1;
                }
            },
        );
        assert_eq!(other.overwritten(&arena, &kept), 0, "links that were repaired were overwritten");
        assert!(residue(&tree(&arena.at("root"))).is_empty());
        assert!(
            refused.keys().all(|kind| ["mismatch", "contended", "residue"].contains(&kind.as_str())),
            "{refused:?}"
        );
        let sum: usize = refused.values().sum();
        let counted = format!("{attacks} attacks, {sum} refused, 0 retried, {replaced} succeeded");
        report(&format!("R-17 program: {counted} {refused:?}, {} kept", kept.len()));
        row.held(&counted);
    });
}

#[test]
fn r_17_with_plain_paths_what_was_repaired_is_overwritten() {
    race(|| {
        naive("R-17", || {
            let (arena, mut other) = (links(), Other::new());
            beside(
                || other.change_one(&arena),
                |_| {
                    for _ in 0..20 {
                        let broken = (0..LINKS).map(|link| arena.at(format!("root/a/{link}")));
                        for link in broken.filter(|link| !link.exists()).collect::<Vec<_>>() {
                            let staged = arena.at("root/repaired");
                            symlink("../u", &staged).unwrap();
                            fs::rename(staged, link).unwrap();
                        }
                    }
                },
            );
            other.overwritten(&arena, &[])
        });
    });
}
