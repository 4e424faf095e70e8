//! Previews of edits in order, each on the tree as those before it leave it.

use std::path::Path;

use super::followed::followed;
use super::halt::Halt;
use super::nearby::Nearby;
use super::run::Run;
use crate::error::{Error, FileKind, Kind, Result};
use crate::model::{Edit, Outcome};
use crate::recorder::Intent;
use crate::resolve::Planned;
use crate::root::Root;

/// Previews of edits in order.
pub(crate) struct Previews<'a> {
    root: &'a Root,
    planned: Planned,
    /// What those of one directory share; none where each is by itself.
    nearby: Option<Nearby>,
}

/// Previews edits that share what is the same for those of one directory. Where that directory turns out not to have been in
/// its place, `preview` is asked once more, and each is by itself.
pub(crate) fn previewed<'a, T>(root: &'a Root, preview: impl Fn(&mut Previews<'a>) -> T) -> T {
    let mut previews = Previews { nearby: Some(Nearby::default()), ..Previews::new(root) };
    let came = preview(&mut previews);
    if previews.nearby.is_some_and(|nearby| nearby.is_proven(root)) { came } else { preview(&mut Previews::new(root)) }
}

impl<'a> Previews<'a> {
    /// Previews that share nothing.
    pub(crate) fn new(root: &'a Root) -> Previews<'a> {
        Previews::after(root, Planned::new())
    }

    /// The same on a tree as earlier edits leave it.
    pub(crate) fn after(root: &'a Root, planned: Planned) -> Previews<'a> {
        Previews { root, planned, nearby: None }
    }

    /// Takes what all edits leave.
    pub(crate) fn take_planned(&mut self) -> Planned {
        std::mem::replace(&mut self.planned, Planned::new())
    }

    /// What the edits so far leave.
    pub(crate) fn planned(&self) -> &Planned {
        &self.planned
    }

    /// The same, for what is no edit and leaves something else there.
    #[cfg(feature = "records")]
    pub(crate) fn planned_mut(&mut self) -> &mut Planned {
        &mut self.planned
    }

    /// Decides everything of the next edit and changes nothing.
    pub(crate) fn next(&mut self, edit: &Edit) -> Result<Outcome> {
        self.first_of(std::iter::once(edit)).expect("BUG: there is an edit")
    }

    /// The same of the first of these edits, which come next; they say what it is worth while to keep for those after it.
    pub(crate) fn first_of<'e>(&mut self, edits: impl Iterator<Item = &'e Edit> + Clone) -> Option<Result<Outcome>> {
        let edit = edits.clone().next()?;
        if let Some(nearby) = &self.nearby {
            nearby.expect(edits);
        }
        Some(self.preview(edit))
    }

    fn preview(&mut self, edit: &Edit) -> Result<Outcome> {
        let run = |edit| {
            let run = Run::new(self.root, edit, true).after(&self.planned, self.nearby.as_ref());
            run.carry_out().map_err(Halt::into_error)
        };
        let outcome = match followed(self.root, edit, &self.planned) {
            Ok(Some(followed)) => followed.told(run(&followed.edit))?,
            Ok(None) => run(edit)?,
            Err(error) if error.kind() == Kind::NotFound && edit.change.missing_ok() => {
                Run::new(self.root, edit, true).absent()
            }
            Err(error) => return Err(self.first_named(edit, error, run(edit))),
        };
        if outcome.each().any(|outcome| outcome.effect.is_change()) {
            let intent = Intent { edit, foreseen: &outcome, below: self.root.image() };
            let asked = self.root.recorders().iter().try_for_each(|recorder| recorder.previews(&intent));
            asked.map_err(|refusal| refusal.on(edit.change.verb(), &edit.path))?;
        }
        for outcome in outcome.each().filter(|outcome| outcome.effect.is_change()) {
            let link = outcome.physical.as_deref().unwrap_or(outcome.link.as_path());
            if let Some(backup) = &outcome.backup {
                let kind = self.kind(link);
                self.planned.insert_backup(backup, kind);
            }
            self.planned.insert(link, outcome.target.clone());
            outcome.made.iter().for_each(|dir| self.planned.insert_dir(dir));
        }
        Ok(outcome)
    }

    /// The error of two that is met first: of an exchange the first link's directory is opened before the second's.
    fn first_named(&self, edit: &Edit, error: Error, on_disk: Result<Outcome>) -> Error {
        let is_first = |error: &Error| error.link() == Some(edit.path.as_path());
        match on_disk {
            Err(first) if !is_first(&error) && is_first(&first) && first.component().is_some() => first,
            _ => error,
        }
    }

    /// The kind of what a backup is made of.
    fn kind(&self, path: &Path) -> FileKind {
        if self.planned.is_made(path) {
            return FileKind::Dir;
        }
        let calls = self.root.calls();
        let seen = calls.reach_entry(self.root.handle(), path, true).and_then(|entry| calls.stat(&entry));
        seen.map_or(FileKind::File, |stat| stat.kind)
    }
}

#[cfg(all(test, unix, feature = "adversary"))]
mod tests;
