//! Where a link leads in the end, for a program that starts there and is to stay there.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::error::Result;
use crate::root::Root;

/// Where a link leads in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Effective {
    /// The path below the root; empty for the root itself.
    pub below: PathBuf,
    /// The path from the top, where the physical path of the root is known. No link is on it below the root.
    pub path: Option<PathBuf>,
    /// The last component: the name of the release, where the link is an app's.
    pub name: OsString,
}

impl Root {
    /// Returns where a link leads in the end: what a service is started with that is not to change under its feet.
    ///
    /// # Errors
    ///
    /// Those of [`resolve`](Root::resolve).
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.create_dir_all("releases/42")?;
    /// # dir.symlink("releases/42", "current")?;
    /// use caplink::{Policy, Root};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let effective = root.effective("current")?;
    /// assert_eq!((effective.name.as_os_str(), effective.below), ("42".as_ref(), "releases/42".into()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn effective(&self, link: impl AsRef<OsStr>) -> Result<Effective> {
        let below = self.resolve(link)?.path;
        let name = below.file_name().unwrap_or_default().to_os_string();
        let path = self.physical_path().map(|root| root.join(&below));
        Ok(Effective { below, path, name })
    }
}
