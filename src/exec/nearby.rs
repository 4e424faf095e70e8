//! What previews share that are about links of one directory, or about targets in one.
//!
//! The directory of links is opened once and looked at once: whether names can be made in it, whether it can be locked, who may
//! write it. After at most [`TOGETHER_MAX`] previews, and when [`TIME_MAX`] is over, a new walk from the root proves that their
//! paths lead to it: then so they did when each link was looked at. Where they do not, nothing that was previewed counts, and
//! it is previewed anew without this. [`Targets`] does the same for the directory that the new texts lead into.
//!
//! No preview decides on a replacement or a removal: that is decided under the lock, by what is there then.

use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::sync::Arc;
use std::time::Duration;

use super::permission::may_add;
use super::read_back;
use super::shared::{TIME_MAX, TOGETHER_MAX, keep};
use crate::entry::{Kept, Opened};
use crate::error::Result;
use crate::model::{Change, Edit, LinkPath};
use crate::resolve::Targets;
use crate::root::Root;
use crate::sys::{Access, Handle};

/// How many previews to come make it worth while to keep a directory: its proof takes as many calls as two of them save.
const WORTH: usize = 2;

/// What is kept open between previews.
#[derive(Default)]
pub(super) struct Nearby {
    dir: RefCell<Option<Dir>>,
    /// How many of the edits to come are about links of the same directory as the next one.
    ahead: Cell<usize>,
    /// What was previewed does not count, and no directory is kept any more.
    lost: Cell<bool>,
    targets: Targets,
}

/// The directory of links. No link was followed to it.
struct Dir {
    parent: Arc<Handle>,
    lockable: bool,
    seen: Kept,
    /// One of its links.
    link: LinkPath,
    /// When it was opened, or last proven to be in its place, and how many previews it was used for since then.
    begun: Duration,
    previews: usize,
}

impl Nearby {
    /// Says which edits come next, the first of them right now.
    pub(super) fn expect<'e>(&self, edits: impl Iterator<Item = &'e Edit> + Clone) {
        self.targets.expect(edits.clone().map_while(|edit| Some(&edit.change.link()?.target)));
        match self.ahead.get().checked_sub(1) {
            Some(left) if left > 0 => self.ahead.set(left),
            _ => {
                let mut dirs = edits.map(|edit| dir(&edit.path));
                let Some(first) = dirs.next() else { return self.ahead.set(0) };
                self.ahead.set(dirs.take(TOGETHER_MAX).take_while(|dir| *dir == first).count());
            }
        }
    }

    /// The directory that texts lead into.
    pub(super) fn targets(&self) -> &Targets {
        &self.targets
    }

    /// The entry of an edit, in the directory of the one before it where that is the same.
    pub(super) fn open<'e>(&self, root: &'e Root, edit: &'e Edit) -> Result<Opened<'e>> {
        let kept = &mut *self.dir.borrow_mut();
        let is_it = |kept: &Dir| dir(&kept.link) == dir(&edit.path);
        if kept.as_ref().is_some_and(|kept| !is_it(kept) || !kept.is_fresh(root)) {
            self.prove(root, kept);
            // Who may write it is looked at anew.
            *kept = None;
        }
        if kept.is_none() {
            let is_kept = self.ahead.get() >= WORTH && !self.lost.get();
            // What may be replaced or removed has to be lockable.
            let is_locked = is_kept && !matches!(edit.change, Change::Create(_));
            let begun = root.calls().clock();
            let opened = Opened::open_for(root, &edit.path, if is_locked { Access::Read } else { Access::Search })?;
            if !is_kept || opened.followed().is_some() {
                return Ok(opened);
            }
            let Ok(seen) = keep(&opened) else { return Ok(opened) };
            let seen = Kept { may_add: may_add(&opened).is_ok(), ..seen };
            let (parent, lockable, link) = (opened.parent, opened.lockable, edit.path.clone());
            *kept = Some(Dir { parent, lockable, seen, link, begun, previews: 0 });
        }
        let kept = kept.as_mut().expect("BUG: the directory is kept");
        kept.previews += 1;
        Ok(Opened::of(root, &edit.path, Arc::clone(&kept.parent)).kept(kept.seen, kept.lockable))
    }

    /// Whether everything that was previewed counts.
    #[must_use]
    pub(super) fn is_proven(&self, root: &Root) -> bool {
        self.prove(root, &mut self.dir.borrow_mut());
        !self.lost.get() && self.targets.are_proven(root)
    }

    /// Proves that the directory is in its place. Where it is not, it is given up.
    fn prove(&self, root: &Root, kept: &mut Option<Dir>) {
        if kept.as_mut().is_some_and(|kept| !kept.prove(root)) {
            *kept = None;
            self.lost.set(true);
        }
    }
}

impl Dir {
    fn is_fresh(&self, root: &Root) -> bool {
        self.previews < TOGETHER_MAX && root.calls().clock().saturating_sub(self.begun) < TIME_MAX
    }

    /// Whether its path leads to it. What cannot be looked at is no proof.
    fn prove(&mut self, root: &Root) -> bool {
        if self.previews == 0 {
            return true;
        }
        let begun = root.calls().clock();
        let entry = Opened::of(root, &self.link, Arc::clone(&self.parent)).kept(self.seen, self.lockable);
        let is_in_place = read_back::parent_in_place(&entry).unwrap_or(false);
        (self.begun, self.previews) = (begun, 0);
        is_in_place
    }
}

fn dir(link: &LinkPath) -> &OsStr {
    link.parent().as_os_str()
}
