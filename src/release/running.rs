//! The checks and hooks of one switch: judged before anything is changed, then run in the release's directory.

use std::time::{Duration, Instant};

use super::app::Releases;
use super::check_report::CheckReport;
use super::checks::{self, Check, Ground, context};
use super::session::Session;
use super::sight::open_release;
use crate::error::{Error, Kind, Result};
use crate::sys::{self, Handle};

/// How often it is looked whether to stop while a check is waited for that is to be tried again.
const NAP: Duration = Duration::from_millis(50);

/// What checks and hooks of one switch are run with.
pub(super) struct Running {
    /// None in a dry run of a release that is not entered.
    dir: Option<Handle>,
    path: Option<std::path::PathBuf>,
    root: std::ffi::OsString,
    release: String,
    previous: Option<String>,
    event: &'static str,
    stoppable: bool,
}

impl Running {
    /// Opens the release, and judges the programs that will be run.
    pub(super) fn open(
        session: &Session<'_>,
        release: &str,
        previous: Option<&str>,
        event: &'static str,
    ) -> Result<Running> {
        let app = session.app;
        let app_ledger = session.app_ledger();
        let held = app_ledger.held(release).ok_or_else(|| Error::new(Kind::UnknownRelease).on(event, release))?;
        let dir = open_release(&app.root, &session.layout, release, &held.directory).map_err(|e| e.during(event))?;
        let physical = app.root.physical_path();
        let path = physical.map(|root| root.join(session.layout.path(release)));
        for check in app.check_before.iter().chain(&app.after_switch).chain(&app.check_after) {
            let Check::Program(argv) = check else { continue };
            let user = app.root.calls().user();
            if let Some(reason) = argv.first().and_then(|program| sys::unsafe_program(program, &dir, user)) {
                return Err(Error::new(Kind::UnsafeManifest).on(event, release).because(reason));
            }
        }
        Ok(Running {
            dir: Some(dir),
            path,
            root: physical.map(|root| root.as_os_str().to_os_string()).unwrap_or_default(),
            release: release.to_owned(),
            previous: previous.map(str::to_owned),
            event,
            stoppable: true,
        })
    }

    /// The same, to be run to its end whatever the caller is asked for.
    pub(super) fn unstoppable(self) -> Running {
        Running { stoppable: false, ..self }
    }

    /// Whether the caller is asked to stop.
    pub(super) fn is_stopped(&self, app: &Releases) -> bool {
        self.stoppable && app.progress.is_stopped()
    }

    /// Runs checks in order until one fails, each tried again so often. Returns whether all passed.
    pub(super) fn run_all(
        &mut self,
        app: &Releases,
        checks: &[Check],
        phase: &'static str,
        retries: u32,
        reports: &mut Vec<CheckReport>,
    ) -> bool {
        for check in checks {
            if self.is_stopped(app) {
                return false;
            }
            if app.dry {
                reports.push(check.foreseen(phase));
                continue;
            }
            let mut tries = 0;
            loop {
                let report = self.run(app, check, phase);
                let passed = report.passed();
                reports.push(report);
                if passed && !self.is_stopped(app) {
                    break;
                }
                if passed || tries >= retries || !self.waits(app) {
                    return false;
                }
                tries += 1;
            }
        }
        true
    }

    fn run(&self, app: &Releases, check: &Check, phase: &'static str) -> CheckReport {
        let Some(dir) = &self.dir else { return check.foreseen(phase) };
        let ground = Ground {
            dir,
            path: self.path.clone(),
            root: self.root.clone(),
            timeout: app.check_timeout,
            progress: &*app.progress,
            stoppable: self.stoppable,
        };
        let context = context(&app.name, &self.release, self.previous.as_deref(), self.event, phase);
        checks::run(check, &context, &ground)
    }

    /// Waits before a new try; says whether there is to be one.
    fn waits(&self, app: &Releases) -> bool {
        let begun = Instant::now();
        while !self.is_stopped(app) {
            let left = app.check_interval.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(NAP));
        }
        false
    }
}

impl Releases {
    /// Whether a switch waits for anything before it is confirmed.
    pub(super) fn is_checked(&self) -> bool {
        !(self.check_after.is_empty() && self.after_switch.is_empty())
    }
}
