//! What could not be looked at for a reason that passes: it is looked at again, each time later. Pure.
//!
//! No descriptors are left, or others rename without a pause: that says nothing of what is there. A path that fails for the
//! last time, and those that are too many, are left to the looks at everything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::todo::Hinted;

/// The first pause; each is twice as long as the one before, up to sixteen times this.
const PAUSE: Duration = Duration::from_millis(100);
const DOUBLINGS: u32 = 4;

/// How often one path is looked at again, and how many paths wait at most.
const TRIES: u32 = 8;
const MOST: usize = 1024;

/// Paths that could not be looked at.
#[derive(Debug, Default)]
pub(super) struct Later(BTreeMap<PathBuf, Tries>);

#[derive(Debug)]
struct Tries {
    made: u32,
    hinted: Hinted,
    /// None once it was handed out, until it fails again.
    due: Option<Instant>,
}

/// What becomes of a path that could not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// It is looked at again.
    Waits,
    /// It failed too often.
    TooOften,
    /// Too many wait.
    TooMany,
}

impl Later {
    /// Has a path looked at again in a while.
    pub(super) fn again(&mut self, path: &Path, hinted: Hinted, now: Instant) -> Again {
        if !self.0.contains_key(path) && self.0.len() >= MOST {
            self.0.retain(|_, tries| tries.due.is_some());
            if self.0.len() >= MOST {
                return Again::TooMany;
            }
        }
        let tries = self.0.entry(path.to_path_buf()).or_insert(Tries { made: 0, hinted, due: None });
        tries.hinted.add(hinted);
        if tries.due.is_none() {
            if tries.made >= TRIES {
                return Again::TooOften;
            }
            tries.due = Some(now + PAUSE * (1 << tries.made.min(DOUBLINGS)));
            tries.made += 1;
        }
        Again::Waits
    }

    /// Whether a path waits to be looked at again.
    pub(super) fn waits(&self, path: &Path) -> bool {
        self.0.get(path).is_some_and(|tries| tries.due.is_some())
    }

    /// Forgets a path that could be looked at.
    pub(super) fn done(&mut self, path: &Path) {
        self.0.remove(path);
    }

    /// When the next path is to be looked at.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().filter_map(|tries| tries.due).min()
    }

    /// Hands out the paths whose time has come.
    pub(super) fn release(&mut self, now: Instant, mut each: impl FnMut(&Path, Hinted)) {
        for (path, tries) in &mut self.0 {
            if tries.due.is_some_and(|due| due <= now) {
                tries.due = None;
                each(path, tries.hinted);
            }
        }
    }

    /// What waits is covered by a look at everything that begins now.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Hinted = Hinted { dir_moved: false, dir_changed: false, moved: true };

    fn released(later: &mut Later, now: Instant) -> usize {
        let mut count = 0;
        later.release(now, |_, _| count += 1);
        count
    }

    #[test]
    fn a_path_that_fails_comes_again_later_each_time_and_not_for_ever() {
        let (mut later, mut now) = (Later::default(), Instant::now());
        let path = Path::new("l");
        let mut pauses = Vec::new();
        while later.again(path, LINK, now) == Again::Waits {
            assert_eq!(later.again(path, LINK, now), Again::Waits, "it waits already");
            let due = later.next().unwrap();
            pauses.push((due - now).as_millis());
            assert_eq!(released(&mut later, due - Duration::from_nanos(1)), 0);
            assert!(later.waits(path));
            now = due;
            assert_eq!(released(&mut later, now), 1);
            assert!(!later.waits(path) && later.next().is_none());
        }
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 1600, 1600, 1600]);
        assert_eq!(later.again(path, LINK, now), Again::TooOften);
        later.done(path);
        assert_eq!(later.again(path, LINK, now), Again::Waits, "once it was seen it is as any other");
    }

    #[test]
    fn no_more_paths_wait_than_are_kept() {
        let (mut later, now) = (Later::default(), Instant::now());
        for number in 0..MOST {
            assert_eq!(later.again(Path::new(&number.to_string()), LINK, now), Again::Waits);
        }
        assert_eq!(later.again(Path::new("more"), LINK, now), Again::TooMany);
        assert_eq!(released(&mut later, now + PAUSE), MOST);
        assert_eq!(later.again(Path::new("more"), LINK, now), Again::Waits, "those that were handed out make room");
    }
}
