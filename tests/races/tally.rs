//! Counts the results of the operations of a race.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use caplink::{Kind, Result};

use super::arena::{patience, report, rounds};
use super::support::table::Row;

/// How often an operation that was `contended` is retried.
const RETRIES: usize = 8;

/// How often each result occurred.
#[derive(Default)]
pub(crate) struct Tally {
    counts: BTreeMap<&'static str, usize>,
    retried: usize,
}

impl Tally {
    /// Counts a result and hands it back.
    pub(crate) fn count<T>(&mut self, result: Result<T>) -> Result<T> {
        let what = match &result {
            Ok(_) => "succeeded",
            Err(error) => error.kind().as_str(),
        };
        *self.counts.entry(what).or_default() += 1;
        result
    }

    /// Runs an operation, and again while it is `contended`.
    pub(crate) fn run<T>(&mut self, mut operation: impl FnMut() -> Result<T>) {
        for _ in 0..RETRIES {
            match operation() {
                Err(error) if error.kind() == Kind::Contended => self.retried += 1,
                result => return drop(self.count(result)),
            }
        }
        let _ = self.count(operation());
    }

    pub(crate) fn succeeded(&self) -> usize {
        self.counts.get("succeeded").copied().unwrap_or(0)
    }

    pub(crate) fn refused(&self) -> usize {
        self.counts.values().sum::<usize>() - self.succeeded()
    }

    /// Whether both outcomes occurred: some operations were refused because of the attack, and some succeeded.
    pub(crate) fn has_both(&self) -> bool {
        let without_attack = self.counts.get(Kind::Unsupported.as_str()).copied().unwrap_or(0);
        self.refused() > without_attack && self.succeeded() > 0
    }

    pub(crate) fn only(&self, kinds: &[Kind]) {
        for what in self.counts.keys().filter(|what| **what != "succeeded") {
            assert!(kinds.iter().any(|kind| kind.as_str() == *what), "{what}: {:?}", self.counts);
        }
    }

    /// Prints the counts, and completes the row of the table with them.
    pub(crate) fn finish(&self, row: Row<'_>, race: &str, attacks: u64) {
        let (refused, retried, succeeded) = (self.refused(), self.retried, self.succeeded());
        let attacks = if attacks > 0 { attacks.to_string() } else { "uncounted".to_owned() };
        let counted = format!("{attacks} attacks, {refused} refused, {retried} retried, {succeeded} succeeded");
        report(&format!("{race}: {counted} {:?}", self.counts));
        row.held(&counted);
    }
}

/// Runs the rounds that are due, and continues until as many attacks were made and `enough` is true of the tally.
///
/// On a busy machine the attacker may not be scheduled at all during a few hundred rounds.
pub(crate) fn while_attacked(
    full: usize,
    attacks: &AtomicU64,
    tally: &mut Tally,
    enough: impl Fn(&Tally) -> bool,
    mut round: impl FnMut(usize, &mut Tally),
) {
    let (due, begun) = (rounds(full), Instant::now());
    let wanted = attacks.load(Ordering::Relaxed).saturating_add(due as u64);
    let mut index = 0;
    while index < due || attacks.load(Ordering::Relaxed) < wanted || !enough(tally) {
        assert!(begun.elapsed() < patience(), "{index} rounds: {:?}", tally.counts);
        round(index, tally);
        index += 1;
    }
}
