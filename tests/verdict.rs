//! The outcomes of the named attacks: `S` paths, `O` objects, `R` races.
//!
//! Each has a test. The rows that `tests/attacks` and `tests/races` recorded in this run are printed as one table. Cargo
//! runs the test programs in the order of their names; this one comes last, and reads what the others recorded.

#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

#[path = "support"]
mod support {
    pub(crate) mod rows;
}

use support::rows;

/// Every named attack.
const ATTACKS: &str = "S-01 S-02 S-03 S-04 S-05 S-06 S-07 S-08 S-09 S-10 S-11 S-12 S-13 S-14 S-15 S-16 S-17 S-18 S-21 \
    O-01 O-02 O-03 O-04 O-05 O-07 O-08 O-10 O-11 O-13 O-14 O-15 O-16 O-17 O-18 O-19 O-20 O-21 O-22 O-24 \
    R-01 R-03 R-06 R-07 R-09 R-13 R-14 R-15 R-17 R-18 R-20 R-22 R-24";

/// Those that other tests play than `tests/attacks` and `tests/races`.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("R-14", "tests/scan/churn.rs", "a_scan_ends_where_ancestors_move_below_their_descendants"),
    ("R-14", "tests/scan/churn.rs", "directories_that_run_ahead_of_the_scan_do_not_keep_it_going"),
    ("R-14", "tests/scan/churn.rs", "what_comes_and_goes_is_seen_once_or_not_at_all"),
    ("R-15", "tests/scan/churn.rs", "a_directory_that_becomes_a_link_is_never_entered"),
    ("R-15", "tests/scan/churn.rs", "a_name_is_taken_for_what_it_is_when_its_turn_comes"),
    ("R-18", "tests/tracer/crashes.rs", "a_kill_before_any_call_leaves_old_or_new_and_can_be_gone_on_from"),
    ("O-02", "tests/tracer/traces.rs", "o_02_nothing_is_opened_but_to_be_named_or_as_a_directory"),
    ("O-20", "tests/tracer/traces.rs", "o_20_what_was_changed_is_synced_as_asked_for"),
    ("O-20", "tests/cli/faults.rs", "a_change_that_cannot_be_synced_stands_and_says_so"),
];

fn source(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The tests of a file, without those that other tests run.
fn tests(source: &str) -> BTreeSet<&str> {
    let bodies = source.split("#[test]\n").skip(1).filter(|body| !body.starts_with("#[ignore"));
    bodies.filter_map(|body| body.strip_prefix("fn ")?.split('(').next()).collect()
}

/// The attacks that the tests of a directory are named after: `s_01_…` is `S-01`.
fn played_in(dir: &str) -> BTreeSet<String> {
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(dir)).unwrap();
    let sources: Vec<String> = files.map(|file| source(file.unwrap().path())).collect();
    let names = sources.iter().flat_map(|source| tests(source));
    let known = names.filter_map(|name| {
        let (kind, rest) = name.split_once('_')?;
        let (number, _) = rest.split_once('_')?;
        Some(format!("{}-{number}", kind.to_uppercase()))
    });
    known.filter(|id| attacks().any(|attack| attack == id)).collect()
}

fn attacks() -> impl Iterator<Item = &'static str> {
    ATTACKS.split_whitespace()
}

#[test]
fn every_attack_that_is_known_by_name_has_a_test() {
    for (id, path, test) in ELSEWHERE {
        assert!(tests(&source(path)).contains(test), "{id}: {path} has no test {test}");
    }
    let mut played: BTreeSet<String> = ELSEWHERE.iter().map(|(id, ..)| (*id).to_owned()).collect();
    played.extend(played_in("tests/attacks"));
    played.extend(played_in("tests/races"));
    let missing: Vec<&str> = attacks().filter(|id| !played.contains(*id)).collect();
    assert!(missing.is_empty(), "nobody plays {missing:?}");
}

/// The attack that a row is about: `O-18p` is one of the cases of `O-18`.
fn attack(row: &str) -> &str {
    row.get(..4).unwrap_or(row)
}

/// The rows of this run; empty if nothing was recorded.
fn recorded() -> Vec<Vec<String>> {
    let rows = fs::read_to_string(rows::rows()).unwrap_or_default();
    rows.lines().map(|line| line.splitn(4, '\t').map(str::to_owned).collect()).collect()
}

#[test]
fn what_was_recorded_is_complete_and_shown() {
    let rows = recorded();
    let mut out = std::io::stderr().lock();
    if rows.is_empty() {
        clean_up();
        let _ = writeln!(out, "SKIPPED: the table of attacks, which none of the tests of this run recorded");
        return;
    }
    let _ = writeln!(out, "\n{:<6} | {:<21} | {:<7} | outcome", "attack", "backend", "on");
    let elsewhere = |(id, path, test): &(&str, &str, &str)| {
        let words = [(*id).to_owned(), "-".to_owned(), "-".to_owned(), format!("{path}: {test}")];
        words.to_vec()
    };
    let mut table: Vec<Vec<String>> = ELSEWHERE.iter().map(elsewhere).collect();
    table.extend(rows.iter().cloned());
    table.sort_by_key(|row| (attack(&row[0]).to_owned(), row.clone()));
    for row in &table {
        let _ = writeln!(out, "{:<6} | {:<21} | {:<7} | {}", row[0], row[1], row[2], row[3]);
    }
    let has = |id: &str| rows.iter().any(|row| attack(&row[0]) == id);
    for (suite, first) in [("tests/attacks", "S-01"), ("tests/races", "R-01")] {
        // A suite that was not run in full, because a filter was given or it failed, did not record its first row.
        let missing: Vec<String> = played_in(suite).into_iter().filter(|id| has(first) && !has(id)).collect();
        assert!(missing.is_empty(), "{suite} recorded nothing of {missing:?}");
    }
    let failed: Vec<_> = rows.iter().filter(|row| row[3] == "FAILED").collect();
    assert!(failed.is_empty(), "{failed:?}");
    clean_up();
}

/// Removes the rows of runs that are over, and those of this one.
fn clean_up() {
    let mine: PathBuf = rows::rows();
    for file in fs::read_dir(mine.parent().unwrap()).unwrap().flatten() {
        let name = file.file_name().into_string().unwrap_or_default();
        let Some(process) = name.strip_prefix("rows-").and_then(|rest| rest.split('-').next()) else { continue };
        if file.path() == mine || !Path::new("/proc").join(process).exists() {
            let _ = fs::remove_file(file.path());
        }
    }
}
