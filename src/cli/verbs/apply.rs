//! `caplink apply`: brings the tree to what a manifest declares.

use std::path::PathBuf;

use caplink::Kind;
use caplink::manage::{PlanOptions, Planned, SavedPlan};
use clap::{Args, ValueHint};

use crate::cli::context::Context;
use crate::cli::files;
use crate::cli::manifests::{Carried, ReadManifest, Ready, carry, read_or_fail, ready, unplanned};
use crate::cli::problem::Problem;
use crate::cli::report::Report;

/// The longest saved plan, in bytes.
const LONGEST: u64 = 1 << 30;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink apply
  caplink -n apply -m dotfiles.toml
  caplink apply --plan approved.plan --reason approved
  caplink apply --backup --tag editor";

/// Bring the tree to what a manifest declares, all or nothing
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Apply {
    /// The manifest [default: $CAPLINK_MANIFEST, else caplink.toml in the root]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    manifest: Option<PathBuf>,
    /// Carry out exactly this saved plan
    #[arg(long, value_name = "PLANFILE", value_hint = ValueHint::FilePath,
          conflicts_with_all = ["manifest", "tags", "no_prune", "backup"])]
    plan: Option<PathBuf>,
    /// Only entries with this tag; may be given several times
    #[arg(long = "tag", value_name = "T")]
    tags: Vec<String>,
    /// Leave links that were made and are not declared any more
    #[arg(long)]
    no_prune: bool,
    /// Carry out what can be, each step for itself
    #[arg(long)]
    keep_going: bool,
    /// Rename what is in the way beside, where the manifest does not say what to do
    #[arg(long)]
    backup: bool,
}

impl Apply {
    pub(crate) fn run(&self, context: &Context) -> Report {
        let mut report = Report::new("apply", context);
        if let Some(root) = report.opened(context.look_with_state())
            && let Err(problems) = self.apply(&root, context, &mut report)
        {
            report.errors.extend(problems);
        }
        report
    }

    fn apply(&self, root: &caplink::Root, context: &Context, report: &mut Report) -> Result<(), Vec<Problem>> {
        let one = |problem: Box<Problem>| vec![*problem];
        // A manifest that cannot be used keeps records from being touched.
        let read = match &self.plan {
            Some(_) => None,
            None => {
                let ReadManifest { manifest, source, bytes } = read_or_fail(context, root, self.manifest.as_deref())?;
                // There can be much of it, and nothing asks for it any more.
                drop(bytes);
                Some((manifest, source))
            }
        };
        let ready = ready(root, context, report).map_err(one)?;
        let planned = match (&self.plan, read) {
            (Some(path), _) => saved(path, &ready).map_err(one)?,
            (None, Some((manifest, source))) => {
                source.warning.iter().for_each(|warning| report.note(0, warning.clone()));
                let mut options = PlanOptions::default();
                options.tags.clone_from(&self.tags);
                (options.prune, options.backup, options.states) = (!self.no_prune, self.backup, false);
                match ready.manifests.plan_once(manifest, &options) {
                    Ok(planned) => {
                        let planned = source.placed(planned, &ready.manifests);
                        source.tell(report, &planned);
                        planned
                    }
                    Err(error) => {
                        unplanned(report, &source.shown(), &error);
                        return Ok(());
                    }
                }
            }
            (None, None) => return Ok(()),
        };
        carry(&ready, &planned, &Carried { keep_going: self.keep_going }, context, report).map_err(one)
    }
}

/// The saved plan, judged again.
fn saved(path: &PathBuf, ready: &Ready) -> Result<Planned, Box<Problem>> {
    let shown = caplink::printable(path);
    let read = files::read_judged(path, LONGEST).map_err(|source| {
        let kind = match Kind::from(&source) {
            kind @ (Kind::NotFound | Kind::Permission) => kind,
            _ => Kind::InvalidPlan,
        };
        Box::new(Problem::new(kind, format!("cannot read the plan `{shown}`: {source}")).hinted(None))
    })?;
    if read.open_to_others {
        let message = format!("cannot use the plan `{shown}`: others can write it, or its directory");
        return Err(Box::new(Problem::new(Kind::UnsafeManifest, message)));
    }
    let plan = SavedPlan::from_bytes(&read.bytes).map_err(|error| Box::new(Problem::of_root(&error)))?;
    plan.judged(&ready.manifests).map_err(|error| {
        let mut problem = Problem::of_root(&error);
        problem.reported.link = error.link().map(caplink::wire::Text::new);
        Box::new(problem)
    })
}
