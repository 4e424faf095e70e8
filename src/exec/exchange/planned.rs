//! The preview of an exchange after edits that come before it.

use std::ffi::OsString;

use super::super::halt::OrHalt;
use super::super::parents;
use super::{Exchanging, Place, refused};
use crate::entry::Opened;
use crate::error::{Found, Result};
use crate::model::{Decision, Effect, LinkPath, Outcome, decide};
use crate::resolve::Planned;

impl Exchanging<'_> {
    /// The same after what is planned; `None` where its directory is yet to be created.
    pub(super) fn open_after<'p>(&'p self, planned: &Planned, path: &'p LinkPath) -> Result<Option<Opened<'p>>> {
        let left = parents::are_left(planned, self.root.policy(), path.parent());
        left.map_err(|error| self.root.or_gone(error.on("exchange", path)))?;
        // What the disk has in the place of a directory that is made may be a link.
        if planned.is_made(path.parent()) { Ok(None) } else { self.open(path).map(Some) }
    }

    /// The preview of an exchange of links that earlier edits leave.
    pub(super) fn decide_planned(&self, planned: &Planned, a: Place<'_>, b: Place<'_>) -> OrHalt<[Outcome; 2]> {
        let text = |place: Place<'_>| -> Result<OsString> {
            let found = match (planned.found_at(place.physical()), place.opened) {
                (Some(left), _) => left,
                (None, Some(entry)) => entry.look()?,
                (None, None) => Found::Missing,
            };
            match decide(&self.edit.change, None, &found) {
                Decision::Refuse(kind) => Err(refused(kind, found)),
                _ => Ok(found.into_text().expect("BUG: only links are exchanged")),
            }
        };
        let text = |place| text(place).map_err(|error| self.on(place, error));
        let (text_a, text_b) = (text(a)?, text(b)?);
        if a.physical() == b.physical() {
            return Ok([a, b].map(|place| self.report(place, Effect::Unchanged, Some(&text_a), None, true)));
        }
        self.root.permits(Decision::Exchange).map_err(|error| self.on(a, error))?;
        let new = [(a, &text_b), (b, &text_a)];
        self.judge(new)?;
        self.would_be_done(new)?;
        Ok(self.exchanged((a, &text_a), (b, &text_b)))
    }
}
