//! `caplink log`: the mutations of the records, their entries as they are, a checkpoint of them, and whether they fit.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use caplink::Kind;
use caplink::records::{Checkpoint, Mutation, Query, Records, Time};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum, ValueHint};
use serde::Serialize;

use super::follow;
use super::mutation::Shown;
use super::records::no_records;
use crate::cli::context::Context;
use crate::cli::global::Global;
use crate::cli::problem::Problem;
use crate::cli::recording::refused;
use crate::cli::report::Report;
use crate::cli::text::{GOOD, NAME, Painted};
use crate::cli::{duration, files, output};
use caplink::wire::Text;

/// The way out of a log that does not fit.
const DAMAGED: &str = "somebody changed the log, or the checkpoint is of another one; `records rebind` after a move, \
    `records renew` after damage";

/// The longest checkpoint that is read, in bytes.
const CHECKPOINT_MAX: u64 = 64 * 1024;

/// What a mutation can have come to.
const OUTCOMES: [&str; 17] = [
    "created",
    "replaced",
    "exchanged",
    "removed",
    "adopted",
    "unchanged",
    "skipped",
    "failed",
    "unknown",
    "entered",
    "marked",
    "pinned",
    "unpinned",
    "pruned",
    "initialised",
    "renewed",
    "rebound",
];

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink log --limit 20
  caplink log --link releases/** --since 7d --outcome replaced
  caplink log checkpoint
  caplink log verify --checkpoint /mnt/usb/app.checkpoint
  caplink log --raw";

/// Show the mutations that were recorded, oldest first
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Log {
    #[command(subcommand)]
    what: Option<What>,
    /// Only of links that GLOB fits: `*` stops at `/`, `**` does not; repeatable
    #[arg(long, value_name = "GLOB", allow_hyphen_values = true)]
    link: Vec<String>,
    /// Only at T or later: a time of RFC 3339, or a duration back from now
    #[arg(long, value_name = "T", value_parser = moment)]
    since: Option<Time>,
    /// Only before T
    #[arg(long, value_name = "T", value_parser = moment)]
    until: Option<Time>,
    /// Only of this group
    #[arg(long, value_name = "ID")]
    group: Option<String>,
    /// Only with this outcome
    #[arg(long, value_name = "OUTCOME", value_parser = PossibleValuesParser::new(OUTCOMES))]
    outcome: Option<String>,
    /// Only the newest N
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Go on with what is recorded from now on
    #[arg(long, conflicts_with = "raw")]
    follow: bool,
    /// Print the entries as they are
    #[arg(long, conflicts_with_all = ["link", "since", "until", "group", "outcome", "limit", "format"])]
    raw: bool,
    /// How to show them [default: text, with --json json]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Show times in the time zone of this computer (with `--format text`)
    #[arg(long)]
    local: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Ndjson,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print what the log is now, to be kept elsewhere
    Checkpoint,
    /// Hash everything anew; each CHECKPOINT must be one that the log went through
    Verify {
        /// A checkpoint that was kept; `-` is standard input; repeatable
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        checkpoint: Vec<PathBuf>,
    },
}

/// A time, or a duration back from now.
fn moment(text: &str) -> Result<Time, String> {
    match duration::parse(text) {
        Some(back) => Ok(SystemTime::now().checked_sub(back).unwrap_or(SystemTime::UNIX_EPOCH).into()),
        None => text.parse().map_err(|_| "neither a time of RFC 3339 nor a duration as `90s` or `7d`".to_owned()),
    }
}

impl Log {
    pub(crate) fn run(&self, context: &Context) -> ExitCode {
        let command = match self.what {
            None => "log",
            Some(What::Checkpoint) => "log checkpoint",
            Some(What::Verify { .. }) => "log verify",
        };
        let mut report = Report::new(command, context);
        let json = context.global.json || self.format == Some(Format::Json);
        let global = &Global { json, ..context.global.clone() };
        if self.what.is_some() && self.asks() {
            report.errors.push(Problem::usage(command, format!("`{command}` has no such option")));
            return output::print(&report, global);
        }
        if (self.follow || self.raw) && report.refuses_json(context) {
            return output::print(&report, global);
        }
        if self.follow && self.format == Some(Format::Json) {
            let reason = "`--follow` prints no document: take `--format ndjson`";
            report.errors.push(Problem::usage(command, reason));
            return output::print(&report, global);
        }
        if context.global.json && self.format == Some(Format::Text) {
            let reason = "`--json` goes with `--format json` or `ndjson` only";
            report.errors.push(Problem::usage(command, reason));
            return output::print(&report, global);
        }
        let records = context.with_records().and_then(|(root, records)| {
            report.opened(Ok(root));
            records.ok_or_else(no_records)
        });
        let records = match records {
            Ok(records) => records,
            Err(problem) => {
                report.errors.push(*problem);
                return output::print(&report, global);
            }
        };
        let shown = match &self.what {
            Some(What::Checkpoint) => checkpoint(&records, &mut report),
            Some(What::Verify { checkpoint }) => verify(&records, checkpoint, &mut report),
            None if self.raw => return raw(&records, report, context),
            None => match self.query() {
                Ok(query) => match self.format(context) {
                    Format::Json => self.document(&records, &query, context.global.verbose > 0, &mut report),
                    format => return self.stream(&records, query, format, report, context),
                },
                Err(problem) => Err(problem),
            },
        };
        if let Err(problem) = shown {
            report.errors.push(*problem);
        }
        output::print(&report, global)
    }

    /// Whether mutations are asked for in some way.
    fn asks(&self) -> bool {
        let narrowed = [self.since.is_some(), self.until.is_some(), self.group.is_some(), self.outcome.is_some()];
        let shown = [self.limit.is_some(), self.follow, self.raw, self.format.is_some(), self.local];
        !self.link.is_empty() || narrowed.into_iter().chain(shown).any(|given| given)
    }

    fn format(&self, context: &Context) -> Format {
        self.format.unwrap_or(if context.global.json { Format::Json } else { Format::Text })
    }

    fn query(&self) -> Result<Query, Box<Problem>> {
        let mut query = Query::default();
        for link in &self.link {
            query = query.link(link).map_err(refused)?;
        }
        if let Some(since) = self.since {
            query = query.since(since);
        }
        if let Some(until) = self.until {
            query = query.until(until);
        }
        if let Some(group) = &self.group {
            query = query.group(group);
        }
        if let Some(outcome) = &self.outcome {
            query = query.outcome(outcome);
        }
        if let Some(limit) = self.limit {
            query = query.limit(limit);
        }
        Ok(query)
    }

    fn document(
        &self,
        records: &Records,
        query: &Query,
        verbose: bool,
        report: &mut Report,
    ) -> Result<(), Box<Problem>> {
        let mut add = |mutation: Mutation| {
            report.answer(&Shown::new(&mutation, self.local, verbose));
            true
        };
        records.mutations(query, &mut add).map(drop).map_err(refused)
    }

    /// Shows each mutation when it is read.
    fn stream(
        &self,
        records: &Records,
        query: Query,
        format: Format,
        mut report: Report,
        context: &Context,
    ) -> ExitCode {
        let mut out = output::gathered(context.global.color);
        let verbose = context.global.verbose > 0;
        let mut show = |out: &mut dyn Write, mutation: &Mutation| match format {
            Format::Text => write!(out, "{}", Shown::new(mutation, self.local, verbose)),
            _ => writeln!(out, "{}", serde_json::to_string(mutation).expect("BUG: a mutation has string keys")),
        };
        let (read, written) = if self.follow {
            follow::follow(records, (query, self.limit), &mut out, &mut show)
        } else {
            let mut written = Ok(());
            let read = records.mutations(&query, &mut |mutation| {
                written = show(&mut out, &mutation);
                written.is_ok()
            });
            (read.map(drop), written)
        };
        let written = written.and_then(|()| out.flush());
        drop(out);
        if let Err(error) = read {
            report.errors.push(*refused(error));
        }
        output::close(&report, &context.global, written)
    }
}

fn raw(records: &Records, mut report: Report, context: &Context) -> ExitCode {
    let mut out = io::BufWriter::new(output::raw_stdout());
    let mut written = Ok(());
    let mut each = |entry: &[u8]| {
        written = out.write_all(entry);
        written.is_ok()
    };
    if let Err(error) = records.raw(&mut each) {
        report.errors.push(*refused(error));
    }
    let written = written.and_then(|()| out.flush());
    drop(out);
    output::close(&report, &context.global, written)
}

fn checkpoint(records: &Records, report: &mut Report) -> Result<(), Box<Problem>> {
    let checkpoint = records.checkpoint().map_err(refused)?;
    report.answer(&Tip {
        origin: checkpoint.origin(),
        size: checkpoint.size,
        root: checkpoint.root.to_string(),
        text: checkpoint.to_string(),
    });
    Ok(())
}

fn verify(records: &Records, paths: &[PathBuf], report: &mut Report) -> Result<(), Box<Problem>> {
    let mut given = Vec::new();
    for path in paths {
        given.push(Given { file: Text::new(path), checkpoint: read_checkpoint(path)? });
    }
    let checkpoints: Vec<Checkpoint> = given.iter().map(|given| given.checkpoint.clone()).collect();
    // What does not fit is what was asked for: the way out is another verb's.
    let verified = records.verify(&checkpoints).map_err(|error| match error.kind() {
        Kind::Integrity => Box::new(Problem::of_root(&error).hinted(Some(DAMAGED.to_owned()))),
        _ => refused(error),
    })?;
    let checkpoints =
        given.into_iter().map(|given| Vouching { file: given.file, size: given.checkpoint.size }).collect();
    report.answer(&Fits {
        entries: verified.entries,
        root: verified.root.to_string(),
        checkpoints,
        vouched: verified.vouched,
        unvouched: verified.unvouched(),
    });
    Ok(())
}

fn read_checkpoint(path: &Path) -> Result<Checkpoint, Box<Problem>> {
    let name = caplink::printable(path);
    let bytes = files::read(path, CHECKPOINT_MAX).map_err(|source| {
        let message = format!("cannot read the checkpoint `{name}`: {source}");
        Box::new(Problem::new(Kind::from(&source), message).hinted(None))
    })?;
    Checkpoint::parse(&bytes).map_err(|error| Box::new(Problem::new(Kind::Usage, format!("`{name}`: {error}"))))
}

struct Given {
    file: Text,
    checkpoint: Checkpoint,
}

#[derive(Serialize)]
struct Tip {
    origin: String,
    size: u64,
    root: String,
    #[serde(skip)]
    text: String,
}

impl fmt::Display for Tip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A log that fits.
#[derive(Serialize)]
struct Fits {
    entries: u64,
    root: String,
    checkpoints: Vec<Vouching>,
    vouched: u64,
    unvouched: u64,
}

#[derive(Serialize)]
struct Vouching {
    file: Text,
    size: u64,
}

impl fmt::Display for Fits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} entries, tree {}", Painted(GOOD, "all fit"), self.entries, self.root)?;
        for Vouching { file, size } in &self.checkpoints {
            match size.checked_sub(1) {
                Some(last) => writeln!(f, "{}: vouches up to entry {last}", Painted(NAME, file))?,
                None => writeln!(f, "{}: vouches for no entry", Painted(NAME, file))?,
            }
        }
        writeln!(f, "{} entries that no checkpoint vouches for", self.unvouched)
    }
}
