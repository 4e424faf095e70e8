//! `caplink create`: makes a link where nothing is.

use caplink::Edit;

use super::change;
use crate::cli::context::Context;
use crate::cli::line::options;
use crate::cli::linking::Linking;
use crate::cli::report::Report;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink create current --to releases/42
  caplink create bin/tool --to tools/v3/tool --parents
  caplink create etc/localtime --to ../usr/share/zoneinfo/UTC --style verbatim --allow-dangling";

options! {
    /// Make LINK; if the name is taken, nothing changes
    #[command(after_help = EXAMPLES)]
    pub(crate) struct Create {
        ..linking: Linking;
    }
}

impl Create {
    pub(crate) fn run(&self, context: &Context) -> Report {
        change::run("create", &self.linking.link, context, |path| {
            self.linking.allowed(Edit::create(path, self.linking.target())).parents(self.linking.parents)
        })
    }
}
