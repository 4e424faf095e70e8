//! What became of the operations of a race.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use caplink::{Kind, Result};

use super::arena::{patience, rounds, told};
use super::table::Row;

/// How often an operation that lost its way among the changes of others is begun anew.
const RETRIES: usize = 8;

/// How often each thing happened.
#[derive(Default)]
pub(crate) struct Tally {
    counts: BTreeMap<&'static str, usize>,
    retried: usize,
}

impl Tally {
    /// Counts a result and hands it back.
    pub(crate) fn count<T>(&mut self, result: Result<T>) -> Result<T> {
        let what = match &result {
            Ok(_) => "let through",
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

    pub(crate) fn let_through(&self) -> usize {
        self.counts.get("let through").copied().unwrap_or(0)
    }

    pub(crate) fn refused(&self) -> usize {
        self.counts.values().sum::<usize>() - self.let_through()
    }

    /// Whether some were refused because of the attack, and some let through.
    pub(crate) fn has_both(&self) -> bool {
        let without_attack = self.counts.get(Kind::Unsupported.as_str()).copied().unwrap_or(0);
        self.refused() > without_attack && self.let_through() > 0
    }

    pub(crate) fn only(&self, kinds: &[Kind]) {
        for what in self.counts.keys().filter(|what| **what != "let through") {
            assert!(kinds.iter().any(|kind| kind.as_str() == *what), "{what}: {:?}", self.counts);
        }
    }

    /// Prints what was counted, and ends the row of the table with it.
    pub(crate) fn tell(&self, row: Row<'_>, race: &str, attacks: u64) {
        let (refused, retried, let_through) = (self.refused(), self.retried, self.let_through());
        let attacks = if attacks > 0 { attacks.to_string() } else { "uncounted".to_owned() };
        let counted = format!("{attacks} attacks, {refused} refused, {retried} retried, {let_through} let through");
        told(&format!("{race}: {counted} {:?}", self.counts));
        row.held(&counted);
    }
}

/// Runs the rounds that are due, and goes on until there were attacks and `enough` is true of the tally.
///
/// On a machine with much else to do, a few hundred rounds can pass without the attacker running at all.
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
