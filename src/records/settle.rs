//! Changes of which the log knows no result: the program was stopped in between, and the disk tells.

use std::path::Path;

use super::entry::{Body, Ended, Intent, Run};
use super::log::Log;
use super::recovered::Recovered;
use super::state::Pending;
use super::store::Records;
use crate::error::{Kind, Result};
use crate::root::Root;
use crate::sys;
use crate::wire::Text;

/// This process, as an intent names it.
pub(super) fn this_run() -> Run {
    let process = std::process::id();
    Run(process, sys::process_start(process).unwrap_or(0))
}

/// Whether the process still runs; one that cannot be told from others counts as stopped.
fn is_running(run: Run, this: Run) -> bool {
    run == this || run.1 != 0 && sys::process_start(run.0) == Some(run.1)
}

/// Whether a process has ended, for sure.
pub(super) fn has_ended(run: Run) -> bool {
    run.1 != 0 && sys::process_start(run.0) != Some(run.1)
}

impl Records {
    /// Settles every change of which the log knows no result, though the program that made it has ended.
    ///
    /// # Errors
    ///
    /// Those of opening and writing the log: `integrity`, `busy`, `no_space`, `permission`, `io`.
    pub fn recover(&self) -> Result<Vec<Recovered>> {
        let mut recovered = Vec::new();
        self.append(|log| {
            let (bodies, found) = unsettled(self.root(), log, &|_| true);
            recovered = found;
            Ok(bodies)
        })?;
        recovered.extend(self.settle_all_groups()?);
        Ok(recovered)
    }

    /// Settles one group if it was interrupted, and its program has ended.
    ///
    /// # Errors
    ///
    /// `partial` where the system kept it from being settled; those of [`recover`](Records::recover).
    pub fn recover_group(&self, group: &str) -> Result<Vec<Recovered>> {
        self.settle_group(group)
    }

    /// Returns what [`recover`](Records::recover) would settle.
    ///
    /// # Errors
    ///
    /// `integrity`, `io`.
    pub fn recoverable(&self) -> Result<Vec<Recovered>> {
        let mut recovered = {
            let mut log = self.log();
            log.refresh()?;
            unsettled(self.root(), &log, &|_| true).1
        };
        recovered.extend(self.recoverable_groups()?);
        Ok(recovered)
    }
}

/// The results of intents that ended programs left, as the disk tells, and are wanted. Those of groups are left to those.
pub(super) fn unsettled(root: &Root, log: &Log, wanted: &dyn Fn(&Intent) -> bool) -> (Vec<Body>, Vec<Recovered>) {
    let this = this_run();
    let mut bodies = Vec::new();
    let mut recovered = Vec::new();
    for (seq, opened) in &log.state.open {
        let Pending::Intent(intent) = &opened.what else { continue };
        if intent.group.is_some() || !wanted(intent) || is_running(intent.run, this) {
            continue;
        }
        // What cannot be looked at stays open.
        let Ok(outcome) = outcome(root, intent) else { continue };
        let kind = (outcome == "failed").then(|| Kind::Partial.as_str().to_owned());
        let ended = Ended { of: *seq, outcome: outcome.to_owned(), kind, settled: true, ..Ended::default() };
        bodies.push(Body::Result(Box::new(ended)));
        recovered.push(Recovered {
            seq: *seq,
            link: intent.link.clone(),
            target: intent.target.clone(),
            previous: intent.previous.clone(),
            outcome: outcome.to_owned(),
            kind: (outcome == "failed").then_some(Kind::Partial),
            group: None,
            error: None,
            changed: false,
        });
    }
    (bodies, recovered)
}

impl Intent {
    /// Every path that it is about.
    pub(super) fn all_names(&self) -> impl Iterator<Item = &Text> {
        [Some(&self.link), self.other.as_ref(), self.at.as_ref()].into_iter().flatten()
    }
}

/// What the disk says became of an intent.
fn outcome<'a>(root: &Root, intent: &'a Intent) -> Result<&'a str> {
    let now = text(root, intent.at.as_ref().unwrap_or(&intent.link).as_path())?;
    Ok(if now == intent.target {
        &intent.will
    } else if now == intent.previous {
        "failed"
    } else {
        "unknown"
    })
}

/// The text of the link; `None` if there is no link.
pub(super) fn text(root: &Root, link: &Path) -> Result<Option<Text>> {
    match root.read_link(link) {
        Ok(text) => Ok(Some(Text::new(text))),
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::NotALink) => Ok(None),
        Err(error) => Err(error),
    }
}
