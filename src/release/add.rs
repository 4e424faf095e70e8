//! Entering releases into the ledger.

use super::app::Releases;
use super::noted::Event;
use super::progress::Step;
use super::report::Added;
use super::session::{Session, WithoutRecords};
use super::shared;
use super::view::ReleaseView;
use crate::error::{Error, Kind, Result, printable};
use crate::model::Outcome;
use crate::plan::{Entering, ReleaseDir, ReleaseSight, plan_add};

impl Releases {
    /// Enters releases, each for itself, and makes the links of [`shared`](crate::manage::App::shared) in them. The one
    /// that the link leads to already is entered as active and confirmed.
    ///
    /// # Errors
    ///
    /// Those of beginning: `busy`, those of the records, `usage` where another layout was set than the ledger knows. For
    /// each: `invalid_path`, `not_found`, `not_a_directory`, `replaced_release`, and those of its links.
    pub fn add(&self, names: &[&str]) -> Result<Vec<Result<Added>>> {
        if let Some(each) = self.foresee(|probe| probe.add(names))?
            && each.iter().all(Result::is_err)
        {
            return Ok(each);
        }
        let mut session = Session::begin(self, "release add", WithoutRecords::Make)?;
        Ok(names.iter().map(|name| session.add(name)).collect())
    }
}

impl Session<'_> {
    /// Enters one, unless it is entered already.
    pub(super) fn add(&mut self, name: &str) -> Result<Added> {
        crate::plan::release_name(name).map_err(|error| error.during("add"))?;
        let sight = self.look_at(&[name])?;
        let (entered, links) = self.enter(name, &sight)?;
        Ok(Added { view: ReleaseView::named(&self.app.name, name, &self.app_ledger(), &sight), entered, links })
    }

    /// Enters one as it was seen; returns whether it had to be, and the links that it got.
    pub(super) fn enter(&mut self, name: &str, sight: &ReleaseSight) -> Result<(bool, Vec<Outcome>)> {
        let named = |error: Error| match error.kind() {
            Kind::NotFound => error.because(format!("there is no `{}`", printable(&self.layout.path(name)))),
            _ => error,
        };
        let active = match plan_add(&self.ledger(), sight, name).map_err(named)? {
            Entering::Unchanged => return Ok((false, Vec::new())),
            Entering::Prepared => false,
            Entering::Active => true,
        };
        let Some(ReleaseDir::Dir(directory)) = sight.dirs.get(name) else {
            return Err(Error::new(Kind::NotFound).on("add", name));
        };
        let links = shared::link(self, name)?;
        let layout = self.app_ledger().layout.is_none().then(|| self.layout.told());
        let directory = directory.as_str().to_owned();
        self.tell(Event::Entered { release: name.to_owned(), directory, active, layout })?;
        self.app.progress.step(&Step::Entered { release: name });
        links.iter().for_each(|outcome| self.app.progress.step(&Step::Linked(outcome)));
        Ok((true, links))
    }
}
