//! Carries out edits and plans, and calls the recorders.
//!
//! Whatever changes a link through a root goes through [`recorded`](recorded::recorded): the one place where recorders
//! are asked before a change and informed after it.

mod plan;
mod recorded;
mod repair;
mod verbs;

use crate::confine::Enforcement;
use crate::entry::Entry;
use crate::error::{Error, Kind, Result};
use crate::exec::{self, Previews, previewed};
use crate::model::{AsEdit, Durability, Edit, Outcome};
use crate::root::Root;

use recorded::{recorded, recorded_one};

#[cfg(feature = "records")]
pub(crate) use recorded::inform;

pub use plan::Foreseen;
pub use repair::RepairOptions;

impl Root {
    /// Carries out one edit.
    ///
    /// # Security
    ///
    /// Nothing outside the root is created, changed or removed, whatever others do to the tree meanwhile. Only
    /// symbolic links are replaced or removed. See SECURITY.md for the limits.
    ///
    /// # Errors
    ///
    /// See [`Kind`]. After an error nothing was changed, unless [`Error::left`] or [`Error::preserved`] say so.
    pub fn apply(&self, edit: &impl AsEdit) -> Result<Outcome> {
        recorded_one(self, &edit.as_edit(), |edit| exec::carry_out_one(self, edit))
    }

    /// Carries out edits in order, each for itself, and returns what each came to.
    ///
    /// This is much faster than one call for each. Another holder of a lock is waited for once, not once for each edit, and
    /// all of them together at most five seconds; then edits are `busy`.
    ///
    /// # Security
    ///
    /// Consecutive edits of one directory share its opening, a look at who may write it, and one proof that it is still
    /// where their paths lead. A link that was created or found unchanged is looked at right away; the proof comes after at
    /// most 64 edits, and no edit is begun later than 10 ms after the directory was opened. So far apart can look and proof
    /// be. If the directory is not in its place by then, what was created is taken back, what was replaced or removed is put
    /// back, both are reported as `parent_moved`, and what was unchanged is looked for anew. Edits with a durability of their
    /// own are proven one by one.
    ///
    /// Edits that replace or remove one after the other hold the lock of their directory together, for as long. What they
    /// displace is unlinked after the proof: until then a new link can be read in a directory that was moved away, and a crash
    /// can leave as many links under the names of leftovers, where one edit leaves one. Where others can touch what is
    /// displaced each edit is proven for itself.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.create_dir("v1")?;
    /// use caplink::{Edit, LinkPath, Policy, Root, Target};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let edit = |name| LinkPath::new(name).map(|path| Edit::create(path, Target::relative("v1")).into());
    /// let results = root.apply_all(&[edit("a")?, edit("b")?, edit("a")?]);
    /// assert!(results[0].is_ok() && results[1].is_ok() && results[2].is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn apply_all(&self, edits: &[Edit]) -> Vec<Result<Outcome>> {
        let batch = match self.batch() {
            Some(_) => self.clone(),
            None => self.in_batch(Durability::None),
        };
        recorded(self, &[], edits, |_| true, |edits| exec::carry_out(&batch, edits, |_| true))
    }

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
    /// # let kept = dir;
    /// # let dir = kept.try_clone()?;
    /// # std::thread::spawn(move || -> caplink::Result<()> {
    /// use caplink::{Edit, Enforcement, LinkPath, Policy, Root, Target};
    ///
    /// let root = Root::from_dir(dir, Policy::default())?;
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
        // What a recorder does the domain would forbid.
        let carried_out = match self.recorders() {
            [] => exec::carry_out_confining_thread(self, edit, enforcement),
            _ => None,
        };
        carried_out.unwrap_or_else(|| self.confined(enforcement)?.apply(edit))
    }

    /// Decides everything and changes nothing: what [`apply`](Root::apply) would report, as the tree is now.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Root::apply) that do not come from making the change.
    pub fn preview(&self, edit: &impl AsEdit) -> Result<Outcome> {
        Previews::new(self).next(&edit.as_edit())
    }

    /// Decides everything and changes nothing: what [`apply_all`](Root::apply_all) would report of edits of different
    /// links. Each target is judged as the edits before it would leave the tree.
    ///
    /// # Security
    ///
    /// Consecutive edits of one directory share its opening, a look at who may write it, and a proof that it is still where
    /// their paths lead, after at most 64 of them and when 10 ms are over; so do those whose targets are in one directory. If
    /// a directory is not in its place by then, everything is previewed anew, and each edit looks for itself.
    ///
    /// # Errors
    ///
    /// Those of [`preview`](Root::preview), for each edit.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.create_dir("v1")?;
    /// use caplink::{Edit, LinkPath, Policy, Root, Target};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let edit = |link, target| LinkPath::new(link).map(|path| Edit::create(path, Target::relative(target)).into());
    /// let edits = [edit("current", "v1")?, edit("latest", "current")?];
    /// assert!(root.preview_all(&edits).iter().all(Result::is_ok));
    /// assert!(root.preview(&edits[1]).is_err(), "`current` is not there");
    /// # Ok(())
    /// # }
    /// ```
    pub fn preview_all(&self, edits: &[Edit]) -> Vec<Result<Outcome>> {
        previewed(self, |previews| {
            (0..edits.len()).filter_map(|first| previews.first_of(edits[first..].iter())).collect()
        })
    }
}

impl Entry {
    /// Carries out one edit of this entry, in the directory that was opened.
    ///
    /// # Errors
    ///
    /// Those of [`Root::apply`]; `usage` where the edit is about another path.
    pub fn apply(&self, edit: &impl AsEdit) -> Result<Outcome> {
        let edit = &*edit.as_edit();
        if edit.path != *self.path() {
            return Err(Error::new(Kind::Usage)
                .on(edit.change.verb(), &edit.path)
                .because("the edit is about another path"));
        }
        recorded_one(&self.0.root, edit, |edit| exec::carry_out_in(&self.0, edit))
    }
}
