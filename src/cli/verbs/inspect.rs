//! `caplink inspect`: what has a name, and where it leads if it is a link.

use std::ffi::OsString;
use std::fmt;
use std::process::ExitCode;

use caplink::{Inspected, Root, Status};
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::items::Items;
use crate::cli::line::options;
use crate::cli::report::Report;
use crate::cli::text::{BAD, DIM, GOOD, NAME, Painted, Text};
use crate::cli::words;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink inspect current releases/42
  caplink --json inspect current --exit-code";

options! {
    /// Show what has each PATH, and where it leads if it is a link
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
                    items.answer(report, &Seen::of(&inspected));
                }
                Err(error) => report.error(&error),
            }
        }
    }
}

/// An entry as it is shown.
#[derive(Serialize)]
struct Seen {
    path: Text,
    kind: &'static str,
    uid: Option<u32>,
    mode: Option<String>,
    #[serde(flatten)]
    link: Option<SeenLink>,
}

#[derive(Serialize)]
struct SeenLink {
    target: Text,
    status: &'static str,
    traits: Vec<&'static str>,
    hops: usize,
    resolved: Option<Text>,
    resolved_kind: Option<&'static str>,
    #[serde(skip)]
    is_ok: bool,
}

impl Seen {
    fn of(inspected: &Inspected) -> Seen {
        Seen {
            path: Text::path(&inspected.path),
            kind: inspected.kind.map_or("missing", caplink::FileKind::as_str),
            uid: inspected.uid,
            mode: inspected.mode.map(octal),
            link: inspected.link.as_ref().map(|link| SeenLink {
                target: Text::new(&link.target),
                status: link.status.as_str(),
                traits: link.traits.iter().map(caplink::Trait::as_str).collect(),
                hops: link.hops,
                resolved: link.resolved.as_deref().map(Text::path),
                resolved_kind: link.resolved_kind.map(caplink::FileKind::as_str),
                is_ok: link.status == Status::Ok,
            }),
        }
    }
}

/// Permission bits as `chmod` takes them.
pub(super) fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}

impl fmt::Display for Seen {
    /// `current -> releases/42 (ok, 1 hop, to dir releases/42; uid 0, mode 0777)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Painted(NAME, &self.path))?;
        match &self.link {
            Some(link) => write!(f, "{link}")?,
            None if self.uid.is_none() => write!(f, ": {}", Painted(BAD, self.kind))?,
            None => write!(f, ": {}", self.kind)?,
        }
        if let (Some(uid), Some(mode)) = (self.uid, &self.mode) {
            write!(f, " {}", Painted(DIM, format_args!("[uid {uid}, mode {mode}]")))?;
        }
        writeln!(f)
    }
}

impl fmt::Display for SeenLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colour = if self.is_ok { GOOD } else { BAD };
        write!(f, " -> {} ({}", self.target, Painted(colour, self.status))?;
        for of in &self.traits {
            write!(f, ", {of}")?;
        }
        write!(f, ", {} {})", self.hops, if self.hops == 1 { "hop" } else { "hops" })?;
        if let (Some(resolved), Some(kind)) = (&self.resolved, self.resolved_kind) {
            write!(f, " = {resolved} ({kind})")?;
        }
        Ok(())
    }
}
