//! `caplink unapply`: takes away what a manifest made, and puts back what it displaced.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::records::no_records;
use crate::cli::context::Context;
use crate::cli::manifests::{Carried, carry, read_or_fail, ready};
use crate::cli::problem::Problem;
use crate::cli::report::Report;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink unapply
  caplink unapply --name dotfiles
  caplink -n unapply -m dotfiles.toml";

/// Take away what the records say a manifest made, and put back what it displaced
///
/// Needs neither the manifest, where its name is given, nor its sources.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Unapply {
    /// The manifest, for its name [default: $CAPLINK_MANIFEST, else caplink.toml in the root]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "name")]
    manifest: Option<PathBuf>,
    /// The name of the manifest
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl Unapply {
    pub(crate) fn run(&self, context: &Context) -> Report {
        let mut report = Report::new("unapply", context);
        if let Some(root) = report.opened(context.look_with_state())
            && let Err(problems) = self.take_back(&root, context, &mut report)
        {
            report.errors.extend(problems);
        }
        report
    }

    fn take_back(&self, root: &caplink::Root, context: &Context, report: &mut Report) -> Result<(), Vec<Problem>> {
        let one = |problem: Box<Problem>| vec![*problem];
        let name = match &self.name {
            Some(name) => name.clone(),
            None => read_or_fail(context, root, self.manifest.as_deref())?.manifest.name().to_owned(),
        };
        let ready = ready(root, context, report).map_err(one)?;
        if ready.records.is_none() {
            return Err(one(no_records(root)));
        }
        if !ready.manifests.knows(&name) {
            report.note(0, format!("the records know nothing of a manifest `{}`", caplink::printable(&*name)));
        }
        let planned = ready.manifests.plan_back(&name).map_err(|error| vec![Problem::of_root(&error)])?;
        carry(&ready, &planned, &Carried { keep_going: false }, context, report).map_err(one)
    }
}
