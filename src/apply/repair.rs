//! Repairs links: scans, plans, and carries the edits out in rounds.
//!
//! A tree can have more to repair than fits into memory: paths are as long as it is deep. So edits are held up to a number
//! of bytes, carried out, and then the scan goes on. Up to that number all are ordered and tried together; a text that is
//! refused for where it leads waits for what is found further on as well.

use std::ffi::OsStr;
use std::mem;
use std::path::{Path, PathBuf};
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::entry::Opened;
use crate::error::{FileKind, Kind, Result};
use crate::exec::{Previews, leads_alike, sync_batch};
use crate::model::{Durability, Edit, Finding, LinkPath, Outcome, Place, Summary};
use crate::plan::{InOrder, Next, Repair, Rounds, Step};
use crate::root::Root;
use crate::scan::{Come, Scan, ScanOptions, look_at};

/// How much memory edits take before they are carried out, in bytes: some 10,000 of usual paths.
const HELD_MAX: usize = 4 << 20;

/// Of how many edits it is held what they came to.
const PART: usize = 1024;

/// How long the scan of a repair goes on before it is asked whether it is to be broken off.
const UNASKED_MAX: Duration = Duration::from_millis(50);

/// How a repair is carried out.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct RepairOptions {
    durability: Durability,
    dry_run: bool,
    held: usize,
}

impl Default for RepairOptions {
    fn default() -> RepairOptions {
        RepairOptions { durability: Durability::Dir, dry_run: false, held: HELD_MAX }
    }
}

impl RepairOptions {
    /// Says what is to survive a power cut once the repair has ended; by default each changed directory is synced.
    pub fn durability(mut self, durability: Durability) -> RepairOptions {
        self.durability = durability;
        self
    }

    /// Decides everything and changes nothing. Off by default.
    pub fn dry_run(mut self, dry_run: bool) -> RepairOptions {
        self.dry_run = dry_run;
        self
    }
}

impl Root {
    /// Repairs the links below a directory, or one link, and hands over what each edit came to, in the order of their
    /// paths.
    ///
    /// Each repair is decided from a fresh look and carried out as compare-and-swap: a link that changed since is left
    /// alone and is a `mismatch`. An error of the scan is handed over as well. What a dry run hands over is what the repair
    /// would.
    ///
    /// Of links that lead over one another those with more hops are repaired first, and a text that is refused for where it
    /// leads is tried again while others change. So it is for as many edits as take 4 MiB; where there are more, they
    /// are carried out part by part while the scan goes on.
    ///
    /// Another holder of a lock is waited for at most once for each directory, and at most five seconds all together; what
    /// cannot be done then is `busy`.
    ///
    /// # Errors
    ///
    /// Those of [`scan`](Root::scan), where it cannot begin; of a single link, those of its path.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.create_dir_all("packages/foo")?;
    /// # dir.create_dir_all("store/lodash")?;
    /// # dir.symlink("../../../store/lodash", "packages/foo/lodash").ok();
    /// use caplink::{LinkPath, Policy, Repair, RepairOptions, Root};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let moved = Repair::default().moved(LinkPath::new("packages/group1/foo")?, LinkPath::new("packages/foo")?);
    /// root.repair(".", &moved, RepairOptions::default(), |result| {
    ///     println!("{}", result.expect("it follows").link);
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn repair(
        &self,
        path: impl AsRef<OsStr>,
        repair: &Repair,
        options: RepairOptions,
        mut each: impl FnMut(Result<Outcome>),
    ) -> Result<Summary> {
        let path = path.as_ref();
        let place = Place::new(path).map_err(|error| error.during("repair"))?;
        let root = self.in_batch(options.durability);
        let mut repairs = Repairs {
            root: &root,
            repair,
            options,
            each: &mut each,
            steps: Vec::new(),
            dirs: Vec::new(),
            held: 0,
            previews: Previews::new(&root),
        };
        if let Some(found) = one_link(&root, &place).map_err(|error| self.or_gone(error.on("repair", path)))? {
            return Ok(repairs.one(found));
        }
        let options = ScanOptions::default().sorted(true).noticing_stale();
        let scan = root.scan(path, options).map_err(|error| error.during("repair"))?;
        Ok(repairs.all(scan))
    }
}

/// The link that a path names; `None` where it names something else, or nothing.
fn one_link(root: &Root, place: &Place) -> Result<Option<Result<Finding>>> {
    if place.directory {
        return Ok(None);
    }
    let path = LinkPath::new(&place.path)?;
    let entry = match Opened::open(root, &path) {
        Ok(entry) => entry,
        // The scan says it in its own words.
        Err(error) if error.kind() == Kind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match root.calls().stat_at(&entry.parent, entry.name()) {
        Ok(stat) if stat.kind == FileKind::Symlink => look_at(&entry).map(Some),
        _ => Ok(None),
    }
}

struct Repairs<'a> {
    root: &'a Root,
    repair: &'a Repair,
    options: RepairOptions,
    each: &'a mut dyn FnMut(Result<Outcome>),
    /// What is to be done, and how much memory it takes.
    steps: Vec<Step>,
    /// Staging directories of interrupted runs.
    dirs: Vec<PathBuf>,
    held: usize,
    /// What a dry run has decided.
    previews: Previews<'a>,
}

impl Repairs<'_> {
    fn one(&mut self, found: Result<Finding>) -> Summary {
        let mut summary = Summary::default();
        (summary.complete, summary.entries) = (found.is_ok(), 1);
        match found {
            Ok(finding) => {
                summary.add(&finding);
                self.steps.extend(self.repair.step(&finding, self.root.anchor()));
            }
            Err(error) => (self.each)(Err(error)),
        }
        self.carry_out(None);
        summary
    }

    fn all(&mut self, mut scan: Scan) -> Summary {
        loop {
            let Poll::Ready(come) = scan.poll(Instant::now().checked_add(UNASKED_MAX)) else {
                if self.root.is_interrupted() {
                    return scan.summary();
                }
                continue;
            };
            let Some(come) = come else { break };
            match come {
                Come::Found(Ok(finding)) => {
                    let step = self.repair.step(&finding, self.root.anchor());
                    self.held += step.as_ref().map_or(0, Step::bytes);
                    self.steps.extend(step);
                }
                Come::Found(Err(error)) => (self.each)(Err(error)),
                Come::Stale(dir) if self.repair.plan_directory(&dir).is_some() => {
                    self.held += 256 + 2 * dir.as_os_str().len();
                    self.dirs.push(dir);
                }
                Come::Stale(_) => {}
            }
            if self.held >= self.options.held {
                self.carry_out(Some(&scan));
            }
        }
        self.carry_out(None);
        scan.summary()
    }

    /// Carries out what is held, and hands over what it came to; what may come to something else later, while the scan
    /// goes on, is kept.
    fn carry_out(&mut self, scan: Option<&Scan>) {
        let mut waiting = Rounds::order(mem::take(&mut self.steps));
        let (mut rounds, mut results, mut kept) = (Rounds::new(), InOrder::new(), Vec::new());
        while !waiting.is_empty() {
            let (needless, steps): (Vec<_>, Vec<_>) = mem::take(&mut waiting)
                .into_iter()
                .partition(|(_, step)| step.follows && self.leads_there_already(step));
            needless.into_iter().for_each(|(place, _)| results.add(place, None, &mut *self.each));
            let (refused, changed) = self.try_in_parts(steps, &mut results);
            let next = rounds.end(changed);
            for (place, step, came) in refused {
                match next {
                    Next::Again => waiting.push((place, step)),
                    Next::Refused if scan.is_some() => kept.push((place, step, came)),
                    // Nothing is there.
                    Next::Refused if step.follows => results.add(place, None, &mut *self.each),
                    Next::Refused => results.add(place, Some(came), &mut *self.each),
                }
            }
        }
        self.held = 0;
        for (place, step, came) in kept {
            if self.held + step.bytes() > self.options.held / 2 {
                results.add(place, Some(came), &mut *self.each);
            } else {
                results.add(place, None, &mut *self.each);
                self.held += step.bytes();
                self.steps.push(step);
            }
        }
        self.remove_dirs(scan);
        if self.options.dry_run && scan.is_some() {
            // It would grow with the tree.
            self.previews = Previews::new(self.root);
        }
    }

    /// Removes the staging directories, but for those that the scan is in: what is staged in them comes first.
    fn remove_dirs(&mut self, scan: Option<&Scan>) {
        let is_open = |dir: &Path| scan.is_some_and(|scan| scan.is_within(dir));
        let (open, dirs): (Vec<PathBuf>, Vec<PathBuf>) =
            mem::take(&mut self.dirs).into_iter().partition(|dir| is_open(dir));
        self.dirs = open;
        let is_dir = |dir: &PathBuf| self.root.inspect(dir).is_ok_and(|seen| seen.kind == Some(FileKind::Dir));
        let edits: Vec<Edit> =
            dirs.into_iter().filter(is_dir).filter_map(|dir| self.repair.plan_directory(&dir)).collect();
        let results = if self.options.dry_run {
            // What is staged in them would be gone by then.
            edits.into_iter().map(|edit| self.root.preview(&edit.durability(self.options.durability))).collect()
        } else {
            self.apply(&edits)
        };
        results.into_iter().for_each(|came| (self.each)(came));
    }

    /// Tries each step, and hands over what it came to. Returns those that may come to something else after others were
    /// changed, and whether any was.
    fn try_in_parts(
        &mut self,
        steps: Vec<(usize, Step)>,
        results: &mut InOrder<Result<Outcome>>,
    ) -> (Vec<(usize, Step, Result<Outcome>)>, bool) {
        let (mut refused, mut changed) = (Vec::new(), false);
        let mut steps = steps.into_iter();
        loop {
            let (places, part): (Vec<usize>, Vec<Step>) = steps.by_ref().take(PART).unzip();
            if part.is_empty() {
                return (refused, changed);
            }
            let came = self.try_all(&part);
            for ((place, step), came) in places.into_iter().zip(part).zip(came) {
                changed |= came.as_ref().is_ok_and(|outcome| outcome.effect.is_change());
                match &came {
                    Err(error) if Rounds::may_come_to_else(error.kind()) => refused.push((place, step, came)),
                    _ => results.add(place, Some(came), &mut *self.each),
                }
            }
        }
    }

    fn try_all(&mut self, steps: &[Step]) -> Vec<Result<Outcome>> {
        let edits = steps.iter().map(|step| step.edit.clone());
        if self.options.dry_run {
            let durability = self.options.durability;
            return edits.map(|edit| self.previews.next(&edit.durability(durability))).collect();
        }
        self.apply(&edits.collect::<Vec<Edit>>())
    }

    fn apply(&self, edits: &[Edit]) -> Vec<Result<Outcome>> {
        let mut results = self.root.apply_all(edits);
        sync_batch(self.root, &mut results);
        results
    }

    /// Whether a link leads to what it is to follow.
    fn leads_there_already(&self, step: &Step) -> bool {
        let change = &step.edit.change;
        let (Some(present), Some(link)) = (change.expected_text(), change.link()) else { return false };
        let planned = self.options.dry_run.then(|| self.previews.planned());
        leads_alike(self.root, step.edit.path.parent(), present, link.target.as_os_str(), planned)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::model::Policy;

    /// Repairs with a memory for one edit at a time, and returns what came of each link.
    fn part_by_part(root: &Root, repair: &Repair, dry_run: bool) -> Vec<(String, Option<Kind>)> {
        let options = RepairOptions { held: 1, ..RepairOptions::default().dry_run(dry_run) };
        let mut came = Vec::new();
        let each = |result: Result<Outcome>| match result {
            Ok(outcome) => came.push((outcome.link.to_string(), None)),
            Err(error) => came.push((error.link().unwrap().display().to_string(), Some(error.kind()))),
        };
        let summary = root.repair(".", repair, options, each).unwrap();
        assert!(summary.complete);
        came
    }

    fn done(links: &[&str]) -> Vec<(String, Option<Kind>)> {
        links.iter().map(|link| ((*link).to_owned(), None)).collect()
    }

    #[test]
    fn what_does_not_fit_into_memory_is_repaired_part_by_part() {
        let dir = cap_tempfile::tempdir(cap_std::ambient_authority()).unwrap();
        dir.write("f", "").unwrap();
        for link in ["a", "b", "c"] {
            dir.symlink(".//f", link).unwrap();
        }
        let root = Root::from_dir(dir.try_clone().unwrap(), Policy::default()).unwrap();
        let tidy = Repair::default().tidy(true);
        assert_eq!(part_by_part(&root, &tidy, true), done(&["a", "b", "c"]));
        assert_eq!(part_by_part(&root, &tidy, false), done(&["a", "b", "c"]));
        assert_eq!(part_by_part(&root, &tidy, false), []);
    }

    #[test]
    fn a_text_that_is_refused_waits_for_what_is_found_further_on() {
        let dir = cap_tempfile::tempdir(cap_std::ambient_authority()).unwrap();
        dir.create_dir("new").unwrap();
        dir.write("new/f", "").unwrap();
        dir.symlink("old/z", "a").unwrap();
        dir.symlink("../old/f", "new/z").unwrap();
        let root = Root::from_dir(dir.try_clone().unwrap(), Policy::default()).unwrap();
        let rebase = Repair::default().rebase("old", "new").rebase("../old", "../new");
        // Kept for later, it does not fit beside the next one.
        assert_eq!(
            part_by_part(&root, &rebase, true),
            [("a".to_owned(), Some(Kind::Dangling)), ("new/z".to_owned(), None)]
        );
        let options = RepairOptions { held: 1024, ..RepairOptions::default() };
        let mut came = Vec::new();
        root.repair(".", &rebase, options, |result| came.push(result.unwrap().link.to_string())).unwrap();
        assert_eq!(came, ["a", "new/z"]);
    }
}
