//! Trying what the file system of a root gives, with links of this program's own.
//!
//! Two links are staged as for an edit; they exchange places twice, one is renamed to a free name and back, and
//! their directory and its file system are synced. Then everything is taken back.
//!
//! What is found holds for the directory that it was tried in, the root's own or the state directory; another mount
//! below the root may give less.

use std::ffi::OsStr;
use std::io;

use super::confined::hand_over;
use super::halt::state_contended;
use super::halt::{Halt, OrHalt};
use super::site::Site;
use super::slot::random_name;
use crate::entry::Opened;
use crate::error::{Error, Kind, Result};
use crate::model::{LinkPath, Staging};
use crate::root::Root;
use crate::sys::{self, Access, Fault, Rights};

/// What a file system gave when it was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trial {
    /// Two names exchanged places in one step.
    pub exchange: bool,
    /// A name was moved without replacing another.
    pub no_replace: bool,
    /// A changed directory was synced.
    pub sync_dir: bool,
    /// The file system was synced.
    pub sync_file_system: bool,
    /// Where links are staged for the root's own directory.
    pub staging: Staging,
}

/// The text of the links that are tried with. They lead nowhere and are never published.
const TEXT: &str = "caplink-trial";

impl Root {
    /// Tries what the file system gives here, with two links that are staged and taken back.
    ///
    /// [`abilities`](Root::abilities) asks the kernel without writing; a file system may refuse what its kernel has.
    ///
    /// # Errors
    ///
    /// Those of writing in the root: `permission`, `read_only`, `no_space`, `unsafe_state`, `busy`; `policy` where
    /// nothing may be created; `residue` where something could not be taken back.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// let root = caplink::Root::from_dir(dir.try_clone()?, caplink::Policy::default())?;
    /// let trial = root.try_out()?;
    /// println!("replacing a link is {}", if trial.exchange { "atomic" } else { "cooperative" });
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_out(&self) -> Result<Trial> {
        let mut left = None;
        let tried = match self.threads() {
            Some(_) => hand_over(self, Rights::Links, |root, _| root.tried(), |_, error| left = Some(error)),
            None => self.tried().map_err(Halt::into_error),
        };
        left.map_or(tried, Err).map_err(|error| self.or_gone(error.on("try", ".")))
    }

    fn tried(&self) -> OrHalt<Trial> {
        if !self.policy().create {
            return Err(Error::new(Kind::Policy).into());
        }
        let name = random_name(self).map_err(Error::from_io)?;
        let path = LinkPath::new(name)?;
        let entry = Opened::open(self, &path)?;
        let site = Site::lock(&entry)?;
        let tried = self.tried_at(&site);
        let residue = site.close();
        match tried {
            Ok(trial) if residue.is_empty() => Ok(trial),
            Ok(_) => Err(residue.on(Error::new(Kind::Residue)).into()),
            Err(halt) => Err(halt.map(|error| residue.on(error))),
        }
    }

    fn tried_at(&self, site: &Site<'_>) -> OrHalt<Trial> {
        let calls = self.calls();
        let text = OsStr::new(TEXT);
        let a = site.stage(text, false)?.ok_or_else(state_contended)?;
        let b = match site.stage(text, false) {
            Ok(Some(b)) => b,
            Ok(None) => return Err(a.give_up(text, state_contended()).into()),
            Err(halt) => return Err(halt.map(|error| a.give_up(text, error))),
        };
        let results = || -> OrHalt<Trial> {
            let exchange = a.exchanges_with(&b)?;
            let spare = site.spare()?;
            let no_replace = given(calls.rename_new(a.slot().at(), spare.slot().at()))?;
            if no_replace {
                let kept = |source| Error::from_io(source).leaving(vec![spare.slot().path()], Vec::new());
                calls.rename_new(spare.slot().at(), a.slot().at()).map_err(kept)?;
            }
            let dir = calls.open_dir(site.dir()?, "".as_ref(), true, Access::Read).map_err(Error::from_io)?;
            let (sync_dir, sync_file_system) = (calls.sync_dir(&dir).is_ok(), calls.sync_file_system(&dir).is_ok());
            Ok(Trial { exchange, no_replace, sync_dir, sync_file_system, staging: site.kind() })
        };
        let results = results();
        let residue = a.discard(text).and(b.discard(text));
        match results {
            Ok(trial) if residue.is_empty() => Ok(trial),
            Ok(_) => Err(residue.on(Error::new(Kind::Residue)).into()),
            Err(halt) => Err(halt.map(|error| residue.on(error))),
        }
    }
}

/// Whether the call is available here.
fn given(result: io::Result<()>) -> Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(source) if sys::fault(&source) == Fault::Unsupported => Ok(false),
        Err(source) => Err(Error::from_io(source)),
    }
}
