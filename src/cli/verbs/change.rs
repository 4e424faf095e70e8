//! What the verbs that change a link share: carrying out an edit or previewing it, and showing what came of it.

use std::ffi::{OsStr, OsString};
use std::fmt;

use caplink::{Edit, Effect, Error, LinkPath, Outcome, Root};
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::items::Items;
use crate::cli::output;
use crate::cli::report::Report;
use crate::cli::text::{DIM, GOOD, NAME, Painted};

/// Carries out one edit of `link`, or previews it.
pub(super) fn run<E: Into<Edit>>(
    verb: &'static str,
    link: &OsStr,
    context: &Context,
    edit: impl FnOnce(LinkPath) -> E,
) -> Report {
    let mut report = Report::new(verb, context);
    let Some(root) = report.opened(context.to_change()) else { return report };
    let edited = spelled(verb, link).and_then(|path| {
        let edit = edit(path).into().durability(context.durability(&root, caplink::Durability::None));
        match context.enforcement() {
            _ if context.global.dry_run => context.confined(&root)?.preview(&edit),
            // The program changes nothing after this.
            Some(enforcement) => root.apply_confining_thread(&edit, enforcement),
            None => root.apply(&edit),
        }
    });
    add(&mut report, &root, edited);
    report
}

/// Carries out an edit of each link, or previews it; each for itself.
pub(super) fn run_each<E: Into<Edit>>(
    verb: &'static str,
    links: &[OsString],
    context: &Context,
    edit: impl Fn(LinkPath) -> E,
) -> Report {
    if let [link] = links {
        return run(verb, link, context, edit);
    }
    let mut report = Report::new(verb, context);
    let Some(root) = report.opened(context.to_change()) else { return report };
    let root = match context.confined(&root) {
        Ok(root) => root,
        Err(error) => {
            report.root_error(&error);
            return report;
        }
    };
    let durability = context.durability(&root, caplink::Durability::None);
    let edits: Vec<_> =
        links.iter().map(|link| spelled(verb, link).map(|path| edit(path).into().durability(durability))).collect();
    let spelled: Vec<Edit> = edits.iter().flatten().cloned().collect();
    let came = if context.global.dry_run { root.preview_all(&spelled) } else { root.apply_all(&spelled) };
    let mut came = came.into_iter();
    for edit in edits {
        let edited = edit.and_then(|_| came.next().expect("BUG: each edit comes to something"));
        add(&mut report, &root, edited);
    }
    report
}

fn spelled(verb: &'static str, link: &OsStr) -> Result<LinkPath, Error> {
    LinkPath::new(link).map_err(|error| error.during(verb))
}

fn add(report: &mut Report, root: &Root, edited: Result<Outcome, Error>) {
    match edited {
        Ok(outcome) => done(report, root, &[outcome]),
        Err(error) => failed(report, &error),
    }
}

/// Adds outcomes, and what fell short of them although the changes stand.
pub(super) fn done(report: &mut Report, root: &Root, outcomes: &[Outcome]) {
    let each = || outcomes.iter().flat_map(Outcome::each);
    for outcome in each() {
        report.changed |= outcome.effect.is_change();
        report.news(&Shown(outcome));
        report.note(1, detail(outcome));
        report.made(&outcome.made);
    }
    for error in each().flat_map(|outcome| &outcome.shortfalls) {
        report.error(error);
    }
    if each().any(|outcome| outcome.guarantee == caplink::Guarantee::Cooperative) {
        report.note(2, format!("this host gives no more: {:?}", root.abilities()));
    }
}

/// Prints an outcome of many, and adds what fell short of it.
pub(super) fn repaired(report: &mut Report, items: &mut Items, context: &Context, outcome: &Outcome) {
    item(report, items, context, outcome, &Shown(outcome));
}

/// The same as it is shown.
pub(super) fn item(
    report: &mut Report,
    items: &mut Items,
    context: &Context,
    outcome: &Outcome,
    shown: &(impl Serialize + fmt::Display),
) {
    report.changed |= outcome.effect.is_change();
    items.news(report, shown);
    if context.global.verbose > 0 {
        output::note(&detail(outcome), context.global.color);
    }
    for error in &outcome.shortfalls {
        report.error(error);
    }
}

/// Adds an error; where the change itself could not be taken back, the link differs because of this run.
pub(super) fn failed(report: &mut Report, error: &Error) {
    if error.operation() == "confine" {
        return report.root_error(error);
    }
    let stands = error.link().is_some_and(|link| error.left().iter().any(|left| left == link));
    report.changed |= error.is_changed() || stands;
    report.made(error.made());
    report.error(error);
}

fn detail(outcome: &Outcome) -> String {
    let verified = match (outcome.verified, outcome.dry_run && outcome.effect.is_change()) {
        (true, true) => "would be read back",
        (true, false) => "read back",
        (false, _) => "not read back",
    };
    format!(
        "{}: {verified}, staging {}, durability {}, confinement {}",
        outcome.link, outcome.staging, outcome.durability, outcome.confinement
    )
}

/// An outcome, and how people see it.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct Shown<'a>(pub(crate) &'a Outcome);

impl fmt::Display for Shown<'_> {
    /// `current: releases/41 -> releases/42 (replaced, atomic)`, in a dry run `(would be replaced, atomic)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shown(outcome) = self;
        let is_change = outcome.effect.is_change();
        write!(f, "{}", Painted(NAME, &outcome.link))?;
        let text = |text: &OsString| caplink::printable(text).to_string();
        match (&outcome.previous, &outcome.target) {
            (Some(previous), Some(target)) => write!(f, ": {} -> {}", text(previous), text(target))?,
            (Some(previous), None) => write!(f, ": {} -> nothing", text(previous))?,
            (None, Some(target)) => write!(f, " -> {}", text(target))?,
            (None, None) if outcome.effect == Effect::Removed => f.write_str(": an empty directory")?,
            (None, None) if is_change || outcome.effect == Effect::Skipped => {}
            (None, None) => f.write_str(": nothing there")?,
        }
        // What is true of the real run is not said of a dry one.
        let would = if outcome.dry_run { "would be " } else { "" };
        if is_change {
            let done = format_args!("{would}{}", outcome.effect);
            write!(f, " ({}, {}", Painted(GOOD, done), outcome.guarantee)?;
        } else {
            write!(f, " ({}", Painted(DIM, outcome.effect))?;
        }
        if let Some(backup) = &outcome.backup {
            write!(f, ", backup {}", caplink::printable(backup))?;
        }
        writeln!(f, ")")?;
        for made in &outcome.made {
            writeln!(f, "{}: {would}made", Painted(NAME, caplink::printable(made)))?;
        }
        Ok(())
    }
}
