//! What one edit did.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::LinkPath;
use crate::error::{Error, UnknownWord, words};

words! {
    "outcome":
    /// What became of a name.
    #[non_exhaustive]
    pub enum Effect {
        /// A link was created where no link was.
        Created = "created",
        /// It was so already; nothing was written.
        Unchanged = "unchanged",
        /// Another link was replaced.
        Replaced = "replaced",
        /// Two links were exchanged.
        Exchanged = "exchanged",
        /// The link was removed.
        Removed = "removed",
        /// A file or directory moved to another name, and a link to it took its place.
        Adopted = "adopted",
        /// The edit was not tried.
        Skipped = "skipped",
    }
}

impl Effect {
    /// Returns whether the name differs because of the edit.
    pub fn is_change(self) -> bool {
        !matches!(self, Effect::Unchanged | Effect::Skipped)
    }
}

words! {
    "guarantee":
    /// What this host could promise for an edit.
    pub enum Guarantee {
        /// The kernel compared or exchanged in one step, or creation was exclusive.
        Atomic = "atomic",
        /// Correct among holders of this program's lock only.
        Cooperative = "cooperative",
    }
}

words! {
    "durability":
    /// What survives a power cut once an edit has succeeded.
    #[derive(Default, PartialOrd, Ord)]
    #[non_exhaustive]
    pub enum Durability {
        /// Nothing is waited for.
        #[default]
        None = "none",
        /// Each changed directory is synced.
        Dir = "dir",
        /// The whole file system is synced.
        Fs = "fs",
    }
}

/// How far the kernel itself confined an edit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Confinement {
    /// Not at all, beyond the confined lookups.
    #[default]
    None,
    /// By Landlock, with the rules of this version of its interface.
    Landlock(u32),
}

impl fmt::Display for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Confinement::None => f.write_str("none"),
            Confinement::Landlock(version) => write!(f, "landlock-{version}"),
        }
    }
}

impl FromStr for Confinement {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Confinement, UnknownWord> {
        let version = || {
            let digits = word.strip_prefix("landlock-")?;
            digits.parse().ok().filter(|version: &u32| version.to_string() == digits)
        };
        match word {
            "none" => Ok(Confinement::None),
            _ => version().map(Confinement::Landlock).ok_or_else(|| UnknownWord::new("confinement", word)),
        }
    }
}

words! {
    "place of staging":
    /// Where the new link was made before it was published.
    #[non_exhaustive]
    pub enum Staging {
        /// Nothing was staged.
        None = "none",
        /// In the link's own directory, under a random name.
        Beside = "beside",
        /// In the private state directory.
        Private = "private",
    }
}

/// A file system object: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ObjectId {
    /// The device, as `stat` reports it.
    pub device: u64,
    /// The inode on that device.
    pub inode: u64,
}

/// What one edit did, as it was read back.
#[derive(Clone, Debug)]
#[must_use = "an outcome says what was there before and how much was guaranteed"]
#[non_exhaustive]
pub struct Outcome {
    /// The link, normalised.
    pub link: LinkPath,
    /// Where the link is below the root, if links were followed on the way.
    pub physical: Option<PathBuf>,
    /// What became of the name.
    pub effect: Effect,
    /// The text the link has now; `None` once it is removed.
    pub target: Option<OsString>,
    /// The text of the link that was displaced, never of one seen earlier.
    pub previous: Option<OsString>,
    /// What this host could promise.
    pub guarantee: Guarantee,
    /// What was synced.
    pub durability: Durability,
    /// How far the kernel confined the edit.
    pub confinement: Confinement,
    /// Where the new link was staged.
    pub staging: Staging,
    /// Whether the result was read back by a new walk from the root.
    pub verified: bool,
    /// Whether everything was decided and nothing changed.
    pub dry_run: bool,
    /// Where a file or directory that was in the way is kept.
    pub backup: Option<PathBuf>,
    /// The parent directories that were created.
    pub made: Vec<PathBuf>,
    /// Errors that happened after the change stood: residue, a sync that failed.
    pub shortfalls: Vec<Error>,
    /// What became of the other link of an exchange.
    pub counterpart: Option<Box<Outcome>>,
}

impl Outcome {
    /// Returns the outcome of each link that the edit changed: this one, and its counterpart.
    pub fn each(&self) -> impl Iterator<Item = &Outcome> {
        std::iter::successors(Some(self), |outcome| outcome.counterpart.as_deref())
    }

    /// Returns where the link is below the root, links on the way followed.
    pub fn physical_path(&self) -> &Path {
        self.physical.as_deref().unwrap_or(self.link.as_path())
    }

    /// An outcome without any particular.
    pub(crate) fn of(link: LinkPath, effect: Effect) -> Outcome {
        Outcome {
            link,
            physical: None,
            effect,
            target: None,
            previous: None,
            guarantee: Guarantee::Atomic,
            durability: Durability::None,
            confinement: Confinement::None,
            staging: Staging::None,
            verified: false,
            dry_run: false,
            backup: None,
            made: Vec::new(),
            shortfalls: Vec::new(),
            counterpart: None,
        }
    }

    /// The outcome of a preview that found nothing to change, as that of the edit itself.
    pub(crate) fn into_real(mut self) -> Outcome {
        self.for_each_mut(&mut |outcome| outcome.dry_run = false);
        self
    }

    pub(crate) fn for_each_mut(&mut self, act: &mut dyn FnMut(&mut Outcome)) {
        act(self);
        if let Some(counterpart) = &mut self.counterpart {
            counterpart.for_each_mut(act);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confinement_is_read_as_it_is_shown() {
        for level in [Confinement::None, Confinement::Landlock(2), Confinement::Landlock(17)] {
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        for other in ["", "landlock", "landlock-", "landlock-02", "landlock-+2", "landlock--1", "None"] {
            assert!(other.parse::<Confinement>().is_err(), "{other}");
        }
    }
}
