//! `caplink batch`: edits from lines of JSON, in order.

use std::path::PathBuf;
use std::process::ExitCode;

use caplink::{Durability, Edit, Error, Foreseen, OnError, Plan, Root};
use clap::{Args, ValueHint, value_parser};

use super::group;
use super::lines::{add, skip};
use crate::cli::batch_lines::{self, Numbered};
use crate::cli::context::Context;
use crate::cli::items::Items;
use crate::cli::report::Report;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink batch edits.ndjson
  caplink -n batch edits.ndjson
  caplink batch --keep-going - <edits.ndjson
  caplink batch --all-or-nothing edits.ndjson

A line is an object with the options of its verb as keys:
  {\"verb\": \"ensure\", \"link\": \"current\", \"to\": \"releases/42\", \"reason\": \"weekly release\"}
  {\"verb\": \"swap\", \"link\": \"current\", \"to\": \"releases/42\", \"expect\": \"releases/41\"}
  {\"verb\": \"exchange\", \"a\": \"blue\", \"b\": \"green\"}
  {\"verb\": \"remove\", \"link\": {\"base64\": \"Y2Fm6Q==\"}, \"missing_ok\": true}";

/// Carry out edits from lines of JSON, in order
///
/// All lines are read before the first edit; if one makes no sense nothing is done. The first edit that fails stops the
/// rest.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Batch {
    /// The lines; without it, or with -, those of standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = value_parser!(PathBuf))]
    file: Option<PathBuf>,
    /// Go on after an edit that fails
    #[arg(long, conflicts_with = "all_or_nothing")]
    keep_going: bool,
    /// Let all edits stand, or none; the root must have records
    #[arg(long)]
    all_or_nothing: bool,
}

impl Batch {
    pub(crate) fn run(&self, context: &Context) -> ExitCode {
        let mut report = Report::new("batch", context);
        let mut items = Items::new(&context.global);
        if let Some(root) = report.opened(context.look_with_state()) {
            match batch_lines::read(self.file.as_deref()) {
                Ok(lines) if self.all_or_nothing => group::carry_out(&root, context, &lines, &mut report, &mut items),
                Ok(lines) => self.carry_out(&root, context, &lines, &mut report, &mut items),
                Err(problems) => report.errors.extend(problems),
            }
        }
        report.recovered(&context.settled());
        items.close(&report, &context.global)
    }

    fn carry_out(&self, root: &Root, context: &Context, lines: &[Numbered], report: &mut Report, items: &mut Items) {
        let root = match context.confined(root) {
            Ok(root) => root,
            Err(error) => return report.root_error(&error),
        };
        let on_error = if self.keep_going { OnError::KeepGoing } else { OnError::Stop };
        let mut rest = lines;
        let mut foreseen = Foreseen::default();
        while !rest.is_empty() {
            let (run, edits) = next_run(rest);
            let results = match edits {
                Err(error) => vec![Err(error)],
                Ok(edits) => {
                    let root = match context.recorded(&root, run[0].line.reason()) {
                        Ok(root) => root,
                        Err(problem) => return report.errors.push(*problem),
                    };
                    let durability = context.durability(&root, Durability::Dir);
                    let plan = Plan::new(edits).on_error(on_error).durability(durability);
                    match context.global.dry_run {
                        true => root.preview_plan_after(&plan, &mut foreseen),
                        false => root.apply_plan(&plan, &()),
                    }
                }
            };
            let failed = results.iter().any(Result::is_err);
            for (numbered, result) in run.iter().zip(results) {
                add(report, items, context, numbered, result);
            }
            rest = &rest[run.len()..];
            if failed && !self.keep_going {
                break;
            }
        }
        rest.iter().for_each(|numbered| skip(report, items, numbered));
    }
}

/// The next lines that are one plan: those with one reason whose paths are well spelled, or one whose path is not.
fn next_run(lines: &[Numbered]) -> (&[Numbered], Result<Vec<Edit>, Error>) {
    let reason = lines[0].line.reason();
    let mut edits = Vec::new();
    for numbered in lines.iter().take_while(|numbered| numbered.line.reason() == reason) {
        match numbered.line.edit() {
            Ok(edit) => edits.push(edit),
            Err(error) if edits.is_empty() => return (&lines[..1], Err(error)),
            Err(_) => break,
        }
    }
    (&lines[..edits.len()], Ok(edits))
}
