//! What of that which was found can be mended, and by which commands.
//!
//! Whether an action would mend a link is asked of the plan that `caplink repair` carries out.

use std::path::Path;

use caplink::{Finding, Repair, Status};

use super::asked::Asked;
use crate::cli::global::Global;
use crate::cli::hint;
use crate::cli::report::Report;

type Action = (&'static str, fn(Repair) -> Repair);

/// The actions that leave every link leading to the same object.
const SPELLINGS: [Action; 3] = [
    ("--make-relative", |repair| repair.make_relative(true)),
    ("--tidy", |repair| repair.tidy(true)),
    ("--shorten", |repair| repair.shorten(true)),
];
const CHAINS: Action = ("--shorten-chains", |repair| repair.shorten_chains(true));
const DANGLING: Action = ("--remove-dangling", |repair| repair.remove_dangling(true));
const LEFTOVERS: Action = ("--remove-leftovers", |repair| repair.remove_leftovers(true));

/// How many links each action would mend.
#[derive(Default)]
pub(super) struct Mendable {
    spellings: [bool; 3],
    respelled: u64,
    chains: u64,
    dangling: u64,
    leftovers: u64,
}

impl Mendable {
    pub(super) fn add(&mut self, finding: &Finding, root: Option<&Path>) {
        if finding.status == Status::Ok && finding.traits.is_empty() && !finding.is_staged() {
            return;
        }
        let mends = |(_, set): Action| set(Repair::default()).plan(finding, root).is_some();
        if finding.is_staged() {
            self.leftovers += u64::from(mends(LEFTOVERS));
            return;
        }
        let spellings = SPELLINGS.map(mends);
        self.respelled += u64::from(spellings.contains(&true));
        for (needed, mends) in self.spellings.iter_mut().zip(spellings) {
            *needed |= mends;
        }
        self.chains += u64::from(mends(CHAINS));
        self.dangling += u64::from(mends(DANGLING));
    }

    /// The commands, each with what it does, split by what would be lost.
    pub(super) fn commands(&self, report: &Report, asked: &Asked, global: &Global) -> Vec<String> {
        let spellings = SPELLINGS.iter().zip(self.spellings).filter(|(_, needed)| *needed).map(|((name, _), _)| *name);
        let lines = [
            (spellings.collect(), self.respelled, "mends the text of", ""),
            (vec![CHAINS.0], self.chains, "straightens", "chained "),
            (vec![DANGLING.0], self.dangling, "removes", "dangling "),
            (vec![LEFTOVERS.0], self.leftovers, "removes", "left-over "),
        ];
        let told = |(options, count, does, which): (Vec<&str>, u64, &str, &str)| {
            let mut words = vec!["repair"];
            words.extend(global.follow.then_some("--follow"));
            words.extend(global.cross_mounts.then_some("--cross-mounts"));
            words.extend(options);
            let command = hint::command(&words, report.root_option(), Some(&asked.dir))?;
            let links = if count == 1 { "link" } else { "links" };
            (count > 0).then(|| format!("`{command}` {does} {count} {which}{links}"))
        };
        lines.into_iter().filter_map(told).collect()
    }
}
