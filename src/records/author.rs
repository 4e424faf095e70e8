//! Who makes changes and why, as it is written into the records.

use std::sync::Arc;

use super::actor::Actor;
use super::entry::Settled;
use crate::error::{Error, Kind, Result};

/// The longest reason or claim, in bytes.
const LONGEST: usize = 1024;

/// Who makes changes, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    pub(super) actor: Arc<Actor>,
    pub(super) reason: Option<String>,
}

impl Author {
    /// Takes an actor and a reason. An empty reason or claim is none.
    ///
    /// A service gives the client that it acts for as [`claimed`](Actor::claimed).
    ///
    /// # Errors
    ///
    /// `usage` where reason or claim is longer than 1024 bytes or has a control character.
    pub fn new(mut actor: Actor, reason: Option<&str>) -> Result<Author> {
        let reason = fitting("reason", reason)?;
        actor.claimed = fitting("actor", actor.claimed.as_deref())?;
        Ok(Author { actor: Arc::new(actor), reason })
    }

    /// Returns why changes are made.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The same with another reason, which is short and plain.
    #[cfg(feature = "manage")]
    pub(crate) fn because(&self, reason: &str) -> Author {
        Author { actor: Arc::clone(&self.actor), reason: Some(reason.to_owned()) }
    }

    /// These settings, as said by this author.
    pub(super) fn of(&self, settled: Settled) -> Settled {
        Settled { reason: self.reason.clone(), actor: Actor::clone(&self.actor), ..settled }
    }
}

fn fitting(what: &str, text: Option<&str>) -> Result<Option<String>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let refused = |why: &str| Error::new(Kind::Usage).during("record").because(format!("the {what} {why}"));
    if text.len() > LONGEST {
        return Err(refused("is longer than 1024 bytes"));
    }
    if text.chars().any(char::is_control) {
        return Err(refused("has a control character"));
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_short_and_has_no_control_characters() {
        let kept = |reason: &str| Author::new(Actor::default(), Some(reason)).map(|author| author.reason);
        assert_eq!(kept("ticket 7: ünder load").unwrap().as_deref(), Some("ticket 7: ünder load"));
        assert_eq!(kept("").unwrap(), None);
        assert!(kept(&"x".repeat(1024)).is_ok());
        for wrong in ["a\nb", "\u{1b}[31m", "\u{85}", &"x".repeat(1025)] {
            assert_eq!(kept(wrong).unwrap_err().kind(), Kind::Usage, "{wrong:?}");
            let actor = Actor { claimed: Some(wrong.to_owned()), ..Actor::default() };
            assert_eq!(Author::new(actor, None).unwrap_err().kind(), Kind::Usage);
        }
    }
}
