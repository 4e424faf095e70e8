//! A lease on a release: a descriptor that a program and its children keep, so that the release counts as in use.

use super::app::Releases;
use super::checks::{context, variables};
use super::sight::{identity, look_at, open_release, open_releases};
use crate::error::{Error, Kind, Result};
use crate::sys::{self, Access, Handle, Start};

/// A lease on a release. It ends with the last process that has a copy of it.
#[derive(Debug)]
pub struct Lease {
    app: String,
    release: String,
    previous: Option<String>,
    root: std::ffi::OsString,
    path: Option<std::path::PathBuf>,
    dir: Handle,
}

impl Releases {
    /// Takes a lease on a release: on the one that the link leads to, or on one that is named.
    ///
    /// No record is written and none is needed; where the state directory cannot be entered the ledger is not asked.
    ///
    /// # Errors
    ///
    /// `not_found`, `not_a_directory`; `replaced_release` where it is not the directory that was entered;
    /// `unknown_release` where a named one was not entered; `busy` where it is being removed or a link in it is edited.
    pub fn lease(&self, name: Option<&str>) -> Result<Lease> {
        let during = |error: Error| error.during("take a lease on");
        let mut ledgers = match self.ledgers() {
            Ok((_, ledgers)) => ledgers,
            // A service that may read the release need not be able to read the records.
            Err(error) if matches!(error.kind(), Kind::UnsafeState | Kind::Permission) => Default::default(),
            Err(error) => return Err(error),
        };
        let app_ledger = ledgers.apps.remove(&self.name).unwrap_or_default();
        let layout = self.layout(app_ledger.layout.as_ref())?;
        let sight = look_at(&self.root, &layout, &[])?;
        let release = match name {
            Some(name) => {
                crate::plan::release_name(name).map_err(during)?;
                name.to_owned()
            }
            None => sight.pointed().map(str::to_owned).ok_or_else(|| {
                let reason = "the link of the app does not lead to a release";
                Error::new(Kind::NotFound).on("take a lease on", layout.current.as_path()).because(reason)
            })?,
        };
        let dir = match app_ledger.held(&release) {
            Some(held) => open_release(&self.root, &layout, &release, &held.directory).map_err(during)?,
            None if name.is_some() && !app_ledger.releases.is_empty() => {
                return Err(Error::new(Kind::UnknownRelease).on("take a lease on", &release));
            }
            None => {
                let missing = || Error::new(Kind::NotFound).on("take a lease on", &release);
                let above = open_releases(&self.root, &layout)?.ok_or_else(missing)?;
                let cross = self.root.policy().cross_mounts;
                let opened = self.root.calls().open_dir(&above, release.as_ref(), cross, Access::Read);
                opened.map_err(|source| Error::from_io(source).on("take a lease on", &release))?
            }
        };
        let failed = |source| Error::from_io(source).on("take a lease on", &release);
        if !sys::try_share(&dir).map_err(failed)? {
            let reason = "it is being removed, or a link in it is being edited";
            return Err(Error::new(Kind::Busy).on("take a lease on", &release).because(reason));
        }
        // It may have been moved away before the lease was had.
        let again = look_at(&self.root, &layout, &[&release])?;
        let own = identity(&self.root, &dir).map_err(failed)?;
        let is_there = matches!(again.dirs.get(&release), Some(crate::plan::ReleaseDir::Dir(id)) if *id == own);
        if !is_there {
            return Err(Error::new(Kind::ReplacedRelease).on("take a lease on", &release));
        }
        let ledger = app_ledger.ledger();
        let before = ledger.before_active().map(|held| held.name.clone());
        let physical = self.root.physical_path();
        Ok(Lease {
            app: self.name.clone(),
            previous: before.filter(|before| *before != release),
            root: physical.map(|root| root.as_os_str().to_os_string()).unwrap_or_default(),
            path: physical.map(|root| root.join(layout.path(&release))),
            release,
            dir,
        })
    }
}

impl Lease {
    /// Returns the release.
    #[must_use]
    pub fn release(&self) -> &str {
        &self.release
    }

    /// Becomes a program, started in the release's directory, that keeps the lease. Returns only where that fails.
    #[must_use = "the program was not started"]
    pub fn exec(self, argv: &[std::ffi::OsString]) -> Error {
        let failed = |source| {
            let program = argv.first().map(std::ffi::OsString::as_os_str).unwrap_or_default();
            Error::from_io(source).on("start", program)
        };
        if let Err(source) = sys::keep_open(&self.dir) {
            return failed(source);
        }
        let context = context(&self.app, &self.release, self.previous.as_deref(), "exec", "exec");
        let variables = variables(&context, &self.root);
        failed(Start { argv, dir: &self.dir, path: self.path.clone(), variables: &variables }.become_it())
    }
}
