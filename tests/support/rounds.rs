//! How large a run of what is repeated is to be.

use super::environment::word;

/// `CAPLINK_ROUNDS`: `full`, `few`, or a usual run where it is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounds {
    Full,
    Usual,
    Few,
}

impl Rounds {
    pub(crate) fn asked_for() -> Rounds {
        match word("CAPLINK_ROUNDS", &["full", "few"]) {
            Some("full") => Rounds::Full,
            Some(_) => Rounds::Few,
            None => Rounds::Usual,
        }
    }
}
