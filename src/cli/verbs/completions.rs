//! `caplink completions`: what a shell needs to complete the arguments.

use std::fmt;

use clap::{Args, Command};
use clap_complete::Shell;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::report::Report;

/// Print completions for a shell
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, context: &Context, grammar: &mut Command) -> Report {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, grammar, "caplink", &mut script);
        let mut report = Report::new("completions", context);
        report.answer(&Script { shell: self.shell.to_string(), script: String::from_utf8_lossy(&script).into_owned() });
        report
    }
}

#[derive(Serialize)]
struct Script {
    shell: String,
    script: String,
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.script)
    }
}
