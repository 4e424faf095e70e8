//! Whether a change could be recorded, asked without writing: what a preview knows of the records.

use super::log_file::io;
use super::marker;
use super::private::{check_way, check_way_to};
use super::store::{Records, is_log_there};
use crate::error::{Error, Result};
use crate::exec::may_add_in;
use crate::root::Root;
use crate::sys::{self, Fault};

impl Records {
    /// Checks whether records could be made where there are none; makes nothing.
    ///
    /// # Errors
    ///
    /// Those of [`init`](Records::init) that do not come from writing.
    pub fn could_be_made(root: &Root) -> Result<()> {
        let (calls, state) = (root.calls(), root.state());
        let made = |error: Error| error.during("make the records");
        match state.open_there(calls).map_err(made)? {
            Some(there) => {
                check_way(root, &there.dir)?;
                may_add_in(root, &there.dir).map_err(io).map_err(made)
            }
            None => {
                may_add_in(root, &state.base).map_err(io).map_err(made)?;
                check_way_to(root, &state.base)
            }
        }
    }

    /// Checks whether a change could be recorded; `has_reason` is whether a reason is given. Writes nothing.
    ///
    /// # Errors
    ///
    /// `policy` where the records demand a reason; `read_only`, `permission` where the log cannot be written.
    pub fn could_record(&self, has_reason: bool) -> Result<()> {
        let log = self.log();
        self.demands_reason(&log, has_reason)?;
        log.is_writable()
    }
}

/// Whether a root has records, or says that they are in another state directory, as far as two looks at it tell.
pub(super) fn may_be_kept(root: &Root) -> bool {
    let (calls, state) = (root.calls(), root.state());
    let is_there = !calls.stat_at(&state.base, &state.name).is_err_and(|source| sys::fault(&source) == Fault::Missing)
        && is_log_there(root);
    is_there || marker::check(root, None).is_err()
}
