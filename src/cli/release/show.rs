//! Items of releases, as they stand in a document and as people see them.

use std::collections::BTreeMap;
use std::fmt;

use caplink::manage::{AppView, CheckReport, Pruned, ReleaseView, Settled, Times, Used};
use caplink::records::Time;
use caplink::wire::Text;
use caplink::{Effect, Outcome};
use serde::Serialize;

use crate::cli::text::{BAD, DIM, GOOD, NAME, Painted};
use crate::cli::verbs::change;

/// A link of an app: its own, or one in a release.
#[derive(Serialize)]
pub(crate) struct LinkItem<'a> {
    #[serde(flatten)]
    pub(crate) outcome: &'a Outcome,
    pub(crate) app: &'a str,
    pub(crate) release: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous_release: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) checks: Option<&'a [CheckReport]>,
}

impl fmt::Display for LinkItem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        change::Shown(self.outcome).fmt(f)
    }
}

/// A release with what became of it now.
#[derive(Serialize)]
pub(crate) struct Listed<'a> {
    #[serde(flatten)]
    pub(crate) view: &'a ReleaseView,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<&'static str>,
    #[serde(skip)]
    pub(crate) dry: bool,
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let view = self.view;
        write!(f, "{}: ", Painted(NAME, caplink::printable(&*view.release)))?;
        if let Some(outcome) = self.outcome {
            let is_change = outcome != "unchanged" && outcome != "skipped";
            let would = if self.dry && is_change { "would be " } else { "" };
            let colour = if is_change { GOOD } else { DIM };
            return match (&view.reason, outcome) {
                (Some(reason), _) => writeln!(f, "{}", Painted(DIM, format_args!("kept ({reason})"))),
                _ => writeln!(f, "{}", Painted(colour, format_args!("{would}{outcome}"))),
            };
        }
        let state = view.state.map_or("unknown", |state| state.as_str());
        write!(f, "{state}")?;
        let notes = [
            (view.active, "current"),
            (view.bad, "bad"),
            (view.pinned, "pinned"),
            (view.confirmed, "confirmed"),
            (!view.present && state != "removed", "not there"),
            (matches!(&view.in_use, Some(Used::By(users)) if !users.is_empty()), "in use"),
        ];
        for (_, note) in notes.iter().filter(|(holds, _)| *holds) {
            write!(f, ", {}", if *note == "bad" { Painted(BAD, *note) } else { Painted(DIM, *note) })?;
        }
        if let Some(since) = latest(&view.times) {
            write!(f, ", {}", Painted(DIM, since))?;
        }
        writeln!(f)
    }
}

fn latest(times: &Times) -> Option<Time> {
    [times.entered, times.activated, times.superseded, times.removed].into_iter().flatten().max()
}

/// A release that was removed or kept.
pub(crate) struct Gone;

impl Gone {
    pub(crate) fn item(pruned: &Pruned, dry: bool) -> Listed<'_> {
        Listed { view: &pruned.view, outcome: Some(if pruned.removed { "pruned" } else { "skipped" }), dry }
    }
}

/// What became of something that an interrupted program left.
#[derive(Serialize)]
pub(crate) struct SettledItem<'a> {
    app: &'a str,
    release: &'a str,
    settled: &'static str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Option<Text>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<Option<Text>>,
}

impl<'a> SettledItem<'a> {
    pub(crate) fn of(settled: &'a Settled) -> SettledItem<'a> {
        let link = settled.outcome.as_ref();
        let text = |text: &Option<std::ffi::OsString>| text.as_ref().map(Text::new);
        SettledItem {
            app: &settled.app,
            release: &settled.release,
            settled: settled.how.as_str(),
            outcome: match (link, settled.how.as_str()) {
                (Some(outcome), _) => outcome.effect.as_str(),
                (None, "removed") => "pruned",
                (None, _) => Effect::Unchanged.as_str(),
            },
            link: link.map(|outcome| Text::new(outcome.link.as_path())),
            target: link.map(|outcome| text(&outcome.target)),
            previous: link.map(|outcome| text(&outcome.previous)),
        }
    }
}

impl fmt::Display for SettledItem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.settled.replace('_', " ");
        writeln!(f, "{} (settled: {})", Painted(NAME, caplink::printable(self.release)), Painted(GOOD, what))
    }
}

/// An app at a glance.
#[derive(Serialize)]
pub(crate) struct Glance<'a> {
    app: &'a str,
    link: Text,
    target: Option<Text>,
    release: Option<&'a str>,
    state: &'static str,
    bad: bool,
    active: bool,
    pinned: bool,
    present: bool,
    confirmed: bool,
    times: Times,
    since: Option<Time>,
    alarm: Option<&'static str>,
    expected: Option<&'a str>,
    counts: BTreeMap<&'static str, u64>,
    #[serde(skip)]
    name_alone: bool,
}

impl<'a> Glance<'a> {
    pub(crate) fn of(view: &'a AppView, name_alone: bool) -> Glance<'a> {
        let release = view.view.as_ref();
        let state = release.and_then(|release| release.state);
        Glance {
            app: &view.app,
            link: Text::new(view.link.as_path()),
            target: view.target.as_ref().map(Text::new),
            release: view.release.as_deref(),
            state: state.map_or("unknown", |state| state.as_str()),
            bad: release.is_some_and(|release| release.bad),
            active: view.release.is_some(),
            pinned: release.is_some_and(|release| release.pinned),
            present: release.is_some_and(|release| release.present),
            confirmed: release.is_some_and(|release| release.confirmed),
            times: release.map(|release| release.times).unwrap_or_default(),
            // That of the ledger's active one says nothing of another.
            since: view.since.filter(|_| view.active == view.release),
            alarm: view.alarm.map(|alarm| alarm.as_str()),
            expected: view.active.as_deref(),
            counts: view.counts.iter().map(|(state, count)| (state.as_str(), *count)).collect(),
            name_alone,
        }
    }
}

impl fmt::Display for Glance<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.release.map(|release| caplink::printable(release).to_string());
        if self.name_alone {
            return name.map_or(Ok(()), |name| writeln!(f, "{name}"));
        }
        write!(f, "{}", Painted(NAME, &self.link))?;
        match &self.target {
            Some(target) => write!(f, " -> {target}")?,
            None => write!(f, ": no link")?,
        }
        if let Some(name) = name {
            write!(f, ": release {}", Painted(NAME, name))?;
        }
        match self.since {
            Some(since) => write!(f, ", {} since {since}", self.state)?,
            None if self.release.is_some() => write!(f, ", {}", self.state)?,
            None => {}
        }
        match self.alarm {
            Some(alarm) => writeln!(f, ", {}", Painted(BAD, format_args!("alarm: {alarm}"))),
            None => writeln!(f, ", {}", Painted(GOOD, "ok")),
        }
    }
}
