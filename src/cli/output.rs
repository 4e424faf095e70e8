//! Printing a report: answers on stdout, errors, hints and detail on stderr.
//!
//! A reader that goes away is no error: what was done is done, and the exit code says how it went.

use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};

use super::args::{Color, Global};
use super::exit::Class;
use super::problem::Problem;
use super::report::Report;
use super::text::{BAD, DIM, HINT, Painted};

pub(crate) fn print(report: &Report, global: &Global) -> ExitCode {
    let printed = if global.json { print_json(report) } else { print_text(report, global) };
    close(report, global, report.class(), printed)
}

/// Ends a run whose answers were printed, or could not be: messages follow.
pub(crate) fn close(report: &Report, global: &Global, mut class: Class, printed: io::Result<()>) -> ExitCode {
    class = class.and(heard(printed, global.color));
    let _unheard = print_messages(report, global);
    class.into()
}

/// Tells of an answer that could not be written. A reader that went away has seen enough.
pub(crate) fn heard(printed: io::Result<()>, color: Color) -> Class {
    match printed {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            // Nobody is left to tell where stderr is gone as well.
            let _unheard = writeln!(stderr(color), "{} cannot write to stdout: {source}", Painted(BAD, "error:"));
            Class::System
        }
        _ => Class::Done,
    }
}

fn print_json(report: &Report) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", report.document())?;
    out.flush()
}

fn print_text(report: &Report, global: &Global) -> io::Result<()> {
    let mut out = io::BufWriter::new(stdout(global.color));
    for item in &report.items {
        if !item.is_news || global.quiet < 2 {
            out.write_all(item.text.as_bytes())?;
        }
    }
    out.flush()
}

fn print_messages(report: &Report, global: &Global) -> io::Result<()> {
    let mut err = stderr(global.color);
    for (verbosity, line) in &report.notes {
        // What is told unasked is left out by `-q`.
        if global.verbose >= *verbosity && (*verbosity > 0 || global.quiet == 0) {
            writeln!(err, "{} {line}", Painted(DIM, "note:"))?;
        }
    }
    for problem in &report.errors {
        print_problem(&mut err, problem, global)?;
    }
    for hint in report.hints.iter().filter(|_| global.quiet == 0) {
        writeln!(err, "{} {hint}", Painted(HINT, "hint:"))?;
    }
    if global.dry_run && global.quiet == 0 && report.changed {
        writeln!(err, "{} this was a dry run, nothing was changed", Painted(DIM, "note:"))?;
    }
    Ok(())
}

fn print_problem(err: &mut impl Write, problem: &Problem, global: &Global) -> io::Result<()> {
    writeln!(err, "{} {}", Painted(BAD, "error:"), problem.message)?;
    if let (Some(cause), true) = (&problem.cause, global.verbose > 0) {
        writeln!(err, "{} {cause}", Painted(DIM, "cause:"))?;
    }
    if let (Some(hint), true) = (&problem.hint, global.quiet == 0) {
        writeln!(err, "{} {hint}", Painted(HINT, "hint:"))?;
    }
    Ok(())
}

pub(crate) fn stdout(color: Color) -> AutoStream<io::StdoutLock<'static>> {
    AutoStream::new(io::stdout().lock(), choice(color, true))
}

/// Messages are coloured where stdout is, unless they go to a file.
pub(crate) fn stderr(color: Color) -> AutoStream<io::StderrLock<'static>> {
    AutoStream::new(io::stderr().lock(), choice(color, io::stderr().is_terminal()))
}

fn choice(color: Color, terminal: bool) -> ColorChoice {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let coloured = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => !no_color && terminal && io::stdout().is_terminal(),
    };
    if coloured { ColorChoice::Always } else { ColorChoice::Never }
}
