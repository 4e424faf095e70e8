//! `caplink status`: how each entry of a manifest stands.

use std::path::PathBuf;

use caplink::manage::{Manifests, PlanOptions};
use clap::{Args, ValueHint};

use crate::cli::context::Context;
use crate::cli::manifests::{ReadManifest, StateItem, is_fine, read_or_fail, unplanned};
use crate::cli::problem::Problem;
use crate::cli::report::Report;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink status
  caplink status -m dotfiles.toml --exit-code
  caplink --json status";

/// Show how each entry of a manifest stands
///
/// ok, missing, changed (another text), replaced (no link), dangling, loop, escape, denied, skipped; present for what
/// shall be absent; orphan and orphan_modified for what was made and is not declared any more.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct StatusVerb {
    /// The manifest [default: $CAPLINK_MANIFEST, else caplink.toml in the root]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    manifest: Option<PathBuf>,
    /// Exit with 1 if an entry is neither `ok` nor `skipped`
    #[arg(long)]
    exit_code: bool,
}

impl StatusVerb {
    pub(crate) fn run(&self, context: &Context) -> Report {
        let mut report = Report::new("status", context);
        if let Some(root) = report.opened(context.look_with_state())
            && let Err(problems) = self.look(&root, context, &mut report)
        {
            report.errors.extend(problems);
        }
        report
    }

    fn look(&self, root: &caplink::Root, context: &Context, report: &mut Report) -> Result<(), Vec<Problem>> {
        let ReadManifest { manifest, bytes, source } = read_or_fail(context, root, self.manifest.as_deref())?;
        drop(bytes);
        source.warning.iter().for_each(|warning| report.note(0, warning.clone()));
        let manifests = Manifests::open(root).map_err(|error| vec![Problem::of_root(&error)])?;
        let mut options = PlanOptions::default();
        options.steps = false;
        let planned = match manifests.plan_once(manifest, &options) {
            Ok(planned) => source.placed(planned, &manifests),
            Err(error) => {
                unplanned(report, &source.shown(), &error);
                return Ok(());
            }
        };
        source.tell(report, &planned);
        for state in planned.plan.states {
            report.one_answer(&StateItem::of(&state), context.global.json);
            report.has_findings |= self.exit_code && !is_fine(state.status);
        }
        Ok(())
    }
}
