//! A tree that is watched, and what was told of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use caplink::watch::{Event, Lost, Watch, WatchOptions, What};
use caplink::{Policy, Root, ScanOptions, Status, Summary, Trait, ambient_authority};

/// How long an event is waited for at most; the machine may be slow.
const LONG: Duration = Duration::from_secs(60);

pub(crate) struct Ground {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) root: Root,
}

impl Ground {
    /// `releases/1`, `releases/2`, `file`.
    pub(crate) fn new() -> Ground {
        Ground::in_dir(tempfile::tempdir().unwrap())
    }

    /// In memory where possible: nothing is faster.
    pub(crate) fn in_memory() -> Ground {
        Ground::in_dir(tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap())
    }

    fn in_dir(dir: tempfile::TempDir) -> Ground {
        for name in ["releases/1", "releases/2"] {
            fs::create_dir_all(dir.path().join(name)).unwrap();
        }
        fs::write(dir.path().join("file"), "").unwrap();
        let root = Root::open_ambient(dir.path(), Policy::default(), ambient_authority()).unwrap();
        Ground { dir, root }
    }

    pub(crate) fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn link(&self, name: &str, text: &str) -> &Ground {
        symlink(text, self.at(name)).unwrap();
        self
    }

    pub(crate) fn unlink(&self, name: &str) -> &Ground {
        fs::remove_file(self.at(name)).unwrap();
        self
    }

    pub(crate) fn rename(&self, from: &str, to: &str) -> &Ground {
        fs::rename(self.at(from), self.at(to)).unwrap();
        self
    }

    /// Watched, up to the end of the first look.
    pub(crate) fn watched(&self) -> Told {
        self.watched_at(".", &WatchOptions::default())
    }

    pub(crate) fn watched_at(&self, dir: &str, options: &WatchOptions) -> Told {
        let watch = Watch::begin(&self.root, dir, options.clone()).unwrap();
        let mut told = Told {
            watch,
            dir: dir.to_owned(),
            links: BTreeMap::new(),
            at: BTreeMap::new(),
            lost: Vec::new(),
            looks: 0,
        };
        told.until(|told| told.looks > 0);
        told
    }

    fn counted(&self, dir: &str) -> Vec<u64> {
        let mut scan = self.root.scan(dir, ScanOptions::default()).unwrap();
        (&mut scan).for_each(drop);
        counts(&scan.summary())
    }

    /// What a scan says of every link now.
    fn scanned(&self, dir: &str) -> BTreeMap<PathBuf, Status> {
        let scan = self.root.scan(dir, ScanOptions::default()).unwrap();
        scan.filter_map(Result::ok).map(|finding| (finding.link, finding.status)).collect()
    }
}

/// A watch, and what it told so far.
pub(crate) struct Told {
    pub(crate) watch: Watch,
    dir: String,
    /// The last state of each link that was told.
    pub(crate) links: BTreeMap<PathBuf, Option<Status>>,
    /// When each was told last.
    at: BTreeMap<PathBuf, Instant>,
    pub(crate) lost: Vec<Lost>,
    pub(crate) looks: usize,
}

impl Told {
    /// The next event within the time.
    pub(crate) fn next(&mut self, time: Duration) -> Option<Event> {
        let end = Instant::now() + time;
        loop {
            let event = self.watch.next(end.saturating_duration_since(Instant::now())).unwrap();
            match &event {
                Some(Event { what, .. }) => self.take(what),
                None if Instant::now() < end => continue,
                None => {}
            }
            return event;
        }
    }

    fn take(&mut self, what: &What) {
        match what {
            What::Link { link, was, now, .. } => {
                let before = self.links.insert(link.clone(), *now);
                if let Some(before) = before {
                    assert_eq!(before, *was, "{}: each event goes on where the last one ended", link.display());
                }
                self.at.insert(link.clone(), Instant::now());
            }
            What::Look { .. } => self.looks += 1,
            What::Lost { why, .. } => self.lost.push(*why),
            _ => {}
        }
    }

    /// Goes on until this holds.
    pub(crate) fn until(&mut self, holds: impl Fn(&Told) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(start.elapsed() < LONG, "told: {:?}", self.links);
            self.next(Duration::from_millis(200));
        }
    }

    /// Goes on until this is the last that was told of a link.
    pub(crate) fn until_link(&mut self, link: &str, state: Option<Status>) {
        self.until(|told| told.links.get(Path::new(link)) == Some(&state));
    }

    /// Nothing is told for a while.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.next(Duration::from_millis(300)).is_none()
    }

    /// Each link of which something else was told than a scan says: what was told, and what is there.
    fn misfits(&self, ground: &Ground) -> Vec<(PathBuf, Option<Status>, Option<Status>)> {
        let scanned = ground.scanned(&self.dir);
        let links: BTreeSet<&PathBuf> = scanned.keys().chain(self.links.keys()).collect();
        let misfit = |link: &PathBuf| {
            let there = scanned.get(link).copied();
            // A link that was never told is one that was well from the first look on.
            let told = self.links.get(link).copied().unwrap_or(Some(Status::Ok));
            (told != there).then(|| (link.clone(), told, there))
        };
        links.into_iter().filter_map(misfit).collect()
    }

    /// Goes on until what was told is what a scan says, and what is counted too.
    pub(crate) fn until_it_fits(&mut self, ground: &Ground) {
        let start = Instant::now();
        loop {
            let (misfits, counted, there) = (self.misfits(ground), self.counted(), ground.counted(&self.dir));
            if misfits.is_empty() && counted == there {
                return;
            }
            let Told { looks, lost, at, .. } = self;
            let last = misfits.iter().filter_map(|(link, ..)| at.get(link)).max().map(Instant::elapsed);
            assert!(
                start.elapsed() < LONG,
                "link, what was told, what is there: {misfits:#?}; the last of them was told {last:?} ago; {looks} looks, \
                 lost {lost:?}; counted {counted:?}, there are {there:?}"
            );
            self.next(Duration::from_millis(200));
        }
    }

    fn counted(&self) -> Vec<u64> {
        counts(&self.watch.gauges().unwrap().summary)
    }
}

/// Links, and how many of each status and trait.
fn counts(summary: &Summary) -> Vec<u64> {
    let statuses = Status::ALL.iter().map(|status| summary.with_status(*status));
    // What is outside the root is seen by the looks at everything alone.
    let traits = Trait::ALL.iter().filter(|of| **of != Trait::OutsideMissing).map(|of| summary.with_trait(*of));
    [summary.links].into_iter().chain(statuses).chain(traits).collect()
}
