//! The operations on one link, each as one edit.

use std::ffi::{OsStr, OsString};

use crate::error::Result;
use crate::model::{Edit, LinkPath, Outcome, Target};
use crate::root::Root;

impl Root {
    /// Makes a link where nothing is. See [`Edit::create`].
    ///
    /// # Errors
    ///
    /// `exists`; those of the path, of the target and of the system.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.create_dir("v1")?;
    /// use caplink::{Kind, Policy, Root, Target};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let outcome = root.create("current", Target::relative("v1"))?;
    /// assert!(outcome.verified);
    /// assert_eq!(root.create("current", Target::relative("v1")).unwrap_err().kind(), Kind::Exists);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(&self, path: impl AsRef<OsStr>, target: Target) -> Result<Outcome> {
        self.carry_out(Edit::create(spelled("create", path)?, target))
    }

    /// Makes the name a link to the target, whether nothing or any link was there. See [`Edit::ensure`].
    ///
    /// # Atomicity
    ///
    /// While a link is replaced the name is never absent.
    ///
    /// # Errors
    ///
    /// `not_a_link`; those of the path, of the target and of the system.
    pub fn ensure(&self, path: impl AsRef<OsStr>, target: Target) -> Result<Outcome> {
        self.carry_out(Edit::ensure(spelled("ensure", path)?, target))
    }

    /// Replaces the link if its text is exactly `old`. See [`Edit::swap`].
    ///
    /// # Atomicity
    ///
    /// Of several that swap the same link from the same text, one succeeds.
    ///
    /// # Errors
    ///
    /// `mismatch` with [`Error::found`](crate::Error::found), `not_found`, `not_a_link`; those of the path, of the target and of the system.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.create_dir("v1")?;
    /// # dir.create_dir("v2")?;
    /// use caplink::{Found, Kind, Policy, Root, Target};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let _ = root.create("current", Target::relative("v1"))?;
    /// let outcome = root.swap("current", Target::relative("v2"), "v1")?;
    /// assert_eq!(outcome.previous.as_deref(), Some("v1".as_ref()));
    ///
    /// let lost = root.swap("current", Target::relative("v2"), "v1").unwrap_err();
    /// assert_eq!(lost.kind(), Kind::Mismatch);
    /// assert_eq!(lost.found(), Some(&Found::Link("v2".into())));
    /// # Ok(())
    /// # }
    /// ```
    pub fn swap(&self, path: impl AsRef<OsStr>, target: Target, old: impl Into<OsString>) -> Result<Outcome> {
        self.carry_out(Edit::swap(spelled("swap", path)?, target, old))
    }

    /// Removes a link, and only a link. See [`Edit::remove`].
    ///
    /// # Errors
    ///
    /// `not_found`, `not_a_link`; those of the path and of the system.
    pub fn remove(&self, path: impl AsRef<OsStr>) -> Result<Outcome> {
        self.carry_out(Edit::remove(spelled("remove", path)?))
    }

    /// Exchanges two links. See [`Edit::exchange`].
    ///
    /// # Atomicity
    ///
    /// One kernel call; neither name is ever absent. Where the host cannot do that it is `unsupported`.
    ///
    /// # Errors
    ///
    /// `not_found`, `not_a_link`, `unsupported`; those of the paths, of the targets and of the system.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.create_dir("v1")?;
    /// # dir.create_dir("v2")?;
    /// use caplink::{Policy, Root, Target};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let _ = root.create("blue", Target::relative("v1"))?;
    /// let _ = root.create("green", Target::relative("v2"))?;
    /// let outcome = root.exchange("blue", "green")?;
    /// let links: Vec<_> = outcome.each().map(|one| one.link.to_string()).collect();
    /// assert_eq!(links, ["blue", "green"]);
    /// assert_eq!(root.read_link("blue")?, "v2");
    /// # Ok(())
    /// # }
    /// ```
    pub fn exchange(&self, a: impl AsRef<OsStr>, b: impl AsRef<OsStr>) -> Result<Outcome> {
        self.carry_out(Edit::exchange(spelled("exchange", a)?, spelled("exchange", b)?))
    }
}

impl Root {
    /// Owns the edit, so that nothing of it is copied.
    fn carry_out(&self, edit: impl Into<Edit>) -> Result<Outcome> {
        let edit: Edit = edit.into();
        self.apply(&edit)
    }
}

fn spelled(verb: &'static str, path: impl AsRef<OsStr>) -> Result<LinkPath> {
    let path = path.as_ref();
    LinkPath::new(path).map_err(|error| error.during(verb))
}
