//! `caplink records`: makes the records of a root, shows them, and leads out of what keeps them from being used.

use std::fmt;

use caplink::records::{Author, Made, Records, Renewed, Settings, Strength};
use caplink::{Kind, Root};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::hint;
use crate::cli::problem::Problem;
use crate::cli::recording::{could_record, refused};
use crate::cli::report::Report;
use crate::cli::text::{GOOD, NAME, Painted};
use caplink::wire::Text;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink records init
  caplink records init --require-reason --state /var/lib/app/caplink
  caplink records show
  caplink records renew --reason restored";

/// Make the records of the root, show them, or put them right
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, subcommand_required = true)]
pub(crate) struct RecordsVerb {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make them, or set what they demand
    Init {
        /// Refuse a mutation without --reason
        #[arg(long)]
        require_reason: bool,
    },
    /// Show what they are
    Show,
    /// Take this root as theirs, after it was moved or restored on purpose
    Rebind,
    /// Move damaged records aside and begin new ones
    Renew,
}

impl RecordsVerb {
    pub(crate) fn run(&self, context: &Context) -> Report {
        let command = match self.what {
            What::Init { .. } => "records init",
            What::Show => "records show",
            What::Rebind => "records rebind",
            What::Renew => "records renew",
        };
        let mut report = Report::new(command, context);
        let Some(root) = report.opened(context.look_with_state()) else { return report };
        let came = context.author().and_then(|author| match self.what {
            What::Init { require_reason } => init(context, &root, require_reason, &author),
            What::Show => show(&root),
            What::Rebind => rebind(context, &root, &author),
            What::Renew => renew(context, &root, &author),
        });
        match came {
            Ok(Came::Shown(shown)) => report.answer(&*shown),
            Ok(Came::Done(done)) => {
                report.changed = done.outcome != "unchanged";
                report.news(&done);
            }
            Err(problem) => report.errors.push(*problem),
        }
        report
    }
}

/// The way out where the root says that its records are in another state directory.
const ELSEWHERE: &str =
    "the root says that its records are in another state directory: `--state DIR` or $CAPLINK_STATE names it";

enum Came {
    Shown(Box<Shown>),
    Done(Done),
}

type Answer = Result<Came, Box<Problem>>;

fn init(context: &Context, root: &Root, require_reason: bool, author: &Author) -> Answer {
    let settings = Settings::default().require_reason(require_reason);
    if context.global.dry_run {
        let there = Records::open(root).map_err(refused)?;
        let same = there.as_ref().is_some_and(|records| records.settings() == settings);
        if !same {
            could_record(root, there.as_ref(), true)?;
        }
        let outcome = if same { "unchanged" } else { "initialised" };
        let id = there.map(|records| records.id());
        return Ok(Came::Done(Done { outcome, id, dry_run: true, settings, renewed: None }));
    }
    let (records, made) = Records::init(root, settings, author).map_err(refused)?;
    let outcome = if made == Made::Unchanged { "unchanged" } else { "initialised" };
    Ok(Came::Done(Done { outcome, id: Some(records.id()), dry_run: false, settings, renewed: None }))
}

fn show(root: &Root) -> Answer {
    let records = Records::open(root).map_err(refused)?.ok_or_else(|| no_records(root))?;
    let (entries, bytes, open_groups) = records.extent().map_err(refused)?;
    let checkpoint = records.checkpoint().map_err(refused)?;
    Ok(Came::Shown(Box::new(Shown {
        id: records.id(),
        root: records.root_shown(),
        settings: records.settings(),
        entries,
        open_groups,
        bytes,
        checkpoint: Tip { origin: checkpoint.origin(), size: checkpoint.size, root: checkpoint.root.to_string() },
        identity: records.identity().as_str(),
        is_weak: records.identity() == Strength::Weak,
    })))
}

fn rebind(context: &Context, root: &Root, author: &Author) -> Answer {
    let (records, moved) =
        if context.global.dry_run { Records::rebindable(root) } else { Records::rebind(root, author) }
            .map_err(refused)?;
    if moved && !context.global.dry_run {
        caplink::manage::Releases::rebind(root, author).map_err(refused)?;
    }
    let outcome = if moved { "rebound" } else { "unchanged" };
    let (id, settings) = (Some(records.id()), records.settings());
    Ok(Came::Done(Done { outcome, id, dry_run: context.global.dry_run, settings, renewed: None }))
}

fn renew(context: &Context, root: &Root, author: &Author) -> Answer {
    if author.reason().is_none() {
        let problem = Problem::new(Kind::Usage, "`records renew` needs a `--reason`");
        return Err(Box::new(problem.hinted(Some(hint::REASON.to_owned()))));
    }
    if context.global.dry_run {
        let fit = Records::fit(root).map_err(refused)?;
        // Those that fit may be another root's, which renewing them does not change.
        let there = if fit { Records::open(root).map_err(refused)? } else { None };
        let (id, settings) = there.map(|records| (records.id(), records.settings())).unzip();
        let outcome = if fit { "unchanged" } else { "renewed" };
        let settings = settings.unwrap_or_default();
        return Ok(Came::Done(Done { outcome, id, dry_run: true, settings, renewed: None }));
    }
    let (records, renewed) = Records::renew(root, author).map_err(refused)?;
    let outcome = if renewed.is_some() { "renewed" } else { "unchanged" };
    Ok(Came::Done(Done { outcome, id: Some(records.id()), dry_run: false, settings: records.settings(), renewed }))
}

/// That there are none where they were looked for; a root can say that they are elsewhere.
pub(super) fn no_records(root: &Root) -> Box<Problem> {
    let elsewhere = Records::open_for_mutation(root).is_err_and(|error| error.kind() == Kind::UnsafeState);
    let problem = Problem::new(Kind::NoRecords, "the root has no records");
    Box::new(match elsewhere {
        true => problem.hinted(Some(ELSEWHERE.to_owned())),
        false => problem,
    })
}

/// What became of the records.
#[derive(Serialize)]
struct Done {
    outcome: &'static str,
    id: Option<String>,
    settings: Settings,
    /// The damaged ones that were moved aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    renewed: Option<Renewed>,
    #[serde(skip)]
    dry_run: bool,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let would = if self.dry_run && self.outcome != "unchanged" { "would be " } else { "" };
        let name = self.id.as_deref().unwrap_or("records");
        let demand = if self.settings.require_reason { "a reason is demanded" } else { "no reason is demanded" };
        let done = format_args!("{would}{}", self.outcome);
        writeln!(f, "{}: {} ({demand})", Painted(NAME, name), Painted(GOOD, done))?;
        if let Some(Renewed { kept, good, lost, .. }) = &self.renewed {
            writeln!(f, "the damaged ones are kept in `{}`: {good} entries fit, {lost} do not", Text::new(kept))?;
        }
        Ok(())
    }
}

/// What the records are.
#[derive(Serialize)]
struct Shown {
    id: String,
    root: caplink::records::MutationRoot,
    settings: Settings,
    entries: u64,
    open_groups: u64,
    bytes: u64,
    checkpoint: Tip,
    identity: &'static str,
    #[serde(skip)]
    is_weak: bool,
}

#[derive(Serialize)]
struct Tip {
    origin: String,
    size: u64,
    root: String,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "records {}", Painted(NAME, &self.id))?;
        if let Some(path) = &self.root.path {
            writeln!(f, "root: {}", Text::new(path))?;
        }
        let demand = if self.settings.require_reason { "demanded" } else { "not demanded" };
        writeln!(f, "reason: {demand}")?;
        writeln!(f, "entries: {} ({} bytes)", self.entries, self.bytes)?;
        writeln!(f, "open groups: {}", self.open_groups)?;
        writeln!(f, "tree: {}", self.checkpoint.root)?;
        let doubt = if self.is_weak { ", an inode number can be given to another directory" } else { "" };
        writeln!(f, "identity of the root: {}{doubt}", self.identity)
    }
}
