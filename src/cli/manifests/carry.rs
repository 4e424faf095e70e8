//! Carries out a plan, or previews it, and reports what became of each step.

use caplink::manage::{Applied, Compared, ManifestStep, Manifests, Planned};
use caplink::records::{Author, Records};
use caplink::{Durability, Error, Root};

use super::errors::conflict;
use super::show::{compare, show};
use crate::cli::context::Context;
use crate::cli::problem::Problem;
use crate::cli::recording::{could_record, refused};
use crate::cli::report::Report;

/// The root as it is to be changed, with what its records say of manifests.
pub(crate) struct Ready {
    pub(crate) root: Root,
    pub(crate) manifests: Manifests,
    pub(crate) author: Author,
    pub(crate) records: Option<Records>,
}

/// Opens the root for a mutation. What an interrupted program left is settled first, unless nothing is to be changed.
pub(crate) fn ready(root: &Root, context: &Context, report: &mut Report) -> Result<Ready, Box<Problem>> {
    let root = context.confined(root).map_err(refused)?;
    let author = context.author()?;
    let wait = context.lock_timeout()?;
    let records = Records::open_for_mutation(&root).map_err(refused)?.map(|records| records.waiting(wait));
    if let (Some(records), false) = (&records, context.global.dry_run) {
        report.recovered(&records.recover().map_err(refused)?);
    }
    let manifests = match &records {
        Some(records) => Manifests::with_records(&root, records.clone()),
        None => Manifests::open(&root),
    };
    let manifests = manifests.map_err(refused)?;
    Ok(Ready { root, manifests, author, records })
}

/// How a plan is carried out.
pub(crate) struct Carried {
    pub(crate) keep_going: bool,
}

/// Carries out a plan, or previews it.
pub(crate) fn carry(
    ready: &Ready,
    planned: &Planned,
    how: &Carried,
    context: &Context,
    report: &mut Report,
) -> Result<(), Box<Problem>> {
    let durability = context.durability(&ready.root, Durability::Dir);
    let before = compare(&ready.manifests, &planned.plan.steps, context);
    let applied = if context.global.dry_run {
        ready.manifests.preview(planned, durability, how.keep_going)
    } else {
        ready.manifests.carry(planned, &ready.author, durability, how.keep_going).map_err(refused)?
    };
    // A real run finds out whether it can record when it does.
    let demands = |is_recorded: bool| match context.global.dry_run && is_recorded {
        true => could_record(&ready.root, ready.records.as_ref(), ready.author.reason().is_some()),
        false => Ok(()),
    };
    let changes = applied.results.iter().flatten().any(|outcome| outcome.effect.is_change());
    demands(changes && (applied.stands || how.keep_going))?;
    told(report, planned, &before, &applied, context);
    demands(applied.stands && !planned.is_at_rest() && !applied.results.is_empty())
}

/// Reports what became of each step.
fn told(report: &mut Report, planned: &Planned, before: &[Option<Compared>], applied: &Applied, context: &Context) {
    if !applied.group.is_empty() {
        report.group(&applied.group);
    }
    report.recovered(&applied.recovered);
    let steps = &planned.plan.steps;
    for outcome in applied.results.iter().flatten() {
        report.changed |= outcome.effect.is_change();
        outcome.shortfalls.iter().for_each(|error| report.error(error));
    }
    show(report, steps, before, Some(&applied.results), context);
    for (step, error) in steps.iter().zip(&applied.results).filter_map(failed) {
        report.changed |= error.is_changed();
        report.made(error.made());
        conflict(report, step, error);
    }
}

fn failed<'a>(
    (step, result): (&'a ManifestStep, &'a caplink::Result<caplink::Outcome>),
) -> Option<(&'a ManifestStep, &'a Error)> {
    Some((step, result.as_ref().err()?))
}
