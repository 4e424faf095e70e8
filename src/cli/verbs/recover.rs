//! `caplink recover`: settles what a program that was stopped left undecided.

use caplink::Kind;
use clap::Args;

use crate::cli::context::Context;
use crate::cli::recording::refused;
use crate::cli::release;
use crate::cli::report::Report;
use crate::cli::settled::Settled;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink recover
  caplink -C /srv/app recover --dry-run";

/// Settle what an interrupted program left undecided
///
/// The records say what was about to be changed, and the disk whether it was.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Recover {}

impl Recover {
    #[expect(clippy::unused_self, reason = "every verb is run the same way")]
    pub(crate) fn run(&self, context: &Context) -> Report {
        let mut report = Report::new("recover", context);
        let mut opened = None;
        let settled = context.with_confined_records().and_then(|(root, records)| {
            opened = report.opened(Ok(root));
            match records {
                None => Ok(Vec::new()),
                Some(records) if context.global.dry_run => records.recoverable().map_err(refused),
                Some(records) => records.recover().map_err(refused),
            }
        });
        match settled {
            Ok(settled) => {
                for recovered in &settled {
                    match &recovered.error {
                        // It stays open, and nothing is known of its links.
                        Some(error) if recovered.kind == Some(Kind::Partial) => report.error(error),
                        error => {
                            report.news(&Settled::of(recovered));
                            error.iter().for_each(|error| report.error(error));
                        }
                    }
                }
                report.settled(&settled);
                if let Some(root) = opened {
                    release::recover(context, &root, &mut report);
                }
                if report.items.is_empty() && report.errors.is_empty() {
                    report.note(0, "nothing to recover");
                }
            }
            Err(problem) => report.errors.push(*problem),
        }
        report
    }
}
