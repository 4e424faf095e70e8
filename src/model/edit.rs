//! An edit: one change of one name, as data.
//!
//! The builders exist only where they make sense: `Edit<Swap>` has no `backup`, `Edit<Remove>` has no target.

use std::borrow::Cow;
use std::ffi::OsString;

use super::change::{Change, Create, Ensure, Exchange, Fix, NewLink, Remove, RemoveStale, Repair, Swap};
use super::{Durability, LinkPath};

/// One change of one name, with what it is based on. Every mutation is one of these.
///
/// The constructors return an edit of a known kind, which has the options of that kind. `Edit`, which is `Edit<Change>`,
/// is an edit of any kind; every other converts into it.
///
/// # Examples
///
/// ```
/// use caplink::{Edit, LinkPath, Target};
///
/// let current = LinkPath::new("current")?;
/// let swap = Edit::swap(current.clone(), Target::relative("releases/42"), "releases/41").allow_dangling(true);
/// let edits: [Edit; 2] = [swap.into(), Edit::remove(LinkPath::new("old")?).missing_ok(true).into()];
/// assert_eq!(edits[0].path(), &current);
/// # Ok::<(), caplink::Error>(())
/// ```
///
/// An edit that makes no sense does not compile. Only `ensure` can back up what is in the way:
///
/// ```compile_fail,E0599
/// # use caplink::{Edit, LinkPath, Target};
/// let _ = Edit::swap(LinkPath::new("d").unwrap(), Target::relative("v2"), "v1").backup(true);
/// ```
///
/// ```compile_fail,E0599
/// # use caplink::{Edit, LinkPath};
/// let _ = Edit::remove(LinkPath::new("f").unwrap()).backup(true);
/// ```
///
/// Only `remove` can be content with a missing link:
///
/// ```compile_fail,E0599
/// # use caplink::{Edit, LinkPath, Target};
/// let _ = Edit::swap(LinkPath::new("d/l").unwrap(), Target::relative("v2"), "v1").missing_ok(true);
/// ```
///
/// ```compile_fail,E0599
/// # use caplink::{Edit, LinkPath, Target};
/// let _ = Edit::ensure(LinkPath::new("d/l").unwrap(), Target::relative("v2")).missing_ok(true);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Edit<C = Change> {
    pub(crate) path: LinkPath,
    pub(crate) change: C,
    pub(crate) durability: Durability,
}

impl<C> Edit<C> {
    /// An edit from its parts.
    pub fn new(path: LinkPath, change: C) -> Edit<C> {
        Edit { path, change, durability: Durability::None }
    }

    /// Says what is to survive a power cut once the edit has succeeded.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Edit<C> {
        self.durability = durability;
        self
    }

    /// Returns the path of the link.
    pub fn path(&self) -> &LinkPath {
        &self.path
    }

    /// Returns what is done to it.
    pub fn change(&self) -> &C {
        &self.change
    }

    /// Returns what is to survive a power cut once the edit has succeeded.
    pub fn wanted_durability(&self) -> Durability {
        self.durability
    }
}

impl Edit<Create> {
    /// Creates a link where nothing is.
    pub fn create(path: LinkPath, link: impl Into<NewLink>) -> Edit<Create> {
        Edit::new(path, Create { link: link.into(), parents: false })
    }

    /// Creates missing parent directories, below the root; none where their paths would be longer than 16 MiB together.
    #[must_use]
    pub fn parents(mut self, create: bool) -> Edit<Create> {
        self.change.parents = create;
        self
    }
}

impl Edit<Ensure> {
    /// Makes the name a link to the target, whether nothing or any link was there.
    pub fn ensure(path: LinkPath, link: impl Into<NewLink>) -> Edit<Ensure> {
        Edit::new(path, Ensure { link: link.into(), parents: false, replace: true, backup: false })
    }

    /// Creates missing parent directories, below the root; none where their paths would be longer than 16 MiB together.
    #[must_use]
    pub fn parents(mut self, create: bool) -> Edit<Ensure> {
        self.change.parents = create;
        self
    }

    /// Replaces a link with another text, as is the default; otherwise that is `exists`.
    #[must_use]
    pub fn replace(mut self, replace: bool) -> Edit<Ensure> {
        self.change.replace = replace;
        self
    }

    /// Renames a file or directory in the way to a backup name beside the link.
    #[must_use]
    pub fn backup(mut self, backup: bool) -> Edit<Ensure> {
        self.change.backup = backup;
        self
    }
}

impl Edit<Swap> {
    /// Replaces the link if its text is exactly `old`.
    #[doc(alias = "compare_exchange")]
    pub fn swap(path: LinkPath, link: impl Into<NewLink>, old: impl Into<OsString>) -> Edit<Swap> {
        Edit::new(path, Swap { link: link.into(), expected: old.into() })
    }
}

impl Edit<Remove> {
    /// Removes the link.
    pub fn remove(path: LinkPath) -> Edit<Remove> {
        Edit::new(path, Remove::default())
    }

    /// Removes it only if its text is exactly this.
    #[must_use]
    pub fn expect(mut self, text: impl Into<OsString>) -> Edit<Remove> {
        self.change.expected = Some(text.into());
        self
    }

    /// Lets the link, or its directory, be missing already.
    #[must_use]
    pub fn missing_ok(mut self, ok: bool) -> Edit<Remove> {
        self.change.missing_ok = ok;
        self
    }
}

impl Edit<Exchange> {
    /// Exchanges two links in one step.
    ///
    /// Each text is judged at its new place first. The [`Outcome`](crate::Outcome) is that of the first link, and has that
    /// of the second as its `counterpart`.
    pub fn exchange(path: LinkPath, with: LinkPath) -> Edit<Exchange> {
        Edit::new(path, Exchange { with, allow_dangling: false, allow_outside: false })
    }

    /// Lets a target be missing, seen from its link's new place.
    #[must_use]
    pub fn allow_dangling(mut self, allow: bool) -> Edit<Exchange> {
        self.change.allow_dangling = allow;
        self
    }

    /// Lets a text lead outside the root, seen from its link's new place.
    #[must_use]
    pub fn allow_outside(mut self, allow: bool) -> Edit<Exchange> {
        self.change.allow_outside = allow;
        self
    }
}

impl Edit<RemoveStale> {
    /// Removes what an interrupted run staged.
    pub fn remove_stale(path: LinkPath, stale: RemoveStale) -> Edit<RemoveStale> {
        Edit::new(path, stale)
    }
}

impl Edit<Repair> {
    /// Repairs the link if its text is exactly `expected`.
    pub fn repair(path: LinkPath, expected: impl Into<OsString>, fix: Fix) -> Edit<Repair> {
        Edit::new(path, Repair { expected: expected.into(), fix })
    }
}

/// A change that makes a link: [`Create`], [`Ensure`], [`Swap`].
pub trait MakesLink: sealed::Sealed {
    #[doc(hidden)]
    fn new_link(&mut self) -> &mut NewLink;
}

impl<C: MakesLink> Edit<C> {
    /// Lets the target be missing.
    #[must_use]
    pub fn allow_dangling(mut self, allow: bool) -> Edit<C> {
        self.change.new_link().allow_dangling = allow;
        self
    }

    /// Lets the text lead outside the root.
    #[must_use]
    pub fn allow_outside(mut self, allow: bool) -> Edit<C> {
        self.change.new_link().allow_outside = allow;
        self
    }

    /// Does not follow the text: it may be missing, lead outside or in a circle.
    ///
    /// For batches whose targets the caller knows; it saves two system calls. The policy must allow missing targets and
    /// targets outside.
    #[must_use]
    pub fn unjudged(mut self, unjudged: bool) -> Edit<C> {
        self.change.new_link().unjudged = unjudged;
        self
    }
}

/// An edit of a known or of any kind.
pub trait AsEdit: sealed::Sealed {
    /// Returns it as an edit of any kind.
    fn as_edit(&self) -> Cow<'_, Edit>;
}

impl AsEdit for Edit {
    fn as_edit(&self) -> Cow<'_, Edit> {
        Cow::Borrowed(self)
    }
}

impl sealed::Sealed for Edit {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! kinds {
    ($($kind:ident)*) => {$(
        impl From<$kind> for Change {
            fn from(change: $kind) -> Change {
                Change::$kind(change)
            }
        }

        impl From<Edit<$kind>> for Edit {
            fn from(edit: Edit<$kind>) -> Edit {
                Edit { path: edit.path, change: Change::$kind(edit.change), durability: edit.durability }
            }
        }

        impl sealed::Sealed for Edit<$kind> {}

        impl AsEdit for Edit<$kind> {
            fn as_edit(&self) -> Cow<'_, Edit> {
                Cow::Owned(self.clone().into())
            }
        }
    )*};
}

kinds!(Create Ensure Swap Remove Exchange RemoveStale Repair);

macro_rules! makes_link {
    ($($kind:ident)*) => {$(
        impl sealed::Sealed for $kind {}

        impl MakesLink for $kind {
            fn new_link(&mut self) -> &mut NewLink {
                &mut self.link
            }
        }
    )*};
}

makes_link!(Create Ensure Swap);
