//! Which steps of a plan are listed and which are counted, so that a person can read a plan of any length. Pure.
//!
//! A short plan is listed whole. Of a long one a few steps of each action are listed in each directory, and where there are
//! too many directories, in each directory further up.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use caplink::manage::{Action, ManifestStep};

/// A plan of so many steps is listed whole.
const WHOLE: usize = 200;

/// The most heaps that a long plan is put into, if its top directories are not more.
const HEAPS: usize = 40;

/// At least so many steps of a heap are listed, and of all together about [`WHOLE`].
const LISTED: usize = 3;

/// Directories below this depth are never told apart.
const DEEPEST: usize = 16;

/// What stands in a plan for one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The step.
    Step,
    /// How many more steps of its action there are in its directory.
    More(usize),
    /// Nothing: it is counted.
    Nothing,
}

/// How a plan is listed.
pub(super) struct Fold<'s> {
    /// How many components of a step's directory are told apart; none: all.
    depth: Option<usize>,
    listed: usize,
    heaps: HashMap<(&'s Path, Action), Heap>,
}

/// Steps of one action in one directory.
#[derive(Default)]
struct Heap {
    steps: usize,
    seen: usize,
}

impl<'s> Fold<'s> {
    /// Decides how these steps are listed; where `whole`, all of them.
    pub(super) fn of(steps: &[&'s ManifestStep], whole: bool) -> Fold<'s> {
        let all = Fold { depth: None, listed: usize::MAX, heaps: HashMap::new() };
        if whole || steps.len() <= WHOLE {
            return all;
        }
        let deepest = steps.iter().map(|step| dir(step).iter().count()).max().unwrap_or(0).min(DEEPEST);
        let heaps = |depth: usize| {
            let mut heaps: HashMap<(&'s Path, Action), Heap> = HashMap::new();
            steps.iter().for_each(|step| heaps.entry((top(dir(step), depth), step.action)).or_default().steps += 1);
            heaps
        };
        let mut folded = (deepest, heaps(deepest));
        while folded.1.len() > HEAPS && folded.0 > 0 {
            let next = (folded.0 - 1, heaps(folded.0 - 1));
            folded = next;
        }
        let (depth, heaps) = folded;
        Fold { depth: Some(depth), listed: (WHOLE / heaps.len().max(1)).max(LISTED), heaps }
    }

    /// The directory under which a step is listed.
    pub(super) fn heading(&self, step: &'s ManifestStep) -> &'s Path {
        self.depth.map_or(dir(step), |depth| top(dir(step), depth))
    }

    /// What stands for a step; they come in their order.
    pub(super) fn line(&mut self, step: &'s ManifestStep) -> Line {
        let heading = self.heading(step);
        let Some(heap) = self.heaps.get_mut(&(heading, step.action)) else { return Line::Step };
        heap.seen += 1;
        // One that is left would take the line that counts it.
        if heap.seen <= self.listed || heap.steps == self.listed + 1 {
            Line::Step
        } else if heap.seen == self.listed + 1 {
            Line::More(heap.steps - self.listed)
        } else {
            Line::Nothing
        }
    }
}

/// The directory of a step.
fn dir(step: &ManifestStep) -> &Path {
    step.link.parent()
}

/// The first components of a path, without an allocation.
fn top(path: &Path, depth: usize) -> &Path {
    let more = path.iter().count().saturating_sub(depth);
    path.ancestors().nth(more).unwrap_or(path)
}

/// How a step is called under a heading.
pub(super) fn below(step: &ManifestStep, heading: &Path) -> PathBuf {
    let link = step.link.as_path();
    link.strip_prefix(heading).unwrap_or(link).to_path_buf()
}
