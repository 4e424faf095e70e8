//! What a scan says of a link, and of all of them together. Pure.

use std::ffi::OsString;
use std::path::PathBuf;

use super::{Status, Trait, Traits, is_staged_name};

/// A link that a scan came by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The link, below the root.
    pub link: PathBuf,
    /// The stored text; `None` where the caller may not read it.
    pub target: Option<OsString>,
    /// Where it leads.
    pub status: Status,
    /// Its peculiarities.
    pub traits: Traits,
    /// How many links were gone through, this one included.
    pub hops: usize,
    /// The path below the root of what it leads to; empty for the root itself.
    pub resolved: Option<PathBuf>,
    /// Whether a `..` stayed at the root on the way, which it does where the policy says
    /// [`rooted`](crate::Policy::rooted).
    pub clamped: bool,
    /// Whether it dangles because its text asks for a directory (`x/`) where something else is.
    pub not_a_directory: bool,
}

impl Finding {
    /// Returns whether its name is that of a staged link that was not published: left by an operation that was
    /// interrupted, or about to be published by one that is under way.
    pub fn is_staged(&self) -> bool {
        self.link.file_name().is_some_and(is_staged_name)
    }
}

/// What a scan came by, counted. It adds up: each link has one status, and any number of traits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Links.
    pub links: u64,
    /// Entries of directories, the links included, without what was excluded.
    pub entries: u64,
    /// Directories that were read.
    pub dirs: u64,
    /// Directories that could not be read, wholly or in part.
    pub dirs_unread: u64,
    /// Mount points that were not entered.
    pub mounts: u64,
    /// Whether everything below the directory was seen: the scan came to its end, every directory was read, and none
    /// was moved about meanwhile so that it was met twice.
    pub complete: bool,
    statuses: [u64; Status::ALL.len()],
    traits: [u64; Trait::ALL.len()],
}

impl Summary {
    /// Returns how many links have this status.
    pub fn with_status(&self, status: Status) -> u64 {
        self.statuses[status as usize]
    }

    /// Returns how many links have this trait.
    pub fn with_trait(&self, of: Trait) -> u64 {
        self.traits[of as usize]
    }

    pub(crate) fn add(&mut self, finding: &Finding) {
        self.links += 1;
        self.statuses[finding.status as usize] += 1;
        finding.traits.iter().for_each(|of| self.traits[of as usize] += 1);
    }

    /// Counts a link no more.
    #[cfg(feature = "watch")]
    pub(crate) fn take(&mut self, status: Status, traits: Traits) {
        self.links -= 1;
        self.statuses[status as usize] -= 1;
        traits.iter().for_each(|of| self.traits[of as usize] -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_adds_up() {
        let finding = |status, traits: &[Trait]| Finding {
            link: "l".into(),
            target: None,
            status,
            traits: traits.iter().copied().collect(),
            hops: 1,
            resolved: None,
            clamped: false,
            not_a_directory: false,
        };
        let mut summary = Summary::default();
        for (count, status) in Status::ALL.iter().enumerate() {
            (0..=count).for_each(|_| summary.add(&finding(*status, &[Trait::Messy, Trait::Chain])));
        }
        let by_status: u64 = Status::ALL.iter().map(|status| summary.with_status(*status)).sum();
        assert_eq!((summary.links, by_status), (21, 21));
        assert_eq!(summary.with_status(Status::Dangling), 2);
        assert_eq!((summary.with_trait(Trait::Chain), summary.with_trait(Trait::Absolute)), (summary.links, 0));
    }
}
