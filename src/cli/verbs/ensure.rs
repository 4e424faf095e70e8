//! `caplink ensure`: makes the name a link to the target, whether nothing or any link was there.

use caplink::Edit;

use super::change;
use crate::cli::context::Context;
use crate::cli::line::options;
use crate::cli::linking::Linking;
use crate::cli::report::Report;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink ensure current --to releases/42
  caplink ensure current --to releases/42 --no-replace
  caplink -n ensure config --to shared/config --backup";

options! {
    /// Make LINK point to TARGET, whether nothing or any link was there
    #[command(after_help = EXAMPLES)]
    pub(crate) struct Ensure {
        ..linking: Linking;
        /// Replace no link: one with another text is `exists`
        no_replace: bool = "no-replace",
        /// Rename a file or directory in the way beside the link, and keep it
        backup: bool = "backup",
    }
}

impl Ensure {
    pub(crate) fn run(&self, context: &Context) -> Report {
        change::run("ensure", &self.linking.link, context, |path| {
            let edit = self.linking.allowed(Edit::ensure(path, self.linking.target()));
            edit.parents(self.linking.parents).replace(!self.no_replace).backup(self.backup)
        })
    }
}
