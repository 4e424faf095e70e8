//! `caplink completions`: what a shell needs to complete the arguments.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::cli::context::Context;
use crate::cli::report::Report;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink completions bash
  caplink completions zsh
  caplink completions fish";

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, context: &Context, grammar: &mut Command) -> Report {
        let mut report = Report::new("completions", context);
        if !report.refuses_json(context) {
            let mut script = Vec::new();
            clap_complete::generate(self.shell, grammar, "caplink", &mut script);
            report.print(String::from_utf8_lossy(&script));
        }
        report
    }
}
