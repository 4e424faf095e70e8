//! The house rules, held against the sources: who may know whom, and where the outside world may be touched.
//!
//! The sources are read as text, without comments, the contents of strings and their test modules. That is enough to
//! see a word or an import; it is no parser, and a macro that pastes names together gets by.

mod code;
mod faults;
mod files;
mod rules;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use rules::RULES;
use source::Source;

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    let mut dirs: Vec<PathBuf> =
        ["src", "tests", "benches", "examples"].iter().map(|dir| package().join(dir)).collect();
    while let Some(dir) = dirs.pop() {
        let Ok(entries) = fs::read_dir(&dir) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below: Vec<_> =
                    path.strip_prefix(package()).unwrap().iter().map(|name| name.to_string_lossy()).collect();
                sources.push(Source::new(&below.join("/"), &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    sources
}

#[test]
fn the_sources_keep_the_house_rules() {
    let sources = sources();
    assert!(sources.len() > 50, "the sources were not found");
    let broken: Vec<String> = RULES
        .iter()
        .flat_map(|(name, rule)| sources.iter().flat_map(rule).map(move |breach| format!("{name}: {breach}")))
        .collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// One file a rule that breaks it, and one that looks like it and does not.
#[test]
fn every_rule_sees_its_breach() {
    let long = "//! Long.\n".repeat(401);
    let breaches: &[(&str, &str, &[&str], &[&str])] = &[
        (
            "imports run one way",
            "src/model/edit.rs",
            &[
                "use crate::root::Root;",
                "pub use crate::{error::Kind, sys::{self, Stat}};",
                "use super::super::sys;",
                "fn f() -> crate::entry::Entry {}",
                "use crate::Root;",
            ],
            &[
                "use super::path; use crate::error::Kind;",
                "/// [`crate::root`]",
                "#[cfg(test)]\nmod tests {\nuse crate::root;",
            ],
        ),
        ("imports run one way", "src/inspect/mod.rs", &["use crate::exec::Exchange;"], &["use crate::entry;"]),
        ("imports run one way", "src/novelty.rs", &["use std::io;"], &[]),
        ("decisions are pure", "src/plan/mod.rs", &["use std::time::SystemTime;"], &["use std::path::Path;"]),
        (
            "only sys knows the system",
            "src/entry.rs",
            &["use rustix::fs;", "#[cfg(target_os = \"linux\")]", "use std::os::fd::AsFd;"],
            &["// rustix", "let rustixes = \"rustix\";"],
        ),
        ("only sys knows the system", "src/cli/inherited.rs", &["rustix::io::close(3)"], &["nix::unistd::close(3)"]),
        ("only sys knows the system", "src/cli/exit.rs", &["nix::unistd::close(3)"], &["unix"]),
        (
            "ambient authority has two places",
            "src/exec/mod.rs",
            &["let a = cap_std::ambient_authority();", "use std::fs;", "path.canonicalize()", "use std::env;"],
            &["//! `ambient_authority`", "let a = '\"'; let b = \"std::fs\";"],
        ),
        (
            "ambient authority has two places",
            "src/cli/verbs/scan.rs",
            &["std::fs::read(path)"],
            &["std::env::args_os()"],
        ),
        (
            "ambient authority has two places",
            "src/cli/inherited.rs",
            &["Dir::open_ambient_dir(path)"],
            &["fs::metadata(dir)"],
        ),
        ("the library is quiet", "src/exec/mod.rs", &["println!();", "io::stderr()"], &["/// println!()"]),
        ("files stay short", "tests/verbs.rs", &[&long], &["//! Short."]),
        (
            "the program uses the public face",
            "src/cli/verbs/scan.rs",
            &["use crate::sys::Stat;", "#[path = \"../sys/mod.rs\"]", "use caplink::adversary::World;"],
            &["use crate::cli::args; use caplink::Root;"],
        ),
        ("every file says what it is for", "src/entry.rs", &["use std::io;", "// A comment."], &["//! An entry."]),
        (
            "nothing gives up in surprise",
            "src/entry.rs",
            &["x.unwrap();", "todo!()", "x.expect(\"it is there\")", "unreachable!()"],
            &[
                "x.expect(\"BUG: it is there\")",
                "x.expect(\n\"BUG: it is there\")",
                "x.unwrap_or(1)",
                "edit.expect(text)",
            ],
        ),
    ];
    for (name, path, breaking, keeping) in breaches {
        let rule = RULES.iter().find(|(rule, _)| rule == name).unwrap().1;
        for code in *breaking {
            assert!(!rule(&Source::new(path, code)).is_empty(), "{name}: not seen: {code}");
        }
        for code in *keeping {
            assert_eq!(rule(&Source::new(path, code)), Vec::<String>::new(), "{name}: {code}");
        }
    }
    for (name, _) in RULES {
        assert!(breaches.iter().any(|(breach, ..)| breach == name), "{name} is never broken here");
    }
}

/// What may stand at the top of the package, beside dotfiles and what cargo makes.
const TOP: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "benches",
    "examples",
    "fuzz",
    "python",
    "src",
    "target",
    "tests",
];

#[test]
fn the_top_of_the_package_stays_tidy() {
    let names = fs::read_dir(package()).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let untidy: Vec<String> = names.filter(|name| !name.starts_with('.') && !TOP.contains(&name.as_str())).collect();
    assert!(untidy.is_empty(), "{untidy:?}");
}

/// What is claimed names the test that shows it, by its whole name.
#[test]
fn every_test_that_a_document_names_is_there() {
    let sources = sources();
    let mut named = 0;
    for document in ["README.md", "SECURITY.md"] {
        let text = fs::read_to_string(package().join(document)).unwrap();
        let is_test = |word: &&str| {
            word.matches('_').count() >= 3
                && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        for test in text.split('`').filter(is_test) {
            let definition = format!("fn {test}(");
            assert!(sources.iter().any(|source| source.raw.contains(&definition)), "{document}: {test}");
            named += 1;
        }
    }
    assert!(named > 10, "{named} tests are named");
}
