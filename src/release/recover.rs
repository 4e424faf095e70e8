//! What an interrupted program left of an app: a switch that nothing confirmed, a removal under way.

use std::collections::BTreeMap;

use super::app::Releases;
use super::noted::Event;
use super::progress::Step;
use super::report::{Settled, Settlement};
use super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::plan::{ReleaseDir, ReleaseState, Settling, settle};
use crate::records::{Author, Records};
use crate::root::Root;

/// What is said as a reason where the records demand one and recovering needs none.
const REASON: &str = "recover";

impl Releases {
    /// Settles what interrupted programs left of every app: a switch that was not confirmed is switched back, a removal goes
    /// on. An app whose mutation is under way is left alone.
    ///
    /// # Errors
    ///
    /// Those of the records. What cannot be settled of an app is among the results, and keeps no other app from being
    /// settled: an error of its link, or `residue` where a release cannot be taken down.
    pub fn recover(root: &Root, author: &Author, dry: bool) -> Result<Vec<Result<Settled>>> {
        let Some(records) = Records::open(root)? else { return Ok(Vec::new()) };
        let (_, ledgers) = Releases::open(root, "default")?.ledgers()?;
        let open = ledgers
            .apps
            .iter()
            .filter(|(_, app_ledger)| app_ledger.pending.is_some() || !app_ledger.removing.is_empty());
        let author = match author.reason() {
            Some(_) => author.clone(),
            None => author.because(REASON),
        };
        let mut settled = Vec::new();
        for name in open.map(|(name, _)| name) {
            let app = Releases::open(root, name)?.author(author.clone()).dry_run(dry);
            app.settle(&records, &mut settled);
        }
        Ok(settled)
    }

    /// What cannot be settled of one app keeps no other from it, and its switch does not keep its removals from it.
    fn settle(&self, records: &Records, settled: &mut Vec<Result<Settled>>) {
        let named = |error: Error| if error.link().is_some() { error } else { error.on("recover the app", &self.name) };
        let mut session = match Session::begin_settling(self, records) {
            Ok(Some(session)) => session,
            Ok(None) => return,
            Err(error) => return settled.push(Err(named(error))),
        };
        match session.settle_pending() {
            Ok(pending) => settled.extend(pending.into_iter().map(Ok)),
            Err(error) => settled.push(Err(named(error))),
        }
        settled.extend(session.settle_removals().into_iter().map(|removal| removal.map_err(named)));
    }
}

impl Releases {
    /// Takes the directories of the releases of every app as they are now for those that were entered: the root was moved
    /// or restored on purpose.
    ///
    /// # Errors
    ///
    /// Those of the records; `busy` where a mutation of an app is under way: the other apps are rebound all the same.
    pub fn rebind(root: &Root, author: &Author) -> Result<()> {
        let Some(records) = Records::open(root)? else { return Ok(()) };
        let (_, ledgers) = Releases::open(root, "default")?.ledgers()?;
        // One that cannot be rebound keeps no other from it.
        let each =
            ledgers.apps.keys().map(|name| Releases::open(root, name)?.author(author.clone()).rebind_app(&records));
        let each: Vec<Result<()>> = each.collect();
        each.into_iter().collect()
    }

    fn rebind_app(&self, records: &Records) -> Result<()> {
        let name = &self.name;
        let busy = || Error::new(Kind::Busy).during("rebind").because(format!("the app `{name}` is being changed"));
        let mut session = Session::begin_settling(self, records)?.ok_or_else(busy)?;
        let sight = session.look_at_all()?;
        let held = session.app_ledger().releases;
        let directories: BTreeMap<String, String> = held
            .iter()
            .filter(|held| held.state() != ReleaseState::Removed)
            .filter_map(|held| match sight.dirs.get(&held.name) {
                Some(ReleaseDir::Dir(id)) => Some((held.name.clone(), id.as_str().to_owned())),
                _ => None,
            })
            .collect();
        session.tell(Event::Rebound { directories })
    }
}

impl Session<'_> {
    /// Settles a switch that nothing confirmed.
    pub(super) fn settle_pending(&mut self) -> Result<Vec<Settled>> {
        let Some(pending) = self.app_ledger().pending else { return Ok(Vec::new()) };
        let name = pending.release.clone();
        let ledger = self.ledger();
        let sight = self.look_at(&[&name])?;
        let settled = |how, outcome| Settled { app: self.app.name.clone(), release: name.clone(), how, outcome };
        let leads_there = sight.pointed() == Some(&*name);
        let is_there = ledger.entered(&name).is_some_and(|held| sight.is_present(held));
        let failed = pending.by == super::noted::By::Deploy;
        let settled = match settle(&ledger, &sight) {
            _ if leads_there && is_there && !pending.checked => {
                let settled = settled(Settlement::Confirmed, None);
                let mut events = vec![Event::Confirmed { release: name }];
                let left = pending.marks_bad().map(str::to_owned);
                events.extend(left.map(|release| Event::Marked { release, bad: true }));
                self.tell_all(events, None, &[])?;
                settled
            }
            Settling::Nothing => {
                let settled = settled(Settlement::Left, None);
                self.tell(Event::Withdrawn { release: name, failed })?;
                settled
            }
            // What is gone or replaced since is still led to by the text that was made.
            settling => {
                let outcome = self.switch_back(&name, failed)?;
                let is_left = outcome.is_none() && settling == Settling::Leave;
                settled(if is_left { Settlement::Left } else { Settlement::SwitchedBack }, outcome)
            }
        };
        self.app.progress.step(&Step::Recovered(&settled));
        Ok(vec![settled])
    }
}
