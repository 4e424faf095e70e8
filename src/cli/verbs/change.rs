//! What the verbs that change a link share: carrying out an edit or previewing it, and showing what came of it.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use caplink::{Edit, Effect, Error, LinkPath, Outcome, Root};
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::report::Report;
use crate::cli::text::{DIM, GOOD, NAME, Painted, Text};

/// Carries out one edit of `link`, or previews it.
pub(super) fn run<E: Into<Edit>>(
    verb: &'static str,
    link: &OsStr,
    context: &Context,
    edit: impl FnOnce(LinkPath) -> E,
) -> Report {
    let mut report = Report::new(verb, context);
    let dry_run = context.global.dry_run;
    let Some(root) = report.opened(context.look_with_state()) else { return report };
    let edited = LinkPath::new(link).map_err(|error| error.during(verb)).and_then(|path| {
        let edit = edit(path).into().durability(context.durability(caplink::Durability::None));
        match context.enforcement() {
            _ if dry_run => context.confined(&root)?.preview(&edit),
            // The program changes nothing after this.
            Some(enforcement) => root.apply_confining_thread(&edit, enforcement),
            None => root.apply(&edit),
        }
    });
    match edited {
        Ok(outcome) => done(&mut report, &root, &[outcome]),
        Err(error) => failed(&mut report, &error),
    }
    report
}

/// Adds outcomes, and what fell short of them although the changes stand.
pub(super) fn done(report: &mut Report, root: &Root, outcomes: &[Outcome]) {
    let each = || outcomes.iter().flat_map(Outcome::each);
    for outcome in each() {
        report.changed |= outcome.effect.is_change();
        report.news(&Edited::of(outcome));
        report.note(1, detail(outcome));
        made(report, &outcome.made);
    }
    for error in each().flat_map(|outcome| &outcome.shortfalls) {
        report.error(error);
    }
    if each().any(|outcome| outcome.guarantee == caplink::Guarantee::Cooperative) {
        report.note(2, format!("this host gives no more: {:?}", root.abilities()));
    }
}

/// Adds an error; where the change itself could not be taken back, the link differs because of this run.
pub(super) fn failed(report: &mut Report, error: &Error) {
    if error.operation() == "confine" {
        return report.root_error(error);
    }
    report.changed |= error.link().is_some_and(|link| error.left().iter().any(|left| left == link));
    made(report, error.made());
    report.error(error);
}

fn made(report: &mut Report, made: &[PathBuf]) {
    if !made.is_empty() {
        let made: Vec<Text> = made.iter().map(|path| Text::path(path)).collect();
        report.extra("made", &made);
    }
}

fn detail(outcome: &Outcome) -> String {
    let verified = if outcome.verified { "read back" } else { "not read back" };
    format!(
        "{}: {verified}, staging {}, durability {}, confinement {}",
        outcome.link,
        outcome.staging.as_str(),
        outcome.durability.as_str(),
        outcome.confinement
    )
}

/// An outcome as it is shown.
#[derive(Serialize)]
struct Edited {
    link: Text,
    target: Option<Text>,
    outcome: &'static str,
    previous: Option<Text>,
    guarantee: &'static str,
    durability: &'static str,
    confinement: String,
    staging: &'static str,
    verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    physical: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    made: Vec<Text>,
    #[serde(skip)]
    effect: Effect,
}

impl Edited {
    fn of(outcome: &Outcome) -> Edited {
        let link: &Path = outcome.link.as_path();
        Edited {
            link: Text::new(link),
            target: outcome.target.as_ref().map(Text::new),
            outcome: outcome.effect.as_str(),
            previous: outcome.previous.as_ref().map(Text::new),
            guarantee: outcome.guarantee.as_str(),
            durability: outcome.durability.as_str(),
            confinement: outcome.confinement.to_string(),
            staging: outcome.staging.as_str(),
            verified: outcome.verified,
            physical: outcome.physical.as_deref().map(Text::path),
            backup: outcome.backup.as_ref().map(Text::new),
            made: outcome.made.iter().map(|path| Text::path(path)).collect(),
            effect: outcome.effect,
        }
    }
}

impl fmt::Display for Edited {
    /// `current: releases/41 -> releases/42 (replaced, atomic)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Painted(NAME, &self.link))?;
        match (&self.previous, &self.target) {
            (Some(previous), Some(target)) => write!(f, ": {previous} -> {target}")?,
            (Some(previous), None) => write!(f, ": {previous} -> nothing")?,
            (None, Some(target)) => write!(f, " -> {target}")?,
            (None, None) if self.effect.is_change() => f.write_str(": an empty private directory")?,
            (None, None) => f.write_str(": nothing there")?,
        }
        let colour = if self.effect.is_change() { GOOD } else { DIM };
        write!(f, " ({}", Painted(colour, self.outcome))?;
        if self.effect.is_change() {
            write!(f, ", {}", self.guarantee)?;
        }
        if let Some(backup) = &self.backup {
            write!(f, ", backup {backup}")?;
        }
        writeln!(f, ")")?;
        for made in &self.made {
            writeln!(f, "{}: made", Painted(NAME, made))?;
        }
        Ok(())
    }
}
