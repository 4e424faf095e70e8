//! Looking through the root: at everything, at what is below a directory, at one link.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::{Instant, SystemTime};

use super::event::{Lost, What};
use super::picture::Difference;
use super::seen::{Sight, denied, sight};
use super::stream::{Last, Looking, SLICE, Watch};
use super::ways::ways;
use crate::entry::open_dir;
use crate::error::{Kind, Result};
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
        let scan = self.root.scan(&tree, self.scanning()).ok();
        self.begin_looking(scan, Some(tree));
    }

    fn begin_looking(&mut self, scan: Option<Scan>, tree: Option<PathBuf>) {
        self.round = self.round.wrapping_add(1);
        self.looking = Some(Looking { scan, tree, at: SystemTime::now(), started: Instant::now() });
    }

    /// Begins a look at everything.
    pub(super) fn look_at_everything(&mut self) -> Result<()> {
        self.next_look = Instant::now() + self.options.interval;
        self.again = false;
        self.todo.clear();
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
            Err(error) if self.last.is_some() && error.kind() != Kind::RootGone => self.begin_looking(None, None),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Goes on with the look that is under way.
    pub(super) fn go_on(&mut self, started: Instant) {
        while started.elapsed() < SLICE && self.ready.is_empty() {
            let scan = self.looking.as_mut().and_then(|looking| looking.scan.as_mut());
            match scan.and_then(Iterator::next) {
                Some(Ok(finding)) => {
                    self.learn(&finding);
                }
                // It is told by the look being incomplete.
                Some(Err(_)) => {}
                None => return self.finish(),
            }
        }
    }

    /// Ends the look that is under way: what it did not see is looked at by itself.
    fn finish(&mut self) {
        let Some(Looking { scan, tree, at, started }) = self.looking.take() else { return };
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
        let (watched, refused) = {
            let watches = self.watches();
            (watches.len() as u64, watches.refused())
        };
        if refused != self.unwatched {
            self.unwatched = refused;
            self.ready.push_back(What::Lost { why: Lost::Watches, watched, unwatched: refused });
        }
        self.last = Some(Last { summary, at, took: started.elapsed(), ended: Instant::now() });
    }

    /// Looks at one link by itself, until the directories on its way were watched before the look.
    pub(super) fn look_at(&mut self, link: &Arc<Path>) {
        if self.picture.has(link) {
            self.standing.doubt();
        }
        if self.held.note(link) {
            return;
        }
        for _ in 0..LOOKS {
            match sight(&self.root, link) {
                Sight::Link(finding) => {
                    if !self.learn(&finding) {
                        return;
                    }
                }
                Sight::Denied if self.picture.has(link) => {
                    self.learn(&denied(link));
                    return;
                }
                Sight::Denied => return,
                Sight::Gone => {
                    let difference = self.picture.lose(link);
                    return self.tell(link, difference);
                }
                // As a look at everything has it: the link is there, and nothing of it can be known.
                Sight::Unknown => return,
            }
            if self.held.note(link) {
                return;
            }
        }
    }

    /// Takes what was seen of a link. Returns whether it is to be looked at again, for directories that are watched only now.
    fn learn(&mut self, finding: &Finding) -> bool {
        if self.held.note(&finding.link) || self.picture.len() >= LINKS_MAX {
            return false;
        }
        let ways = ways(&self.root, finding);
        let mut is_new = false;
        for way in &ways {
            is_new |= self.watch_way(way);
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

    /// Watches the directories on the way to a path. Returns whether one is watched that was not.
    pub(super) fn watch_way(&self, way: &Path) -> bool {
        let Some(dir) = way.parent().filter(|_| self.notify.is_some()) else { return false };
        let mut watches = self.watches();
        if watches.keep(dir) {
            return false;
        }
        let mut above: Vec<&Path> = dir.ancestors().collect();
        above.reverse();
        let mut is_new = false;
        for dir in above {
            if watches.keep(dir) {
                continue;
            }
            // A mount point on the way of a target is gone over to judge it, and watched for that.
            let Ok(handle) = self.root.calls().open_dir(self.root.handle(), dir, true, Access::Search) else { break };
            is_new |= watches.add_way(dir, &handle, dir.starts_with(&self.place));
        }
        is_new
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
