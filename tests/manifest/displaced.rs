//! What an `[[absent]]` link had is put back by `unapply`, whatever stood in its place meanwhile.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use cap_std::ambient_authority;
use caplink::manage::{Manifest, Manifests, PlanOptions};
use caplink::records::{Author, Records};
use caplink::{Policy, Root};

use super::facts;

struct Site {
    dir: tempfile::TempDir,
    root: Root,
}

impl Site {
    /// A link of a person.
    fn new() -> Site {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        symlink("theirs", dir.path().join("old")).unwrap();
        let root = Root::open_ambient(dir.path(), Policy::default(), ambient_authority()).unwrap();
        Site { dir, root }
    }

    /// Applies a manifest; returns its group.
    fn apply(&self, entries: &str) -> String {
        let text = format!("version = 1\nname = \"m\"\n{entries}");
        let manifest = Manifest::parse(text.as_bytes(), &facts()).unwrap();
        let manifests = Manifests::open(&self.root).unwrap();
        let planned = manifests.plan(&manifest, &PlanOptions::default()).unwrap();
        let applied = manifests.apply(&planned, &Author::default()).unwrap();
        assert!(applied.stands, "{entries}: {:?}", applied.results);
        applied.group
    }

    fn unapply(&self) {
        let manifests = Manifests::open(&self.root).unwrap();
        let applied = manifests.apply(&manifests.plan_back("m").unwrap(), &Author::default()).unwrap();
        assert!(applied.stands, "{:?}", applied.results);
    }

    fn undo(&self, group: &str) {
        let records = Records::open(&self.root).unwrap().unwrap();
        let undoing = records.undoing(group).unwrap();
        assert!(self.root.apply_group(&records, &Author::default(), &undoing).unwrap().stands);
    }

    fn old(&self) -> Option<String> {
        fs::read_link(self.dir.path().join("old")).ok().map(|text| text.display().to_string())
    }

    fn is_free(&self) -> bool {
        fs::symlink_metadata(self.dir.path().join("old")).is_err()
    }
}

const ABSENT: &str = "[[absent]]\nat = \"old\"\n";
const BELOW: &str = "[links]\n\"old/link\" = \"file\"\n";
const IN_ITS_PLACE: &str = "[links]\n\"old\" = \"file\"\n";
const ELSEWHERE: &str = "[links]\n\"link\" = \"file\"\n";

#[test]
fn a_directory_in_the_place_of_an_absent_link_is_pruned_and_the_link_is_put_back() {
    let site = Site::new();
    let _ = site.apply(ABSENT);
    let _ = site.apply(BELOW);
    assert!(Path::is_dir(&site.dir.path().join("old")));
    let _ = site.apply(ELSEWHERE);
    assert!(site.is_free(), "the directory is pruned");
    site.unapply();
    assert_eq!(site.old().as_deref(), Some("theirs"));
}

#[test]
fn what_is_undone_in_the_place_of_an_absent_link_leaves_it_to_be_put_back() {
    for entries in [BELOW, IN_ITS_PLACE] {
        let site = Site::new();
        let _ = site.apply(ABSENT);
        let group = site.apply(entries);
        site.undo(&group);
        assert!(site.is_free());
        site.unapply();
        assert_eq!(site.old().as_deref(), Some("theirs"), "{entries}");
    }
}

#[test]
fn an_absent_link_whose_removal_is_undone_is_a_persons_again() {
    let site = Site::new();
    let group = site.apply(ABSENT);
    site.undo(&group);
    fs::remove_file(site.dir.path().join("old")).unwrap();
    site.unapply();
    assert!(site.is_free(), "the manifest has nothing to do with it any more");
}
