//! Very deep paths and very few descriptors, each in its own process, since a limit is one of the process.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use cap_std::fs::Dir;
use caplink::{Edit, Effect, Kind, LinkPath, Policy, Root, Target};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::backend::BACKENDS;
use super::ground::{Case, descriptors, turn};
use super::privileges::in_a_process;
use super::support::file_systems::must;
use super::support::ground::{ground, temp_dir};
use super::support::snapshot::{residue, tree, without_directory_times};
use super::support::table::Row;

const DEPTH: usize = 2000;

const NAME: &str = "directory";

fn path(text: impl AsRef<std::ffi::OsStr>) -> LinkPath {
    LinkPath::new(text).expect("a plain path")
}

#[test]
fn o_04_a_path_longer_than_the_kernel_takes_works_with_few_descriptors() {
    let _turn = turn();
    let row = Row::begin("O-04", "all");
    let deep = temp_dir();
    let mut dir = Dir::open_ambient_dir(deep.path(), cap_std::ambient_authority()).unwrap();
    for _ in 0..DEPTH {
        dir.create_dir(NAME).unwrap();
        dir = dir.open_dir(NAME).unwrap();
    }
    dir.write("t", "t").unwrap();
    dir.write("u", "u").unwrap();
    in_a_process(&["prlimit", "--nofile=64"], "limits::deep_below", deep.path());
    let mut names: Vec<_> = dir.entries().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["t", "u"]);
    // The standard library keeps a descriptor per level.
    must("rm", &["-rf", deep.path().join(NAME).to_str().unwrap()]);
    row.held("");
}

#[test]
#[ignore = "is run by another test, with few descriptors"]
fn deep_below() {
    let parent = PathBuf::from(vec![NAME; DEPTH].join("/"));
    let (link, t, u) = (parent.join("l"), parent.join("t"), parent.join("u"));
    assert!(link.as_os_str().len() > 4096);
    for backend in BACKENDS.iter().filter(|backend| backend.refused.is_empty()) {
        let root = Root::open_ambient(ground(), Policy::default(), cap_std::ambient_authority()).unwrap();
        let root = backend.take(root);
        let before = descriptors();
        assert_eq!(root.create(&link, Target::relative(&t)).unwrap().target.as_deref(), Some("t".as_ref()));
        assert_eq!(root.ensure(&link, Target::relative(&u)).unwrap().effect, Effect::Replaced);
        assert_eq!(root.swap(&link, Target::relative(&t), "u").unwrap().effect, Effect::Replaced);
        assert_eq!(root.read_link(&link).unwrap(), "t");
        assert!(root.inspect(&link).unwrap().link.unwrap().resolved.unwrap() == t);
        assert_eq!(root.resolve(&link).unwrap().path, t);
        // From here the relative text would be longer than a link can store.
        let climbing = root.ensure(&link, Target::relative(".")).unwrap_err();
        assert_eq!(climbing.kind(), Kind::TooLong, "{climbing}");
        let missing = root.create(parent.join("missing/l"), Target::relative(&t)).unwrap_err();
        assert_eq!(missing.component().map(|component| component.index), Some(DEPTH));
        assert_eq!(root.remove(&link).unwrap().effect, Effect::Removed);
        assert_eq!(before, descriptors(), "{}", backend.name);
    }
}

type Op = (&'static str, fn(&Root) -> caplink::Result<()>);

const OPS: &[Op] = &[
    ("create", |root| root.create("d/new", Target::relative("t")).map(drop)),
    ("create -p", |root| root.apply(&Edit::create(path("d/n/m/l"), Target::relative("t")).parents(true)).map(drop)),
    ("ensure", |root| root.ensure("d/l", Target::relative("u")).map(drop)),
    ("swap", |root| root.swap("d/l", Target::relative("u"), "../t").map(drop)),
    ("swap through", |root| root.swap("d/l", Target::relative("alias"), "../t").map(drop)),
    ("remove", |root| root.remove("d/l").map(drop)),
    ("backup", |root| root.apply(&Edit::ensure(path("d/f"), Target::relative("t")).backup(true)).map(drop)),
    ("exchange", |root| root.exchange("d/l", "e/m").map(drop)),
    ("inspect", |root| root.inspect("chain").map(drop)),
    ("resolve", |root| root.resolve("chain").map(drop)),
    ("read_link", |root| root.read_link("d/l").map(drop)),
    ("subroot", |root| root.subroot("d").map(drop)),
];

/// Limits this process to so many further descriptors.
fn with_free<T>(count: usize, act: impl FnOnce() -> T) -> T {
    let all = getrlimit(Resource::Nofile);
    let open: BTreeSet<u64> = descriptors().into_keys().map(|fd| fd.parse().expect("a number")).collect();
    let limit = (0..).filter(|fd| !open.contains(fd)).nth(count);
    setrlimit(Resource::Nofile, Rlimit { current: limit, ..all }).expect("a limit is lowered");
    let result = act();
    setrlimit(Resource::Nofile, all).expect("a limit is raised again");
    result
}

#[test]
fn o_13_without_descriptors_the_state_is_the_old_one_or_the_new_one() {
    let _turn = turn();
    let row = Row::begin("O-13", "all");
    in_a_process(&["env"], "limits::with_few_descriptors", &ground());
    row.held("");
}

#[test]
#[ignore = "is run by another test, since a limit is that of a process"]
fn with_few_descriptors() {
    for (backend, shared) in BACKENDS.iter().filter(|backend| backend.refused.is_empty()).zip([true, false].repeat(9)) {
        for (verb, op) in OPS {
            for count in 0.. {
                let case = Case::new(*backend);
                case.dir("d");
                case.dir("e");
                for file in ["t", "u", "d/f"] {
                    case.file(file);
                }
                case.link("d/l", "../t");
                case.link("e/m", "../u");
                case.link("chain", "d/l");
                case.link("alias", "u");
                if shared {
                    for dir in ["d", "e"] {
                        fs::set_permissions(case.at(dir), fs::Permissions::from_mode(0o777)).unwrap();
                    }
                }
                let root = case.open(Policy::default());
                let before = without_directory_times(tree(&case.at("")));
                let result = with_free(count, || op(&root));
                let after = without_directory_times(tree(&case.at("")));
                let context = format!("{}, shared {shared}: {verb} with {count} free: {result:?}", backend.name);
                let Err(error) = result else {
                    assert!(residue(&after).is_empty(), "{context}: {:?}", residue(&after));
                    break;
                };
                if count > 1 && error.kind() == Kind::Unsupported {
                    break;
                }
                assert_eq!(error.kind(), Kind::FdExhausted, "{context}");
                let named: Vec<_> = error.left().iter().chain(error.preserved()).chain(error.made()).collect();
                for path in before.keys().chain(after.keys()) {
                    let same = before.get(path) == after.get(path);
                    assert!(same || named.contains(&path), "{context}: {path:?}: {:?}", case.names());
                }
                assert!(error.left().is_empty() && error.preserved().is_empty(), "{context}");
                assert!(count < 64, "{context}: it never works");
            }
        }
    }
}
