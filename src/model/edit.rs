//! An edit: if the entry is as expected, make it as desired.

use std::ffi::OsString;

use super::{Durability, LinkPath, Target};

/// What an edit expects to find under the name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expected {
    /// Nothing has the name.
    Nothing,
    /// Nothing, or any symbolic link.
    NothingOrLink,
    /// Any symbolic link.
    AnyLink,
    /// A symbolic link with exactly this text.
    Link(OsString),
}

/// What an edit makes of the name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Desired {
    /// Nothing has the name.
    Nothing,
    /// A link to this target.
    Link(Target),
}

/// One change of one name, with what it is based on. Every mutation is one of these.
///
/// # Examples
///
/// ```
/// use caplink::{Edit, LinkPath, Target};
///
/// let edit = Edit::swap(LinkPath::new("current")?, Target::relative("releases/42"), "releases/41");
/// assert_eq!(edit.path().as_path(), std::path::Path::new("current"));
/// # Ok::<(), caplink::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Edit {
    pub(crate) verb: &'static str,
    pub(crate) path: LinkPath,
    pub(crate) expected: Expected,
    pub(crate) desired: Desired,
    pub(crate) allow_dangling: bool,
    pub(crate) allow_outside: bool,
    pub(crate) unjudged: bool,
    pub(crate) keeps_object: bool,
    pub(crate) leftover: bool,
    pub(crate) while_dangling: bool,
    pub(crate) parents: bool,
    pub(crate) backup: bool,
    pub(crate) missing_ok: bool,
    pub(crate) durability: Durability,
}

impl Edit {
    fn new(verb: &'static str, path: LinkPath, expected: Expected, desired: Desired) -> Edit {
        Edit {
            verb,
            path,
            expected,
            desired,
            allow_dangling: false,
            allow_outside: false,
            unjudged: false,
            keeps_object: false,
            leftover: false,
            while_dangling: false,
            parents: false,
            backup: false,
            missing_ok: false,
            durability: Durability::None,
        }
    }

    /// Makes a link where nothing is.
    pub fn create(path: LinkPath, target: Target) -> Edit {
        Edit::new("create", path, Expected::Nothing, Desired::Link(target))
    }

    /// Makes the name a link to the target, whether nothing or any link was there.
    pub fn ensure(path: LinkPath, target: Target) -> Edit {
        Edit::new("ensure", path, Expected::NothingOrLink, Desired::Link(target))
    }

    /// Replaces the link if its text is exactly `old`.
    pub fn swap(path: LinkPath, target: Target, old: impl Into<OsString>) -> Edit {
        Edit::new("swap", path, Expected::Link(old.into()), Desired::Link(target))
    }

    /// Removes the link.
    pub fn remove(path: LinkPath) -> Edit {
        Edit::new("remove", path, Expected::AnyLink, Desired::Nothing)
    }

    /// Expects exactly this text.
    #[must_use]
    pub fn expect(mut self, text: impl Into<OsString>) -> Edit {
        self.expected = Expected::Link(text.into());
        self
    }

    /// Lets the target be missing.
    #[must_use]
    pub fn allow_dangling(mut self, allow: bool) -> Edit {
        self.allow_dangling = allow;
        self
    }

    /// Lets the text lead outside the root.
    #[must_use]
    pub fn allow_outside(mut self, allow: bool) -> Edit {
        self.allow_outside = allow;
        self
    }

    /// Does not look where the text leads: it may be missing, lead outside or in a circle.
    ///
    /// For batches whose targets the caller knows; it saves two system calls. The policy must allow missing targets and
    /// targets outside.
    #[must_use]
    pub fn unjudged(mut self, unjudged: bool) -> Edit {
        self.unjudged = unjudged;
        self
    }

    /// Demands that the new text leads to the very object that the present one leads to, or to none if that does.
    ///
    /// It is verified before the new link becomes visible; if it leads elsewhere the edit is a `mismatch`.
    #[must_use]
    pub fn keeping_object(mut self, keep: bool) -> Edit {
        self.keeps_object = keep;
        self
    }

    /// Removes a link that an interrupted operation staged: only one that belongs to the caller.
    #[must_use]
    pub(crate) fn leftover(mut self, leftover: bool) -> Edit {
        self.leftover = leftover;
        self
    }

    /// Demands that the present text leads to nothing. A target can come back without any change of the link.
    #[must_use]
    pub(crate) fn while_dangling(mut self, demand: bool) -> Edit {
        self.while_dangling = demand;
        self
    }

    /// Names the operation that the edit is part of, for its errors.
    #[must_use]
    pub(crate) fn during(mut self, verb: &'static str) -> Edit {
        self.verb = verb;
        self
    }

    /// Creates missing parent directories, below the root; none where their paths would be longer than 16 MiB together.
    #[must_use]
    pub fn parents(mut self, create: bool) -> Edit {
        self.parents = create;
        self
    }

    /// Moves a file or directory in the way aside, beside the link. Only for [`Edit::ensure`].
    #[must_use]
    pub fn backup(mut self, backup: bool) -> Edit {
        self.backup = backup;
        self
    }

    /// Lets the link, or its directory, be missing already. Only for [`Edit::remove`].
    #[must_use]
    pub fn missing_ok(mut self, ok: bool) -> Edit {
        self.missing_ok = ok;
        self
    }

    /// Says what is to survive a power cut once the edit has succeeded.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Edit {
        self.durability = durability;
        self
    }

    /// Returns the path of the link.
    pub fn path(&self) -> &LinkPath {
        &self.path
    }

    /// Returns what is expected under the name.
    pub fn expected(&self) -> &Expected {
        &self.expected
    }

    /// Returns what is made of the name.
    pub fn desired(&self) -> &Desired {
        &self.desired
    }
}
