//! The sample of the schedules that is played.

use std::io::Write as _;

pub(crate) use crate::support::draw::is_asked_for;
use crate::support::draw::{self, one_of, seed};

/// A sample of one in so many schedules.
pub(crate) struct Draw {
    numbers: draw::Draw,
    one_of: u64,
}

impl Draw {
    /// Draws one in `usually` schedules, unless the environment asks for another part; prints how to repeat the sample.
    pub(crate) fn new(what: &str, usually: u64) -> Draw {
        let (seed, one_of) = (seed(), one_of(usually));
        let _ = writeln!(std::io::stderr(), "{what}: CAPLINK_SEED={seed} CAPLINK_ONE_OF={one_of}");
        Draw { numbers: draw::Draw::new(what), one_of }
    }

    /// Whether this one is played.
    pub(crate) fn one(&mut self) -> bool {
        self.numbers.one_of(self.one_of)
    }
}
