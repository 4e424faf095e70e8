//! `caplink man`: the manual pages.

use clap::{Args, Command};

use crate::cli::context::Context;
use crate::cli::manual;
use crate::cli::problem::Problem;
use crate::cli::report::Report;
use crate::cli::topic;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink man
  caplink man ensure
  caplink man releases";

/// Print a manual page
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Man {
    /// A verb, also as caplink-VERB, or `releases`; without it the page of the program
    #[arg(value_name = "PAGE")]
    page: Option<String>,
}

impl Man {
    pub(crate) fn run(&self, context: &Context, grammar: Command) -> Report {
        let mut report = Report::new("man", context);
        if report.refuses_json(context) {
            return report;
        }
        let name = self.page.as_deref().filter(|name| *name != "caplink");
        let name = name.map(|name| name.strip_prefix("caplink-").unwrap_or(name));
        match name.and_then(topic::page).or_else(|| manual::page(grammar, name)) {
            Some(page) => report.print(page),
            None => {
                let message = format!("there is no manual page `{}`", caplink::printable(name.unwrap_or_default()));
                report.errors.push(Problem::usage("man", message));
            }
        }
        report
    }
}
