//! One edit as the last that a thread changes: the thread itself is confined for it.
//!
//! In order: it is looked whether the edit may need the private state directory, which is made and removed again
//! outside of every domain. If not, the calling thread enters a domain with the rights of this edit, and carries it
//! out. If it may, or if an observer is to be told, a thread is started as for any confined root.
//!
//! Where the link's directory is opened to others between that look and the change, the edit is `contended`.

use super::run::Run;
use super::{area, shared};
use crate::confine::Enforcement;
use crate::entry::Entry;
use crate::error::Result;
use crate::model::change::Change;
use crate::model::{AsEdit, Edit, Outcome, Staging};
use crate::root::Root;
use crate::state::StateWanted;
use crate::sys::{Access, Rights};

impl Root {
    /// Carries out one edit under the kernel's confinement, and gives up for it what the calling thread could change
    /// besides.
    ///
    /// It comes to what `self.confined(enforcement)?.apply(edit)` comes to. But where that can be, no thread is
    /// started: the calling one is confined, for ever, and so are those that it starts from then on. It is meant for
    /// a program that ends after this edit, for which starting a thread costs more than the edit. Whether the edit
    /// succeeds or not, count on the calling thread being confined afterwards, and do not count on it.
    ///
    /// Where this root is confined already its own threads carry out the edit.
    ///
    /// # Security
    ///
    /// What is left to the calling thread is what [`confined`](Root::confined) leaves to its threads: looking, what
    /// it opened before, and the links below this root. Other threads of the program stay as they are.
    ///
    /// # Errors
    ///
    /// Those of [`confined`](Root::confined) and of [`apply`](Root::apply); `contended` where others changed who may
    /// write the link's directory meanwhile.
    ///
    /// # Platform-specific behavior
    ///
    /// Linux 5.19 or newer, with the feature `confine`.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.create_dir("v1")?;
    /// # std::thread::spawn(move || -> caplink::Result<()> {
    /// use caplink::{Edit, Enforcement, LinkPath, Policy, Root, Target};
    ///
    /// let root = Root::from_dir(dir.try_clone().unwrap(), Policy::default())?;
    /// let edit = Edit::ensure(LinkPath::new("current")?, Target::relative("v1"));
    /// let outcome = root.apply_confining_thread(&edit, Enforcement::Auto)?;
    /// println!("{}: {}", outcome.link, outcome.confinement);
    /// # Ok(())
    /// # }).join().unwrap()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn apply_confining_thread(&self, edit: &impl AsEdit, enforcement: Enforcement) -> Result<Outcome> {
        let edit = &*edit.as_edit();
        if self.threads().is_some() {
            return self.apply(edit);
        }
        if !self.observers().is_empty() || may_need_state(self, edit) {
            return self.confined(enforcement)?.apply(edit);
        }
        let entered = self.enter(Rights::of(edit), enforcement)?;
        let outcome = Run::new(&entered, edit, false).carry_out();
        outcome.map_err(|error| match StateWanted::is_cause(&error) {
            true => area::state_contended().having_made(error.made().to_vec()).on(edit.change.verb(), &edit.path),
            false => error,
        })
    }
}

/// Whether the edit may be staged elsewhere than in the directory of its link.
fn may_need_state(root: &Root, edit: &Edit) -> bool {
    match edit.change {
        Change::Create(_) => return false,
        Change::Exchange(_) => return true,
        _ => {}
    }
    match Entry::open_for(root, &edit.path, Access::Read) {
        Ok(entry) => !(entry.lockable && matches!(shared::predict(&entry), Ok(Staging::Beside))),
        // The edit is refused, too, or nothing is there that could be replaced.
        Err(_) => false,
    }
}
