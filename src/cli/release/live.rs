//! What is done, as it is done: lines on standard output, the output of checks and hooks on standard error.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use caplink::manage::{CheckReport, Progress, Step};
use indicatif::ProgressBar;

use super::show::{Gone, SettledItem};
use super::signals;
use crate::cli::global::Global;
use crate::cli::output;
use crate::cli::text::{BAD, GOOD, NAME, Painted};
use crate::cli::verbs::change;

/// Shows what is done, as it is done.
pub(crate) struct Live {
    is_shown: bool,
    dry: bool,
    color: crate::cli::global::Color,
    stop: Arc<AtomicBool>,
    written: Mutex<io::Result<()>>,
    /// How far a removal is, on a terminal.
    removal: ProgressBar,
}

impl Live {
    /// For a verb; one that runs checks and hooks listens to signals.
    pub(crate) fn new(global: &Global, listens: bool) -> Arc<Live> {
        Arc::new(Live {
            is_shown: !global.json && global.quiet < 2,
            dry: global.dry_run,
            color: global.color,
            stop: if listens { signals::stop_flag() } else { Arc::default() },
            written: Mutex::new(Ok(())),
            removal: if global.quiet == 0 { ProgressBar::new_spinner() } else { ProgressBar::hidden() },
        })
    }

    /// Whether all was written.
    pub(crate) fn written(&self) -> io::Result<()> {
        std::mem::replace(&mut *self.lock(), Ok(()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, io::Result<()>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, text: &dyn std::fmt::Display) {
        let mut written = self.lock();
        if self.is_shown && written.is_ok() {
            let mut out = output::stdout(self.color);
            *written = write!(out, "{text}").and_then(|()| out.flush());
        }
    }
}

impl Progress for Live {
    fn step(&self, step: &Step<'_>) {
        let would = if self.dry { "would be " } else { "" };
        let name = |name: &str| Painted(NAME, caplink::printable(name).to_string());
        match step {
            Step::Recovered(settled) => self.show(&SettledItem::of(settled)),
            Step::Entered { release } => {
                self.show(&format_args!("{}: {}\n", name(release), Painted(GOOD, format_args!("{would}entered"))));
            }
            Step::Linked(outcome) => self.show(&change::Shown(outcome)),
            Step::Checked(check) => self.show(&checked(check)),
            Step::Confirmed { release } => {
                self.show(&format_args!("{}: {}\n", name(release), Painted(GOOD, format_args!("{would}confirmed"))));
            }
            Step::SwitchedBack(outcome) => {
                self.show(&format_args!("{} {}", Painted(BAD, "switched back:"), change::Shown(outcome)));
            }
            Step::Removing { release, entries } => {
                self.removal.set_message(format!("{}: {entries} entries removed", caplink::printable(*release)));
                self.removal.tick();
            }
            Step::Pruned(pruned) => {
                self.removal.finish_and_clear();
                self.show(&Gone::item(pruned, self.dry));
            }
            _ => {}
        }
    }

    fn output(&self, bytes: &[u8]) {
        let _unheard = io::stderr().write_all(bytes);
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// `check_after ./bin/healthz: passed (0.31 s)`
fn checked(check: &CheckReport) -> String {
    let argv: Vec<String> = check.argv.iter().map(|word| caplink::printable(&**word).to_string()).collect();
    let came = Painted(if check.passed() { GOOD } else { BAD }, check.ending());
    format!("{} {}: {came} ({:.2} s)\n", check.phase, Painted(NAME, argv.join(" ")), check.seconds)
}
