//! What decides how a run goes on. Two runs that are in one state before the same call come to the same from there.
//!
//! The executor is a program without a source of chance: what it does next follows from what it learned so far, by
//! calls and without one. What it learns next follows from the tree, with its locks, descriptors, inode numbers and
//! clock; and what is thought of it, from the judge. So a state is all that it learned, the whole tree with its log, and
//! the whole judge, but for when others last changed something: see [`State::interfered`].
//!
//! It is kept as two hashes of 64 bits. The states of one scenario are compared, of which there are less than a million:
//! were the hashes drawn by lot, two of them that differ would be taken for one with a chance of less than 2⁻⁸⁸.

use std::fmt::{self, Write as _};
use std::hash::{DefaultHasher, Hash, Hasher};

use caplink::adversary::{Call, Tree};

use crate::judge::Judge;

#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    pub(crate) hashes: [u64; 2],
    /// After how many calls others changed something last. The judge excuses more just after that. So of two runs
    /// that differ in this alone, the one where it was earlier breaks every law that the other one breaks.
    pub(crate) interfered: Option<usize>,
}

/// Everything that the executor asked for and learned, in order.
#[derive(Clone)]
pub(crate) struct Learned([DefaultHasher; 2]);

impl Learned {
    pub(crate) fn new() -> Learned {
        let hashers = [0_u64, 1].map(|each| {
            let mut hasher = DefaultHasher::new();
            each.hash(&mut hasher);
            hasher
        });
        Learned(hashers)
    }

    pub(crate) fn calls(&mut self, call: Call) {
        call.hash(self);
    }

    pub(crate) fn answers(&mut self, answer: &dyn fmt::Debug) {
        write!(self, "{answer:?}").expect("BUG: hashing does not fail");
        // No text has this byte.
        self.write_u8(0xff);
    }

    pub(crate) fn state(&self, tree: &Tree, judge: &Judge) -> State {
        let mut learned = self.clone();
        tree.hash(&mut learned);
        Entered(judge).hash(&mut learned);
        State { hashes: learned.0.map(|hasher| hasher.finish()), interfered: judge.last_interfered }
    }
}

impl Hasher for Learned {
    fn write(&mut self, bytes: &[u8]) {
        self.0.iter_mut().for_each(|hasher| hasher.write(bytes));
    }

    fn finish(&self) -> u64 {
        self.0[0].finish()
    }
}

impl fmt::Write for Learned {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write(text.as_bytes());
        Ok(())
    }
}

/// All of the ledger but what is one in all runs that are compared, what the tree has as well, what is found anew before
/// each call, and when others last changed something.
struct Entered<'a>(&'a Judge);

impl Hash for Entered<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Judge {
            setting: _,
            log: _,
            interfered: _,
            last_interfered: _,
            home,
            live,
            homeless,
            ever,
            taken,
            outside,
            moments,
            calls,
            disturbed,
            actions,
            locked,
            unhoused,
            sealed,
            misinformed,
            no_second_names,
            reached_outside,
            moved_others,
            excused,
            overwritten,
            adopted,
            loose,
            violations,
        } = self.0;
        (home, live, homeless, ever, taken, outside, moments, calls).hash(hasher);
        (disturbed, actions, locked, unhoused, sealed, misinformed, no_second_names).hash(hasher);
        (reached_outside, moved_others, excused, overwritten, adopted, loose, violations).hash(hasher);
    }
}
