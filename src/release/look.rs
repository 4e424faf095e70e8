//! Looking at an app: it takes no lock and writes nothing.

use std::collections::BTreeMap;

use super::app::Releases;
use super::app_ledger::time;
use super::in_use;
use super::sight::{look_at, look_at_all};
use super::view::{AppView, ReleaseView};
use crate::error::Result;
use crate::plan::{ReleaseDir, ReleaseState, alarm};
use crate::root::Root;

impl Releases {
    /// Returns the names of the apps that the ledger of a root knows.
    ///
    /// # Errors
    ///
    /// Those of opening the records.
    pub fn apps(root: &Root) -> Result<Vec<String>> {
        let (_, ledgers) = Releases::open(root, "default")?.ledgers()?;
        Ok(ledgers.apps.into_keys().collect())
    }

    /// Looks at the app: takes no lock, writes nothing, and looks at no release but the one that the link leads to.
    ///
    /// # Errors
    ///
    /// `usage` where another layout was set than the ledger knows; those of opening the records and of the link's path.
    pub fn look(&self) -> Result<AppView> {
        let (_, mut ledgers) = self.ledgers()?;
        let app_ledger = ledgers.apps.remove(&self.name).unwrap_or_default();
        let layout = self.layout(app_ledger.layout.as_ref())?;
        let active = app_ledger.active();
        let names: Vec<&str> = active.iter().map(|held| held.name.as_str()).collect();
        let sight = look_at(&self.root, &layout, &names)?;
        let release = sight.pointed().map(str::to_owned);
        let mut counts = BTreeMap::new();
        for held in &app_ledger.releases {
            *counts.entry(held.state()).or_insert(0) += 1;
        }
        Ok(AppView {
            app: self.name.clone(),
            releases: layout.releases.clone(),
            target: sight.text().cloned(),
            view: release.as_deref().map(|name| ReleaseView::named(&self.name, name, &app_ledger, &sight)),
            active: active.map(|held| held.name.clone()),
            since: active.and_then(|held| held.activated).map(time),
            alarm: alarm(&app_ledger.ledger(), &sight),
            counts,
            release,
            link: layout.current,
        })
    }

    /// Returns every release, in the order in which they were entered, then the directories that are not entered.
    ///
    /// # Errors
    ///
    /// Those of [`look`](Releases::look).
    pub fn list(&self) -> Result<Vec<ReleaseView>> {
        let (_, mut ledgers) = self.ledgers()?;
        let app_ledger = ledgers.apps.remove(&self.name).unwrap_or_default();
        let layout = self.layout(app_ledger.layout.as_ref())?;
        let sight = look_at_all(&self.root, &layout)?;
        let mut views: Vec<ReleaseView> =
            app_ledger.releases.iter().map(|held| ReleaseView::of(&self.name, held, &sight)).collect();
        let is_unknown = |name: &&String| {
            let dir = matches!(sight.dirs.get(*name), Some(ReleaseDir::Dir(_)));
            dir && app_ledger.held(name).is_none_or(|held| held.state() == ReleaseState::Removed)
        };
        for name in sight.dirs.keys().filter(is_unknown) {
            views.retain(|view| view.release != *name);
            views.push(ReleaseView::not_entered(&self.name, name, &sight));
        }
        let survey = in_use::survey(&self.root, &layout)?;
        for view in views.iter_mut().filter(|view| view.present) {
            view.in_use = Some(survey.of(&self.root, &layout, &view.release)?);
        }
        Ok(views)
    }
}
