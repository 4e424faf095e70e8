//! What a directory has in it.

use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::path::Path;

use crate::entry::open_dir;
use crate::error::{Error, FileKind, Result};
use crate::model::is_staged_name;
use crate::root::{Root, not_state};
use crate::sys::{self, Access, Fault, Listed};

/// The file that says in a root that its records are elsewhere.
const RECORDS_MARK: &str = ".caplink-records";

/// Lists directories below a root. Implemented for [`Root`]; tests have their own.
pub trait Listing {
    /// Hands the name and kind of each entry of a directory but `.` and `..` to `visit`, in any order, until it breaks.
    ///
    /// `dir` has normal components only, or is empty for the root. No link is followed and no mount is crossed on the way.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being listed whole.
    fn list(&self, dir: &Path, visit: &mut dyn FnMut(&OsStr, FileKind) -> ControlFlow<()>) -> Result<()>;
}

/// The state directory, the mark of one that is elsewhere, and links that are staged are not shown. A link on the way is never followed, whatever the policy
/// says.
impl Listing for Root {
    fn list(&self, dir: &Path, visit: &mut dyn FnMut(&OsStr, FileKind) -> ControlFlow<()>) -> Result<()> {
        let mut policy = self.policy();
        policy.follow = false;
        let root = self.narrow(policy);
        not_state(&root, dir)?;
        let (handle, _) = open_dir(&root, dir, Access::Read).map_err(|error| root.or_gone(error))?;
        let mut failed = None;
        let mut each = |listed: Listed<'_>| {
            let name = listed.name;
            if is_staged_name(name)
                || (dir.as_os_str().is_empty() && name == RECORDS_MARK)
                || not_state(&root, &dir.join(name)).is_err()
            {
                return ControlFlow::Continue(());
            }
            let kind = match listed.kind {
                Some(kind) => kind,
                // The file system does not say what it is.
                None => match root.calls().stat_at(&handle, name) {
                    Ok(stat) => stat.kind,
                    Err(source) if sys::fault(&source) == Fault::Missing => return ControlFlow::Continue(()),
                    Err(source) => {
                        failed = Some(Error::from_io(source).on("look at", dir.join(name)));
                        return ControlFlow::Break(());
                    }
                },
            };
            visit(name, kind)
        };
        root.calls().list(&handle, &mut each).map_err(Error::from_io)?;
        failed.map_or(Ok(()), Err)
    }
}
