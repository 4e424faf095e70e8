//! One mutation of an app: its lock, its ledger, and the one place where events are told.

use std::ffi::OsString;
use std::sync::Arc;

use super::app::Releases;
use super::app_ledger::{AppLedger, nanos};
use super::check_report::CheckReport;
use super::layout::AppLayout;
use super::ledgers::{Ledgers, Teller};
use super::noted::Event;
use super::sight::{foresee_all, foresee_at};
use crate::error::{Error, Kind, Result};
use crate::model::{Edit, Group, GroupStep, Outcome, Plan};
use crate::plan::{Ledger, ReleaseSight};
use crate::records::{NamedLock, Records, Recovered, Settings, Time};
use crate::root::Root;

/// What a verb does where there are no records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WithoutRecords {
    /// They are made.
    Make,
    /// It is an error.
    Refuse,
}

/// A mutation of an app. Dropping it lets the next one begin.
pub(super) struct Session<'a> {
    pub(super) app: &'a Releases,
    verb: &'static str,
    /// None in a dry run without records.
    pub(super) records: Option<Records>,
    ledgers: Ledgers,
    pub(super) layout: AppLayout,
    /// The root with its changes recorded.
    root: Root,
    changed: bool,
    /// Groups of interrupted programs that were settled on the way.
    pub(super) settled: Vec<Recovered>,
    /// What a dry run would have done to the link, and the text that it would have.
    foreseen: Vec<Edit>,
    text: Option<Option<OsString>>,
    _lock: Option<NamedLock>,
}

impl Releases {
    /// What is refused makes no records: where there are none, says what would come of it; `None` where there are some.
    pub(super) fn foresee<T, E>(
        &self,
        come: impl FnOnce(&Releases) -> std::result::Result<T, E>,
    ) -> std::result::Result<Option<T>, E> {
        // What is wrong with the records is for the mutation to say.
        if self.dry || !matches!(Records::open_for_mutation(&self.root), Ok(None)) {
            return Ok(None);
        }
        come(&self.clone().dry_run(true).progress(Arc::new(()))).map(Some)
    }
}

impl<'a> Session<'a> {
    /// Begins one, alone among those of this app.
    pub(super) fn begin(app: &'a Releases, verb: &'static str, without: WithoutRecords) -> Result<Session<'a>> {
        let named = |error: Error| error.during(verb);
        let mut records = Records::open_for_mutation(&app.root).map_err(named)?;
        if records.is_none() {
            match without {
                WithoutRecords::Refuse => return Err(Error::new(Kind::NoRecords).during(verb)),
                WithoutRecords::Make if app.dry => Records::could_be_made(&app.root).map_err(named)?,
                WithoutRecords::Make => {
                    // Where nothing can be done no records are made for it.
                    app.layout(None)?;
                    records = Some(Records::init(&app.root, Settings::default(), &app.author).map_err(named)?.0);
                }
            }
        }
        let records = records.map(|records| records.waiting(app.wait));
        if let Some(records) = &records
            && records.settings().require_reason
            && app.author.reason().is_none()
        {
            return Err(Error::new(Kind::Policy).during("record").because("the records demand a reason"));
        }
        if let (Some(records), true) = (&records, app.dry) {
            records.could_record(true).map_err(named)?;
        }
        let lock = match &records {
            Some(records) if !app.dry => Some(lock(records, &app.name, app.wait).map_err(named)?),
            _ => None,
        };
        Session::with(app, verb, records, lock)
    }

    fn with(
        app: &'a Releases,
        verb: &'static str,
        records: Option<Records>,
        lock: Option<NamedLock>,
    ) -> Result<Session<'a>> {
        let ledgers = records.as_ref().map(Ledgers::load).transpose()?.unwrap_or_default();
        let layout = app.layout(ledgers.apps.get(&app.name).and_then(|app_ledger| app_ledger.layout.as_ref()))?;
        let root = match &records {
            Some(records) => app.root.recorded_during(records, app.author.clone(), Some(verb)),
            None => app.root.clone(),
        };
        Ok(Session {
            app,
            verb,
            records,
            ledgers,
            layout,
            root,
            changed: false,
            settled: Vec::new(),
            foreseen: Vec::new(),
            text: None,
            _lock: lock,
        })
    }

    /// Begins one for what an interrupted program left; `None` where another one of this app is under way.
    pub(super) fn begin_settling(app: &'a Releases, records: &Records) -> Result<Option<Session<'a>>> {
        let lock = if app.dry {
            if records.is_locked(&lock_name(&app.name))? {
                return Ok(None);
            }
            None
        } else {
            match lock(records, &app.name, std::time::Duration::ZERO) {
                Ok(lock) => Some(lock),
                Err(error) if error.kind() == Kind::Busy => return Ok(None),
                Err(error) => return Err(error),
            }
        };
        Session::with(app, "recover", Some(records.clone()), lock).map(Some)
    }

    /// What the log says of the app.
    pub(super) fn app_ledger(&self) -> AppLedger {
        self.ledgers.apps.get(&self.app.name).cloned().unwrap_or_default()
    }

    pub(super) fn ledger(&self) -> Ledger {
        self.ledgers.apps.get(&self.app.name).map(AppLedger::ledger).unwrap_or_default()
    }

    /// What the log says of all apps.
    pub(super) fn ledgers(&self) -> &Ledgers {
        &self.ledgers
    }

    /// Tells an event of the app.
    pub(super) fn tell(&mut self, event: Event) -> Result<()> {
        self.tell_all(vec![event], None, &[])
    }

    /// Tells events, with what checks of a release came to.
    pub(super) fn tell_all(&mut self, events: Vec<Event>, release: Option<&str>, checks: &[CheckReport]) -> Result<()> {
        self.changed = true;
        if let (Some(records), false) = (&self.records, self.app.dry) {
            let teller = Teller {
                app: &self.app.name,
                verb: self.verb,
                author: &self.app.author,
                settles: self.verb == "recover",
                release,
            };
            return self.ledgers.tell(records, &teller, events, checks).map_err(|error| error.during(self.verb));
        }
        let app_ledger = self.ledgers.apps.entry(self.app.name.clone()).or_default();
        let now = nanos(Time::now());
        events.iter().for_each(|event| app_ledger.take(event, now));
        Ok(())
    }

    /// Tells what checks of a release came to.
    pub(super) fn note_checks(&mut self, release: &str, checks: &[CheckReport]) -> Result<()> {
        if checks.is_empty() { Ok(()) } else { self.tell_all(Vec::new(), Some(release), checks) }
    }

    /// Whether any link or the ledger differs.
    pub(super) fn has_changed(&self) -> bool {
        self.changed
    }

    /// Carries out an edit of a link, or previews it.
    pub(super) fn edit(&mut self, edit: impl Into<Edit>) -> Result<Outcome> {
        let edit = edit.into().durability(self.app.durability);
        let outcome = if self.app.dry { self.foresee(edit)? } else { self.root.apply(&edit)? };
        self.changed |= outcome.effect.is_change();
        Ok(outcome)
    }

    /// Settles what interrupted programs left of links and groups, before anything is decided by what is there.
    pub(super) fn settle_links(&mut self) -> Result<()> {
        if let (Some(records), false) = (&self.records, self.app.dry) {
            self.settled.extend(records.recover()?);
        }
        Ok(())
    }

    /// Carries out steps that stand or fall together, or previews them; returns what each came to.
    pub(super) fn edit_group(&mut self, steps: Vec<GroupStep>) -> Result<Vec<Outcome>> {
        let mut group = Group::new(self.verb).durability(self.app.durability);
        group.extend(steps);
        let report = match &self.records {
            Some(records) if !self.app.dry => self.root.apply_group(records, &self.app.author, &group)?,
            _ => self.app.root.preview_group(&group),
        };
        self.settled.extend(report.recovered);
        let outcomes: Vec<Outcome> = report.results.into_iter().collect::<Result<_>>()?;
        self.changed |= outcomes.iter().any(|outcome| outcome.effect.is_change());
        Ok(outcomes)
    }

    /// Previews an edit, behind those that a dry run had before of the link.
    fn foresee(&mut self, edit: Edit) -> Result<Outcome> {
        let is_current = *edit.path() == self.layout.current;
        if !is_current {
            return self.root.preview(&edit);
        }
        let mut edits = self.foreseen.clone();
        edits.push(edit.clone());
        let plan = Plan::new(edits).durability(self.app.durability);
        let outcome = self.root.preview_plan(&plan).pop().expect("BUG: each edit of a plan has an outcome")?;
        if outcome.effect.is_change() {
            self.foreseen.push(edit);
            self.text = Some(outcome.target.clone());
        }
        Ok(outcome)
    }

    /// Looks at the link and at these releases, as a dry run would have left them.
    pub(super) fn look_at(&self, names: &[&str]) -> Result<ReleaseSight> {
        foresee_at(&self.app.root, &self.layout, names, self.text.as_ref())
    }

    /// Looks at the link and at every release, as a dry run would have left them.
    pub(super) fn look_at_all(&self) -> Result<ReleaseSight> {
        foresee_all(&self.app.root, &self.layout, self.text.as_ref())
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let (Some(records), true, false) = (&self.records, self.changed, self.app.dry) {
            self.ledgers.keep(records);
        }
    }
}

fn lock(records: &Records, app: &str, wait: std::time::Duration) -> Result<NamedLock> {
    records.lock_named(&lock_name(app), &format!("the app `{app}`"), wait)
}

fn lock_name(app: &str) -> String {
    format!("app-{app}.lock")
}
