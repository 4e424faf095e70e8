//! One edit as the last that a thread changes: the thread itself is confined for it.
//!
//! In order: it is looked whether the edit may need the private state directory, which is made and removed again
//! outside of every domain. If not, the calling thread enters a domain with the rights of this edit, and carries it
//! out. If it may, the caller has a thread started, as for any confined root.
//!
//! Where the link's directory is opened to others between that look and the change, the edit is `contended`.

use super::halt::Halt;
use super::halt::state_contended;
use super::run::Run;
use super::{create, shared};
use crate::confine::Enforcement;
use crate::entry::Opened;
use crate::error::Result;
use crate::model::change::Change;
use crate::model::{Edit, Outcome, Staging};
use crate::root::Root;
use crate::sys::{Access, Rights};

/// Confines the calling thread and carries out the edit; `None` if the edit may need what such a thread cannot do.
pub(crate) fn carry_out_confining_thread(
    root: &Root,
    edit: &Edit,
    enforcement: Enforcement,
) -> Option<Result<Outcome>> {
    if may_need_state(root, edit) {
        return None;
    }
    let carry_out = || {
        let entered = root.enter(Rights::of(edit), enforcement)?;
        Run::new(&entered, edit, false).carry_out()
    };
    Some(carry_out().map_err(|halt| match halt {
        Halt::Failed(error) => error,
        // Nobody is left who could make a place: the thread itself is confined.
        Halt::Wanted(wanted) => {
            let error = wanted.unfinished.map_or_else(state_contended, create::left);
            error.having_made(wanted.made).on(edit.change.verb(), &edit.path)
        }
    }))
}

/// Whether the edit may be staged elsewhere than in the directory of its link. What is created is not staged,
/// but moved there to be taken back.
fn may_need_state(root: &Root, edit: &Edit) -> bool {
    if let Change::Exchange(_) = edit.change {
        return true;
    }
    match Opened::open_for(root, &edit.path, Access::Read) {
        Ok(entry) => !(entry.lockable && matches!(shared::predict(&entry), Ok(Staging::Beside))),
        // The edit is refused, too, or nothing is there that could be replaced.
        Err(_) => false,
    }
}
