//! What the executor said of a run: one edit, or several.

use std::path::PathBuf;

use caplink::{Error, Outcome};

use crate::scene::Scenario;

/// What each edit came to.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// Each with the number of the link that it is about; none for a link that the scenario does not know.
    pub(crate) outcomes: Vec<(Option<usize>, Outcome)>,
    pub(crate) errors: Vec<Error>,
}

/// Names that are reported.
#[derive(Debug, Default)]
pub(crate) struct Reported {
    pub(crate) left: Vec<PathBuf>,
    pub(crate) preserved: Vec<PathBuf>,
    pub(crate) made: Vec<PathBuf>,
    pub(crate) backups: Vec<PathBuf>,
}

impl Answers {
    pub(crate) fn add(&mut self, scenario: Scenario, result: Result<Outcome, Error>) {
        match result {
            Ok(outcome) => {
                let path = outcome.link.to_string();
                self.outcomes.push((scenario.links().iter().position(|link| *link == path), outcome));
            }
            Err(error) => self.errors.push(error),
        }
    }

    /// The change of a link, if it was made.
    pub(crate) fn changed(&self, index: usize) -> Option<&Outcome> {
        let outcomes = self.outcomes.iter().filter(|(at, _)| *at == Some(index)).map(|(_, outcome)| outcome);
        outcomes.into_iter().find(|outcome| outcome.effect.is_change())
    }

    pub(crate) fn reported(&self) -> Reported {
        let mut names = Reported::default();
        let outcomes = || self.outcomes.iter().map(|(_, outcome)| outcome);
        for error in outcomes().flat_map(|outcome| &outcome.shortfalls).chain(&self.errors) {
            names.left.extend_from_slice(error.left());
            names.preserved.extend_from_slice(error.preserved());
            names.made.extend_from_slice(error.made());
        }
        for outcome in outcomes() {
            names.made.extend_from_slice(&outcome.made);
            names.backups.extend(outcome.backup.clone());
        }
        names
    }

    /// In a few words.
    pub(crate) fn in_words(&self) -> String {
        let outcomes = self.outcomes.iter().map(|(_, outcome)| outcome.effect.as_str().to_owned());
        let errors = self.errors.iter();
        let errors = errors.map(|e| format!("{} left {:?} preserved {:?}", e.kind(), e.left(), e.preserved()));
        outcomes.chain(errors).collect::<Vec<_>>().join(", ")
    }
}
