//! What of that which was found can be repaired, and by which commands.
//!
//! Whether an action would repair a link is asked of the plan that `caplink repair` carries out. A healthy link is often
//! meant to be absolute, chained or lengthy: its repair is named only where that trait was asked for.

use caplink::{FileKind, Finding, Repair, Root, Status, Trait};

use super::{Asked, Only};
use crate::cli::report::Report;

/// An action, and the trait that it takes away; each leaves every link leading to the same object.
struct Action {
    option: &'static str,
    of: Trait,
    set: fn(Repair) -> Repair,
}

const SPELLINGS: [Action; 3] = [
    Action { option: "--make-relative", of: Trait::Absolute, set: |repair| repair.make_relative(true) },
    Action { option: "--tidy", of: Trait::Messy, set: |repair| repair.tidy(true) },
    Action { option: "--shorten", of: Trait::Lengthy, set: |repair| repair.shorten(true) },
];
const CHAINS: Action =
    Action { option: "--shorten-chains", of: Trait::Chain, set: |repair| repair.shorten_chains(true) };

/// How many links each action would repair.
#[derive(Default)]
pub(super) struct Repairable {
    spellings: [bool; 3],
    respelled: u64,
    chains: u64,
    dangling: u64,
    stale: u64,
    /// Absolute texts that lead outside.
    outside: u64,
}

impl Repairable {
    pub(super) fn add(&mut self, finding: &Finding, asked: &Asked, root: &Root) {
        let repairs = |set: fn(Repair) -> Repair| set(Repair::default()).plan(finding, root.text_root()).is_some();
        if finding.is_staged() {
            self.stale += u64::from(repairs(|repair| repair.remove_leftovers(true)));
            return;
        }
        match finding.status {
            Status::Dangling => self.dangling += u64::from(repairs(|repair| repair.remove_dangling(true))),
            Status::Escape => self.outside += u64::from(finding.traits.contains(Trait::Absolute)),
            _ => {}
        }
        let is_asked = |action: &Action| asked.only.contains(&Only::Trait(action.of)) && repairs(action.set);
        let spellings = SPELLINGS.each_ref().map(is_asked);
        self.respelled += u64::from(spellings.contains(&true));
        for (needed, repairs) in self.spellings.iter_mut().zip(spellings) {
            *needed |= repairs;
        }
        self.chains += u64::from(is_asked(&CHAINS));
    }

    /// The commands, each with what it does, split by what would be lost.
    pub(super) fn commands(&self, root: &Root, report: &Report, asked: &Asked) -> Vec<String> {
        let command = |verb, options: Vec<&str>| report.here().command(verb, &options, Some(&asked.dir));
        let spellings =
            SPELLINGS.iter().zip(self.spellings).filter(|(_, needed)| *needed).map(|(action, _)| action.option);
        let repairs = [
            (spellings.collect(), self.respelled, "repairs the text of", ""),
            (vec![CHAINS.option], self.chains, "straightens", "chained "),
            (vec!["--remove-dangling"], self.dangling, "removes", "dangling "),
            (vec!["--remove-leftovers"], self.stale, "removes", "left-over "),
        ];
        let reported = |(options, count, does, which): (Vec<&'static str>, u64, &str, &str)| {
            let command = command("repair", options)?;
            (count > 0).then(|| format!("`{command}` {does} {count} {which}{}", links(count)))
        };
        let mut commands: Vec<String> = repairs.into_iter().filter_map(reported).collect();
        if self.outside > 0 && is_root_file_system(root) {
            let command = command("scan", vec!["--rooted"]);
            let why = "judges absolute texts as from inside this root file system";
            commands.extend(command.map(|command| format!("`{command}` {why}")));
        }
        commands
    }
}

fn links(count: u64) -> &'static str {
    if count == 1 { "link" } else { "links" }
}

/// Whether the root looks like that of an image or a sysroot.
fn is_root_file_system(root: &Root) -> bool {
    let is_dir = |name: &str| root.inspect(name).is_ok_and(|seen| seen.kind == Some(FileKind::Dir));
    is_dir("etc") && is_dir("usr")
}
