//! `caplink scan`: every link below a directory, with its status and traits.

use std::ffi::OsString;
use std::process::ExitCode;

use caplink::{Root, ScanOptions};
use clap::{Args, ValueHint, value_parser};

use crate::cli::context::Context;
use crate::cli::global::Global;
use crate::cli::problem::Problem;
use crate::cli::report::Report;
use crate::cli::scan::{Asked, Format, Only, Standing, only_parser, refuse, run, without};
use crate::cli::words;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink scan
  caplink -C /srv/app scan --only broken --exit-code
  caplink scan --format paths -0 --exclude node_modules
  caplink scan --format html -j 0";

/// Show every link below DIR with its status and traits, and a summary
///
/// With --only those links are shown that have one of the statuses or traits; the summary counts all that were seen.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = words::explained() + EXAMPLES)]
pub(crate) struct Scan {
    /// Where to look, below the root
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    #[arg(value_parser = value_parser!(OsString))]
    pub(crate) dir: OsString,
    /// Show only links that have one of these statuses or traits; `broken` is every status but `ok`
    #[arg(long, value_name = "STATUS|TRAIT", value_delimiter = ',', value_parser = only_parser())]
    only: Vec<Only>,
    /// How to show them [default: text, with --json json]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// End each path with NUL instead of a newline (with `--format paths`)
    #[arg(short = '0', long = "null")]
    null: bool,
    /// Leave out entries, and what is below them: by name, or with a `/` in GLOB by path below the root; repeatable
    #[arg(long, value_name = "GLOB", allow_hyphen_values = true, value_parser = value_parser!(OsString))]
    exclude: Vec<OsString>,
    /// Go down this far; the entries of DIR itself have depth 1
    #[arg(long, value_name = "N")]
    max_depth: Option<usize>,
    /// Scan with N threads: 1 shows links in the order of their paths, others in no order and sooner; 0 is one a processor
    #[arg(short, long, value_name = "N", default_value_t = 1)]
    jobs: usize,
    /// Exit with 1 if a link has another status than `ok`, or, with --only, if any link is shown
    #[arg(long)]
    exit_code: bool,
}

impl Scan {
    pub(crate) fn run(&self, context: &Context) -> ExitCode {
        let mut report = Report::new("scan", context);
        let is_json = matches!(self.format, Some(Format::Json | Format::Ndjson));
        let global = Global { json: context.global.json || is_json, ..context.global.clone() };
        let (mut asked, options) = match self.asked(&context.global) {
            Ok(asked) => asked,
            Err(problem) => {
                report.errors.push(*problem);
                return refuse(&report, self.format, &global);
            }
        };
        let Some(root) = report.opened(context.look()) else { return refuse(&report, self.format, &global) };
        if asked.format == Format::Html {
            asked.standing = Standing::of(context);
        }
        self.scan(&root, options, report, &asked, &global)
    }

    fn scan(&self, root: &Root, options: ScanOptions, mut report: Report, asked: &Asked, global: &Global) -> ExitCode {
        match root.scan(&self.dir, options) {
            Ok(scan) => run(root, scan, report, asked, global),
            Err(error) => {
                report.error(&error);
                refuse(&report, self.format, global)
            }
        }
    }

    /// What is asked for, if it goes together.
    fn asked(&self, global: &Global) -> Result<(Asked, ScanOptions), Box<Problem>> {
        let usage = |message: String| Box::new(Problem::usage("scan", message));
        let format = match (self.format, global.json) {
            (None, true) => Format::Json,
            (None, false) => Format::Text,
            (Some(Format::Json | Format::Ndjson), _) | (Some(_), false) => {
                self.format.expect("BUG: the format was just matched")
            }
            (Some(_), true) => return Err(usage("`--json` goes with `--format json` or `ndjson` only".to_owned())),
        };
        if self.null && format != Format::Paths {
            return Err(usage("`-0` goes with `--format paths` only".to_owned()));
        }
        let mut options = ScanOptions::default().jobs(self.jobs).sorted(self.jobs == 1);
        if let Some(depth) = self.max_depth {
            options = options.max_depth(depth);
        }
        if !self.exclude.is_empty() {
            options = options.exclude(without(&self.exclude).map_err(usage)?);
        }
        let asked = Asked {
            dir: self.dir.clone(),
            only: self.only.clone(),
            format,
            null: self.null,
            exit_code: self.exit_code,
            // What repair would do is not what was looked at, if not everything was.
            is_whole: self.exclude.is_empty() && self.max_depth.is_none(),
            standing: Standing::default(),
        };
        Ok((asked, options))
    }
}
