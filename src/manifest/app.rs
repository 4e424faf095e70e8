//! `[release.NAME]`: an app with its releases, what is checked and run around a switch, and what its releases share.

use std::path::PathBuf;
use std::time::Duration;

use super::document::{Key, Table, Value};
use super::entries::Entries;
use super::settings::KINDS;
use crate::model::LinkPath;
use crate::plan::{Position, TargetKind};

/// How long a check may take where nothing is said.
const CHECK_TIMEOUT: Duration = Duration::from_secs(30);

/// How long is waited between two tries of a check where nothing is said.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

const KEYS: &[&str] = &[
    "current",
    "releases",
    "keep",
    "grace",
    "check_before",
    "check_after",
    "check_timeout",
    "after_switch",
    "check_retries",
    "check_interval",
    "shared",
];

/// What a manifest says about an app.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct App {
    /// The link to the active release; none: `current`, or what the ledger knows.
    pub current: Option<LinkPath>,
    /// The directory of the releases, empty for the root; none: `releases`, or what the ledger knows.
    pub releases: Option<PathBuf>,
    /// How many confirmed good releases are kept; none: nothing is pruned after a deploy.
    pub keep: Option<u32>,
    /// How long a release is left alone after it changed its state.
    pub grace: Option<Duration>,
    /// Programs with their arguments that have to succeed before the switch.
    pub check_before: Vec<Vec<String>>,
    /// Programs with their arguments that have to succeed after the switch.
    pub check_after: Vec<Vec<String>>,
    /// Programs with their arguments that are run after the switch, before it is checked.
    pub after_switch: Vec<Vec<String>>,
    /// How long each of them may take, each time.
    pub check_timeout: Duration,
    /// How often `check_after` is tried again.
    pub check_retries: u32,
    /// How long is waited before each new try.
    pub check_interval: Duration,
    /// Links that each release gets.
    pub shared: Vec<SharedLink>,
    /// Where it is declared.
    pub at: Position,
}

/// A link that each release gets when it is entered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SharedLink {
    /// The link, below the release.
    pub at: LinkPath,
    /// Where it leads, below the root; empty for the root itself.
    pub to: PathBuf,
    /// What has to be there; a missing directory that is asked for is made.
    pub kind: TargetKind,
    /// What becomes of something that the release brought at this name.
    pub seed: Seed,
    /// Where it is declared.
    pub declared: Position,
}

/// What becomes of something that a release brought where a shared link goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Seed {
    /// It is a conflict.
    #[default]
    Refuse,
    /// It is renamed beside.
    Aside,
    /// It becomes what is shared if nothing is there yet, else it is renamed beside.
    Move,
}

impl Seed {
    /// Returns the word that a manifest has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Seed::Refuse => "refuse",
            Seed::Aside => "aside",
            Seed::Move => "move",
        }
    }
}

impl App {
    /// Returns whether it runs any program.
    pub fn has_hooks(&self) -> bool {
        [&self.check_before, &self.check_after, &self.after_switch].iter().any(|hooks| !hooks.is_empty())
    }
}

/// The table of one app.
pub(super) fn app<'a>(entries: &mut Entries<'a, '_>, key: &Key<'a>, table: &Table<'a>) -> App {
    entries.reader.known(table, KEYS);
    let path = |entries: &mut Entries<'a, '_>, key: &str| {
        let value = table.get(key)?;
        Some((entries.reader.string(value, "a path below the root as a string")?, value.at()))
    };
    let current = path(entries, "current").and_then(|(text, at)| entries.link_path(&text, at));
    let releases = path(entries, "releases").and_then(|(text, at)| entries.place(&text, at));
    let reader = &mut entries.reader;
    let duration = |reader: &mut super::read::Reader<'a>, key| table.get(key).and_then(|value| reader.duration(value));
    let grace = duration(reader, "grace");
    let check_timeout = duration(reader, "check_timeout").unwrap_or(CHECK_TIMEOUT);
    let check_interval = duration(reader, "check_interval").unwrap_or(CHECK_INTERVAL);
    let keep = table.get("keep").and_then(|value| reader.number(value));
    let check_retries = table.get("check_retries").and_then(|value| reader.number(value)).unwrap_or(0);
    let mut hooks = |key| table.get(key).map(|value| programs(entries, value)).unwrap_or_default();
    let (check_before, check_after, after_switch) =
        (hooks("check_before"), hooks("check_after"), hooks("after_switch"));
    let shared = entries.reader.tables(table, "shared");
    let shared: Vec<SharedLink> = shared.into_iter().filter_map(|table| one_shared(entries, table)).collect();
    let at = entries.position(key.at);
    App {
        current,
        releases,
        keep,
        grace,
        check_before,
        check_after,
        after_switch,
        check_timeout,
        check_retries,
        check_interval,
        shared,
        at,
    }
}

/// A list of programs, each a list of itself and its arguments.
fn programs<'a>(entries: &mut Entries<'a, '_>, value: &Value<'a>) -> Vec<Vec<String>> {
    let expected = "a list of programs, each a list of itself and its arguments: `[[\"./check\", \"-v\"]]`";
    let reader = &mut entries.reader;
    let Some(items) = reader.items(value, expected) else { return Vec::new() };
    let mut programs = Vec::new();
    for item in items {
        let Some(words) = reader.strings(item, "a program and its arguments as a list of strings") else { continue };
        if words.first().is_none_or(|(program, _)| program.is_empty()) {
            reader.problems.add_expecting(item.at(), "there is no program", "its name as the first of the list");
        }
        for (_, at) in words.iter().filter(|(word, _)| word.contains('\0')) {
            reader.problems.add(*at, "no argument contains a NUL");
        }
        programs.push(words.into_iter().map(|(word, _)| word.into_owned()).collect());
    }
    programs
}

fn one_shared<'a>(entries: &mut Entries<'a, '_>, table: &Table<'a>) -> Option<SharedLink> {
    entries.reader.known(table, &["at", "to", "kind", "seed"]);
    let kind = table.get("kind").and_then(|kind| entries.reader.word(kind, KINDS)).unwrap_or_default();
    let seeds = [Seed::Refuse, Seed::Aside, Seed::Move].map(|seed| (seed.as_str(), seed));
    let seed = table.get("seed").and_then(|seed| entries.reader.word(seed, &seeds)).unwrap_or_default();
    let mut text = |key: &str| {
        let value = entries.required(table, key)?;
        Some((entries.reader.string(value, "a path as a string")?, value.at()))
    };
    let (at, to) = (text("at"), text("to"));
    let place = at.as_ref().map(|(_, at)| *at);
    let at = at.and_then(|(text, at)| entries.link_path(&text, at));
    let to = to.and_then(|(text, at)| entries.place(&text, at));
    Some(SharedLink { at: at?, to: to?, kind, seed, declared: entries.position(place?) })
}
