//! Directories that take two names for one where they differ in case only, on file systems that this host can mount.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use cap_std::ambient_authority;
use caplink::manage::{Manifests, PlanOptions};
use caplink::records::Author;
use caplink::{Kind, Policy, Root};

use super::good;

/// A file system with a directory that does not tell cases apart, until this is dropped.
struct Folding {
    point: tempfile::TempDir,
    _image: tempfile::NamedTempFile,
}

impl Drop for Folding {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("-l").arg(self.point.path()).output();
    }
}

/// How such a file system is made on an image, and mounted.
const WAYS: [(&[&str], &[&str]); 3] = [
    (&[], &["-t", "tmpfs", "-o", "casefold,size=16m", "none"]),
    (&["mkfs.ext4", "-q", "-F", "-O", "casefold"], &["-t", "ext4", "-o", "loop"]),
    (&["mkfs.xfs", "-q", "-n", "version=ci"], &["-t", "xfs", "-o", "loop"]),
];

impl Folding {
    /// The first that this host has.
    fn mounted() -> Option<Folding> {
        let done = |words: &[&str], more: &[&Path]| {
            let Some((program, words)) = words.split_first() else { return true };
            Command::new(program).args(words).args(more).output().is_ok_and(|output| output.status.success())
        };
        for (make, mount) in WAYS {
            let folding =
                Folding { point: tempfile::tempdir().unwrap(), _image: tempfile::NamedTempFile::new().unwrap() };
            let image = folding._image.path();
            folding._image.as_file().set_len(400 << 20).unwrap();
            let point = folding.point.path();
            let source: &[&Path] = if make.is_empty() { &[point] } else { &[image, point] };
            if !done(make, &[image]) || !done(&[&["mount"], mount].concat(), source) {
                continue;
            }
            fs::create_dir(folding.root()).unwrap();
            // Where a whole file system folds, none can be asked for it.
            let _flagged = Command::new("chattr").arg("+F").arg(folding.root()).output();
            fs::write(folding.root().join("Probe"), "").unwrap();
            if folding.root().join("PROBE").exists() {
                fs::remove_file(folding.root().join("Probe")).unwrap();
                return Some(folding);
            }
        }
        let _ = writeln!(std::io::stderr(), "SKIPPED: names that differ in case only: no file system here folds them");
        None
    }

    fn root(&self) -> PathBuf {
        self.point.path().join("root")
    }
}

#[test]
fn two_entries_that_a_directory_takes_for_one_are_a_conflict_and_nothing_is_made() {
    let Some(folding) = Folding::mounted() else { return };
    fs::create_dir(folding.root().join("src")).unwrap();
    fs::write(folding.root().join("src/a"), "").unwrap();
    let root = Root::open_ambient(folding.root(), Policy::default(), ambient_authority()).unwrap();
    let manifest = good("source = 'src'\n[links]\nReadme = 'a'\nREADME = 'a'\n'd/Link' = 'a'\n'd/link' = 'a'\n");
    let apply = || {
        let manifests = Manifests::open(&root).unwrap();
        let planned = manifests.plan(&manifest, &PlanOptions::default()).unwrap_or_else(|error| panic!("{error}"));
        let told: Vec<(String, Kind)> =
            planned.plan.conflicts().map(|step| (step.link.to_string(), step.error().unwrap().kind())).collect();
        (manifests.apply(&planned, &Author::default()).unwrap().stands, told)
    };
    // `src` is there and tells how the root folds; of `d`, which is not, nothing is known.
    let both = vec![("README".to_owned(), Kind::Exists), ("Readme".to_owned(), Kind::Exists)];
    assert_eq!(apply(), (false, both));
    assert!(!folding.root().join("Readme").exists() && !folding.root().join("d").exists());
    // An empty directory does not say; there the second link meets the first, and both are taken back.
    let manifest = good("source = 'src'\n[links]\n'd/Link' = 'a'\n'd/link' = 'a'\n");
    let manifests = Manifests::open(&root).unwrap();
    let planned = manifests.plan(&manifest, &PlanOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    assert!(!manifests.apply(&planned, &Author::default()).unwrap().stands);
    assert!(!folding.root().join("d").exists());
}
