//! How a repair is carried out: how long it waits, what it syncs, and what it does where not all fits into memory.

use std::fs::File;
use std::time::{Duration, Instant};

use caplink::{Durability, Kind, Repair, RepairOptions};
use rustix::fs::{FlockOperation, flock};

use crate::tree::Tree;

#[test]
fn another_holder_is_waited_for_once_for_each_directory_and_not_long_all_together() {
    let tree = Tree::new();
    tree.file("f");
    for dir in ["d1", "d2"] {
        tree.dir(dir);
        (0..6).for_each(|number| _ = tree.link(&format!("{dir}/l{number}"), "..//f"));
    }
    let hold = |dir: &str| {
        let held = File::open(tree.base.join(dir)).unwrap();
        flock(&held, FlockOperation::LockExclusive).unwrap();
        held
    };
    let _held = (hold("d1"), hold("d2"));
    let begun = Instant::now();
    let mut kinds = Vec::new();
    let tidy = Repair::default().tidy(true);
    tree.root()
        .repair(".", &tidy, RepairOptions::default(), |came| kinds.push(came.map_err(|error| error.kind())))
        .unwrap();
    assert!(kinds.iter().all(|came| matches!(came, Err(Kind::Busy))) && kinds.len() == 12, "{kinds:?}");
    let taken = begun.elapsed();
    assert!((Duration::from_millis(1900)..Duration::from_millis(4000)).contains(&taken), "{taken:?}");
}

#[test]
fn the_directory_that_was_changed_is_synced_wherever_it_is_by_then() {
    let tree = Tree::new();
    tree.dir("top/d").file("top/d/f").link("top/d/l", ".//f");
    let root = tree.root();
    let base = tree.base.clone();
    // The first change that is told of moves the directory away, before anything is synced.
    let root = root.recorded_by(std::sync::Arc::new(Mover(base)));
    let mut outcomes = Vec::new();
    let tidy = Repair::default().tidy(true);
    root.repair(".", &tidy, RepairOptions::default(), |came| outcomes.push(came.unwrap())).unwrap();
    assert_eq!(outcomes.len(), 1);
    assert!(outcomes[0].shortfalls.is_empty(), "{:?}", outcomes[0].shortfalls);
    assert_eq!(outcomes[0].durability, Durability::Dir);
    assert!(tree.base.join("pot/d/l").exists() && tree.base.join("top/d/l").symlink_metadata().is_err());
}

struct Mover(std::path::PathBuf);

impl caplink::Recorder for Mover {
    fn after(&self, _events: &[caplink::Event<'_>]) -> caplink::Result<()> {
        std::fs::rename(self.0.join("top"), self.0.join("pot")).unwrap();
        std::fs::create_dir_all(self.0.join("top")).unwrap();
        Ok(())
    }
}
