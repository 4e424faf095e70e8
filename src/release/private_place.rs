//! Where a release is moved to before it is taken down: a directory that only the caller can enter, on the same mount.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::in_use::{self, Used};
use super::layout::AppLayout;
use super::noted::Place;
use super::sight::identity;
use crate::error::{Error, Kind, Result};
use crate::model::staged_name;
use crate::plan::InUse;
use crate::records::Records;
use crate::root::Root;
use crate::sys::{self, Access, Fault, Handle};

/// The name of a release within its private place.
pub(super) const WITHIN: &str = "release";

/// Anybody but the owner.
const OTHERS: u32 = 0o077;

/// A private directory for one release.
pub(super) struct PrivatePlace {
    above: Handle,
    name: String,
    place: Place,
    pub(super) dir: Handle,
}

/// What is in a private place.
pub(super) enum Moved {
    /// No release.
    Nothing,
    /// The directory that was entered, which nothing is known to use.
    Fit,
    /// The directory that was entered, in use.
    Used(Used),
    /// Something else, which took the name before it was moved.
    Other,
}

/// Chooses where: in the state directory where that is on the same mount, else beside the releases.
pub(super) fn choose(root: &Root, records: &Records, releases: &Handle) -> Result<Place> {
    let same = root.calls().is_same_mount(&records.state_dir().map_err(Error::from_io)?, releases);
    Ok(if same.map_err(Error::from_io)? { Place::State } else { Place::Beside })
}

/// A name that nothing has.
pub(super) fn name(root: &Root) -> Result<String> {
    let random = root.calls().random().map_err(Error::from_io)?;
    Ok(staged_name(random).to_string_lossy().into_owned())
}

/// Moves an entry to a name that nothing has.
pub(super) fn rename(root: &Root, from: (&Handle, &OsStr), to: (&Handle, &OsStr)) -> io::Result<()> {
    let calls = root.calls();
    match calls.rename_new(from, to) {
        // Where the host cannot refuse to replace, a directory still replaces nothing but an empty one.
        Err(source) if sys::fault(&source) == Fault::Unsupported => match calls.stat_at(to.0, to.1) {
            Err(missing) if sys::fault(&missing) == Fault::Missing => calls.rename_over(from, to),
            _ => Err(io::ErrorKind::AlreadyExists.into()),
        },
        renamed => renamed,
    }
}

impl PrivatePlace {
    fn above(root: &Root, records: &Records, releases: Option<&Handle>, place: Place) -> io::Result<Option<Handle>> {
        match (place, releases) {
            (Place::State, _) => records.state_dir().map(Some),
            (Place::Beside, Some(releases)) => {
                root.calls().open_dir(releases, Path::new(""), true, Access::Read).map(Some)
            }
            (Place::Beside, None) => Ok(None),
        }
    }

    /// Makes it.
    pub(super) fn make(
        root: &Root,
        records: &Records,
        releases: &Handle,
        place: Place,
        name: &str,
    ) -> Result<PrivatePlace> {
        let failed = |source| Error::from_io(source).during("prune");
        let above = PrivatePlace::above(root, records, Some(releases), place).map_err(failed)?;
        let above = above.expect("BUG: the directory of the releases is open");
        root.calls().make_dir(&above, OsStr::new(name), 0o700).map_err(failed)?;
        match PrivatePlace::open_in(root, above, place, name) {
            Ok(Some(private)) => Ok(private),
            Ok(None) => Err(Error::new(Kind::Contended).during("prune").because("its private place was taken away")),
            Err(error) => Err(error),
        }
    }

    /// Opens one that was made; `None` where it is gone.
    pub(super) fn open(
        root: &Root,
        records: &Records,
        releases: Option<&Handle>,
        place: Place,
        name: &str,
    ) -> Result<Option<PrivatePlace>> {
        let above = PrivatePlace::above(root, records, releases, place);
        match above.map_err(|source| Error::from_io(source).during("prune"))? {
            Some(above) => PrivatePlace::open_in(root, above, place, name),
            None => Ok(None),
        }
    }

    fn open_in(root: &Root, above: Handle, place: Place, name: &str) -> Result<Option<PrivatePlace>> {
        let calls = root.calls();
        let dir = match calls.open_dir(&above, Path::new(name), false, Access::Read) {
            Ok(dir) => dir,
            Err(source) => {
                return match sys::fault(&source) {
                    Fault::Missing => Ok(None),
                    _ => Err(Error::from_io(source).on("open", name)),
                };
            }
        };
        let stat = calls.stat(&dir).map_err(Error::from_io)?;
        if stat.uid != calls.user() || stat.mode & OTHERS != 0 {
            let reason = format!("`{name}` was made private, and others can enter it by now");
            return Err(Error::new(Kind::UnsafeState).during("prune").because(reason));
        }
        Ok(Some(PrivatePlace { above, name: name.to_owned(), place, dir }))
    }

    /// Compares what was moved to it with the directory that was entered, and looks for what uses that.
    pub(super) fn judge(&self, root: &Root, directory: &str) -> Result<Moved> {
        // On this mount, and through no link.
        let dir = match root.calls().open_dir(&self.dir, Path::new(WITHIN), false, Access::Read) {
            Ok(dir) => dir,
            Err(source) if sys::fault(&source) == Fault::Missing => return Ok(Moved::Nothing),
            Err(source) if matches!(sys::fault(&source), Fault::Link | Fault::NotDirectory | Fault::Crossing) => {
                return Ok(Moved::Other);
            }
            Err(source) => return Err(Error::from_io(source).on("look into", &self.name)),
        };
        if identity(root, &dir).map_err(Error::from_io)?.as_str() != directory {
            return Ok(Moved::Other);
        }
        let used = in_use::uses(root, &dir)?;
        Ok(if used.decides() == InUse::Yes { Moved::Used(used) } else { Moved::Fit })
    }

    /// Lets the move to it survive a power cut.
    pub(super) fn sync(&self, root: &Root, releases: &Handle) -> io::Result<()> {
        let calls = root.calls();
        [&self.dir, &self.above, releases].into_iter().try_for_each(|dir| calls.sync_dir(dir))
    }

    /// As [`remove`](PrivatePlace::remove), and what was in it does not come back with a power cut.
    pub(super) fn remove_durably(&self, root: &Root) -> bool {
        self.remove(root) && root.calls().sync_dir(&self.above).is_ok()
    }

    /// Removes it if it is empty, and says whether it is gone.
    pub(super) fn remove(&self, root: &Root) -> bool {
        match root.calls().remove_dir(&self.above, OsStr::new(&self.name)) {
            Ok(()) => true,
            Err(source) => sys::fault(&source) == Fault::Missing,
        }
    }

    /// Its path for a report.
    pub(super) fn path(&self, root: &Root, layout: &AppLayout) -> PathBuf {
        let state = root.state();
        match self.place {
            Place::State => state.below.clone().unwrap_or_else(|| PathBuf::from(&state.name)).join(&self.name),
            Place::Beside => layout.releases.join(&self.name),
        }
    }
}
