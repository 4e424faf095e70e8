//! What the lines of a batch came to, as items.

use std::fmt;

use caplink::wire::Text;
use caplink::{Effect, Error, Outcome};
use serde::Serialize;

use super::change;
use crate::cli::batch_lines::Numbered;
use crate::cli::context::Context;
use crate::cli::items::Items;
use crate::cli::report::Report;
use crate::cli::text::{DIM, NAME, Painted};

/// Adds what a line came to.
pub(super) fn add(
    report: &mut Report,
    items: &mut Items,
    context: &Context,
    numbered: &Numbered,
    result: Result<Outcome, Error>,
) {
    let listed = report.errors.len();
    match result {
        Ok(outcome) if outcome.effect == Effect::Skipped => skip(report, items, numbered),
        Ok(outcome) => {
            for outcome in outcome.each() {
                change::item(report, items, context, outcome, &Numbering { line: numbered.number, outcome });
            }
        }
        Err(error) => change::failed(report, &error),
    }
    report.errors.at_line(listed, numbered.number);
}

/// Adds a line that was not tried.
pub(super) fn skip(report: &mut Report, items: &mut Items, numbered: &Numbered) {
    let line = &numbered.line;
    for link in [line.link(), line.second()].into_iter().flatten() {
        items.news(report, &Skipped { line: numbered.number, verb: line.verb(), link, outcome: Effect::Skipped });
    }
}

/// What a line came to.
#[derive(Serialize)]
struct Numbering<'a> {
    line: u64,
    #[serde(flatten)]
    outcome: &'a Outcome,
}

impl fmt::Display for Numbering<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", change::Shown(self.outcome))
    }
}

/// A line that was not tried.
#[derive(Serialize)]
struct Skipped<'a> {
    line: u64,
    verb: &'static str,
    link: &'a Text,
    outcome: Effect,
}

impl fmt::Display for Skipped<'_> {
    /// `current (skipped)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({})", Painted(NAME, self.link), Painted(DIM, self.outcome))
    }
}
