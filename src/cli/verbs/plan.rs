//! `caplink plan`: what `apply` would do, step by step.

use std::path::{Path, PathBuf};

use caplink::manage::{Manifests, PlanOptions, SavedPlan};
use clap::{Args, ValueHint};

use crate::cli::context::Context;
use crate::cli::files::{self, Replaced};
use crate::cli::manifests::{ReadManifest, compare, conflict, read_or_fail, show, unplanned};
use crate::cli::problem::Problem;
use crate::cli::report::Report;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink plan
  caplink plan -m dotfiles.toml --tag editor
  caplink plan -o approved.plan
  caplink plan --exit-code";

/// Show what `apply` would do; change nothing
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PlanVerb {
    /// The manifest [default: $CAPLINK_MANIFEST, else caplink.toml in the root]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    manifest: Option<PathBuf>,
    /// Save the plan, so that `apply --plan` carries out exactly this
    #[arg(short, long, value_name = "PLANFILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Only entries with this tag; may be given several times
    #[arg(long = "tag", value_name = "T")]
    tags: Vec<String>,
    /// Exit with 1 if there is another step than `keep` and `skip`
    #[arg(long)]
    exit_code: bool,
}

impl PlanVerb {
    pub(crate) fn run(&self, context: &Context) -> Report {
        let mut report = Report::new("plan", context);
        if self.output.as_deref().is_some_and(|path| path.as_os_str() == "-") && report.refuses_json(context) {
            return report;
        }
        if let Some(root) = report.opened(context.look_with_state())
            && let Err(problems) = self.plan(&root, context, &mut report)
        {
            report.errors.extend(problems);
        }
        report
    }

    fn plan(&self, root: &caplink::Root, context: &Context, report: &mut Report) -> Result<(), Vec<Problem>> {
        let ReadManifest { manifest, bytes, source } = read_or_fail(context, root, self.manifest.as_deref())?;
        // There can be much of it, and only a file says of which text it was made.
        let bytes = if self.output.is_some() { bytes } else { Vec::new() };
        source.warning.iter().for_each(|warning| report.note(0, warning.clone()));
        let manifests = Manifests::open(root).map_err(|error| vec![Problem::of_root(&error)])?;
        let mut options = PlanOptions::default();
        options.tags.clone_from(&self.tags);
        options.states = false;
        let planned = match manifests.plan_once(manifest, &options) {
            Ok(planned) => source.placed(planned, &manifests),
            Err(error) => {
                unplanned(report, &source.shown(), &error);
                return Ok(());
            }
        };
        source.tell(report, &planned);
        let steps = &planned.plan.steps;
        show(report, steps, &compare(&manifests, steps, context), None, context);
        for step in planned.plan.conflicts() {
            let error = step.error().expect("BUG: a conflict is an error");
            conflict(report, step, &error);
        }
        report.has_findings = self.exit_code && !planned.plan.is_empty();
        if let Some(path) = self.output.as_deref().filter(|_| report.errors.is_empty()) {
            let saved = SavedPlan::of(&manifests, &planned, &bytes).map_err(|error| vec![Problem::of_root(&error)])?;
            if path.as_os_str() == "-" {
                report.items.clear();
                report.print(String::from_utf8_lossy(&saved.to_bytes()));
            } else {
                let is_real = !context.global.dry_run;
                let written =
                    Replaced::at(path).and_then(|file| if is_real { file.write(&saved.to_bytes()) } else { Ok(()) });
                written.map_err(|source| vec![unwritten(path, &source)])?;
            }
        }
        Ok(())
    }
}

fn unwritten(path: &Path, source: &std::io::Error) -> Problem {
    let path = caplink::printable(path);
    Problem::new(files::kind(source), format!("cannot write the plan `{path}`: {source}")).hinted(None)
}
