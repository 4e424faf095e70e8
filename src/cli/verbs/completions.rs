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

/// Puts behind the grammar how the names of links are completed: below the root, and without a `/` behind one that leads to
/// a directory. zsh takes that off again when the word ends.
const LINKS: [(Shell, &str); 2] =
    [(Shell::Bash, include_str!("../completion/links.bash")), (Shell::Fish, include_str!("../completion/links.fish"))];

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
            let links = LINKS.iter().find(|(shell, _)| *shell == self.shell).map_or("", |(_, links)| links);
            report.print(String::from_utf8_lossy(&script) + links);
        }
        report
    }
}
