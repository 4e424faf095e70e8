//! What holds of manifests that are applied to real trees, on random trees, manifests and histories.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use caplink::manage::{Action, Facts, Manifest, ManifestStep, Manifests, Note, PlanOptions, Planned};
use caplink::records::Author;
use caplink::{Durability, Policy, Root};
use proptest::prelude::*;

const PATHS: &[&str] = &["a", "a/x", "a/y", "a/y/z", "b", "b/c", "b/c/d", "b/e", "f"];
const SOURCES: &[&str] = &["one", "two", "sub", "gone"];
const POLICIES: &[&str] = &["refuse", "replace", "backup", "skip"];

/// What happens next.
#[derive(Clone, Debug)]
enum Event {
    /// A manifest is applied.
    Apply { manifest: usize, entries: Vec<(usize, usize, u8)>, policy: usize },
    /// A manifest is taken back.
    TakeBack(usize),
    /// A person puts something there.
    Put(usize, u8, usize),
    /// A person takes something away.
    Take(usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let entries = || prop::collection::vec((0..PATHS.len(), 0..SOURCES.len(), any::<u8>()), 0..5);
    let event = prop_oneof![
        5 => (0..2_usize, entries(), 0..POLICIES.len())
            .prop_map(|(manifest, entries, policy)| Event::Apply { manifest, entries, policy }),
        1 => (0..2_usize).prop_map(Event::TakeBack),
        3 => (0..PATHS.len(), any::<u8>(), 0..SOURCES.len()).prop_map(|(path, kind, to)| Event::Put(path, kind, to)),
        1 => (0..PATHS.len()).prop_map(Event::Take),
    ];
    prop::collection::vec(event, 1..8)
}

/// A manifest without a link twice or below another.
fn manifest(number: usize, entries: &[(usize, usize, u8)], policy: usize) -> Manifest {
    let mut text =
        format!("version = 1\nname = 'm{number}'\nsource = 'src'\ndefaults.on_conflict = '{}'\n", POLICIES[policy]);
    let mut taken: Vec<&Path> = Vec::new();
    for (path, to, bits) in entries {
        let path = Path::new(PATHS[*path]);
        if taken.iter().any(|other| other.starts_with(path) || path.starts_with(other)) {
            continue;
        }
        taken.push(path);
        let _ = match bits % 5 {
            0 => writeln!(text, "[[absent]]\nat = '{}'", path.display()),
            _ => writeln!(text, "[[link]]\nat = '{}'\nto = '{}'", path.display(), SOURCES[*to]),
        };
        if bits % 5 != 0 && bits % 2 == 0 {
            text.push_str("allow_dangling = true\n");
        }
    }
    Manifest::parse(text.as_bytes(), &Facts::default()).unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"))
}

/// What an entry is: what it holds, and the inode with the time of its last change.
type Entry = (String, (u64, i64, i64));

struct Site {
    dir: tempfile::TempDir,
    root: Root,
}

impl Site {
    fn new() -> Site {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("src/sub")).unwrap();
        for name in ["one", "two"] {
            fs::write(dir.path().join("src").join(name), name).unwrap();
        }
        let root = Root::open_ambient(dir.path(), Policy::default(), ambient_authority()).unwrap();
        Site { dir, root }
    }

    /// Every entry, also of the records.
    fn all(&self) -> BTreeMap<PathBuf, Entry> {
        let entries = walkdir::WalkDir::new(self.dir.path()).into_iter().map(Result::unwrap);
        let entry = |entry: walkdir::DirEntry| {
            let metadata = entry.metadata().unwrap();
            let what = match entry.file_type() {
                kind if kind.is_dir() => "dir".to_owned(),
                kind if kind.is_file() => fs::read_to_string(entry.path()).unwrap(),
                _ => format!("-> {}", fs::read_link(entry.path()).unwrap().display()),
            };
            let path = entry.path().strip_prefix(self.dir.path()).unwrap().to_path_buf();
            (path, (what, (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())))
        };
        entries.map(entry).collect()
    }

    /// What every entry holds, but for the records.
    fn tree(&self) -> BTreeMap<PathBuf, String> {
        let own = self.all().into_iter().filter(|(path, _)| !path.starts_with(".caplink"));
        own.map(|(path, (what, _))| (path, what)).collect()
    }

    fn manifests(&self) -> Manifests {
        Manifests::open(&self.root).unwrap()
    }

    fn plan(&self, manifest: &Manifest) -> Planned {
        self.manifests().plan(manifest, &PlanOptions::default()).unwrap_or_else(|unplanned| panic!("{unplanned}"))
    }

    fn carry(&self, planned: &Planned) -> bool {
        let applied = self.manifests().carry(planned, &Author::default(), Durability::None, false).unwrap();
        assert!(applied.stands || planned.plan.conflicts().next().is_some(), "{:#?}\n{applied:#?}", planned.plan.steps);
        applied.stands
    }

    fn put(&self, path: &str, kind: u8, to: usize) {
        let at = self.dir.path().join(path);
        let above = at.parent().expect("it is below the root").symlink_metadata();
        let real = above.is_ok_and(|metadata| metadata.is_dir());
        if !real || at.symlink_metadata().is_ok() {
            return;
        }
        match kind % 3 {
            0 => fs::create_dir(at).unwrap(),
            1 => fs::write(at, format!("{path} {kind}")).unwrap(),
            _ => symlink(format!("person/{}", SOURCES[to]), at).unwrap(),
        }
    }

    fn take(&self, path: &str) {
        let at = self.dir.path().join(path);
        let _ = match at.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => fs::remove_dir(&at),
            Ok(_) => fs::remove_file(&at),
            Err(_) => Ok(()),
        };
    }
}

/// The links that each manifest made and that are as it made them, by the plans that take them back.
fn own(site: &Site, number: usize) -> BTreeSet<PathBuf> {
    let back = site.manifests().plan_back(&format!("m{number}")).unwrap();
    // What the other one relies on as well stays, and is still this one's.
    let is_own = |step: &&ManifestStep| match step.action {
        Action::Remove | Action::Replace => true,
        _ => step.note == Note::Claimed,
    };
    back.plan.steps.iter().filter(is_own).map(|step| step.link.as_path().to_path_buf()).collect()
}

fn follow(events: &[Event]) {
    let site = Site::new();
    for event in events {
        match event {
            Event::Put(path, kind, to) => site.put(PATHS[*path], *kind, *to),
            Event::Take(path) => site.take(PATHS[*path]),
            Event::TakeBack(number) => {
                let others = own(&site, 1 - number);
                assert!(site.carry(&site.manifests().plan_back(&format!("m{number}")).unwrap()));
                assert!(others.is_subset(&own(&site, 1 - number)), "{events:#?}");
            }
            Event::Apply { manifest: number, entries, policy } => apply(&site, *number, entries, *policy),
        }
    }
}

fn apply(site: &Site, number: usize, entries: &[(usize, usize, u8)], policy: usize) {
    let manifest = manifest(number, entries, policy);
    let (before, others, mine) = (site.all(), own(site, 1 - number), own(site, number));
    let planned = site.plan(&manifest);
    if !site.carry(&planned) {
        assert_eq!(site.all(), before, "a refused plan leaves the tree untouched");
        return;
    }
    let again = site.plan(&manifest);
    assert!(again.plan.is_empty(), "{:#?}\nthen\n{:#?}", planned.plan.steps, again.plan.steps);
    let after = site.all();
    assert!(site.carry(&again));
    assert_eq!(site.all(), after, "the second time nothing is written");
    assert!(others.is_subset(&own(site, 1 - number)), "a manifest takes nothing from another");
    // Whatever changed is a step of the plan, and a person's link or file goes nowhere but where a step says so.
    let steps = &planned.plan.steps;
    for (path, (what, _)) in before.iter().filter(|(path, _)| !path.starts_with(".caplink")) {
        if after.get(path).is_some_and(|(now, _)| now == what) {
            continue;
        }
        let is_link = what.starts_with("-> ");
        let kept = || policy == 2 && after.values().any(|(now, _)| now == what);
        let allows = |step: &&ManifestStep| match step.action {
            Action::Replace => {
                step.link.as_path() == path && (mine.contains(path) || (is_link && (policy == 1 || policy == 2)))
            }
            Action::Remove => step.link.as_path() == path && is_link,
            Action::Rmdir => step.link.as_path() == path && what == "dir",
            // What is below a directory goes along with it.
            Action::Backup => path.starts_with(&step.link) && kept(),
            _ => false,
        };
        assert!(steps.iter().any(|step| allows(&step)), "{path:?}: {what}\n{steps:#?}");
    }
}

#[test]
fn a_plan_without_steps_tells_the_records_nothing() {
    let site = Site::new();
    symlink("src/one", site.dir.path().join("a")).unwrap();
    assert!(site.carry(&site.plan(&manifest(0, &[(0, 0, 1)], 0))), "it is found and relied on");
    let before = site.all();
    let nothing = manifest(0, &[], 0);
    assert!(!site.plan(&nothing).is_at_rest(), "with steps it is not relied on any more");
    let mut options = PlanOptions::default();
    options.steps = false;
    let planned = site.manifests().plan(&nothing, &options).unwrap();
    assert!(planned.is_at_rest());
    assert!(site.carry(&planned));
    assert_eq!(site.all(), before);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_manifest_that_was_applied_leaves_nothing_to_do_and_takes_nothing_of_others(events in events()) {
        follow(&events);
    }

    #[test]
    fn a_manifest_that_is_taken_back_leaves_the_tree_from_before(
        put in prop::collection::vec((0..PATHS.len(), any::<u8>(), 0..SOURCES.len()), 0..6),
        entries in prop::collection::vec((0..PATHS.len(), 0..SOURCES.len(), any::<u8>()), 1..5),
        policy in 0..POLICIES.len(),
    ) {
        let site = Site::new();
        for (path, kind, to) in put {
            site.put(PATHS[path], kind, to);
        }
        let before = site.tree();
        let planned = site.plan(&manifest(0, &entries, policy));
        if site.carry(&planned) {
            prop_assert!(site.carry(&site.manifests().plan_back("m0").unwrap()));
        }
        prop_assert_eq!(site.tree(), before, "{:#?}", planned.plan.steps);
    }
}
