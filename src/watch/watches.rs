//! Which directories are watched, and under which paths.
//!
//! A directory is known by the path under which it was opened. One that is moved is forgotten with all below it, and found
//! again by a look; a directory that is mounted at two places has two paths and one watch.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use crate::sys::{Handle, Notify};

/// How many directories on the way of targets are counted that are not watched.
const REFUSED_MAX: usize = 1000;

/// The watched directories.
#[derive(Debug)]
pub(super) struct Watches {
    notify: Option<Arc<Notify>>,
    by_dir: BTreeMap<Arc<Path>, Seat>,
    by_watch: HashMap<i32, Vec<Arc<Path>>>,
    /// How many directories may be watched.
    most: usize,
    round: u32,
    /// The directories that could not be watched since this round began: how many a look met, and those on the way of targets.
    refused: u64,
    refused_ways: BTreeSet<Arc<Path>>,
}

#[derive(Clone, Copy, Debug)]
struct Seat {
    watch: i32,
    round: u32,
}

impl Watches {
    pub(super) fn new(notify: Option<Arc<Notify>>, most: usize) -> Watches {
        let (by_dir, by_watch) = (BTreeMap::new(), HashMap::new());
        Watches { notify, by_dir, by_watch, most, round: 0, refused: 0, refused_ways: BTreeSet::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.by_dir.len()
    }

    pub(super) fn refused(&self) -> u64 {
        self.refused + self.refused_ways.len() as u64
    }

    fn has(&self, dir: &Path) -> bool {
        self.by_dir.contains_key(dir)
    }

    /// Watches a directory that a look meets.
    pub(super) fn meet(&mut self, dir: &Path, handle: &Handle) {
        self.add(dir, handle);
        if self.notify.is_some() && !self.has(dir) {
            self.refused += 1;
        }
    }

    /// Watches a directory on the way of a target, which a look meets too, or does not. Returns whether it is watched from now
    /// on, and was not before.
    pub(super) fn add_way(&mut self, dir: &Path, handle: &Handle, is_met: bool) -> bool {
        let is_new = self.add(dir, handle);
        if !is_met && self.notify.is_some() && !self.has(dir) && self.refused_ways.len() < REFUSED_MAX {
            self.refused_ways.insert(dir.into());
        }
        is_new
    }

    /// Watches a directory. Returns whether it is watched from now on, and was not before.
    fn add(&mut self, dir: &Path, handle: &Handle) -> bool {
        let Some(notify) = &self.notify else { return false };
        let old = self.by_dir.get(dir).map(|seat| seat.watch);
        if old.is_none() && self.by_dir.len() >= self.most {
            return false;
        }
        let Ok(watch) = notify.add(handle, false) else { return false };
        let seat = Seat { watch, round: self.round };
        if old == Some(watch) {
            self.by_dir.insert(dir.into(), seat);
            return false;
        }
        self.drop_one(dir);
        let dir: Arc<Path> = dir.into();
        self.by_watch.entry(watch).or_default().push(Arc::clone(&dir));
        self.by_dir.insert(dir, seat);
        true
    }

    /// Keeps a directory that is watched through this round. Returns whether it is.
    pub(super) fn keep(&mut self, dir: &Path) -> bool {
        let round = self.round;
        self.by_dir.get_mut(dir).map(|seat| seat.round = round).is_some()
    }

    /// The paths of the directory that a hint is about.
    pub(super) fn paths(&self, watch: i32) -> &[Arc<Path>] {
        self.by_watch.get(&watch).map_or(&[], Vec::as_slice)
    }

    /// Forgets a directory and all below it.
    pub(super) fn drop_below(&mut self, dir: &Path) {
        let below = self.by_dir.range::<Path, _>((Bound::Included(dir), Bound::Unbounded));
        let below: Vec<Arc<Path>> =
            below.map(|(dir, _)| Arc::clone(dir)).take_while(|path| path.starts_with(dir)).collect();
        below.iter().for_each(|path| self.drop_one(path));
    }

    /// Forgets a watch that has ended.
    pub(super) fn ended(&mut self, watch: i32) {
        for dir in self.by_watch.remove(&watch).unwrap_or_default() {
            self.by_dir.remove(&dir);
        }
    }

    fn drop_one(&mut self, dir: &Path) {
        let Some(seat) = self.by_dir.remove(dir) else { return };
        let Some(paths) = self.by_watch.get_mut(&seat.watch) else { return };
        paths.retain(|path| **path != *dir);
        if paths.is_empty() {
            self.by_watch.remove(&seat.watch);
            if let Some(notify) = &self.notify {
                notify.remove(seat.watch);
            }
        }
    }

    /// From here on a look at everything meets all that is to be watched.
    pub(super) fn begin_round(&mut self) {
        self.round = self.round.wrapping_add(1);
        self.refused = 0;
        self.refused_ways.clear();
    }

    /// Forgets what that look did not meet.
    pub(super) fn end_round(&mut self) {
        let old = self.by_dir.iter().filter(|(_, seat)| seat.round != self.round);
        let old: Vec<Arc<Path>> = old.map(|(dir, _)| Arc::clone(dir)).collect();
        old.iter().for_each(|dir| self.drop_one(dir));
    }
}
