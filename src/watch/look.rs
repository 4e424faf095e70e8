//! One look for its numbers.

use std::ffi::OsStr;
use std::time::{Instant, SystemTime};

use super::gauges::{Gauges, RecordsGauges};
use crate::error::Result;
use crate::records::Records;
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
