//! `caplink schema`: the JSON Schema of this program's documents.

use std::fmt;

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::report::Report;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink schema";

/// Print the JSON Schema of the documents that --json prints
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Schema {}

impl Schema {
    #[expect(clippy::unused_self, reason = "every verb is run the same way")]
    pub(crate) fn run(&self, context: &Context) -> Report {
        let mut report = Report::new("schema", context);
        let schema = serde_json::from_str(include_str!("../schema.json")).expect("BUG: the schema is JSON");
        report.answer(&Printed { schema });
        report
    }
}

#[derive(Serialize)]
struct Printed {
    schema: serde_json::Value,
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(include_str!("../schema.json"))
    }
}
