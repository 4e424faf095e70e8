//! Deciding anew where the kernel refused, giving up, and refusing.

use std::time::Duration;

use crate::error::{Error, Found, Kind, printable};
use crate::model::Edit;
use crate::model::change::Expected;
use crate::sys::Calls;

/// How often an edit is decided anew when others change the same name.
pub(super) const ATTEMPTS: usize = 64;

/// Waits for a moment after a few refusals, each time another.
///
/// A program that exchanges the name all the time takes the lock of the directory in turns with this one. So it can be
/// in step with it: a link at each look, and something else at each exchange.
pub(super) fn break_step(calls: &dyn Calls, refused: usize) {
    if refused > 2 {
        let moment = calls.random().unwrap_or_default() % 64;
        calls.sleep(Duration::from_micros(moment as u64));
    }
}

/// The error after so many attempts. What was refused each time is not a matter of other programs.
pub(super) fn given_up(mut refusals: Vec<Error>, attempts: usize) -> Error {
    if refusals.len() < attempts {
        return Error::new(Kind::Contended);
    }
    refusals.pop().expect("BUG: there are attempts")
}

/// The refusal of an edit for what is under the name.
pub(super) fn refusal(kind: Kind, edit: &Edit, found: Found) -> Error {
    let reason = match (kind, edit.change.expected(), &found) {
        (Kind::Mismatch, Expected::Link(text), Found::Link(present)) => {
            format!("it points to `{}`, expected `{}`", printable(present), printable(text))
        }
        (Kind::Exists, _, found) => format!("the name is taken by {found}"),
        (Kind::NotALink, _, found) => format!("it is {found}, not a symbolic link"),
        (Kind::NotFound, ..) => "nothing has this name".to_owned(),
        (_, _, found) => format!("found {found}"),
    };
    Error::new(kind).because(reason).found_instead(found)
}
