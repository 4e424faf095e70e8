//! The directory in which a group stages, and how its parts are published and taken back there.
//!
//! It is in the state directory, where nobody else can touch anything. To [publish](super::publish) a part, under the lock
//! of its directories: what is *here* is looked at, both are exchanged or the one is moved to the free name, in one kernel
//! call, and what was displaced is looked at. If that is not what was decided on, the exchange is taken back. Taking a part
//! back is the same with the names in their other roles: it makes nothing, and needs no space.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::exchange::{Exchanged, exchange, look, take_in};
use super::part::{Part, Seen, Standing, There, Thing, fits};
use super::told::{is_gone, not_free, seen_as};
use crate::entry::Opened;
use crate::error::{Error, FileKind, Found, Kind, Result};
use crate::exec::halt::Halt;
use crate::exec::read_back;
use crate::exec::site::Site;
use crate::exec::slot::Slot;
use crate::exec::sync::leave_to_batch;
use crate::exec::transfer::move_new;
use crate::model::{Guarantee, LinkPath};
use crate::root::Root;
use crate::sys::{self, Fault, Handle};

/// The directory in which a group stages.
#[derive(Debug)]
pub(crate) struct StagingDir {
    pub(super) dir: Arc<Handle>,
    /// Its path, for reports.
    pub(super) path: PathBuf,
}

/// What taking a part back came to.
#[derive(Clone, Debug)]
pub(crate) enum Back {
    /// It is as it is to be already.
    Old,
    /// It was taken back.
    Taken,
    /// Others changed it: it is left to them.
    Theirs(Option<Found>),
}

/// A part that was published.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Published {
    pub(crate) guarantee: Guarantee,
    /// A directory that was to be removed was not empty, and stays.
    pub(crate) kept: bool,
}

/// A part at work: its names opened, and their directories locked.
pub(super) struct OpenedDirs {
    pub(super) here: Opened<'static>,
    pub(super) there: Option<Opened<'static>>,
}

impl OpenedDirs {
    pub(super) fn of(root: &Root, part: &Part, spelled: bool) -> Result<OpenedDirs> {
        let path = if spelled { &part.link } else { &part.at };
        let here = Opened::open_for(root, &LinkPath::new(&**path)?, sys::Access::Read)?.owned();
        if here.physical() != &*part.at {
            return Err(read_back::parent_moved());
        }
        let there = match &part.there {
            There::Staged => None,
            There::Named(path) => {
                Some(Opened::open_for(&root.settling(), &LinkPath::new(path)?, sys::Access::Read)?.owned())
            }
        };
        Ok(OpenedDirs { here, there })
    }

    /// Works under the locks of the directories.
    pub(super) fn locked<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let entries: Vec<&Opened<'_>> = [Some(&self.here), self.there.as_ref()].into_iter().flatten().collect();
        let site = Site::lock_each(&entries).map_err(Halt::into_error)?;
        let worked = work();
        entries.iter().for_each(|entry| leave_to_batch(entry));
        // Nothing was staged there.
        let residue = site.close();
        match worked {
            Err(error) => Err(residue.on(error)),
            worked => worked,
        }
    }
}

impl StagingDir {
    pub(super) fn slot<'a>(&'a self, name: &'a OsStr) -> Slot<'a> {
        Slot { dir: &self.dir, name, above: &self.path }
    }

    pub(super) fn there<'a>(&'a self, part: &'a Part, opened: &'a OpenedDirs) -> Slot<'a> {
        opened.there.as_ref().map_or_else(|| self.slot(&part.staged), Slot::of)
    }

    /// Stages what a part needs; a directory's number is learned by it.
    pub(super) fn stage(&self, root: &Root, part: &mut Part) -> Result<()> {
        let calls = root.calls();
        match &mut part.after {
            Some(Thing::Link(text)) => {
                calls.symlink(text, &self.dir, &part.staged, part.directory).map_err(Error::from_io)
            }
            Some(Thing::Object { inode, .. }) if part.there == There::Staged => {
                calls.make_dir(&self.dir, &part.staged, 0o777).map_err(Error::from_io)?;
                *inode = calls.stat_at(&self.dir, &part.staged).map_err(Error::from_io)?.id.inode;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Takes a link that was displaced to a name below the root from there, out of reach; it is dropped with the others.
    pub(super) fn take_from(&self, root: &Root, part: &Part, there: Slot<'_>) -> Result<()> {
        let (calls, staged) = (root.calls(), self.slot(&part.staged));
        match take_in(calls, there, staged) {
            Err(source) if sys::fault(&source) != Fault::Missing => return Err(Error::from_io(source)),
            _ => {}
        }
        // Others may have put something else there at that moment.
        match look(calls, staged)? {
            seen if seen.is_nothing() || fits(part.before.as_ref(), &seen) => Ok(()),
            _ => match move_new(calls, staged, there) {
                Ok(()) => Ok(()),
                Err(_) => Err(read_back::taken().leaving(Vec::new(), vec![self.keep(root, staged)])),
            },
        }
    }

    pub(super) fn exchange_back(
        &self,
        root: &Root,
        part: &Part,
        here: Slot<'_>,
        there: Slot<'_>,
        exposed: bool,
    ) -> Result<Exchanged> {
        let exchanged = exchange(root, (here, there), (part.after.as_ref(), part.before.as_ref()), exposed)?;
        self.withdraw(root, part, there)?;
        Ok(exchanged)
    }

    /// Moves a link that was brought to a name below the root back to where it was staged.
    pub(super) fn withdraw(&self, root: &Root, part: &Part, there: Slot<'_>) -> Result<()> {
        let calls = root.calls();
        if !part.is_brought_there() || !fits(part.after.as_ref(), &look(calls, there)?) {
            return Ok(());
        }
        let staged = self.slot(&part.staged);
        // A stop in the midst of the move leaves it both names.
        if look(calls, staged)?.id() == look(calls, there)?.id() {
            calls.unlink(staged.dir, staged.name).map_err(Error::from_io)?;
        }
        match take_in(calls, there, staged) {
            Ok(()) => {}
            Err(source) if sys::fault(&source) == Fault::Missing => return Ok(()),
            Err(source) => return Err(Error::from_io(source).leaving(vec![there.path()], Vec::new())),
        }
        // Others may have put something else there at that moment.
        if !fits(part.after.as_ref(), &look(calls, staged)?) && move_new(calls, staged, there).is_err() {
            return Err(Error::new(Kind::Contended).leaving(Vec::new(), vec![self.keep(root, staged)]));
        }
        Ok(())
    }

    /// Gives what others own a name in the staging directory under which it stays.
    fn keep(&self, root: &Root, staged: Slot<'_>) -> PathBuf {
        let mut kept = OsString::from(KEPT);
        kept.push(staged.name);
        match move_new(root.calls(), staged, self.slot(&kept)) {
            Ok(()) => self.path.join(kept),
            Err(_) => staged.path(),
        }
    }

    /// How a part stands, by what is at its names. What a stop between two calls left is put right first.
    pub(super) fn standing(&self, root: &Root, part: &Part) -> Result<Standing> {
        match OpenedDirs::of(root, part, false) {
            Ok(opened) => opened.locked(|| self.standing_locked(root, part, &opened).map(|(standing, _)| standing)),
            Err(error) if is_gone(&error) => self.without_dir(root, part).map(|(standing, _)| standing),
            Err(error) => Err(error),
        }
    }

    /// The same by looking only.
    pub(super) fn seen(&self, root: &Root, part: &Part) -> Result<Standing> {
        match OpenedDirs::of(root, part, false) {
            Ok(opened) => {
                let at_here = look(root.calls(), Slot::of(&opened.here))?;
                Ok(part.standing(&at_here, &look(root.calls(), self.there(part, &opened))?))
            }
            Err(error) if is_gone(&error) => self.without_dir(root, part).map(|(standing, _)| standing),
            Err(error) => Err(error),
        }
    }

    fn standing_locked(&self, root: &Root, part: &Part, opened: &OpenedDirs) -> Result<(Standing, Found)> {
        let calls = root.calls();
        let (here, there) = (Slot::of(&opened.here), self.there(part, opened));
        super::exchange::finish(root, here, there, opened.there.is_some())?;
        let (at_here, at_there) = (look(calls, here)?, look(calls, there)?);
        Ok((part.standing(&at_here, &at_there), seen_as(&at_here)))
    }

    /// How a part stands of which a directory is not there, and what is here: it is yet to be made, the group has removed
    /// it, or others took it away. What is not at the other name waits in the staging directory, or lies there since.
    fn without_dir(&self, root: &Root, part: &Part) -> Result<(Standing, Found)> {
        let calls = root.calls();
        let here = match Opened::open_for(root, &LinkPath::new(&*part.at)?, sys::Access::Read) {
            Ok(here) if here.physical() == &*part.at => look(calls, Slot::of(&here))?,
            Ok(_) => Seen::Nothing,
            Err(error) if is_gone(&error) => Seen::Nothing,
            Err(error) => return Err(error),
        };
        let staged = look(calls, self.slot(&part.staged))?;
        Ok((part.standing(&here, &staged), seen_as(&here)))
    }

    /// Does what is left to do of a part that is published. Returns how it stands.
    pub(super) fn complete(&self, root: &Root, part: &Part) -> Result<Standing> {
        if !part.is_taken_from_there() {
            return self.standing(root, part);
        }
        let opened = match OpenedDirs::of(root, part, false) {
            Ok(opened) => opened,
            // The link was taken from the other name before its directory went.
            Err(error) if is_gone(&error) => return self.without_dir(root, part).map(|(standing, _)| standing),
            Err(error) => return Err(error),
        };
        opened.locked(|| {
            let there = self.there(part, &opened);
            let (standing, _) = self.standing_locked(root, part, &opened)?;
            let calls = root.calls();
            if standing.was_published() == Some(true) && fits(part.before.as_ref(), &look(calls, there)?) {
                let staged = self.slot(&part.staged);
                if look(calls, staged)?.id() == look(calls, there)?.id() {
                    calls.unlink(staged.dir, staged.name).map_err(Error::from_io)?;
                }
                self.take_from(root, part, there)?;
            }
            Ok(standing)
        })
    }

    /// Takes a part back as far as it is published and others did not change it.
    pub(super) fn take_back(&self, root: &Root, part: &Part) -> Result<Back> {
        let opened = match OpenedDirs::of(root, part, false) {
            Ok(opened) => opened,
            Err(error) if is_gone(&error) => {
                return Ok(match self.without_dir(root, part)? {
                    (Standing::Old | Standing::Gone, _) | (Standing::New, Found::Missing) => Back::Old,
                    (_, found) => Back::Theirs(Some(found)),
                });
            }
            Err(error) => return Err(error),
        };
        opened.locked(|| self.take_back_locked(root, part, &opened))
    }

    fn take_back_locked(&self, root: &Root, part: &Part, opened: &OpenedDirs) -> Result<Back> {
        let calls = root.calls();
        let (here, there) = (Slot::of(&opened.here), self.there(part, opened));
        let exposed = opened.there.is_some();
        let (standing, found) = self.standing_locked(root, part, opened)?;
        match standing {
            Standing::Gone => Ok(Back::Old),
            Standing::Old => self.withdraw(root, part, there).map(|()| Back::Old),
            Standing::Theirs { .. } => {
                self.withdraw(root, part, there)?;
                Ok(Back::Theirs(Some(found)))
            }
            Standing::New if part.makes_dir() => match calls.remove_dir(here.dir, here.name) {
                Ok(()) => Ok(Back::Taken),
                // Others use it by now.
                Err(source) if source.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(Back::Theirs(Some(found))),
                Err(source) if sys::fault(&source) == Fault::Missing => Ok(Back::Old),
                Err(source) => Err(Error::from_io(source)),
            },
            Standing::New if part.is_taken_from_there() && look(calls, there)?.is_nothing() => {
                move_new(calls, self.slot(&part.staged), there).map_err(|source| not_free(source, there))?;
                self.exchange_back(root, part, here, there, exposed).map(|exchanged| match exchanged {
                    Exchanged::Done(_) => Back::Taken,
                    Exchanged::Theirs(seen) => Back::Theirs(Some(seen_as(&seen))),
                })
            }
            Standing::New => match self.exchange_back(root, part, here, there, exposed)? {
                Exchanged::Done(_) => Ok(Back::Taken),
                Exchanged::Theirs(seen) => Ok(Back::Theirs(Some(seen_as(&seen)))),
            },
            Standing::Foreign => match super::exchange::give_back(root, (here, there), part.after.as_ref(), exposed) {
                Ok(now) => {
                    self.withdraw(root, part, there)?;
                    Ok(Back::Theirs(Some(seen_as(&now))))
                }
                Err(error) if exposed => Err(error),
                Err(error) => {
                    let kept = self.keep(root, there);
                    Err(error.leaving(Vec::new(), vec![kept]))
                }
            },
        }
    }

    pub(super) fn is_empty(&self, root: &Root, name: &OsStr) -> Result<bool> {
        let dir = root.calls().open_dir(&self.dir, Path::new(name), true, sys::Access::Read).map_err(Error::from_io)?;
        let mut empty = true;
        let mut any = |_: sys::Listed<'_>| {
            empty = false;
            std::ops::ControlFlow::Break(())
        };
        root.calls().list(&dir, &mut any).map_err(Error::from_io)?;
        Ok(empty)
    }

    /// Removes what is staged or displaced here: links, and empty directories. Returns what stays.
    pub(super) fn clear(&self, root: &Root) -> Result<Vec<PathBuf>> {
        let calls = root.calls();
        let opened = calls.open_dir(&self.dir, Path::new(""), true, sys::Access::Read).map_err(Error::from_io)?;
        let mut names = Vec::new();
        let mut keep = |listed: sys::Listed<'_>| {
            names.push((listed.name.to_os_string(), listed.kind));
            std::ops::ControlFlow::Continue(())
        };
        calls.list(&opened, &mut keep).map_err(Error::from_io)?;
        let mut left = Vec::new();
        for (name, kind) in names {
            if name.as_encoded_bytes().starts_with(KEPT.as_bytes()) {
                continue;
            }
            // Nobody else puts anything there: what was listed as a link still is one.
            let removed = match kind {
                Some(FileKind::Symlink) => calls.unlink(&self.dir, &name),
                _ => match look(calls, self.slot(&name))? {
                    Seen::Link(..) => calls.unlink(&self.dir, &name),
                    Seen::Object(FileKind::Dir, _) => calls.remove_dir(&self.dir, &name),
                    Seen::Object(..) => Err(io::ErrorKind::DirectoryNotEmpty.into()),
                    Seen::Nothing => Ok(()),
                },
            };
            match removed {
                Err(source) if sys::fault(&source) != Fault::Missing => left.push(self.path.join(name)),
                _ => {}
            }
        }
        Ok(left)
    }
}

/// What stays in the staging directory because it is not this program's.
const KEPT: &str = "kept-";
