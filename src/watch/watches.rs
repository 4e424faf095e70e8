//! Which directories are watched, and under which paths.
//!
//! A directory is known by the path under which it was opened. One that is moved is forgotten with all below it, and found
//! again by a look; a directory that is mounted at two places has two paths and one watch.
//!
//! Each watch has a number in the order in which they began. Who looks at something notes the last number before, and sees
//! afterwards whether what it hangs on was watched by then: if not, a change can have fallen between.

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
    /// How many watches began.
    begun: u64,
    /// How many had begun when the directory that a look met last was watched: its links are looked at next.
    met: u64,
    /// Paths under which another directory was watched until now.
    replaced: Vec<Arc<Path>>,
    /// One on the way of a target could not be opened, for a reason that passes.
    pub(super) has_failed: bool,
    /// The directories that could not be watched since this round began: how many a look met, and those on the way of targets.
    refused: u64,
    refused_ways: BTreeSet<Arc<Path>>,
}

#[derive(Clone, Copy, Debug)]
struct Seat {
    watch: i32,
    round: u32,
    since: u64,
}

impl Watches {
    pub(super) fn new(notify: Option<Arc<Notify>>, most: usize) -> Watches {
        Watches {
            notify,
            by_dir: BTreeMap::new(),
            by_watch: HashMap::new(),
            most,
            round: 0,
            begun: 0,
            met: 0,
            replaced: Vec::new(),
            has_failed: false,
            refused: 0,
            refused_ways: BTreeSet::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_dir.len()
    }

    pub(super) fn refused(&self) -> u64 {
        self.refused + self.refused_ways.len() as u64
    }

    /// The number of the last watch that began.
    pub(super) fn begun(&self) -> u64 {
        self.begun
    }

    /// The number of the last watch that began before the links were looked at that a look hands out now.
    pub(super) fn met(&self) -> u64 {
        self.met
    }

    /// A look goes on to links that it has not looked at yet.
    pub(super) fn go_on(&mut self) {
        self.met = self.begun;
    }

    /// The paths under which another directory was watched until now. What hangs on them is to be looked at again.
    pub(super) fn take_replaced(&mut self) -> Vec<Arc<Path>> {
        std::mem::take(&mut self.replaced)
    }

    /// Watches a directory that a look meets.
    pub(super) fn meet(&mut self, dir: &Path, handle: &Handle) {
        if self.add(dir, handle).is_none() && self.notify.is_some() {
            self.refused += 1;
        }
        self.met = self.begun;
    }

    /// Watches a directory on the way of a target, which a look meets too, or does not. Returns the number of its watch.
    pub(super) fn add_way(&mut self, dir: &Path, handle: &Handle, is_met: bool) -> Option<u64> {
        let since = self.add(dir, handle);
        if since.is_none() && !is_met && self.notify.is_some() && self.refused_ways.len() < REFUSED_MAX {
            self.refused_ways.insert(dir.into());
        }
        since
    }

    /// Watches a directory. Returns the number of its watch.
    fn add(&mut self, dir: &Path, handle: &Handle) -> Option<u64> {
        let notify = self.notify.as_ref()?;
        if !self.by_dir.contains_key(dir) && self.by_dir.len() >= self.most {
            return None;
        }
        let watch = notify.add(handle, false).ok();
        if let Some(seat) = self.by_dir.get_mut(dir) {
            if watch == Some(seat.watch) {
                seat.round = self.round;
                return Some(seat.since);
            }
            self.drop_one(dir);
            self.replaced.push(dir.into());
        }
        let watch = watch?;
        self.begun += 1;
        let dir: Arc<Path> = dir.into();
        self.by_watch.entry(watch).or_default().push(Arc::clone(&dir));
        self.by_dir.insert(dir, Seat { watch, round: self.round, since: self.begun });
        Some(self.begun)
    }

    /// Keeps a directory through this round that is watched under its path. Returns the number of its watch; none where it is
    /// not, or where that is not known in this round.
    pub(super) fn keep(&self, dir: &Path) -> Option<u64> {
        self.by_dir.get(dir).filter(|seat| seat.round == self.round).map(|seat| seat.since)
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

    /// Forgets a watch that has ended. Returns the paths of its directory, which was removed or unmounted.
    pub(super) fn ended(&mut self, watch: i32) -> Vec<Arc<Path>> {
        let dirs = self.by_watch.remove(&watch).unwrap_or_default();
        dirs.iter().for_each(|dir| {
            self.by_dir.remove(dir);
        });
        dirs
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
        // What was heard so far may not have been all: each path is opened again and may lead to another directory.
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
