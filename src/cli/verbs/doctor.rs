//! `caplink doctor`: what this host and file system can give here.

use std::fmt;

use caplink::{Root, StateCheck};
use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::report::Report;
use crate::cli::text::{BAD, DIM, GOOD, Painted};

/// Show what this host and file system can give
#[derive(Debug, Args)]
pub(crate) struct Doctor {}

impl Doctor {
    #[expect(clippy::unused_self, reason = "every verb is run the same way")]
    pub(crate) fn run(&self, context: &Context) -> Report {
        let mut report = Report::new("doctor", context);
        let Some(root) = report.opened(context.look_with_state()) else { return report };
        for line in lines(&root) {
            report.answer(&line);
        }
        report
    }
}

/// One thing that this host can give or not.
#[derive(Serialize)]
struct Line {
    name: &'static str,
    value: &'static str,
    detail: &'static str,
    #[serde(skip)]
    good: bool,
}

fn lines(root: &Root) -> Vec<Line> {
    let abilities = root.abilities();
    let has = |name, able: bool, with, without| Line {
        name,
        value: if able { "yes" } else { "no" },
        detail: if able { with } else { without },
        good: able,
    };
    let state = match root.check_state() {
        StateCheck::Private => ("private", "only the caller can enter it", true),
        StateCheck::Absent => ("absent", "it is made when it is needed", true),
        _ => ("unsafe", "others can enter it; an edit that needs it is refused", false),
    };
    let atomic = abilities.exchange && abilities.no_replace;
    vec![
        has("openat2", abilities.confined_open, "the kernel confines lookups", "lookups walk component by component"),
        has("exchange", abilities.exchange, "a link is replaced in one step", "a link is renamed over under a lock"),
        has("no_replace", abilities.no_replace, "a link is moved aside safely", "a link is moved aside under a lock"),
        Line { name: "state", value: state.0, detail: state.1, good: state.2 },
        Line {
            name: "guarantee",
            value: if atomic { "atomic" } else { "cooperative" },
            detail: if atomic { "against any other writer" } else { "among users of caplink only" },
            good: atomic,
        },
    ]
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colour = if self.good { GOOD } else { BAD };
        let pad = 12_usize.saturating_sub(self.value.len());
        write!(f, "{:<12}{}{:pad$}", self.name, Painted(colour, self.value), "")?;
        writeln!(f, "{}", Painted(DIM, self.detail))
    }
}
