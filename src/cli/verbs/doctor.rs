//! `caplink doctor`: what this host and file system can give here, and what interrupted work left behind.
//!
//! What can only be known by trying is tried with two links that are taken back at once; a dry run tries nothing.

use std::collections::BTreeMap;
use std::fmt;

use caplink::watch::Hints;
use caplink::wire::Text;
use caplink::{Abilities, Enforcement, Error, Kind, Root, StateCheck, Trial};
use clap::Args;
use serde::Serialize;

use super::leftovers::{self, Leftovers};
use crate::cli::context::Context;
use crate::cli::report::Report;
use crate::cli::text::{BAD, DIM, GOOD, Painted};

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink doctor
  caplink -C /srv/app doctor --state /var/lib/app/caplink";

/// Show what this host and file system can give
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Doctor {}

impl Doctor {
    #[expect(clippy::unused_self, reason = "every verb is run the same way")]
    pub(crate) fn run(&self, context: &Context) -> Report {
        let mut report = Report::new("doctor", context);
        let Some(root) = report.opened(context.look_with_state()) else { return report };
        // What is tried is tried as an edit is carried out.
        let trial = match context.confined(&root) {
            Ok(_) if context.global.dry_run => None,
            Ok(confined) => Some(confined.try_out()),
            Err(error) => Some(Err(error)),
        };
        match &trial {
            Some(Err(error)) if error.operation() == "confine" => report.root_error(error),
            Some(Err(error)) if matches!(error.kind(), Kind::Residue | Kind::RootGone) => report.error(error),
            _ => {}
        }
        let leftovers = leftovers(&leftovers::find(&root, context.state().as_deref()));
        let findings: Vec<Finding> = findings(&root, trial.as_ref()).into_iter().chain([leftovers]).collect();
        let values: BTreeMap<&str, &Value> = findings.iter().map(|finding| (finding.name, &finding.value)).collect();
        report.own(&values);
        findings.iter().for_each(|finding| report.answer(finding));
        report
    }
}

/// One thing that this host gives or not.
#[derive(Serialize)]
struct Finding {
    name: &'static str,
    value: Value,
    detail: String,
    #[serde(skip)]
    good: bool,
}

/// Whether, or what.
#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    Flag(bool),
    Word(String),
    Names(Vec<Text>),
}

fn findings(root: &Root, trial: Option<&Result<Trial, Error>>) -> Vec<Finding> {
    let abilities = root.abilities();
    let tried = match trial {
        Some(Ok(trial)) => Some(trial),
        _ => None,
    };
    let exchange = tried.map_or(abilities.exchange, |trial| trial.exchange);
    let no_replace = tried.map_or(abilities.no_replace, |trial| trial.no_replace);
    let source = match trial {
        Some(Ok(_)) => "tried here".to_owned(),
        Some(Err(error)) => format!("not tried: {}", error.kind()),
        None => "not tried in a dry run".to_owned(),
    };
    let atomic = exchange && no_replace;
    vec![
        confined_open(abilities),
        able("exchange", exchange, &source, "replacing renames over, under a lock"),
        able("no_replace", no_replace, &source, "a removal is checked under a lock"),
        landlock(root),
        durability(tried, &source),
        state(root),
        hints(),
        match (trial, atomic) {
            (Some(Err(_)), _) => unknown("guarantee", source),
            (_, true) => word("guarantee", "atomic", "against every other writer", true),
            (_, false) => word("guarantee", "cooperative", "among users of caplink only", false),
        },
    ]
}

fn word(name: &'static str, value: &str, detail: &str, good: bool) -> Finding {
    Finding { name, value: Value::Word(value.to_owned()), detail: detail.to_owned(), good }
}

fn unknown(name: &'static str, why: String) -> Finding {
    Finding { name, value: Value::Word("unknown".to_owned()), detail: why, good: false }
}

fn able(name: &'static str, able: bool, source: &str, without: &str) -> Finding {
    let detail = if able { source } else { without };
    Finding { name, value: Value::Flag(able), detail: detail.to_owned(), good: able }
}

/// What `watch` has here. Where the kernel gives no hints it looks at everything each interval, and nothing else.
fn hints() -> Finding {
    match Hints::of_this_host() {
        Hints::Inotify { watches } => {
            let most = watches.map_or(String::new(), |most| format!(", at most {most} directories for this user"));
            word("watching", "inotify", &format!("changes are seen at once{most}"), true)
        }
        _ => word("watching", "looks", "changes are seen when everything is looked at, each `--interval`", false),
    }
}

fn confined_open(abilities: Abilities) -> Finding {
    able("openat2", abilities.confined_open, "the kernel confines every lookup", "lookups walk name by name instead")
}

fn landlock(root: &Root) -> Finding {
    let (value, detail, good) = match root.confined(Enforcement::Require) {
        Ok(root) => (root.confinement().to_string(), "the kernel holds changes to the root".to_owned(), true),
        Err(error) => ("none".to_owned(), error.to_string(), false),
    };
    Finding { name: "landlock", value: Value::Word(value), detail, good }
}

fn durability(trial: Option<&Trial>, source: &str) -> Finding {
    let levels = trial.map_or_else(Vec::new, |trial| vec![("dir", trial.sync_dir), ("fs", trial.sync_file_system)]);
    let given: Vec<&str> = levels.iter().filter(|(_, given)| *given).map(|(level, _)| *level).collect();
    let (value, good) = match (trial, given.is_empty()) {
        (None, _) => ("unknown".to_owned(), true),
        (Some(_), true) => ("none".to_owned(), false),
        (Some(_), false) => (given.join(","), given.len() == levels.len()),
    };
    Finding { name: "durability", value: Value::Word(value), detail: source.to_owned(), good }
}

fn leftovers(found: &Leftovers) -> Finding {
    let detail = match (found.names.is_empty(), found.complete) {
        (true, true) => "no interrupted work in the root or the state directory",
        (false, _) => "`caplink repair --remove-leftovers` removes what is proven to be caplink's own",
        (true, false) => "not everything could be looked at",
    };
    let names = found.names.iter().map(Text::new).collect();
    Finding {
        name: "leftovers",
        value: Value::Names(names),
        detail: detail.to_owned(),
        good: found.names.is_empty() && found.complete,
    }
}

fn state(root: &Root) -> Finding {
    let state = root.check_state();
    let (detail, good) = match state {
        StateCheck::Private => ("only the caller can enter it", true),
        StateCheck::Absent => ("it is made when it is needed", true),
        _ => ("others can enter it: an edit that needs it is refused", false),
    };
    word("state", state.as_str(), detail, good)
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colour = if self.good { GOOD } else { BAD };
        let value = match &self.value {
            Value::Flag(true) => "yes".to_owned(),
            Value::Flag(false) => "no".to_owned(),
            Value::Word(word) => word.clone(),
            Value::Names(names) if names.is_empty() => "none".to_owned(),
            Value::Names(names) => names.iter().map(|name| format!("{name} ")).collect(),
        };
        write!(f, "{:<12}{} ", self.name, Painted(colour, format_args!("{value:<12}")))?;
        writeln!(f, "{}", Painted(DIM, &self.detail))
    }
}
