//! `caplink recover`: settles what a program that was stopped left undecided.

use std::fmt;

use caplink::records::Recovered;
use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::recording::refused;
use crate::cli::report::Report;
use crate::cli::text::{BAD, GOOD, NAME, Painted};
use caplink::wire::Text;

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
        let settled = context.with_records().and_then(|(root, records)| {
            report.opened(Ok(root));
            match records {
                None => Ok(Vec::new()),
                Some(records) if context.global.dry_run => records.recoverable().map_err(refused),
                Some(records) => records.recover().map_err(refused),
            }
        });
        match settled {
            Ok(settled) => {
                if settled.is_empty() {
                    report.note(0, "nothing to recover");
                }
                for recovered in &settled {
                    report.news(&Shown::of(recovered));
                }
            }
            Err(problem) => report.errors.push(*problem),
        }
        report
    }
}

/// A change that was settled.
#[derive(Serialize)]
struct Shown {
    seq: u64,
    link: Text,
    target: Option<Text>,
    previous: Option<Text>,
    outcome: String,
}

impl Shown {
    fn of(recovered: &Recovered) -> Shown {
        Shown {
            seq: recovered.seq,
            link: Text::new(&recovered.link),
            target: recovered.target.as_ref().map(Text::new),
            previous: recovered.previous.as_ref().map(Text::new),
            outcome: recovered.outcome.clone(),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colour = if matches!(self.outcome.as_str(), "failed" | "unknown") { BAD } else { GOOD };
        write!(f, "{}", Painted(NAME, &self.link))?;
        if let Some(target) = &self.target {
            write!(f, " -> {target}")?;
        }
        writeln!(f, " (settled: {})", Painted(colour, &self.outcome))
    }
}
