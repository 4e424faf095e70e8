//! Publishes the parts of a group, in order.
//!
//! Links of one directory are published together: it is opened once and locked once. A new link is moved to its name,
//! which has to be free. One that replaces another is exchanged with it in one call, after that was read; what is displaced
//! is read once more, in the staging directory, where nobody else can reach it. What is at the name then is read. At the end
//! a new walk from the root proves that the path leads to this directory: then so did it lead to every link, after it was
//! read. If it does not, all of them are taken back there. Between a link and the proof are at most [`TOGETHER_MAX`] parts,
//! and none is begun [`TIME_MAX`] after the directory was opened.
//!
//! What is met there and was not decided on is left to the way of a part by itself, which looks at both names before and
//! after; so is what is no link, or is reached through links.

use std::ffi::OsStr;
use std::sync::Arc;

use super::exchange::{Exchanged, back_to_free, exchange, give_back, look, take_in};
use super::part::{Part, There, Thing, fits};
use super::staging_dir::{OpenedDirs, Published, StagingDir};
use super::told::{mismatch, not_free, stands};
use crate::entry::Opened;
use crate::error::{Error, Result};
use crate::exec::halt::Halt;
use crate::exec::shared::{TIME_MAX, TOGETHER_MAX, keep};
use crate::exec::site::Site;
use crate::exec::slot::Slot;
use crate::exec::sync::leave_links_to_batch;
use crate::exec::transfer::move_new;
use crate::exec::{guarantee, read_back};
use crate::model::{LinkPath, ObjectId};
use crate::root::Root;
use crate::sys::{self, Calls, Fault};

/// The two names of a part.
type Names<'a> = (Slot<'a>, Slot<'a>);

/// The directory of parts that are published together.
struct Kept<'a> {
    root: &'a Root,
    here: &'a Opened<'a>,
    /// Only the caller can make names in it: what is read at one is what was put there.
    is_private: bool,
}

impl StagingDir {
    /// Publishes the parts up to the first that fails.
    pub(super) fn publish(&self, root: &Root, parts: &[Part]) -> Vec<Result<Published>> {
        let mut results: Vec<Result<Published>> = Vec::with_capacity(parts.len());
        while results.len() < parts.len() && results.last().is_none_or(Result::is_ok) {
            let rest = &parts[results.len()..];
            match together(rest) {
                0 => results.push(self.publish_alone(root, &rest[0])),
                count => results.append(&mut self.publish_together(root, &rest[..count])),
            }
        }
        results
    }

    /// Publishes some links of one directory, at least one, up to the first that fails.
    fn publish_together(&self, root: &Root, parts: &[Part]) -> Vec<Result<Published>> {
        let begun = root.calls().clock();
        let opened = match OpenedDirs::of(root, &parts[0], true) {
            Ok(opened) => opened,
            Err(error) => return vec![Err(error)],
        };
        let site = match Site::lock(&opened.here) {
            Ok(site) => site,
            Err(halt) => return vec![Err(Halt::into_error(halt))],
        };
        let is_private = keep(&opened.here).is_ok_and(|kept| kept.is_private);
        let kept = Kept { root, here: &opened.here, is_private };
        let is_late = || root.calls().clock().saturating_sub(begun) >= TIME_MAX;
        let mut results: Vec<Result<Published>> = Vec::with_capacity(parts.len());
        for part in parts {
            results.push(self.publish_beside(&kept, part));
            if results.last().is_some_and(Result::is_err) || is_late() {
                break;
            }
        }
        let done = results.iter().take_while(|result| result.is_ok()).count();
        leave_links_to_batch(root, parts[..results.len()].iter().map(|part| &*part.link), &opened.here.parent);
        if let Err(moved) = self.prove(&kept, &parts[..done]) {
            let last = results.pop().and_then(Result::err);
            let left = |error: &Error| (error.left().to_vec(), error.preserved().to_vec());
            let (names, kept) = last.as_ref().map(left).unwrap_or_default();
            results = vec![Err(moved.leaving(names, kept))];
        }
        let residue = site.close();
        if let Some(Err(error)) = results.last_mut() {
            // Nothing was staged there.
            *error = residue.on(error.clone());
        }
        results
    }

    /// Proves that the directory of links that were published is in its place. Where it is not, they are taken back.
    fn prove(&self, kept: &Kept<'_>, parts: &[Part]) -> Result<()> {
        if parts.is_empty() || kept.root.policy().unverified {
            return Ok(());
        }
        let mut cause = match read_back::parent_in_place(kept.here) {
            Ok(true) => return Ok(()),
            Ok(false) => read_back::parent_moved(),
            Err(error) => error,
        };
        for part in parts.iter().rev() {
            let here = kept.slot(part);
            let back = self.exchange_back(kept.root, part, here, self.slot(&part.staged), false);
            if let Err(error) = back {
                cause = not_taken_back(kept.root, part, here, cause, &error);
            }
        }
        Err(cause)
    }

    /// Publishes a link in a directory that is open, locked, and proven to be in its place later.
    fn publish_beside(&self, kept: &Kept<'_>, part: &Part) -> Result<Published> {
        let names = (kept.slot(part), self.slot(&part.staged));
        let published = match (&part.before, &part.after) {
            (None, Some(Thing::Link(new))) => make(kept, part, names, new)?,
            (Some(Thing::Link(old)), Some(Thing::Link(new))) => replace(kept, part, names, (old, new))?,
            (Some(Thing::Link(old)), None) => remove(kept, part, names, old)?,
            _ => None,
        };
        match published {
            Some(published) => Ok(published),
            None => {
                let path = LinkPath::new(&*part.link)?;
                let here = Opened::of(kept.root, &path, Arc::clone(&kept.here.parent)).owned();
                self.publish_locked(kept.root, part, &OpenedDirs { here, there: None })
            }
        }
    }

    /// Publishes a part, if its name is as it was judged.
    fn publish_alone(&self, root: &Root, part: &Part) -> Result<Published> {
        let opened = OpenedDirs::of(root, part, true)?;
        opened.locked(|| self.publish_locked(root, part, &opened))
    }

    fn publish_locked(&self, root: &Root, part: &Part, opened: &OpenedDirs) -> Result<Published> {
        let calls = root.calls();
        let (here, there) = (Slot::of(&opened.here), self.there(part, opened));
        let found = look(calls, here)?;
        if !fits(part.before.as_ref(), &found) {
            return Err(mismatch(&found));
        }
        if part.is_brought_there() {
            move_new(calls, self.slot(&part.staged), there).map_err(|source| not_free(source, there))?;
        }
        let exposed = opened.there.is_some();
        let published = match exchange(root, (here, there), (part.before.as_ref(), part.after.as_ref()), exposed)? {
            Exchanged::Done(guarantee) => guarantee,
            Exchanged::Theirs(found) => {
                self.withdraw(root, part, there)?;
                return Err(mismatch(&found));
            }
        };
        if part.removes_dir() && !self.is_empty(root, &part.staged)? {
            exchange(root, (here, there), (None, part.before.as_ref()), exposed)?;
            return Ok(Published { guarantee: published, kept: true });
        }
        if let Err(error) = stands(root, part, &opened.here) {
            let back = self.exchange_back(root, part, here, there, exposed);
            return Err(match back {
                Err(left) => not_taken_back(root, part, here, error, &left),
                Ok(_) => error,
            });
        }
        if part.is_taken_from_there() {
            self.take_from(root, part, there)?;
        }
        Ok(Published { guarantee: published, kept: false })
    }
}

impl Kept<'_> {
    fn slot<'s>(&'s self, part: &'s Part) -> Slot<'s> {
        let name = part.at.file_name().expect("BUG: a link has a name");
        Slot { dir: &self.here.parent, name, above: self.here.dir() }
    }

    /// The object that is staged, where that has to be compared as well.
    fn staged(&self, there: Slot<'_>) -> Result<Option<ObjectId>> {
        if self.is_private {
            return Ok(None);
        }
        Ok(there.now(self.root.calls()).map_err(Error::from_io)?.map(|staged| staged.id))
    }

    /// Whether the link that was staged is at its name.
    fn stands(&self, here: Slot<'_>, text: &OsStr, staged: Option<ObjectId>) -> Result<bool> {
        let calls = self.root.calls();
        if let Some(staged) = staged
            && here.now(calls).map_err(Error::from_io)?.is_none_or(|now| now.id != staged)
        {
            return Ok(false);
        }
        reads(calls, here, text)
    }
}

/// The error of a part that could not be taken back, as where the kernel refuses it: its link is named.
fn not_taken_back(root: &Root, part: &Part, here: Slot<'_>, cause: Error, error: &Error) -> Error {
    let (mut left, preserved) = (error.left().to_vec(), error.preserved().to_vec());
    let is_there = || look(root.calls(), here).is_ok_and(|seen| fits(part.after.as_ref(), &seen));
    if left.is_empty() && preserved.is_empty() && part.after.is_some() && is_there() {
        left.push(here.path());
    }
    cause.leaving(left, preserved).having_changed()
}

/// How many of the first parts can be published together: links of one directory, to which no links are followed.
fn together(parts: &[Part]) -> usize {
    let dir = parts[0].at.parent();
    let is_link = |thing: &Option<Thing>| !matches!(thing, Some(Thing::Object { .. }));
    let fits = |part: &&Part| {
        part.there == There::Staged
            && is_link(&part.before)
            && is_link(&part.after)
            && part.at == part.link
            && part.at.parent() == dir
    };
    parts.iter().take(TOGETHER_MAX).take_while(fits).count()
}

/// Whether a link with this text is at a name.
fn reads(calls: &dyn Calls, slot: Slot<'_>, text: &OsStr) -> Result<bool> {
    match calls.read_link(slot.dir, slot.name) {
        Ok(found) => Ok(found.as_deref() == Some(text)),
        Err(source) if sys::fault(&source) == Fault::Missing => Ok(false),
        Err(source) => Err(Error::from_io(source)),
    }
}

/// Moves a new link to its name. `None` where it was not moved.
fn make(kept: &Kept<'_>, part: &Part, (here, there): Names<'_>, new: &OsStr) -> Result<Option<Published>> {
    let (calls, guarantee) = (kept.root.calls(), guarantee(kept.root, true)?);
    let staged = kept.staged(there)?;
    if move_new(calls, there, here).is_err() && !look(calls, there)?.is_nothing() {
        return Ok(None);
    }
    if kept.stands(here, new, staged)? {
        return Ok(Some(Published { guarantee, kept: false }));
    }
    match back_to_free(calls, (here, there), part.after.as_ref(), Ok(()))? {
        Exchanged::Theirs(found) => Err(mismatch(&found)),
        Exchanged::Done(_) => Err(read_back::taken()),
    }
}

/// Exchanges a new link with the one that it replaces. `None` where it was not exchanged.
fn replace(
    kept: &Kept<'_>,
    part: &Part,
    (here, there): Names<'_>,
    (old, new): (&OsStr, &OsStr),
) -> Result<Option<Published>> {
    let (calls, root) = (kept.root.calls(), kept.root);
    if !root.abilities().exchange || !reads(calls, here, old)? {
        return Ok(None);
    }
    let guarantee = guarantee(root, true)?;
    let staged = kept.staged(there)?;
    if calls.exchange(there.at(), here.at()).is_err() && reads(calls, there, new)? {
        return Ok(None);
    }
    if reads(calls, there, old)? && kept.stands(here, new, staged)? {
        return Ok(Some(Published { guarantee, kept: false }));
    }
    Err(mismatch(&give_back(root, (here, there), part.after.as_ref(), false)?))
}

/// Takes a link away. `None` where it was not taken.
fn remove(kept: &Kept<'_>, part: &Part, (here, there): Names<'_>, old: &OsStr) -> Result<Option<Published>> {
    let (calls, root) = (kept.root.calls(), kept.root);
    if !reads(calls, here, old)? {
        return Ok(None);
    }
    let guarantee = guarantee(root, root.abilities().no_replace)?;
    if take_in(calls, here, there).is_err() && look(calls, there)?.is_nothing() {
        return Ok(None);
    }
    if reads(calls, there, old)? && here.now(calls).map_err(Error::from_io)?.is_none() {
        return Ok(Some(Published { guarantee, kept: false }));
    }
    Err(mismatch(&give_back(root, (here, there), part.after.as_ref(), false)?))
}

#[cfg(all(test, unix, feature = "adversary"))]
mod tests;
