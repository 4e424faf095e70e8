//! What went wrong in many runs, and how many of them came to what.

use std::collections::BTreeMap;
use std::io::Write as _;

use crate::play::{Played, Schedule};
use crate::scene::Scenario;
use crate::support::view::Actor;

/// What went wrong, each with the first schedule that showed it and how often it did.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) schedules: usize,
    /// Of these: others changed something, or a call failed.
    pub(crate) disturbed: usize,
    pub(crate) succeeded: usize,
    pub(crate) refused: usize,
    /// Refused after something had been changed, which was taken back or named.
    pub(crate) undone: usize,
    /// How often names were changed.
    pub(crate) changes: usize,
    pub(crate) wrongs: BTreeMap<String, (String, usize)>,
}

impl Findings {
    pub(crate) fn note(&mut self, scenario: Scenario, schedule: &Schedule, played: &Played) {
        self.schedules += 1;
        self.disturbed += usize::from(played.ledger.disturbed || played.failed);
        let succeeded = played.end.code == Some(0);
        self.succeeded += usize::from(succeeded);
        self.refused += usize::from(!succeeded);
        self.changes += played.ledger.log.iter().filter(|change| change.actor == Actor::Executor).count();
        self.undone += usize::from(!succeeded && played.changes() > 0);
        for wrong in &played.ledger.violations {
            let key = format!("{:?} {wrong}", scenario.verb);
            let (_, times) = self.wrongs.entry(key).or_insert_with(|| (show(scenario, schedule, played), 0));
            *times += 1;
        }
    }

    /// Which laws were broken.
    pub(crate) fn laws(&self) -> Vec<&str> {
        let law = |wrong: &'_ String| -> &str {
            let start = wrong.find(' ').map_or(0, |at| at + 1);
            // Borrowed from the key, which outlives this.
            let end = wrong.find(':').unwrap_or(wrong.len());
            &self.wrongs.get_key_value(wrong).expect("it is there").0[start..end]
        };
        let mut laws: Vec<&str> = self.wrongs.keys().map(law).collect();
        laws.sort_unstable();
        laws.dedup();
        laws
    }

    /// Says what the runs came to, past the capture of the test harness.
    pub(crate) fn print(&self, of: &str) {
        let Findings { schedules, disturbed, succeeded, refused, undone, .. } = self;
        let _ = writeln!(
            std::io::stderr(),
            "{of}: {schedules} runs, {disturbed} disturbed, {succeeded} succeeded, {refused} refused, {undone} of them undone"
        );
    }

    /// Shows what went wrong, if anything did.
    pub(crate) fn assert_none(&self) {
        let lines =
            self.wrongs.iter().map(|(wrong, (example, times))| format!("{wrong} ({times} times)\n    {example}"));
        let lines: Vec<String> = lines.collect();
        assert!(lines.is_empty(), "{} laws were broken:\n{}", lines.len(), lines.join("\n"));
    }
}

/// A schedule in words: each action with the call that it comes before.
fn show(scenario: Scenario, schedule: &Schedule, played: &Played) -> String {
    let at = |point: usize| {
        let call = played.points.get(point).map_or("never".to_owned(), crate::calls::Named::words);
        format!("{call} ({point})")
    };
    let mut words = vec![scenario.name()];
    words.extend(schedule.actions.iter().map(|(point, action)| format!("{action:?} before {}", at(*point))));
    words.extend(schedule.fault.map(|(point, error)| format!("{error:?} from {}", at(point))));
    words.extend(schedule.kill.map(|point| format!("killed before {}", at(point))));
    let end = format!("{:?}: {} {}", played.end.code, played.end.stdout.trim_end(), played.end.stderr.trim_end());
    format!("{}\n    {end}", words.join("; "))
}
