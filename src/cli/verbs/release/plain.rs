//! `release status` as a plain line: of the lines about releases the one that is asked again and again.

use std::ffi::{OsStr, OsString};

use super::{APP, ReleaseVerb, What};
use crate::cli::line::{Line, Operand as _, Options, Plain, Spelled};

impl Plain for ReleaseVerb {
    const OPTIONS: Options = &[&[Spelled { long: "app", short: &[], takes_value: true }]];

    fn read(line: &mut Line<'_>) -> Option<ReleaseVerb> {
        let app = line.option("app").unwrap_or(OsStr::new(APP)).to_str()?.to_owned();
        let verb = OsString::take(line)?;
        let what = (verb == "status").then_some(What::Status { exit_code: false })?;
        Some(ReleaseVerb { app, current: None, releases: None, manifest: None, what })
    }
}
