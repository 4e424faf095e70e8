//! Printing a report: answers on stdout, errors, hints and detail on stderr.
//!
//! An answer that was not written whole is an error of the system, also where its reader went away: a script that reads the
//! first line of a list must not take the exit code for one about all of it. A reader that has seen enough needs no message.

use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};

use super::exit::Class;
use super::global::{Color, Global};
use super::problem::Problem;
use super::report::Report;
use super::text::{BAD, DIM, HINT, Painted};

pub(crate) fn print(report: &Report, global: &Global) -> ExitCode {
    let printed = if global.json { print_json(report) } else { print_text(report, global) };
    close(report, global, printed)
}

/// Ends a run whose answers were printed, or could not be: messages follow.
pub(crate) fn close(report: &Report, global: &Global, printed: io::Result<()>) -> ExitCode {
    let class = report.class().and(written(printed, report.has_changed(), global.color));
    let _unheard = print_messages(report, global);
    class.into()
}

/// Reports an answer that could not be written; a change that was made stands all the same.
pub(crate) fn written(printed: io::Result<()>, stands: bool, color: Color) -> Class {
    let Err(source) = printed else { return Class::Done };
    // Where stderr is gone as well nobody can be informed.
    let _unheard = match (source.kind(), stands) {
        (io::ErrorKind::BrokenPipe, false) => Ok(()),
        (_, false) => writeln!(stderr(color), "{} cannot write to stdout: {source}", Painted(BAD, "error:")),
        (_, true) => {
            let what = "cannot write to stdout, but the change was made and stands";
            writeln!(stderr(color), "{} {what}: {source}", Painted(BAD, "error:"))
        }
    };
    Class::System
}

/// So much of a document is written at once, in bytes.
const TOGETHER: usize = 256 * 1024;

pub(crate) fn print_json(report: &Report) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(TOGETHER, raw_stdout());
    report.write_document(&mut out)?;
    writeln!(out)?;
    out.flush()
}

fn print_text(report: &Report, global: &Global) -> io::Result<()> {
    let mut out = gathered(global.color);
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
        // `-q` leaves out what was not asked for.
        if global.verbose >= *verbosity && (*verbosity > 0 || global.quiet == 0) {
            writeln!(err, "{} {line}", Painted(DIM, "note:"))?;
        }
    }
    for problem in report.errors.iter() {
        print_problem(&mut err, problem, global)?;
    }
    if report.errors.unlisted() > 0 {
        writeln!(err, "{} and {} more", Painted(BAD, "error:"), report.errors.unlisted())?;
    }
    for hint in report.hints.iter().filter(|_| global.quiet == 0) {
        writeln!(err, "{} {hint}", Painted(HINT, "hint:"))?;
    }
    if global.dry_run && global.quiet == 0 && report.changed {
        writeln!(err, "{} this was a dry run, nothing was changed", Painted(DIM, "note:"))?;
    }
    Ok(())
}

/// Prints a line of detail at once.
pub(crate) fn note(line: &str, color: Color) {
    let _unheard = writeln!(stderr(color), "{} {line}", Painted(DIM, "note:"));
}

fn print_problem(err: &mut impl Write, problem: &Problem, global: &Global) -> io::Result<()> {
    writeln!(err, "{} {}", Painted(BAD, "error:"), problem.reported.message)?;
    if let Some(excerpt) = &problem.excerpt {
        writeln!(err, "{excerpt}")?;
    }
    if let (Some(cause), true) = (&problem.cause, global.verbose > 0) {
        writeln!(err, "{} {cause}", Painted(DIM, "cause:"))?;
    }
    if let (Some(hint), true) = (&problem.reported.hint, global.quiet == 0) {
        writeln!(err, "{} {hint}", Painted(HINT, "hint:"))?;
    }
    Ok(())
}

/// Standard output as it is, byte for byte.
pub(crate) fn raw_stdout() -> Box<dyn Write> {
    #[cfg(unix)]
    if let Some(refusal) = super::inherited::stdout_refusal() {
        return Box::new(Unwritable(refusal));
    }
    Box::new(io::stdout().lock())
}

/// Standard output, coloured where that is wanted.
pub(crate) fn stdout(color: Color) -> AutoStream<Box<dyn Write>> {
    AutoStream::new(raw_stdout(), choice(color, true))
}

/// The same for what is written in pieces. They go out together, when they are many and when it is flushed.
pub(crate) fn gathered(color: Color) -> Box<dyn Write> {
    match is_coloured(color) {
        true => Box::new(io::BufWriter::new(stdout(color))),
        // What takes styles out writes each piece between them on its own.
        false => {
            let out: Box<dyn Write> = Box::new(io::BufWriter::new(raw_stdout()));
            Box::new(AutoStream::never(out))
        }
    }
}

/// Whether standard output is coloured.
pub(crate) fn is_coloured(color: Color) -> bool {
    choice(color, true) == ColorChoice::Always
}

/// A descriptor that cannot be written, with the number of the error. The standard library would discard what is written.
#[cfg(unix)]
struct Unwritable(i32);

#[cfg(unix)]
impl Write for Unwritable {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::from_raw_os_error(self.0))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Messages are coloured where stdout is, unless they go to a file.
pub(crate) fn stderr(color: Color) -> AutoStream<io::StderrLock<'static>> {
    AutoStream::new(io::stderr().lock(), choice(color, io::stderr().is_terminal()))
}

fn choice(color: Color, terminal: bool) -> ColorChoice {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = || std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    let coloured = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => !no_color && terminal && io::stdout().is_terminal() && !is_dumb(),
    };
    if coloured { ColorChoice::Always } else { ColorChoice::Never }
}
