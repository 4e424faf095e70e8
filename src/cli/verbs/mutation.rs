//! A mutation of the records, as people see it.

use std::fmt;

use caplink::records::Mutation;
use caplink::wire::Text;
use serde::Serialize;

use crate::cli::text::{BAD, DIM, GOOD, NAME, Painted};

/// A mutation as it is shown.
pub(super) struct Shown<'a> {
    mutation: &'a Mutation,
    local: bool,
    /// The group is shown, which `undo` and `log --group` take.
    verbose: bool,
}

impl<'a> Shown<'a> {
    pub(super) fn new(mutation: &'a Mutation, local: bool, verbose: bool) -> Shown<'a> {
        Shown { mutation, local, verbose }
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.mutation.serialize(serializer)
    }
}

/// `12 2026-11-28T06:05:04Z ensure current: releases/41 -> releases/42 (replaced) ticket 7`
impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mutation { seq, time, verb, link, other, previous, target, outcome, reason, kind, group, .. } =
            self.mutation;
        let Mutation { app, release, .. } = self.mutation;
        let time = if self.local { time.to_local() } else { time.to_string() };
        write!(f, "{} {} {verb}", Painted(DIM, seq), Painted(DIM, time))?;
        if let Some(link) = link {
            write!(f, " {}", Painted(NAME, Text::new(link)))?;
        }
        if let Some(other) = other {
            write!(f, " {}", Painted(NAME, Text::new(other)))?;
        }
        if let Some(release) = release {
            write!(f, " {}", Painted(NAME, caplink::printable(release)))?;
        }
        if let Some(app) = app.as_ref().filter(|app| *app != "default") {
            write!(f, " of {}", caplink::printable(app))?;
        }
        match (previous, target) {
            (Some(previous), Some(target)) => write!(f, ": {} -> {}", Text::new(previous), Text::new(target))?,
            (Some(previous), None) => write!(f, ": {} -> nothing", Text::new(previous))?,
            (None, Some(target)) => write!(f, " -> {}", Text::new(target))?,
            (None, None) => {}
        }
        let colour = if matches!(outcome.as_str(), "failed" | "unknown") { BAD } else { GOOD };
        write!(f, " ({}", Painted(colour, outcome))?;
        if let Some(kind) = kind {
            write!(f, ", {kind}")?;
        }
        if let Some(group) = group.as_ref().filter(|_| self.verbose) {
            write!(f, ", group {group}")?;
        }
        f.write_str(")")?;
        if let Some(reason) = reason {
            write!(f, " {}", caplink::printable(reason))?;
        }
        writeln!(f)
    }
}
