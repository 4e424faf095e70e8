//! Rolling back, and marking what is not to be used again.

use super::app::Releases;
use super::deploy::{Run, begin, failure};
use super::noted::{By, Event};
use super::progress::Step;
use super::report::{Failed, Set, Switched};
use super::running::Running;
use super::session::{Session, WithoutRecords};
use super::view::ReleaseView;
use crate::error::{Error, Kind, Result};
use crate::model::Outcome;
use crate::plan::{Switching, plan_rollback, plan_switch};

/// What a rollback is asked for.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Rollback {
    /// The release to go back to; none: the one that is chosen.
    pub to: Option<String>,
    /// The release that is left is not marked bad.
    pub keep_good: bool,
}

impl Rollback {
    /// Sets the release to go back to.
    #[must_use]
    pub fn to(mut self, release: impl Into<String>) -> Rollback {
        self.to = Some(release.into());
        self
    }

    /// Sets whether the release that is left keeps its good name.
    #[must_use]
    pub fn keep_good(mut self, keep: bool) -> Rollback {
        self.keep_good = keep;
        self
    }
}

impl Releases {
    /// Switches the link to the latest of the confirmed, present, not bad releases whose first activation was before the
    /// active one's, or to one that is named. The one that is left is marked bad, unless it is to keep its good name.
    ///
    /// # Errors
    ///
    /// `not_found` where there is none; `check_failed` where a check or hook failed: nothing is switched again then, and
    /// [`Unfinished::stands`](super::Unfinished) has the switch. `no_records`; those of [`switch`](Releases::switch).
    pub fn rollback(&self, options: &Rollback) -> std::result::Result<Switched, Box<Failed>> {
        let mut session = begin(self, "release rollback", WithoutRecords::Refuse)?;
        let mut run = Run::new(options.to.as_deref().unwrap_or_default());
        run.until.release.clone_from(&options.to);
        let came = run.rollback(&mut session, options);
        run.end(&session, came)
    }

    /// Marks a release bad or good. What is active is not changed by it.
    ///
    /// # Errors
    ///
    /// `unknown_release`, `no_records`, `busy`; those of the records.
    pub fn mark(&self, name: &str, bad: bool) -> Result<Set> {
        let event = Event::Marked { release: name.to_owned(), bad };
        self.set(name, "release mark", event)
    }

    /// Lets a release never be removed, or be removed again.
    ///
    /// # Errors
    ///
    /// `unknown_release`, `no_records`, `busy`; those of the records.
    pub fn pin(&self, name: &str, pinned: bool) -> Result<Set> {
        let verb = if pinned { "release pin" } else { "release unpin" };
        let event = Event::Pinned { release: name.to_owned(), pinned };
        self.set(name, verb, event)
    }

    fn set(&self, name: &str, verb: &'static str, event: Event) -> Result<Set> {
        crate::plan::release_name(name).map_err(|error| error.during(verb))?;
        let mut session = Session::begin(self, verb, WithoutRecords::Refuse)?;
        let sight = session.look_at(&[name])?;
        if session.ledger().entered(name).is_none() {
            return Err(Error::new(Kind::UnknownRelease).on(verb, name));
        }
        let before = ReleaseView::named(&self.name, name, &session.app_ledger(), &sight);
        let changed = match &event {
            Event::Marked { bad, .. } => before.bad != *bad,
            Event::Pinned { pinned, .. } => before.pinned != *pinned,
            _ => false,
        };
        if changed {
            session.tell(event)?;
        }
        Ok(Set { view: ReleaseView::named(&self.name, name, &session.app_ledger(), &sight), changed })
    }
}

impl Run {
    fn rollback(&mut self, session: &mut Session<'_>, options: &Rollback) -> Result<Outcome> {
        if let Some(to) = &options.to {
            crate::plan::release_name(to).map_err(|error| error.during("roll back to"))?;
        }
        self.until.recovered = session.settle_pending()?;
        let sight = session.look_at_all()?;
        let ledger = session.ledger();
        let left = ledger.active().map(|active| active.name.clone());
        let name = plan_rollback(&ledger, &sight, options.to.as_deref())?.name.clone();
        self.until.release = Some(name.clone());
        let switching = plan_switch(&ledger, &sight, &name, None, false)?;
        self.until.previous_release = left.clone().filter(|left| *left != name);
        if switching == Switching::Unchanged {
            let outcome = Outcome::of(session.layout.current.clone(), crate::model::Effect::Unchanged);
            return Ok(Outcome { target: sight.text().cloned(), dry_run: session.app.dry, ..outcome });
        }
        let mut running = Running::open(session, &name, self.until.previous_release.as_deref(), "rollback")?;
        let by = if options.keep_good { By::RollbackKeepingGood } else { By::Rollback };
        let outcome = session.activate(&name, &sight, &switching, (by, false))?;
        let mut events = vec![Event::Confirmed { release: name.clone() }];
        if let Some(release) = left.filter(|left| *left != name && !options.keep_good) {
            events.push(Event::Marked { release, bad: true });
        }
        session.tell_all(events, None, &[])?;
        session.app.progress.step(&Step::Confirmed { release: &name });
        let passed =
            self.passes(session, &mut running, "after_switch")? && self.passes(session, &mut running, "check_after")?;
        session.note_checks(&name, &self.until.checks)?;
        if !passed {
            self.until.stands = Some(outcome);
            return Err(failure(&name, self.until.check.as_ref()));
        }
        Ok(outcome)
    }
}
