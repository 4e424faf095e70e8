//! Hearing hints: each becomes a name to look at, and that the links and directories that it concerns.

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::event::{Lost, What};
use super::looking::is_left_out;
use super::stream::Watch;
use super::todo::Hinted;
use crate::sys::Hint;

/// How often the hints that wait are read in one go.
const READS: usize = 64;

/// After something was missed everything is looked at no sooner than this, and this many times the last look's time, after the
/// last one.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_TIMES: u32 = 4;

/// How often this is doubled.
const MISSES: u32 = 12;

impl Watch {
    /// Takes the hints that wait as names to look at.
    pub(super) fn hear(&mut self) {
        let Some(notify) = self.notify.clone() else { return };
        let watches = Arc::clone(&self.watches);
        let mut watches = watches.lock().unwrap_or_else(PoisonError::into_inner);
        let (todo, standing) = (&mut self.todo, &mut self.standing);
        let (mut root_changed, mut heard) = (false, 0);
        let mut each = |hint: Hint<'_>| {
            heard += 1;
            match hint {
                Hint::Name { watch, name, .. } if standing.hint(watch, name) => {}
                Hint::Name { watch, name, is_dir, is_same } => {
                    for dir in watches.paths(watch) {
                        let hinted = Hinted {
                            dir_moved: is_dir && !is_same,
                            dir_changed: is_dir && is_same,
                            moved: !is_dir && !is_same,
                        };
                        todo.name(dir.join(name), hinted);
                    }
                }
                Hint::Itself(watch) => {
                    root_changed |= watches.paths(watch).iter().any(|dir| dir.as_os_str().is_empty());
                }
                // Of one that is unmounted there is no other hint.
                Hint::Ended(watch) => watches.ended(watch).into_iter().for_each(|dir| {
                    todo.name(dir.to_path_buf(), Hinted { dir_moved: true, ..Hinted::default() });
                }),
                Hint::Overflow => todo.overflowed = true,
            }
        };
        for _ in 0..READS {
            if !matches!(notify.read(&mut each), Ok(true)) {
                break;
            }
        }
        drop(watches);
        self.heard += heard;
        self.again |= root_changed;
    }

    /// More changed than was kept.
    pub(super) fn lost_hints(&mut self) {
        if !self.has_lost && self.last.is_some() {
            let watched = self.watches().len() as u64;
            self.ready.push_back(What::Lost { why: Lost::Queue, watched, unwatched: self.unwatched });
        }
        self.has_lost = true;
        self.again = true;
    }

    /// Something could not be looked at or watched, for a reason that passes.
    pub(super) fn missed(&mut self) {
        self.again = true;
        self.has_missed = true;
    }

    /// Where something was missed everything is looked at soon, but not all the time; later each time that a look at
    /// everything misses something too.
    pub(super) fn look_again(&mut self) {
        let Some(last) = self.last.as_ref().filter(|_| self.again && self.looking.is_none()) else { return };
        let pause = AGAIN.max(last.took * AGAIN_TIMES);
        let due = last.ended + pause.saturating_mul(1 << self.misses.min(MISSES));
        self.next_look = self.next_look.min(due.max(Instant::now()));
        self.again = false;
    }

    /// Turns a name that something happened to into what is to be looked at.
    pub(super) fn hinted(&mut self, name: &Path, hinted: Hinted) {
        if is_left_out(&self.root, name) {
            if hinted.dir_moved && self.root.state().holds(name) {
                self.watch_state();
            }
            return;
        }
        self.standing.name(name);
        let moved = hinted.moved || hinted.dir_moved;
        if hinted.dir_moved {
            self.watches().drop_below(name);
        }
        if moved && self.place.starts_with(name) {
            self.again = true;
        } else if name.starts_with(&self.place) {
            if hinted.dir_moved || hinted.dir_changed {
                self.picture.below(name).for_each(|link| self.todo.link(Arc::clone(link)));
                self.todo.tree(name.to_path_buf());
            }
            if hinted.moved {
                self.todo.link(name.into());
            }
        }
        if moved || hinted.dir_changed {
            self.picture.concerned(name).for_each(|link| self.todo.link(Arc::clone(link)));
        }
    }
}
