//! `caplink remove`: removes links, and only links.

use std::ffi::OsString;

use caplink::Edit;

use super::change;
use crate::cli::context::Context;
use crate::cli::line::options;
use crate::cli::problem::Problem;
use crate::cli::report::Report;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink remove current
  caplink remove current --expect releases/41
  caplink remove --missing-ok old/a old/b old/c";

options! {
    /// Remove each LINK, and only a link
    ///
    /// Each is removed for itself: an error does not stop the rest.
    #[command(after_help = EXAMPLES)]
    pub(crate) struct Remove {
        /// The links, below the root
        #[arg(value_name = "LINK", required = true)]
        links: Vec<OsString>,
        /// The text that LINK must have now; with one LINK only
        #[arg(value_name = "OLD", allow_hyphen_values = true)]
        expect: Option<OsString> = "expect",
        /// The link or its directory may be absent already
        missing_ok: bool = "missing-ok",
    }
}

impl Remove {
    pub(crate) fn run(&self, context: &Context) -> Report {
        if self.links.len() > 1 && self.expect.is_some() {
            let mut report = Report::new("remove", context);
            report.errors.push(Problem::usage("remove", "`--expect` goes with one LINK only"));
            return report;
        }
        change::run_each("remove", &self.links, context, |path| {
            let edit = Edit::remove(path).missing_ok(self.missing_ok);
            match &self.expect {
                Some(text) => edit.expect(text),
                None => edit,
            }
        })
    }
}
