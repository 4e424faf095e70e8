//! What a link is like: one status, any number of traits.

use crate::error::words;

words! {
    "status":
    /// Where a link leads when it is resolved below the root. A link has exactly one.
    #[derive(PartialOrd, Ord)]
    pub enum Status {
        /// To something below the root.
        Ok = "ok",
        /// A component below the root is missing.
        Dangling = "dangling",
        /// In a circle, or over more than 40 hops.
        Loop = "loop",
        /// Outside the root, whether or not something is there.
        Escape = "escape",
        /// It cannot be known with the caller's permissions.
        Denied = "denied",
        /// Its text is empty, as a crash can leave it.
        Corrupt = "corrupt",
    }
}

words! {
    "trait":
    /// A peculiarity of a link. A link has any number.
    #[derive(PartialOrd, Ord)]
    #[non_exhaustive]
    pub enum Trait {
        /// The text begins with `/`.
        Absolute = "absolute",
        /// The text has `//`, `/./`, a trailing `/` or a name followed by `..`.
        Messy = "messy",
        /// The text has more `..` than it needs.
        Lengthy = "lengthy",
        /// It leads over more than one link.
        Chain = "chain",
        /// It leads to another file system.
        OtherFs = "other_fs",
        /// It leads outside, to nothing.
        OutsideMissing = "outside_missing",
    }
}

/// A set of traits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Traits(u8);

impl Traits {
    /// Returns whether the trait is in the set.
    pub fn contains(self, of: Trait) -> bool {
        self.0 & (1 << of as u8) != 0
    }

    /// Returns the traits in the order of reports.
    pub fn iter(self) -> impl Iterator<Item = Trait> {
        Trait::ALL.iter().copied().filter(move |of| self.contains(*of))
    }

    /// Returns whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn set(&mut self, of: Trait, present: bool) {
        if present {
            self.0 |= 1 << of as u8;
        }
    }
}

impl FromIterator<Trait> for Traits {
    fn from_iter<I: IntoIterator<Item = Trait>>(traits: I) -> Traits {
        let mut set = Traits::default();
        traits.into_iter().for_each(|of| set.set(of, true));
        set
    }
}
