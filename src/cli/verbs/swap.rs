//! `caplink swap`: replaces a link if its text is what the caller expects.

use std::ffi::OsString;

use caplink::Edit;

use super::change;
use crate::cli::context::Context;
use crate::cli::line::options;
use crate::cli::linking::Linking;
use crate::cli::report::Report;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink swap current --to releases/42 --expect releases/41
  caplink --json swap current --to releases/41 --expect releases/42 --durability dir";

options! {
    /// Replace LINK if its stored text is exactly OLD
    #[command(after_help = EXAMPLES)]
    pub(crate) struct Swap {
        ..linking: Linking;
        /// The text that LINK must have now
        #[arg(value_name = "OLD", allow_hyphen_values = true)]
        expect: OsString = "expect",
    }
}

impl Swap {
    pub(crate) fn run(&self, context: &Context) -> Report {
        change::run("swap", &self.linking.link, context, |path| {
            self.linking.allowed(Edit::swap(path, self.linking.target(), &self.expect))
        })
    }
}
