//! `caplink inspect`: what has a name, and where it leads if it is a link.

use std::ffi::OsString;
use std::fmt;
use std::process::ExitCode;

use caplink::wire::Text;
use caplink::{Inspected, LinkView, Root, Status};
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::items::Items;
use crate::cli::line::options;
use crate::cli::report::Report;
use crate::cli::text::{BAD, DIM, GOOD, NAME, Painted};
use crate::cli::words;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink inspect current releases/42
  caplink --json inspect current --exit-code";

options! {
    /// Show what is at each PATH, and where it leads if it is a link
    #[command(after_help = EXAMPLES, after_long_help = words::explained() + EXAMPLES)]
    pub(crate) struct Inspect {
        /// Paths below the root
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<OsString>,
        /// Exit with 1 if one is missing, or a link that is not `ok`
        exit_code: bool = "exit-code",
    }
}

impl Inspect {
    pub(crate) fn run(&self, context: &Context) -> ExitCode {
        let mut report = Report::new("inspect", context);
        let mut items = Items::new(&context.global);
        if let Some(root) = report.opened(context.look()) {
            self.look(&root, &mut report, &mut items);
        }
        items.close(&report, &context.global)
    }

    fn look(&self, root: &Root, report: &mut Report, items: &mut Items) {
        for path in &self.paths {
            match root.inspect(path) {
                Ok(inspected) => {
                    let is_fine = match &inspected.link {
                        Some(link) => link.status == Status::Ok,
                        None => inspected.kind.is_some(),
                    };
                    report.has_findings |= self.exit_code && !is_fine;
                    items.answer(report, &Shown(&inspected));
                }
                Err(error) => report.error(&error),
            }
        }
    }
}

/// An entry, and how people see it.
#[derive(Serialize)]
#[serde(transparent)]
struct Shown<'a>(&'a Inspected);

impl fmt::Display for Shown<'_> {
    /// `current -> releases/42 (ok, 1 hop) = releases/42 (dir) [uid 0, mode 0777]`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shown(seen) = self;
        write!(f, "{}", Painted(NAME, Text::path(&seen.path)))?;
        match (&seen.link, seen.kind) {
            (Some(link), _) => show(link, f)?,
            (None, None) => write!(f, ": {}", Painted(BAD, "missing"))?,
            (None, Some(kind)) => write!(f, ": {kind}")?,
        }
        if let (Some(uid), Some(mode)) = (seen.uid, seen.mode) {
            write!(f, " {}", Painted(DIM, format_args!("[uid {uid}, mode {mode:04o}]")))?;
        }
        writeln!(f)
    }
}

fn show(link: &LinkView, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let colour = if link.status == Status::Ok { GOOD } else { BAD };
    write!(f, " -> {} ({}", caplink::printable(&link.target), Painted(colour, link.status))?;
    for of in link.traits.iter() {
        write!(f, ", {of}")?;
    }
    write!(f, ", {} {})", link.hops, if link.hops == 1 { "hop" } else { "hops" })?;
    if let (Some(resolved), Some(kind)) = (&link.resolved, link.resolved_kind) {
        write!(f, " = {} ({kind})", Text::path(resolved))?;
    }
    Ok(())
}
