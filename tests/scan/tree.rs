//! A tree with a neighbour that nobody may touch, and scans of it on every backend.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cap_tempfile::{TempDir, ambient_authority};
use caplink::{Abilities, Error, Finding, Policy, Root, ScanOptions, Summary};

use super::support::cap_ground::temp_dir;

/// `base` is the root; `canary` is beside it.
pub(crate) struct Tree {
    _kept: TempDir,
    pub(crate) base: PathBuf,
    pub(crate) canary: PathBuf,
}

impl Tree {
    pub(crate) fn new() -> Tree {
        let kept = temp_dir();
        // The path of what was just made is that of its only descriptor.
        let path = path_of(&kept);
        let (base, canary) = (path.join("base"), path.join("canary"));
        std::fs::create_dir(&base).unwrap();
        std::fs::create_dir(&canary).unwrap();
        std::fs::write(canary.join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink("secret-text", canary.join("secret-link")).unwrap();
        Tree { _kept: kept, base, canary }
    }

    pub(crate) fn dir(&self, path: &str) -> &Tree {
        std::fs::create_dir_all(self.base.join(path)).unwrap();
        self
    }

    pub(crate) fn file(&self, path: &str) -> &Tree {
        std::fs::write(self.base.join(path), "").unwrap();
        self
    }

    pub(crate) fn link(&self, path: &str, text: impl AsRef<Path>) -> &Tree {
        std::os::unix::fs::symlink(text, self.base.join(path)).unwrap();
        self
    }

    pub(crate) fn root(&self) -> Root {
        self.root_with(Policy::default())
    }

    pub(crate) fn root_with(&self, policy: Policy) -> Root {
        Root::open_ambient(&self.base, policy, ambient_authority()).unwrap()
    }
}

fn path_of(dir: &TempDir) -> PathBuf {
    use std::os::fd::{AsFd as _, AsRawFd as _};
    let fd = dir.as_fd().as_raw_fd();
    std::fs::read_link(format!("/proc/self/fd/{fd}")).unwrap()
}

/// The same root as a strong host and as weaker ones would have it.
pub(crate) fn backends(root: &Root) -> Vec<(&'static str, Root)> {
    let weaker = Abilities { confined_open: false, ..Abilities::ALL };
    let weakest = Abilities { confined_open: false, exchange: false, no_replace: false };
    vec![
        ("native", root.clone()),
        ("without openat2", root.with_abilities(weaker)),
        ("without openat2 and renameat2", root.with_abilities(weakest)),
    ]
}

/// The ways to scan that must come to the same findings.
pub(crate) fn ways() -> Vec<ScanOptions> {
    let options = ScanOptions::default;
    vec![options(), options().sorted(true), options().jobs(2), options().jobs(5)]
}

/// A scan from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) findings: BTreeMap<PathBuf, Finding>,
    pub(crate) order: Vec<PathBuf>,
    pub(crate) errors: Vec<Error>,
    pub(crate) summary: Summary,
}

/// Scans, and checks what is true of every scan: each link once, and a summary that adds up.
pub(crate) fn scan(root: &Root, dir: &str, options: ScanOptions) -> Scanned {
    let mut scan = root.scan(dir, options).unwrap();
    let mut scanned =
        Scanned { findings: BTreeMap::new(), order: Vec::new(), errors: Vec::new(), summary: Summary::default() };
    for found in &mut scan {
        match found {
            Ok(finding) => {
                let path = finding.link.as_path().to_path_buf();
                scanned.order.push(path.clone());
                let twice = scanned.findings.insert(path.clone(), finding);
                assert!(twice.is_none(), "{path:?} was reported twice");
            }
            Err(error) => scanned.errors.push(error),
        }
    }
    scanned.summary = scan.summary();
    let summary = &scanned.summary;
    let links = u64::try_from(scanned.findings.len()).unwrap();
    let by_status: u64 = caplink::Status::ALL.iter().map(|status| summary.with_status(*status)).sum();
    assert_eq!((summary.links, by_status), (links, links));
    for of in caplink::Trait::ALL {
        let having = scanned.findings.values().filter(|finding| finding.traits.contains(*of)).count();
        assert_eq!(summary.with_trait(*of), u64::try_from(having).unwrap(), "{of:?}");
    }
    assert!(summary.entries >= summary.links);
    assert!(scanned.errors.is_empty() || !summary.complete);
    scanned
}

/// Says aloud that a test did nothing.
pub(crate) fn skipped(test: &str, reason: &str) {
    // Past the capture of the test harness.
    let line = format!("SKIPPED: {test}: {reason}\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
}
