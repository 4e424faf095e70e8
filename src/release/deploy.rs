//! Deploying, switching and rolling back: what is decided, the switch, what is checked, and the way back.

use super::app::Releases;
use super::check_report::CheckReport;
use super::noted::{By, Event};
use super::progress::Step;
use super::report::{Failed, Switched, Unfinished};
use super::running::Running;
use super::session::{Session, WithoutRecords};
use crate::error::{Error, Kind, Result};
use crate::model::{Effect, Outcome};
use crate::plan::{ReleaseSight, Switching, plan_switch};
use crate::records::Records;

/// What a deploy is asked for.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Deploy {
    /// Also a release that is marked bad.
    pub even_bad: bool,
}

/// What a switch is asked for.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Switch {
    /// The release that the link has to lead to.
    pub expect: Option<String>,
    /// Also to a release that is marked bad.
    pub even_bad: bool,
}

impl Deploy {
    /// Sets whether a release that is marked bad is deployed, too.
    #[must_use]
    pub fn even_bad(mut self, even: bool) -> Deploy {
        self.even_bad = even;
        self
    }
}

impl Switch {
    /// Sets whether the link is switched to a release that is marked bad, too.
    #[must_use]
    pub fn even_bad(mut self, even: bool) -> Switch {
        self.even_bad = even;
        self
    }

    /// Sets the release that the link has to lead to.
    #[must_use]
    pub fn expect(mut self, release: impl Into<String>) -> Switch {
        self.expect = Some(release.into());
        self
    }
}

impl Releases {
    /// Enters a release, checks it, switches the link to it, runs hooks and checks it again, and prunes old ones. Where the
    /// release is active already nothing is checked, run or switched.
    ///
    /// # Durability
    ///
    /// Of the link, as was set. What the release holds is the caller's: files that were not synced before the deploy can be
    /// empty after a power cut, while the link leads to them.
    ///
    /// # Atomicity
    ///
    /// The link never leads to nothing: it is exchanged in one step. One that fails after the switch is switched back.
    ///
    /// # Errors
    ///
    /// `check_failed` where a check or hook failed: the release is `failed` then, and the link leads where it led before.
    /// Those of [`add`](Releases::add) and [`switch`](Releases::switch). `unsafe_manifest` where others can change a
    /// program that is to be run; `partial` where it could not be switched back, which `recover` does then.
    pub fn deploy(&self, name: &str, options: &Deploy) -> std::result::Result<Switched, Box<Failed>> {
        self.foresee(|probe| probe.deploy(name, options)).map_err(|failed| refused(*failed))?;
        let mut session = begin(self, "release deploy", WithoutRecords::Make)?;
        let mut run = Run::new(name);
        let came = run.deploy(&mut session, options);
        run.end(&session, came)
    }

    /// Switches the link to a release that is entered, runs hooks and checks it.
    ///
    /// # Errors
    ///
    /// `unknown_release`, `not_found`, `not_a_directory`, `replaced_release`, `bad_release`; `mismatch` where the link does
    /// not lead to the release that was expected, or others changed it meanwhile; `check_failed`, then it was switched
    /// back; those of the link, of the records, and `busy`.
    pub fn switch(&self, name: &str, options: &Switch) -> std::result::Result<Switched, Box<Failed>> {
        self.foresee(|probe| probe.switch(name, options)).map_err(|failed| refused(*failed))?;
        let mut session = begin(self, "release switch", WithoutRecords::Make)?;
        let mut run = Run::new(name);
        let came = run.switch(&mut session, options);
        run.end(&session, came)
    }
}

/// What was foreseen to fail, of which nothing was begun.
fn refused(failed: Failed) -> Box<Failed> {
    let until = Unfinished { release: failed.until.release.clone(), ..Unfinished::default() };
    Box::new(Failed::new(failed.into(), until))
}

pub(super) fn begin<'a>(
    app: &'a Releases,
    verb: &'static str,
    without: WithoutRecords,
) -> std::result::Result<Session<'a>, Box<Failed>> {
    Session::begin(app, verb, without).map_err(|error| Box::new(error.into()))
}

/// One deploy, switch or rollback, as far as it came.
pub(super) struct Run {
    pub(super) until: Unfinished,
    pub(super) pruned: Vec<super::report::Pruned>,
    pub(super) shortfalls: Vec<Error>,
}

impl Run {
    pub(super) fn new(name: &str) -> Run {
        let until = Unfinished { release: Some(name.to_owned()), ..Unfinished::default() };
        Run { until, pruned: Vec::new(), shortfalls: Vec::new() }
    }

    /// What it came to.
    pub(super) fn end(
        self,
        session: &Session<'_>,
        came: Result<Outcome>,
    ) -> std::result::Result<Switched, Box<Failed>> {
        let Run { mut until, pruned, mut shortfalls } = self;
        until.changed |= session.has_changed();
        until.links_settled = session.records.as_ref().map(Records::take_settled).unwrap_or_default();
        until.links_settled.extend(session.settled.iter().cloned());
        match came {
            Ok(outcome) => {
                shortfalls.extend(outcome.shortfalls.iter().cloned());
                Ok(Switched {
                    app: session.app.name.clone(),
                    release: until.release.unwrap_or_default(),
                    previous_release: until.previous_release,
                    outcome,
                    changed: until.changed,
                    checks: until.checks,
                    links: until.links,
                    recovered: until.recovered,
                    links_settled: until.links_settled,
                    pruned,
                    shortfalls,
                })
            }
            Err(error) => Err(Box::new(Failed::new(error, until))),
        }
    }

    fn deploy(&mut self, session: &mut Session<'_>, options: &Deploy) -> Result<Outcome> {
        let name = self.until.release.clone().unwrap_or_default();
        crate::plan::release_name(&name).map_err(|error| error.during("deploy"))?;
        self.until.recovered = session.settle_pending()?;
        let sight = session.look_at(&[&name])?;
        (_, self.until.links) = session.enter(&name, &sight)?;
        let switching = plan_switch(&session.ledger(), &sight, &name, None, options.even_bad)?;
        let previous = self.notes_previous(session, &sight, &name);
        if switching != Switching::Unchanged {
            let mut running = Running::open(session, &name, previous.as_deref(), "deploy")?;
            if !self.passes(session, &mut running, "check_before")? {
                let event = Event::Failed { release: name.clone() };
                session.tell_all(vec![event], Some(&name), &self.until.checks)?;
                return Err(failure(&name, self.until.check.as_ref()));
            }
        }
        let outcome = self.change(session, &sight, &switching, By::Deploy)?;
        if session.app.keep.is_some() {
            match session.prune() {
                Ok((pruned, residue)) => {
                    self.pruned = pruned;
                    self.shortfalls.extend(residue);
                }
                // The deploy stands.
                Err(error) => self.shortfalls.push(error),
            }
        }
        Ok(outcome)
    }

    fn switch(&mut self, session: &mut Session<'_>, options: &Switch) -> Result<Outcome> {
        let name = self.until.release.clone().unwrap_or_default();
        crate::plan::release_name(&name).map_err(|error| error.during("switch"))?;
        self.until.recovered = session.settle_pending()?;
        let sight = session.look_at(&[&name])?;
        let expect = options.expect.as_deref();
        let switching = plan_switch(&session.ledger(), &sight, &name, expect, options.even_bad)?;
        self.notes_previous(session, &sight, &name);
        self.change(session, &sight, &switching, By::Switch)
    }

    /// Keeps which release the link led to.
    pub(super) fn notes_previous(&mut self, session: &Session<'_>, sight: &ReleaseSight, name: &str) -> Option<String> {
        let ledger = session.ledger();
        let pointed = sight.pointed().filter(|pointed| *pointed != name).map(str::to_owned);
        let previous = pointed.or_else(|| ledger.active().map(|active| active.name.clone()).filter(|of| of != name));
        self.until.previous_release.clone_from(&previous);
        previous
    }

    /// Runs what belongs to a phase, and says whether it passed.
    pub(super) fn passes(&mut self, session: &Session<'_>, running: &mut Running, phase: &'static str) -> Result<bool> {
        let (checks, retries) = match phase {
            "check_before" => (&session.app.check_before, 0),
            "after_switch" => (&session.app.after_switch, 0),
            _ => (&session.app.check_after, session.app.check_retries),
        };
        let passed = running.run_all(session.app, checks, phase, retries, &mut self.until.checks);
        if !passed {
            self.until.check = self.until.checks.last().filter(|check| check.phase == phase).cloned();
        }
        Ok(passed)
    }

    /// Switches, runs hooks and checks, and confirms; what fails is switched back.
    fn change(
        &mut self,
        session: &mut Session<'_>,
        sight: &ReleaseSight,
        switching: &Switching,
        by: By,
    ) -> Result<Outcome> {
        let name = self.until.release.clone().unwrap_or_default();
        if *switching == Switching::Unchanged {
            let outcome = Outcome::of(session.layout.current.clone(), Effect::Unchanged);
            return Ok(Outcome { target: sight.text().cloned(), dry_run: session.app.dry, ..outcome });
        }
        let event = if by == By::Deploy { "deploy" } else { "switch" };
        let checked = by == By::Deploy || session.app.is_checked();
        // Before anything is changed: it judges the programs.
        let mut running = Running::open(session, &name, self.until.previous_release.as_deref(), event)?;
        let outcome = session.activate(&name, sight, switching, (by, checked))?;
        let passed =
            self.passes(session, &mut running, "after_switch")? && self.passes(session, &mut running, "check_after")?;
        if !passed || (checked && running.is_stopped(session.app)) {
            self.back(session, &name, true)?;
            return Err(failure(&name, self.until.check.as_ref()));
        }
        let confirmed = Event::Confirmed { release: name.clone() };
        if let Err(error) = session.tell_all(vec![confirmed], Some(&name), &self.until.checks) {
            self.back(session, &name, false)?;
            return Err(error);
        }
        session.app.progress.step(&Step::Confirmed { release: &name });
        Ok(outcome)
    }

    /// Takes the switch back, and runs the hooks once more.
    fn back(&mut self, session: &mut Session<'_>, name: &str, failed: bool) -> Result<()> {
        let told = self.until.checks.len();
        let back = session.switch_back(name, failed);
        let hooks = session.note_checks(name, &self.until.checks[..told]);
        self.until.back = back?;
        if self.until.back.is_some() {
            self.run_hooks_again(session, name);
            let rest = self.until.checks[told..].to_vec();
            session.note_checks(name, &rest)?;
        }
        hooks
    }

    fn run_hooks_again(&mut self, session: &Session<'_>, failed: &str) {
        let previous = self.until.previous_release.clone().filter(|name| session.ledger().entered(name).is_some());
        let (release, previous) = match &previous {
            Some(previous) => (previous.as_str(), Some(failed)),
            None => (failed, None),
        };
        if let Ok(running) = Running::open(session, release, previous, "undo") {
            let hooks = &session.app.after_switch;
            running.unstoppable().run_all(session.app, hooks, "after_switch", 0, &mut self.until.checks);
        }
    }
}

/// The error of a deploy, switch or rollback of which a check or hook failed.
pub(super) fn failure(name: &str, check: Option<&CheckReport>) -> Error {
    let error = Error::new(Kind::CheckFailed).on("deploy", name);
    let Some(check) = check.filter(|check| !check.passed()) else {
        return error.because("a signal asked to stop before it was confirmed");
    };
    let program = crate::error::printable(check.argv.first().map_or("", String::as_str)).to_string();
    error.because(format!("`{program}` ({}) {}", check.phase, check.ending()))
}
