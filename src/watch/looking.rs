//! Looking through the root: at everything, at what is below a directory, at one link.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::{Instant, SystemTime};

use super::event::{Lost, What};
use super::later::Again;
use super::picture::Difference;
use super::seen::{Sight, denied, passes, sight};
use super::stream::{Last, Looking, SLICE, Watch};
use super::todo::Hinted;
use super::ways::ways;
use crate::entry::open_dir;
use crate::error::{Error, Kind, Result};
use crate::model::{Finding, Place, Status, is_staged_name};
use crate::root::Root;
use crate::scan::{Scan, ScanOptions};
use crate::sys::Access;

/// How often a link is looked at again because directories on its way were not watched before.
const LOOKS: usize = 8;

/// The most links that are known at once; those beyond are counted by no event.
const LINKS_MAX: usize = 1 << 24;

impl Watch {
    fn scanning(&self) -> ScanOptions {
        let (root, watches) = (self.root.clone(), Arc::clone(&self.watches));
        let entering = move |dir: &Path, handle: &_| {
            watches.lock().unwrap_or_else(PoisonError::into_inner).meet(dir, handle);
        };
        ScanOptions::default().exclude(move |path| is_left_out(&root, path)).entering(entering)
    }

    /// Begins a look at what is below a directory.
    pub(super) fn look_below(&mut self, tree: PathBuf) {
        let scan = match self.root.scan(&tree, self.scanning()) {
            Ok(scan) => Some(scan),
            Err(error) => {
                self.look_later(&tree, Hinted { dir_changed: true, ..Hinted::default() }, &error);
                None
            }
        };
        self.begin_looking(scan, Some(tree));
    }

    /// Looks at a path again in a while, if what it failed for passes.
    fn look_later(&mut self, path: &Path, hinted: Hinted, error: &Error) {
        if passes(error.kind()) && self.later.again(path, hinted, Instant::now()) == Again::TooMany {
            self.missed();
        }
    }

    fn begin_looking(&mut self, scan: Option<Scan>, tree: Option<PathBuf>) {
        self.round = self.round.wrapping_add(1);
        let (at, started) = (SystemTime::now(), Instant::now());
        self.looking = Some(Looking { scan, tree, at, started, heard: self.heard });
    }

    /// Begins a look at everything.
    pub(super) fn look_at_everything(&mut self) -> Result<()> {
        self.next_look = Instant::now() + self.options.interval;
        self.again = false;
        self.has_lost = false;
        self.has_missed = false;
        self.todo.clear();
        self.later.clear();
        self.watches().begin_round();
        let (asked, dir) = &self.asked;
        let place = Place::new(dir).map_err(|error| error.during("scan"))?;
        if let Ok((_, physical)) = open_dir(asked, &place.path, Access::Search) {
            self.place = physical.unwrap_or(place.path);
        }
        self.watch_way(&self.place);
        self.watch_state();
        match self.asked.0.scan(&self.asked.1, self.scanning()) {
            Ok(scan) => self.begin_looking(Some(scan), None),
            // What was there is gone, and can come back.
            Err(error) if self.last.is_some() && error.kind() != Kind::RootGone => {
                if passes(error.kind()) {
                    self.missed();
                }
                self.begin_looking(None, None);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Goes on with the look that is under way.
    pub(super) fn go_on(&mut self, started: Instant) {
        while started.elapsed() < SLICE && self.ready.is_empty() {
            let Some(looking) = &mut self.looking else { return };
            let Some(scan) = &mut looking.scan else { return self.finish() };
            if !scan.is_ahead() {
                looking.heard = self.heard;
                self.watches.lock().unwrap_or_else(PoisonError::into_inner).go_on();
            }
            // Of what it looked at before hints were heard, some may be about.
            let is_old = looking.heard != self.heard;
            match scan.next() {
                // It failed a moment ago, and is looked at again.
                Some(Ok(finding)) if self.later.waits(&finding.link) => {}
                Some(Ok(finding)) if is_old => self.look_afresh(&Arc::from(finding.link)),
                Some(Ok(finding)) => {
                    let met = self.watches().met();
                    self.learn(&finding, met);
                }
                Some(Err(error)) => self.failed(&error),
                None => return self.finish(),
            }
        }
    }

    /// Something could not be looked at. What does not pass is told by the look being incomplete.
    fn failed(&mut self, error: &Error) {
        let path = error.link().map(|path| path.strip_prefix(".").unwrap_or(path).to_path_buf());
        let hinted = Hinted { moved: true, dir_changed: true, dir_moved: false };
        self.look_later(&path.unwrap_or_default(), hinted, error);
    }

    /// Ends the look that is under way: what it did not see is looked at by itself.
    fn finish(&mut self) {
        let Some(Looking { scan, tree, at, started, .. }) = self.looking.take() else { return };
        // A directory that was moved to where nothing was watched yet was not looked at there.
        if scan.as_ref().is_some_and(|scan| scan.moved() > 0) {
            self.missed();
        }
        let top = tree.as_deref().unwrap_or(&self.place);
        self.picture.unseen(top, self.round).for_each(|link| self.todo.link(Arc::clone(link)));
        if tree.is_some() {
            return;
        }
        self.judge();
        self.watch_all_ways();
        let summary = scan.map(|scan| scan.summary()).unwrap_or_default();
        let (complete, links, entries) = (summary.complete, summary.links, summary.entries);
        self.ready.push_back(What::Look { complete, links, entries });
        self.tell_unwatched();
        self.misses = if self.has_missed { self.misses.saturating_add(1) } else { 0 };
        self.last = Some(Last { summary, at, took: started.elapsed(), ended: Instant::now() });
    }

    /// Tells how many directories are not watched, if that is another number.
    fn tell_unwatched(&mut self) {
        let (watched, refused) = {
            let watches = self.watches();
            (watches.len() as u64, watches.refused())
        };
        if refused != self.unwatched {
            self.unwatched = refused;
            self.ready.push_back(What::Lost { why: Lost::Watches, watched, unwatched: refused });
        }
    }

    /// What watching came by is taken up: links that hang on a path under which another directory was watched until now, and
    /// directories that could not be watched. How many these are is known at the end of a look at everything.
    pub(super) fn settle_watches(&mut self) {
        let (replaced, has_failed) = {
            let mut watches = self.watches();
            (watches.take_replaced(), std::mem::take(&mut watches.has_failed))
        };
        for dir in replaced {
            self.picture.concerned(&dir).for_each(|link| self.todo.link(Arc::clone(link)));
        }
        if has_failed {
            self.missed();
        }
        if self.unwatched == 0 && self.last.is_some() {
            self.tell_unwatched();
        }
    }

    /// Looks at one link by itself, because of a hint.
    pub(super) fn look_at(&mut self, link: &Arc<Path>) {
        if self.picture.has(link) {
            self.standing.doubt();
        }
        self.look_afresh(link);
    }

    /// Looks at one link by itself, until the directories on its way were watched before the look.
    pub(super) fn look_afresh(&mut self, link: &Arc<Path>) {
        for _ in 0..LOOKS {
            if self.held.note(link) || self.later.waits(link) {
                return;
            }
            let begun = self.watches().begun();
            let is_again = match sight(&self.root, link) {
                Sight::Unknown => return self.unknown(link, begun),
                Sight::Link(finding) => self.learn(&finding, begun),
                Sight::Denied if self.picture.has(link) => {
                    self.learn(&denied(&self.root, link), begun);
                    false
                }
                Sight::Denied => false,
                Sight::Gone => {
                    let difference = self.picture.lose(link);
                    self.tell(link, difference);
                    false
                }
            };
            self.later.done(link);
            if !is_again {
                return;
            }
        }
    }

    /// The system did not say what is there: that is nothing to tell, unless it never says.
    fn unknown(&mut self, link: &Path, begun: u64) {
        match self.later.again(link, Hinted { moved: true, ..Hinted::default() }, Instant::now()) {
            Again::Waits => {}
            Again::TooOften => {
                // As a look at everything has it: the link is there, and where it leads cannot be known.
                self.learn(&denied(&self.root, link), begun);
            }
            Again::TooMany => self.missed(),
        }
    }

    /// Takes what was seen of a link after the watch `begun` had begun. Returns whether it is to be looked at again, for
    /// directories that are watched only since then.
    pub(super) fn learn(&mut self, finding: &Finding, begun: u64) -> bool {
        if self.held.note(&finding.link) || self.picture.len() >= LINKS_MAX {
            return false;
        }
        let ways = ways(&self.root, finding);
        let mut is_new = false;
        for way in &ways {
            is_new |= self.watch_way(way).is_some_and(|since| since > begun);
        }
        let difference = self.picture.see(finding, &ways, self.round);
        let is_fine = difference.as_ref().is_some_and(|difference| {
            // At first only what is not well is told.
            self.last.is_none() && difference.was.is_none() && difference.now == Some(Status::Ok)
        });
        self.tell(&finding.link, difference.filter(|_| !is_fine));
        if is_new {
            self.todo.link(Arc::from(&*finding.link));
        }
        is_new
    }

    pub(super) fn tell(&mut self, link: &Path, difference: Option<Difference>) {
        let Some(Difference { was, now, previous, target }) = difference else { return };
        self.ready.push_back(What::Link { link: link.to_path_buf(), was, now, previous, target });
        self.held.hold(link.into(), Instant::now());
    }

    /// Watches the directories on the way to a path. Returns the number of the last of these watches to begin.
    pub(super) fn watch_way(&self, way: &Path) -> Option<u64> {
        let dir = way.parent().filter(|_| self.notify.is_some())?;
        let mut watches = self.watches();
        if let Some(since) = watches.keep(dir) {
            return Some(since);
        }
        let mut above: Vec<&Path> = dir.ancestors().collect();
        above.reverse();
        let mut last = None;
        for dir in above {
            let since = match watches.keep(dir) {
                Some(since) => Some(since),
                // A mount point on the way of a target is gone over to judge it, and watched for that.
                None => match self.root.calls().open_dir(self.root.handle(), dir, true, Access::Search) {
                    Ok(handle) => watches.add_way(dir, &handle, dir.starts_with(&self.place)),
                    Err(source) => {
                        watches.has_failed |= matches!(Kind::of(&source), Kind::Contended | Kind::FdExhausted);
                        break;
                    }
                },
            };
            last = last.max(since);
        }
        last
    }

    /// Keeps every directory that is on the way of a target, and forgets the others that this look did not meet.
    fn watch_all_ways(&mut self) {
        let mut last: Option<&Path> = None;
        for way in self.picture.ways() {
            let dir = way.parent();
            if dir != last {
                self.watch_way(way);
                last = dir;
            }
        }
        self.watch_way(&self.place);
        self.watch_standing();
        self.watches().end_round();
    }
}

/// What caplink stages, and its state directory, are nobody's links.
pub(super) fn is_left_out(root: &Root, path: &Path) -> bool {
    root.state().holds(path) || path.file_name().is_some_and(is_staged_name)
}
