//! `caplink undo`: takes back what a group did, as a new group.

use std::fmt;

use caplink::records::{GroupStep, Records};
use caplink::{Effect, Error, Kind, Outcome};
use clap::Args;
use serde::Serialize;

use super::records::no_records;
use super::{change, group};
use crate::cli::context::Context;
use crate::cli::problem::Problem;
use crate::cli::recording::{could_record, refused};
use crate::cli::report::Report;
use crate::cli::text::{DIM, NAME, Painted};
use caplink::wire::Text;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink undo --group 5f0c2ab9d1e47380
  caplink -n undo --group 5f0c2ab9d1e47380";

/// Take each link of a group back to what it was before
///
/// It is a group of its own: all links are taken back or none. A link that is not as the group left it is a mismatch.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Undo {
    /// The group, as a document or the log names it
    #[arg(long, value_name = "ID")]
    group: String,
}

impl Undo {
    pub(crate) fn run(&self, context: &Context) -> Report {
        let mut report = Report::new("undo", context);
        if let Some(root) = report.opened(context.look_with_state())
            && let Err(problem) = self.carry_out(&root, context, &mut report)
        {
            report.errors.push(*problem);
        }
        report
    }

    fn carry_out(&self, root: &caplink::Root, context: &Context, report: &mut Report) -> Result<(), Box<Problem>> {
        let root = context.confined(root).map_err(refused)?;
        let wait = context.lock_timeout()?;
        let records =
            Records::open_for_mutation(&root).map_err(refused)?.ok_or_else(|| no_records(&root))?.waiting(wait);
        let author = context.author()?;
        if !context.global.dry_run {
            report.recovered(&records.recover_group(&self.group).map_err(refused)?);
        }
        let undo = records.undoing(&self.group).map_err(|error| unknown(error, report))?;
        let steps: Vec<GroupStep> = undo.steps().to_vec();
        let came = group::apply(&root, context, &records, &author, undo, report)?;
        if context.global.dry_run && came.stands && came.results.iter().flatten().any(|of| of.effect.is_change()) {
            could_record(&root, Some(&records), author.reason().is_some())?;
        }
        for (step, result) in steps.iter().zip(came.results) {
            match result {
                Ok(outcome) if outcome.effect == Effect::Skipped => report.news(&Skipped::of(step)),
                Ok(outcome) => {
                    let outcome: Outcome = outcome;
                    change::done(report, &root, &[outcome]);
                }
                Err(error) => change::failed(report, &error),
            }
        }
        Ok(())
    }
}

/// Why nothing can be undone; the log shows which groups there are.
fn unknown(error: Error, report: &Report) -> Box<Problem> {
    let is_unknown = error.kind() == Kind::NotFound;
    let log = report.here().command("log", &["-v"], None).filter(|_| is_unknown);
    let problem = refused(error);
    match log {
        Some(log) => Box::new(problem.hinted(Some(format!("`{log}` shows the groups")))),
        None => problem,
    }
}

/// A link that was not tried.
#[derive(Serialize)]
struct Skipped {
    verb: &'static str,
    link: Text,
    outcome: Effect,
}

impl Skipped {
    fn of(step: &GroupStep) -> Skipped {
        Skipped { verb: step.verb(), link: Text::new(step.path().as_path()), outcome: Effect::Skipped }
    }
}

impl fmt::Display for Skipped {
    /// `current (skipped)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({})", Painted(NAME, &self.link), Painted(DIM, self.outcome))
    }
}
