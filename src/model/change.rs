//! What an edit does to its name: one variant for each operation, with just what belongs to it.
//!
//! Every value that can be built here is an edit that makes sense. What an operation has not, its type has not: only an
//! [`Ensure`] can back up what is in the way, only a [`Remove`] can be content with a missing link.

use std::ffi::{OsStr, OsString};

use super::{LinkPath, Target};

/// One operation on one name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// Creates a link where nothing is.
    Create(Create),
    /// Makes the name a link to a target, whether nothing or any link was there.
    Ensure(Ensure),
    /// Replaces a link whose text is known.
    Swap(Swap),
    /// Removes a link.
    Remove(Remove),
    /// Exchanges two links.
    Exchange(Exchange),
    /// Removes what an interrupted run staged.
    RemoveStale(RemoveStale),
    /// Repairs a link whose text is known.
    Repair(Repair),
}

/// A link that is to be made: its target, and where that may lead.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct NewLink {
    /// What the link leads to.
    pub target: Target,
    /// The target may be missing.
    pub allow_dangling: bool,
    /// The text may lead outside the root.
    pub allow_outside: bool,
    /// The text is not followed at all: it may be missing, lead outside or in a circle.
    pub unjudged: bool,
}

impl NewLink {
    /// A link to a target that exists, below the root.
    pub fn new(target: Target) -> NewLink {
        NewLink { target, allow_dangling: false, allow_outside: false, unjudged: false }
    }

    /// Lets the target be missing.
    #[must_use]
    pub fn allow_dangling(self, allow: bool) -> NewLink {
        NewLink { allow_dangling: allow, ..self }
    }

    /// Lets the text lead outside the root.
    #[must_use]
    pub fn allow_outside(self, allow: bool) -> NewLink {
        NewLink { allow_outside: allow, ..self }
    }
}

impl From<Target> for NewLink {
    fn from(target: Target) -> NewLink {
        NewLink::new(target)
    }
}

/// Creates a link where nothing is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Create {
    /// The link.
    pub link: NewLink,
    /// Missing parent directories are created.
    pub parents: bool,
}

/// Makes the name a link to a target.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Ensure {
    /// The link.
    pub link: NewLink,
    /// Missing parent directories are created.
    pub parents: bool,
    /// A link with another text is replaced; otherwise it is `exists`.
    pub replace: bool,
    /// A file or directory in the way is renamed beside the link; otherwise it is `not_a_link`.
    pub backup: bool,
}

/// Replaces a link whose text is known: compare-and-swap.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Swap {
    /// The new link.
    pub link: NewLink,
    /// The text that the present link must have.
    pub expected: OsString,
}

/// Removes a link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Remove {
    /// The text that the link must have; `None` for any.
    pub expected: Option<OsString>,
    /// The link, or its directory, may be missing already.
    pub missing_ok: bool,
}

/// Exchanges two links: this one and another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Exchange {
    /// The other link.
    pub with: LinkPath,
    /// A target may be missing, seen from its link's new place.
    pub allow_dangling: bool,
    /// A text may lead outside the root, seen from its link's new place.
    pub allow_outside: bool,
}

/// Removes what an interrupted run staged, if it has a staging name and belongs to the caller. It may be gone already.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RemoveStale {
    /// A staged link with this text.
    Link(OsString),
    /// An empty staging directory.
    Dir,
}

/// Repairs a link whose text is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Repair {
    /// The text that the present link must have.
    pub expected: OsString,
    /// What is done.
    pub fix: Fix,
}

/// How a link is repaired, and on what condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fix {
    /// Another text, whatever it led to.
    Retarget(NewLink),
    /// Another text that leads to the very object that the present one leads to, or to none if that does.
    KeepObject(NewLink),
    /// Another text, while the present one leads to nothing.
    ReplaceDangling(NewLink),
    /// The link is removed, while it leads to nothing.
    RemoveDangling,
}

/// What an edit expects to find under its name. Pure shorthand for what [`Change`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected<'a> {
    Nothing,
    NothingOrLink,
    AnyLink,
    Link(&'a OsStr),
}

impl Change {
    /// The name of the operation, as errors and records give it.
    pub fn verb(&self) -> &'static str {
        match self {
            Change::Create(_) => "create",
            Change::Ensure(_) => "ensure",
            Change::Swap(_) => "swap",
            Change::Remove(_) | Change::RemoveStale(_) => "remove",
            Change::Exchange(_) => "exchange",
            Change::Repair(_) => "repair",
        }
    }

    /// The link that is to be made; `None` for a removal and an exchange.
    pub fn link(&self) -> Option<&NewLink> {
        match self {
            Change::Create(Create { link, .. })
            | Change::Ensure(Ensure { link, .. })
            | Change::Swap(Swap { link, .. })
            | Change::Repair(Repair {
                fix: Fix::Retarget(link) | Fix::KeepObject(link) | Fix::ReplaceDangling(link),
                ..
            }) => Some(link),
            Change::Remove(_)
            | Change::Exchange(_)
            | Change::RemoveStale(_)
            | Change::Repair(Repair { fix: Fix::RemoveDangling, .. }) => None,
        }
    }

    /// The text that the present link must have, where the change names one.
    pub fn expected_text(&self) -> Option<&OsStr> {
        match self.expected() {
            Expected::Link(text) => Some(text),
            Expected::Nothing | Expected::NothingOrLink | Expected::AnyLink => None,
        }
    }

    pub(crate) fn expected(&self) -> Expected<'_> {
        match self {
            Change::Create(_) | Change::Ensure(Ensure { replace: false, .. }) => Expected::Nothing,
            Change::Ensure(_) => Expected::NothingOrLink,
            Change::Swap(Swap { expected, .. })
            | Change::Remove(Remove { expected: Some(expected), .. })
            | Change::RemoveStale(RemoveStale::Link(expected))
            | Change::Repair(Repair { expected, .. }) => Expected::Link(expected),
            Change::Remove(Remove { expected: None, .. })
            | Change::Exchange(_)
            | Change::RemoveStale(RemoveStale::Dir) => Expected::AnyLink,
        }
    }

    /// Whether missing parent directories are created.
    pub(crate) fn parents(&self) -> bool {
        matches!(self, Change::Create(Create { parents: true, .. }) | Change::Ensure(Ensure { parents: true, .. }))
    }

    /// Whether a file or directory in the way is moved to a backup name.
    pub(crate) fn backup(&self) -> bool {
        matches!(self, Change::Ensure(Ensure { backup: true, .. }))
    }

    /// Whether the link, or its directory, may be missing already.
    pub(crate) fn missing_ok(&self) -> bool {
        matches!(self, Change::Remove(Remove { missing_ok: true, .. }) | Change::RemoveStale(_))
    }

    /// Whether the change stands only while the present text leads to nothing.
    pub(crate) fn while_dangling(&self) -> bool {
        matches!(self, Change::Repair(Repair { fix: Fix::ReplaceDangling(_) | Fix::RemoveDangling, .. }))
    }

    /// The present text, where the new one must lead to the same object.
    pub(crate) fn keeps_object_of(&self) -> Option<&OsStr> {
        match self {
            Change::Repair(Repair { expected, fix: Fix::KeepObject(_) }) => Some(expected),
            _ => None,
        }
    }
}
