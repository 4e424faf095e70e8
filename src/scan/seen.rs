//! The directories that a scan has entered, so that none is entered twice and the scan comes to an end.
//!
//! Whoever moves directories about while they are scanned could send the walk round for ever: a directory that was
//! read is moved to where the walk has yet to come. One that is met again is entered only if nothing speaks for a
//! move: file systems exist that give one number to many directories. A move changes the time of last change.
//!
//! What is held is a number for each directory, not for each entry. Directories that are made or moved during the
//! scan, or that were met before, are entered up to a bound, so that a writer who makes them faster than they are read
//! cannot keep it going, nor one whose moves do not show: file systems exist that do not date them, and clocks are set back.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::SystemTime;

use crate::model::ObjectId;
use crate::sys::Stat;

/// How many directories are entered that were made, moved or changed while the scan was under way, or were met before.
const DOUBTFUL_MAX: usize = 1 << 20;

/// By how many seconds a change can be dated before the moment it was made: the kernel takes the time of its last tick,
/// some milliseconds ago, which can have been in the second before.
const CLOCK_LAG: i64 = 1;

#[derive(Debug)]
pub(super) struct Seen {
    /// In seconds since 1970.
    started: i64,
    entered: Mutex<Entered>,
}

#[derive(Debug, Default)]
struct Entered {
    /// The inodes on each device; a scan sees few devices.
    devices: Vec<(u64, HashSet<u64>)>,
    /// How many of those that were entered can have been entered before.
    doubtful: usize,
}

/// Whether a directory is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Enter,
    /// It was entered under another path, and has been moved since.
    Moved,
    /// It is one of those that the walk is in: mounted, or moved, below itself. Nothing is missed by leaving it out.
    Below,
    /// Too many were made or moved during the scan.
    TooMany,
}

impl Seen {
    pub(super) fn new() -> Seen {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        Seen { started: now - CLOCK_LAG, entered: Mutex::default() }
    }

    /// Decides on a directory; `is_above` tells whether it is one of those that the walk is in.
    pub(super) fn admit(&self, dir: &Stat, is_above: impl FnOnce() -> bool) -> Admission {
        let changed = dir.changed >= self.started;
        let mut entered = self.entered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let met = !entered.insert(dir.id);
        if met {
            if is_above() {
                return Admission::Below;
            }
            if changed {
                return Admission::Moved;
            }
        }
        if changed || met {
            entered.doubtful += 1;
            if entered.doubtful > DOUBTFUL_MAX {
                return Admission::TooMany;
            }
        }
        Admission::Enter
    }
}

impl Entered {
    fn insert(&mut self, id: ObjectId) -> bool {
        let inodes = match self.devices.iter_mut().position(|(device, _)| *device == id.device) {
            Some(index) => &mut self.devices[index].1,
            None => {
                self.devices.push((id.device, HashSet::new()));
                &mut self.devices.last_mut().expect("BUG: a device was just added").1
            }
        };
        inodes.insert(id.inode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FileKind;

    fn dir(inode: u64, changed: i64) -> Stat {
        let id = ObjectId { device: 1, inode };
        Stat { id, kind: FileKind::Dir, mode: 0o755, uid: 0, gid: 0, links: 2, size: 0, changed }
    }

    #[test]
    fn a_move_at_once_is_one_though_the_kernel_dates_it_a_tick_before() {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
        let seen = Seen::new();
        assert_eq!(seen.admit(&dir(1, 0), || false), Admission::Enter);
        assert_eq!(seen.admit(&dir(1, now - 1), || false), Admission::Moved);
    }

    #[test]
    fn a_directory_that_was_moved_is_not_entered_twice() {
        let seen = Seen::new();
        let later = seen.started;
        assert_eq!(seen.admit(&dir(1, 0), || false), Admission::Enter);
        assert_eq!(seen.admit(&dir(1, later), || false), Admission::Moved);
        assert_eq!(seen.admit(&dir(2, later), || false), Admission::Enter);
    }

    #[test]
    fn directories_that_share_a_number_are_entered_unless_one_is_below_itself() {
        let seen = Seen::new();
        assert_eq!(seen.admit(&dir(1, 0), || false), Admission::Enter);
        assert_eq!(seen.admit(&dir(1, 0), || false), Admission::Enter);
        assert_eq!(seen.admit(&dir(1, 0), || true), Admission::Below);
    }

    #[test]
    fn directories_made_during_the_scan_are_entered_up_to_a_bound() {
        let seen = Seen::new();
        seen.entered.lock().unwrap().doubtful = DOUBTFUL_MAX - 1;
        assert_eq!(seen.admit(&dir(1, seen.started), || false), Admission::Enter);
        assert_eq!(seen.admit(&dir(2, seen.started), || false), Admission::TooMany);
        assert_eq!(seen.admit(&dir(3, 0), || false), Admission::Enter);
    }

    #[test]
    fn directories_that_are_met_again_are_entered_up_to_a_bound() {
        let seen = Seen::new();
        assert_eq!(seen.admit(&dir(1, 0), || false), Admission::Enter);
        seen.entered.lock().unwrap().doubtful = DOUBTFUL_MAX - 1;
        assert_eq!(seen.admit(&dir(1, 0), || false), Admission::Enter);
        assert_eq!(seen.admit(&dir(1, 0), || false), Admission::TooMany);
        assert_eq!(seen.admit(&dir(2, 0), || false), Admission::Enter);
    }
}
