//! Calls that a filter refuses while the library runs, each with several errors.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;

use caplink::{Abilities, Edit, Effect, Guarantee, Kind, LinkPath, Outcome, Policy, Result, Root, Target};
use rustix::io::Errno;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use super::backend::{BACKENDS, Backend, NATIVE, refuse, run};
use super::ground::{Case, on_backends, on_every_backend, turn};
use super::support::rounds::Rounds;
use super::support::snapshot::{Node, residue, tree, without_directory_times};
use super::support::table::Row;

fn path(text: &str) -> LinkPath {
    LinkPath::new(text).expect("a plain path")
}

fn furnish(case: &Case) {
    case.dir("d");
    for file in ["t", "u", "d/f"] {
        case.file(file);
    }
    case.link("d/l", "../t");
    case.link("d/m", "../u");
}

#[test]
fn o_18_the_abilities_of_a_host_are_probed_by_trying() {
    on_every_backend("O-18", |case| {
        let root = Root::open_ambient(case.at(""), Policy::default(), cap_std::ambient_authority()).unwrap();
        let able = root.abilities();
        let expected = if case.backend.refused.is_empty() { Abilities::ALL } else { case.backend.abilities };
        assert_eq!(able, expected, "{}", case.backend.name);
        assert_eq!(root.with_abilities(case.backend.abilities).abilities(), case.backend.abilities);
        // An ability that was masked does not come back.
        let wide = root.with_abilities(case.backend.abilities).with_abilities(Abilities::ALL);
        assert_eq!(wide.abilities(), case.backend.abilities);
    });
}

#[test]
fn o_18_a_passing_refusal_is_no_lasting_downgrade() {
    on_backends("O-18p", NATIVE, |case| {
        furnish(case);
        let root = case.open(Policy::default());
        for (answer, kind) in [(Errno::PERM, Kind::Permission), (Errno::AGAIN, Kind::Contended)] {
            let before = without_directory_times(tree(&case.at("")));
            thread::scope(|scope| {
                scope.spawn(|| {
                    refuse(&[(libc::SYS_openat2, answer)]);
                    assert_eq!(root.create("d/new", Target::relative("t")).unwrap_err().kind(), kind);
                    assert_eq!(root.ensure("d/l", Target::relative("u")).unwrap_err().kind(), kind);
                });
            });
            assert_eq!(without_directory_times(tree(&case.at(""))), before);
        }
        assert!(root.abilities().confined_open);
        assert_eq!(root.create("d/new", Target::relative("t")).unwrap().effect, Effect::Created);
    });
}

#[test]
fn o_19_without_exchange_the_guarantee_is_cooperative() {
    on_every_backend("O-19", |case| {
        furnish(case);
        let able = case.backend.abilities;
        let context = |atomic: bool| if atomic { Guarantee::Atomic } else { Guarantee::Cooperative };
        let strict = Policy::default().cooperative(false);
        assert_eq!(case.done(|root| root.create("d/new", Target::relative("t"))).guarantee, Guarantee::Atomic);
        let made = case.done_as(strict, |root| root.create("d/strict", Target::relative("t")));
        assert_eq!(made.guarantee, Guarantee::Atomic);
        let ensure: Edit = Edit::ensure(path("d/new"), Target::relative("u")).into();
        let removal: Edit = Edit::remove(path("d/new")).into();
        for (edit, atomic) in [(&ensure, able.exchange), (&removal, able.no_replace)] {
            if !atomic {
                case.refused_as(strict, Kind::Unsupported, |root| root.preview(edit));
                case.refused_as(strict, Kind::Unsupported, |root| root.apply(edit));
            }
            let expected = case.watch(|root| root.preview(edit)).unwrap();
            let outcome = case.done(|root| root.apply(edit));
            assert_eq!((outcome.guarantee, expected.guarantee), (context(atomic), context(atomic)));
        }
        if !able.exchange {
            case.refused(Kind::Unsupported, |root| root.exchange("d/l", "d/m"));
            case.refused_as(strict, Kind::Unsupported, |root| root.exchange("d/l", "d/m"));
        }
    });
}

/// Refuses one flag of `renameat2`, and allows the other.
fn refuse_flag(flag: u64) {
    let condition = SeccompCondition::new(4, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, flag).unwrap();
    let rule = SeccompRule::new(vec![condition]).unwrap();
    let filter = SeccompFilter::new(
        BTreeMap::from([(libc::SYS_renameat2, vec![rule])]),
        SeccompAction::Allow,
        SeccompAction::Errno(Errno::INVAL.raw_os_error().unsigned_abs()),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

#[test]
fn o_19_each_flag_is_probed_by_itself() {
    let _turn = turn();
    let row = Row::begin("O-19f", "one flag");
    let (no_replace, exchange) = (1, 2);
    for (flag, able) in [
        (exchange, Abilities { exchange: false, ..Abilities::ALL }),
        (no_replace, Abilities { no_replace: false, ..Abilities::ALL }),
    ] {
        run(move || {
            let case = Case::new(Backend { name: "one flag", ..NATIVE[0] });
            furnish(&case);
            refuse_flag(flag);
            assert_eq!(case.open(Policy::default()).abilities(), able);
            let replaced = case.done(|root| root.ensure("d/l", Target::relative("u")));
            assert_eq!(replaced.guarantee == Guarantee::Atomic, able.exchange);
            let removed = case.done(|root| root.remove("d/l"));
            assert_eq!(removed.guarantee == Guarantee::Atomic, able.no_replace);
        });
    }
    row.held("");
}

type Op = (&'static str, fn(&Root) -> Result<Option<Outcome>>);

const OPS: &[Op] = &[
    ("create", |root| root.create("d/new", Target::relative("t")).map(Some)),
    ("create -p", |root| root.apply(&Edit::create(path("n/l"), Target::relative("t")).parents(true)).map(Some)),
    ("ensure", |root| root.ensure("d/l", Target::relative("u")).map(Some)),
    ("swap", |root| root.swap("d/l", Target::relative("u"), "../t").map(Some)),
    ("remove", |root| root.remove("d/l").map(Some)),
    ("backup", |root| root.apply(&Edit::ensure(path("d/f"), Target::relative("t")).backup(true)).map(Some)),
    ("exchange", |root| root.exchange("d/l", "d/m").map(Some)),
];

/// The calls that edits make, by their numbers.
const CALLS: &[(&str, &[i64])] = &[
    ("openat2", &[libc::SYS_openat2]),
    ("openat", &[libc::SYS_openat]),
    ("symlinkat", &[libc::SYS_symlinkat]),
    ("linkat", &[libc::SYS_linkat]),
    ("unlinkat", &[libc::SYS_unlinkat]),
    ("renameat", &[libc::SYS_renameat]),
    ("renameat2", &[libc::SYS_renameat2]),
    ("readlinkat", &[libc::SYS_readlinkat]),
    ("mkdirat", &[libc::SYS_mkdirat]),
    ("stat", &[libc::SYS_newfstatat, libc::SYS_fstat, libc::SYS_statx]),
    ("flock", &[libc::SYS_flock]),
    ("getrandom", &[libc::SYS_getrandom]),
];

/// The library tells the first three apart; `CAPLINK_ROUNDS=full` tries all.
const ANSWERS: &[Errno] = &[Errno::PERM, Errno::NOSYS, Errno::IO, Errno::NOSPC, Errno::MFILE, Errno::ROFS];

fn answers() -> &'static [Errno] {
    if Rounds::asked_for() == Rounds::Full { ANSWERS } else { &ANSWERS[..3] }
}

/// The paths at which two trees differ.
fn differences(before: &super::support::snapshot::Tree, after: &super::support::snapshot::Tree) -> Vec<PathBuf> {
    let mut paths: Vec<&PathBuf> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    let same = |path: &&PathBuf| without_names(before.get(*path)) == without_names(after.get(*path));
    paths.into_iter().filter(|path| !same(path)).cloned().collect()
}

/// A second name that stays changes the link count of the link itself.
fn without_names(node: Option<&Node>) -> Option<Node> {
    node.cloned().map(|node| Node { names: 0, ..node })
}

#[test]
fn o_19_whatever_call_is_refused_the_report_names_what_differs() {
    let _turn = turn();
    let row = Row::begin("O-19c", "each");
    let backends = BACKENDS.iter().filter(|backend| ["native", "no renameat2", "neither"].contains(&backend.name));
    let (mut refused, mut succeeded, mut left_over) = (0, 0, 0);
    for backend in backends {
        for (call, numbers) in CALLS {
            for answer in answers() {
                for (verb, op) in OPS {
                    let context = format!("{}: {verb} where {call} answers {answer:?}", backend.name);
                    let case = Case::new(*backend);
                    furnish(&case);
                    let before = without_directory_times(tree(&case.at("")));
                    let root = case.open(Policy::default());
                    let result = run(move || {
                        let calls: Vec<_> = numbers.iter().map(|number| (*number, *answer)).collect();
                        refuse(&calls);
                        op(&root)
                    });
                    let after = without_directory_times(tree(&case.at("")));
                    let changed = differences(&before, &after);
                    let mut named: Vec<PathBuf> = Vec::new();
                    match &result {
                        Ok(outcome) => {
                            let outcome = outcome.as_ref().expect("each of these changes something");
                            succeeded += 1;
                            named.push(outcome.link.as_path().to_path_buf());
                            named.extend(outcome.backup.iter().chain(&outcome.made).cloned());
                            for shortfall in &outcome.shortfalls {
                                left_over += 1;
                                named.extend(shortfall.left().iter().chain(shortfall.preserved()).cloned());
                            }
                            if *verb == "exchange" {
                                named.push("d/m".into());
                            }
                        }
                        Err(error) => {
                            refused += 1;
                            left_over += usize::from(!error.left().is_empty());
                            named.extend(error.left().iter().chain(error.preserved()).chain(error.made()).cloned());
                        }
                    }
                    for path in &changed {
                        assert!(named.contains(path), "{context}: {path:?} differs: {result:?}");
                    }
                    for path in residue(&after) {
                        assert!(named.contains(&path), "{context}: {path:?} is left over: {result:?}");
                    }
                    let lost = before.values().filter(|node| node.text.is_none());
                    for node in lost {
                        assert!(after.values().any(|now| now.id == node.id), "{context}: {node:?} is lost: {result:?}");
                    }
                }
            }
        }
    }
    assert!(refused > 0 && succeeded > 0 && left_over > 0, "{refused} {succeeded} {left_over}");
    row.held(&format!("{refused} refused, {succeeded} succeeded, {left_over} with something left"));
}
