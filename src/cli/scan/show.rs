//! What a scan looks like in each format.

use std::io::{self, Write as _};
use std::time::Instant;

use anstyle::Style;
use caplink::{Finding, Root, Status, Summary, Trait};
use serde::Serialize;

use super::asked::{Asked, Format};
use super::page;
use super::standing::Standing;
use crate::cli::report::Report;
use crate::cli::text::{BAD, DIM, GOOD, NAME};

/// Shows links one by one, between what stands before and after them.
pub(super) struct Show {
    format: Format,
    end: u8,
    is_first: bool,
    is_coloured: bool,
    begun: Instant,
}

impl Show {
    pub(super) fn new(asked: &Asked, is_coloured: bool) -> Show {
        let end = if asked.null { 0 } else { b'\n' };
        Show { format: asked.format, end, is_first: true, is_coloured, begun: Instant::now() }
    }

    pub(super) fn begin(&mut self, out: &mut Vec<u8>, report: &Report, root: &Root) {
        match self.format {
            Format::Json => out.extend(report.around_items().0.as_bytes()),
            Format::Html => {
                let path = root.physical_path().map(|path| caplink::printable(path).to_string());
                out.extend(page::head(&path.unwrap_or_default(), report.time()).as_bytes());
            }
            _ => {}
        }
    }

    pub(super) fn link(&mut self, out: &mut Vec<u8>, finding: &Finding, root: &Root) {
        match self.format {
            Format::Html => out.extend(page::row(root, finding).as_bytes()),
            Format::Text => line(out, finding, self.is_coloured).expect("BUG: a vector takes what is written"),
            Format::Paths => {
                out.extend(finding.link.as_os_str().as_encoded_bytes());
                out.push(self.end);
            }
            Format::Json => {
                if !self.is_first {
                    out.push(b',');
                }
                self.is_first = false;
                json(out, finding);
            }
            Format::Ndjson => {
                json(out, finding);
                out.push(b'\n');
            }
        }
    }

    pub(super) fn end(&mut self, out: &mut Vec<u8>, report: &Report, standing: &Standing, summary: &Summary) {
        match self.format {
            Format::Text => out.extend(format!("{}\n", counted(summary)).as_bytes()),
            Format::Paths => {}
            Format::Html => {
                let errors: Vec<&str> = report.errors.iter().map(|error| error.reported.message.as_str()).collect();
                out.extend(
                    page::tail(&standing.section(), summary, &errors, report.errors.unlisted(), self.begun.elapsed())
                        .as_bytes(),
                );
            }
            Format::Json => {
                out.extend(report.around_items().1.as_bytes());
                out.push(b'\n');
            }
            Format::Ndjson => {
                errors(out, report);
                json(out, &Last::of(summary, report));
                out.push(b'\n');
            }
        }
    }
}

fn json(out: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(out, value).expect("BUG: a finding has string keys, and a vector takes what is written");
}

/// The errors of a report, one a line.
pub(super) fn errors(out: &mut Vec<u8>, report: &Report) {
    #[derive(Serialize)]
    struct Line<'a> {
        error: &'a crate::cli::problem::Problem,
    }
    for error in report.errors.iter() {
        json(out, &Line { error });
        out.push(b'\n');
    }
}

/// `dangling a/l -> gone (messy)`
///
/// A scan shows hundreds of thousands of them: nothing is put together anywhere else.
fn line(out: &mut Vec<u8>, finding: &Finding, is_coloured: bool) -> io::Result<()> {
    let colour = if finding.status == Status::Ok { GOOD } else { BAD };
    let [colour, name, dim] = [colour, NAME, DIM].map(|style| if is_coloured { style } else { Style::new() });
    write!(out, "{colour}{:8}{colour:#} {name}", finding.status.as_str())?;
    write!(out, "{}{name:#}", caplink::printable(&finding.link))?;
    if let Some(target) = &finding.target {
        write!(out, " -> {}", caplink::printable(target))?;
    }
    for (index, of) in finding.traits.iter().enumerate() {
        let before = if index == 0 { format_args!(" {dim}(") } else { format_args!(", ") };
        write!(out, "{before}{}", of.as_str())?;
    }
    if !finding.traits.is_empty() {
        write!(out, "){dim:#}")?;
    }
    writeln!(out)
}

/// `3 links in 9 entries: 2 ok, 1 dangling; traits: 1 messy`
fn counted(summary: &Summary) -> String {
    let many = |count: u64, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
    let mut line = format!("{} in {}", many(summary.links, "link", "links"), many(summary.entries, "entry", "entries"));
    let listed = |counts: Vec<(u64, &str)>| {
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        counts.map(|(count, name)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
    };
    let statuses = listed(Status::ALL.iter().map(|of| (summary.with_status(*of), of.as_str())).collect());
    let traits = listed(Trait::ALL.iter().map(|of| (summary.with_trait(*of), of.as_str())).collect());
    if !statuses.is_empty() {
        line += &format!(": {statuses}");
    }
    if !traits.is_empty() {
        line += &format!("; traits: {traits}");
    }
    if summary.mounts > 0 {
        line += &format!("; {} not entered", many(summary.mounts, "mount point", "mount points"));
    }
    if summary.dirs_unread > 0 {
        line += &format!("; {} not read", many(summary.dirs_unread, "directory", "directories"));
    }
    if !summary.complete {
        line += "; incomplete";
    }
    line
}

/// What comes last: the summary by its name.
#[derive(Serialize)]
pub(super) struct Last<'a> {
    summary: Counts<'a>,
}

#[derive(Serialize)]
struct Counts<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    /// How many errors there were that are not listed.
    errors_unlisted: u64,
}

impl<'a> Last<'a> {
    pub(super) fn of(summary: &'a Summary, report: &Report) -> Last<'a> {
        Last { summary: Counts { summary, errors_unlisted: report.errors.unlisted() } }
    }
}
