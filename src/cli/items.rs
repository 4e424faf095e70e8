//! Items that are printed as they come, so that none is held: a tree can have more of them than fits into memory.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;

use super::global::Global;
use super::output;
use super::report::Report;

/// How much of a document is held back, in bytes: until then the run is likely to know whether anything was changed, which
/// stands before the items.
const HELD_BACK: usize = 64 << 10;

/// Of items that say that nothing was changed, so much is held, in bytes; the others are counted.
const UNCHANGED_MAX: usize = 1 << 20;

/// Prints items as they come.
pub(crate) struct Items {
    is_json: bool,
    quiet: bool,
    out: Box<dyn Write>,
    /// The part of a document that waits.
    held: Vec<u8>,
    is_first: bool,
    has_begun: bool,
    written: io::Result<()>,
}

impl Items {
    pub(crate) fn new(global: &Global) -> Items {
        let out: Box<dyn Write> = match global.json {
            true => output::raw_stdout(),
            false => output::gathered(global.color),
        };
        let quiet = global.quiet >= 2;
        let held = Vec::new();
        Items { is_json: global.json, quiet, out, held, is_first: true, has_begun: false, written: Ok(()) }
    }

    /// Adds an answer; nothing is changed by a run that answers.
    pub(crate) fn answer(&mut self, report: &mut Report, item: &(impl Serialize + fmt::Display)) {
        self.add(report, item, false);
        self.pass(report);
    }

    /// Adds what was done to a link.
    pub(crate) fn news(&mut self, report: &mut Report, item: &(impl Serialize + fmt::Display)) {
        if self.is_json && !report.changed && self.held.len() > UNCHANGED_MAX {
            return report.unlisted_items += 1;
        }
        self.add(report, item, true);
        if report.changed {
            self.pass(report);
        }
    }

    fn add(&mut self, report: &Report, item: &(impl Serialize + fmt::Display), is_news: bool) {
        if self.written.is_err() || (!self.is_json && is_news && self.quiet) {
            return;
        }
        if !self.is_json {
            self.written = write!(self.out, "{item}");
            return;
        }
        if !std::mem::take(&mut self.is_first) {
            self.held.push(b',');
        }
        serde_json::to_writer(&mut self.held, item).expect("BUG: an item has string keys");
        debug_assert!(report.items.is_empty(), "items are printed one way or the other");
    }

    /// Writes what waits, if it is much.
    fn pass(&mut self, report: &Report) {
        if self.held.len() >= HELD_BACK && self.written.is_ok() {
            self.written = self.write_held(report);
        }
    }

    fn write_held(&mut self, report: &Report) -> io::Result<()> {
        if self.is_json && !std::mem::replace(&mut self.has_begun, true) {
            self.out.write_all(report.around_items().0.as_bytes())?;
        }
        let written = self.out.write_all(&self.held);
        self.held.clear();
        written
    }

    /// Prints the rest, and ends the run.
    pub(crate) fn close(mut self, report: &Report, global: &Global) -> ExitCode {
        let written = std::mem::replace(&mut self.written, Ok(())).and_then(|()| self.end(report));
        drop(self);
        output::close(report, global, written)
    }

    fn end(&mut self, report: &Report) -> io::Result<()> {
        self.write_held(report)?;
        if self.is_json {
            writeln!(self.out, "{}", report.around_items().1)?;
        }
        self.out.flush()
    }
}
