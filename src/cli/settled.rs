//! A change of a program that was stopped, as it is shown once it is settled.

use std::fmt;

use caplink::records::Recovered;
use caplink::wire::Text;
use serde::Serialize;

use super::text::{BAD, GOOD, NAME, Painted};

/// A change that was settled.
#[derive(Serialize)]
pub(crate) struct Settled {
    seq: u64,
    link: Text,
    target: Option<Text>,
    previous: Option<Text>,
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    group: Option<String>,
}

impl Settled {
    pub(crate) fn of(recovered: &Recovered) -> Settled {
        Settled {
            seq: recovered.seq,
            link: Text::new(&recovered.link),
            target: recovered.target.as_ref().map(Text::new),
            previous: recovered.previous.as_ref().map(Text::new),
            outcome: recovered.outcome.clone(),
            kind: recovered.kind.map(|kind| kind.as_str()),
            group: recovered.group.clone(),
        }
    }
}

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colour = if matches!(self.outcome.as_str(), "failed" | "unknown") { BAD } else { GOOD };
        write!(f, "{}", Painted(NAME, &self.link))?;
        if let Some(target) = &self.target {
            write!(f, " -> {target}")?;
        }
        write!(f, " (settled: {}", Painted(colour, &self.outcome))?;
        match self.kind {
            Some(kind) => writeln!(f, ", {kind})"),
            None => writeln!(f, ")"),
        }
    }
}
