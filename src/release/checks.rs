//! Checks and hooks: programs or closures that are run around a switch.

use std::any::Any;
use std::ffi::OsString;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::check_report::CheckReport;
use super::progress::{Progress, Step};
use crate::sys::{Ended, Handle, Running, Start};

/// How much of the output is kept, in bytes: its end.
const TAIL: usize = 4096;

/// How long a program has to end once it was asked to.
const GRACE: Duration = Duration::from_secs(5);

/// How long is waited at most before it is asked whether to stop.
const LOOK: Duration = Duration::from_millis(200);

/// A check or hook.
#[derive(Clone)]
#[non_exhaustive]
pub enum Check {
    /// A program with its arguments; it passes if it exits with 0.
    Program(Vec<String>),
    /// A function under a name; it passes unless it says why not, or panics. Nothing ends it: it has to keep its own time.
    Closure(String, Arc<CheckFn>),
}

/// A function that checks a release.
pub type CheckFn = dyn Fn(&CheckContext<'_>) -> std::result::Result<(), String> + Send + Sync;

/// What a check is about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CheckContext<'a> {
    /// The app.
    pub app: &'a str,
    /// The release that is checked.
    pub release: &'a str,
    /// The release that was active before, if it is known.
    pub previous: Option<&'a str>,
    /// Why it is run: `deploy`, `switch`, `rollback`, `undo`.
    pub event: &'a str,
    /// When it is run: `check_before`, `after_switch`, `check_after`.
    pub phase: &'static str,
}

impl Check {
    /// What it would come to, as far as a dry run can tell.
    pub(super) fn foreseen(&self, phase: &'static str) -> CheckReport {
        CheckReport { exit: Some(0), ..self.begun(phase) }
    }

    fn begun(&self, phase: &'static str) -> CheckReport {
        let argv = match self {
            Check::Program(argv) => argv.clone(),
            Check::Closure(name, _) => vec![name.clone()],
        };
        let phase = phase.to_owned();
        CheckReport { argv, phase, exit: None, signal: None, timed_out: false, seconds: 0.0, tail: String::new() }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Check::Program(argv) => f.debug_tuple("Program").field(argv).finish(),
            Check::Closure(name, _) => f.debug_tuple("Closure").field(name).finish(),
        }
    }
}

/// Where and with what a check is run.
pub(super) struct Ground<'a> {
    pub(super) dir: &'a Handle,
    pub(super) path: Option<std::path::PathBuf>,
    pub(super) root: OsString,
    pub(super) timeout: Duration,
    pub(super) progress: &'a dyn Progress,
    /// Whether it is ended where the caller is to stop.
    pub(super) stoppable: bool,
}

/// Runs one, once.
pub(super) fn run(check: &Check, context: &CheckContext<'_>, ground: &Ground<'_>) -> CheckReport {
    let mut report = check.begun(context.phase);
    ground.progress.step(&Step::Checking { argv: &report.argv, phase: context.phase });
    let begun = Instant::now();
    match check {
        Check::Program(argv) => run_program(argv, context, ground, &mut report),
        // One that panics has not passed: the release that it was to judge must not stay active for that.
        Check::Closure(_, function) => match catch_unwind(AssertUnwindSafe(|| function(context))) {
            Ok(Ok(())) => report.exit = Some(0),
            Ok(Err(reason)) => {
                report.exit = Some(1);
                report.tail = cut(reason.into_bytes());
            }
            Err(panic) => report.tail = cut(panicked(&*panic).into_bytes()),
        },
    }
    report.seconds = (begun.elapsed().as_secs_f64() * 1e6).round() / 1e6;
    ground.progress.step(&Step::Checked(&report));
    report
}

/// What a panic said.
fn panicked(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", said.unwrap_or("for an unknown reason"))
}

fn run_program(argv: &[String], context: &CheckContext<'_>, ground: &Ground<'_>, report: &mut CheckReport) {
    let variables = variables(context, &ground.root);
    let argv: Vec<OsString> = argv.iter().map(OsString::from).collect();
    let start = Start { argv: &argv, dir: ground.dir, path: ground.path.clone(), variables: &variables };
    let mut tail = Vec::new();
    let mut sink = |bytes: &[u8]| {
        ground.progress.output(bytes);
        tail.extend_from_slice(bytes);
        if tail.len() > 4 * TAIL {
            tail.drain(..tail.len() - TAIL);
        }
    };
    let ended = start.start().and_then(|mut running| attend(&mut running, ground, report, &mut sink));
    match ended {
        Ok(ended) => {
            (report.exit, report.signal) = (ended.exit, ended.signal);
            report.tail = cut(tail);
        }
        Err(error) => {
            let said = format!("cannot be started: {error}\n");
            ground.progress.output(said.as_bytes());
            report.tail = said;
        }
    }
}

/// Waits for the end of a program, and sees to it where it takes too long or the caller is to stop.
fn attend(
    running: &mut Running,
    ground: &Ground<'_>,
    report: &mut CheckReport,
    sink: &mut dyn FnMut(&[u8]),
) -> std::io::Result<Ended> {
    let begun = Instant::now();
    let mut asked: Option<Instant> = None;
    let mut ended = None;
    loop {
        let left = match asked {
            None => ground.timeout.saturating_sub(begun.elapsed()),
            Some(asked) => GRACE.saturating_sub(asked.elapsed()),
        };
        if ended.is_none() {
            ended = running.wait(left.min(LOOK), sink)?;
        } else {
            std::thread::sleep(left.min(Duration::from_millis(10)));
        }
        match (ended, asked) {
            (Some(ended), None) => return Ok(ended),
            // What it started in its group may need longer than it did.
            (Some(ended), Some(_)) if !running.has_group() => return Ok(ended),
            (_, Some(since)) if since.elapsed() >= GRACE => {
                running.end_group(true);
                while ended.is_none() {
                    ended = running.wait(LOOK, sink)?;
                }
            }
            (None, None) => {
                report.timed_out = begun.elapsed() >= ground.timeout;
                if report.timed_out || (ground.stoppable && ground.progress.is_stopped()) {
                    running.end_group(false);
                    asked = Some(Instant::now());
                }
            }
            _ => {}
        }
        if let (Some(ended), Some(since)) = (ended, asked)
            && since.elapsed() >= GRACE
        {
            return Ok(ended);
        }
    }
}

/// What a program finds in its environment, beside what this process was given.
pub(super) fn variables(context: &CheckContext<'_>, root: &std::ffi::OsStr) -> [(&'static str, OsString); 5] {
    [
        ("CAPLINK_APP", context.app.into()),
        ("CAPLINK_RELEASE", context.release.into()),
        ("CAPLINK_PREVIOUS", context.previous.unwrap_or_default().into()),
        ("CAPLINK_ROOT", root.to_os_string()),
        ("CAPLINK_EVENT", context.event.into()),
    ]
}

/// The end of what was said, as text.
fn cut(mut said: Vec<u8>) -> String {
    if said.len() > TAIL {
        said.drain(..said.len() - TAIL);
        // It may begin within a character.
        let within = said.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
        said.drain(..within);
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// What a check is about.
pub(super) fn context<'a>(
    app: &'a str,
    release: &'a str,
    previous: Option<&'a str>,
    event: &'a str,
    phase: &'static str,
) -> CheckContext<'a> {
    CheckContext { app, release, previous, event, phase }
}
