//! A root with records, and what is done to their files.

use std::fs;
use std::path::PathBuf;

use cap_std::ambient_authority;
use caplink::records::{Actor, Author, Mutation, Query, Records, Settings};
use caplink::{Policy, Root, Target};
use tempfile::TempDir;

/// A directory with two releases, and a root at it.
pub(crate) struct Ground {
    pub(crate) dir: TempDir,
    pub(crate) root: Root,
}

impl Ground {
    pub(crate) fn new() -> Ground {
        // In memory, where that is available: there a sync costs nothing.
        Ground::at(TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap())
    }

    pub(crate) fn at(dir: TempDir) -> Ground {
        for release in ["1", "2", "3"] {
            fs::create_dir_all(dir.path().join("releases").join(release)).unwrap();
        }
        let root = Root::open_ambient(dir.path(), Policy::default(), ambient_authority()).unwrap();
        Ground { dir, root }
    }

    /// One with records.
    pub(crate) fn recorded() -> (Ground, Root) {
        let ground = Ground::new();
        let recorded = ground.init();
        (ground, recorded)
    }

    /// Makes records, and returns the root that uses them.
    pub(crate) fn init(&self) -> Root {
        let (records, _) = Records::init(&self.root, Settings::default(), &author()).unwrap();
        self.root.recorded(&records, author())
    }

    pub(crate) fn open(&self) -> caplink::Result<Option<Records>> {
        Records::open(&self.root)
    }

    pub(crate) fn records(&self) -> Records {
        self.open().unwrap().expect("there are no records")
    }

    /// The same root, opened and recorded anew, as another process would.
    pub(crate) fn again(&self) -> Root {
        let root = Root::open_ambient(self.dir.path(), Policy::default(), ambient_authority()).unwrap();
        root.recorded(&self.records(), author())
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join(".caplink")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.state().join("log.jsonl")
    }

    /// The lines of the log.
    pub(crate) fn lines(&self) -> Vec<String> {
        let log = fs::read(self.log()).unwrap();
        String::from_utf8_lossy(&log).lines().map(str::to_owned).collect()
    }

    pub(crate) fn mutations(&self) -> Vec<Mutation> {
        mutations(&self.records(), &Query::default())
    }

    /// Verb, link and outcome of each mutation of a link.
    pub(crate) fn told(&self) -> Vec<String> {
        let of_links = self.mutations().into_iter().filter_map(|mutation| {
            let link = mutation.link.as_ref()?.as_path().display().to_string();
            Some(format!("{} {link} {}", mutation.verb, mutation.outcome))
        });
        of_links.collect()
    }
}

pub(crate) fn mutations(records: &Records, query: &Query) -> Vec<Mutation> {
    let mut found = Vec::new();
    let mut keep = |mutation| {
        found.push(mutation);
        true
    };
    records.mutations(query, &mut keep).unwrap();
    found
}

pub(crate) fn author() -> Author {
    Author::new(Actor { user: Some("somebody".into()), ..Actor::default() }, None).unwrap()
}

pub(crate) fn release(number: u32) -> Target {
    Target::relative(format!("releases/{number}"))
}
