//! Switching the link of an app, and taking that back.

use std::ffi::OsString;
use std::path::Path;

use super::noted::{By, Event, text};
use super::progress::Step;
use super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::model::change::NewLink;
use crate::model::{Edit, Effect, Outcome, Target};
use crate::plan::{Occupant, ReleaseSight, Switching};

impl Session<'_> {
    /// Makes the link lead to a release, and checks that it does. What was told of it waits for its confirmation.
    ///
    /// After an error the link leads where it led before; after `partial` that is what `recover` does.
    pub(super) fn activate(
        &mut self,
        name: &str,
        sight: &ReleaseSight,
        switching: &Switching,
        (by, checked): (By, bool),
    ) -> Result<Outcome> {
        let displaced = sight.text().cloned();
        self.tell(Event::Activating { release: name.to_owned(), displaced: text(&displaced), by, checked })?;
        let current = self.layout.current.clone();
        let edited = match switching {
            Switching::Create => self.edit(Edit::create(current, self.target(name, None))),
            Switching::Replace { expected } => {
                self.edit(Edit::swap(current, self.target(name, Some(expected)), expected))
            }
            Switching::Enter | Switching::Unchanged => {
                Ok(Outcome { target: displaced.clone(), ..Outcome::of(current, Effect::Unchanged) })
            }
        };
        let outcome = match edited {
            Ok(outcome) => outcome,
            // The link may lead to the release, which nothing checked: the ledger must not forget that.
            Err(error) if error.is_changed() => {
                self.switch_back(name, false)?;
                return Err(error);
            }
            Err(error) => {
                self.tell(Event::Withdrawn { release: name.to_owned(), failed: false })?;
                return Err(error);
            }
        };
        self.app.progress.step(&Step::Linked(&outcome));
        if !self.app.dry {
            // The release may have been replaced, or pruned by a person, after it was looked at.
            let now = self.look_at(&[name]);
            let ledger = self.ledger();
            let leads_there = now.as_ref().is_ok_and(|now| {
                now.pointed() == Some(name) && ledger.entered(name).is_some_and(|held| now.is_present(held))
            });
            if !leads_there {
                let refused = Error::new(Kind::ReplacedRelease).on("switch", name);
                return Err(match self.switch_back(name, false) {
                    Ok(_) => refused,
                    Err(error) => error,
                });
            }
        }
        Ok(outcome)
    }

    /// The target of the link, in the style of the text that it has.
    fn target(&self, name: &str, now: Option<&OsString>) -> Target {
        let path = self.layout.path(name).into_os_string();
        let absolute = now.is_some_and(|text| Path::new(text).is_absolute()) && self.app.root.text_root().is_some();
        if absolute { Target::absolute(path) } else { Target::relative(path) }
    }

    /// Gives the link the text that it had before the switch that waits for its confirmation, and tells so. Where others
    /// changed it since it is left. Returns what became of the link.
    pub(super) fn switch_back(&mut self, name: &str, failed: bool) -> Result<Option<Outcome>> {
        let displaced = self.displaced();
        let sight = self.look_at(&[]).map_err(|error| partial(name, &error))?;
        let withdrawn = Event::Withdrawn { release: name.to_owned(), failed };
        let now = match &sight.current {
            // What was made and is dangling by now leads to the release by its text.
            Occupant::Link { text, .. } if sight.pointed() == Some(name) || self.is_own(name, text, &displaced) => text,
            _ => {
                self.tell(withdrawn)?;
                return Ok(None);
            }
        };
        let current = self.layout.current.clone();
        let edited = match displaced {
            Some(displaced) if displaced == *now => Ok(None),
            Some(displaced) => {
                let link = NewLink::new(Target::verbatim(displaced)).allow_dangling(true).allow_outside(true);
                self.edit(Edit::swap(current, link, now)).map(Some)
            }
            None => self.edit(Edit::remove(current).expect(now)).map(Some),
        };
        let outcome = match edited {
            Ok(outcome) => outcome,
            // Others were faster, and it is theirs.
            Err(error)
                if matches!(error.kind(), Kind::Mismatch | Kind::NotFound | Kind::NotALink) && !error.is_changed() =>
            {
                None
            }
            Err(error) => return Err(partial(name, &error)),
        };
        self.tell(withdrawn)?;
        if let Some(outcome) = &outcome {
            self.app.progress.step(&Step::SwitchedBack(outcome));
        }
        Ok(outcome)
    }

    /// The text that the link had before the switch that waits.
    pub(super) fn displaced(&self) -> Option<OsString> {
        self.ledger().activations.pop().and_then(|last| last.displaced)
    }

    /// Whether a text is the one that this program stores for a release.
    fn is_own(&self, name: &str, text: &OsString, displaced: &Option<OsString>) -> bool {
        let edit = Edit::ensure(self.layout.current.clone(), self.target(name, displaced.as_ref()));
        let foreseen = self.app.root.preview(&edit.allow_dangling(true).allow_outside(true));
        foreseen.is_ok_and(|outcome| outcome.target.as_ref() == Some(text))
    }
}

/// The error of a switch that stays open: what the link leads to is settled later.
fn partial(name: &str, error: &Error) -> Error {
    let reason = format!("it could not be switched back: {error}; `recover` does it");
    Error::new(Kind::Partial).on("switch back", name).because(reason)
}
