//! Judging what stands over links.
//!
//! Apps and entries are judged as a whole, after a look at everything and after something that may concern them, but not all
//! the time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::event::What;
use super::gauges::AppGauges;
use super::seen::{Sight, sight};
use super::standing::{Judge, Judged};
use super::stream::Watch;
use super::ways::ways;
use crate::error::Result;
use crate::release::Releases;
use crate::root::Root;

/// How long at least passes between two judgements, and in multiples of the time that the last one took.
const AGAIN: Duration = Duration::from_millis(100);
const AGAIN_TIMES: u32 = 4;

impl Watch {
    /// Has the entries of a manifest judged too, from now on; `None` has it end.
    pub fn judge_entries(&mut self, judge: Option<Judge>) {
        self.standing.judge = judge;
        self.standing.due = true;
    }

    /// Watches the log, so that it is known when the records say something else.
    pub(super) fn watch_state(&mut self) {
        self.standing.due = true;
        let Some(notify) = &self.notify else { return };
        let state = self.root.state().open_there(self.root.calls()).ok().flatten();
        self.standing.state = state.and_then(|state| notify.add(&state.dir, true).ok());
    }

    /// Judges the apps and the entries.
    pub(super) fn judge(&mut self) {
        let started = Instant::now();
        let begun = self.watches().begun();
        self.standing.due = false;
        self.judge_apps();
        self.judge_manifest();
        self.find_ways();
        // What was watched only after it was judged can have changed between.
        self.standing.due |= self.watch_standing().is_some_and(|since| since > begun);
        let took = started.elapsed();
        self.standing.not_before = Some(Instant::now() + AGAIN.max(took * AGAIN_TIMES));
    }

    fn judge_apps(&mut self) {
        // What is wrong with the records is told by whoever needs them.
        let Ok(views) = views(&self.root) else { return };
        let mut before = std::mem::take(&mut self.standing.apps);
        for (gauges, link) in &views {
            let (app, now) = (gauges.app.clone(), gauges.alarm);
            let was = before.remove(&app).and_then(|(_, alarm)| alarm);
            if was != now {
                self.ready.push_back(What::Alarm { app: app.clone(), link: link.clone(), was, now });
            }
            self.standing.apps.insert(app, (link.clone(), now));
        }
        for (app, (link, was)) in before.into_iter().filter(|(_, (_, was))| was.is_some()) {
            self.ready.push_back(What::Alarm { app, link, was, now: None });
        }
        self.standing.app_gauges = views.into_iter().map(|(gauges, _)| gauges).collect();
    }

    fn judge_manifest(&mut self) {
        let root = &self.asked.0;
        let judged = match self.standing.judge.as_mut().map(|judge| judge(root)) {
            Some(Ok(judged)) => judged,
            // A manifest that cannot be read says nothing of its entries.
            Some(Err(_)) => return,
            None => Judged::default(),
        };
        let gauges = self.standing.judge.is_some().then(|| judged.gauges());
        self.standing.manifest_gauges = gauges.into_iter().collect();
        let name = std::mem::replace(&mut self.standing.manifest, judged.manifest.clone());
        let before = std::mem::take(&mut self.standing.entries);
        let now: BTreeMap<PathBuf, &'static str> = judged.entries.into_iter().collect();
        let is_fine = |status: Option<&'static str>| matches!(status, Some("ok" | "skipped"));
        let mut tell = |manifest: &str, link: &Path, was: Option<&'static str>, now: Option<&'static str>| {
            // One that is as it is to be when it is judged first is nothing to tell.
            if was != now && !(was.is_none() && is_fine(now)) {
                let manifest = manifest.to_owned();
                self.ready.push_back(What::Entry { manifest, link: link.to_path_buf(), was, now });
            }
        };
        for (link, was) in &before {
            tell(&name, link, Some(was), now.get(link).copied());
        }
        for (link, status) in now.iter().filter(|(link, _)| !before.contains_key(*link)) {
            tell(&judged.manifest, link, None, Some(status));
        }
        self.standing.entries = now;
    }

    /// Finds what hangs on, where these links lead. Those in the watched directory are looked at as any other link.
    fn find_ways(&mut self) {
        let beside = self.standing.links().filter(|link| !link.starts_with(&self.place));
        let found = beside.filter_map(|link| match sight(&self.root, link) {
            Sight::Link(finding) => Some(ways(&self.root, &finding)),
            Sight::Gone | Sight::Denied | Sight::Unknown => None,
        });
        self.standing.ways = found.flatten().collect();
    }

    /// Keeps what these links need watched through a round. Returns the number of the last of these watches to begin.
    pub(super) fn watch_standing(&self) -> Option<u64> {
        let ways = self.standing.ways.iter().map(|way| &**way);
        self.standing.links().chain(ways).filter_map(|path| self.watch_way(path)).max()
    }
}

/// Every app that the records know, with its link.
fn views(root: &Root) -> Result<Vec<(AppGauges, PathBuf)>> {
    let view = |app: String| {
        let view = Releases::open(root, &app)?.look()?;
        Ok((AppGauges::from(&view), view.link.as_path().to_path_buf()))
    };
    Releases::apps(root)?.into_iter().map(view).collect()
}
