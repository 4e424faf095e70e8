//! `caplink exchange`: exchanges two links in one step.

use std::ffi::OsString;

use caplink::LinkPath;
use clap::{Args, value_parser};

use super::change;
use crate::cli::context::Context;
use crate::cli::report::Report;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink exchange current previous";

/// Exchange two links in one step
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Exchange {
    /// One link, below the root
    #[arg(value_name = "A", value_parser = value_parser!(OsString))]
    a: OsString,
    /// The other link
    #[arg(value_name = "B", value_parser = value_parser!(OsString))]
    b: OsString,
    /// A target may be missing, seen from its link's new place
    #[arg(long)]
    allow_dangling: bool,
    /// A text may lead outside the root, seen from its link's new place
    #[arg(long)]
    allow_outside: bool,
}

impl Exchange {
    pub(crate) fn run(&self, context: &Context) -> Report {
        let mut report = Report::new("exchange", context);
        let Some(root) = report.opened(context.to_change()) else { return report };
        let exchanged = || {
            let spelled = |path| LinkPath::new(path).map_err(|error| error.during("exchange"));
            let (a, b) = (spelled(&self.a)?, spelled(&self.b)?);
            let exchange = caplink::Edit::exchange(a, b)
                .allow_dangling(self.allow_dangling)
                .allow_outside(self.allow_outside)
                .durability(context.durability(&root, caplink::Durability::None));
            let root = context.confined(&root)?;
            if context.global.dry_run { root.preview(&exchange) } else { root.apply(&exchange) }
        };
        match exchanged() {
            Ok(outcome) => change::done(&mut report, &root, &[outcome]),
            Err(error) => change::failed(&mut report, &error),
        }
        report
    }
}
