//! Showing a scan while it goes on.
//!
//! In order: what stands before the links; each link as it is found; what stands after them, the errors and the summary.
//! Links are never held, errors are: they come last. A reader that goes away ends the scan.

mod exclude;
mod mend;
mod only;
mod out;
mod page;
mod progress;
mod show;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use caplink::{Root, Status};

use super::args::Global;
use super::exit::Class;
use super::output;
use super::report::Report;
use super::verbs::scan::Format;

use mend::Mendable;
use out::Out;
use show::{Counts, Show};

pub(crate) use exclude::without;
pub(crate) use only::{Only, only_parser};

/// What is asked for.
pub(crate) struct Asked {
    pub(crate) dir: OsString,
    pub(crate) only: Vec<Only>,
    pub(crate) format: Format,
    pub(crate) null: bool,
    pub(crate) exit_code: bool,
    /// Whether everything below the directory is looked at.
    pub(crate) is_whole: bool,
}

/// Takes what a scan finds, and shows it.
pub(crate) fn run(root: &Root, mut scan: caplink::Scan, report: Report, asked: &Asked, global: &Global) -> ExitCode {
    let mut run = Run { report, has_findings: false, mendable: Mendable::default() };
    let mut out = Out::new(asked.format, global, scan.progress());
    let written = run.stream(root, &mut scan, asked, &mut out);
    drop(out);
    let Run { mut report, has_findings, mendable } = run;
    if asked.is_whole {
        report.hints = mendable.commands(&report, asked, global);
    }
    let class = match report.class() {
        Class::Done if asked.exit_code && has_findings => Class::Findings,
        class => class,
    };
    output::close(&report, global, class, written)
}

struct Run {
    report: Report,
    has_findings: bool,
    mendable: Mendable,
}

impl Run {
    fn stream(&mut self, root: &Root, scan: &mut caplink::Scan, asked: &Asked, out: &mut Out) -> io::Result<()> {
        let mut show = Show::new(asked);
        show.begin(&mut out.buffer, &self.report, root);
        for found in &mut *scan {
            match found {
                Ok(finding) if asked.only.is_empty() || asked.only.iter().any(|only| only.is(&finding)) => {
                    self.has_findings |= finding.status != Status::Ok || !asked.only.is_empty();
                    if asked.format == Format::Text {
                        self.mendable.add(&finding, root.physical_path());
                    }
                    show.link(&mut out.buffer, &finding, root);
                }
                Ok(_) => {}
                Err(error) => self.report.error(&error),
            }
            out.passed()?;
        }
        let summary = scan.summary();
        self.report.extra("summary", &Counts(&summary));
        show.end(&mut out.buffer, &self.report, &summary);
        out.flush()
    }
}

/// Reports why there is nothing to show.
pub(crate) fn refuse(report: &Report, format: Option<Format>, global: &Global) -> ExitCode {
    if format != Some(Format::Ndjson) {
        return output::print(report, global);
    }
    let mut lines = Vec::new();
    show::errors(&mut lines, report);
    let written = io::Write::write_all(&mut io::stdout().lock(), &lines);
    output::close(report, global, report.class(), written)
}
