//! Showing a scan while it goes on.
//!
//! In order: what stands before the links; each link as it is found; what stands after them, the errors and the summary.
//! Links are never held; of the errors, which come last, the first are. A reader that goes away ends the scan.

mod asked;
mod exclude;
mod only;
mod out;
mod page;
mod progress;
mod repairs;
mod show;
mod standing;

use std::io;
use std::process::ExitCode;

use caplink::{Root, Status};

use super::global::Global;
use super::output;
use super::report::Report;

use out::Out;
use repairs::Repairable;
use show::{Last, Show};

pub(crate) use asked::{Asked, Format};
pub(crate) use exclude::without;
pub(crate) use only::{Only, only_parser};
pub(crate) use standing::Standing;

/// Takes what a scan finds, and shows it.
pub(crate) fn run(root: &Root, mut scan: caplink::Scan, report: Report, asked: &Asked, global: &Global) -> ExitCode {
    let mut run = Run { report, repairable: Repairable::default() };
    let mut out = Out::new(asked.format, global, scan.progress());
    let written = run.stream(root, &mut scan, asked, &mut out);
    drop(out);
    let Run { mut report, repairable } = run;
    // What was seen until the reader went away is not what is there.
    if asked.is_whole && written.is_ok() {
        report.hints = repairable.commands(root, &report, asked);
    }
    output::close(&report, global, written)
}

struct Run {
    report: Report,
    repairable: Repairable,
}

impl Run {
    fn stream(&mut self, root: &Root, scan: &mut caplink::Scan, asked: &Asked, out: &mut Out) -> io::Result<()> {
        let mut show = Show::new(asked, out.is_coloured);
        show.begin(&mut out.buffer, &self.report, root);
        for found in &mut *scan {
            match found {
                Ok(finding) if asked.only.is_empty() || asked.only.iter().any(|only| only.is(&finding)) => {
                    let is_finding = finding.status != Status::Ok || !asked.only.is_empty();
                    self.report.has_findings |= asked.exit_code && is_finding;
                    if asked.format == Format::Text {
                        self.repairable.add(&finding, asked, root);
                    }
                    show.link(&mut out.buffer, &finding, root);
                }
                Ok(_) => {}
                Err(error) => self.report.error(&error),
            }
            out.passed()?;
        }
        let summary = scan.summary();
        let last = Last::of(&summary, &self.report);
        self.report.own(&last);
        show.end(&mut out.buffer, &self.report, &asked.standing, &summary);
        out.flush()
    }
}

/// Reports why there is nothing to show.
pub(crate) fn refuse(report: &Report, format: Option<Format>, global: &Global) -> ExitCode {
    if format != Some(Format::Ndjson) {
        return output::print(report, global);
    }
    let written = io::Write::write_all(&mut output::raw_stdout(), &error_lines(report));
    output::close(report, global, written)
}

/// The errors of a report as `--format ndjson` has them, one object a line.
pub(crate) fn error_lines(report: &Report) -> Vec<u8> {
    let mut lines = Vec::new();
    show::errors(&mut lines, report);
    lines
}
