//! Deciding anew where the kernel refused, and giving up.

use std::time::Duration;

use crate::error::{Error, Kind};
use crate::root::Root;

/// Waits for a moment after a few refusals, each time another.
///
/// A program that trades the name all the time takes the lock of the directory in turns with this one. So it can be in
/// step with it: a link at each look, and something else at each trade.
pub(super) fn break_step(root: &Root, refused: usize) {
    if refused > 2 {
        let moment = root.calls().random().unwrap_or_default() % 64;
        root.calls().sleep(Duration::from_micros(moment as u64));
    }
}

/// The error after so many attempts. What was refused each time is not a matter of other programs.
pub(super) fn given_up(mut refusals: Vec<Error>, attempts: usize) -> Error {
    if refusals.len() < attempts {
        return Error::new(Kind::Contended);
    }
    refusals.pop().expect("BUG: there are attempts")
}
