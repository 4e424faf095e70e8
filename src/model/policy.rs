//! What a holder of a root may do.

/// What a holder of a root may do. It is chosen when the root is opened, and can only be narrowed afterwards.
///
/// The default lets links be created, replaced and removed; parents that are links and paths across mount points are
/// refused; a weaker guarantee is accepted where the host has no better; every success is read back.
///
/// # Examples
///
/// ```
/// use caplink::Policy;
///
/// let looking_only = Policy::default().changes(false);
/// assert!(!looking_only.allows_changes());
/// assert_eq!(looking_only.narrow(Policy::default()), looking_only);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    pub(crate) create: bool,
    pub(crate) replace: bool,
    pub(crate) remove: bool,
    pub(crate) dangling: bool,
    pub(crate) outside: bool,
    pub(crate) follow: bool,
    pub(crate) cross_mounts: bool,
    pub(crate) cooperative: bool,
    pub(crate) unverified: bool,
    pub(crate) rooted: bool,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            create: true,
            replace: true,
            remove: true,
            dangling: true,
            outside: true,
            follow: false,
            cross_mounts: false,
            cooperative: true,
            unverified: false,
            rooted: false,
        }
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident = $field:ident;)*) => {
        $($(#[$doc])* #[must_use] pub fn $name(mut self, allowed: bool) -> Policy {
            self.$field = allowed;
            self
        })*
    };
}

impl Policy {
    /// Whether anything may be changed at all: sets `create`, `replace` and `remove`.
    #[must_use]
    pub fn changes(self, allowed: bool) -> Policy {
        self.create(allowed).replace(allowed).remove(allowed)
    }

    setters! {
        /// Whether links may be created where nothing was.
        create = create;
        /// Whether links may be replaced and exchanged.
        replace = replace;
        /// Whether links may be removed.
        remove = remove;
        /// Whether an edit may ask for a target that does not exist.
        dangling = dangling;
        /// Whether an edit may ask for a text that leads outside the root.
        outside = outside;
        /// Whether directories on the way to a link may be links that stay inside the root. Off by default.
        follow = follow;
        /// Whether paths may cross a mount point below the root. Off by default.
        cross_mounts = cross_mounts;
        /// Whether the `cooperative` guarantee is accepted where the host has no better. If not, such an edit is
        /// `unsupported`.
        cooperative = cooperative;
        /// Whether successes are reported without the read-back. Off by default.
        ///
        /// # Security
        ///
        /// For batches in trees that nobody else writes. The outcome says that it was not verified.
        unverified = unverified;
        /// Whether the root is meant as a root directory: that of an image, a sysroot, a container. Off by default.
        ///
        /// Texts are then judged as after `chroot` into it: an absolute one goes on at the root, a `..` at the root stays
        /// there, and nothing leads outside. The paths of links are spelled as ever, and nothing outside is opened.
        ///
        /// It is chosen when the root is opened and says how texts are read, not what is allowed: narrowing neither adds
        /// it nor takes it away.
        ///
        /// # Security
        ///
        /// A text that stays inside after `chroot` can lead elsewhere for a program that follows it from outside.
        rooted = rooted;
    }

    /// Returns what both policies allow; how texts are read stays as it is ([`rooted`](Policy::rooted)).
    #[must_use]
    pub fn narrow(self, other: Policy) -> Policy {
        Policy {
            create: self.create && other.create,
            replace: self.replace && other.replace,
            remove: self.remove && other.remove,
            dangling: self.dangling && other.dangling,
            outside: self.outside && other.outside,
            follow: self.follow && other.follow,
            cross_mounts: self.cross_mounts && other.cross_mounts,
            cooperative: self.cooperative && other.cooperative,
            unverified: self.unverified && other.unverified,
            rooted: self.rooted,
        }
    }

    /// Returns whether any change is allowed.
    pub fn allows_changes(self) -> bool {
        self.create || self.replace || self.remove
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every switch of a policy: how it is set, and what it is.
    type Switch = (fn(Policy, bool) -> Policy, fn(Policy) -> bool);

    const SWITCHES: [Switch; 9] = [
        (Policy::create, |policy| policy.create),
        (Policy::replace, |policy| policy.replace),
        (Policy::remove, |policy| policy.remove),
        (Policy::dangling, |policy| policy.dangling),
        (Policy::outside, |policy| policy.outside),
        (Policy::follow, |policy| policy.follow),
        (Policy::cross_mounts, |policy| policy.cross_mounts),
        (Policy::cooperative, |policy| policy.cooperative),
        (Policy::unverified, |policy| policy.unverified),
    ];

    fn with_all(on: bool) -> Policy {
        SWITCHES.iter().fold(Policy::default(), |policy, (set, _)| set(policy, on))
    }

    #[test]
    fn narrowing_never_widens() {
        let wide = Policy::default().follow(true).cross_mounts(true).unverified(true);
        assert_eq!(Policy::default().narrow(wide), Policy::default());
        assert_eq!(wide.narrow(Policy::default()), Policy::default());
        assert!(!Policy::default().changes(false).narrow(wide).allows_changes());
    }

    #[test]
    fn both_have_to_allow_what_is_allowed() {
        for (set, is_set) in SWITCHES {
            for (one, other) in [(true, true), (true, false), (false, true), (false, false)] {
                let narrowed = set(with_all(true), one).narrow(set(with_all(true), other));
                assert_eq!(is_set(narrowed), one && other);
                assert_eq!(set(narrowed, true), with_all(true), "the others stay");
            }
        }
    }

    #[test]
    fn narrowing_leaves_it_as_it_is_how_texts_are_read() {
        let (rooted, plain) = (Policy::default().rooted(true), Policy::default());
        assert!(rooted.narrow(plain).rooted && !plain.narrow(rooted).rooted);
    }

    #[test]
    fn each_change_is_a_change() {
        for set in [Policy::create, Policy::replace, Policy::remove] {
            assert!(set(Policy::default().changes(false), true).allows_changes());
        }
    }
}
