//! One look for its numbers.

use std::ffi::OsStr;
use std::time::{Instant, SystemTime};

use super::gauges::{AppGauges, Gauges, RecordsGauges};
use crate::error::Result;
use crate::plan::ReleaseState;
use crate::records::{Records, Time};
use crate::release::{AppView, Releases};
use crate::root::Root;
use crate::scan::ScanOptions;

impl Gauges {
    /// Looks at every link below a directory once. What could not be read makes the look incomplete, and is no error.
    ///
    /// # Errors
    ///
    /// Those of [`Root::scan`].
    pub fn look(root: &Root, dir: impl AsRef<OsStr>, options: ScanOptions) -> Result<Gauges> {
        let (at, started) = (SystemTime::now(), Instant::now());
        let mut scan = root.scan(dir, options)?;
        (&mut scan).for_each(drop);
        Ok(Gauges::new(scan.summary(), at, started.elapsed()))
    }
}

impl AppGauges {
    /// Returns the numbers of each app that the records of a root know.
    ///
    /// # Errors
    ///
    /// Those of opening the records, and of looking at an app.
    pub fn of_root(root: &Root) -> Result<Vec<AppGauges>> {
        let view = |app: String| Ok(AppGauges::from(&Releases::open(root, &app)?.look()?));
        Releases::apps(root)?.into_iter().map(view).collect()
    }
}

impl From<&AppView> for AppGauges {
    fn from(view: &AppView) -> AppGauges {
        let count = |state: &ReleaseState| view.counts.get(state).copied().unwrap_or_default();
        AppGauges {
            app: view.app.clone(),
            states: ReleaseState::ALL.iter().map(count).collect(),
            alarm: view.alarm,
            active: view.active.clone().map(|active| (active, view.since.map(Time::to_system_time))),
        }
    }
}

impl RecordsGauges {
    /// Returns the numbers of the records.
    ///
    /// # Errors
    ///
    /// `integrity`, `io`.
    pub fn of(records: &Records) -> Result<RecordsGauges> {
        let (entries, bytes, open_groups) = records.extent()?;
        Ok(RecordsGauges { entries, bytes, open_groups })
    }
}
